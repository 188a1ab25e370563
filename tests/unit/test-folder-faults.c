/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy directory, over the twin of the backend, when a call fails, and with in it what is
 * told in the end only. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fault.h"
#include "signed-fixture.h"
#include "transaction/internal.h"
#include "util/log.h"

static void set_up_quietly(Fixture *fixture, gconstpointer data)
{
        log_set_max_level(LOG_EMERG);
        set_up(fixture, data);
}

static void load(Fixture *fixture)
{
        g_assert_cmpint(enforcement_load_folder(fixture->enforcement, NULL), ==, 0);
}

static void check(Fixture *fixture)
{
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
}

/* ---- calls that fail ---- */

static void test_what_fails_is_told_and_loaded_later(Fixture *fixture, gconstpointer data)
{
        static const struct {
                const char *call, *told;
        } faults[] = {
                {"strndup", "web.policy is not read: "},
                {"open_memstream", "web.policy cannot be put in force: "},
                {"fclose", "web.policy cannot be put in force: "},
                {"write", "web.policy cannot be put in force: "},
                {"scandirat64", "is not read: "},
        };

        put_file(fixture, "web.policy", DENY_A);
        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                fail(faults[i].call, ENOSPC);
                load(fixture);
                assert_met();
                assert_trouble(fixture, faults[i].told);
                g_assert_null(enforcement_find(fixture->enforcement, "web"));
        }
        load(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_what_cannot_be_noted_is_told(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        put_file(fixture, "web.policy", DENY_A);
        fail("write", ENOSPC);
        load(fixture);
        assert_met();
        assert_trouble(fixture, "web.policy cannot be noted: No space left on device");
        load(fixture);
        assert_no_trouble(fixture);
}

static void test_what_came_from_files_may_not_be_known(Fixture *fixture, gconstpointer data)
{
        g_autofree char *loaded = state_file(fixture, "loaded");

        put_file(fixture, "web.policy", DENY_A);
        stop(fixture);
        start_backend(fixture);
        fail("strdup", ENOMEM);
        g_assert_cmpint(try_start_enforcement(fixture), ==, -ENOMEM);
        assert_met();
        stop(fixture);
        g_assert_cmpint(g_mkdir(loaded, 0700), ==, 0);
        start(fixture);
        assert_trouble(fixture, "web.policy cannot be put in force: Is a directory");
        g_assert_cmpint(g_rmdir(loaded), ==, 0);
        load(fixture);
        assert_text(fixture, "web", DENY_A);
}

/* A report is whole, or it says so. */
static void test_a_report_without_memory_is_not_whole(Fixture *fixture, gconstpointer data)
{
        Enforcement *enforcement = fixture->enforcement;
        unsigned n = 0, n_failed = 0, n_faults = 0;
        int r;

        put_file(fixture, "db.policy", DENY_PORT);
        put_file(fixture, "web.policy", "version=1\n[deny_path]\nnot-absolute\nneither\n");
        do {
                _cleanup_(folder_report_deinit) FolderReport report = {};

                /* It is read and compiled anew. */
                enforcement->reading.policy = policy_unref(enforcement->reading.policy);
                enforcement->compilation = compilation_free(enforcement->compilation);
                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                r = enforcement_look_at_folder(enforcement, &report);
                n_failed += r < 0;
                n_faults += report.n_faults == 2 && report.n_names == 1;
                g_assert_true(r == 0 || r == -ENOMEM);
                g_assert_true(r < 0 || report.n_faults > 0);
        } while (fail_no_more() >= n);
        g_assert_cmpuint(n_failed, >=, 3);
        g_assert_cmpuint(n_faults, >, 0);
        assert_no_trouble(fixture);
        g_assert_null(enforcement_find(fixture->enforcement, "db"));
}

/* ---- what is there ---- */

static void test_warnings_before_a_fault_are_not_it(Fixture *fixture, gconstpointer data)
{
        _cleanup_(folder_report_deinit) FolderReport report = {};

        put_file(fixture, "web.policy", "version=1\n[deny_path]\n/c//d\nnot-absolute\n");
        g_assert_cmpint(enforcement_load_folder(fixture->enforcement, &report), ==, 0);
        g_assert_cmpuint(report.n_faults, ==, 1);
        g_assert_cmpuint(report.faults[0].line, ==, 4);
        assert_trouble(fixture, "web.policy:4: ");
}

static void test_one_more_than_there_may_be_is_told(Fixture *fixture, gconstpointer data)
{
        for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
                g_autofree char *name = g_strdup_printf("d%03u", i);

                apply(fixture, name, DENY_A);
        }
        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        assert_trouble(fixture, "web.policy cannot be put in force: it is too much");
}

