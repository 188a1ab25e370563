/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client in scripts: what would change is told and not done, warnings come before what they
 * are about, and exit statuses say which it was. */
#include <string.h>

#include "client-lab.h"
#include "client.h"

#define MAIL "/run/lab/mail.policy"
#define DOUBTFUL "version=1\n[deny_path]\n/srv/one\n/srv/one\n"

static void test_a_diff_exits_with_one_where_there_is_one(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("diff " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "");
        put(WEB, "version=1\n[deny_path]\n/srv/two\n");
        put(MAIL, "version=1\n[deny_port]\n25:tcp\n");
        run("diff " WEB " " MAIL, STATUS_DIFFERENT, &outcome);
        expect_in(outcome.out, "--- web in force\n+++ " WEB "\n");
        expect_in(outcome.out, "- [deny_path] /srv/one\n");
        expect_in(outcome.out, "+ [deny_path] /srv/two\n");
        expect_in(outcome.out, "--- mail in force\n+++ " MAIL "\n+ [deny_port] 25:tcp\n");
        run("diff --json " WEB " " MAIL, STATUS_DIFFERENT, &outcome);
        expect_in(outcome.out,
                  "{\"changed\":true,\"policies\":[{\"name\":\"web\",\"changed\":true,");
        run("diff --name=other " WEB " " MAIL, STATUS_USAGE, &outcome);
        run("diff /run/lab/none", STATUS_USAGE, &outcome);
        run("diff --json /run/lab/none", STATUS_USAGE, &outcome);
        expect_in(outcome.out, "\"exit_status\":2");
        put(WEB, FAULTY);
        run("diff " WEB, STATUS_INVALID, &outcome);
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_what_would_change_is_told_and_not_done(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, LONGER);
        run("apply --check --diff " WEB, STATUS_WOULD_CHANGE, &outcome);
        expect_in(outcome.out, "--- web in force\n+++ " WEB "\n+ ");
        run("apply " WEB, STATUS_DONE, &outcome);
        run("apply --check " WEB, STATUS_DONE, &outcome);
        run("remove --check web", STATUS_WOULD_CHANGE, &outcome);
        expect_in(outcome.out, "- [deny_path] /srv/two\n");
        expect_in(outcome.out, "web would be removed.\n");
        run("remove --check --json web", STATUS_WOULD_CHANGE, &outcome);
        expect_in(outcome.out,
                  "{\"name\":\"web\",\"changed\":true,\"changes\":[{\"kind\":\"removed\",");
        run("remove --check mail", STATUS_NO_SUCH_POLICY, &outcome);
        run("mode audit --check --diff", STATUS_WOULD_CHANGE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "--- mode in force\n+++ mode\n- enforce\n+ audit\n"
                        "The mode would be audit.\n");
        run("mode enforce --check --json", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "{\"mode\":\"enforce\",\"changed\":false,\"generation\":1}\n");
        run("mode audit --check --hook=file_open", STATUS_WOULD_CHANGE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "The mode of the hook file_open would be audit.\n");
        run("rule add --check --diff deny file:/srv/six", STATUS_WOULD_CHANGE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "--- runtime in force\n+++ runtime\n+ [deny] file:/srv/six\n");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_what_is_done_is_shown_as_a_diff(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply --diff " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "--- web in force\n+++ " WEB "\n+ [deny_path] /srv/one\n"
                        "web is in force: generation 1.\n");
        run("mode audit --diff", STATUS_DONE, &outcome);
        expect_in(outcome.out, "- enforce\n+ audit\nThe mode is now audit: generation 2.\n");
        run("remove --diff web", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "--- web in force\n+++ /dev/null\n- [deny_path] /srv/one\n"
                        "web is removed: generation 3.\n");
}

static void test_warnings_are_shown_before_a_policy_is_applied(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOUBTFUL);
        run("apply " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.err, WEB ":4:1: warning: ");
        expect_in(outcome.err, "\n    /srv/one\n    ^\n");
        run("remove web", STATUS_DONE, &outcome);
        run("apply --json " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.err, ==, "");
        expect_in(outcome.out, "\"diagnostics\":[{\"line\":4,\"column\":1,");
        run("remove web", STATUS_DONE, &outcome);
        run("apply --quiet " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.err, ==, "");
        run("plan --quiet " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.err, ==, "");
}

/* Whoever may apply and not plan is not asked twice. */
static void test_warnings_cost_nobody_a_question(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOUBTFUL);
        run_as(LAB_USER, "apply --name " LAB_GRANTED " " WEB, STATUS_DONE, &outcome);
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static const LabTest tests[] = {
#define TEST(function)                                                                             \
        {                                                                                          \
#function, function                                                                \
        }
        TEST(test_a_diff_exits_with_one_where_there_is_one),
        TEST(test_what_would_change_is_told_and_not_done),
        TEST(test_what_is_done_is_shown_as_a_diff),
        TEST(test_warnings_are_shown_before_a_policy_is_applied),
        TEST(test_warnings_cost_nobody_a_question),
};

int main(int argc, char **argv)
{
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
