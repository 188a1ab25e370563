/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client as a program, before a peer that answers as the service would, and as it must not.
 */
#include <glib.h>
#include <string.h>

#include "client-peer.h"
#include "client.h"

/* ---- answers ---- */

#define CHECK(expression) g_assert_cmpint((expression), >=, 0)

static int answer_manager(sd_bus_message *call, sd_bus_error *error)
{
        sd_bus_message *reply = NULL;

        CHECK(sd_bus_message_new_method_return(call, &reply));
        CHECK(sd_bus_message_append(
                reply, "a{sv}", 10, "Version", "s", "0.1.0", "ApiVersion", "u", 1, "Mode", "s",
                "enforce", "Posture", "s", "enforcing", "PostureReasons", "as", 2, "one",
                "two\033[31m", "Generation", "t", UINT64_MAX - 1, "LastChange", "(ttus)",
                UINT64_C(1700000000000000), UINT64_C(7), 0, ":1.5", "Unheard", "a{s(ih)}", 0,
                "Policies", "as", 2, "base", "web", "Hooks", "a{su}", 5, "all", 1, "attached", 0,
                "denying", 1, "required", 0, "missing", 0));
        CHECK(sd_bus_send(NULL, reply, NULL));
        sd_bus_message_unref(reply);
        return 0;
}

static int answer_policy(sd_bus_message *call, sd_bus_error *error)
{
        const char *path = sd_bus_message_get_path(call);
        sd_bus_message *reply = NULL;

        if (g_str_equal(path, SERVICE_PATH "/policy/gone"))
                return sd_bus_error_set(error, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such object");
        CHECK(sd_bus_message_new_method_return(call, &reply));
        CHECK(sd_bus_message_append(reply, "a{sv}", 4, "Name", "s", strrchr(path, '/') + 1,
                                    "Generation", "t", UINT64_C(3), "Rules", "u", 12, "Unheard",
                                    "a{s(ih)}", 0));
        CHECK(sd_bus_send(NULL, reply, NULL));
        sd_bus_message_unref(reply);
        return 0;
}

static int answer_get_all(sd_bus_message *call, sd_bus_error *error)
{
        return g_str_equal(sd_bus_message_get_path(call), SERVICE_PATH)
                       ? answer_manager(call, error)
                       : answer_policy(call, error);
}

/* One of them goes before it is asked for. */
static int answer_policies(sd_bus_message *call, sd_bus_error *error)
{
        const char *interface, *property;

        CHECK(sd_bus_message_read(call, "ss", &interface, &property));
        g_assert_cmpstr(property, ==, "Policies");
        return sd_bus_reply_method_return(call, "v", "as", 3, "web", "gone", "base");
}

static int answer_hooks(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(
                call, "a(ssssbsbsttto)", 2, "socket_bind", "bpf_lsm_socket_bind", "none", "none", 0,
                "enforce", 0, "no rule needs it\033[1m", UINT64_C(0), UINT64_C(0), UINT64_C(0),
                SERVICE_PATH "/hook/socket_bind", "file_open", "bpf_lsm_file_open", "lsm", "deny",
                1, "audit", 1, "", UINT64_C(9), UINT64_C(7), UINT64_C(5),
                SERVICE_PATH "/hook/file_open");
}

static int answer_document(sd_bus_message *call, sd_bus_error *error)
{
        g_assert_cmpstr(sd_bus_message_get_path(call), ==, SERVICE_PATH "/policy/web");
        return sd_bus_reply_method_return(call, "s", "version=1\n\033[1m\n");
}

static int answer_apply(sd_bus_message *call, sd_bus_error *error)
{
        const char *name, *document;
        uint64_t expect;

        CHECK(sd_bus_message_read(call, "ssast", &name, &document, 0, &expect));
        g_assert_cmpstr(name, ==, "web");
        g_assert_cmpstr(document, ==, SCENE_DOCUMENT);
        if (expect != UINT64_MAX && expect != 4)
                return sd_bus_error_set(error, ERROR_PREFIX "GenerationMismatch",
                                        "generation 4 is in force, not 3");
        return sd_bus_reply_method_return(call, "bta(sss)", 1, UINT64_C(5), 3, "added", "deny_path",
                                          "/srv/x", "removed", "deny_ip", "192.0.2.1", "omitted",
                                          "", "9 more changes");
}

static int answer_equal(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "bta(sss)", 0, UINT64_C(5), 0);
}

