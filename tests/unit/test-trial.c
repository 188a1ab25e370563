/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trials over the twin of the backend: what goes by itself, when, and what a restart makes of it.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "transaction-fixture.h"
#include "transaction/deadline.h"
#include "transaction/generations.h"

#define HOUR ((int64_t) 3600 * 1000000)

static int try_apply(Fixture *fixture, const char *name, const char *text)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        g_assert_cmpint(enforcement_plan(fixture->enforcement, name, text, strlen(text), &plan), ==,
                        0);
        plan->confirm_usec = (uint64_t) HOUR;
        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number);
}

static void apply_on_trial(Fixture *fixture, const char *name, const char *text)
{
        g_assert_cmpint(try_apply(fixture, name, text), ==, 0);
}

static uint64_t on_trial(Fixture *fixture)
{
        TrialStatus trial;

        enforcement_trial(fixture->enforcement, &trial);
        return trial.generation;
}

static void end_what_is_over(Fixture *fixture)
{
        enforcement_end_what_is_over(fixture->enforcement);
}

/* A machine may have been started only a moment ago. */
static uint64_t move(uint64_t from, int64_t usec)
{
        return usec < 0 && from < (uint64_t) -usec ? 0 : from + (uint64_t) usec;
}

/* Moves the end of the trial on disk; the service must not be running. */
static void move_end_of_emergency(Fixture *fixture, int64_t usec, const char *boot)
{
        _cleanup_(freep) char *file = state_file(fixture, "emergency"), *text = NULL, *moved = NULL;
        uint64_t boot_usec, began, ends;
        char here[37];
        unsigned uid;
        int n = 0;

        g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
        g_assert_cmpint(sscanf(text, "1 %u %36s %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &uid, here,
                               &boot_usec, &began, &ends, &n),
                        ==, 5);
        moved = g_strdup_printf("1 %u %s %" PRIu64 " %" PRIu64 " %" PRIu64 "%s", uid,
                                boot ? boot : here, move(boot_usec, usec), began + (uint64_t) usec,
                                ends + (uint64_t) usec, text + n);
        g_assert_true(g_file_set_contents(file, moved, -1, NULL));
}

static void move_end(Fixture *fixture, int64_t usec, const char *boot)
{
        _cleanup_(freep) char *file = state_file(fixture, "trial"), *text = NULL, *moved = NULL;
        uint64_t number, from, boot_usec, began, ends;
        char hex[65], here[37];

        g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
        g_assert_cmpint(
                sscanf(text, "1 %" SCNu64 " %" SCNu64 " %64s %36s %" SCNu64 " %" SCNu64 " %" SCNu64,
                       &number, &from, hex, here, &boot_usec, &began, &ends),
                ==, 7);
        moved = g_strdup_printf("1 %" PRIu64 " %" PRIu64 " %s %s %" PRIu64 " %" PRIu64 " %" PRIu64
                                "\n",
                                number, from, hex, boot ? boot : here, move(boot_usec, usec),
                                began + (uint64_t) usec, ends + (uint64_t) usec);
        g_assert_true(g_file_set_contents(file, moved, -1, NULL));
}

static void pass(Fixture *fixture, int64_t usec, const char *boot)
{
        stop(fixture);
        move_end(fixture, -usec, boot);
        start(fixture);
        end_what_is_over(fixture);
}

#define OTHER_BOOT "00000000-0000-0000-0000-000000000000"

/* ---- its end ---- */

static void test_a_trial_that_is_over_brings_the_set_before_back(Fixture *fixture,
                                                                 gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "db", DENY_PORT);
        g_assert_cmpuint(on_trial(fixture), ==, 2);
        end_what_is_over(fixture);
        g_assert_cmpuint(generation(fixture), ==, 2);
        pass(fixture, HOUR, NULL);
        g_assert_cmpuint(generation(fixture), ==, 3);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 1);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(on_trial(fixture), ==, 0);
        g_assert_false(has_file(fixture, "trial"));
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static void test_the_first_policy_ever_goes_too(Fixture *fixture, gconstpointer data)
{
        apply_on_trial(fixture, "web", DENY_A);
        pass(fixture, HOUR, NULL);
        g_assert_cmpuint(generation(fixture), ==, 2);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
        assert_agreement(fixture);
}

