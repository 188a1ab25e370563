/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots: the chain of those who say whose signatures count. */
#include <glib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/fields.h"
#include "policy/root.h"
#include "signer.h"

/* 0, 1, 2 are root's (two of them), 3 is the policies', 4 is recovery's. */
static const char *const usual[] = {"key=0 root",   "key=1 root,policy", "key=2 root",
                                    "key=3 policy", "key=4 recovery",    NULL};

static char *usual_text(uint64_t seq)
{
        return root_text(seq, "211", usual);
}

/* Returns 0 or a RootError. */
static int accept(const Root *before, const char *text, const char *signers, Root *ret_root)
{
        g_autoptr(Signed) what = signed_new(text, signers);

        return root_accept(before, what->text, what->n, &what->all, ret_root);
}

static Root believed(const Root *before, const char *text, const char *signers)
{
        Root root;

        g_assert_cmpint(accept(before, text, signers, &root), ==, 0);
        return root;
}

static Root first(void)
{
        g_autofree char *text = usual_text(1);

        return believed(NULL, text, "01");
}

static int parse(const char *text)
{
        Root root;

        return root_parse(text, strlen(text), &root);
}

static void test_a_root_says_what_it_says(void)
{
        static const char *const lines[] = {"key=0 root,policy,recovery", "key=1 policy",
                                            "revoked=2", "revoked=3", NULL};
        g_autofree char *text = root_text(7, "121", lines);
        PublicKey one = signer_key(1), three = signer_key(3);
        Root root;

        g_assert_cmpint(root_parse(text, strlen(text), &root), ==, 0);
        g_assert_cmpuint(root.seq, ==, 7);
        g_assert_cmpuint(root.expires, ==, 4070908800);
        g_assert_cmpuint(root.thresholds[ROLE_POLICY], ==, 2);
        g_assert_cmpuint(root.n_keys, ==, 2);
        g_assert_cmpuint(root.keys[0].roles, ==, 7);
        g_assert_cmpmem(&root.keys[1].key, sizeof(one), &one, sizeof(one));
        g_assert_cmpuint(root.n_revoked, ==, 2);
        g_assert_cmpmem(&root.revoked[1], sizeof(three), &three, sizeof(three));
        g_assert_cmpstr(role_to_string(ROLE_RECOVERY), ==, "recovery");
        g_assert_cmpstr(role_to_string((Role) N_ROLES), ==, "");
}

/* In the usual root. */
static const struct {
        const char *text, *with;
} faults[] = {
        {"root=1", "root=2"},
        {"root=1", "bundle=1"},
        {"root=1\n", ""},
        {"root=1\n", "root=1\nroot=1\n"},
        {"root=1\n", "\nroot=1\n"},
        {"root=1\n", "root=1\r\n"},
        {"root=1\n", " root=1\n"},
        {"root=1\n", "root= 1\n"},
        {"root=1\n", "root=1 \n"},
        {"root=1\n", "Root=1\n"},
        {"root=1\n", "root\n"},
        {"seq=1\n", "seq=0\n"},
        {"seq=1\n", "seq=01\n"},
        {"seq=1\n", "seq=\n"},
        {"seq=1\n", "seq=+1\n"},
        {"seq=1\n", "seq=0x1\n"},
        {"seq=1\n", "seq=9223372036854775808\n"},
        {"seq=1\n", "seq=18446744073709551617\n"},
        {"seq=1\n", "seq=1\nseq=1\n"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:00:00"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:00:00z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01 00:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-00T00:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-00-01T00:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-13-01T00:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-02-29T00:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T24:00:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:60:00Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:00:60Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=1969-12-31T23:59:59Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=9999-99-99T99:99:99Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:00:0/Z"},
        {"issued=2026-01-01T00:00:00Z", "issued=2026-01-01T00:00:0:Z"},
        {"issued=2026-01-01T00:00:00Z", "issued="},
        {"issued=2026-01-01T00:00:00Z\n", ""},
        {"expires=2099-01-01T00:00:00Z", "expires=2026-01-01T00:00:00Z"},
        {"expires=2099-01-01T00:00:00Z", "expires=2025-01-01T00:00:00Z"},
        {"expires=2099-01-01T00:00:00Z\n", ""},
        {"threshold-root=2", "threshold-root=0"},
        {"threshold-root=2", "threshold-root=4"},
        {"threshold-root=2", "threshold-root=17"},
        {"threshold-root=2\n", ""},
        {"threshold-policy=1", "threshold-policy=3"},
        {"threshold-policy=1", "threshold-policy=0"},
        {"threshold-recovery=1", "threshold-recovery=0"},
        {"threshold-recovery=1", "threshold-recovery=2"},
        {"threshold-recovery=1", "threshold-recovery=1\nthreshold-recovery=1"},
        {" recovery\n", " recovery"},
        {" recovery\n", " recovery\n\n"},
        {" recovery\n", " recovery\nkey=\n"},
        {" recovery\n", " recovery\nrevoked=\n"},
        {" recovery\n", " recovery\nrevoked=RUQ"
                        "KGEYP0HbhlwP1DMOvNZ/Pgtgk4NquzfGDWom/PrwhQKs92khlL9ON\n"},
        {" recovery\n", " recovery\nscope=1\n"},
        {" recovery\n", "  recovery\n"},
        {" recovery\n", " recovery \n"},
        {" recovery\n", " Recovery\n"},
        {" recovery\n", " recover\n"},
        {" recovery\n", "\n"},
        {" recovery\n", " \n"},
        {" recovery\n", ",recovery\n"},
        {" recovery\n", "\trecovery\n"},
        {" recovery\n", " recovery\x7f\n"},
        {" root,policy\n", " policy,root\n"},
        {" root,policy\n", " root,root\n"},
        {" root,policy\n", " root,\n"},
        {" root,policy\n", " root, policy\n"},
        {"key=RWQ", "key=rWQ"},
        {"key=RWQ", "key=RUQ"},
        {"key=RWQ", "key=-WQ"},
        {"key=RWQ", "Key=RWQ"},
        {"key=RWQ", "revoked=RWQ"},
};

