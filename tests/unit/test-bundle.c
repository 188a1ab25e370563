/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles: of signed documents just those are admitted that the right keys have signed, for this
 * name, this machine, this time, and not before a later one. */
#include <glib.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "policy/bundle.h"
#include "policy/fields.h"
#include "signer.h"

#define MACHINE "0123456789abcdef0123456789abcdef"
#define HEAD(name, seq)                                                                            \
        "bundle=1\nname=" name "\nseq=" seq                                                        \
        "\nissued=2026-11-29T21:00:00Z\nexpires=2027-11-29T21:00:00Z\n"
#define DOCUMENT "version=1\n[deny_path]\n/srv/x\n"
#define BUNDLE HEAD("web", "7") DOCUMENT
#define SCOPED HEAD("web", "7") "scope=" MACHINE "\n" DOCUMENT
#define ISSUED 1795986000u
#define EXPIRES 1827522000u

/* 0 is root's, 1 and 2 the policies' of which both must sign, 3 recovery's and the policies'. */
static Root root_of(const char *thresholds)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", "key=2 policy",
                                            "key=3 policy,recovery", NULL};
        g_autofree char *text = root_text(1, thresholds, lines);
        Root root;

        g_assert_cmpint(root_parse(text, strlen(text), &root), ==, 0);
        return root;
}

/* Returns 0 or a BundleError. */
static int verify(const Signed *what, Bundle *ret_bundle)
{
        Root root = root_of("121");

        return bundle_verify(&root, what->text, what->n, &what->all, ret_bundle);
}

static int verify_text(const char *text, const char *signers)
{
        g_autoptr(Signed) what = signed_new(text, signers);
        Bundle bundle;

        return verify(what, &bundle);
}

static Bundle bundle_of(const char *text, const char *signers)
{
        g_autoptr(Signed) what = signed_new(text, signers);
        Bundle bundle;

        g_assert_cmpint(verify(what, &bundle), ==, 0);
        return bundle;
}

static BundleTerms terms_now(void)
{
        return (BundleTerms){.name = "web", .machine = MACHINE, .now = ISSUED + 1};
}

static int admit(const char *text, const char *signers, const BundleTerms *terms)
{
        Bundle bundle = bundle_of(text, signers);
        Root root = root_of("121");

        return bundle_admit(&bundle, &root, terms);
}

/* ---- who signed ---- */

static void test_what_enough_keys_have_signed_is_verified(void)
{
        Bundle bundle = bundle_of(SCOPED, "12");
        PublicKey key = signer_key(2);

        g_assert_cmpstr(bundle.header.name, ==, "web");
        g_assert_cmpstr(bundle.header.scope, ==, MACHINE);
        g_assert_cmpuint(bundle.header.seq, ==, 7);
        g_assert_cmpuint(bundle.header.issued, ==, ISSUED);
        g_assert_cmpuint(bundle.header.expires, ==, EXPIRES);
        g_assert_cmpuint(bundle.header.n, ==, strlen(SCOPED) - strlen(DOCUMENT));
        g_assert_cmpuint(bundle.signers.n_ids, ==, 2);
        g_assert_cmpmem(bundle.signers.ids[1], KEY_ID_SIZE, key.id, KEY_ID_SIZE);
        g_assert_cmpint(verify_text(BUNDLE, "012345"), ==, 0);
}

static void test_keys_of_another_role_do_not_count(void)
{
        g_assert_cmpint(verify_text(BUNDLE, ""), ==, BUNDLE_E_THRESHOLD);
        g_assert_cmpint(verify_text(BUNDLE, "1"), ==, BUNDLE_E_THRESHOLD);
        g_assert_cmpint(verify_text(BUNDLE, "10"), ==, BUNDLE_E_THRESHOLD);
        g_assert_cmpint(verify_text(BUNDLE, "14567"), ==, BUNDLE_E_THRESHOLD);
        g_assert_cmpint(verify_text(BUNDLE, "13"), ==, 0);
}

static void test_a_threshold_is_not_met_twice_by_one_key(void)
{
        g_autoptr(Signed) what = signed_new(BUNDLE, "1111");
        Bundle bundle;

        signed_add(what, signer_sign_saying(1, BUNDLE, strlen(BUNDLE), "as somebody else"));
        g_assert_cmpint(verify(what, &bundle), ==, BUNDLE_E_THRESHOLD);
}