static void test_a_trial_goes_on_after_a_restart(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        pass(fixture, HOUR / 2, NULL);
        g_assert_cmpuint(on_trial(fixture), ==, 2);
        assert_text(fixture, "web", DENY_AB);
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 2), ==, 0);
        restart(fixture);
        g_assert_cmpuint(on_trial(fixture), ==, 0);
        assert_text(fixture, "web", DENY_AB);
}

static void test_after_a_reboot_the_clock_on_the_wall_counts(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        pass(fixture, HOUR / 2, OTHER_BOOT);
        g_assert_cmpuint(on_trial(fixture), ==, 2);
        pass(fixture, HOUR, OTHER_BOOT);
        assert_text(fixture, "web", DENY_A);
}

/* It says that the trial is over: what was on trial may be what locks somebody out. */
static void test_a_clock_that_went_back_ends_a_trial(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        pass(fixture, -2 * HOUR, OTHER_BOOT);
        assert_text(fixture, "web", DENY_A);
}

static void test_without_a_trial_nothing_goes(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        g_assert_cmpuint(enforcement_next_end(fixture->enforcement), ==, UINT64_MAX);
        end_what_is_over(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 1), ==, TRANSACTION_E_NO_TRIAL);
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 0), ==, TRANSACTION_E_NO_TRIAL);
}

/* ---- meanwhile ---- */

static void test_only_going_back_is_possible_on_trial(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        g_assert_cmpint(apply_text(fixture, "db", DENY_PORT), ==, TRANSACTION_E_ON_TRIAL);
        g_assert_cmpint(apply_text(fixture, "web", DENY_AB), ==, 0);
        g_assert_cmpint(try_add(fixture, "deny", "file:/c", 0), ==, TRANSACTION_E_ON_TRIAL);
        g_assert_cmpuint(on_trial(fixture), ==, 2);
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 1, &plan), ==, 0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number), ==, 0);
        g_assert_cmpuint(on_trial(fixture), ==, 0);
        apply(fixture, "db", DENY_PORT);
}

/* Each change of the mode is a generation too. */
static void test_what_comes_back_is_kept_however_many_generations_come(Fixture *fixture,
                                                                       gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        for (unsigned i = 0; i < GENERATIONS_MAX + 2; i++) {
                uint64_t number;
                int changed;

                g_assert_cmpint(enforcement_set_mode(fixture->enforcement,
                                                     i % 2 ? MODE_ENFORCE : MODE_AUDIT, &changed,
                                                     &number),
                                ==, 0);
        }
        pass(fixture, HOUR, NULL);
        assert_text(fixture, "web", DENY_A);
}

static void test_a_failure_to_go_back_is_told_and_tried_again(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        stop(fixture);
        move_end(fixture, -HOUR, NULL);
        wanted.fail_prepare = ENOSPC;
        control(fixture, &wanted);
        start(fixture);
        end_what_is_over(fixture);
        assert_text(fixture, "web", DENY_AB);
        assert_trouble(fixture, "was not confirmed, and going back to generation 1 failed");
        g_assert_cmpuint(enforcement_next_end(fixture->enforcement), >,
                         deadline_boot_usec() + G_USEC_PER_SEC);
        restart(fixture);
        end_what_is_over(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_a_failed_apply_leaves_no_trial(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        wanted.fail_prepare = ENOSPC;
        control(fixture, &wanted);
        g_assert_cmpint(try_apply(fixture, "web", DENY_AB), ==, TRANSACTION_E_KERNEL);
        g_assert_cmpuint(on_trial(fixture), ==, 0);
        g_assert_false(has_file(fixture, "trial"));
        apply(fixture, "web", DENY_AB);
}

/* The line is there before the set is in force; without the set it means nothing. */
static void test_a_trial_that_never_began_means_nothing(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "trial"), *line = NULL;

        apply(fixture, "web", DENY_A);
        apply_on_trial(fixture, "web", DENY_AB);
        g_assert_true(g_file_get_contents(file, &line, NULL, NULL));
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 2), ==, 0);
        apply(fixture, "web", DENY_BC);
        g_assert_true(g_file_set_contents(file, line, -1, NULL));
        pass(fixture, 2 * HOUR, NULL);
        assert_text(fixture, "web", DENY_BC);
        g_assert_false(has_file(fixture, "trial"));
}

