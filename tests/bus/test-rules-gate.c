/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate before single rules: which action a rule asks for, who gets in, and what an answer is
 * good for. */
#include <string.h>
#include <time.h>

#include "agent.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define RULES                                                                                      \
        "version=7\n[deny]\nfile:/srv/secret\nfile:/srv/" LAB_GRANTED "\nfile:/srv/" LAB_REFUSED   \
        "\n[allow]\nfile:/srv/open\nfile:/srv/" LAB_GRANTED "\nfile:/srv/" LAB_REFUSED             \
        "\n[audit]\nfile:/srv/seen\n"

#define ACCESS_DENIED SD_BUS_ERROR_ACCESS_DENIED
#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
#define STALE "org.aegis.Enforcer.Error.AuthorizationStale"
#define UNAVAILABLE "org.aegis.Enforcer.Error.AuthorizationUnavailable"
#define NO_SUCH_RULE "org.aegis.Enforcer.Error.NoSuchRule"

typedef struct Row {
        const char *member, *section, *entry, *action, *change;
} Row;

#define MANAGE "org.aegis.enforcer.manage-rules"
#define WEAKEN "org.aegis.enforcer.weaken"

/* Each way a rule can be added or removed, with RULES in force. */
static const Row rows[] = {
        {"AddRule", "deny", "file:/srv/new", MANAGE, "+ [deny] file:/srv/new"},
        {"AddRule", "default", "exec=deny uid=7", MANAGE, "+ [default] exec=deny uid=7"},
        {"AddRule", "deny_path", "/srv/old", MANAGE, "+ [deny] file:/srv/old/"},
        {"AddRule", "allow", "file:/srv/new", WEAKEN, "+ [allow] file:/srv/new"},
        {"AddRule", "audit", "file:/srv/new", WEAKEN, "+ [audit] file:/srv/new"},
        {"AddRule", "deny", "file:/srv/a mode=audit", WEAKEN, "+ [deny] file:/srv/a mode=audit"},
        {"RemoveRule", "allow", "file:/srv/open", MANAGE, "- [allow] file:/srv/open"},
        {"RemoveRule", "deny", "file:/srv/secret", WEAKEN, "- [deny] file:/srv/secret"},
        {"RemoveRule", "audit", "file:/srv/seen", WEAKEN, "- [audit] file:/srv/seen"},
};

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static Pending *send_row(sd_bus *bus, const Row *row, Interaction interaction)
{
        return lab_rule(bus, row->member, row->section, row->entry, interaction);
}

static void assert_unchanged(Lab *lab, uint64_t generation)
{
        lab_settle(lab);
        g_assert_cmpuint(lab_generation(lab), ==, generation);
}

/* polkit keeps what was granted, for this process. */
static void forget_grants(Lab *lab)
{
        lab_stop_polkit(lab);
        lab_start_polkit(lab);
}

static void test_root_passes(Lab *lab)
{
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                expect(lab, send_row(lab->root, &rows[i], SILENT), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, generation + G_N_ELEMENTS(rows));
}

static void test_a_user_without_a_grant_is_refused(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                expect(lab, send_row(user, &rows[i], SILENT), MUST_ASK);
                expect(lab, send_row(user, &rows[i], INTERACTIVE), MUST_ASK);
        }
        assert_unchanged(lab, generation);
        lab_disconnect(user);
}