/* Key confusion: what a key made for one purpose is not taken for another. */
static void test_a_root_is_no_bundle_and_a_bundle_is_no_root(void)
{
        static const char *const lines[] = {"key=1 root,policy", "key=2 root,policy", NULL};
        g_autofree char *text = root_text(1, "220", lines);
        g_autoptr(Signed) root = signed_new(text, "12"), bundle = signed_new(BUNDLE, "12");
        Bundle got;
        Root believed;

        g_assert_cmpint(root_accept(NULL, root->text, root->n, &root->all, &believed), ==, 0);
        g_assert_cmpint(bundle_verify(&believed, root->text, root->n, &root->all, &got), ==,
                        BUNDLE_E_HEADER);
        g_assert_cmpint(bundle_verify(&believed, bundle->text, bundle->n, &bundle->all, &got), ==,
                        0);
        g_assert_cmpint(root_accept(NULL, bundle->text, bundle->n, &bundle->all, &believed), ==,
                        ROOT_E_FORMAT);
}

static void test_a_signature_in_another_keys_name_makes_all_false(void)
{
        const PublicKey one = signer_key(1), two = signer_key(2);
        g_autoptr(Signed) what = signed_new(BUNDLE, "12"), renamed = signed_new(BUNDLE, "2");
        Signature signature;
        Bundle bundle;

        signed_add(what, signer_sign(3, "another", 7));
        g_assert_cmpint(verify(what, &bundle), ==, BUNDLE_E_WRONG);
        g_assert_cmpint(signature_parse(renamed->items[0].text, renamed->items[0].n, &signature),
                        ==, 0);
        g_assert_cmpmem(signature.id, KEY_ID_SIZE, two.id, KEY_ID_SIZE);
        signed_add(renamed,
                   signature_text(one.id, signature.of_bytes, "signed", signature.of_comment));
        g_assert_cmpint(verify(renamed, &bundle), ==, BUNDLE_E_WRONG);
}

static void test_what_is_no_signature_makes_all_false(void)
{
        g_autoptr(Signed) what = signed_new(BUNDLE, "12"), old = signed_new(BUNDLE, "12");
        g_autoptr(Signed) many = signed_new(BUNDLE, "12");
        g_autofree char *legacy = signer_sign(3, BUNDLE, strlen(BUNDLE));
        Bundle bundle;

        signed_add(what, g_strdup("x"));
        g_assert_cmpint(verify(what, &bundle), ==, BUNDLE_E_SIGNATURE);
        *strstr(legacy, "\nRUQ") = '\n';
        memcpy(strstr(legacy, "\nRUQ"), "\nRWQ", 4);
        signed_add(old, g_steal_pointer(&legacy));
        g_assert_cmpint(verify(old, &bundle), ==, BUNDLE_E_LEGACY);
        while (many->all.n <= SIGNATURES_MAX)
                signed_add(many, signer_sign(1, BUNDLE, strlen(BUNDLE)));
        g_assert_cmpint(verify(many, &bundle), ==, BUNDLE_E_SIGNATURE);
}

/* ---- what Ed25519 must not take ---- */

/* s + L is the same number modulo the order of the group: a second signature that nobody made. */
static void add_order(uint8_t s[32])
{
        static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                          0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                          0,    0,    0,    0,    0,    0,    0,    0,
                                          0,    0,    0,    0,    0,    0,    0,    0x10};
        unsigned carry = 0;

        for (size_t i = 0; i < 32; i++) {
                carry += (unsigned) s[i] + order[i];
                s[i] = (uint8_t) carry;
                carry >>= 8;
        }
}

