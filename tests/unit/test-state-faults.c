/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stays in force and what is found at start, over the twin of the backend, when the kernel, a
 * file or memory fails: one way into each corner of keep.c, recover.c and stand-in.c. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fault.h"
#include "signed-fixture.h"
#include "start-faults.h"
#include "transaction/internal.h"
#include "util/log.h"

#define DENY_LINK "version=1\n[deny_path]\n/link/a\n"

static void set_up_quietly(Fixture *fixture, gconstpointer data)
{
        log_set_max_level(LOG_EMERG);
        set_up(fixture, data);
}

/* ---- helpers ---- */

static int check(Fixture *fixture)
{
        return enforcement_check(fixture->enforcement);
}

static void empty_kernel(Fixture *fixture)
{
        const TwinState nothing = {};

        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
}

static void put(Fixture *fixture, const char *name, const char *text)
{
        g_autofree char *file = state_file(fixture, name);

        g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void move(Fixture *fixture, const char *from, const char *to)
{
        g_autofree char *old = state_file(fixture, from), *new_one = state_file(fixture, to);

        g_assert_cmpint(g_rename(old, new_one), ==, 0);
}

static void forget_all(Fixture *fixture)
{
        g_autofree char *generations = state_file(fixture, "generations");

        empty_folder(generations);
        empty_folder(fixture->state);
}

static void apply_web(Fixture *fixture, unsigned seq, const char *text)
{
        g_autoptr(Signed) what = web(seq, text);

        apply_signed(fixture, "web", what);
}

/* ---- kept in force ---- */

static void test_why_something_is_not_in_force_is_told(Fixture *fixture, gconstpointer data)
{
        static const struct {
                int error;
                const char *told;
        } reasons[] = {
                {TRANSACTION_E_GUARANTEE, "a hook it needs cannot deny"},
                {TRANSACTION_E_INVALID_POLICY, "a path in it cannot be followed"},
                {TRANSACTION_E_TOO_LARGE, "too large together"},
                {TRANSACTION_E_KERNEL, "the kernel did not take it"},
                {-EIO, "Input/output error"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
                enforcement_explain(fixture->enforcement, reasons[i].error);
                assert_trouble(fixture, reasons[i].told);
        }
}

static void test_whatever_is_changed_in_the_kernel_is_put_back(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        for (int i = 0; i < 3; i++) {
                TwinState state = kernel(fixture);

                if (i == 0)
                        state.mode = MODE_AUDIT;
                else if (i == 1)
                        state.audited = HOOK_BIT(0);
                else
                        state.digest[0] ^= 1;
                g_assert_cmpint(twin_state_write(fixture->pins, &state), ==, 0);
                g_assert_cmpint(check(fixture), ==, 0);
                assert_agreement(fixture);
                g_assert_cmpuint(kernel(fixture).audited, ==, 0);
        }
        assert_no_trouble(fixture);
}

static void test_attempts_that_fail_grow_rarer(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        empty_kernel(fixture);
        wanted.deny_hooks = 0;
        control(fixture, &wanted);
        for (int i = 0; i < 300; i++)
                g_assert_cmpint(check(fixture), ==, 1);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 9);
        g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 9);
}

static void test_what_is_not_known_is_not_put_back(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        stop(fixture);
        forget_all(fixture);
        start(fixture);
        empty_kernel(fixture);
        g_assert_cmpint(check(fixture), ==, 1);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 0);
}

static void test_what_is_put_back_without_memory_is_tried_again(Fixture *fixture,
                                                                gconstpointer data)
{
        unsigned n = 0, n_failed = 0;
        int r;

        apply(fixture, "web", DENY_A);
        do {
                empty_kernel(fixture);
                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                r = check(fixture);
                n_failed += r < 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                assert_text(fixture, "web", DENY_A);
                if (fail_no_more() < n)
                        n = 0;
                while (check(fixture) != 0)
                        ;
                assert_agreement(fixture);
        } while (n > 0);
        g_assert_cmpuint(n_failed, >, 5);
        assert_no_trouble(fixture);
}