static void test_a_text_of_the_same_length_is_another(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_AB);
        load(fixture);
        put_file(fixture, "web.policy", DENY_BC);
        check(fixture);
        assert_trouble(fixture, "web.policy is not what is in force");
        load(fixture);
        assert_text(fixture, "web", DENY_BC);
}

static void put_signed(Fixture *fixture, unsigned seq)
{
        g_autoptr(Signed) what = web(seq, DENY_A);

        put_file(fixture, "web.policy", what->text);
        put_file(fixture, "web.policy.minisig", what->signatures[0]);
}

static void test_a_signed_file_that_is_touched_is_no_other(Fixture *fixture, gconstpointer data)
{
        g_autofree char *beside = folder_file(fixture, "web.policy.minisig");
        g_autofree char *file = folder_file(fixture, "web.policy");

        believe(fixture);
        put_signed(fixture, 7);
        /* Nor is this a signature. */
        put_file(fixture, "web.policy.d.policy", DENY_PORT);
        load(fixture);
        g_assert_true(is_signed(fixture, "web"));
        assert_text(fixture, "web.policy.d", DENY_PORT);
        g_assert_cmpint(g_chmod(file, 0640), ==, 0);
        check(fixture);
        assert_no_trouble(fixture);
        put_signed(fixture, 8);
        g_assert_cmpint(g_chmod(beside, 0666), ==, 0);
        load(fixture);
        assert_trouble(fixture, "web.policy cannot be put in force: Operation not permitted");
        g_assert_true(has_text(fixture, "web", "#seq=7\n"));
        g_assert_cmpint(g_chmod(beside, 0644), ==, 0);
        load(fixture);
        g_assert_true(has_text(fixture, "web", "#seq=8\n"));
}

static void test_without_a_directory_there_is_nothing_to_load(Fixture *fixture, gconstpointer data)
{
        g_autofree char *folder = g_steal_pointer(&fixture->folder);

        restart(fixture);
        check(fixture);
        g_assert_cmpint(enforcement_load_folder(fixture->enforcement, NULL), ==,
                        TRANSACTION_E_NO_DIRECTORY);
        assert_no_trouble(fixture);
        fixture->folder = g_steal_pointer(&folder);
}

/* What is in force is not known; neither is, then, what of the directory is in force. */
static void test_a_directory_that_is_not_there_is_no_trouble_to_the_unknown(Fixture *fixture,
                                                                            gconstpointer data)
{
        g_autofree char *generations = state_file(fixture, "generations");

        apply(fixture, "web", DENY_A);
        stop(fixture);
        empty_folder(generations);
        empty_folder(fixture->state);
        start(fixture);
        assert_trouble(fixture, "goes on enforcing");
        load(fixture);
        check(fixture);
        g_assert_false(fixture->enforcement->folder.differs);
        g_mkdir(fixture->folder, 0755);
        load(fixture);
        g_assert_false(fixture->enforcement->folder.differs);
        put_file(fixture, "db.policy", DENY_PORT);
        load(fixture);
        assert_trouble(fixture, "is not loaded");
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
}

#define ADD(function)                                                                              \
        g_test_add("/folder-faults/" #function, Fixture, NULL, set_up_quietly, function,           \
                   tear_down_trust)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_what_fails_is_told_and_loaded_later);
        ADD(test_what_cannot_be_noted_is_told);
        ADD(test_what_came_from_files_may_not_be_known);
        ADD(test_a_report_without_memory_is_not_whole);
        ADD(test_warnings_before_a_fault_are_not_it);
        ADD(test_one_more_than_there_may_be_is_told);
        ADD(test_a_text_of_the_same_length_is_another);
        ADD(test_a_signed_file_that_is_touched_is_no_other);
        ADD(test_without_a_directory_there_is_nothing_to_load);
        ADD(test_a_directory_that_is_not_there_is_no_trouble_to_the_unknown);
        return g_test_run();
}