static int answer_faulty(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_error_set(error, ERROR_PREFIX "InvalidPolicy",
                                "web:3:1: not an absolute path; begin it with a slash\n"
                                "web: no such thing\n");
}

static int answer_plan(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "ba(sss)a(uuss)", 1, 1, "added", "deny_path",
                                          "/srv/x", 1, 3, 1, "covered already", "leave it out");
}

static int answer_equal_plan(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "ba(sss)a(uuss)", 0, 0, 0);
}

static int answer_interaction(sd_bus_message *call, sd_bus_error *error)
{
        if (sd_bus_message_get_allow_interactive_authorization(call))
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "it may be asked");
        return sd_bus_error_set(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "it may not be asked");
}

static int answer_mode(sd_bus_message *call, sd_bus_error *error)
{
        const char *mode;

        CHECK(sd_bus_message_read(call, "s", &mode));
        g_assert_cmpstr(mode, ==, "audit");
        return sd_bus_reply_method_return(call, "bt", 1, UINT64_C(9));
}

static int answer_can(sd_bus_message *call, sd_bus_error *error)
{
        const char *action;

        CHECK(sd_bus_message_read(call, "s", &action));
        return sd_bus_reply_method_return(call, "s",
                                          g_str_equal(action, "plan")     ? "yes"
                                          : g_str_equal(action, "weaken") ? "challenge"
                                                                          : "no");
}

static int answer_capabilities(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "a{sv}", 4, "kernel", "s", "6.1\033]0;x\007",
                                          "tiers", "as", 2, "lsm", "signal", "depth", "v", "v", "u",
                                          3, "btf", "b", 1);
}

/* ---- the service as it is ---- */

static const PeerAnswer as_it_is[] = {
        {"GetAll", answer_get_all},
        {"Get", answer_policies},
        {"ListHooks", answer_hooks},
        {"GetDocument", answer_document},
        {"Apply", answer_apply},
        {"Plan", answer_plan},
        {"SetMode", answer_mode},
        {"Can", answer_can},
        {"GetCapabilities", answer_capabilities},
        {NULL, NULL},
};

static void test_status_is_one_json_object(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "status --json", STATUS_DONE);
        g_assert_cmpstr(
                scene->outcome.out, ==,
                "{\"version\":\"0.1.0\",\"api_version\":1,\"mode\":\"enforce\",\"posture\":"
                "\"enforcing\",\"posture_reasons\":[\"one\",\"two\\u001b[31m\"],\"generation\":"
                "18446744073709551614,\"last_change\":{\"time_usec\":1700000000000000,"
                "\"generation\":7,\"uid\":0,\"origin\":\":1.5\"},\"policies\":[\"base\",\"web\"],"
                "\"hooks\":{\"all\":1,\"attached\":0,\"denying\":1,\"required\":0,\"missing\":0},"
                "\"events\":{}}\n");
        g_assert_cmpstr(scene->outcome.err, ==, "");
}

static void test_status_shows_no_control_characters(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "status", STATUS_DONE);
        expect_in(scene->outcome.out, "two\\x1b[31m");
        expect_in(scene->outcome.out, "2023-11-14 22:13:20 by uid 0");
        g_assert_null(strchr(scene->outcome.out, '\033'));
}