/* Links lead elsewhere, or back. */
static void turn_links(Fixture *fixture)
{
        static TwinControl wanted;
        int elsewhere = wanted.links_lead_elsewhere;

        wanted = all_well();
        wanted.links_lead_elsewhere = !elsewhere;
        control(fixture, &wanted);
        fixture->enforcement->look_again_usec = 0;
}

static void test_paths_that_cannot_be_followed_are_told_and_followed_later(Fixture *fixture,
                                                                           gconstpointer data)
{
        TwinControl wanted = all_well();
        unsigned n = 0, n_failed = 0;
        uint64_t commits;
        int r;

        apply(fixture, "web", DENY_LINK);
        do {
                turn_links(fixture);
                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                r = check(fixture);
                n_failed += r < 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                if (r < 0)
                        assert_trouble(fixture, "Paths may lead elsewhere");
        } while (fail_no_more() >= n);
        g_assert_cmpuint(n_failed, >, 5);
        assert_no_trouble(fixture);
        commits = kernel(fixture).n_commits;
        wanted.links_lead_elsewhere = 1;
        g_assert_cmpint(check(fixture), ==, 0);
        turn_links(fixture);
        g_assert_cmpint(twin_control_read(fixture->pins, &wanted), ==, 0);
        wanted.fail_prepare = EIO;
        control(fixture, &wanted);
        g_assert_cmpint(check(fixture), ==, 0);
        assert_trouble(fixture, "Paths may lead elsewhere");
        g_assert_cmpuint(kernel(fixture).n_commits, ==, commits);
        fixture->enforcement->look_again_usec = 0;
        g_assert_cmpint(check(fixture), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, commits + 1);
        assert_no_trouble(fixture);
}

/* ---- found at start ---- */

static void test_a_kernel_that_was_changed_meanwhile_is_put_right_at_start(Fixture *fixture,
                                                                           gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        for (int i = 0; i < 2; i++) {
                TwinState state = kernel(fixture);

                stop(fixture);
                if (i == 0)
                        state.mode = MODE_AUDIT;
                else
                        state.audited = HOOK_BIT(0);
                g_assert_cmpint(twin_state_write(fixture->pins, &state), ==, 0);
                start(fixture);
                g_assert_cmpuint(generation(fixture), ==, (unsigned) i + 2);
                g_assert_cmpuint(kernel(fixture).mode, ==, MODE_ENFORCE);
                g_assert_cmpuint(kernel(fixture).audited, ==, 0);
                assert_agreement(fixture);
        }
}

