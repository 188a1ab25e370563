/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed documents in force: what may take their place, what survives a restart, a reboot and the
 * loss of any file, and what is told. Keys: see signer.h. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "signed-fixture.h"
#include "transaction/exception.h"
#include "transaction/floors.h"
#include "transaction/internal.h"

/* ---- in force ---- */

static void test_a_signed_document_is_put_in_force_and_stays_signed(Fixture *fixture,
                                                                    gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        _cleanup_(plan_freep) Plan *plan = plan_of(fixture, "web", what, 0);
        g_autofree char *signers = plan_signers(plan);

        g_assert_true(g_str_has_prefix(signers, "signed by 0706050403020101 (seq 7, expires 20"));
        g_assert_cmpint(commit_plan(fixture, plan), ==, 0);
        assert_agreement(fixture);
        g_assert_true(is_signed(fixture, "web"));
        restart(fixture);
        g_assert_true(is_signed(fixture, "web"));
        g_assert_true(has_text(fixture, "web", "#seq=7\n"));
        reboot(fixture);
        g_assert_true(is_signed(fixture, "web"));
        assert_no_trouble(fixture);
}

static void test_what_is_not_signed_says_so(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        g_autofree char *signers = NULL;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        signers = plan_signers(plan);
        g_assert_cmpstr(signers, ==, "not signed");
}

static void test_equal_bytes_change_nothing(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t before;

        apply_signed(fixture, "web", what);
        before = generation(fixture);
        plan = plan_of(fixture, "web", what, 0);
        g_assert_false(plan->changed);
        g_assert_cmpint(commit_plan(fixture, plan), ==, 0);
        g_assert_cmpuint(generation(fixture), ==, before);
        g_assert_true(is_signed(fixture, "web"));
}

static void test_nothing_is_parsed_that_is_not_signed_right(Fixture *fixture, gconstpointer data)
{
        g_autofree char *faulty = document_text("web", 7, -HOUR, HOUR, FAULTY);
        g_autoptr(Signed) by_root = signed_new(faulty, "0"), by_policy = signed_new(faulty, "1");
        _cleanup_(plan_freep) Plan *plan = NULL;

        refused(fixture, "web", by_root, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        plan = plan_of(fixture, "web", by_policy, TRANSACTION_E_INVALID_POLICY);
        /* The line is the one of the file that was signed. */
        g_assert_cmpuint(plan->diagnostics.items[0].line, ==, 8);
}

static void test_a_document_of_another_name_is_refused(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);

        refused(fixture, "db", what, TRANSACTION_E_SIGNATURE, "another name");
}

static void test_a_document_for_one_machine_is_for_no_other(Fixture *fixture, gconstpointer data)
{
        g_autofree char *whole = document_text("web", 7, -HOUR, HOUR,
                                               "scope=0123456789abcdef0123456789abcdef\n" DENY_A);
        g_autoptr(Signed) what = signed_new(whole, "1");

        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "another machine");
        fixture->trust.machine = "0123456789abcdef0123456789abcdef";
        restart(fixture);
        apply_signed(fixture, "web", what);
}

/* ---- never back ---- */

static void forget_file(Fixture *fixture, const char *name)
{
        g_autofree char *path = state_file(fixture, name);

        g_assert_cmpint(g_unlink(path), ==, 0);
}

static void expect_floor(Fixture *fixture)
{
        g_autoptr(Signed) old = web(7, DENY_A), other = web(8, DENY_BC);

        refused(fixture, "web", old, TRANSACTION_E_ROLLBACK, "its seq is 7, the highest so far 8");
        refused(fixture, "web", other, TRANSACTION_E_ROLLBACK, "another document has that seq");
}

static void test_an_older_one_does_not_come_back_whatever_is_lost(Fixture *fixture,
                                                                  gconstpointer data)
{
        g_autoptr(Signed) old = web(7, DENY_A), new_one = web(8, DENY_AB);

        apply_signed(fixture, "web", old);
        apply_signed(fixture, "web", new_one);
        expect_floor(fixture);
        reboot(fixture);
        expect_floor(fixture);
        /* The kernel knows. */
        stop(fixture);
        forget_file(fixture, "floors");
        forget_file(fixture, "bundles/web.bundle");
        start(fixture);
        expect_floor(fixture);
        assert_trouble(fixture, "file of floors is missing");
        apply_signed(fixture, "web", new_one);
}

