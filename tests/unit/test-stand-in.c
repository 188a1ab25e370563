/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in, over the twin of the backend, where no record can be believed and the kernel has
 * nothing; and what tells a loss from a first start. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transaction-fixture.h"

#define BASELINE "version=7\nname=baseline\n[deny]\nfile:/var/lib/aegis/\n"

static void install_baseline(Fixture *fixture)
{
        g_assert_true(g_file_set_contents(fixture->baseline, BASELINE, -1, NULL));
}

static void assert_nothing(Fixture *fixture)
{
        g_assert_cmpuint(generation(fixture), ==, 0);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).generation, ==, 0);
}

static void assert_baseline(Fixture *fixture)
{
        assert_text(fixture, "baseline", BASELINE);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 1);
        g_assert_cmpuint(kernel(fixture).n_rules, >, 0);
        assert_agreement(fixture);
        assert_trouble(fixture, "Only the packaged baseline");
}

static void lose_all(Fixture *fixture)
{
        _cleanup_(freep) char *generations = state_file(fixture, "generations"),
                              *bundles = state_file(fixture, "bundles");

        empty_folder(generations);
        empty_folder(bundles);
        empty_folder(fixture->state);
}

/* ---- the baseline ---- */

static void test_a_first_start_is_empty_and_no_trouble(Fixture *fixture, gconstpointer data)
{
        install_baseline(fixture);
        for (int i = 0; i < 3; i++) {
                reboot(fixture);
                assert_nothing(fixture);
                assert_no_trouble(fixture);
        }
}

static void test_a_state_that_was_removed_is_no_first_start(Fixture *fixture, gconstpointer data)
{
        install_baseline(fixture);
        apply(fixture, "web", DENY_A);
        lose_all(fixture);
        reboot(fixture);
        assert_baseline(fixture);
        assert_trouble(fixture, "missing");
        g_assert_false(enforcement_drift(fixture->enforcement));
}

static void test_a_record_of_an_older_version_is_marked_too(Fixture *fixture, gconstpointer data)
{
        install_baseline(fixture);
        apply(fixture, "web", DENY_A);
        empty_folder(fixture->marker);
        restart(fixture);
        lose_all(fixture);
        reboot(fixture);
        assert_baseline(fixture);
}

static void test_what_is_left_of_a_state_says_that_there_was_one(Fixture *fixture,
                                                                 gconstpointer data)
{
        static const char *const left[] = {"state.damaged", "state.previous.damaged", "history"};

        install_baseline(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
                _cleanup_(freep) char *file = state_file(fixture, left[i]);

                stop(fixture);
                lose_all(fixture);
                empty_folder(fixture->marker);
                g_assert_cmpint(g_mkdir(fixture->state, 0700), ==, 0);
                g_assert_true(g_file_set_contents(file, "1\t7\t0\ta\tb\tc\td\n", -1, NULL));
                start(fixture);
                reboot(fixture);
                assert_baseline(fixture);
        }
        g_assert_cmpuint(generation(fixture), >, 7);
}

static void test_all_damaged_is_the_baseline_and_told_at_each_start(Fixture *fixture,
                                                                    gconstpointer data)
{
        install_baseline(fixture);
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        damage_generations(fixture);
        reboot(fixture);
        assert_baseline(fixture);
        assert_trouble(fixture, "damaged");
        g_assert_cmpuint(generation(fixture), ==, 3);
        g_assert_true(has_file(fixture, "state.damaged"));
        restart(fixture);
        assert_baseline(fixture);
        reboot(fixture);
        assert_baseline(fixture);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_false(enforcement_drift(fixture->enforcement));
        apply(fixture, "web", DENY_A);
        removes(fixture, "baseline");
        assert_no_trouble(fixture);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_a_baseline_that_is_no_policy_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const texts[] = {"", FAULTY, NULL};

        apply(fixture, "web", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                if (texts[i])
                        g_assert_true(g_file_set_contents(fixture->baseline, texts[i], -1, NULL));
                else
                        g_assert_cmpint(g_unlink(fixture->baseline), ==, 0);
                lose_all(fixture);
                reboot(fixture);
                assert_nothing(fixture);
                assert_trouble(fixture, "nothing is enforced");
        }
}

static void test_a_kernel_that_refuses_the_baseline_is_told(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        install_baseline(fixture);
        apply(fixture, "web", DENY_A);
        lose_all(fixture);
        wanted.fail_prepare = EINVAL;
        control(fixture, &wanted);
        reboot(fixture);
        assert_nothing(fixture);
        assert_trouble(fixture, "cannot be put in its place");
}

/* ---- older generations ---- */

static void test_the_last_whole_generation_stands_in(Fixture *fixture, gconstpointer data)
{
        install_baseline(fixture);
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        apply(fixture, "db", DENY_PORT);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        reboot(fixture);
        assert_text(fixture, "web", DENY_AB);
        assert_text(fixture, "db", DENY_PORT);
        assert_trouble(fixture, "generation 3, the last that could be read");
        assert_agreement(fixture);
        reboot(fixture);
        assert_text(fixture, "db", DENY_PORT);
        assert_no_trouble(fixture);
}

static void test_numbers_go_on_though_no_record_tells_them(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        lose_all(fixture);
        stop(fixture);
        g_assert_cmpint(g_mkdir(fixture->state, 0700), ==, 0);
        {
                _cleanup_(freep) char *file = state_file(fixture, "history");

                g_assert_true(g_file_set_contents(file, "1\t41\t0\ta\tb\tc\td\n", -1, NULL));
        }
        start(fixture);
        apply(fixture, "web", DENY_A);
        g_assert_cmpuint(generation(fixture), ==, 42);
}

/* ---- the marker ---- */

static void test_the_marker_is_there_once_there_is_a_record(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = g_build_filename(fixture->marker, "recorded", NULL);

        g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
        apply(fixture, "web", DENY_A);
        g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
}

/* Not to be had, and in doubt a loss. */
static void test_a_marker_that_cannot_be_made_harms_nothing(Fixture *fixture, gconstpointer data)
{
        install_baseline(fixture);
        g_assert_true(g_file_set_contents(fixture->marker, "", -1, NULL));
        apply(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
        lose_all(fixture);
        reboot(fixture);
        assert_baseline(fixture);
        g_assert_cmpint(g_unlink(fixture->marker), ==, 0);
}

#define ADD(function) g_test_add("/stand-in/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_first_start_is_empty_and_no_trouble);
        ADD(test_a_state_that_was_removed_is_no_first_start);
        ADD(test_a_record_of_an_older_version_is_marked_too);
        ADD(test_what_is_left_of_a_state_says_that_there_was_one);
        ADD(test_all_damaged_is_the_baseline_and_told_at_each_start);
        ADD(test_a_baseline_that_is_no_policy_is_told);
        ADD(test_a_kernel_that_refuses_the_baseline_is_told);
        ADD(test_the_last_whole_generation_stands_in);
        ADD(test_numbers_go_on_though_no_record_tells_them);
        ADD(test_the_marker_is_there_once_there_is_a_record);
        ADD(test_a_marker_that_cannot_be_made_harms_nothing);
        return g_test_run();
}
