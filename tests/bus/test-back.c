/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing back over the bus: who may, what is asked, and what an answer is good for. */
#include <string.h>

#include "agent.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define OTHER "version=1\n[deny_path]\n/srv/two\n/srv/three\n"

#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
#define ERROR(name) "org.aegis.Enforcer.Error." name

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static Pending *roll_back(sd_bus *bus, uint64_t to, uint64_t expected, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Rollback");

        g_assert_cmpint(sd_bus_message_append(m, "tta{sv}", to, expected, 0), >=, 0);
        return lab_send(m, interaction);
}

static void two_generations(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
        g_assert_cmpuint(lab_must_apply(lab, "web", OTHER), ==, 2);
}

static void test_root_goes_back_and_the_history_says_so(Lab *lab)
{
        char *then, *now, *history;

        lab_must_apply(lab, "web", DOCUMENT);
        then = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        lab_must_apply(lab, "web", OTHER);
        expect(lab, roll_back(lab->root, 1, 2, SILENT), NULL);
        now = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_cmpstr(now, ==, then);
        g_assert_cmpuint(lab_generation(lab), ==, 3);
        history = lab_last_change(lab);
        g_assert_cmpstr(history, ==, "3 Rollback generation 1 root");
        g_free(then);
        g_free(now);
        g_free(history);
}

static void test_a_user_is_asked_about_the_generation_and_its_digest(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *digest;

        two_generations(lab);
        expect(lab, roll_back(user, 1, LAB_ANY, SILENT), MUST_ASK);
        g_assert_cmpuint(lab_generation(lab), ==, 2);
        expect(lab, roll_back(user, 1, LAB_ANY, INTERACTIVE), NULL);
        digest = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_cmpstr(agent_action(agent), ==, "org.aegis.enforcer.rollback");
        g_assert_nonnull(strstr(agent_message(agent), "of generation 1 "));
        g_assert_nonnull(strstr(agent_message(agent), digest));
        g_assert_nonnull(strstr(agent_message(agent), "1 rules added, 2 removed"));
        g_assert_nonnull(strstr(agent_message(agent), "after generation 2"));
        g_assert_null(strstr(agent_message(agent), "$("));
        g_free(digest);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_answer_to_an_outdated_question_is_stale(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending;

        two_generations(lab);
        pending = roll_back(user, 1, LAB_ANY, INTERACTIVE);
        agent_wait(agent, 1);
        lab_must_apply(lab, "db", DOCUMENT);
        agent_release(agent, AGENT_YES);
        expect(lab, pending, ERROR("AuthorizationStale"));
        g_assert_cmpuint(lab_generation(lab), ==, 3);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_what_is_not_there_or_not_expected_is_told_before_anybody_is_asked(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        two_generations(lab);
        expect(lab, roll_back(user, 7, LAB_ANY, INTERACTIVE), ERROR("NoSuchGeneration"));
        expect(lab, roll_back(user, 0, LAB_ANY, INTERACTIVE), ERROR("NoSuchGeneration"));
        expect(lab, roll_back(user, 1, 1, INTERACTIVE), ERROR("GenerationMismatch"));
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        g_assert_cmpuint(lab_generation(lab), ==, 2);
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
                TEST(root_goes_back_and_the_history_says_so),
                TEST(a_user_is_asked_about_the_generation_and_its_digest),
                TEST(an_answer_to_an_outdated_question_is_stale),
                TEST(what_is_not_there_or_not_expected_is_told_before_anybody_is_asked),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