static char *replace_first(const char *text, const char *what, const char *with)
{
        const char *at = strstr(text, what);

        g_assert_nonnull(at);
        return g_strdup_printf("%.*s%s%s", (int) (at - text), text, with, at + strlen(what));
}

static void test_one_spelling_is_taken_and_no_other(void)
{
        g_autofree char *text = usual_text(1), *empty = g_strdup("");

        g_assert_cmpint(parse(text), ==, 0);
        g_assert_cmpint(parse(empty), ==, ROOT_E_FORMAT);
        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                g_autofree char *faulty = replace_first(text, faults[i].text, faults[i].with);

                if (parse(faulty) != ROOT_E_FORMAT)
                        g_error("taken: %s", faults[i].with);
        }
        for (size_t n = 0; n < strlen(text); n++) {
                Root root;

                g_assert_cmpint(root_parse(text, n, &root), ==, ROOT_E_FORMAT);
        }
}

static char *with_line(const char *text, const char *key, const PublicKey *public, const char *end)
{
        g_autofree char *line = public_key_text(public);

        return g_strdup_printf("%s%s=%s%s\n", text, key, line, end);
}

static void test_a_key_is_there_once_whatever_its_id_is(void)
{
        g_autofree char *text = usual_text(1);
        PublicKey other_id = signer_key(3), same_id = signer_key(5), new_one = signer_key(6);
        g_autofree char *twice = NULL, *like = NULL, *revoked = NULL, *fine = NULL, *again = NULL;

        other_id.id[7] = 99;
        memcpy(same_id.id, signer_key(3).id, KEY_ID_SIZE);
        twice = with_line(text, "key", &other_id, " policy");
        like = with_line(text, "key", &same_id, " policy");
        revoked = with_line(text, "revoked", &other_id, "");
        fine = with_line(text, "revoked", &new_one, "");
        again = with_line(fine, "revoked", &new_one, "");
        g_assert_cmpint(parse(twice), ==, ROOT_E_FORMAT);
        g_assert_cmpint(parse(like), ==, ROOT_E_FORMAT);
        g_assert_cmpint(parse(revoked), ==, ROOT_E_FORMAT);
        g_assert_cmpint(parse(fine), ==, 0);
        g_assert_cmpint(parse(again), ==, ROOT_E_FORMAT);
}

/* count lines of keys that nobody has. */
static char *with_many(const char *key, const char *end, unsigned count)
{
        GString *text = g_string_new(NULL);
        g_autofree char *head = usual_text(1);

        g_string_append(text, head);
        for (unsigned i = 0; i < count; i++) {
                PublicKey public = {.id = {(uint8_t) i, (uint8_t) (i >> 8), 77},
                                    .key = {(uint8_t) i, (uint8_t) (i >> 8), 77}};
                g_autofree char *line = public_key_text(&public);

                g_string_append_printf(text, "%s=%s%s\n", key, line, end);
        }
        return g_string_free(text, FALSE);
}

static void test_there_are_at_most_so_many_keys(void)
{
        g_autofree char *full = with_many("key", " policy", ROOT_KEYS_MAX - 5);
        g_autofree char *more = with_many("key", " policy", ROOT_KEYS_MAX - 4);
        g_autofree char *full_revoked = with_many("revoked", "", ROOT_REVOKED_MAX);
        g_autofree char *more_revoked = with_many("revoked", "", ROOT_REVOKED_MAX + 1);
        g_autofree char *long_one = g_strnfill(ROOT_SIZE_MAX + 1, 'x');

        g_assert_cmpint(parse(full), ==, 0);
        g_assert_cmpint(parse(more), ==, ROOT_E_FORMAT);
        g_assert_cmpint(parse(full_revoked), ==, 0);
        g_assert_cmpint(parse(more_revoked), ==, ROOT_E_FORMAT);
        g_assert_cmpint(parse(long_one), ==, ROOT_E_FORMAT);
}

