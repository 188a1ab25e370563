/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trials, emergencies and the history: files that are not what they should be, and calls that fail.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fault.h"
#include "transaction-fixture.h"
#include "transaction/deadline.h"
#include "transaction/internal.h"
#include "util/log.h"

#define HOUR (3600u * 1000000ul)
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void set_up_quietly(Fixture *fixture, gconstpointer data)
{
        log_set_max_level(LOG_EMERG);
        set_up(fixture, data);
}

static void put(Fixture *fixture, const char *name, const char *text)
{
        g_autofree char *file = state_file(fixture, name);

        g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* An hour from now, in words. */
static char *deadline_text(void)
{
        Deadline deadline;
        char text[DEADLINE_TEXT_SIZE];

        g_assert_cmpint(deadline_set(&deadline, HOUR), ==, 0);
        deadline_format(&deadline, text);
        return g_strdup(text);
}

/* ---- emergencies ---- */

static int is_emergency(Fixture *fixture)
{
        EmergencyStatus status;

        return enforcement_emergency(fixture->enforcement, &status);
}

static int declare(Fixture *fixture)
{
        return enforcement_emergency_start(fixture->enforcement, "fire", HOUR, 7);
}

static void test_a_file_that_declares_no_emergency_right_declares_none(Fixture *fixture,
                                                                       gconstpointer data)
{
        /* %s: the deadline */
        static const char *const wrongs[] = {
                "",
                "2 7 %s fire\n",
                "1 x %s fire\n",
                "1 7",
                "1 7 tomorrow fire\n",
                "1 7 %s-fire\n",
                "1 7 %s fire",
                "1 7 %s fire\nmore",
                "1 7 %s \n",
        };
        g_autofree char *end = deadline_text(), *longest = g_strnfill(EMERGENCY_REASON_MAX, 'x');
        g_autofree char *right = g_strdup_printf("1 7 %s %s\n", end, longest);
        g_autofree char *longer = g_strdup_printf("1 7 %s %sx\n", end, longest);

        for (size_t i = 0; i < G_N_ELEMENTS(wrongs); i++) {
                g_auto(GStrv) parts = g_strsplit(wrongs[i], "%s", 2);
                g_autofree char *text = g_strjoinv(end, parts);

                put(fixture, "emergency", text);
                restart(fixture);
                g_assert_false(is_emergency(fixture));
        }
        put(fixture, "emergency", longer);
        restart(fixture);
        g_assert_false(is_emergency(fixture));
        put(fixture, "emergency", right);
        restart(fixture);
        g_assert_true(is_emergency(fixture));
}

static void test_an_emergency_that_is_not_written_is_none(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"read" /* which boot it is */, "write", "renameat"};

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(declare(fixture), ==, -EIO);
                assert_met();
                g_assert_false(is_emergency(fixture));
                g_assert_cmpuint(kernel(fixture).emergency_until_ns, ==, 0);
        }
}

static void test_an_emergency_ends_once(Fixture *fixture, gconstpointer data)
{
        unsigned n_told;

        g_assert_cmpint(declare(fixture), ==, 0);
        fail("unlinkat", EIO);
        enforcement_emergency_stop(fixture->enforcement);
        assert_met();
        assert_trouble(fixture, "The end of the emergency is not on disk");
        n_told = fixture->n_told;
        enforcement_emergency_stop(fixture->enforcement);
        g_assert_cmpuint(fixture->n_told, ==, n_told);
        g_assert_false(is_emergency(fixture));
        restart(fixture);
        g_assert_true(is_emergency(fixture));
}

/* ---- trials ---- */

static int is_trial(Fixture *fixture)
{
        TrialStatus status;

        return enforcement_trial(fixture->enforcement, &status);
}

static int apply_on_trial(Fixture *fixture, const char *text)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        g_assert_cmpint(enforcement_plan(fixture->enforcement, "web", text, strlen(text), &plan),
                        ==, 0);
        plan->confirm_usec = HOUR;
        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number);
}

static void test_a_file_that_tells_no_trial_right_tells_none(Fixture *fixture, gconstpointer data)
{
        static const char *const wrongs[] = {
                "",
                "1 0 0 " HEX " %s\n",
                "1 2 x " HEX " %s\n",
                "1 2 1 x" HEX " %s\n",
                "1 2 1 nothex %s\n",
                "1 2 1 " HEX " tomorrow\n",
                "1 2 1 " HEX " %s",
                "1 2 1 " HEX " %s and more\n",
        };
        g_autofree char *end = deadline_text();

        apply(fixture, "web", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(wrongs); i++) {
                g_auto(GStrv) parts = g_strsplit(wrongs[i], "%s", 2);
                g_autofree char *text = g_strjoinv(end, parts);

                put(fixture, "trial", text);
                restart(fixture);
                g_assert_false(is_trial(fixture));
                g_assert_true(has_file(fixture, "trial")); /* it may be of another version */
        }
}

static void test_a_trial_that_is_not_written_is_no_change(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"read", "write"};

        apply(fixture, "web", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(apply_on_trial(fixture, DENY_AB), ==, -EIO);
                assert_met();
                g_assert_false(is_trial(fixture));
                assert_text(fixture, "web", DENY_A);
                assert_agreement(fixture);
        }
}

