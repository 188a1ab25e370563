/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signers: see signer.h. */
#include "signer.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

typedef struct Pair {
        uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
} Pair;

static Pair pair_of(unsigned i)
{
        uint8_t seed[crypto_sign_SEEDBYTES] = {(uint8_t) (i + 1), 0xae};
        Pair pair;

        g_assert_cmpint(crypto_sign_seed_keypair(pair.public, pair.secret, seed), ==, 0);
        return pair;
}

PublicKey signer_key(unsigned i)
{
        Pair pair = pair_of(i);
        PublicKey key = {.id = {(uint8_t) i, 1, 2, 3, 4, 5, 6, 7}};

        memcpy(key.key, pair.public, PUBLIC_KEY_SIZE);
        return key;
}

static char *packed(const char *algorithm, const uint8_t id[KEY_ID_SIZE], const uint8_t *bytes,
                    size_t n)
{
        g_autofree uint8_t *all = g_malloc(2 + KEY_ID_SIZE + n);

        memcpy(all, algorithm, 2);
        memcpy(all + 2, id, KEY_ID_SIZE);
        memcpy(all + 2 + KEY_ID_SIZE, bytes, n);
        return g_base64_encode(all, 2 + KEY_ID_SIZE + n);
}

char *public_key_text(const PublicKey *key)
{
        return packed(ALGORITHM_KEY, key->id, key->key, PUBLIC_KEY_SIZE);
}

char *signature_text(const uint8_t id[KEY_ID_SIZE], const uint8_t of_bytes[SIGNATURE_SIZE],
                     const char *comment, const uint8_t of_comment[SIGNATURE_SIZE])
{
        g_autofree char *first = packed(ALGORITHM_SIGNATURE, id, of_bytes, SIGNATURE_SIZE);
        g_autofree char *second = g_base64_encode(of_comment, SIGNATURE_SIZE);

        return g_strdup_printf(LINE_UNTRUSTED "a test's\n%s\n" LINE_TRUSTED "%s\n%s\n", first,
                               comment, second);
}

char *signer_sign_saying(unsigned i, const void *bytes, size_t n, const char *comment)
{
        uint8_t digest[64], of_bytes[SIGNATURE_SIZE], of_comment[SIGNATURE_SIZE];
        g_autofree uint8_t *both = g_malloc(SIGNATURE_SIZE + strlen(comment));
        PublicKey key = signer_key(i);
        Pair pair = pair_of(i);

        crypto_generichash(digest, sizeof(digest), bytes, n, NULL, 0);
        crypto_sign_detached(of_bytes, NULL, digest, sizeof(digest), pair.secret);
        memcpy(both, of_bytes, SIGNATURE_SIZE);
        memcpy(both + SIGNATURE_SIZE, comment, strlen(comment));
        crypto_sign_detached(of_comment, NULL, both, SIGNATURE_SIZE + strlen(comment), pair.secret);
        return signature_text(key.id, of_bytes, comment, of_comment);
}

char *signer_sign(unsigned i, const void *bytes, size_t n)
{
        return signer_sign_saying(i, bytes, n, "signed");
}

Signed *signed_new(const char *text, const char *signers)
{
        Signed *what = g_new0(Signed, 1);

        what->text = g_strdup(text);
        what->n = strlen(text);
        what->all.items = what->items;
        for (const char *s = signers; *s; s++)
                signed_add(what, signer_sign((unsigned) (*s - '0'), text, what->n));
        return what;
}

void signed_add(Signed *what, char *signature)
{
        size_t i = what->all.n++;

        g_assert_cmpuint(i, <=, SIGNATURES_MAX);
        what->signatures[i] = signature;
        what->items[i] = (SignatureText){signature, strlen(signature)};
}

void signed_free(Signed *what)
{
        for (size_t i = 0; i < what->all.n; i++)
                g_free(what->signatures[i]);
        g_free(what->text);
        g_free(what);
}

char *root_text(uint64_t seq, const char *thresholds, const char *const *lines)
{
        GString *text = g_string_new("root=1\n");

        g_string_append_printf(text,
                               "seq=%" PRIu64 "\nissued=2026-01-01T00:00:00Z\n"
                               "expires=2099-01-01T00:00:00Z\n"
                               "threshold-root=%c\nthreshold-policy=%c\nthreshold-recovery=%c\n",
                               seq, thresholds[0], thresholds[1], thresholds[2]);
        for (; *lines; lines++) {
                const char *equals = strchr(*lines, '=');
                PublicKey key = signer_key((unsigned) (equals[1] - '0'));
                g_autofree char *line = public_key_text(&key);

                g_string_append_printf(text, "%.*s=%s%s\n", (int) (equals - *lines), *lines, line,
                                       equals + 2);
        }
        return g_string_free(text, FALSE);
}
