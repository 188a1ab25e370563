/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signature: detached signatures in minisign's format, as https://jedisct1.github.io/minisign/
 * describes it: Ed25519 over the BLAKE2b-512 of the bytes, and a second one over the first and a
 * trusted comment. Looked at before anything is made of the bytes. Stricter than minisign: one
 * spelling of everything, nothing after the end, nothing in a comment that a terminal acts on. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KEY_ID_SIZE 8u
#define KEY_ID_HEX_SIZE (2 * KEY_ID_SIZE + 1)
#define PUBLIC_KEY_SIZE 32u
#define SIGNATURE_SIZE 64u
#define SIGNATURE_FILE_MAX 12288u /* bytes of a signature's file, and of a key's */
#define COMMENT_MAX 1024u         /* bytes of an untrusted comment */
#define TRUSTED_COMMENT_MAX 8192u

/* Positive results. */
typedef enum SignatureError {
        SIGNATURE_E_FORMAT = 1, /* it is not minisign's format, or not in its one spelling */
        SIGNATURE_E_LEGACY,     /* it signs the bytes themselves, as minisign -l does */
        SIGNATURE_E_KEY,        /* it was made with another key */
        SIGNATURE_E_WRONG,      /* the bytes, or the trusted comment, are not what was signed */
} SignatureError;

#define SIGNATURE_SUFFIX ".minisig" /* of the file beside what is signed */

typedef struct PublicKey {
        uint8_t id[KEY_ID_SIZE];
        uint8_t key[PUBLIC_KEY_SIZE];
} PublicKey;

typedef struct Signature {
        uint8_t id[KEY_ID_SIZE]; /* of the key */
        uint8_t of_bytes[SIGNATURE_SIZE];
        uint8_t of_comment[SIGNATURE_SIZE];
        const char *comment; /* the trusted one, in the text that was parsed; not terminated */
        size_t n_comment;
} Signature;

/* Both read the whole text of a file and return 0 or SIGNATURE_E_FORMAT; of a signature also
 * SIGNATURE_E_LEGACY. */
int public_key_parse(const char *text, size_t n, PublicKey *ret_key);
int signature_parse(const char *text, size_t n, Signature *ret_signature);

/* Returns 0, SIGNATURE_E_KEY or SIGNATURE_E_WRONG. digest_init() must have succeeded before. */
int signature_verify(const Signature *signature, const PublicKey *key, const void *bytes, size_t n);

/* As minisign shows it. */
void key_id_format(const uint8_t id[KEY_ID_SIZE], char ret_hex[KEY_ID_HEX_SIZE]);

/* The file's lines, for whoever reads or writes another file of the format. */
#define LINE_UNTRUSTED "untrusted comment: "
#define LINE_TRUSTED "trusted comment: "
#define ALGORITHM_KEY "Ed"
#define ALGORITHM_SIGNATURE "ED"

typedef struct Lines {
        const char *at; /* what is not read yet */
        size_t n;
} Lines;

/* A line "PREFIXtext\n"; the text may be at most max bytes of UTF-8 without control characters.
 * Returns 0 or SIGNATURE_E_FORMAT. */
int lines_take_comment(Lines *lines, const char *prefix, size_t max, const char **ret_text,
                       size_t *ret_n);
/* A line of base64 that stands for just n bytes. Returns 0 or SIGNATURE_E_FORMAT. */
int lines_take_bytes(Lines *lines, uint8_t *ret_bytes, size_t n);
