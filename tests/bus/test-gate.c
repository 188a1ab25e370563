/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate: who gets in, who is asked, and what an answer is good for. */
#include <string.h>

#include "agent.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define OTHER "version=1\n[deny_path]\n/srv/two\n/srv/three\n"

#define ACCESS_DENIED SD_BUS_ERROR_ACCESS_DENIED
#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
#define STALE "org.aegis.Enforcer.Error.AuthorizationStale"
#define UNAVAILABLE "org.aegis.Enforcer.Error.AuthorizationUnavailable"

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static void assert_nothing_in_force(Lab *lab)
{
        lab_settle(lab);
        g_assert_cmpint(lab_generation(lab), ==, 0);
}

static void test_a_user_without_a_grant_is_refused_and_nothing_changes(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply(user, "web", DOCUMENT, SILENT), MUST_ASK);
        expect(lab, lab_apply(user, "web", DOCUMENT, INTERACTIVE), MUST_ASK);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
}

static void test_a_rule_of_polkit_grants(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply(user, LAB_GRANTED, DOCUMENT, SILENT), NULL);
        g_assert_cmpint(lab_generation(lab), ==, 1);
        lab_disconnect(user);
}

static void test_a_rule_of_polkit_refuses(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply(user, LAB_REFUSED, DOCUMENT, INTERACTIVE), ACCESS_DENIED);
        assert_nothing_in_force(lab);
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_agent_that_says_yes_has_been_told_what_it_allows(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *digest;

        expect(lab, lab_apply(user, "web", OTHER, INTERACTIVE), NULL);
        digest = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_cmpstr(agent_action(agent), ==, "org.aegis.enforcer.apply-policy");
        g_assert_nonnull(strstr(agent_message(agent), "“web”"));
        g_assert_nonnull(strstr(agent_message(agent), "2 rules added, 0 removed"));
        g_assert_nonnull(strstr(agent_message(agent), digest));
        g_assert_null(strstr(agent_message(agent), "$("));
        g_assert_nonnull(strstr(agent_message(agent), "after generation 0"));
        g_free(digest);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_agent_that_says_no_is_heard(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_NO);
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply(user, "web", DOCUMENT, INTERACTIVE), ACCESS_DENIED);
        g_assert_cmpint(agent_n_questions(agent), ==, 1);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_nobody_is_asked_for_a_call_that_does_not_allow_it(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply(user, "web", DOCUMENT, SILENT), MUST_ASK);
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_root_passes_and_is_on_record(Lab *lab)
{
        sd_bus_message *m, *reply;
        uint64_t usec, generation;
        const char *origin, *unique;
        uint32_t uid;

        expect(lab, lab_apply(lab->root, "web", DOCUMENT, SILENT), NULL);
        m = lab_message(lab->root, LAB_ROOT, "org.freedesktop.DBus.Properties", "Get");
        g_assert_cmpint(sd_bus_message_append(m, "ss", LAB_MANAGER, "LastChange"), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(
                sd_bus_message_read(reply, "v", "(ttus)", &usec, &generation, &uid, &origin), >=,
                0);
        g_assert_cmpint(sd_bus_get_unique_name(lab->root, &unique), >=, 0);
        g_assert_cmpstr(origin, ==, unique);
        g_assert_cmpint(generation, ==, 1);
        g_assert_cmpint(uid, ==, 0);
        g_assert_cmpint(usec, >, 0);
        sd_bus_message_unref(reply);
}

static void test_without_polkit_root_alone_gets_in(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);

        lab_stop_polkit(lab);
        expect(lab, lab_apply(user, LAB_GRANTED, DOCUMENT, INTERACTIVE), UNAVAILABLE);
        g_assert_cmpint(lab_generation(lab), ==, 0);
        expect(lab, lab_apply(lab->root, "web", DOCUMENT, SILENT), NULL);
        lab_start_polkit(lab);
        expect(lab, lab_apply(user, LAB_GRANTED, DOCUMENT, SILENT), NULL);
        lab_disconnect(user);
}

static void test_an_answer_to_an_outdated_plan_is_stale(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        lab_must_apply(lab, "other", OTHER);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, STALE);
        g_assert_cmpint(lab_generation(lab), ==, 1);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_outdated_expectation_is_stale_after_a_question(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "Apply");
        Pending *pending;

        g_assert_cmpint(sd_bus_message_append(m, "ssasta{sv}", "web", DOCUMENT, 0, (uint64_t) 0, 0),
                        >=, 0);
        pending = lab_send(m, INTERACTIVE);
        agent_wait(agent, 1);
        lab_must_apply(lab, "other", OTHER);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, STALE);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_a_question_about_the_mode_is_stale_after_a_change(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_set_mode(user, "audit", INTERACTIVE);
        char *mode;

        agent_wait(agent, 1);
        lab_must_apply(lab, "other", OTHER);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, STALE);
        mode = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Mode");
        g_assert_cmpstr(mode, ==, "enforce");
        g_free(mode);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_a_caller_who_leaves_takes_the_question_along(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        pending_free(pending);
        lab_disconnect(user);
        agent_wait_cancelled(agent, 1);
        assert_nothing_in_force(lab);
        agent_free(agent);
}