static void test_rules_of_polkit_grant_and_refuse(Lab *lab)
{
        static const char *const calls[][2] = {{"RemoveRule", "deny"},
                                               {"AddRule", "deny"},
                                               {"RemoveRule", "allow"},
                                               {"AddRule", "allow"}};
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                expect(lab,
                       lab_rule(user, calls[i][0], calls[i][1], "file:/srv/" LAB_REFUSED,
                                INTERACTIVE),
                       ACCESS_DENIED);
                assert_unchanged(lab, generation);
                /* The entry is looked at as the rule it is, however it is written. */
                expect(lab,
                       lab_rule(user, calls[i][0], calls[i][1], " file:\"/srv/" LAB_GRANTED "\"",
                                SILENT),
                       NULL);
                g_assert_cmpuint(lab_generation(lab), ==, ++generation);
        }
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_the_effect_of_a_rule_chooses_the_action(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);

        lab_must_apply(lab, "runtime", RULES);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                sd_bus *user = lab_connect(lab, LAB_USER + (uid_t) i % LAB_USERS);
                char *quoted = g_strdup_printf("“%s”", rows[i].change), *digest;

                expect(lab, send_row(user, &rows[i], INTERACTIVE), NULL);
                digest = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
                g_assert_cmpstr(agent_action(agent), ==, rows[i].action);
                g_assert_nonnull(strstr(agent_message(agent), quoted));
                g_assert_nonnull(strstr(agent_message(agent), digest));
                g_assert_null(strstr(agent_message(agent), "$("));
                g_free(quoted);
                g_free(digest);
                lab_disconnect(user);
        }
        g_assert_cmpint(agent_n_questions(agent), ==, G_N_ELEMENTS(rows));
        agent_free(agent);
        forget_grants(lab);
}

static void test_a_grant_is_kept_for_what_denies_more_and_nothing_else(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        lab_must_apply(lab, "runtime", RULES);
        expect(lab, lab_rule(user, "AddRule", "deny", "file:/srv/a", INTERACTIVE), NULL);
        expect(lab, lab_rule(user, "AddRule", "deny", "file:/srv/b", INTERACTIVE), NULL);
        expect(lab, lab_rule(user, "RemoveRule", "allow", "file:/srv/open", SILENT), NULL);
        g_assert_cmpint(agent_n_questions(agent), ==, 1);
        expect(lab, lab_rule(user, "AddRule", "allow", "file:/srv/a", SILENT), MUST_ASK);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/a", INTERACTIVE), NULL);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/b", INTERACTIVE), NULL);
        g_assert_cmpint(agent_n_questions(agent), ==, 3);
        lab_disconnect(user);
        agent_free(agent);
        forget_grants(lab);
}

static void test_an_agent_that_says_no_is_heard(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_NO);
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                expect(lab, send_row(user, &rows[i], INTERACTIVE), ACCESS_DENIED);
        g_assert_cmpint(agent_n_questions(agent), ==, G_N_ELEMENTS(rows));
        assert_unchanged(lab, generation);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_nobody_is_asked_for_a_call_that_does_not_allow_it(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                expect(lab, send_row(user, &rows[i], SILENT), MUST_ASK);
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        assert_unchanged(lab, generation);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_without_polkit_root_alone_gets_in(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        lab_stop_polkit(lab);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                expect(lab, send_row(user, &rows[i], INTERACTIVE), UNAVAILABLE);
        expect(lab, lab_list_rules(user, "runtime", 0, 0), UNAVAILABLE);
        assert_unchanged(lab, generation);
        expect(lab, send_row(lab->root, &rows[0], SILENT), NULL);
        expect(lab, lab_list_rules(lab->root, "runtime", 0, 0), NULL);
        lab_start_polkit(lab);
        lab_disconnect(user);
}

static void test_a_question_is_given_up_after_its_time(Lab *lab)
{
        uint64_t generation;
        Agent *agent;
        sd_bus *user;

        lab_stop(lab);
        lab->polkit_timeout = 1;
        lab_start(lab);
        lab->polkit_timeout = 60;
        generation = lab_must_apply(lab, "runtime", RULES);
        agent = agent_new(lab, AGENT_HOLD);
        user = lab_connect(lab, LAB_USER);
        expect(lab, send_row(user, &rows[0], INTERACTIVE), ACCESS_DENIED);
        agent_wait_cancelled(agent, 1);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/secret", INTERACTIVE),
               ACCESS_DENIED);
        agent_wait_cancelled(agent, 2);
        assert_unchanged(lab, generation);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_answer_to_an_outdated_question_is_stale(Lab *lab)
{
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Agent *agent = agent_new(lab, AGENT_HOLD);
                sd_bus *user = lab_connect(lab, LAB_USER);
                Pending *pending = send_row(user, &rows[i], INTERACTIVE);

                agent_wait(agent, 1);
                g_free(lab_expect(
                        lab,
                        i % 2 ? lab_set_mode(lab->root, i % 4 == 1 ? "audit" : "enforce", SILENT)
                              : lab_rule(lab->root, "AddRule", "deny", "file:/x", SILENT),
                        NULL));
                agent_release(agent, AGENT_YES);
                expect(lab, pending, STALE);
                g_assert_cmpuint(lab_generation(lab), ==, ++generation);
                lab_must_apply(lab, "runtime", RULES);
                generation = lab_generation(lab);
                lab_disconnect(user);
                agent_free(agent);
                forget_grants(lab);
        }
}

