/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start over the twin of the backend: what is in force after a restart, a power cut, a kill at
 * a bad moment, or damage to the records. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transaction-fixture.h"
#include "util/log.h"

/* ---- the start ---- */

static void test_a_restart_adopts_without_touching_the_kernel(Fixture *fixture, gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        before = kernel(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_text(fixture, "web", DENY_A);
        g_assert_nonnull(enforcement_image(fixture->enforcement));
        assert_no_trouble(fixture);
}

static void test_after_a_power_cut_the_record_is_in_force_again(Fixture *fixture,
                                                                gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        reboot(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static void test_a_kernel_that_has_something_else_gets_a_later_generation(Fixture *fixture,
                                                                          gconstpointer data)
{
        TwinState other;

        apply(fixture, "web", DENY_A);
        stop(fixture);
        other = kernel(fixture);
        other.generation = 9;
        other.digest[0] ^= 1;
        g_assert_cmpint(twin_state_write(fixture->pins, &other), ==, 0);
        start(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 10);
        assert_text(fixture, "web", DENY_A);
        assert_agreement(fixture);
        restart(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 10);
}

static void test_two_services_cannot_have_the_same_store(Fixture *fixture, gconstpointer data)
{
        EnforcementConfig config = {.state_directory = fixture->state, .backend = fixture->backend};
        Enforcement *second = NULL;

        g_assert_cmpint(enforcement_new(&second, &config), ==, -EBUSY);
        g_assert_null(second);
}

static void test_the_store_is_closed_to_others(Fixture *fixture, gconstpointer data)
{
        GStatBuf st;

        g_assert_cmpint(g_chmod(fixture->state, 0755), ==, 0);
        restart(fixture);
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(g_stat(fixture->state, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
}

static void test_what_the_start_cannot_enforce_is_told_and_tried_again(Fixture *fixture,
                                                                       gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        wanted.deny_hooks = 0;
        control(fixture, &wanted);
        reboot(fixture);
        assert_trouble(fixture, "cannot deny");
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(kernel(fixture).generation, ==, 0);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 1);
        wanted.deny_hooks = UINT64_MAX;
        control(fixture, &wanted);
        for (int i = 0; i < 100 && enforcement_check(fixture->enforcement) != 0; i++)
                ;
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static void test_what_something_else_took_away_is_put_back(Fixture *fixture, gconstpointer data)
{
        const TwinState nothing = {};

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_rules, ==, 2);
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

/* ---- letting go, and drift ---- */

static void test_what_is_released_is_not_enforced_and_stays_on_disk(Fixture *fixture,
                                                                    gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        g_assert_false(enforcement_drift(fixture->enforcement));
        g_assert_cmpint(enforcement_release(fixture->enforcement, "uid 7"), ==, 0);
        g_assert_cmpuint(kernel(fixture).hooks, ==, 0);
        g_assert_cmpuint(kernel(fixture).n_trie, ==, 0);
        assert_text(fixture, "web", DENY_A);
        assert_trouble(fixture, "Released by uid 7");
        g_assert_true(enforcement_drift(fixture->enforcement));
        for (int i = 0; i < 100; i++)
                g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 1);
        g_assert_cmpuint(kernel(fixture).hooks, ==, 0);
}

static void assert_back(Fixture *fixture)
{
        g_assert_cmpuint(kernel(fixture).hooks, !=, 0);
        g_assert_false(enforcement_drift(fixture->enforcement));
        assert_agreement(fixture);
        assert_no_trouble(fixture);
        g_assert_cmpint(enforcement_release(fixture->enforcement, "uid 7"), ==, 0);
        g_assert_cmpuint(kernel(fixture).hooks, ==, 0);
}

/* The kernel has an image of nothing then, which is not what was in force. */
static void test_a_release_does_not_outlive_the_record(Fixture *fixture, gconstpointer data)
{
        g_autofree char *state = state_file(fixture, "state");

        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        g_assert_cmpint(enforcement_release(fixture->enforcement, "uid 7"), ==, 0);
        stop(fixture);
        g_assert_cmpint(g_unlink(state), ==, 0);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(kernel(fixture).hooks, !=, 0);
        assert_trouble(fixture, "The record of what was in force is missing");
}

static void test_what_is_released_comes_back_with_a_change_or_a_start(Fixture *fixture,
                                                                      gconstpointer data)
{
        uint64_t number = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_release(fixture->enforcement, "uid 7"), ==, 0);
        g_assert_cmpint(enforcement_set_mode(fixture->enforcement, MODE_ENFORCE, &changed, &number),
                        ==, 0);
        g_assert_true(changed);
        assert_back(fixture);
        apply(fixture, "web", DENY_A);
        assert_back(fixture);
        apply(fixture, "db", DENY_PORT);
        assert_back(fixture);
        add(fixture, "deny", "file:/x");
        assert_back(fixture);
        removes(fixture, "db");
        assert_back(fixture);
        restart(fixture);
        assert_back(fixture);
        reboot(fixture);
        assert_back(fixture);
}

static void test_a_record_that_was_touched_is_drift(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *good = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        flip_byte(fixture, "state", n / 2);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_true(enforcement_drift(fixture->enforcement));
        assert_trouble(fixture, "behind the service's back");
        g_assert_true(g_file_set_contents(file, good, (gssize) n, NULL));
        enforcement_check(fixture->enforcement);
        g_assert_false(enforcement_drift(fixture->enforcement));
        assert_no_trouble(fixture);
        g_assert_cmpint(g_unlink(file), ==, 0);
        enforcement_check(fixture->enforcement);
        g_assert_true(enforcement_drift(fixture->enforcement));
        apply(fixture, "web", DENY_AB);
        enforcement_check(fixture->enforcement);
        g_assert_false(enforcement_drift(fixture->enforcement));
        assert_no_trouble(fixture);
}

/* An older record that is whole is not what is in force either. */
static void test_an_older_record_is_drift(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *older = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        g_assert_true(g_file_get_contents(file, &older, &n, NULL));
        apply(fixture, "web", DENY_AB);
        g_assert_true(g_file_set_contents(file, older, (gssize) n, NULL));
        enforcement_check(fixture->enforcement);
        g_assert_true(enforcement_drift(fixture->enforcement));
}

/* ---- damage ---- */

static void test_no_flipped_byte_goes_unnoticed(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *good = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        log_set_max_level(LOG_ERR);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *aside = state_file(fixture, "state.damaged");

                flip_byte(fixture, "state", i);
                reboot(fixture);
                assert_text(fixture, "web", DENY_A);
                assert_trouble(fixture, "damaged");
                assert_agreement(fixture);
                g_assert_cmpint(g_rename(aside, file), ==, 0);
                g_assert_true(g_file_set_contents(file, good, (gssize) n, NULL));
        }
        log_set_max_level(LOG_INFO);
}

static void test_a_shortened_record_is_damaged(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *good = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        log_set_max_level(LOG_ERR);
        for (size_t length = 0; length < n; length++) {
                g_assert_true(g_file_set_contents(file, good, (gssize) length, NULL));
                reboot(fixture);
                assert_text(fixture, "web", DENY_A);
                assert_trouble(fixture, "damaged");
        }
        log_set_max_level(LOG_INFO);
}

static void test_the_record_before_outlives_a_damaged_one(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_true(has_file(fixture, "state.damaged"));
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_a_damaged_record_does_not_turn_the_kernel_back(Fixture *fixture,
                                                                gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        before = kernel(fixture);
        flip_byte(fixture, "state", 40);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_trouble(fixture, "goes on enforcing");
        assert_agreement(fixture);
}

static void test_a_missing_record_is_not_a_first_start(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state");

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_cmpint(g_unlink(file), ==, 0);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_trouble(fixture, "missing");
        assert_agreement(fixture);
}

static void lose_records(Fixture *fixture)
{
        empty_folder(fixture->state);
}

static void test_without_any_record_the_kernel_keeps_what_it_has(Fixture *fixture,
                                                                 gconstpointer data)
{
        TwinState before, after;
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        lose_records(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_trouble(fixture, "goes on enforcing");
        assert_agreement(fixture);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpuint(kernel(fixture).n_rules, ==, before.n_rules);
        assert_agreement(fixture);
}

static void test_what_is_applied_without_a_record_ends_the_trouble(Fixture *fixture,
                                                                   gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        lose_records(fixture);
        restart(fixture);
        apply(fixture, "web", DENY_AB);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_no_trouble(fixture);
        reboot(fixture);
        assert_text(fixture, "web", DENY_AB);
}

static void test_two_damaged_records_and_an_empty_kernel_are_told(Fixture *fixture,
                                                                  gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        damage_generations(fixture);
        reboot(fixture);
        assert_trouble(fixture, "nothing is enforced");
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 0);
}

/* ---- killed ---- */

static void deed_apply(Fixture *fixture)
{
        apply_text(fixture, "db", DENY_PORT);
}

static void deed_mode(Fixture *fixture)
{
        uint64_t generation;
        int changed;

        enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation);
}

/* A child is the service, does the deed and dies at that point. */
static void die_at(Fixture *fixture, TwinCrash point, void (*act)(Fixture *))
{
        TwinControl wanted = all_well();
        int status = 0;
        pid_t pid;

        stop(fixture);
        wanted.crash = point;
        control(fixture, &wanted);
        pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
                start(fixture);
                act(fixture);
                _exit(0);
        }
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFSIGNALED(status));
        g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
        wanted.crash = TWIN_CRASH_NEVER;
        control(fixture, &wanted);
}