/* At whatever point of the call the caller goes: a half done one must not be left. */
static void test_callers_who_leave_at_once_leave_nothing_behind(Lab *lab)
{
        for (unsigned i = 0; i < 50; i++) {
                sd_bus *user = lab_connect(lab, LAB_USER);

                pending_free(lab_apply(user, "web", DOCUMENT, INTERACTIVE));
                for (unsigned turns = 0; turns < i % 8; turns++)
                        sd_event_run(lab->loop, 0);
                lab_disconnect(user);
        }
        assert_nothing_in_force(lab);
}

static void test_a_question_is_given_up_after_its_time(Lab *lab)
{
        Agent *agent;
        sd_bus *user;

        lab_stop(lab);
        lab->polkit_timeout = 1;
        lab_start(lab);
        lab->polkit_timeout = 60;
        agent = agent_new(lab, AGENT_HOLD);
        user = lab_connect(lab, LAB_USER);
        expect(lab, lab_apply(user, "web", DOCUMENT, INTERACTIVE), ACCESS_DENIED);
        agent_wait_cancelled(agent, 1);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_the_direction_of_a_mode_chooses_the_action(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_set_mode(user, "audit", INTERACTIVE), NULL);
        g_assert_cmpstr(agent_action(agent), ==, "org.aegis.enforcer.weaken");
        g_assert_nonnull(strstr(agent_message(agent), "“mode audit”"));
        expect(lab, lab_set_mode(user, "enforce", INTERACTIVE), NULL);
        g_assert_cmpstr(agent_action(agent), ==, "org.aegis.enforcer.strengthen");
        lab_disconnect(user);
        agent_free(agent);
}

/* ---- limits ---- */

static void test_one_sender_has_one_question_open(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *first = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        expect(lab, lab_apply(user, "mail", DOCUMENT, INTERACTIVE), SD_BUS_ERROR_LIMITS_EXCEEDED);
        agent_release(agent, AGENT_NO);
        expect(lab, first, ACCESS_DENIED);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_one_uid_has_four_questions_open(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        Pending *pending[4];
        sd_bus *users[5];

        for (unsigned i = 0; i < 5; i++)
                users[i] = lab_connect(lab, LAB_USER);
        for (unsigned i = 0; i < 4; i++)
                pending[i] = lab_apply(users[i], "web", DOCUMENT, INTERACTIVE);
        agent_wait(agent, 4);
        expect(lab, lab_apply(users[4], "web", DOCUMENT, INTERACTIVE),
               SD_BUS_ERROR_LIMITS_EXCEEDED);
        agent_release(agent, AGENT_NO);
        for (unsigned i = 0; i < 4; i++)
                expect(lab, pending[i], ACCESS_DENIED);
        for (unsigned i = 0; i < 5; i++)
                lab_disconnect(users[i]);
        agent_free(agent);
}

static void test_with_all_questions_open_root_is_served(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        Pending *pending[32];
        sd_bus *users[33];

        for (unsigned i = 0; i < 33; i++)
                users[i] = lab_connect(lab, LAB_USER + i / 4);
        for (unsigned i = 0; i < 32; i++)
                pending[i] = lab_apply(users[i], "web", DOCUMENT, INTERACTIVE);
        agent_wait(agent, 32);
        expect(lab, lab_apply(users[32], "web", DOCUMENT, INTERACTIVE),
               SD_BUS_ERROR_LIMITS_EXCEEDED);
        expect(lab, lab_apply(users[32], LAB_GRANTED, DOCUMENT, SILENT), NULL);
        lab_must_apply(lab, "web", DOCUMENT);
        agent_release(agent, AGENT_NO);
        for (unsigned i = 0; i < 32; i++)
                expect(lab, pending[i], ACCESS_DENIED);
        for (unsigned i = 0; i < 33; i++)
                lab_disconnect(users[i]);
        agent_free(agent);
}

static void test_questions_that_are_open_end_with_the_service(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        lab_stop(lab); /* asserts that nothing leaks */
        expect(lab, pending, SD_BUS_ERROR_NO_REPLY);
        agent_wait_cancelled(agent, 1);
        lab_start_again(lab);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_a_bus_that_crashes_takes_the_questions_and_not_the_service(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t before = lab_must_apply(lab, "other", OTHER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        pending_free(pending);
        lab_disconnect(user);
        agent_free(agent);
        lab_restart_bus(lab);
        g_assert_cmpint(lab_generation(lab), ==, before);
        g_assert_cmpint(lab_must_apply(lab, "web", DOCUMENT), ==, before + 1);
}

static void test_who_calls_too_often_is_refused_and_root_is_not(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER), *other = lab_connect(lab, LAB_USER + 1);
        const char *error = "";

        for (unsigned i = 0; i < 1000 && !error[0]; i++) {
                sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "GetCapabilities");
                sd_bus_message *reply = lab_wait(lab, lab_send(m, SILENT));

                error = lab_error(reply)[0] ? SD_BUS_ERROR_LIMITS_EXCEEDED : "";
                g_assert_cmpstr(lab_error(reply), ==, error);
                sd_bus_message_unref(reply);
        }
        g_assert_cmpstr(error, !=, "");
        expect(lab, lab_apply(other, LAB_GRANTED, DOCUMENT, SILENT), NULL);
        for (unsigned i = 0; i < 300; i++)
                expect(lab,
                       lab_send(lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "GetCapabilities"),
                                SILENT),
                       NULL);
        lab_disconnect(user);
        lab_disconnect(other);
}

