/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy directory, over the twin of the backend: files are in force by their names, and what
 * differs is told. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transaction-fixture.h"

static void take_away(Fixture *fixture, const char *file)
{
        g_autofree char *path = folder_file(fixture, file);

        g_assert_cmpint(g_unlink(path), ==, 0);
}

static void load(Fixture *fixture)
{
        enforcement_load_folder(fixture->enforcement, NULL);
}

static void assert_drift(Fixture *fixture, const char *why)
{
        g_assert_true(enforcement_drift(fixture->enforcement));
        assert_trouble(fixture, why);
}

static void assert_none(Fixture *fixture)
{
        g_assert_false(enforcement_drift(fixture->enforcement));
        assert_no_trouble(fixture);
}

static void look(Fixture *fixture)
{
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
}

static void test_without_a_directory_there_is_nothing_to_load(Fixture *fixture, gconstpointer data)
{
        char *folder = fixture->folder;
        FolderReport report = {};

        fixture->folder = NULL;
        restart(fixture);
        g_assert_cmpint(enforcement_load_folder(fixture->enforcement, &report), ==,
                        TRANSACTION_E_NO_DIRECTORY);
        folder_report_deinit(&report);
        fixture->folder = folder;
}

/* ---- what is in force ---- */

static void test_files_are_in_force_by_their_names(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        put_file(fixture, "db.policy", DENY_PORT);
        put_file(fixture, "README", FAULTY);
        put_file(fixture, "web.policy.dpkg-new", FAULTY);
        put_file(fixture, ".hidden.policy", FAULTY);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_text(fixture, "db", DENY_PORT);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 2);
        assert_agreement(fixture);
        assert_none(fixture);
}

static void test_what_is_in_force_already_is_no_change(Fixture *fixture, gconstpointer data)
{
        uint64_t number;

        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        number = generation(fixture);
        load(fixture);
        restart(fixture);
        reboot(fixture);
        g_assert_cmpuint(generation(fixture), ==, number);
        assert_none(fixture);
}

static void test_a_file_stands_before_what_was_applied(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        apply(fixture, "web", DENY_AB);
        look(fixture);
        assert_drift(fixture, "web.policy is not what is in force");
        assert_text(fixture, "web", DENY_AB);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_none(fixture);
}

static void test_an_edit_is_told_and_waits_for_a_reload(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        look(fixture);
        assert_none(fixture);
        put_file(fixture, "web.policy", DENY_AB);
        look(fixture);
        assert_drift(fixture, "systemctl reload");
        assert_text(fixture, "web", DENY_A);
        load(fixture);
        assert_text(fixture, "web", DENY_AB);
        assert_none(fixture);
        put_file(fixture, "db.policy", DENY_PORT);
        look(fixture);
        assert_drift(fixture, "db.policy");
        take_away(fixture, "db.policy");
        look(fixture);
        assert_none(fixture);
}

/* ---- what takes nothing away ---- */

static void test_a_file_that_is_gone_takes_nothing_along(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        put_file(fixture, "db.policy", DENY_PORT);
        load(fixture);
        take_away(fixture, "web.policy");
        look(fixture);
        assert_drift(fixture, "web.policy is gone");
        load(fixture);
        reboot(fixture);
        assert_drift(fixture, "web.policy is gone");
        assert_text(fixture, "web", DENY_A);
        removes(fixture, "web");
        look(fixture);
        assert_none(fixture);
        apply(fixture, "web", DENY_A);
        put_file(fixture, "other.policy", DENY_BC);
        load(fixture);
        restart(fixture);
        look(fixture);
}

static void test_a_directory_that_is_gone_takes_nothing_along(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        empty_folder(fixture->folder);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_drift(fixture, "web.policy is gone");
}

static void test_a_faulty_file_is_named_with_its_line(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "web.policy", DENY_A);
        put_file(fixture, "db.policy", DENY_PORT);
        load(fixture);
        put_file(fixture, "web.policy", FAULTY);
        put_file(fixture, "db.policy", DENY_BC);
        load(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_text(fixture, "db", DENY_BC);
        assert_drift(fixture, "web.policy:3: ");
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_drift(fixture, "web.policy:3: ");
        look(fixture);
        assert_drift(fixture, "web.policy:3: ");
        put_file(fixture, "web.policy", DENY_A);
        look(fixture);
        assert_none(fixture);
}

