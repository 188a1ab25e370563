/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing back over the bus: who may, what is asked, and what an answer is good for. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

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

/* ---- on trial ---- */

static Pending *confirm(sd_bus *bus, uint64_t generation, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Confirm");

        g_assert_cmpint(sd_bus_message_append(m, "t", generation), >=, 0);
        return lab_send(m, interaction);
}

static void test_what_is_on_trial_is_confirmed_and_stays(Lab *lab)
{
        char *last;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, lab_apply_on_trial(lab->root, "web", OTHER, 3600), NULL);
        g_assert_cmpuint(lab_get_number(lab, "ConfirmGeneration"), ==, 2);
        g_assert_cmpuint(lab_get_number(lab, "ConfirmUntilUSec"), >,
                         (uint64_t) g_get_real_time() + 3500 * 1000000ull);
        expect(lab, confirm(lab->root, 1, SILENT), ERROR("NoSuchGeneration"));
        expect(lab, confirm(lab->root, 2, SILENT), NULL);
        g_assert_cmpuint(lab_get_number(lab, "ConfirmGeneration"), ==, 0);
        g_assert_cmpuint(lab_get_number(lab, "ConfirmUntilUSec"), ==, 0);
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "2 Confirm generation 2 root");
        g_free(last);
        expect(lab, confirm(lab->root, 2, SILENT), ERROR("NoSuchGeneration"));
        g_assert_cmpuint(lab_must_apply(lab, "web", DOCUMENT), ==, 3);
}

/* The least that a trial may last. */
static void test_what_nobody_confirms_goes_by_itself(Lab *lab)
{
        gint64 patience = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
        char *last;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, lab_apply_on_trial(lab->root, "db", OTHER, 10), NULL);
        while (lab_generation(lab) != 3) {
                g_assert_cmpint(g_get_monotonic_time(), <, patience);
                sd_event_run(lab->loop, 100 * 1000);
        }
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "3 Revert generation 1 ");
        g_assert_cmpuint(lab_get_number(lab, "ConfirmGeneration"), ==, 0);
        g_free(last);
}

static void test_other_changes_wait_for_the_end_of_a_trial(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, lab_apply_on_trial(lab->root, "web", OTHER, 3600), NULL);
        expect(lab, lab_apply(lab->root, "web", OTHER, SILENT), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, 2);
        expect(lab, lab_apply(user, "db", DOCUMENT, INTERACTIVE), ERROR("Busy"));
        expect(lab, lab_apply_on_trial(lab->root, "db", DOCUMENT, 3600), ERROR("Busy"));
        expect(lab, lab_rule(user, "AddRule", "deny", "file:/srv/x", INTERACTIVE), ERROR("Busy"));
        g_assert_cmpint(agent_n_questions(agent), ==, 0);
        expect(lab, lab_set_mode(lab->root, "audit", SILENT), NULL);
        expect(lab, roll_back(lab->root, 1, LAB_ANY, SILENT), NULL);
        g_assert_cmpuint(lab_get_number(lab, "ConfirmGeneration"), ==, 0);
        g_assert_cmpuint(lab_must_apply(lab, "db", DOCUMENT), ==, 5);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_a_trial_lasts_from_ten_seconds_to_a_day(Lab *lab)
{
        static const unsigned wrong[] = {0, 9, 24 * 3600 + 1};

        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
                expect(lab, lab_apply_on_trial(lab->root, "web", DOCUMENT, wrong[i]),
                       SD_BUS_ERROR_INVALID_ARGS);
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static void test_an_agent_is_asked_what_it_is_that_stays(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        expect(lab, lab_apply_on_trial(lab->root, "web", OTHER, 3600), NULL);
        expect(lab, confirm(user, 1, SILENT), MUST_ASK);
        expect(lab, confirm(user, 1, INTERACTIVE), NULL);
        g_assert_nonnull(strstr(agent_message(agent), "generation 1, for good"));
        g_assert_null(strstr(agent_message(agent), "$("));
        lab_disconnect(user);
        agent_free(agent);
}

/* ---- letting go ---- */

static Pending *release(sd_bus *bus, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Release");

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        return lab_send(m, interaction);
}

static void assert_posture(Lab *lab, const char *expected)
{
        char *posture = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Posture");

        g_assert_cmpstr(posture, ==, expected);
        g_free(posture);
}

static void test_letting_go_is_asked_for_told_and_remembered(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *last;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, release(user, SILENT), MUST_ASK);
        assert_posture(lab, "enforcing");
        expect(lab, release(user, INTERACTIVE), NULL);
        g_assert_nonnull(strstr(agent_message(agent), "“release everything”"));
        assert_posture(lab, "degraded");
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "1 Release  org.aegis.enforcer.weaken");
        expect(lab, lab_set_mode(lab->root, "enforce", SILENT), NULL);
        assert_posture(lab, "enforcing");
        g_assert_cmpuint(lab_generation(lab), ==, 2);
        g_free(last);
        lab_disconnect(user);
        agent_free(agent);
}

/* ---- emergencies ---- */

static Pending *start_emergency(sd_bus *bus, const char *reason, uint64_t usec,
                                Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "EmergencyStart");

        g_assert_cmpint(sd_bus_message_append(m, "st", reason, usec), >=, 0);
        return lab_send(m, interaction);
}