static sd_bus_message *objects(sd_bus *bus)
{
        return lab_message(bus, LAB_ROOT, "org.freedesktop.DBus.ObjectManager",
                           "GetManagedObjects");
}

static sd_bus_message *metrics(sd_bus *bus)
{
        return lab_message(bus, LAB_ROOT, LAB_MANAGER, "GetMetrics");
}

/* What costs more than its answer. */
static void check_dear(Lab *lab, sd_bus_message *(*make)(sd_bus *bus))
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending[100];
        unsigned n = 0;

        for (unsigned i = 0; i < G_N_ELEMENTS(pending); i++)
                pending[i] = lab_send(make(user), SILENT);
        for (unsigned i = 0; i < G_N_ELEMENTS(pending); i++) {
                sd_bus_message *reply = lab_wait(lab, pending[i]);

                n += strcmp(lab_error(reply), SD_BUS_ERROR_LIMITS_EXCEEDED) != 0;
                sd_bus_message_unref(reply);
        }
        g_assert_cmpuint(n, >=, 20);
        g_assert_cmpuint(n, <, G_N_ELEMENTS(pending));
        for (unsigned i = 0; i < G_N_ELEMENTS(pending); i++)
                expect(lab, lab_send(make(lab->root), SILENT), NULL);
        lab_disconnect(user);
}

static void test_who_asks_for_all_objects_too_often_is_refused_and_root_is_not(Lab *lab)
{
        check_dear(lab, objects);
}

static void test_metrics_cost_as_much_as_all_objects(Lab *lab)
{
        check_dear(lab, metrics);
}

/* ---- the record ---- */

static void check_history(Lab *lab, const char *const lines[][3], unsigned n)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "History"), *reply;
        const char *origin, *what, *name, *authorization;
        uint64_t usec, before = 0, generation;
        uint32_t uid;

        g_assert_cmpint(sd_bus_message_append(m, "tu", (uint64_t) 0, n), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ttussss)"), >, 0);
        for (unsigned i = 0; i < n; i++) {
                g_assert_cmpint(sd_bus_message_read(reply, "(ttussss)", &usec, &generation, &uid,
                                                    &origin, &what, &name, &authorization),
                                >, 0);
                g_assert_cmpuint(usec, >=, before);
                before = usec;
                g_assert_cmpuint(uid, ==, strcmp(authorization, "root") == 0 ? 0 : LAB_USER);
                g_assert_cmpstr(what, ==, lines[i][0]);
                g_assert_cmpstr(name, ==, lines[i][1]);
                g_assert_cmpstr(authorization, ==, lines[i][2]);
        }
        g_assert_cmpint(sd_bus_message_at_end(reply, 0), >, 0);
        sd_bus_message_unref(reply);
}

static void test_refusals_are_on_record_and_push_no_change_out(Lab *lab)
{
        static const char *const lines[][3] = {
                {"Apply", "web", "root"},
                {"Apply", LAB_REFUSED, "refused 150 times: org.aegis.enforcer.apply-policy"},
                {"Apply", "mail", "root"},
                {"Remove", "web", "refused: org.aegis.enforcer.remove-policy"},
        };
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m;

        lab_must_apply(lab, "web", DOCUMENT);
        for (unsigned i = 0; i < 150; i++)
                expect(lab, lab_apply(user, LAB_REFUSED, DOCUMENT, INTERACTIVE), ACCESS_DENIED);
        lab_must_apply(lab, "mail", OTHER);
        m = lab_message(user, LAB_ROOT, LAB_MANAGER, "Remove");
        g_assert_cmpint(sd_bus_message_append(m, "sta{sv}", "web", LAB_ANY, 0), >=, 0);
        expect(lab, lab_send(m, SILENT), MUST_ASK);
        check_history(lab, lines, 4);
        check_history(lab, &lines[2], 2);
        lab_disconnect(user);
}