static void wait_for_another_second(Lab *lab)
{
        struct timespec then, now;

        clock_gettime(CLOCK_BOOTTIME, &then);
        do {
                sd_event_run(lab->loop, 50 * 1000);
                clock_gettime(CLOCK_BOOTTIME, &now);
        } while (now.tv_sec < then.tv_sec + 2);
}

/* What is left of another rule's time is less by then, and that is all. */
static void test_time_alone_makes_no_answer_stale(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(
                lab, "runtime", "version=7\n[allow]\nfile:/srv/a ttl=1h\n[deny]\nfile:/srv/b\n");
        Pending *pending = lab_rule(user, "AddRule", "deny", "file:/srv/c", INTERACTIVE);

        agent_wait(agent, 1);
        wait_for_another_second(lab);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, NULL);
        g_assert_cmpuint(lab_generation(lab), ==, generation + 1);
        lab_disconnect(user);
        agent_free(agent);
        forget_grants(lab);
}

static void test_a_caller_who_leaves_takes_the_question_along(Lab *lab)
{
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = send_row(user, &rows[0], INTERACTIVE);

        agent_wait(agent, 1);
        pending_free(pending);
        lab_disconnect(user);
        agent_wait_cancelled(agent, 1);
        assert_unchanged(lab, generation);
        agent_free(agent);
}

/* Whoever may not know the rules does not learn them by trying. */
static void test_what_rules_there_are_is_told_to_those_who_may_change_them(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        Agent *agent;

        lab_must_apply(lab, "runtime", RULES);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/nothing", SILENT), MUST_ASK);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/secret", SILENT), MUST_ASK);
        expect(lab, lab_rule(user, "AddRule", "deny", "file:/srv/secret", SILENT), MUST_ASK);
        agent = agent_new(lab, AGENT_YES);
        expect(lab, lab_rule(user, "RemoveRule", "deny", "file:/srv/nothing", INTERACTIVE),
               NO_SUCH_RULE);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_a_prompt_shows_what_can_be_seen_alone(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_NO);
        sd_bus *user = lab_connect(lab, LAB_USER);
        GString *entry = g_string_new("file:/srv/\u202etxt.\u200bexe why=\"");

        for (unsigned i = 0; i < 20; i++)
                g_string_append(entry, "0123456789");
        g_string_append_c(entry, '"');
        expect(lab, lab_rule(user, "AddRule", "deny", entry->str, INTERACTIVE), ACCESS_DENIED);
        g_assert_nonnull(strstr(agent_message(agent), "“+ [deny] file:/srv/txt.exe why="));
        g_assert_null(strstr(agent_message(agent), "\u202e"));
        g_assert_nonnull(strstr(agent_message(agent), "…”"));
        g_assert_cmpuint(strlen(agent_message(agent)), <, 400);
        g_string_free(entry, TRUE);
        lab_disconnect(user);
        agent_free(agent);
}

