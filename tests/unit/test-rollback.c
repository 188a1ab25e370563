/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going back over the twin of the backend: to what, and what stays as it is. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "transaction-fixture.h"
#include "transaction/generations.h"

static int try_roll_back(Fixture *fixture, uint64_t to)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int r = enforcement_plan_rollback(fixture->enforcement, to, &plan);

        return r != 0 ? r : enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
}

static void roll_back(Fixture *fixture, uint64_t to)
{
        g_assert_cmpint(try_roll_back(fixture, to), ==, 0);
}

static KeptGeneration last_kept(Fixture *fixture)
{
        size_t n = enforcement_n_kept(fixture->enforcement);

        g_assert_cmpuint(n, >, 0);
        return enforcement_kept(fixture->enforcement, n - 1);
}

static char *file_of(Fixture *fixture, KeptGeneration kept)
{
        char hex[DIGEST_HEX_SIZE];

        digest_format(kept.digest, hex);
        return g_strdup_printf("%s/generations/%lu-%s", fixture->state,
                               (unsigned long) kept.generation, hex);
}

/* ---- what comes back ---- */

static void test_the_whole_set_comes_back_as_a_new_generation(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        apply(fixture, "web", DENY_AB);
        removes(fixture, "db");
        apply(fixture, "other", DENY_BC);
        roll_back(fixture, 2);
        g_assert_cmpuint(generation(fixture), ==, 6);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 2);
        assert_text(fixture, "web", DENY_A);
        assert_text(fixture, "db", DENY_PORT);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(kernel(fixture).n_nets, >, 0);
        g_assert_cmpuint(generation(fixture), ==, 6);
        assert_text(fixture, "db", DENY_PORT);
        assert_no_trouble(fixture);
}

static void test_going_back_twice_undoes_it(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        roll_back(fixture, 1);
        assert_text(fixture, "web", DENY_A);
        roll_back(fixture, 2);
        assert_text(fixture, "web", DENY_AB);
        g_assert_cmpuint(generation(fixture), ==, 4);
}

static void test_a_plan_says_what_going_back_changes(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        KeptGeneration kept;

        apply(fixture, "db", DENY_PORT);
        apply(fixture, "web", DENY_AB);
        kept = last_kept(fixture);
        apply(fixture, "web", DENY_BC);
        removes(fixture, "db");
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 2, &plan), ==, 0);
        g_assert_cmpint(plan->changed, ==, 1);
        g_assert_cmpmem(plan->digest, DIGEST_SIZE, kept.digest, DIGEST_SIZE);
        g_assert_cmpuint(plan->n_changes, ==, 3);
        g_assert_cmpstr(plan->changes[0].entry, ==, "2222");
        g_assert_cmpint(plan->changes[0].kind, ==, CHANGE_ADDED);
        g_assert_cmpstr(plan->changes[1].entry, ==, "/a");
        g_assert_cmpint(plan->changes[1].kind, ==, CHANGE_ADDED);
        g_assert_cmpstr(plan->changes[2].entry, ==, "/c");
        g_assert_cmpint(plan->changes[2].kind, ==, CHANGE_REMOVED);
        g_assert_cmpuint(generation(fixture), ==, 4);
}

static void test_going_back_to_what_is_in_force_changes_nothing(Fixture *fixture,
                                                                gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        apply(fixture, "web", DENY_A);
        roll_back(fixture, 3);
        roll_back(fixture, 1);
        g_assert_cmpuint(generation(fixture), ==, 3);
}

static void test_the_mode_stays_as_it_is(Fixture *fixture, gconstpointer data)
{
        uint64_t number = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &number),
                        ==, 0);
        apply(fixture, "web", DENY_AB);
        roll_back(fixture, 1);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
}

/* A document that goes and comes back has not been applied anew. */
static void test_times_run_on_from_when_they_began(Fixture *fixture, gconstpointer data)
{
        uint64_t changed_usec;
        int64_t applied;

        apply(fixture, "web", "version=7\n[allow]\nfile:/a ttl=1h\n");
        changed_usec = enforcement_find(fixture->enforcement, "web")->changed_usec;
        applied = enforcement_find(fixture->enforcement, "web")->document.applied;
        removes(fixture, "web");
        g_usleep(2 * G_USEC_PER_SEC);
        roll_back(fixture, 1);
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "web")->changed_usec, ==,
                         changed_usec);
        g_assert_cmpint(enforcement_find(fixture->enforcement, "web")->document.applied, <=,
                        applied + 1);
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "web")->generation, ==, 3);
}

static void test_a_plan_for_another_generation_is_not_made(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 1, &plan), ==, 0);
        apply(fixture, "web", DENY_BC);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number), ==,
                        TRANSACTION_E_STALE);
        assert_text(fixture, "web", DENY_BC);
}

/* ---- what is kept ---- */

static void test_what_is_kept_is_listed_and_survives_a_restart(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 2);
        g_assert_cmpuint(enforcement_kept(fixture->enforcement, 0).generation, ==, 1);
        g_assert_cmpmem(last_kept(fixture).digest, DIGEST_SIZE,
                        enforcement_digest(fixture->enforcement), DIGEST_SIZE);
        roll_back(fixture, 1);
        assert_text(fixture, "web", DENY_A);
}