static void test_a_stale_answer_is_on_record(Lab *lab)
{
        static const char *const lines[][3] = {
                {"Apply", "other", "root"},
                {"Apply", "web", "refused as stale: org.aegis.enforcer.apply-policy"},
        };
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        agent_wait(agent, 1);
        lab_must_apply(lab, "other", OTHER);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, STALE);
        check_history(lab, lines, 2);
        lab_disconnect(user);
        agent_free(agent);
}

/* ---- Can ---- */

static char *can(Lab *lab, sd_bus *bus, const char *action)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Can"), *reply;
        const char *answer;
        char *copy;

        g_assert_cmpint(sd_bus_message_append(m, "s", action), >=, 0);
        reply = lab_wait(lab, lab_send(m, INTERACTIVE));
        answer = lab_error(reply);
        if (answer[0] == '\0')
                g_assert_cmpint(sd_bus_message_read(reply, "s", &answer), >=, 0);
        copy = g_strdup(answer);
        sd_bus_message_unref(reply);
        return copy;
}

static void check_can(Lab *lab, sd_bus *bus, const char *action, const char *expected)
{
        char *answer = can(lab, bus, action);

        g_assert_cmpstr(answer, ==, expected);
        g_free(answer);
}

static void test_can_says_what_polkit_would_say_without_asking(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        check_can(lab, user, "plan", "yes");
        check_can(lab, user, "org.aegis.enforcer.plan", "yes");
        check_can(lab, user, "weaken", "challenge");
        check_can(lab, user, "rollback", "no");
        check_can(lab, user, "nonsense", SD_BUS_ERROR_INVALID_ARGS);
        check_can(lab, lab->root, "rollback", "yes");
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        lab_disconnect(user);
        agent_free(agent);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

static void read_generation(Lab *lab)
{
        sd_bus_message *m =
                lab_message(lab->root, LAB_ROOT, "org.freedesktop.DBus.Properties", "Get");

        g_assert_cmpint(sd_bus_message_append(m, "ss", LAB_MANAGER, "Generation"), >=, 0);
        sd_bus_message_unref(lab_wait(lab, lab_send(m, SILENT)));
}

/* On one connection: the service has the long call before the short ones. */
static void test_short_calls_are_answered_while_a_long_one_is_under_way(Lab *lab)
{
        GString *text = g_string_new("version=1\n[deny_path]\n");
        Pending *pending;

        for (unsigned i = 0; i < 40000; i++)
                g_string_append_printf(text, "/srv/d%u/file%u\n", i / 100, i);
        pending = lab_apply(lab->root, "long", text->str, SILENT);
        for (unsigned i = 0; i < 3; i++) {
                read_generation(lab);
                g_assert_false(pending->done);
        }
        expect(lab, pending, NULL);
        g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(a_user_without_a_grant_is_refused_and_nothing_changes),
                TEST(a_rule_of_polkit_grants),
                TEST(a_rule_of_polkit_refuses),
                TEST(an_agent_that_says_yes_has_been_told_what_it_allows),
                TEST(an_agent_that_says_no_is_heard),
                TEST(nobody_is_asked_for_a_call_that_does_not_allow_it),
                TEST(root_passes_and_is_on_record),
                TEST(without_polkit_root_alone_gets_in),
                TEST(an_answer_to_an_outdated_plan_is_stale),
                TEST(an_outdated_expectation_is_stale_after_a_question),
                TEST(a_question_about_the_mode_is_stale_after_a_change),
                TEST(a_caller_who_leaves_takes_the_question_along),
                TEST(callers_who_leave_at_once_leave_nothing_behind),
                TEST(a_question_is_given_up_after_its_time),
                TEST(the_direction_of_a_mode_chooses_the_action),
                TEST(one_sender_has_one_question_open),
                TEST(one_uid_has_four_questions_open),
                TEST(with_all_questions_open_root_is_served),
                TEST(who_calls_too_often_is_refused_and_root_is_not),
                TEST(who_asks_for_all_objects_too_often_is_refused_and_root_is_not),
                TEST(metrics_cost_as_much_as_all_objects),
                TEST(refusals_are_on_record_and_push_no_change_out),
                TEST(a_stale_answer_is_on_record),
                TEST(questions_that_are_open_end_with_the_service),
                TEST(a_bus_that_crashes_takes_the_questions_and_not_the_service),
                TEST(short_calls_are_answered_while_a_long_one_is_under_way),
                TEST(can_says_what_polkit_would_say_without_asking),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
