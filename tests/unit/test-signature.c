/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures: what minisign 0.11 made is verified, and nothing that differs from it in a bit. */
#include <glib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/signature.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/x\n"
#define KEY                                                                                        \
        "untrusted comment: minisign public key 97E176D00F46180A\n"                                \
        "RWQKGEYP0HbhlwP1DMOvNZ/Pgtgk4NquzfGDWom/PrwhQKs92khlL9ON\n"
#define COMMENT_LINE "untrusted comment: made for a test\n"
#define OF_BYTES                                                                                   \
        "RUQKGEYP0Hbhl1ihWUFDoYl/wH6AQVo7C8btybYMbaB8hvmFmfUEmulbYj7AyOVQcEDse/"                   \
        "rnoGZ+dKwK8bGCT0qbXFHkpSBaZwc=\n"
#define TRUSTED_LINE "trusted comment: the first one\n"
#define OF_COMMENT                                                                                 \
        "wMl5ZgEkTFhffsJLbfleIg5MDTUsp9AFY3kAsEOD4tU/"                                             \
        "4DsTw4NKD6uWNIGJ72Jq5FJ6L5V9qTbEhCfCw8yQBg==\n"
#define SIGNATURE COMMENT_LINE OF_BYTES TRUSTED_LINE OF_COMMENT
/* Of the same document and comment, with another key. */
#define OTHER_BYTES                                                                                \
        "RUQSDgE7X2qvUhu51WvrhlmFBb2wIoWpI2vu277xgBPYCpVfeBGLL4PDIxGDMK4I+"                        \
        "YfTFJvJmBAYZ4isY+z0DHpNoW3wRXbBNgw=\n"
#define OTHER_COMMENT                                                                              \
        "tiBSMYtppsW6xcZVoUUwcSoWmM54Le8NWwWaAuo6IKxGycwu3TA4HrZDBEQvU8XKaItH1ZhUsgJlyRkBg0/"      \
        "iDA==\n"
#define OLD_KIND                                                                                   \
        "untrusted comment: signature from minisign secret key\n"                                  \
        "RWQKGEYP0Hbhl3bcqsQ1eEftVE+yEz2IbHS2gTO7IbK0+"                                            \
        "nhDkwTi5c1ntE8Za4HS3VVhdjYknfyfHGbBodttp0HJ4fOq1PqFUw0=\n"                                \
        "trusted comment: x\n"                                                                     \
        "PQbPbwlt7RLRy0DSD1lyu82JFmH4RVwmJcfnm5DA/rEWbcE8pdIRmgnHvYxAna05TbCdL0GZAbTHTclqgrCwCg="  \
        "=\n"

/* Returns 0 or a SignatureError. */
static int verify(const char *key_text, const char *text, size_t n, const char *document)
{
        Signature signature;
        PublicKey key;
        int r = public_key_parse(key_text, strlen(key_text), &key);

        if (r == 0)
                r = signature_parse(text, n, &signature);
        return r ? r : signature_verify(&signature, &key, document, strlen(document));
}

static int verify_text(const char *text)
{
        return verify(KEY, text, strlen(text), DOCUMENT);
}

static void test_what_minisign_signed_is_verified(void)
{
        Signature signature;
        PublicKey key;
        char id[KEY_ID_HEX_SIZE];

        g_assert_cmpint(verify_text(SIGNATURE), ==, 0);
        g_assert_cmpint(signature_parse(SIGNATURE, strlen(SIGNATURE), &signature), ==, 0);
        g_assert_cmpmem(signature.comment, signature.n_comment, "the first one", 13);
        g_assert_cmpint(public_key_parse(KEY, strlen(KEY), &key), ==, 0);
        key_id_format(key.id, id);
        g_assert_cmpstr(id, ==, "97E176D00F46180A");
}