static void test_a_signature_has_one_form(void)
{
        const PublicKey key = signer_key(1);
        g_autofree char *text = signer_sign(1, BUNDLE, strlen(BUNDLE)), *shifted = NULL;
        g_autofree char *shifted_too = NULL;
        Signature signature, other;

        g_assert_cmpint(signature_parse(text, strlen(text), &signature), ==, 0);
        g_assert_cmpint(signature_verify(&signature, &key, BUNDLE, strlen(BUNDLE)), ==, 0);
        other = signature;
        add_order(other.of_bytes + 32);
        shifted = signature_text(key.id, other.of_bytes, "signed", other.of_comment);
        g_assert_cmpint(signature_parse(shifted, strlen(shifted), &other), ==, 0);
        g_assert_cmpint(signature_verify(&other, &key, BUNDLE, strlen(BUNDLE)), ==,
                        SIGNATURE_E_WRONG);
        other = signature;
        add_order(other.of_comment + 32);
        shifted_too = signature_text(key.id, other.of_bytes, "signed", other.of_comment);
        g_assert_cmpint(signature_parse(shifted_too, strlen(shifted_too), &other), ==, 0);
        g_assert_cmpint(signature_verify(&other, &key, BUNDLE, strlen(BUNDLE)), ==,
                        SIGNATURE_E_WRONG);
}

/* Points of a small order, with which one signature would do for all bytes. The first two are the
 * neutral element and its other spelling. */