static void test_what_the_kernel_refuses_leaves_what_was(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        put_file(fixture, "web.policy", DENY_AB);
        wanted.fail_prepare = EINVAL;
        control(fixture, &wanted);
        load(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_drift(fixture, "the kernel did not take it");
        wanted.deny_hooks = 0;
        wanted.fail_prepare = 0;
        control(fixture, &wanted);
        load(fixture);
        assert_drift(fixture, "cannot deny on this machine");
        assert_text(fixture, "web", DENY_A);
}

static void test_nothing_is_loaded_in_the_place_of_what_is_unknown(Fixture *fixture,
                                                                   gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        put_file(fixture, "db.policy", DENY_PORT);
        empty_folder(fixture->state);
        before = kernel(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_drift(fixture, "is not loaded");
        apply(fixture, "web", DENY_A);
        load(fixture);
        assert_text(fixture, "db", DENY_PORT);
        assert_none(fixture);
}

static void test_what_was_found_at_start_is_told_though_files_are_loaded(Fixture *fixture,
                                                                         gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        put_file(fixture, "db.policy", DENY_PORT);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_text(fixture, "db", DENY_PORT);
        assert_trouble(fixture, "damaged");
}

/* ---- what is not taken ---- */

static void test_others_cannot_put_files_there(Fixture *fixture, gconstpointer data)
{
        g_autofree char *web = folder_file(fixture, "web.policy"),
                        *link = folder_file(fixture, "l.policy"),
                        *folder = folder_file(fixture, "f.policy");

        put_file(fixture, "web.policy", DENY_A);
        g_assert_cmpint(g_chmod(web, 0666), ==, 0);
        load(fixture);
        assert_drift(fixture, "web.policy is not read: it belongs to another");
        g_assert_cmpint(g_chmod(web, 0644), ==, 0);
        g_assert_cmpint(symlink("web.policy", link), ==, 0);
        load(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_drift(fixture, "l.policy is not read: it is a symbolic link");
        take_away(fixture, "l.policy");
        g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
        load(fixture);
        assert_drift(fixture, "f.policy is not read: it is no file");
        g_assert_cmpint(g_rmdir(folder), ==, 0);
        g_assert_cmpint(g_chmod(fixture->folder, 0777), ==, 0);
        load(fixture);
        assert_drift(fixture, "policy.d is not read");
        assert_text(fixture, "web", DENY_A);
        if (geteuid() == 0) {
                g_assert_cmpint(g_chmod(fixture->folder, 0755), ==, 0);
                g_assert_cmpint(chown(web, 12345, 0), ==, 0);
                load(fixture);
                assert_drift(fixture, "web.policy is not read: it belongs to another");
        }
}

static void test_names_that_are_none_or_taken_are_told(Fixture *fixture, gconstpointer data)
{
        put_file(fixture, "a b.policy", DENY_A);
        load(fixture);
        assert_drift(fixture, "a b.policy has a name");
        take_away(fixture, "a b.policy");
        put_file(fixture, "exceptions.policy", DENY_A);
        load(fixture);
        assert_drift(fixture, "the name is the service's own");
        put_file(fixture, "runtime.policy", DENY_A);
        load(fixture);
        assert_drift(fixture, "the name is that of single rules");
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
}

static void test_too_many_or_too_large_are_told(Fixture *fixture, gconstpointer data)
{
        g_autofree char *large = g_strnfill(POLICY_SIZE_MAX + 1, '#');

        put_file(fixture, "web.policy", large);
        load(fixture);
        assert_drift(fixture, "web.policy is not read: File too large");
        take_away(fixture, "web.policy");
        for (unsigned i = 0; i <= DOCUMENTS_MAX; i++) {
                g_autofree char *name = g_strdup_printf("n%03u.policy", i);

                put_file(fixture, name, FAULTY);
        }
        load(fixture);
        assert_drift(fixture, "has more than 256");
}

static void test_a_trial_is_not_ended_by_a_file(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        plan->confirm_usec = 3600u * 1000000ul;
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number), ==, 0);
        put_file(fixture, "db.policy", DENY_PORT);
        load(fixture);
        g_assert_null(enforcement_find(fixture->enforcement, "db"));
        assert_drift(fixture, "on trial");
        g_assert_cmpint(enforcement_confirm(fixture->enforcement, EXPECT_ANY), ==, 0);
        load(fixture);
        assert_text(fixture, "db", DENY_PORT);
        assert_none(fixture);
}

static void test_a_damaged_list_harms_nothing(Fixture *fixture, gconstpointer data)
{
        static const char *const texts[] = {"", "web", "we b\nweb\n", "\n\n\n",
                                            ("0123456789012345678901234567890123456789"
                                             "0123456789012345678901234567890123456789\n")};
        g_autofree char *list = state_file(fixture, "loaded");

        put_file(fixture, "web.policy", DENY_A);
        load(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_assert_true(g_file_set_contents(list, texts[i], -1, NULL));
                restart(fixture);
                assert_text(fixture, "web", DENY_A);
                assert_none(fixture);
        }
        take_away(fixture, "web.policy");
        restart(fixture);
        assert_drift(fixture, "web.policy is gone");
}

#define ADD(function) g_test_add("/folder/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_files_are_in_force_by_their_names);
        ADD(test_what_is_in_force_already_is_no_change);
        ADD(test_a_file_stands_before_what_was_applied);
        ADD(test_without_a_directory_there_is_nothing_to_load);
        ADD(test_an_edit_is_told_and_waits_for_a_reload);
        ADD(test_a_file_that_is_gone_takes_nothing_along);
        ADD(test_a_directory_that_is_gone_takes_nothing_along);
        ADD(test_a_faulty_file_is_named_with_its_line);
        ADD(test_what_the_kernel_refuses_leaves_what_was);
        ADD(test_nothing_is_loaded_in_the_place_of_what_is_unknown);
        ADD(test_what_was_found_at_start_is_told_though_files_are_loaded);
        ADD(test_others_cannot_put_files_there);
        ADD(test_names_that_are_none_or_taken_are_told);
        ADD(test_too_many_or_too_large_are_told);
        ADD(test_a_trial_is_not_ended_by_a_file);
        ADD(test_a_damaged_list_harms_nothing);
        return g_test_run();
}
