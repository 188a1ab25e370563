/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signers: keys that are the same in each run, and what they sign, in minisign's format. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "policy/root.h"

#define N_SIGNERS 8u

/* The key of signer i; its id can be anything. */
PublicKey signer_key(unsigned i);

/* 42 bytes in base64, as a root has them. A new string. */
char *public_key_text(const PublicKey *key);

/* The text of a signature's file. A new string. */
char *signer_sign(unsigned i, const void *bytes, size_t n);
char *signer_sign_saying(unsigned i, const void *bytes, size_t n, const char *comment);

/* The same of a signature that is there already, in the name of the id. */
char *signature_text(const uint8_t id[KEY_ID_SIZE], const uint8_t of_bytes[SIGNATURE_SIZE],
                     const char *comment, const uint8_t of_comment[SIGNATURE_SIZE]);

/* Signatures of some bytes by several. */
typedef struct Signed {
        char *text;
        size_t n;
        char *signatures[SIGNATURES_MAX + 1];
        SignatureText items[SIGNATURES_MAX + 1];
        SignatureTexts all;
} Signed;

/* signers: their numbers, each a digit, "013". Copies. */
Signed *signed_new(const char *text, const char *signers);
void signed_add(Signed *what, char *signature); /* takes it */
void signed_free(Signed *what);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signed, signed_free)

/* A root that says: thresholds, then a line "key=0 root,policy" or "revoked=3" for each, with
 * numbers of signers in place of keys. NULL-terminated. A new string. */
char *root_text(uint64_t seq, const char *thresholds, const char *const *lines);