static void test_the_first_is_believed_when_enough_of_its_own_keys_have_signed(void)
{
        g_autofree char *text = usual_text(1);
        Root root = {};

        g_assert_cmpint(accept(NULL, text, "01", &root), ==, 0);
        g_assert_cmpint(accept(NULL, text, "0123456", &root), ==, 0);
        g_assert_cmpint(accept(NULL, text, "0", &root), ==, ROOT_E_OWN);
        g_assert_cmpint(accept(NULL, text, "", &root), ==, ROOT_E_OWN);
        g_assert_cmpint(accept(NULL, text, "034567", &root), ==, ROOT_E_OWN);
        g_assert_cmpint(accept(NULL, "root=1\n", "01", &root), ==, ROOT_E_FORMAT);
}

static void test_a_threshold_is_not_met_twice_by_one_key(void)
{
        g_autofree char *text = usual_text(1);
        g_autoptr(Signed) what = signed_new(text, "000");
        Root root;

        signed_add(what, signer_sign_saying(0, text, strlen(text), "another comment"));
        g_assert_cmpint(root_accept(NULL, what->text, what->n, &what->all, &root), ==, ROOT_E_OWN);
}

static void test_a_signature_in_the_name_of_another_makes_all_false(void)
{
        g_autofree char *text = usual_text(1), *other = usual_text(2);
        g_autoptr(Signed) what = signed_new(text, "01"), twisted = signed_new(text, "01");
        g_autoptr(Signed) many = signed_new(text, "0123456701234567");
        Root root;

        signed_add(what, signer_sign(2, other, strlen(other)));
        g_assert_cmpint(root_accept(NULL, what->text, what->n, &what->all, &root), ==,
                        ROOT_E_SIGNATURE);
        signed_add(twisted, g_strdup("untrusted comment: x\n"));
        g_assert_cmpint(root_accept(NULL, twisted->text, twisted->n, &twisted->all, &root), ==,
                        ROOT_E_SIGNATURE);
        g_assert_cmpint(root_accept(NULL, many->text, many->n, &many->all, &root), ==, 0);
        signed_add(many, signer_sign(2, text, strlen(text)));
        g_assert_cmpint(root_accept(NULL, many->text, many->n, &many->all, &root), ==,
                        ROOT_E_SIGNATURE);
}

static void test_the_next_is_believed_when_enough_keys_of_both_have_signed(void)
{
        static const char *const next_lines[] = {"key=5 root", "key=6 root", "key=2 policy", NULL};
        g_autofree char *next = root_text(2, "210", next_lines);
        Root root = first(), got = {};

        g_assert_cmpint(accept(&root, next, "0156", &got), ==, 0);
        g_assert_cmpuint(got.seq, ==, 2);
        g_assert_cmpint(accept(&root, next, "01", &got), ==, ROOT_E_OWN);
        g_assert_cmpint(accept(&root, next, "56", &got), ==, ROOT_E_BEFORE);
        g_assert_cmpint(accept(&root, next, "056", &got), ==, ROOT_E_BEFORE);
        g_assert_cmpint(accept(&root, next, "3056", &got), ==, ROOT_E_BEFORE);
        g_assert_cmpint(accept(&root, next, "015", &got), ==, ROOT_E_OWN);
        /* What is not signed by its own in the right way stays out, whoever else has. */
        g_assert_cmpint(accept(&root, next, "01234", &got), ==, ROOT_E_OWN);
}

static void test_a_false_signature_of_the_root_before_makes_all_false(void)
{
        static const char *const next_lines[] = {"key=5 root,policy", NULL};
        g_autofree char *next = root_text(2, "110", next_lines);
        g_autoptr(Signed) what = signed_new(next, "015");
        Root root = first(), got;

        g_assert_cmpint(root_accept(&root, what->text, what->n, &what->all, &got), ==, 0);
        signed_add(what, signer_sign(2, "other", 5));
        g_assert_cmpint(root_accept(&root, what->text, what->n, &what->all, &got), ==,
                        ROOT_E_SIGNATURE);
}