static void test_each_kind_of_fault_is_told(void)
{
        g_assert_cmpint(verify(KEY, SIGNATURE, strlen(SIGNATURE), DOCUMENT " "), ==,
                        SIGNATURE_E_WRONG);
        g_assert_cmpint(verify_text(COMMENT_LINE OTHER_BYTES TRUSTED_LINE OTHER_COMMENT), ==,
                        SIGNATURE_E_KEY);
        g_assert_cmpint(verify_text(OLD_KIND), ==, SIGNATURE_E_LEGACY);
        g_assert_cmpint(verify_text(COMMENT_LINE OF_BYTES "trusted comment: another\n" OF_COMMENT),
                        ==, SIGNATURE_E_WRONG);
        g_assert_cmpint(verify_text(COMMENT_LINE OF_BYTES TRUSTED_LINE OTHER_COMMENT), ==,
                        SIGNATURE_E_WRONG);
        g_assert_cmpint(verify(SIGNATURE, SIGNATURE, strlen(SIGNATURE), DOCUMENT), ==,
                        SIGNATURE_E_FORMAT);
}

static void test_one_spelling_is_taken_and_no_other(void)
{
        static const char *const spellings[] = {
                "",
                COMMENT_LINE,
                SIGNATURE "\n",
                SIGNATURE "x",
                SIGNATURE SIGNATURE,
                "\n" SIGNATURE,
                "\xef\xbb\xbf" SIGNATURE,
                "untrusted comment: made\tfor\r\n" OF_BYTES TRUSTED_LINE OF_COMMENT,
                "untrusted comment: \x1b[2J\n" OF_BYTES TRUSTED_LINE OF_COMMENT,
                "untrusted comment: \xff\n" OF_BYTES TRUSTED_LINE OF_COMMENT,
                "comment: made for a test\n" OF_BYTES TRUSTED_LINE OF_COMMENT,
                COMMENT_LINE OF_BYTES "trusted comment: the first one\r\n" OF_COMMENT,
                COMMENT_LINE OF_BYTES "trusted comment: the first one \n" OF_COMMENT,
                COMMENT_LINE OF_BYTES "trusted comment: the first one\v\n" OF_COMMENT,
                COMMENT_LINE " " OF_BYTES TRUSTED_LINE OF_COMMENT,
                COMMENT_LINE OF_BYTES TRUSTED_LINE " " OF_COMMENT,
                COMMENT_LINE OF_BYTES OF_BYTES TRUSTED_LINE OF_COMMENT,
                COMMENT_LINE TRUSTED_LINE OF_BYTES OF_COMMENT,
                COMMENT_LINE OF_COMMENT TRUSTED_LINE OF_BYTES,
        };

        for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++)
                if (verify_text(spellings[i]) == 0)
                        g_error("spelling %zu was taken", i);
        g_assert_cmpint(verify(KEY, SIGNATURE, strlen(SIGNATURE) - 1, DOCUMENT), !=, 0);
        g_assert_cmpint(verify(KEY, SIGNATURE, strlen(SIGNATURE) + 1, DOCUMENT), !=, 0); /* NUL */
}

static void test_a_comment_has_a_greatest_length(void)
{
        g_autofree char *longest = g_strnfill(COMMENT_MAX, 'x');
        g_autofree char *fits = g_strconcat("untrusted comment: ", longest,
                                            "\n" OF_BYTES TRUSTED_LINE OF_COMMENT, NULL);
        g_autofree char *too_long = g_strconcat("untrusted comment: x", longest,
                                                "\n" OF_BYTES TRUSTED_LINE OF_COMMENT, NULL);

        g_assert_cmpint(verify_text(fits), ==, 0);
        g_assert_cmpint(verify_text(too_long), ==, SIGNATURE_E_FORMAT);
}

/* Of the signature all but the first comment counts. */
static void test_a_file_has_a_greatest_length_and_its_own_kind(void)
{
        static const char *const keys[] = {
                "",
                "untrusted comment: x\n",
                "untrusted comment: x\nRWQKGEYP0HbhlwP1DMOvNZ/Pgtgk4NquzfGDWom/PrwhQKs92khlL9O=\n",
                "untrusted comment: x\nRWQKGEYP0HbhlwP1DMOvNZ/Pgtgk4NquzfGDWom/PrwhQKs92khlL9==\n",
                "untrusted comment: x\nRUQKGEYP0HbhlwP1DMOvNZ/Pgtgk4NquzfGDWom/PrwhQKs92khlL9ON\n",
                KEY "\n",
        };
        g_autofree char *longest = g_strnfill(SIGNATURE_FILE_MAX + 1, 'x');
        Lines lines = {longest, strlen(longest)};
        uint8_t bytes[512];
        Signature signature;
        PublicKey key;

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                g_assert_cmpint(public_key_parse(keys[i], strlen(keys[i]), &key), ==,
                                SIGNATURE_E_FORMAT);
        g_assert_cmpint(public_key_parse(longest, strlen(longest), &key), ==, SIGNATURE_E_FORMAT);
        g_assert_cmpint(signature_parse(longest, strlen(longest), &signature), ==,
                        SIGNATURE_E_FORMAT);
        g_assert_cmpint(lines_take_bytes(&lines, bytes, sizeof(bytes)), ==, SIGNATURE_E_FORMAT);
}