static void test_killed_before_the_switch_nothing_has_changed(Fixture *fixture, gconstpointer data)
{
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        die_at(fixture, TWIN_CRASH_IN_PREPARE, deed_apply);
        g_assert_true(has_file(fixture, "state.next"));
        start(fixture);
        assert_untouched(fixture, &before);
}

static void test_killed_after_the_switch_the_change_is_kept(Fixture *fixture, gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_AFTER_COMMIT, deed_apply);
        before = kernel(fixture);
        start(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_text(fixture, "db", DENY_PORT);
        assert_no_trouble(fixture);
        g_assert_false(has_file(fixture, "state.next"));
        reboot(fixture);
        assert_text(fixture, "db", DENY_PORT);
}

static void test_killed_after_a_mode_switch_the_mode_is_kept(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_AFTER_COMMIT, deed_mode);
        start(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
}

static void test_a_pending_record_of_before_a_power_cut_is_forgotten(Fixture *fixture,
                                                                     gconstpointer data)
{
        const TwinState nothing = {};

        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_IN_PREPARE, deed_apply);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        start(fixture);
        g_assert_null(enforcement_find(fixture->enforcement, "db"));
        g_assert_false(has_file(fixture, "state.next"));
        assert_agreement(fixture);
}

#define ADD(function) g_test_add("/recovery/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_restart_adopts_without_touching_the_kernel);
        ADD(test_after_a_power_cut_the_record_is_in_force_again);
        ADD(test_a_kernel_that_has_something_else_gets_a_later_generation);
        ADD(test_two_services_cannot_have_the_same_store);
        ADD(test_the_store_is_closed_to_others);
        ADD(test_what_the_start_cannot_enforce_is_told_and_tried_again);
        ADD(test_what_something_else_took_away_is_put_back);
        ADD(test_what_is_released_is_not_enforced_and_stays_on_disk);
        ADD(test_what_is_released_comes_back_with_a_change_or_a_start);
        ADD(test_a_release_does_not_outlive_the_record);
        ADD(test_a_record_that_was_touched_is_drift);
        ADD(test_an_older_record_is_drift);
        ADD(test_no_flipped_byte_goes_unnoticed);
        ADD(test_a_shortened_record_is_damaged);
        ADD(test_the_record_before_outlives_a_damaged_one);
        ADD(test_a_damaged_record_does_not_turn_the_kernel_back);
        ADD(test_a_missing_record_is_not_a_first_start);
        ADD(test_without_any_record_the_kernel_keeps_what_it_has);
        ADD(test_what_is_applied_without_a_record_ends_the_trouble);
        ADD(test_two_damaged_records_and_an_empty_kernel_are_told);
        ADD(test_killed_before_the_switch_nothing_has_changed);
        ADD(test_killed_after_the_switch_the_change_is_kept);
        ADD(test_killed_after_a_mode_switch_the_mode_is_kept);
        ADD(test_a_pending_record_of_before_a_power_cut_is_forgotten);
        return g_test_run();
}