static void test_rules_in_force_that_cannot_be_named_stay_in_force(Fixture *fixture,
                                                                   gconstpointer data)
{
        TwinControl wanted = all_well();
        TwinState before, after;

        apply(fixture, "web", DENY_LINK);
        wanted.links_lead_nowhere = 1;
        control(fixture, &wanted);
        before = kernel(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_text(fixture, "web", DENY_LINK);
        assert_trouble(fixture, "cannot be named");
}

/* The record before is what the kernel has. */
static void make_previous(Fixture *fixture)
{
        stop(fixture);
        move(fixture, "state", "state.previous");
        put(fixture, "state", "x");
}

static void test_what_the_kernel_has_is_recorded_again(Fixture *fixture, gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        make_previous(fixture);
        start_backend(fixture);
        fail("write", ENOSPC);
        g_assert_cmpint(try_start_enforcement(fixture), ==, -ENOSPC);
        assert_met();
        stop(fixture);
        start(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_trouble(fixture, "the one before it, of generation 1, is used");
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_a_missing_record_and_a_damaged_one_before_are_told(Fixture *fixture,
                                                                    gconstpointer data)
{
        g_autofree char *state = state_file(fixture, "state");

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        stop(fixture);
        g_assert_cmpint(g_unlink(state), ==, 0);
        put(fixture, "state.previous", "x");
        start(fixture);
        assert_trouble(fixture, "The record of what is in force is damaged");
        g_assert_true(has_file(fixture, "state.previous.damaged"));
}

static void damage_record(Fixture *fixture)
{
        empty_kernel(fixture);
        put(fixture, "state", "x");
}

static void test_a_start_that_finds_a_damaged_record_and_then_a_fault(Fixture *fixture,
                                                                      gconstpointer data)
{
        believe(fixture);
        apply(fixture, "db", DENY_PORT);
        apply_web(fixture, 7, DENY_A);
        apply_web(fixture, 8, DENY_AB);
        start_with_each_fault(fixture, damage_record, FAULT_MEMORY, ENOMEM);
        g_assert_nonnull(
                strstr(enforcement_find(fixture->enforcement, "web")->document.text, "seq=8"));
        assert_text(fixture, "db", DENY_PORT);
        start_with_each_fault(fixture, damage_record, FAULT_FILE, EMFILE);
        assert_text(fixture, "db", DENY_PORT);
        assert_agreement(fixture);
}

/* The switch was made, and not recorded. */
static void cut_off(Fixture *fixture)
{
        if (has_file(fixture, "state.next"))
                return;
        move(fixture, "state", "state.next");
        move(fixture, "state.previous", "state");
}

static void test_a_start_that_ends_what_was_cut_off_and_then_a_fault(Fixture *fixture,
                                                                     gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        before = kernel(fixture);
        start_with_each_fault(fixture, cut_off, FAULT_MEMORY, ENOMEM);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_text(fixture, "web", DENY_AB);
        assert_no_trouble(fixture);
}

/* ---- what stands in ---- */

static void damage_both(Fixture *fixture)
{
        empty_kernel(fixture);
        put(fixture, "state", "x");
        put(fixture, "state.previous", "x");
}

static void test_an_older_generation_stands_in_and_then_a_fault(Fixture *fixture,
                                                                gconstpointer data)
{
        believe(fixture);
        apply_web(fixture, 7, DENY_A);
        apply_web(fixture, 8, DENY_AB);
        start_with_each_fault(fixture, damage_both, FAULT_MEMORY, ENOMEM);
        assert_trouble(fixture, "the last that could be read");
        assert_agreement(fixture);
}

static void damage_all(Fixture *fixture)
{
        damage_both(fixture);
        damage_generations(fixture);
}

static void test_what_was_signed_stands_in_and_then_a_fault(Fixture *fixture, gconstpointer data)
{
        believe(fixture);
        apply_web(fixture, 7, DENY_A);
        start_with_each_fault(fixture, damage_all, FAULT_MEMORY, ENOMEM);
        assert_trouble(fixture, "verified again");
        assert_agreement(fixture);
}

static void lose_all(Fixture *fixture)
{
        empty_kernel(fixture);
        forget_all(fixture);
}

static void test_the_baseline_stands_in_and_then_a_fault(Fixture *fixture, gconstpointer data)
{
        g_assert_true(g_file_set_contents(fixture->baseline, DENY_BC, -1, NULL));
        apply(fixture, "web", DENY_A);
        start_with_each_fault(fixture, lose_all, FAULT_MEMORY, ENOMEM);
        assert_text(fixture, "baseline", DENY_BC);
        assert_trouble(fixture, "Only the packaged baseline");
        assert_agreement(fixture);
}

static void test_a_disk_that_takes_no_record_does_not_keep_the_baseline_back(Fixture *fixture,
                                                                             gconstpointer data)
{
        g_assert_true(g_file_set_contents(fixture->baseline, DENY_BC, -1, NULL));
        apply(fixture, "web", DENY_A);
        stop(fixture);
        lose_all(fixture);
        start_backend(fixture);
        fail("write", ENOSPC);
        g_assert_cmpint(try_start_enforcement(fixture), ==, 0);
        assert_met();
        g_assert_false(has_file(fixture, "state"));
        assert_text(fixture, "baseline", DENY_BC);
        assert_agreement(fixture);
}

/* It is a document as any other then. */
static void test_a_baseline_that_is_another_by_now_is_not_told(Fixture *fixture, gconstpointer data)
{
        g_assert_true(g_file_set_contents(fixture->baseline, DENY_BC, -1, NULL));
        apply(fixture, "web", DENY_A);
        stop(fixture);
        lose_all(fixture);
        start(fixture);
        assert_trouble(fixture, "Only the packaged baseline");
        g_assert_true(g_file_set_contents(fixture->baseline, DENY_A, -1, NULL));
        restart(fixture);
        assert_no_trouble(fixture);
        g_assert_cmpint(g_unlink(fixture->baseline), ==, 0);
        restart(fixture);
        assert_no_trouble(fixture);
}

static void test_without_a_marker_and_a_baseline_the_history_tells(Fixture *fixture,
                                                                   gconstpointer data)
{
        g_free(g_steal_pointer(&fixture->baseline));
        stop(fixture);
        lose_all(fixture);
        {
                g_autofree char *marker = g_steal_pointer(&fixture->marker);

                start(fixture);
                assert_no_trouble(fixture);
                apply(fixture, "web", DENY_A);
                stop(fixture);
                lose_all(fixture);
                put(fixture, "history", "1\t7\t0\ta\tb\tc\td\n");
                start(fixture);
                assert_trouble(fixture, "the packaged baseline cannot be put in its place");
                fixture->marker = g_steal_pointer(&marker);
        }
}

static void test_what_was_signed_and_is_there_is_not_brought_back(Fixture *fixture,
                                                                  gconstpointer data)
{
        believe(fixture);
        apply_web(fixture, 7, DENY_A);
        apply(fixture, "db", DENY_PORT);
        apply(fixture, "db", DENY_BC);
        stop(fixture);
        damage_record(fixture);
        start(fixture);
        g_assert_nonnull(
                strstr(enforcement_find(fixture->enforcement, "web")->document.text, "seq=7"));
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "web")->generation, ==, 1);
        assert_text(fixture, "db", DENY_PORT);
}

static void test_what_was_signed_and_has_no_room_is_left_out(Fixture *fixture, gconstpointer data)
{
        g_autofree char *bundle = state_file(fixture, "bundles/web.bundle"), *bytes = NULL;
        gsize n = 0;

        believe(fixture);
        apply_web(fixture, 7, DENY_A);
        g_assert_true(g_file_get_contents(bundle, &bytes, &n, NULL));
        removes(fixture, "web");
        for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
                g_autofree char *name = g_strdup_printf("d%03u", i);

                apply(fixture, name, DENY_A);
        }
        apply(fixture, "d000", DENY_AB);
        stop(fixture);
        g_assert_true(g_file_set_contents(bundle, bytes, (gssize) n, NULL));
        damage_record(fixture);
        start(fixture);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, DOCUMENTS_MAX);
        assert_text(fixture, "d000", DENY_A);
        assert_agreement(fixture);
}