static void test_policies_are_sorted_by_name(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "policies --json", STATUS_DONE);
        g_assert_cmpstr(
                scene->outcome.out, ==,
                "{\"policies\":[{\"name\":\"base\",\"generation\":3,\"rules\":12,\"object\":"
                "\"/org/aegis/Enforcer/policy/base\"},{\"name\":\"web\",\"generation\":3,"
                "\"rules\":12,\"object\":\"/org/aegis/Enforcer/policy/web\"}]}\n");
        scene_run(scene, "policy list", STATUS_DONE);
        g_assert_cmpint(strstr(scene->outcome.out, "base") - scene->outcome.out, <,
                        strstr(scene->outcome.out, "web") - scene->outcome.out);
}

static void test_a_policy_is_shown_as_it_was_applied(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "policy show web", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==, "version=1\n\033[1m\n");
        peer_outcome_clear(&scene->outcome);
        peer_run_on_terminal(scene->peer, "policy show web", 80, &scene->outcome);
        g_assert_cmpstr(scene->outcome.out, ==, "version=1\r\n\\x1b[1m\r\n");
        scene_run(scene, "policy show gone", STATUS_NO_SUCH_POLICY);
}

static void test_hooks_are_sorted_by_name(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "hooks --json", STATUS_DONE);
        g_assert_true(g_str_has_prefix(
                scene->outcome.out,
                "{\"hooks\":[{\"name\":\"file_open\",\"symbol\":\"bpf_lsm_file_open\",\"tier\":"
                "\"lsm\",\"guarantee\":\"deny\",\"attached\":true,\"mode\":\"audit\","
                "\"required\":true,\"reason\":\"\",\"calls\":9,\"denials\":7,\"audits\":5,"
                "\"object\":\"/org/aegis/Enforcer/hook/file_open\"},{\"name\":\"socket_bind\""));
        scene_run(scene, "hooks", STATUS_DONE);
        expect_in(scene->outcome.out, "no rule needs it\\x1b[1m: socket_bind\n");
        scene_run(scene, "mode --hook=nope", STATUS_USAGE);
}

static void test_apply_shows_what_changed(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "apply web.policy", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "+ [deny_path] /srv/x\n- [deny_ip] 192.0.2.1\n  9 more changes\n"
                        "web is in force: generation 5.\n");
        scene_run(scene, "--json apply web.policy", STATUS_DONE);
        expect_in(scene->outcome.out, "{\"name\":\"web\",\"changed\":true,\"generation\":5,"
                                      "\"changes\":[{\"kind\":\"added\",\"section\":\"deny_path\","
                                      "\"entry\":\"/srv/x\"},");
}

static void test_apply_reads_standard_input(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        peer_run(scene->peer, "apply --name web -", SCENE_DOCUMENT, &scene->outcome);
        g_assert_cmpint(scene->outcome.status, ==, STATUS_DONE);
        scene_run(scene, "apply -", STATUS_USAGE);
}

static void test_a_stale_generation_is_told_apart(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "apply --quiet --expect=4 web.policy", STATUS_DONE);
        scene_run(scene, "apply --quiet --expect=3 web.policy", STATUS_STALE);
        g_assert_true(g_str_has_prefix(scene->outcome.err,
                                       "Cannot apply the policy web: generation 4 "
                                       "is in force, not 3; "));
}

static void test_check_says_by_its_status_whether_something_would_change(Scene *scene,
                                                                         const void *unused)
{
        static const PeerAnswer equal[] = {{"Plan", answer_equal_plan}, {NULL, NULL}};

        peer_serve(scene->peer, equal);
        scene_run(scene, "apply --check web.policy", STATUS_DONE);
        scene_run(scene, "plan --check web.policy", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==, "Nothing would change: this is in force as web.\n");
}