static void test_keys_of_a_small_order_sign_nothing(void)
{
        static const uint8_t points[][32] = {
                {1},
                {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
                {0},
                {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        };

        for (size_t k = 0; k < G_N_ELEMENTS(points); k++) {
                for (size_t r = 0; r < G_N_ELEMENTS(points); r++) {
                        Signature signature = {.comment = "", .n_comment = 0};
                        PublicKey key = {};

                        memcpy(key.key, points[k], 32);
                        memcpy(signature.of_bytes, points[r], 32);
                        memcpy(signature.of_comment, points[r], 32);
                        g_assert_cmpint(signature_verify(&signature, &key, BUNDLE, strlen(BUNDLE)),
                                        ==, SIGNATURE_E_WRONG);
                }
        }
}

static void test_a_large_document_is_hashed_in_slices_to_the_same(void)
{
        g_autofree char *large = g_strnfill(3 * 256 * 1024 + 1, '#');
        g_autofree char *text = g_strconcat(HEAD("web", "7"), large, NULL);

        g_assert_cmpint(verify_text(text, "12"), ==, 0);
}

/* ---- nothing can be changed ---- */

static void test_no_bit_of_it_or_of_a_signature_can_be_turned(void)
{
        g_autoptr(Signed) what = signed_new(SCOPED, "12");
        Bundle bundle;

        for (size_t bit = 0; bit < 8 * what->n; bit++) {
                what->text[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(verify(what, &bundle), ==, BUNDLE_E_WRONG);
                what->text[bit / 8] ^= (char) (1 << bit % 8);
        }
        for (size_t i = 0; i < 2; i++) {
                char *text = what->signatures[i];

                for (size_t bit = 8 * (size_t) (strchr(text, '\n') - text); bit < 8 * strlen(text);
                     bit++) {
                        text[bit / 8] ^= (char) (1 << bit % 8);
                        g_assert_cmpint(verify(what, &bundle), !=, 0);
                        text[bit / 8] ^= (char) (1 << bit % 8);
                }
        }
        g_assert_cmpint(verify(what, &bundle), ==, 0);
}

/* A piece of it goes, comes twice, changes places with another, or something comes between. */
static void mutate(GRand *random, GString *text)
{
        static const char *const pieces[] = {"\n",        "=",        "0",          "seq=8\n", "\r",
                                             "name=db\n", "scope=\n", "bundle=1\n", " ",       "#"};
        int n = g_rand_int_range(random, 1, 4);

        for (int i = 0; i < n; i++) {
                gint32 at = g_rand_int_range(random, 0, (gint32) text->len);
                gint32 length = g_rand_int_range(random, 1, MIN(40, (gint32) text->len - at) + 1);
                g_autofree char *part = g_strndup(text->str + at, (gsize) length);

                switch (g_rand_int_range(random, 0, 4)) {
                case 0:
                        g_string_erase(text, at, length);
                        break;
                case 1:
                        g_string_insert(text, at, part);
                        break;
                case 2:
                        g_string_erase(text, at, length);
                        g_string_insert(text, g_rand_int_range(random, 0, (gint32) text->len + 1),
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
}

static void test_of_20000_mutants_of_the_text_none_is_taken(void)
{
        g_autoptr(Signed) original = signed_new(SCOPED, "12");
        GRand *random = g_rand_new_with_seed(20261129);
        Root root = root_of("121");
        unsigned n_same = 0;
        Bundle bundle;

        for (int i = 0; i < 20000; i++) {
                GString *text = g_string_new(SCOPED);
                int is_same;

                mutate(random, text);
                is_same = strcmp(text->str, SCOPED) == 0;
                n_same += is_same != 0;
                g_assert_cmpint(bundle_verify(&root, text->str, text->len, &original->all, &bundle),
                                ==, is_same ? 0 : BUNDLE_E_WRONG);
                g_string_free(text, TRUE);
        }
        g_assert_cmpuint(n_same, <, 1000);
        g_rand_free(random);
}

/* What the header is, spelled anew. */
static char *spell(const BundleHeader *header)
{
        char issued[FIELD_TIME_SIZE], expires[FIELD_TIME_SIZE];

        field_time_format(header->issued, issued);
        field_time_format(header->expires, expires);
        return g_strdup_printf("bundle=1\nname=%s\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\n%s%s%s",
                               header->name, header->seq, issued, expires,
                               header->scope[0] ? "scope=" : "", header->scope,
                               header->scope[0] ? "\n" : "");
}

/* Even were each mutant signed: what is read is just what is written. Fields cannot be shifted. */
static void test_of_20000_mutants_each_header_that_is_read_has_its_one_spelling(void)
{
        GRand *random = g_rand_new_with_seed(7);
        unsigned n_read = 0;

        for (int i = 0; i < 20000; i++) {
                GString *text = g_string_new(i % 2 ? SCOPED : BUNDLE);
                BundleHeader header;

                mutate(random, text);
                if (bundle_header_parse(text->str, text->len, &header) == 0) {
                        g_autofree char *again = spell(&header);

                        g_assert_cmpuint(header.n, ==, strlen(again));
                        g_assert_cmpmem(text->str, header.n, again, strlen(again));
                        n_read++;
                }
                g_string_free(text, TRUE);
        }
        g_assert_cmpuint(n_read, >, 100);
        g_rand_free(random);
}

#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_a_header_has_one_spelling(void)
{
        static const char *const headers[] = {
                "",
                "bundle=1\n",
                "bundle=2\n" DOCUMENT,
                "bundle=\n" DOCUMENT,
                "#bundle=1\n" DOCUMENT,
                "\xef\xbb\xbf" BUNDLE,
                HEAD("", "7") DOCUMENT,
                HEAD(".web", "7") DOCUMENT,
                HEAD("web ", "7") DOCUMENT,
                HEAD("web/../db", "7") DOCUMENT,
                HEAD("web\0db", "7") DOCUMENT,
                HEAD("we\xc3\xbc", "7") DOCUMENT,
                HEAD(LONG_NAME, "7") DOCUMENT,
                HEAD("web", "0") DOCUMENT,
                HEAD("web", "07") DOCUMENT,
                HEAD("web", "7 ") DOCUMENT,
                HEAD("web", "-7") DOCUMENT,
                HEAD("web", "9223372036854775808") DOCUMENT,
                HEAD("web", "7\nseq=8") DOCUMENT,
                HEAD("web\nname=db", "7") DOCUMENT,
                HEAD("web", "7") "scope=\n" DOCUMENT,
                HEAD("web", "7") "scope=" MACHINE,
                HEAD("web", "7") "scope=" MACHINE "0\n" DOCUMENT,
                HEAD("web", "7") "scope=0123456789ABCDEF0123456789abcdef\n" DOCUMENT,
                "bundle=1\nseq=7\nname=web\nissued=2026-11-29T21:00:00Z\n"
                "expires=2027-11-29T21:00:00Z\n" DOCUMENT,
                "bundle=1\nname=web\nseq=7\nexpires=2027-11-29T21:00:00Z\n" DOCUMENT,
                "bundle=1\nname=web\nseq=7\nissued=2026-11-29T21:00:00Z\n" DOCUMENT,
                "bundle=1\nname=web\nissued=2026-11-29T21:00:00Z\n"
                "expires=2027-11-29T21:00:00Z\n" DOCUMENT,
                "bundle=1\nname=web\nseq=7\nissued=2027-11-29T21:00:00Z\n"
                "expires=2027-11-29T21:00:00Z\n" DOCUMENT,
                "bundle=1\nname=web\nseq=7\nissued=2026-11-29T21:00:00+00:00\n"
                "expires=2027-11-29T21:00:00Z\n" DOCUMENT,
                "AEGIS-POLICY-BUNDLE-V1\nformat_version: 1\n---\n" DOCUMENT,
        };

        g_assert_cmpint(verify_text(BUNDLE, "12"), ==, 0);
        g_assert_cmpint(verify_text(HEAD("web", "9223372036854775807"), "12"), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
                if (verify_text(headers[i], "12") != BUNDLE_E_HEADER)
                        g_error("header %zu was taken", i);
        for (size_t n = 0; n < strlen(HEAD("web", "7")); n++) {
                BundleHeader header;

                g_assert_cmpint(bundle_header_parse(BUNDLE, n, &header), ==, BUNDLE_E_HEADER);
        }
}

/* ---- what is admitted ---- */

static void test_it_is_for_one_name_and_for_this_machine(void)
{
        BundleTerms terms = terms_now();

        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        g_assert_cmpint(admit(SCOPED, "12", &terms), ==, 0);
        terms.machine = "";
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        g_assert_cmpint(admit(SCOPED, "12", &terms), ==, BUNDLE_E_SCOPE);
        terms.machine = "ffffffffffffffffffffffffffffffff";
        g_assert_cmpint(admit(SCOPED, "12", &terms), ==, BUNDLE_E_SCOPE);
        terms.name = "db";
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_NAME);
        terms.name = "we";
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_NAME);
}

/* Replay, and two documents of one number. */
static void test_a_number_never_comes_again(void)
{
        Bundle own = bundle_of(BUNDLE, "12");
        BundleTerms terms = terms_now();

        terms.floor = 6;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        terms.floor = 8;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_OLD);
        terms.floor = 7;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_OTHER);
        memcpy(terms.digest, own.digest, DIGEST_SIZE);
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        g_assert_cmpint(admit(BUNDLE, "13", &terms), ==, 0);
        g_assert_cmpint(admit(BUNDLE "#", "12", &terms), ==, BUNDLE_E_OTHER);
}

static void test_a_leap_needs_recovery(void)
{
        Bundle far;
        BundleTerms terms = terms_now();
        Root without = root_of("121");

        without.thresholds[ROLE_RECOVERY] = 0;
        g_assert_cmpint(admit(HEAD("web", "9223372036854775807"), "12", &terms), ==, 0);
        terms.floor = 7;
        g_assert_cmpint(admit(HEAD("web", "1000007"), "12", &terms), ==, 0);
        g_assert_cmpint(admit(HEAD("web", "1000008"), "12", &terms), ==, BUNDLE_E_JUMP);
        g_assert_cmpint(admit(HEAD("web", "9223372036854775807"), "12", &terms), ==, BUNDLE_E_JUMP);
        g_assert_cmpint(admit(HEAD("web", "1000008"), "13", &terms), ==, 0);
        far = bundle_of(HEAD("web", "1000008"), "13");
        g_assert_cmpint(bundle_admit(&far, &without, &terms), ==, BUNDLE_E_JUMP);
}

/* Freeze: what is kept back for long is no longer taken. */
static void test_it_has_its_time(void)
{
        BundleTerms terms = terms_now();
        Bundle bundle = bundle_of(BUNDLE, "12");
        Root root = root_of("121");

        terms.now = EXPIRES - 1;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        terms.now = EXPIRES;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_EXPIRED);
        terms.now = ISSUED - BUNDLE_FUTURE_MAX;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, 0);
        terms.now--;
        g_assert_cmpint(admit(BUNDLE, "12", &terms), ==, BUNDLE_E_FUTURE);
        terms.now = ISSUED;
        root.expires = ISSUED;
        g_assert_cmpint(bundle_admit(&bundle, &root, &terms), ==, BUNDLE_E_ROOT_EXPIRED);
        root.expires = ISSUED + 1;
        g_assert_cmpint(bundle_admit(&bundle, &root, &terms), ==, 0);
}

/* ---- what is in it ---- */

/* The linker puts this in the place of libc's (see meson.build). */
static int memory_is_short;
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
        return memory_is_short ? NULL : __real_malloc(n);
}