static void test_recovery_takes_the_place_of_roots_keys_that_are_lost(void)
{
        static const char *const next_lines[] = {"key=5 root", "key=6 policy", NULL};
        static const char *const third_lines[] = {"key=7 root", "key=6 policy", NULL};
        g_autofree char *next = root_text(2, "110", next_lines);
        g_autofree char *third = root_text(3, "110", third_lines);
        Root root = first(), got = {};

        g_assert_cmpint(accept(&root, next, "4", &got), ==, ROOT_E_OWN);
        g_assert_cmpint(accept(&root, next, "45", &got), ==, 0);
        /* A threshold of nobody is met by nobody. */
        g_assert_cmpint(accept(&got, third, "47", &root), ==, ROOT_E_BEFORE);
        g_assert_cmpint(accept(&got, third, "57", &root), ==, 0);
}

static void test_no_root_is_left_out_and_none_comes_again(void)
{
        g_autofree char *second = usual_text(2), *third = usual_text(3), *old = usual_text(1);
        Root root = first(), got;

        g_assert_cmpint(accept(&root, third, "01", &got), ==, ROOT_E_SEQ);
        g_assert_cmpint(accept(&root, old, "01", &got), ==, ROOT_E_SEQ);
        root = believed(&root, second, "01");
        g_assert_cmpint(accept(&root, old, "01", &got), ==, ROOT_E_SEQ);
        g_assert_cmpint(accept(&root, second, "01", &got), ==, ROOT_E_SEQ);
        g_assert_cmpint(accept(&root, third, "01", &got), ==, 0);
}

static void test_what_is_revoked_stays_revoked(void)
{
        static const char *const without[] = {"key=0 root",     "key=2 root", "key=3 policy",
                                              "key=4 recovery", "revoked=1",  NULL};
        static const char *const forgetful[] = {"key=0 root", "key=2 root", "key=3 policy",
                                                "key=4 recovery", NULL};
        g_autofree char *second = root_text(2, "211", without),
                        *third = root_text(3, "211", forgetful);
        g_autofree char *back = root_text(3, "211", usual), *right = root_text(3, "211", without);
        Root root = first(), got;

        /* The key that the next one revokes has no say in it. */
        g_assert_cmpint(accept(&root, second, "012", &got), ==, 0);
        g_assert_cmpint(accept(&root, second, "02", &got), ==, 0);
        g_assert_cmpint(accept(&root, second, "01", &got), ==, ROOT_E_OWN);
        root = believed(&root, second, "02");
        g_assert_cmpint(accept(&root, third, "02", &got), ==, ROOT_E_REVOKED);
        g_assert_cmpint(accept(&root, back, "012", &got), ==, ROOT_E_REVOKED);
        g_assert_cmpint(accept(&root, right, "02", &got), ==, 0);
}

static void test_a_revoked_key_does_not_help_to_meet_the_threshold_before(void)
{
        static const char *const next_lines[] = {"key=5 root", "key=6 policy", "revoked=1", NULL};
        g_autofree char *next = root_text(2, "110", next_lines);
        Root root = first(), got;

        g_assert_cmpint(accept(&root, next, "015", &got), ==, ROOT_E_BEFORE);
        g_assert_cmpint(accept(&root, next, "0125", &got), ==, 0);
}

static void test_no_bit_of_it_can_be_turned(void)
{
        g_autofree char *text = usual_text(1);
        g_autoptr(Signed) what = signed_new(text, "01");
        Root root;

        for (size_t bit = 0; bit < 8 * what->n; bit++) {
                what->text[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(root_accept(NULL, what->text, what->n, &what->all, &root), !=, 0);
                what->text[bit / 8] ^= (char) (1 << bit % 8);
        }
        g_assert_cmpint(root_accept(NULL, what->text, what->n, &what->all, &root), ==, 0);
}

static void test_each_error_has_a_sentence_of_its_own(void)
{
        g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);

        for (int error = 0; error <= ROOT_E_BEFORE; error++)
                g_assert_true(g_hash_table_add(told, (char *) root_told((RootError) error)));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(digest_init(), ==, 0);
#define ADD(name) g_test_add_func("/root/" #name, test_##name)
        ADD(a_root_says_what_it_says);
        ADD(one_spelling_is_taken_and_no_other);
        ADD(a_key_is_there_once_whatever_its_id_is);
        ADD(there_are_at_most_so_many_keys);
        ADD(the_first_is_believed_when_enough_of_its_own_keys_have_signed);
        ADD(a_threshold_is_not_met_twice_by_one_key);
        ADD(a_signature_in_the_name_of_another_makes_all_false);
        ADD(the_next_is_believed_when_enough_keys_of_both_have_signed);
        ADD(a_false_signature_of_the_root_before_makes_all_false);
        ADD(recovery_takes_the_place_of_roots_keys_that_are_lost);
        ADD(no_root_is_left_out_and_none_comes_again);
        ADD(what_is_revoked_stays_revoked);
        ADD(a_revoked_key_does_not_help_to_meet_the_threshold_before);
        ADD(no_bit_of_it_can_be_turned);
        ADD(each_error_has_a_sentence_of_its_own);
        return g_test_run();
}