static void test_the_stored_bundle_knows_what_has_been(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) new_one = web(8, DENY_AB);

        apply_signed(fixture, "web", new_one);
        stop(fixture);
        forget_file(fixture, "floors");
        g_assert_cmpint(twin_state_write(fixture->pins, &(TwinState){}), ==, 0);
        start(fixture);
        expect_floor(fixture);
        stop(fixture);
        flip_byte(fixture, "floors", 20);
        start(fixture);
        expect_floor(fixture);
        assert_trouble(fixture, "file of floors is damaged");
}

static void test_a_removed_one_does_not_come_back_older(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) new_one = web(8, DENY_AB);

        apply_signed(fixture, "web", new_one);
        removes(fixture, "web");
        g_assert_false(has_file(fixture, "bundles/web.bundle"));
        expect_floor(fixture);
        apply_signed(fixture, "web", new_one);
}

static void test_no_byte_of_the_file_of_floors_can_be_changed(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        g_autofree char *path = state_file(fixture, "floors"), *bytes = NULL;
        _cleanup_(freep) Floor *floors = calloc(FLOORS_MAX, sizeof(*floors));
        gsize n;

        apply_signed(fixture, "web", what);
        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        g_assert_cmpint(floors_decode(bytes, n, floors), ==, 3); /* web, the root, the time */
        for (size_t bit = 0; bit < 8 * n; bit++) {
                bytes[bit / 8] ^= (char) (1 << bit % 8);
                g_assert_cmpint(floors_decode(bytes, n, floors), ==, -EBADMSG);
                bytes[bit / 8] ^= (char) (1 << bit % 8);
        }
        for (size_t shorter = 0; shorter < n; shorter++)
                g_assert_cmpint(floors_decode(bytes, shorter, floors), ==, -EBADMSG);
}

/* ---- time ---- */

static void test_what_has_expired_is_refused_and_what_is_in_force_stays(Fixture *fixture,
                                                                        gconstpointer data)
{
        g_autofree char *soon = document_text("web", 1, -HOUR, HOUR, DENY_A);
        g_autofree char *later = document_text("db", 1, 2 * HOUR, 4 * HOUR, DENY_BC);
        g_autofree char *next = document_text("web", 2, -HOUR, HOUR, DENY_AB);
        g_autofree char *early = document_text("web", 2, 30 * HOUR, 40 * HOUR, DENY_AB);
        g_autoptr(Signed) a = signed_new(soon, "1"), b = signed_new(later, "1");
        g_autoptr(Signed) c = signed_new(next, "1"), d = signed_new(early, "1");

        apply_signed(fixture, "web", a);
        assert_no_trouble(fixture);
        refused(fixture, "web", d, TRANSACTION_E_EXPIRED, "issued later than it is now");
        /* Who signed that knew it to be two hours later. */
        apply_signed(fixture, "db", b);
        assert_trouble(fixture, "The policy web expired on 20");
        g_assert_true(has_text(fixture, "web", "#seq=1\n"));
        refused(fixture, "web", c, TRANSACTION_E_EXPIRED, "its time is over");
        reboot(fixture);
        assert_agreement(fixture);
        assert_trouble(fixture, "The policy web expired on 20");
        refused(fixture, "web", c, TRANSACTION_E_EXPIRED, "its time is over");
}

static void test_a_root_that_has_expired_admits_nothing_new(Fixture *fixture, gconstpointer data)
{
        g_autofree char *text = root_text(2, "111", usual);
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);

        apply_signed(fixture, "web", what);
        memcpy(strstr(text, "2099-01-01T00:00:00Z"), "2026-01-01T00:00:01Z", 20);
        put_root(fixture, 2, text, "0");
        refused(fixture, "web", next, TRANSACTION_E_EXPIRED, "time of the root");
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        assert_trouble(fixture, "root.2 expired on 2026-01-01T00:00:01Z");
        put_usual(fixture, 3);
        apply_signed(fixture, "web", next);
        assert_no_trouble(fixture);
}

/* ---- roots ---- */

static void test_without_a_root_nothing_is_signed(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);

        g_free((char *) g_steal_pointer(&fixture->trust.directory));
        stop(fixture);
        empty_folder(fixture->state);
        start(fixture);
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "no root says");
}