static void test_memory_may_be_short(void)
{
        Bundle bundle = bundle_of(BUNDLE, "12");
        char *document;
        size_t n = 0;

        memory_is_short = 1;
        document = bundle_document(&bundle.header, BUNDLE, strlen(BUNDLE), &n);
        memory_is_short = 0;
        g_assert_null(document);
}

static void test_its_document_has_the_lines_where_they_were(void)
{
        Bundle bundle = bundle_of(SCOPED, "12");
        g_autofree char *document = NULL;
        size_t n = 0;

        document = bundle_document(&bundle.header, SCOPED, strlen(SCOPED), &n);
        g_assert_cmpuint(n, ==, strlen(document));
        g_assert_cmpstr(document, ==,
                        "#bundle=1\n#name=web\n#seq=7\n#issued=2026-11-29T21:00:00Z\n"
                        "#expires=2027-11-29T21:00:00Z\n#scope=" MACHINE "\n" DOCUMENT);
}

static int parse(const char *text, char **ret_told)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r = policy_parse(&policy, text, strlen(text), &diagnostics);

        policy_unref(policy);
        *ret_told = diagnostics_format(&diagnostics, "web");
        diagnostics_deinit(&diagnostics);
        return r;
}

static void test_a_bundle_of_aegisbpfs_is_explained_and_never_taken(void)
{
        static const char foreign[] = "AEGIS-POLICY-BUNDLE-V1\nformat_version: 1\n"
                                      "policy_version: 42\nsignature: 00\n---\n" DOCUMENT;
        g_autofree char *told = NULL;

        g_assert_true(bundle_is_foreign(foreign, strlen(foreign)));
        g_assert_false(bundle_is_foreign(foreign, 10));
        g_assert_false(bundle_is_foreign(BUNDLE, strlen(BUNDLE)));
        g_assert_cmpint(parse(foreign, &told), ==, POLICY_E_SYNTAX);
        g_assert_nonnull(strstr(told, "AegisBPF"));
        g_assert_nonnull(strstr(told, "aegis-policy sign --bundle"));
        g_assert_null(strchr(strchr(told, '\n') + 1, '\n'));
}