static void test_as_many_generations_are_kept_as_may_be(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *folder = state_file(fixture, "generations");
        GDir *dir;
        unsigned n_files = 0;

        for (unsigned i = 0; i < GENERATIONS_MAX + 3; i++)
                apply(fixture, "web", i % 2 ? DENY_A : DENY_AB);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, GENERATIONS_MAX);
        g_assert_cmpuint(enforcement_kept(fixture->enforcement, 0).generation, ==, 4);
        g_assert_cmpint(try_roll_back(fixture, 3), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        dir = g_dir_open(folder, 0, NULL);
        while (g_dir_read_name(dir))
                n_files++;
        g_dir_close(dir);
        g_assert_cmpuint(n_files, ==, GENERATIONS_MAX);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, GENERATIONS_MAX);
}

static void test_what_was_never_there_cannot_be_gone_back_to(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(try_roll_back(fixture, 0), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpint(try_roll_back(fixture, 2), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpint(try_roll_back(fixture, UINT64_MAX), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        assert_no_trouble(fixture);
}

static void test_a_damaged_generation_harms_nothing_but_itself(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = NULL, *good = NULL, *missing = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        file = file_of(fixture, last_kept(fixture));
        apply(fixture, "web", DENY_AB);
        missing = file_of(fixture, last_kept(fixture));
        apply(fixture, "web", DENY_BC);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        good[n / 2] ^= 1;
        g_assert_true(g_file_set_contents(file, good, (gssize) n, NULL));
        g_assert_cmpint(g_unlink(missing), ==, 0);
        g_assert_cmpint(try_roll_back(fixture, 1), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpint(try_roll_back(fixture, 2), ==, TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 1);
        assert_text(fixture, "web", DENY_BC);
        assert_no_trouble(fixture);
}

/* A whole record under the name of another is not what was asked for. */
static void test_a_generation_under_another_name_is_not_taken(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = NULL, *other = NULL;

        apply(fixture, "web", DENY_A);
        file = file_of(fixture, last_kept(fixture));
        apply(fixture, "web", DENY_AB);
        other = file_of(fixture, last_kept(fixture));
        apply(fixture, "web", DENY_BC);
        g_assert_cmpint(g_rename(other, file), ==, 0);
        g_assert_cmpint(try_roll_back(fixture, 1), ==, TRANSACTION_E_NO_SUCH_GENERATION);
}

static void test_files_of_others_are_left_alone(Fixture *fixture, gconstpointer data)
{
        static const char *const names[] = {"x", "1-", "01-zz", "-1-ff"};

        apply(fixture, "web", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                _cleanup_(freep) char *file =
                        g_build_filename(fixture->state, "generations", names[i], NULL);

                g_assert_true(g_file_set_contents(file, "x", 1, NULL));
        }
        restart(fixture);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 1);
}

static void test_a_record_that_was_lost_gives_its_number_to_no_other(Fixture *fixture,
                                                                     gconstpointer data)
{
        _cleanup_(freep) char *state = state_file(fixture, "state"),
                              *previous = state_file(fixture, "state.previous");

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        stop(fixture);
        g_unlink(state);
        g_unlink(previous);
        g_assert_cmpint(twin_state_write(fixture->pins, &(TwinState){0}), ==, 0);
        start(fixture);
        apply(fixture, "web", DENY_BC);
        g_assert_cmpuint(generation(fixture), ==, 3);
        roll_back(fixture, 2);
        assert_text(fixture, "web", DENY_AB);
}

/* An older version kept none. */
static void test_what_is_found_at_start_is_kept(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *folder = state_file(fixture, "generations");

        apply(fixture, "web", DENY_A);
        stop(fixture);
        empty_folder(folder);
        start(fixture);
        apply(fixture, "web", DENY_AB);
        roll_back(fixture, 1);
        assert_text(fixture, "web", DENY_A);
}

static void test_a_failure_leaves_what_is_in_force(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        wanted.fail_prepare = ENOSPC;
        control(fixture, &wanted);
        g_assert_cmpint(try_roll_back(fixture, 1), ==, TRANSACTION_E_KERNEL);
        assert_text(fixture, "web", DENY_AB);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 2);
        assert_agreement(fixture);
        roll_back(fixture, 1);
        assert_text(fixture, "web", DENY_A);
}

#define ADD(function) g_test_add("/rollback/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_the_whole_set_comes_back_as_a_new_generation);
        ADD(test_going_back_twice_undoes_it);
        ADD(test_a_plan_says_what_going_back_changes);
        ADD(test_going_back_to_what_is_in_force_changes_nothing);
        ADD(test_the_mode_stays_as_it_is);
        ADD(test_times_run_on_from_when_they_began);
        ADD(test_a_plan_for_another_generation_is_not_made);
        ADD(test_what_is_kept_is_listed_and_survives_a_restart);
        ADD(test_as_many_generations_are_kept_as_may_be);
        ADD(test_what_was_never_there_cannot_be_gone_back_to);
        ADD(test_a_damaged_generation_harms_nothing_but_itself);
        ADD(test_a_generation_under_another_name_is_not_taken);
        ADD(test_files_of_others_are_left_alone);
        ADD(test_a_record_that_was_lost_gives_its_number_to_no_other);
        ADD(test_what_is_found_at_start_is_kept);
        ADD(test_a_failure_leaves_what_is_in_force);
        return g_test_run();
}