static void test_check_exits_with_10_when_something_would_change(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "apply --check web.policy", STATUS_WOULD_CHANGE);
        scene_run(scene, "plan web.policy", STATUS_DONE);
        g_assert_cmpstr(
                scene->outcome.err, ==,
                "web.policy:3:1: warning: covered already; leave it out\n    srv/x\n    ^\n");
        scene_run(scene, "plan --json web.policy", STATUS_DONE);
        expect_in(scene->outcome.out, "\"diagnostics\":[{\"line\":3,\"column\":1,\"message\":"
                                      "\"covered already\",\"hint\":"
                                      "\"leave it out\",\"severity\":\"warning\"}]}");
}

static void test_an_equal_apply_says_so(Scene *scene, const void *unused)
{
        static const PeerAnswer equal[] = {{"Apply", answer_equal}, {NULL, NULL}};

        peer_serve(scene->peer, equal);
        scene_run(scene, "apply web.policy", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "web is in force as it stands here: still generation 5.\n");
}

static void test_a_fault_is_shown_with_its_line(Scene *scene, const void *unused)
{
        static const PeerAnswer faulty[] = {{"Apply", answer_faulty}, {NULL, NULL}};

        peer_serve(scene->peer, faulty);
        scene_run(scene, "apply web.policy", STATUS_INVALID);
        g_assert_cmpstr(
                scene->outcome.err, ==,
                "web.policy:3:1: not an absolute path; begin it with a slash\n"
                "    srv/x\n    ^\nweb.policy: no such thing\n"
                "Cannot apply the policy web: it has faults; correct them and try again.\n");
        scene_run(scene, "apply --json web.policy", STATUS_INVALID);
        expect_in(scene->outcome.out, "\"exit_status\":4,\"diagnostics\":[{\"line\":3,");
}

static void test_a_document_that_d_bus_does_not_carry_is_not_sent(Scene *scene, const void *unused)
{
        peer_file(scene->peer, "nul.policy", "version=1\n\0", 11);
        scene_run(scene, "apply nul.policy", STATUS_INVALID);
        expect_in(scene->outcome.err, "nul.policy:2:1: not UTF-8");
}

static void test_without_leave_the_action_is_named(Scene *scene, const void *unused)
{
        static const PeerAnswer asking[] = {
                {"Apply", answer_interaction}, {"SetMode", answer_interaction}, {NULL, NULL}};

        peer_serve(scene->peer, asking);
        scene_run(scene, "apply web.policy", STATUS_REFUSED);
        g_assert_cmpstr(
                scene->outcome.err, ==,
                "Not authorized to apply the policy web: it may be asked; run it as root, or "
                "ask an administrator for the polkit action "
                "org.aegis.enforcer.apply-policy.\n");
        scene_run(scene, "mode audit", STATUS_REFUSED);
        expect_in(scene->outcome.err, "org.aegis.enforcer.weaken.\n");
        scene_run(scene, "mode enforce", STATUS_REFUSED);
        expect_in(scene->outcome.err, "org.aegis.enforcer.strengthen.\n");
}

static void test_no_ask_password_forbids_the_question(Scene *scene, const void *unused)
{
        static const PeerAnswer asking[] = {{"Apply", answer_interaction}, {NULL, NULL}};

        peer_serve(scene->peer, asking);
        scene_run(scene, "--no-ask-password apply web.policy", STATUS_REFUSED);
        expect_in(scene->outcome.err, "it may not be asked");
}

static void test_the_mode_is_set_and_shown(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "mode", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==, "enforce\n");
        scene_run(scene, "mode audit --json", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "{\"mode\":\"audit\",\"changed\":true,\"generation\":9}\n");
}

static void test_can_answers_by_its_status_too(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "can plan", STATUS_DONE);
        scene_run(scene, "can org.aegis.enforcer.plan", STATUS_DONE);
        scene_run(scene, "can rollback", STATUS_REFUSED);
        scene_run(scene, "can weaken", STATUS_DONE);
        scene_run(scene, "can weaken --no-ask-password", STATUS_REFUSED);
        g_assert_cmpstr(scene->outcome.out, ==, "challenge\n");
}