static void test_a_bundle_without_signatures_is_no_document(void)
{
        g_autofree char *told = NULL;

        g_assert_cmpint(parse(BUNDLE, &told), ==, POLICY_E_SYNTAX);
        g_assert_nonnull(strstr(told, "give the signatures with it"));
}

static void test_each_error_has_a_sentence_of_its_own(void)
{
        g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);

        for (int error = 0; error <= BUNDLE_E_ROOT_EXPIRED; error++)
                g_assert_true(g_hash_table_add(told, (char *) bundle_told((BundleError) error)));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(digest_init(), ==, 0);
#define ADD(name) g_test_add_func("/bundle/" #name, test_##name)
        ADD(what_enough_keys_have_signed_is_verified);
        ADD(keys_of_another_role_do_not_count);
        ADD(a_threshold_is_not_met_twice_by_one_key);
        ADD(a_root_is_no_bundle_and_a_bundle_is_no_root);
        ADD(a_signature_in_another_keys_name_makes_all_false);
        ADD(what_is_no_signature_makes_all_false);
        ADD(a_signature_has_one_form);
        ADD(keys_of_a_small_order_sign_nothing);
        ADD(a_large_document_is_hashed_in_slices_to_the_same);
        ADD(no_bit_of_it_or_of_a_signature_can_be_turned);
        ADD(of_20000_mutants_of_the_text_none_is_taken);
        ADD(of_20000_mutants_each_header_that_is_read_has_its_one_spelling);
        ADD(a_header_has_one_spelling);
        ADD(it_is_for_one_name_and_for_this_machine);
        ADD(a_number_never_comes_again);
        ADD(a_leap_needs_recovery);
        ADD(it_has_its_time);
        ADD(memory_may_be_short);
        ADD(its_document_has_the_lines_where_they_were);
        ADD(a_bundle_of_aegisbpfs_is_explained_and_never_taken);
        ADD(a_bundle_without_signatures_is_no_document);
        ADD(each_error_has_a_sentence_of_its_own);
        return g_test_run();
}
