/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: what the files of the policy directory say is put in force, and the answer says what came
 * of each; by messages and by the client. */
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "client-lab.h"
#include "client.h"

#define FOLDER "/run/lab/policy.d"
#define ERROR(name) "org.aegis.Enforcer.Error." name

static Pending *reload(sd_bus *bus, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Reload");

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        return lab_send(m, interaction);
}

static void expect_last_change(Lab *lab, const char *wanted)
{
        g_autofree char *change = lab_last_change(lab);

        g_assert_cmpstr(change, ==, wanted);
}

static void test_it_tells_what_is_in_force_and_what_not(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(FOLDER "/web.policy", DOCUMENT);
        put(FOLDER "/db.policy", FAULTY);
        run("reload", STATUS_INVALID, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "web is in force as its file has it.\nGeneration 1 is in force.\n");
        expect_in(outcome.err, FOLDER "/db.policy:3: ");
        expect_in(outcome.err, "\n" FOLDER "/db.policy:4: ");
        expect_last_change(lab, "1 Reload web root");
        put(FOLDER "/db.policy", LONGER);
        run("reload --json", STATUS_DONE, &outcome);
        g_assert_cmpstr(
                outcome.out, ==,
                "{\"changed\":true,\"generation\":2,\"policies\":[\"db\"],\"refused\":[]}\n");
        run("reload", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "Generation 2 stays in force.\n");
}

static void test_what_is_gone_or_not_read_is_told(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put(FOLDER "/web.policy", DOCUMENT);
        run("reload", STATUS_DONE, &outcome);
        unlink(FOLDER "/web.policy");
        g_assert_cmpint(symlink("/etc/passwd", FOLDER "/db.policy"), ==, 0);
        run("reload", STATUS_INVALID, &outcome);
        expect_in(outcome.err, FOLDER "/db.policy: is not read: it is a symbolic link\n");
        expect_in(outcome.err, FOLDER "/web.policy: is gone, and its policy stays in force");
}

static void test_a_check_changes_nothing(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        g_autofree char *before = NULL, *after = NULL;

        put(FOLDER "/web.policy", DOCUMENT);
        put(FOLDER "/db.policy", FAULTY);
        before = lab_state(lab);
        run("reload --check --json", STATUS_INVALID, &outcome);
        expect_in(outcome.out, "{\"changed\":true,\"generation\":0,\"policies\":[\"web\"],"
                               "\"refused\":[{\"file\":\"" FOLDER "/db.policy\",\"line\":3,");
        run_as(LAB_USER, "reload --check", STATUS_INVALID, &outcome);
        unlink(FOLDER "/db.policy");
        run("reload --check", STATUS_WOULD_CHANGE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "web would be put in force as its file has it.\n"
                        "Generation 0 stays in force.\n");
        after = lab_state(lab);
        g_assert_cmpstr(before, ==, after);
}

static void test_who_is_asked_is_told_which_policies(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);

        put(FOLDER "/web.policy", DOCUMENT);
        put(FOLDER "/db.policy", LONGER);
        g_free(lab_expect(lab, reload(user, INTERACTIVE), NULL));
        expect_in(agent_message(agent), "of the security policies “db, web” (after generation 0, ");
        expect_last_change(lab, "2 Reload web org.aegis.enforcer.reload");
        lab_disconnect(user);
        agent_free(agent);
}

static void test_an_answer_is_not_for_other_files(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending;

        put(FOLDER "/web.policy", DOCUMENT);
        pending = reload(user, INTERACTIVE);
        agent_wait(agent, 1);
        put(FOLDER "/web.policy", LONGER);
        agent_release(agent, AGENT_YES);
        g_free(lab_expect(lab, pending, ERROR("AuthorizationStale")));
        g_assert_cmpuint(lab_generation(lab), ==, 0);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_it_waits_for_the_end_of_a_trial(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
        g_free(lab_expect(lab, lab_apply_on_trial(lab->root, "web", LONGER, 60), NULL));
        g_free(lab_expect(lab, reload(lab->root, SILENT), NULL)); /* would change nothing */
        put(FOLDER "/web.policy", DOCUMENT);
        g_free(lab_expect(lab, reload(lab->root, SILENT), ERROR("Busy")));
        g_assert_cmpuint(lab_generation(lab), ==, 2);
}

static void test_what_must_be_signed_is_refused(Lab *lab)
{
        g_auto(Outcome) outcome = {0};

        put("/run/lab/aegisd.conf", "[Enforcer]\nSignatureRequired=yes\n");
        lab_stop(lab);
        lab_start_again(lab);
        put(FOLDER "/web.policy", DOCUMENT);
        run("reload", STATUS_INVALID, &outcome);
        expect_in(outcome.err, FOLDER "/web.policy: cannot be put in force: it must be signed");
        g_assert_cmpuint(lab_generation(lab), ==, 0);
        put("/run/lab/aegisd.conf", "");
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(it_tells_what_is_in_force_and_what_not),
                TEST(what_is_gone_or_not_read_is_told),
                TEST(a_check_changes_nothing),
                TEST(who_is_asked_is_told_which_policies),
                TEST(an_answer_is_not_for_other_files),
                TEST(it_waits_for_the_end_of_a_trial),
                TEST(what_must_be_signed_is_refused),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