static void test_a_next_root_is_followed_and_what_it_revokes_counts_no_longer(Fixture *fixture,
                                                                              gconstpointer data)
{
        static const char *const lines[] = {"key=3 root", "key=2 policy,recovery", "revoked=1",
                                            NULL};
        g_autofree char *text = root_text(2, "111", lines);
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);
        g_autofree char *by_two = g_strdup(next->text);
        g_autoptr(Signed) right = signed_new(by_two, "2");

        apply_signed(fixture, "web", what);
        fixture->trust.requires_signature = 1;
        restart(fixture);
        assert_no_trouble(fixture);
        put_root(fixture, 2, text, "03");
        refused(fixture, "web", next, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        assert_trouble(fixture, "The policy web is in force and not signed by keys that count");
        apply_signed(fixture, "web", right);
        assert_no_trouble(fixture);
        restart(fixture);
        assert_no_trouble(fixture);
        refused(fixture, "web", next, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
}

static void test_a_root_that_is_not_signed_right_is_told_and_not_believed(Fixture *fixture,
                                                                          gconstpointer data)
{
        static const char *const own[] = {"key=3 root,policy", NULL};
        g_autofree char *text = root_text(2, "110", own);
        g_autofree char *whole = document_text("web", 7, -HOUR, HOUR, DENY_A);
        g_autoptr(Signed) theirs = signed_new(whole, "3"), ours = signed_new(whole, "1");

        put_root(fixture, 2, text, "3");
        refused(fixture, "web", theirs, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        assert_trouble(fixture, "root.2 is not believed: fewer of the keys of the root before");
        apply_signed(fixture, "web", ours);
}

/* Trusted on first use: another first root is another chain. */
static void test_another_first_root_is_not_believed(Fixture *fixture, gconstpointer data)
{
        static const char *const own[] = {"key=3 root,policy", NULL};
        g_autofree char *text = root_text(1, "110", own), *second = root_text(2, "110", own);
        g_autofree char *whole = document_text("web", 7, -HOUR, HOUR, DENY_A);
        g_autoptr(Signed) theirs = signed_new(whole, "3"), ours = signed_new(whole, "1");

        put_root(fixture, 1, text, "3");
        restart(fixture);
        refused(fixture, "web", theirs, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        apply_signed(fixture, "web", ours);
        /* Nor when the pinned one is lost: its number and digest are remembered. */
        stop(fixture);
        forget_file(fixture, "root");
        start(fixture);
        refused(fixture, "web", theirs, TRANSACTION_E_SIGNATURE, "another root of that number");
        put_root(fixture, 2, second, "3");
        take_away(fixture, "root.1");
        refused(fixture, "web", theirs, TRANSACTION_E_SIGNATURE, "is gone");
        put_usual(fixture, 1);
        refused(fixture, "web", theirs, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
}

static void test_a_root_of_yesterday_does_not_come_back(Fixture *fixture, gconstpointer data)
{
        static const char *const lines[] = {"key=0 root", "key=2 policy,recovery", "revoked=1",
                                            NULL};
        g_autofree char *text = root_text(2, "111", lines), *path = state_file(fixture, "root");
        g_autofree char *first = NULL;
        g_autoptr(Signed) what = web(7, DENY_A);

        g_assert_true(g_file_get_contents(path, &first, NULL, NULL));
        put_root(fixture, 2, text, "0");
        restart(fixture);
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        stop(fixture);
        g_assert_true(g_file_set_contents(path, first, -1, NULL));
        start(fixture);
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "fewer of the root's keys");
        stop(fixture);
        g_assert_true(g_file_set_contents(path, first, -1, NULL));
        take_away(fixture, "root.2");
        start(fixture);
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "no root says");
        assert_trouble(fixture, "is gone");
}

static void test_a_folder_where_others_can_write_is_not_believed(Fixture *fixture,
                                                                 gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);

        stop(fixture);
        empty_folder(fixture->state);
        g_assert_cmpint(g_chmod(fixture->trust.directory, 0777), ==, 0);
        g_assert_cmpint(twin_state_write(fixture->pins, &(TwinState){}), ==, 0);
        start(fixture);
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "others than root can write there");
        g_assert_cmpint(g_chmod(fixture->trust.directory, 0755), ==, 0);
        apply_signed(fixture, "web", what);
}

