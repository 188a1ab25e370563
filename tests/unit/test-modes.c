/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modes over the twin of the backend: that of all hooks, and those of single ones. */
#include <errno.h>
#include <glib.h>

#include "transaction-fixture.h"

static void test_a_mode_is_switched_in_one_store(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpint(changed, ==, 1);
        g_assert_cmpuint(generation, ==, 2);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 1);
        g_assert_cmpuint(kernel(fixture).n_mode_changes, ==, 1);
        g_assert_cmpint(fixture->told, ==, ENFORCEMENT_MODE);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
}

static void set_hook_mode(Fixture *fixture, enum hook hook, Mode mode, int expected)
{
        uint64_t before = enforcement_generation(fixture->enforcement), generation = 0;
        int changed = 0;

        g_assert_cmpint(
                enforcement_set_hook_mode(fixture->enforcement, hook, mode, &changed, &generation),
                ==, 0);
        g_assert_cmpint(changed, ==, expected);
        g_assert_cmpuint(generation, ==, before + (uint64_t) expected);
        assert_agreement(fixture);
}

static void test_a_mode_of_one_hook_outlives_restarts_and_changes(Fixture *fixture,
                                                                  gconstpointer data)
{
        const uint64_t open = HOOK_BIT(HOOK_FILE_OPEN), connect = HOOK_BIT(HOOK_SOCKET_CONNECT);

        apply(fixture, "web", DENY_A);
        set_hook_mode(fixture, HOOK_FILE_OPEN, MODE_AUDIT, 1);
        set_hook_mode(fixture, HOOK_FILE_OPEN, MODE_AUDIT, 0);
        set_hook_mode(fixture, HOOK_SOCKET_CONNECT, MODE_AUDIT, 1);
        g_assert_cmpuint(kernel(fixture).audited, ==, open | connect);
        g_assert_cmpuint(kernel(fixture).mode, ==, MODE_ENFORCE);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 1);
        restart(fixture);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(kernel(fixture).audited, ==, open | connect);
        apply(fixture, "web", DENY_BC);
        add(fixture, "deny", "file:/none");
        apply(fixture, "web",
              DENY_A); /* rules have numbers of their own then, on record beside it */
        g_assert_cmpuint(kernel(fixture).audited, ==, open | connect);
        reboot(fixture);
        assert_no_trouble(fixture);
        g_assert_cmpuint(kernel(fixture).audited, ==, open | connect);
        set_hook_mode(fixture, HOOK_FILE_OPEN, MODE_ENFORCE, 1);
        set_hook_mode(fixture, HOOK_SOCKET_CONNECT, MODE_ENFORCE, 1);
        reboot(fixture);
        g_assert_cmpuint(kernel(fixture).audited, ==, 0);
}

static void test_a_mode_of_one_hook_that_somebody_takes_away_is_put_back(Fixture *fixture,
                                                                         gconstpointer data)
{
        TwinState meddled;

        apply(fixture, "web", DENY_A);
        set_hook_mode(fixture, HOOK_FILE_OPEN, MODE_AUDIT, 1);
        set_hook_mode(fixture, HOOK_FILE_OPEN, MODE_ENFORCE, 1);
        meddled = kernel(fixture);
        meddled.audited = HOOK_BIT(HOOK_FILE_OPEN);
        g_assert_cmpint(twin_state_write(fixture->pins, &meddled), ==, 0);
        enforcement_check(fixture->enforcement);
        g_assert_cmpuint(kernel(fixture).audited, ==, 0);
}

static void test_a_hook_that_cannot_deny_is_taken_if_it_is_to_record(Fixture *fixture,
                                                                     gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        int changed = 0;

        wanted.deny_hooks = ~HOOK_BIT(HOOK_INODE_RENAME);
        control(fixture, &wanted);
        g_assert_cmpint(apply_text(fixture, "web", DENY_A), ==, TRANSACTION_E_GUARANTEE);
        set_hook_mode(fixture, HOOK_INODE_RENAME, MODE_AUDIT, 1);
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_set_hook_mode(fixture->enforcement, HOOK_INODE_RENAME,
                                                  MODE_ENFORCE, &changed, &generation),
                        ==, TRANSACTION_E_GUARANTEE);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(kernel(fixture).audited, ==, HOOK_BIT(HOOK_INODE_RENAME));
}

static void test_the_same_mode_changes_nothing(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 1;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_ENFORCE, &changed, &generation), ==,
                0);
        g_assert_cmpint(changed, ==, 0);
        g_assert_cmpuint(generation, ==, 1);
        g_assert_cmpuint(fixture->n_told, ==, 1);
}

static void test_a_mode_set_before_any_document_holds_for_the_first(Fixture *fixture,
                                                                    gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        assert_agreement(fixture);
        restart(fixture);
        apply(fixture, "web", DENY_A);
        g_assert_cmpuint(kernel(fixture).mode, ==, MODE_AUDIT);
        assert_agreement(fixture);
}

static void test_audit_takes_a_policy_that_enforce_refuses(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        int changed = 0;

        wanted.deny_hooks = 0;
        control(fixture, &wanted);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_ENFORCE, &changed, &generation), ==,
                TRANSACTION_E_GUARANTEE);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
}

static void test_a_mode_that_the_kernel_refuses_stays(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        TwinState before;
        int changed = 7;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        wanted.fail_mode = EIO;
        control(fixture, &wanted);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                TRANSACTION_E_KERNEL);
        g_assert_cmpint(changed, ==, 7);
        assert_untouched(fixture, &before);
}

#define ADD(function) g_test_add("/modes/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_mode_is_switched_in_one_store);
        ADD(test_a_mode_of_one_hook_outlives_restarts_and_changes);
        ADD(test_a_mode_of_one_hook_that_somebody_takes_away_is_put_back);
        ADD(test_a_hook_that_cannot_deny_is_taken_if_it_is_to_record);
        ADD(test_the_same_mode_changes_nothing);
        ADD(test_a_mode_set_before_any_document_holds_for_the_first);
        ADD(test_audit_takes_a_policy_that_enforce_refuses);
        ADD(test_a_mode_that_the_kernel_refuses_stays);
        return g_test_run();
}
