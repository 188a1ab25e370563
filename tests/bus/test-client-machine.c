/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client about the machine: its hooks, one by one, and what doctor finds wrong with it. */
#include <glib/gstdio.h>
#include <string.h>

#include "abi.h"
#include "backend-twin.h"
#include "client-lab.h"
#include "client.h"

static void test_one_hook_has_a_mode_of_its_own(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run_as(LAB_USER, "mode audit --hook=file_open", STATUS_REFUSED, &outcome);
        expect_in(outcome.err, "the polkit action org.aegis.enforcer.weaken.\n");
        run("mode audit --hook=file_open", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "The mode of the hook file_open is now audit: generation 2.\n");
        lab_stop(lab);
        lab_start_again(lab);
        run("mode audit --hook=file_open --json", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "{\"hook\":\"file_open\",\"mode\":\"audit\",\"changed\":false,"
                        "\"generation\":2}\n");
        run("mode --hook=file_open", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "audit\n");
        run("mode --hook=inode_rename", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "enforce\n");
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"posture\":\"enforcing-partly\"");
        expect_in(outcome.out, "hook file_open is in audit mode");
        run("explain /srv/one access=read", STATUS_DONE, &outcome);
        expect_in(outcome.out, "only recorded at the hooks in audit mode: file_open\n");
        run("history", STATUS_DONE, &outcome);
        expect_in(outcome.out, "file_open audit");
        run("mode enforce --hook=no_hook", STATUS_USAGE, &outcome);
        expect_in(outcome.err, "there is no such hook; 'aegis-client hooks' lists them.\n");
        run("mode enforce --hook=file_open", STATUS_DONE, &outcome);
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"posture\":\"enforcing\"");
}

/* ---- another machine ---- */

/* In ssh's place, what sshd would run there: the bridge to the bus of the other machine. */
#define SSH                                                                                        \
        "#!/bin/sh\n"                                                                              \
        "echo \"$@\" >/run/lab/asked\n"                                                            \
        "exec systemd-stdio-bridge\n"

static void test_another_machine_is_reached_over_ssh(Lab *lab)
{
        g_autofree char *path = g_strconcat("/run/lab/bin:", g_getenv("PATH"), NULL);
        g_autofree char *before = g_strdup(g_getenv("PATH")), *asked = NULL;
        g_auto(Outcome) outcome = {0};

        g_assert_cmpint(g_mkdir_with_parents("/run/lab/bin", 0755), ==, 0);
        put("/run/lab/bin/ssh", SSH);
        g_assert_cmpint(g_chmod("/run/lab/bin/ssh", 0755), ==, 0);
        put(WEB, DOCUMENT);
        g_setenv("PATH", path, TRUE);
        run("--host=ann@far.example apply " WEB, STATUS_DONE, &outcome);
        run("-H ann@far.example policy show web", STATUS_DONE, &outcome);
        g_setenv("PATH", before, TRUE);
        g_assert_cmpstr(outcome.out, ==, DOCUMENT);
        g_assert_cmpuint(lab_generation(lab), ==, 1);
        g_assert_true(g_file_get_contents("/run/lab/asked", &asked, NULL, NULL));
        expect_in(asked, "ann@far.example systemd-stdio-bridge");
        run("-H ann@far.example -M box status", STATUS_USAGE, &outcome);
}

static void test_a_container_that_is_not_there_is_said_so(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("-M no-such-container status", STATUS_NO_SERVICE, &outcome);
        expect_in(outcome.err, "no-such-container");
}

/* ---- doctor ---- */

static void expect_finding(const Outcome *outcome, const char *check, const char *severity,
                           const char *mend)
{
        g_autofree char *begin =
                g_strdup_printf("{\"check\":\"%s\",\"severity\":\"%s\"", check, severity);
        const char *found = strstr(outcome->out, begin), *end;
        g_autofree char *finding = NULL;

        if (!found)
                g_error("%s is not in %s", begin, outcome->out);
        end = strchr(found, '}');
        finding = g_strndup(found, (gsize) (end - found));
        expect_in(finding, mend);
}

/* What this machine lacks is its own affair; the rest is the lab's. */
static void doctor(uid_t uid, Outcome *ret_outcome)
{
        run_freely_as(uid, "doctor --json", ret_outcome);
        g_assert_cmpstr(ret_outcome->err, ==, "");
        g_assert_cmpint(ret_outcome->status, ==,
                        strstr(ret_outcome->out, "\"problem\"") ? STATUS_TO_MEND : STATUS_DONE);
        expect_in(ret_outcome->out, ret_outcome->status == STATUS_DONE ? "{\"healthy\":true,"
                                                                       : "{\"healthy\":false,");
}

static void test_doctor_finds_what_is_wrong_and_tells_the_command(Lab *lab)
{
        TwinControl control = {.tier = TIER_LSM, .deny_hooks = UINT64_MAX};
        g_auto(Outcome) outcome = {0};

        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "service", "ok", "\"mend\":\"\"");
        expect_finding(&outcome, "version", "ok", "aegisd");
        expect_finding(&outcome, "polkit", "ok", "\"mend\":\"\"");
        expect_finding(&outcome, "policy", "note", "\"mend\":\"aegis-client apply FILE\"");
        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("mode audit --hook=file_open", STATUS_DONE, &outcome);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "hook", "note", "aegis-client mode enforce --hook=file_open");
        run("mode audit", STATUS_DONE, &outcome);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "mode", "note", "\"mend\":\"aegis-client mode enforce\"");
        g_assert_null(strstr(outcome.out, "\"check\":\"hook\""));
        control.deny_hooks = ~HOOK_BIT(HOOK_INODE_RENAME);
        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "hook", "problem", "the hook inode_rename is needed and cannot");
        g_assert_cmpint(outcome.status, ==, STATUS_TO_MEND);
}

static void test_doctor_tells_of_a_damaged_record(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        lab_stop(lab);
        put("/run/lab/state/state", "nonsense");
        lab_start_again(lab);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "state", "problem", "then aegis-client apply FILE for each");
        g_assert_cmpint(outcome.status, ==, STATUS_TO_MEND);
}

static void test_doctor_tells_of_drift(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("release", STATUS_DONE, &outcome);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "released", "problem", "sudo systemctl restart aegisd");
        run("mode audit", STATUS_DONE, &outcome);
        run("mode enforce", STATUS_DONE, &outcome);
        doctor(LAB_USER, &outcome);
        g_assert_null(strstr(outcome.out, "\"check\":\"released\""));
}

static void test_doctor_works_without_the_service(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        lab_stop(lab);
        doctor(LAB_USER, &outcome);
        expect_finding(&outcome, "service", "problem", "sudo systemctl start aegisd");
        g_assert_cmpint(outcome.status, ==, STATUS_TO_MEND);
        run("doctor", STATUS_TO_MEND, &outcome);
        expect_in(outcome.out, "problem  the service does not run\n"
                               "         what was in force stays so, and nobody can change it\n"
                               "         mend: sudo systemctl start aegisd");
        lab_start_again(lab);
}

static const LabTest tests[] = {
#define TEST(function)                                                                             \
        {                                                                                          \
#function, function                                                                \
        }
        TEST(test_one_hook_has_a_mode_of_its_own),
        TEST(test_another_machine_is_reached_over_ssh),
        TEST(test_a_container_that_is_not_there_is_said_so),
        TEST(test_doctor_finds_what_is_wrong_and_tells_the_command),
        TEST(test_doctor_tells_of_a_damaged_record),
        TEST(test_doctor_tells_of_drift),
        TEST(test_doctor_works_without_the_service),
};

int main(int argc, char **argv)
{
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