/* ---- where signatures are required ---- */

static void require(Fixture *fixture)
{
        fixture->trust.requires_signature = 1;
        restart(fixture);
}

static void test_what_is_not_signed_is_refused_where_that_is_required(Fixture *fixture,
                                                                      gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        _cleanup_(single_rule_freep) SingleRule *rule = rule_of("allow", "file:/a", 1000000);
        _cleanup_(freep) char *denier = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "db", DENY_BC);
        add(fixture, "deny", "file:/x");
        apply_signed(fixture, "web", what);
        require(fixture);
        assert_trouble(fixture, "The policy db is in force and not signed");
        g_assert_cmpint(apply_text(fixture, "new", DENY_A), ==, TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_cmpint(apply_text(fixture, "web", DENY_AB), ==, TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_cmpint(try_add(fixture, "deny", "file:/y", 0), ==,
                        TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_cmpint(enforcement_plan_exception(fixture->enforcement, rule, "", &plan, &denier),
                        ==, TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_cmpint(enforcement_plan_removal(fixture->enforcement, "web", &plan), ==,
                        TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 1, &plan), ==,
                        TRANSACTION_E_SIGNATURE_REQUIRED);
        g_assert_null(plan);
        /* What is not signed can go. */
        take(fixture, "deny", "file:/x");
        removes(fixture, "db");
        assert_no_trouble(fixture);
}

static void test_single_rules_do_not_touch_what_is_signed(Fixture *fixture, gconstpointer data)
{
        g_autofree char *whole =
                document_text("runtime", 1, -HOUR, HOUR, "version=7\n[deny]\nfile:/x\n");
        g_autoptr(Signed) what = signed_new(whole, "1");

        apply_signed(fixture, "runtime", what);
        require(fixture);
        g_assert_cmpint(try_remove(fixture, "deny", "file:/x"), ==,
                        TRANSACTION_E_SIGNATURE_REQUIRED);
}

static void test_a_trial_of_a_signed_document_still_ends(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);
        _cleanup_(plan_freep) Plan *plan = NULL, *back = NULL;

        apply_signed(fixture, "web", what);
        require(fixture);
        plan = plan_of(fixture, "web", next, 0);
        plan->confirm_usec = 3600u * 1000000u;
        g_assert_cmpint(commit_plan(fixture, plan), ==, 0);
        g_assert_cmpint(enforcement_plan_return(fixture->enforcement,
                                                fixture->enforcement->trial.from, &back),
                        ==, 0);
        g_assert_cmpint(commit_plan(fixture, back), ==, 0);
        g_assert_true(has_text(fixture, "web", "#seq=7\n"));
        /* And what is in force again is signed as it was. */
        assert_no_trouble(fixture);
        restart(fixture);
        assert_no_trouble(fixture);
        apply_signed(fixture, "web", next);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
        g_test_add("/trust/" #name, Fixture, NULL, set_up_trust, test_##name, tear_down_trust)
        ADD(a_signed_document_is_put_in_force_and_stays_signed);
        ADD(what_is_not_signed_says_so);
        ADD(equal_bytes_change_nothing);
        ADD(nothing_is_parsed_that_is_not_signed_right);
        ADD(a_document_of_another_name_is_refused);
        ADD(a_document_for_one_machine_is_for_no_other);
        ADD(an_older_one_does_not_come_back_whatever_is_lost);
        ADD(the_stored_bundle_knows_what_has_been);
        ADD(a_removed_one_does_not_come_back_older);
        ADD(no_byte_of_the_file_of_floors_can_be_changed);
        ADD(what_has_expired_is_refused_and_what_is_in_force_stays);
        ADD(a_root_that_has_expired_admits_nothing_new);
        ADD(without_a_root_nothing_is_signed);
        ADD(a_next_root_is_followed_and_what_it_revokes_counts_no_longer);
        ADD(a_root_that_is_not_signed_right_is_told_and_not_believed);
        ADD(another_first_root_is_not_believed);
        ADD(a_root_of_yesterday_does_not_come_back);
        ADD(a_folder_where_others_can_write_is_not_believed);
        ADD(what_is_not_signed_is_refused_where_that_is_required);
        ADD(single_rules_do_not_touch_what_is_signed);
        ADD(a_trial_of_a_signed_document_still_ends);
        return g_test_run();
}
