/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FolderReport: what is noted is copied, no more than there is room for, and all of it or not at
 * all. */
#include <errno.h>
#include <glib.h>

#include "fault.h"
#include "transaction/internal.h"

#define FOLDER "/etc/aegis/policy.d"

static const FolderFault fault = {.line = 3, .message = (char *) "is not read"};

static void test_what_is_noted_is_copied(void)
{
        _cleanup_(folder_report_deinit) FolderReport report = {};
        char name[] = "web";

        g_assert_cmpint(folder_report_name(&report, name), ==, 0);
        name[0] = 'x';
        g_assert_cmpint(folder_report_fault(&report, FOLDER, "web.policy", &fault), ==, 0);
        g_assert_cmpint(folder_report_fault(&report, FOLDER, NULL, &fault), ==, 0);
        g_assert_cmpuint(report.n_names, ==, 1);
        g_assert_cmpstr(report.names[0], ==, "web");
        g_assert_cmpuint(report.n_faults, ==, 2);
        g_assert_cmpstr(report.faults[0].file, ==, FOLDER "/web.policy");
        g_assert_cmpstr(report.faults[1].file, ==, FOLDER);
        g_assert_cmpuint(report.faults[1].line, ==, 3);
        g_assert_cmpstr(report.faults[1].message, ==, fault.message);
        g_assert_true(report.faults[1].message != fault.message);
}

static void test_what_there_is_no_room_for_is_left_out(void)
{
        _cleanup_(folder_report_deinit) FolderReport report = {};

        for (unsigned i = 0; i <= DOCUMENTS_MAX; i++)
                g_assert_cmpint(folder_report_name(&report, i < DOCUMENTS_MAX ? "web" : "db"), ==,
                                0);
        for (unsigned i = 0; i <= FOLDER_FAULTS_MAX; i++)
                g_assert_cmpint(folder_report_fault(
                                        &report, FOLDER,
                                        i < FOLDER_FAULTS_MAX ? "web.policy" : "db.policy", &fault),
                                ==, 0);
        g_assert_cmpuint(report.n_names, ==, DOCUMENTS_MAX);
        g_assert_cmpstr(report.names[DOCUMENTS_MAX - 1], ==, "web");
        g_assert_cmpuint(report.n_faults, ==, FOLDER_FAULTS_MAX);
        g_assert_cmpstr(report.faults[FOLDER_FAULTS_MAX - 1].file, ==, FOLDER "/web.policy");
}

static int note_both(FolderReport *report)
{
        int r = folder_report_name(report, "web");

        return r == 0 ? folder_report_fault(report, FOLDER, "web.policy", &fault) : r;
}

static void test_without_memory_it_says_so(void)
{
        unsigned n = 0;
        int r;

        do {
                _cleanup_(folder_report_deinit) FolderReport report = {};

                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                r = note_both(&report);
                g_assert_cmpint(r, ==, fail_no_more() >= n ? -ENOMEM : 0);
        } while (r != 0);
        g_assert_cmpuint(n, ==, 5); /* the name, the array, the file, the message; none */
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/folder-report/" #name, name)
        TEST(test_what_is_noted_is_copied);
        TEST(test_what_there_is_no_room_for_is_left_out);
        TEST(test_without_memory_it_says_so);
        return g_test_run();
}
