/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signature: see signature.h. */
#include "policy/signature.h"

#include <endian.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"
#include "util/fiber.h"

#define ALGORITHM_SIZE 2u
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define HASH_SIZE crypto_generichash_BYTES_MAX
#define SLICE_SIZE (256u * 1024)
#define BYTES_MAX 256u /* that a line of base64 stands for */

_Static_assert(PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519");

/* ---- lines ---- */

/* Without the line end, which must be there. */
static int take_line(Lines *lines, const char **ret_line, size_t *ret_n)
{
        const char *end = memchr(lines->at, '\n', lines->n);

        if (!end)
                return SIGNATURE_E_FORMAT;
        *ret_line = lines->at;
        *ret_n = (size_t) (end - lines->at);
        lines->n -= *ret_n + 1;
        lines->at = end + 1;
        return 0;
}

int lines_take_comment(Lines *lines, const char *prefix, size_t max, const char **ret_text,
                       size_t *ret_n)
{
        size_t n_prefix = strlen(prefix), n = 0, fault;
        const char *line = NULL;

        if (take_line(lines, &line, &n) != 0 || n < n_prefix || n - n_prefix > max ||
            memcmp(line, prefix, n_prefix) != 0 || text_check(line, n, &fault) != TEXT_FINE)
                return SIGNATURE_E_FORMAT;
        *ret_text = line + n_prefix;
        *ret_n = n - n_prefix;
        return 0;
}

int lines_take_bytes(Lines *lines, uint8_t *ret_bytes, size_t n)
{
        char again[sodium_base64_ENCODED_LEN(BYTES_MAX, BASE64)];
        const char *line = NULL;
        size_t n_line = 0, n_bytes = 0;

        if (n > BYTES_MAX || take_line(lines, &line, &n_line) != 0 ||
            n_line != sodium_base64_encoded_len(n, BASE64) - 1 ||
            sodium_base642bin(ret_bytes, n, line, n_line, NULL, &n_bytes, NULL, BASE64) < 0 ||
            n_bytes != n)
                return SIGNATURE_E_FORMAT;
        /* Bits that stand for nothing could make another spelling of the same. */
        sodium_bin2base64(again, sizeof(again), ret_bytes, n, BASE64);
        return memcmp(again, line, n_line) == 0 ? 0 : SIGNATURE_E_FORMAT;
}

static int lines_end(const Lines *lines)
{
        return lines->n == 0 ? 0 : SIGNATURE_E_FORMAT;
}

/* ---- keys and signatures ---- */

int public_key_parse(const char *text, size_t n, PublicKey *ret_key)
{
        uint8_t bytes[ALGORITHM_SIZE + KEY_ID_SIZE + PUBLIC_KEY_SIZE];
        Lines lines = {text, n};
        const char *comment = NULL;
        size_t n_comment = 0;

        if (n > SIGNATURE_FILE_MAX ||
            lines_take_comment(&lines, LINE_UNTRUSTED, COMMENT_MAX, &comment, &n_comment) != 0 ||
            lines_take_bytes(&lines, bytes, sizeof(bytes)) != 0 || lines_end(&lines) != 0 ||
            memcmp(bytes, ALGORITHM_KEY, ALGORITHM_SIZE) != 0)
                return SIGNATURE_E_FORMAT;
        memcpy(ret_key->id, bytes + ALGORITHM_SIZE, KEY_ID_SIZE);
        memcpy(ret_key->key, bytes + ALGORITHM_SIZE + KEY_ID_SIZE, PUBLIC_KEY_SIZE);
        return 0;
}

int signature_parse(const char *text, size_t n, Signature *ret_signature)
{
        uint8_t bytes[ALGORITHM_SIZE + KEY_ID_SIZE + SIGNATURE_SIZE];
        Lines lines = {text, n};
        const char *comment = NULL;
        size_t n_comment = 0;
        Signature signature = {};

        if (n > SIGNATURE_FILE_MAX ||
            lines_take_comment(&lines, LINE_UNTRUSTED, COMMENT_MAX, &comment, &n_comment) != 0 ||
            lines_take_bytes(&lines, bytes, sizeof(bytes)) != 0 ||
            lines_take_comment(&lines, LINE_TRUSTED, TRUSTED_COMMENT_MAX, &signature.comment,
                               &signature.n_comment) != 0 ||
            lines_take_bytes(&lines, signature.of_comment, SIGNATURE_SIZE) != 0 ||
            lines_end(&lines) != 0)
                return SIGNATURE_E_FORMAT;
        if (memcmp(bytes, ALGORITHM_KEY, ALGORITHM_SIZE) == 0)
                return SIGNATURE_E_LEGACY;
        if (memcmp(bytes, ALGORITHM_SIGNATURE, ALGORITHM_SIZE) != 0)
                return SIGNATURE_E_FORMAT;
        memcpy(signature.id, bytes + ALGORITHM_SIZE, KEY_ID_SIZE);
        memcpy(signature.of_bytes, bytes + ALGORITHM_SIZE + KEY_ID_SIZE, SIGNATURE_SIZE);
        *ret_signature = signature;
        return 0;
}

/* ---- verification ---- */

/* Of a large document that takes longer than others should wait. */
static void hash_bytes(const uint8_t *bytes, size_t n, uint8_t ret_digest[HASH_SIZE])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
        for (size_t done = 0, slice; done < n; done += slice) {
                slice = n - done < SLICE_SIZE ? n - done : SLICE_SIZE;
                crypto_generichash_update(&state, bytes + done, slice);
                fiber_pace();
        }
        crypto_generichash_final(&state, ret_digest, HASH_SIZE);
}

static int verify_bytes(const Signature *signature, const PublicKey *key, const void *bytes,
                        size_t n)
{
        uint8_t digest[HASH_SIZE];

        hash_bytes(bytes, n, digest);
        return crypto_sign_verify_detached(signature->of_bytes, digest, sizeof(digest), key->key);
}

static int verify_comment(const Signature *signature, const PublicKey *key)
{
        uint8_t signed_bytes[SIGNATURE_SIZE + TRUSTED_COMMENT_MAX];

        memcpy(signed_bytes, signature->of_bytes, SIGNATURE_SIZE);
        memcpy(signed_bytes + SIGNATURE_SIZE, signature->comment, signature->n_comment);
        return crypto_sign_verify_detached(signature->of_comment, signed_bytes,
                                           SIGNATURE_SIZE + signature->n_comment, key->key);
}

int signature_verify(const Signature *signature, const PublicKey *key, const void *bytes, size_t n)
{
        if (memcmp(signature->id, key->id, KEY_ID_SIZE) != 0)
                return SIGNATURE_E_KEY;
        if (verify_bytes(signature, key, bytes, n) != 0 || verify_comment(signature, key) != 0)
                return SIGNATURE_E_WRONG;
        return 0;
}

void key_id_format(const uint8_t id[KEY_ID_SIZE], char ret_hex[KEY_ID_HEX_SIZE])
{
        uint64_t number;

        memcpy(&number, id, sizeof(number));
        snprintf(ret_hex, KEY_ID_HEX_SIZE, "%016llX", (unsigned long long) le64toh(number));
}
