/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests: known values, and that no two sets of documents share one by the way they are joined. */
#include <glib.h>
#include <string.h>

#include "policy/digest.h"

static void assert_hex(const uint8_t digest[DIGEST_SIZE], const char *expected)
{
        char hex[DIGEST_HEX_SIZE];

        digest_format(digest, hex);
        g_assert_cmpstr(hex, ==, expected);
}

/* From b2sum -l 256. */
static void test_bytes_have_the_digest_that_b2sum_prints(void)
{
        uint8_t digest[DIGEST_SIZE];

        digest_bytes("", 0, digest);
        assert_hex(digest, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
        digest_bytes("version=1\n", 10, digest);
        assert_hex(digest, "aee9b28c70b407204aebc4a5d71a6e7a4175600b2ef80bdb3bc2c5bf93559ad5");
}

static Document document(const char *name, const char *text)
{
        return (Document){.name = name, .text = text, .n_text = strlen(text)};
}

static void assert_differ(const Document *a, size_t n_a, const Document *b, size_t n_b)
{
        uint8_t x[DIGEST_SIZE], y[DIGEST_SIZE];

        digest_documents(a, n_a, x);
        digest_documents(b, n_b, y);
        g_assert_cmpint(memcmp(x, y, DIGEST_SIZE), !=, 0);
}

static void test_documents_joined_otherwise_have_another_digest(void)
{
        Document one[] = {document("ab", "c"), document("d", "")};
        Document two[] = {document("a", "bc"), document("d", "")};
        Document three[] = {document("ab", ""), document("c", "d")};

        assert_differ(one, 2, two, 2);
        assert_differ(one, 2, three, 2);
        assert_differ(one, 2, one, 1);
        assert_differ(one, 1, NULL, 0);
}

static void test_equal_documents_have_an_equal_digest(void)
{
        Document one[] = {document("a", "text")};
        char name[] = "a", text[] = "text and more";
        Document two[] = {{.name = name, .text = text, .n_text = 4}};
        uint8_t x[DIGEST_SIZE], y[DIGEST_SIZE];

        digest_documents(one, 1, x);
        digest_documents(two, 1, y);
        g_assert_cmpmem(x, DIGEST_SIZE, y, DIGEST_SIZE);
}

/* 8 bytes of length, lowest first, the name, and the digest of the text; from b2sum -l 256. */
static void test_the_digest_of_documents_is_the_one_that_is_described(void)
{
        Document one[] = {document("web", "version=1\n")};
        uint8_t digest[DIGEST_SIZE];

        digest_documents(one, 1, digest);
        assert_hex(digest, "25012ee9140fceb7f5c1a2503d4878cba0a3c6364c93179793e7265d7058f608");
}

static void test_a_digest_that_is_known_is_not_made_again(void)
{
        uint8_t known[DIGEST_SIZE], x[DIGEST_SIZE], y[DIGEST_SIZE];
        Document one[] = {document("web", "version=1\n")}, two[] = {document("web", "unread")};

        digest_bytes(one[0].text, one[0].n_text, known);
        two[0].digest = known;
        digest_documents(one, 1, x);
        digest_documents(two, 1, y);
        g_assert_cmpmem(x, DIGEST_SIZE, y, DIGEST_SIZE);
}

#define ADD(test) g_test_add_func("/digest/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(digest_init(), ==, 0);
        g_assert_cmpint(digest_init(), ==, 0);
        ADD(test_bytes_have_the_digest_that_b2sum_prints);
        ADD(test_documents_joined_otherwise_have_another_digest);
        ADD(test_equal_documents_have_an_equal_digest);
        ADD(test_the_digest_of_documents_is_the_one_that_is_described);
        ADD(test_a_digest_that_is_known_is_not_made_again);
        return g_test_run();
}
