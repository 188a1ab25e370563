/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret key: what signatures are made with, in minisign's format, encrypted by a password. It
 * lives in memory that is locked, guarded and wiped. */
#pragma once

#include "policy/signature.h"
#include "util/cleanup.h"

typedef struct SecretKey SecretKey;

/* Positive results. */
typedef enum SecretKeyError {
        SECRET_KEY_E_FORMAT = 1, /* it is no secret key of minisign's */
        SECRET_KEY_E_PASSWORD,   /* another password, or the file is damaged */
} SecretKeyError;

/* A new pair. Returns NULL when memory that can be locked is short. */
SecretKey *secret_key_new(void);
SecretKey *secret_key_free(SecretKey *key);
PublicKey secret_key_public(const SecretKey *key);

/* Whether the file's text is that of a key that a password encrypts. Returns 1, 0 or
 * SECRET_KEY_E_FORMAT as a negative number. */
int secret_key_is_encrypted(const char *text, size_t n);

/* password: NULL for a key that is not encrypted. Returns 0, a SecretKeyError, or -ENOMEM where
 * there is not the memory that its encryption asks for. */
int secret_key_parse(const char *text, size_t n, const char *password, SecretKey **ret_key);

/* The whole text of a file, each; to be freed. password: NULL, not to encrypt. Returns 0 or
 * -ENOMEM. */
int secret_key_format(const SecretKey *key, const char *password, char **ret_text);
int public_key_format(const PublicKey *key, char **ret_text);

/* Signs bytes. comment: trusted, at most TRUSTED_COMMENT_MAX bytes of text without control
 * characters but tabs. Returns a new string, the signature's file, or NULL when memory is short. */
char *secret_key_sign(const SecretKey *key, const void *bytes, size_t n, const char *comment);

DEFINE_CLEANUP(SecretKey *, secret_key_free);
