/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digest: see digest.h. A digest of bytes alone is what `b2sum -l 256` prints for the file. */
#include "policy/digest.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

_Static_assert(DIGEST_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");

int digest_init(void)
{
        return sodium_init() < 0 ? -EIO : 0;
}

void digest_bytes(const void *data, size_t n, uint8_t ret_digest[DIGEST_SIZE])
{
        crypto_generichash(ret_digest, DIGEST_SIZE, data, n, NULL, 0);
}

/* With its length in front, no two different lists of names feed the same bytes. */
static void add_name(crypto_generichash_state *state, const char *name)
{
        size_t n = strlen(name);
        uint64_t length = htole64(n);

        crypto_generichash_update(state, (const uint8_t *) &length, sizeof(length));
        crypto_generichash_update(state, (const uint8_t *) name, n);
}

static void add_text(crypto_generichash_state *state, const Document *document)
{
        uint8_t digest[DIGEST_SIZE];

        if (!document->digest)
                digest_bytes(document->text, document->n_text, digest);
        crypto_generichash_update(state, document->digest ? document->digest : digest, DIGEST_SIZE);
}

void digest_documents(const Document *documents, size_t n_documents,
                      uint8_t ret_digest[DIGEST_SIZE])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
        for (size_t i = 0; i < n_documents; i++) {
                add_name(&state, documents[i].name);
                add_text(&state, &documents[i]);
        }
        crypto_generichash_final(&state, ret_digest, DIGEST_SIZE);
}

void digest_format(const uint8_t digest[DIGEST_SIZE], char ret_hex[DIGEST_HEX_SIZE])
{
        sodium_bin2hex(ret_hex, DIGEST_HEX_SIZE, digest, DIGEST_SIZE);
}

int digest_parse(const char *hex, uint8_t ret_digest[DIGEST_SIZE])
{
        size_t n = 0;

        if (strlen(hex) != DIGEST_HEX_SIZE - 1 ||
            sodium_hex2bin(ret_digest, DIGEST_SIZE, hex, DIGEST_HEX_SIZE - 1, NULL, &n, NULL) < 0)
                return -EINVAL;
        return n == DIGEST_SIZE ? 0 : -EINVAL;
}