/* A rule of polkit's that grants one entry must not be shown another as that one. */
static void test_an_entry_that_only_looks_like_a_granted_one_is_not_it(Lab *lab)
{
        static const char *const entries[] = {"file:/srv/" LAB_GRANTED "\u200b",
                                              "file:/srv/\u202e" LAB_GRANTED,
                                              "file:/srv/" LAB_GRANTED " uid=7"};
        sd_bus *user = lab_connect(lab, LAB_USER);

        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
                expect(lab, lab_rule(user, "AddRule", "allow", entries[i], SILENT), MUST_ASK);
        assert_unchanged(lab, 0);
        lab_disconnect(user);
}

static void test_a_check_asks_for_the_right_to_plan(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t generation = lab_must_apply(lab, "runtime", RULES);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, rows[i].member),
                               *reply;
                uint64_t in_force;
                int changed;

                g_assert_cmpint(sd_bus_message_append(m, "ssa{sv}", rows[i].section, rows[i].entry,
                                                      1, "check", "b", 1),
                                >=, 0);
                reply = lab_wait(lab, lab_send(m, SILENT));
                g_assert_cmpint(sd_bus_message_read(reply, "bt", &changed, &in_force), >=, 0);
                g_assert_true(changed);
                g_assert_cmpuint(in_force, ==, generation);
                sd_bus_message_unref(reply);
        }
        assert_unchanged(lab, generation);
        lab_disconnect(user);
}

/* ---- ListRules ---- */

static void test_listing_is_reading_a_policy(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        Agent *agent;

        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, LAB_REFUSED, DOCUMENT);
        lab_must_apply(lab, LAB_ASKED, DOCUMENT);
        expect(lab, lab_list_rules(lab->root, LAB_REFUSED, 0, 0), NULL);
        expect(lab, lab_list_rules(user, "web", 0, 0), NULL);
        expect(lab, lab_list_rules(user, LAB_REFUSED, 0, 0), ACCESS_DENIED);
        expect(lab, lab_list_rules(user, LAB_ASKED, 0, 0), MUST_ASK);
        agent = agent_new(lab, AGENT_YES);
        expect(lab, lab_list_rules(user, LAB_ASKED, 0, 0), MUST_ASK);
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_answer_lets_a_reader_in(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "ListRules");

        lab_must_apply(lab, LAB_ASKED, DOCUMENT);
        g_assert_cmpint(sd_bus_message_append(m, "suu", LAB_ASKED, 0, 0), >=, 0);
        expect(lab, lab_send(m, INTERACTIVE), NULL);
        g_assert_cmpstr(agent_action(agent), ==, "org.aegis.enforcer.read-policy");
        g_assert_nonnull(strstr(agent_message(agent), "“" LAB_ASKED "”"));
        lab_disconnect(user);
        agent_free(agent);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(root_passes),
                TEST(a_user_without_a_grant_is_refused),
                TEST(rules_of_polkit_grant_and_refuse),
                TEST(the_effect_of_a_rule_chooses_the_action),
                TEST(a_grant_is_kept_for_what_denies_more_and_nothing_else),
                TEST(an_agent_that_says_no_is_heard),
                TEST(nobody_is_asked_for_a_call_that_does_not_allow_it),
                TEST(without_polkit_root_alone_gets_in),
                TEST(a_question_is_given_up_after_its_time),
                TEST(an_answer_to_an_outdated_question_is_stale),
                TEST(time_alone_makes_no_answer_stale),
                TEST(a_caller_who_leaves_takes_the_question_along),
                TEST(what_rules_there_are_is_told_to_those_who_may_change_them),
                TEST(a_prompt_shows_what_can_be_seen_alone),
                TEST(an_entry_that_only_looks_like_a_granted_one_is_not_it),
                TEST(a_check_asks_for_the_right_to_plan),
                TEST(listing_is_reading_a_policy),
                TEST(an_answer_lets_a_reader_in),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