static void test_the_end_of_a_trial_may_not_be_on_disk(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(apply_on_trial(fixture, DENY_AB), ==, 0);
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 7), ==, TRANSACTION_E_NO_TRIAL);
        fail("unlinkat", EIO);
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, 2), ==, 0);
        assert_met();
        g_assert_false(is_trial(fixture));
        restart(fixture);
        g_assert_true(is_trial(fixture));
}

static void end_trial(Fixture *fixture)
{
        fixture->enforcement->trial.end = (Deadline){};
        fixture->enforcement->trial.retry_usec = 0;
        enforcement_end_what_is_over(fixture->enforcement);
}

static void test_what_cannot_be_gone_back_to_is_told_and_tried_again(Fixture *fixture,
                                                                     gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(apply_on_trial(fixture, DENY_AB), ==, 0);
        g_assert_cmpint(enforcement_release(fixture->enforcement, "uid 7"), ==, 0);
        g_assert_cmpuint(enforcement_next_end(fixture->enforcement), ==, UINT64_MAX);
        fixture->enforcement->released = 0;
        fail("openat2", EMFILE); /* the record of before */
        end_trial(fixture);
        assert_met();
        assert_trouble(fixture, "going back to generation 1 failed");
        g_assert_true(is_trial(fixture));
        end_trial(fixture);
        g_assert_false(is_trial(fixture));
        assert_text(fixture, "web", DENY_A);
        g_assert_null(enforcement_own_deed(fixture->enforcement).what);
}

/* ---- the history ---- */

static History *history_of(Fixture *fixture)
{
        History *history = NULL;

        g_assert_cmpint(history_new(&history, store_directory(fixture->enforcement->store)), ==, 0);
        return history;
}

static int add_entry(History *history, const char *name)
{
        const HistoryEntry entry = {.usec = 1,
                                    .generation = 2,
                                    .origin = "bus",
                                    .what = "Apply",
                                    .name = name,
                                    .authorization = "polkit"};

        return history_add(history, &entry);
}

static void assert_last(const History *history, const char *name)
{
        g_assert_cmpstr(history_get(history, history_size(history) - 1).name, ==, name);
}

/* The next one writes it all anew, what was not written too. */
static void test_what_is_not_written_is_written_later(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"fsync", "openat", "write", "fdatasync"};
        static const char *const to_rewrite[] = {"malloc", "write"};
        _cleanup_(history_freep) History *history = history_of(fixture), *again = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(add_entry(history, "first"), ==, 0);
                assert_met();
                for (size_t j = 0; j < G_N_ELEMENTS(to_rewrite); j++) {
                        fail(to_rewrite[j], ENOMEM);
                        g_assert_cmpint(add_entry(history, "second"), ==, 0);
                        assert_met();
                }
                g_assert_cmpint(add_entry(history, "third\x7f"), ==, 0);
                again = history_of(fixture);
                g_assert_cmpuint(history_size(again), ==, 4 * (i + 1));
                assert_last(again, "third?");
                again = history_free(again);
                history = history_free(history);
                history = history_of(fixture);
        }
        fail("calloc", ENOMEM);
        g_assert_cmpint(add_entry(history, "first"), ==, -ENOMEM);
}

static void test_what_is_no_line_of_a_history_is_left_out(Fixture *fixture, gconstpointer data)
{
        _cleanup_(history_freep) History *history = NULL;
        unsigned n = 0, n_failed = 0;
        int r;

        put(fixture, "history",
            "1\t2\t3\ta\tb\tc\td\n"
            "1\t2\t3 a\tb\tc\td\n"
            "1\t2\tx\ta\tb\tc\td\n"
            "1\t2\t3\ta\tb\tc\n"
            "1\t2\t3\ta\tb\tc\td\te\n"
            "1\t2\t3\te\tf\tg\th\n");
        do {
                history = history_free(history);
                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                r = history_new(&history, store_directory(fixture->enforcement->store));
                n_failed += r < 0;
                g_assert_true(r == 0 || r == -ENOMEM);
        } while (fail_no_more() >= n);
        g_assert_cmpuint(n_failed, ==, n - 1);
        g_assert_cmpuint(history_size(history), ==, 2);
        assert_last(history, "g");
}

#define ADD(function)                                                                              \
        g_test_add("/term-faults/" #function, Fixture, NULL, set_up_quietly, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_file_that_declares_no_emergency_right_declares_none);
        ADD(test_an_emergency_that_is_not_written_is_none);
        ADD(test_an_emergency_ends_once);
        ADD(test_a_file_that_tells_no_trial_right_tells_none);
        ADD(test_a_trial_that_is_not_written_is_no_change);
        ADD(test_the_end_of_a_trial_may_not_be_on_disk);
        ADD(test_what_cannot_be_gone_back_to_is_told_and_tried_again);
        ADD(test_what_is_not_written_is_written_later);
        ADD(test_what_is_no_line_of_a_history_is_left_out);
        return g_test_run();
}