#define ADD(function)                                                                              \
        g_test_add("/state-faults/" #function, Fixture, NULL, set_up_quietly, function,            \
                   tear_down_trust)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_why_something_is_not_in_force_is_told);
        ADD(test_whatever_is_changed_in_the_kernel_is_put_back);
        ADD(test_attempts_that_fail_grow_rarer);
        ADD(test_what_is_not_known_is_not_put_back);
        ADD(test_what_is_put_back_without_memory_is_tried_again);
        ADD(test_paths_that_cannot_be_followed_are_told_and_followed_later);
        ADD(test_a_kernel_that_was_changed_meanwhile_is_put_right_at_start);
        ADD(test_rules_in_force_that_cannot_be_named_stay_in_force);
        ADD(test_what_the_kernel_has_is_recorded_again);
        ADD(test_a_missing_record_and_a_damaged_one_before_are_told);
        ADD(test_a_start_that_finds_a_damaged_record_and_then_a_fault);
        ADD(test_a_start_that_ends_what_was_cut_off_and_then_a_fault);
        ADD(test_an_older_generation_stands_in_and_then_a_fault);
        ADD(test_what_was_signed_stands_in_and_then_a_fault);
        ADD(test_the_baseline_stands_in_and_then_a_fault);
        ADD(test_a_disk_that_takes_no_record_does_not_keep_the_baseline_back);
        ADD(test_a_baseline_that_is_another_by_now_is_not_told);
        ADD(test_without_a_marker_and_a_baseline_the_history_tells);
        ADD(test_what_was_signed_and_is_there_is_not_brought_back);
        ADD(test_what_was_signed_and_has_no_room_is_left_out);
        return g_test_run();
}