static void test_no_bit_can_be_turned(void)
{
        char signature[] = SIGNATURE, document[] = DOCUMENT, key[] = KEY;

        for (size_t bit = 8 * strlen(COMMENT_LINE); bit < 8 * strlen(SIGNATURE); bit++) {
                signature[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(verify(KEY, signature, strlen(SIGNATURE), DOCUMENT), !=, 0);
                signature[bit / 8] ^= (char) (1 << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * strlen(DOCUMENT); bit++) {
                Signature parsed;
                PublicKey parsed_key;

                document[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(public_key_parse(KEY, strlen(KEY), &parsed_key), ==, 0);
                g_assert_cmpint(signature_parse(SIGNATURE, strlen(SIGNATURE), &parsed), ==, 0);
                g_assert_cmpint(signature_verify(&parsed, &parsed_key, document, strlen(DOCUMENT)),
                                ==, SIGNATURE_E_WRONG);
                document[bit / 8] ^= (char) (1 << bit % 8);
        }
        for (size_t bit = 8 * (size_t) (strchr(key, '\n') + 1 - key); bit < 8 * strlen(KEY);
             bit++) {
                key[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(verify(key, SIGNATURE, strlen(SIGNATURE), DOCUMENT), !=, 0);
                key[bit / 8] ^= (char) (1 << bit % 8);
        }
        g_assert_cmpint(verify(key, signature, strlen(SIGNATURE), document), ==, 0);
}

/* A piece of it goes, comes twice, changes places with another, or something comes between. */
static GString *mutate(GRand *random)
{
        static const char *const pieces[] = {"\n", "=",          "A",      " ",
                                             "\r", TRUSTED_LINE, OF_BYTES, "\t"};
        GString *text = g_string_new(SIGNATURE);
        int n = g_rand_int_range(random, 1, 4);

        for (int i = 0; i < n; i++) {
                gint32 at = g_rand_int_range(random, 0, (gint32) text->len);
                gint32 length = g_rand_int_range(random, 1, 40);
                g_autofree char *part = g_strndup(text->str + at, (gsize) length);

                switch (g_rand_int_range(random, 0, 4)) {
                case 0:
                        g_string_erase(text, at, MIN(length, (gint32) text->len - at));
                        break;
                case 1:
                        g_string_insert(text, at, part);
                        break;
                case 2:
                        g_string_insert(text, g_rand_int_range(random, 0, (gint32) text->len),
                                        part);
                        break;
                default:
                        g_string_insert(text, at,
                                        pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
                        break;
                }
                if (text->len == 0)
                        g_string_append_c(text, 'x');
        }
        return text;
}

static void test_of_20000_mutants_none_is_taken_that_differs_where_it_counts(void)
{
        GRand *random = g_rand_new_with_seed(20241124);

        for (int i = 0; i < 20000; i++) {
                GString *text = mutate(random);

                if (verify(KEY, text->str, text->len, DOCUMENT) == 0)
                        g_assert_cmpstr(strchr(text->str, '\n') + 1, ==,
                                        OF_BYTES TRUSTED_LINE OF_COMMENT);
                g_string_free(text, TRUE);
        }
        g_rand_free(random);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(digest_init(), ==, 0);
#define ADD(name) g_test_add_func("/signature/" #name, test_##name)
        ADD(what_minisign_signed_is_verified);
        ADD(each_kind_of_fault_is_told);
        ADD(one_spelling_is_taken_and_no_other);
        ADD(a_comment_has_a_greatest_length);
        ADD(a_file_has_a_greatest_length_and_its_own_kind);
        ADD(no_bit_can_be_turned);
        ADD(of_20000_mutants_none_is_taken_that_differs_where_it_counts);
        return g_test_run();
}