static void test_capabilities_are_shown_whatever_they_are(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        scene_run(scene, "capabilities --json", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "{\"kernel\":\"6.1\\u001b]0;x\\u0007\",\"tiers\":[\"lsm\",\"signal\"],"
                        "\"depth\":3,\"btf\":true}\n");
        scene_run(scene, "capabilities", STATUS_DONE);
        expect_in(scene->outcome.out, "6.1\\x1b]0;x\\x07");
        expect_in(scene->outcome.out, "lsm, signal");
}

/* ---- terminals ---- */

static void test_rows_fit_the_terminal(Scene *scene, const void *unused)
{
        g_autoptr(GRegex) colours = g_regex_new("\033\\[\\d*m", 0, 0, NULL);
        g_autofree char *plain = NULL;
        g_auto(GStrv) lines = NULL;

        peer_serve(scene->peer, as_it_is);
        peer_run_on_terminal(scene->peer, "policies", 50, &scene->outcome);
        expect_in(scene->outcome.out, "\033[");
        plain = g_regex_replace(colours, scene->outcome.out, -1, 0, "", 0, NULL);
        lines = g_strsplit(plain, "\r\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 4);
        expect_in(lines[0], "GENERA...");
        for (size_t i = 0; lines[i]; i++)
                g_assert_cmpuint(strlen(lines[i]), <=, 50);
}

static void test_nothing_is_coloured_where_it_is_not_wanted(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, as_it_is);
        g_setenv("NO_COLOR", "1", TRUE);
        peer_run_on_terminal(scene->peer, "policies", 80, &scene->outcome);
        g_unsetenv("NO_COLOR");
        g_assert_null(strchr(scene->outcome.out, '\033'));
        scene_run(scene, "policies", STATUS_DONE); /* nor in a pipe */
        g_assert_null(strchr(scene->outcome.out, '\033'));
}

static int answer_late(sd_bus_message *call, sd_bus_error *error)
{
        g_usleep(CALL_QUIET_USEC + CALL_DOT_USEC + 300000); /* the delay is what is tested */
        return sd_bus_reply_method_return(call, "s", "yes");
}

static void test_a_long_wait_is_explained(Scene *scene, const void *unused)
{
        static const PeerAnswer late[] = {{"Can", answer_late}, {NULL, NULL}};

        peer_serve(scene->peer, late);
        peer_run_on_terminal(scene->peer, "can plan", 80, &scene->outcome);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "Waiting for the service to ask what is authorized....\r\nyes\r\n");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function)                                                                             \
        g_test_add("/client/" #function, Scene, NULL, scene_set_up, function, scene_tear_down)
        TEST(test_status_is_one_json_object);
        TEST(test_status_shows_no_control_characters);
        TEST(test_policies_are_sorted_by_name);
        TEST(test_a_policy_is_shown_as_it_was_applied);
        TEST(test_hooks_are_sorted_by_name);
        TEST(test_apply_shows_what_changed);
        TEST(test_apply_reads_standard_input);
        TEST(test_a_stale_generation_is_told_apart);
        TEST(test_check_says_by_its_status_whether_something_would_change);
        TEST(test_check_exits_with_10_when_something_would_change);
        TEST(test_an_equal_apply_says_so);
        TEST(test_a_fault_is_shown_with_its_line);
        TEST(test_a_document_that_d_bus_does_not_carry_is_not_sent);
        TEST(test_without_leave_the_action_is_named);
        TEST(test_no_ask_password_forbids_the_question);
        TEST(test_the_mode_is_set_and_shown);
        TEST(test_can_answers_by_its_status_too);
        TEST(test_capabilities_are_shown_whatever_they_are);
        TEST(test_rows_fit_the_terminal);
        TEST(test_nothing_is_coloured_where_it_is_not_wanted);
        TEST(test_a_long_wait_is_explained);
        return g_test_run();
}