static void wait_for_posture(Lab *lab, const char *expected)
{
        gint64 patience = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

        for (;;) {
                char *posture = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Posture");
                int is_there = strcmp(posture, expected) == 0;

                g_free(posture);
                if (is_there)
                        return;
                g_assert_cmpint(g_get_monotonic_time(), <, patience);
                sd_event_run(lab->loop, 100 * 1000);
        }
}

static void test_an_emergency_is_asked_for_told_and_remembered(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *last;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, start_emergency(user, "the disk is full", 2000000, SILENT), MUST_ASK);
        assert_posture(lab, "enforcing");
        expect(lab, start_emergency(user, "the disk is full", 2000000, INTERACTIVE), NULL);
        g_assert_nonnull(strstr(agent_message(agent), "for 2 seconds: “the disk is full”"));
        assert_posture(lab, "emergency");
        g_assert_cmpuint(lab_get_number(lab, "EmergencyUntilUSec"), >, 0);
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "1 EmergencyStart the disk is full org.aegis.enforcer.emergency");
        g_free(last);
        wait_for_posture(lab, "enforcing");
        g_assert_cmpuint(lab_get_number(lab, "EmergencyUntilUSec"), ==, 0);
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "1 EmergencyEnd  ");
        g_free(last);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_emergency_survives_a_restart_and_is_stopped(Lab *lab)
{
        sd_bus_message *m;
        uint64_t until;
        char *last;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, start_emergency(lab->root, "a test", 3600000000, SILENT), NULL);
        until = lab_get_number(lab, "EmergencyUntilUSec");
        lab_kill(lab);
        lab_start_again(lab);
        assert_posture(lab, "emergency");
        g_assert_cmpuint(lab_get_number(lab, "EmergencyUntilUSec"), ==, until);
        m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "EmergencyStop");
        expect(lab, lab_send(m, SILENT), NULL);
        assert_posture(lab, "enforcing");
        last = lab_last_change(lab);
        g_assert_cmpstr(last, ==, "1 EmergencyStop  root");
        g_free(last);
}

static void test_an_emergency_without_reason_or_end_is_none(Lab *lab)
{
        static const char *const reasons[] = {"", "  ", "two\nlines", "\u202e", "a\tb"};
        char *longer = g_strnfill(129, 'x');

        for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
                expect(lab, start_emergency(lab->root, reasons[i], 2000000, SILENT),
                       SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, start_emergency(lab->root, longer, 2000000, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, start_emergency(lab->root, "x", 0, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, start_emergency(lab->root, "x", 24 * 3600 * 1000000ull + 1, SILENT),
               SD_BUS_ERROR_INVALID_ARGS);
        g_assert_cmpuint(lab_get_number(lab, "EmergencyUntilUSec"), ==, 0);
        g_free(longer);
}

/* ---- files ---- */

#define FOLDER "/run/lab/policy.d"

static void put(const char *file, const char *text)
{
        g_assert_true(g_file_set_contents(file, text, -1, NULL));
        g_assert_cmpint(chmod(file, 0644), ==, 0);
}

static int is_drifting(Lab *lab)
{
        sd_bus_message *m =
                lab_message(lab->root, LAB_ROOT, "org.freedesktop.DBus.Properties", "Get");
        sd_bus_message *reply;
        int drift = 0;

        g_assert_cmpint(sd_bus_message_append(m, "ss", LAB_MANAGER, "Drift"), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "v", "b", &drift), >=, 0);
        sd_bus_message_unref(reply);
        return drift;
}

static void reload_until(Lab *lab, uint64_t generation, int drift)
{
        g_assert_cmpint(kill(lab->aegisd, SIGHUP), ==, 0);
        for (unsigned i = 0; i < 10000; i++)
                if (lab_generation(lab) == generation && is_drifting(lab) == drift)
                        return;
        g_assert_not_reached();
}

static void test_a_reload_loads_what_files_say(Lab *lab)
{
        char *history;

        lab_must_apply(lab, "db", OTHER);
        put(FOLDER "/web.policy", DOCUMENT);
        reload_until(lab, 2, 0);
        history = lab_last_change(lab);
        g_assert_cmpstr(history, ==, "2 Load web ");
        g_free(history);
        put(FOLDER "/web.policy", "version=1\n[deny_path]\nwrong\n");
        reload_until(lab, 2, 1);
        put(FOLDER "/web.policy", OTHER);
        reload_until(lab, 3, 0);
        put(FOLDER "/web.policy", DOCUMENT);
        lab_stop(lab);
        lab_start_again(lab);
        g_assert_cmpuint(lab_generation(lab), ==, 4);
        g_assert_false(is_drifting(lab));
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
                TEST(what_is_on_trial_is_confirmed_and_stays),
                TEST(what_nobody_confirms_goes_by_itself),
                TEST(other_changes_wait_for_the_end_of_a_trial),
                TEST(a_trial_lasts_from_ten_seconds_to_a_day),
                TEST(an_agent_is_asked_what_it_is_that_stays),
                TEST(letting_go_is_asked_for_told_and_remembered),
                TEST(an_emergency_is_asked_for_told_and_remembered),
                TEST(an_emergency_survives_a_restart_and_is_stopped),
                TEST(an_emergency_without_reason_or_end_is_none),
                TEST(a_reload_loads_what_files_say),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
