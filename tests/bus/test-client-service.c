/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client and aegisd: the program that people use, as root and as a user, over a real bus with
 * a real polkit. */
#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "backend-twin.h"
#include "blocked.h"
#include "client-lab.h"
#include "client.h"

#define PATIENCE_MSEC 10000

/* ---- what an administrator does ---- */

static void test_a_policy_is_applied_shown_and_removed(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "+ [deny_path] /srv/one\nweb is in force: generation 1.\n");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
        run("policy show web", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, DOCUMENT);
        run("policies", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\nweb ");
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"posture\":\"enforcing\"");
        expect_in(outcome.out, "\"policies\":[\"web\"]");
        run("remove web", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "web is removed: generation 2.\n");
        run("remove web", STATUS_NO_SUCH_POLICY, &outcome);
}

static void test_an_equal_policy_changes_nothing(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("apply --json " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "{\"name\":\"web\",\"changed\":false,\"generation\":1,\"changes\":[],"
                        "\"diagnostics\":[]}\n");
        run("plan --check " WEB, STATUS_DONE, &outcome);
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_a_plan_shows_the_difference_and_changes_nothing(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        put(WEB, "version=1\n[deny_path]\n/srv/two\n");
        run("apply --check " WEB, STATUS_WOULD_CHANGE, &outcome);
        expect_in(outcome.out, "+ [deny_path] /srv/two\n");
        expect_in(outcome.out, "- [deny_path] /srv/one\n");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_faults_are_shown_and_the_old_policy_stays(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        put(WEB, FAULTY);
        run("apply " WEB, STATUS_INVALID, &outcome);
        expect_in(outcome.err, WEB ":3:1: ");
        expect_in(outcome.err, "\n    srv/one\n    ^\n");
        expect_in(outcome.err, WEB ":4:");
        run("plan --json " WEB, STATUS_INVALID, &outcome);
        expect_in(outcome.out, "\"diagnostics\":[{\"line\":3,\"column\":1,\"severity\":\"fault\"");
        run("policy show web", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, DOCUMENT);
}

static void test_nobodys_change_is_overwritten_unseen(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply --expect 0 " WEB, STATUS_DONE, &outcome);
        put(WEB, LONGER);
        run("apply --expect 0 " WEB, STATUS_STALE, &outcome);
        run("remove --expect 7 web", STATUS_STALE, &outcome);
        run("apply --expect 1 " WEB, STATUS_DONE, &outcome);
        g_assert_cmpuint(lab_generation(lab), ==, 2);
}

static void test_rules_are_added_listed_and_removed(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("rule add deny file:/srv/one access=read", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "[deny] file:/srv/one access=read is in force: generation 1.\n");
        run("rule add deny file:/srv/one access=read", STATUS_DONE, &outcome);
        expect_in(outcome.out, "was in force already: still generation 1.\n");
        run("rule add --ttl=30m allow file:/srv/two id=mine", STATUS_DONE, &outcome);
        run("rule list", STATUS_DONE, &outcome);
        expect_in(outcome.out, "runtime:3  deny     file:/srv/one access=read ");
        expect_in(outcome.out, "mine       allow    file:/srv/two ttl=30m id=mine  0\n");
        run("rule remove deny file:/srv/one", STATUS_NO_SUCH_POLICY, &outcome);
        expect_in(outcome.err,
                  "Cannot remove the rule [deny] file:/srv/one: the policy runtime has "
                  "no such rule; ");
        run("rule remove --expect 1 allow file:/srv/two id=mine", STATUS_STALE, &outcome);
        run("rule remove allow file:/srv/two id=mine", STATUS_DONE, &outcome);
        run("rule remove deny file:/srv/one access=read", STATUS_DONE, &outcome);
        run("rule list runtime", STATUS_NO_SUCH_POLICY, &outcome);
}

static void test_a_rule_is_checked_before_it_is_added(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run_as(LAB_USER, "rule add deny file:/srv/one --check", STATUS_WOULD_CHANGE, &outcome);
        run_as(LAB_USER, "rule add deny file:/srv/one", STATUS_REFUSED, &outcome);
        expect_in(outcome.err, "the polkit action org.aegis.enforcer.manage-rules.\n");
        run_as(LAB_USER, "rule add allow file:/srv/one", STATUS_REFUSED, &outcome);
        expect_in(outcome.err, "the polkit action org.aegis.enforcer.weaken.\n");
        run("rule add deny file:/srv/one mode=off", STATUS_INVALID, &outcome);
        expect_in(outcome.err, "entry:1:20: \"off\" is no mode");
        expect_in(outcome.err, "\n    file:/srv/one mode=off\n                       ^\n");
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static void test_the_mode_is_set_and_shown(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("mode audit", STATUS_DONE, &outcome);
        run("mode", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "audit\n");
        run("mode audit --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"changed\":false");
        run("mode enforce", STATUS_DONE, &outcome);
        run("status", STATUS_DONE, &outcome);
        expect_in(outcome.out, "Mode         enforce\n");
}

static void test_each_hook_is_listed(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        g_auto(GStrv) lines = NULL;

        run("hooks", STATUS_DONE, &outcome);
        lines = g_strsplit(outcome.out, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==,
                         N_HOOKS + 3); /* a heading, one reason, an empty end */
        expect_in(outcome.out, "socket_connect");
}

static void test_a_decision_is_explained(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("explain /srv/one", STATUS_DONE, &outcome);
        expect_in(outcome.out, "allowed: read, write, exec, create, delete, link, attr\n"
                               "  no rule decides it\n");
        put(WEB, "version=7\n[deny]\nfile:/srv/ why=\"ask Ann\"\n[allow]\nfile:/srv/one\n");
        run("apply " WEB, STATUS_DONE, &outcome);
        run("explain /srv/two access=write uid=33", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "denied: write\n"
                        "  by web, line 3: deny file:/srv/ why=\"ask Ann\"\n"
                        "  why: ask Ann\n");
        run("explain file:/srv/one access=read", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "allowed: read\n"
                        "  by web, line 5: allow file:/srv/one\n"
                        "  not by web, line 3: deny file:/srv/ why=\"ask Ann\" - a rule that comes "
                        "before it decides\n");
        run("mode audit", STATUS_DONE, &outcome);
        run("explain --json /srv/two access=read", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"mode\":\"audit\"");
        expect_in(outcome.out, "\"verdict\":\"audited\",\"policy\":\"web\",\"line\":3");
        run("explain file:/srv/two acces=read", STATUS_INVALID, &outcome);
        expect_in(outcome.err, "acces");
        run_as(LAB_USER, "--no-ask-password explain /srv/two", STATUS_DONE, &outcome);
}

static void test_who_changed_what_is_remembered(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("apply " WEB, STATUS_DONE, &outcome);
        run_as(LAB_USER, "apply --name " LAB_GRANTED " " WEB, STATUS_DONE, &outcome);
        run("mode audit", STATUS_DONE, &outcome);
        lab_stop(lab);
        lab_start_again(lab);
        run("history --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"generation\":1,\"uid\":0,");
        expect_in(outcome.out, "\"what\":\"Apply\",\"name\":\"web\",\"authorization\":\"root\"");
        expect_in(outcome.out, "\"generation\":2,\"uid\":1000,");
        expect_in(outcome.out, "\"name\":\"" LAB_GRANTED "\","
                               "\"authorization\":\"org.aegis.enforcer.apply-policy\"");
        expect_in(outcome.out, "\"what\":\"SetMode\",\"name\":\"audit\"");
        g_assert_null(strstr(outcome.out, "\"generation\":4"));
        run("history", STATUS_DONE, &outcome);
        expect_in(outcome.out, "root");
        expect_in(outcome.out, "SetMode");
}

static void test_an_earlier_generation_comes_back(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("rollback", STATUS_NO_SUCH_POLICY, &outcome);
        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        put(WEB, LONGER);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("mode audit", STATUS_DONE, &outcome);
        run("rollback --check", STATUS_WOULD_CHANGE, &outcome);
        expect_in(outcome.out, "- [deny_path] /srv/two\n");
        expect_in(outcome.out, "going back to generation 1.");
        g_assert_cmpuint(lab_generation(lab), ==, 3);
        run("rollback --expect=3", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "The policies of generation 1 are in force: generation 4.\n");
        run("policy show web", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, DOCUMENT);
        run("rollback --json 2", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "{\"to\":2,\"changed\":true,\"generation\":5}\n");
        run("rollback --check 2", STATUS_DONE, &outcome);
        run("rollback 99", STATUS_NO_SUCH_POLICY, &outcome);
        run("rollback x", STATUS_USAGE, &outcome);
        run("history --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"what\":\"Rollback\",\"name\":\"generation 1\"");
        expect_in(outcome.out, "\"kept\":true");
}

static void test_a_trial_is_shown_and_confirmed(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("confirm", STATUS_NO_SUCH_POLICY, &outcome);
        put(WEB, DOCUMENT);
        run("apply --confirm-timeout=5m " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "It is on trial for 300 seconds");
        run("status", STATUS_DONE, &outcome);
        expect_in(outcome.out, "On trial     generation 1 until ");
        put(WEB, LONGER);
        run("apply " WEB, STATUS_TRY_AGAIN, &outcome);
        run("confirm 7", STATUS_NO_SUCH_POLICY, &outcome);
        run("confirm", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "Generation 1 stays.\n");
        run("apply --confirm-timeout=1s " WEB, STATUS_USAGE, &outcome);
        run("apply " WEB, STATUS_DONE, &outcome);
}

static void test_the_kernel_is_let_go_of(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("release", STATUS_DONE, &outcome);
        expect_in(outcome.out, "Nothing is enforced now.");
        run("status", STATUS_DONE, &outcome);
        expect_in(outcome.out, "Released by uid 0");
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"drift\":true");
        run("mode enforce", STATUS_DONE, &outcome);
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"drift\":false");
}

static void test_capabilities_say_what_the_tier_is(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run("capabilities --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"tier\":\"lsm\"");
        run("capabilities", STATUS_DONE, &outcome);
        expect_in(outcome.out, "tier");
}

static void test_metrics_are_printed_for_those_who_collect_them(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        run_as(LAB_USER, "metrics", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\naegis_rules{policy=\"web\"} 1\n");
        g_assert_true(g_str_has_suffix(outcome.out, "\n# EOF\n"));
        run("metrics --json", STATUS_DONE, &outcome);
        g_assert_true(g_str_has_prefix(outcome.out, "{\"metrics\":\"# TYPE aegis_"));
}

static void test_what_this_machine_cannot_enforce_has_its_own_status(Lab *lab)
{
        TwinControl control = {.tier = TIER_LSM};
        g_auto(Outcome) outcome = {0};

        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_NOT_ENFORCEABLE, &outcome);
        expect_in(outcome.err, "'aegis-client hooks' shows what is missing");
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static void test_a_name_that_is_none_is_refused(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run("apply --name=../web " WEB, STATUS_USAGE, &outcome);
        expect_in(outcome.err, "a name is 1 to 64 of");
        run("can everything", STATUS_USAGE, &outcome);
}

/* ---- what a user may ---- */

static void test_a_user_is_refused_and_told_the_action(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run_as(LAB_USER, "apply " WEB, STATUS_REFUSED, &outcome);
        expect_in(outcome.err, "Not authorized to apply the policy web: ");
        expect_in(outcome.err, "the polkit action org.aegis.enforcer.apply-policy.\n");
        run_as(LAB_USER, "apply --name " LAB_REFUSED " " WEB, STATUS_REFUSED, &outcome);
        run_as(LAB_USER, "mode audit --no-ask-password", STATUS_REFUSED, &outcome);
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static void test_a_user_to_whom_polkit_grants_it_applies(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(WEB, DOCUMENT);
        run_as(LAB_USER, "apply --name " LAB_GRANTED " " WEB, STATUS_DONE, &outcome);
        run_as(LAB_USER, "status", STATUS_DONE, &outcome);
        expect_in(outcome.out, " by uid 1000");
}

static void test_can_foretells_polkits_answer(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        run_as(LAB_USER, "can plan", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "yes\n");
        run_as(LAB_USER, "can rollback", STATUS_REFUSED, &outcome);
        run_as(LAB_USER, "can weaken", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "challenge\n");
        run("can weaken", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "yes\n");
}

/* ---- events ---- */

static void inject(enum hook hook)
{
        struct event event = {.generation = 1,
                              .rule = 1,
                              .hook = hook,
                              .verdict = VERDICT_DENIED,
                              .pid = 42,
                              .uid = LAB_USER,
                              .comm = "c\033at"};

        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
}

/* Until the service has counted so many: they came by another way than our calls. */
static void test_remembered_events_are_printed_to_the_last(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        g_auto(GStrv) lines = NULL;

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        inject(HOOK_FILE_OPEN);
        inject(HOOK_SOCKET_CONNECT);
        client_wait_emitted("2");
        run_as(LAB_USER, "events", STATUS_DONE, &outcome);
        lines = g_strsplit(outcome.out, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 3);
        expect_in(lines[0], " denied file_open ");
        expect_in(lines[0], " by c\\x1bat[42] uid 1000; web:3: deny_path /srv/one");
        expect_in(lines[1], " denied socket_connect ");
        run_as(LAB_USER, "events --hook socket_connect --policy web --verdict denied --json",
               STATUS_DONE, &outcome);
        g_assert_true(g_str_has_prefix(outcome.out, "{\"seq\":2,"));
        run_as(LAB_USER, "events --verdict loud", STATUS_USAGE, &outcome);
}

static void test_more_events_than_a_socket_holds_all_come(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        g_auto(GStrv) lines = NULL;

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        for (unsigned i = 0; i < 1000; i++)
                inject(HOOK_FILE_OPEN);
        client_wait_emitted("1000");
        run("events --json", STATUS_DONE, &outcome);
        lines = g_strsplit(outcome.out, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 1001);
        run("events --since 990", STATUS_DONE, &outcome);
        g_strfreev(g_steal_pointer(&lines));
        lines = g_strsplit(outcome.out, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 12);
}

static char *read_line(int fd)
{
        g_autoptr(GString) line = g_string_new(NULL);
        char letter = 0;

        while (letter != '\n') {
                struct pollfd readable = {.fd = fd, .events = POLLIN};

                g_assert_cmpint(poll(&readable, 1, PATIENCE_MSEC), ==, 1);
                g_assert_cmpint(read(fd, &letter, 1), ==, 1);
                g_string_append_c(line, letter);
        }
        return g_string_free(g_steal_pointer(&line), FALSE);
}

static void test_followed_events_come_as_they_happen(Lab *lab)
{
        char *words[] = {(char *) CLIENT_PROGRAM,
                         (char *) "--json",
                         (char *) "events",
                         (char *) "--follow",
                         (char *) "--since",
                         (char *) "0",
                         NULL};
        g_autofree char *first = NULL, *second = NULL;
        g_auto(Outcome) outcome = {0};
        int fd, status;
        GPid pid;

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        inject(HOOK_FILE_OPEN);
        g_assert_true(g_spawn_async_with_pipes(
                "/", words, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, become,
                GUINT_TO_POINTER(LAB_USER), &pid, NULL, &fd, NULL, NULL));
        first = read_line(fd);
        inject(HOOK_FILE_OPEN);
        second = read_line(fd);
        g_assert_true(g_str_has_prefix(first, "{\"seq\":1,"));
        g_assert_true(g_str_has_prefix(second, "{\"seq\":2,"));
        lab_stop(lab); /* and the stream ends */
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(WEXITSTATUS(status), ==, STATUS_NO_SERVICE);
        close(fd);
        lab_start_again(lab);
}

static void test_without_the_service_nothing_is_claimed(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        lab_stop(lab);
        run("status", STATUS_NO_SERVICE, &outcome);
        run_as(LAB_USER, "apply /etc/hostname", STATUS_NO_SERVICE, &outcome);
        lab_start_again(lab);
}

/* ---- polkit's question ---- */

static int become_user_on_terminal(void)
{
        char *words[] = {(char *) CLIENT_PROGRAM, (char *) "apply", (char *) WEB, NULL};
        char *environment[] = {(char *) "LANG=C", NULL};

        become(GUINT_TO_POINTER(LAB_USER));
        return execve(words[0], words, environment);
}

static void read_until(int fd, const char *wanted, GString *shown)
{
        while (!strstr(shown->str, wanted)) {
                struct pollfd readable = {.fd = fd, .events = POLLIN};
                char buffer[512];
                ssize_t n;

                g_assert_cmpint(poll(&readable, 1, PATIENCE_MSEC), ==, 1);
                n = read(fd, buffer, sizeof(buffer));
                if (n <= 0)
                        g_error("\"%s\" is not in \"%s\"", wanted, shown->str);
                g_string_append_len(shown, buffer, n);
        }
}

/* pkttyagent prints its question, then throws away what was typed and turns the echo off; no event
 * tells of that. */
static void wait_for_silence(int fd)
{
        gint64 end = g_get_monotonic_time() + PATIENCE_MSEC * 1000;
        struct termios terminal;

        for (;;) {
                g_assert_cmpint(tcgetattr(fd, &terminal), ==, 0);
                if (!(terminal.c_lflag & ECHO))
                        return;
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_usleep(1000);
        }
}

static void test_polkit_asks_on_the_terminal(Lab *lab)
{
        g_autoptr(GString) shown = g_string_new(NULL);
        struct pollfd readable = {.events = POLLIN};
        int fd, status;
        pid_t pid;

        if (access("/usr/bin/pkttyagent", X_OK) < 0) {
                g_test_skip("pkttyagent is not installed");
                return;
        }
        put(WEB, DOCUMENT);
        pid = forkpty(&fd, NULL, NULL, NULL);
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0)
                _exit(become_user_on_terminal());
        readable.fd = fd;
        read_until(fd, "AUTHENTICATING FOR org.aegis.enforcer.apply-policy", shown);
        read_until(fd, "Password: ", shown);
        wait_for_silence(fd);
        /* The client, which explains long waits, does not speak while a password is typed. */
        g_assert_cmpint(poll(&readable, 1, (int) (CALL_QUIET_USEC / 1000) + 300), ==, 0);
        g_assert_cmpint(write(fd, "guess\n", 6), ==, 6);
        read_until(fd, "Not authorized to apply the policy web", shown);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(WEXITSTATUS(status), ==, STATUS_REFUSED);
        g_assert_cmpuint(lab_generation(lab), ==, 0);
        close(fd);
}

static const LabTest tests[] = {
#define TEST(function)                                                                             \
        {                                                                                          \
#function, function                                                                \
        }
        TEST(test_a_policy_is_applied_shown_and_removed),
        TEST(test_an_equal_policy_changes_nothing),
        TEST(test_a_plan_shows_the_difference_and_changes_nothing),
        TEST(test_faults_are_shown_and_the_old_policy_stays),
        TEST(test_nobodys_change_is_overwritten_unseen),
        TEST(test_rules_are_added_listed_and_removed),
        TEST(test_a_rule_is_checked_before_it_is_added),
        TEST(test_the_mode_is_set_and_shown),
        TEST(test_each_hook_is_listed),
        TEST(test_a_decision_is_explained),
        TEST(test_who_changed_what_is_remembered),
        TEST(test_an_earlier_generation_comes_back),
        TEST(test_a_trial_is_shown_and_confirmed),
        TEST(test_the_kernel_is_let_go_of),
        TEST(test_capabilities_say_what_the_tier_is),
        TEST(test_metrics_are_printed_for_those_who_collect_them),
        TEST(test_what_this_machine_cannot_enforce_has_its_own_status),
        TEST(test_a_name_that_is_none_is_refused),
        TEST(test_a_user_is_refused_and_told_the_action),
        TEST(test_a_user_to_whom_polkit_grants_it_applies),
        TEST(test_can_foretells_polkits_answer),
        TEST(test_remembered_events_are_printed_to_the_last),
        TEST(test_more_events_than_a_socket_holds_all_come),
        TEST(test_followed_events_come_as_they_happen),
        TEST(test_without_the_service_nothing_is_claimed),
        TEST(test_polkit_asks_on_the_terminal),
};

int main(int argc, char **argv)
{
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