static void test_a_line_that_is_none_is_no_trial(Fixture *fixture, gconstpointer data)
{
        static const char *const lines[] = {"", "1", "2 1 0 ff x 1 1 1\n", "1 1 0 \n"};
        _cleanup_(freep) char *file = state_file(fixture, "trial");

        apply(fixture, "web", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                stop(fixture);
                g_assert_true(g_file_set_contents(file, lines[i], -1, NULL));
                start(fixture);
                end_what_is_over(fixture);
                g_assert_cmpuint(on_trial(fixture), ==, 0);
                assert_text(fixture, "web", DENY_A);
        }
}

static void test_what_could_not_be_gone_back_from_is_not_put_on_trial(Fixture *fixture,
                                                                      gconstpointer data)
{
        _cleanup_(freep) char *folder = state_file(fixture, "generations");
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        empty_folder(folder);
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 2, &plan), ==,
                        TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpint(try_apply(fixture, "web", DENY_BC), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        assert_text(fixture, "web", DENY_AB);
}

/* ---- emergencies ---- */

static int has_emergency(Fixture *fixture)
{
        uint64_t until = kernel(fixture).emergency_until_ns;
        EmergencyStatus emergency;
        int is_on = enforcement_emergency(fixture->enforcement, &emergency);

        g_assert_cmpint(is_on, ==, until > deadline_boot_usec() * 1000);
        return is_on;
}

static void emergency_after(Fixture *fixture, int64_t usec, const char *boot)
{
        stop(fixture);
        move_end_of_emergency(fixture, -usec, boot);
        if (boot)
                g_assert_cmpint(twin_state_write(fixture->pins, &(TwinState){0}), ==, 0);
        start(fixture);
        end_what_is_over(fixture);
}

static void declare_emergency(Fixture *fixture)
{
        g_assert_cmpint(
                enforcement_emergency_start(fixture->enforcement, "why not", (uint64_t) HOUR, 7),
                ==, 0);
        g_assert_true(has_emergency(fixture));
}

static void test_an_emergency_lasts_as_long_as_was_said(Fixture *fixture, gconstpointer data)
{
        EmergencyStatus emergency;

        apply(fixture, "web", DENY_A);
        declare_emergency(fixture);
        apply(fixture, "web", DENY_AB);
        emergency_after(fixture, HOUR / 2, NULL);
        g_assert_true(has_emergency(fixture));
        enforcement_emergency(fixture->enforcement, &emergency);
        g_assert_cmpstr(emergency.reason, ==, "why not");
        emergency_after(fixture, HOUR, NULL);
        g_assert_false(has_emergency(fixture));
        g_assert_false(has_file(fixture, "emergency"));
        declare_emergency(fixture);
        emergency_after(fixture, HOUR / 2, OTHER_BOOT);
        g_assert_true(has_emergency(fixture));
        emergency_after(fixture, HOUR, OTHER_BOOT);
        g_assert_false(has_emergency(fixture));
        declare_emergency(fixture);
        emergency_after(fixture, -2 * HOUR, OTHER_BOOT);
        g_assert_false(has_emergency(fixture));
}

static void test_an_emergency_that_nobody_recorded_is_none(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "emergency");

        apply(fixture, "web", DENY_A);
        declare_emergency(fixture);
        stop(fixture);
        g_assert_cmpint(g_unlink(file), ==, 0);
        start(fixture);
        g_assert_false(has_emergency(fixture));
        declare_emergency(fixture);
        enforcement_emergency_stop(fixture->enforcement);
        g_assert_false(has_emergency(fixture));
        restart(fixture);
        g_assert_false(has_emergency(fixture));
}

#define ADD(function) g_test_add("/trial/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_trial_that_is_over_brings_the_set_before_back);
        ADD(test_the_first_policy_ever_goes_too);
        ADD(test_a_trial_goes_on_after_a_restart);
        ADD(test_after_a_reboot_the_clock_on_the_wall_counts);
        ADD(test_a_clock_that_went_back_ends_a_trial);
        ADD(test_without_a_trial_nothing_goes);
        ADD(test_only_going_back_is_possible_on_trial);
        ADD(test_what_comes_back_is_kept_however_many_generations_come);
        ADD(test_a_failure_to_go_back_is_told_and_tried_again);
        ADD(test_a_failed_apply_leaves_no_trial);
        ADD(test_a_trial_that_never_began_means_nothing);
        ADD(test_a_line_that_is_none_is_no_trial);
        ADD(test_what_could_not_be_gone_back_from_is_not_put_on_trial);
        ADD(test_an_emergency_lasts_as_long_as_was_said);
        ADD(test_an_emergency_that_nobody_recorded_is_none);
        return g_test_run();
}
