/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person reads before saying yes or no, whole, in the language of the agent that shows it.
 */
#include <string.h>

#include "agent.h"
#include "lab.h"

#define ONE "version=1\n[deny_path]\n/srv/one\n"
#define TWO "version=1\n[deny_path]\n/srv/two\n/srv/three\n"
#define DIGEST "DIGEST" /* stands for one, which is another each time */

static Pending *apply(sd_bus *user)
{
        return lab_apply(user, "web", ONE, INTERACTIVE);
}

static Pending *remove_it(sd_bus *user)
{
        sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "Remove");

        g_assert_cmpint(sd_bus_message_append(m, "sta{sv}", "web", LAB_ANY, 0), >=, 0);
        return lab_send(m, INTERACTIVE);
}

static Pending *roll_back(sd_bus *user)
{
        sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "Rollback");

        g_assert_cmpint(sd_bus_message_append(m, "tta{sv}", (uint64_t) 1, LAB_ANY, 0), >=, 0);
        return lab_send(m, INTERACTIVE);
}

static Pending *audit(sd_bus *user)
{
        return lab_set_mode(user, "audit", INTERACTIVE);
}

static Pending *deny(sd_bus *user)
{
        return lab_rule(user, "AddRule", "deny", "file:/srv/four", INTERACTIVE);
}

static const struct {
        Pending *(*send)(sd_bus *user);
        const char *english, *german;
} prompts[] = {
        {apply,
         "Authentication is required to put security policy “web”, not signed, in force: 1 "
         "rules added, 2 removed (after generation 2, digest " DIGEST ").",
         "Zum Inkraftsetzen der Sicherheitsrichtlinie „web“ (not signed) ist eine Anmeldung nötig: "
         "1 Regeln "
         "kommen hinzu, 2 entfallen (nach Stand 2, Prüfsumme " DIGEST ")."},
        {remove_it,
         "Authentication is required to remove security policy “web”: 2 rules will no longer hold "
         "(after generation 2).",
         "Zum Entfernen der Sicherheitsrichtlinie „web“ ist eine Anmeldung nötig: 2 Regeln gelten "
         "dann nicht mehr (nach Stand 2)."},
        {roll_back,
         "Authentication is required to return to the security policies of generation 1 "
         "(digest " DIGEST "): 1 rules added, 2 removed (after generation 2).",
         "Zur Rückkehr zu den Sicherheitsrichtlinien von Stand 1 (Prüfsumme " DIGEST ") ist eine "
         "Anmeldung nötig: 1 Regeln kommen hinzu, 2 entfallen (nach Stand 2)."},
        {audit,
         "Authentication is required to make the security policy less strict: “mode audit” (after "
         "generation 2, digest " DIGEST ").",
         "Zum Lockern der Sicherheitsrichtlinie ist eine Anmeldung nötig: „mode audit“ (nach Stand "
         "2, Prüfsumme " DIGEST ")."},
        {deny,
         "Authentication is required to make the security policy stricter by one rule: “+ [deny] "
         "file:/srv/four” (after generation 2, digest " DIGEST ").",
         "Zum Verschärfen der Sicherheitsrichtlinie um eine Regel ist eine Anmeldung nötig: „+ "
         "[deny] file:/srv/four“ (nach Stand 2, Prüfsumme " DIGEST ")."},
};

static char *hide_digest(const char *text)
{
        GRegex *digest = g_regex_new("\\b[0-9a-f]{64}\\b", 0, 0, NULL);
        char *hidden = g_regex_replace_literal(digest, text, -1, 0, DIGEST, 0, NULL);

        g_regex_unref(digest);
        return hidden;
}

static void check(Lab *lab, size_t i, const char *locale, const char *expected)
{
        Agent *agent = agent_new_speaking(lab, AGENT_NO, locale);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *shown;

        g_free(lab_expect(lab, prompts[i].send(user), SD_BUS_ERROR_ACCESS_DENIED));
        shown = hide_digest(agent_message(agent));
        g_assert_cmpstr(shown, ==, expected);
        g_free(shown);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_questions_are_asked_in_english_and_in_german(Lab *lab)
{
        lab_must_apply(lab, "web", ONE);
        lab_must_apply(lab, "web", TWO);
        for (size_t i = 0; i < G_N_ELEMENTS(prompts); i++) {
                check(lab, i, "C", prompts[i].english);
                check(lab, i, "de_DE.UTF-8", prompts[i].german);
                check(lab, i, "de", prompts[i].german);
                check(lab, i, "fr_FR.UTF-8", prompts[i].english); /* which nobody has written */
        }
}

/* What would read as another question: marks of direction, lines, what is longer than it is told.
 */
static void test_a_question_shows_what_is_asked_and_nothing_that_hides_it(Lab *lab)
{
        Agent *agent = agent_new(lab, AGENT_NO);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *entry = g_strdup_printf("file:\"/srv/\xe2\x80\xae%0200d\"", 0);

        g_free(lab_expect(lab, lab_rule(user, "AddRule", "deny", entry, INTERACTIVE),
                          SD_BUS_ERROR_ACCESS_DENIED));
        g_assert_nonnull(strstr(agent_message(agent), "“+ [deny] file:"));
        g_assert_nonnull(strstr(agent_message(agent), "…”"));
        g_assert_null(strstr(agent_message(agent), "\xe2\x80\xae"));
        g_free(entry);
        lab_disconnect(user);
        agent_free(agent);
}

static unsigned count(const char *text, const char *part)
{
        unsigned n = 0;

        for (const char *p = text; (p = strstr(p, part)); p++)
                n++;
        return n;
}

static void test_every_question_is_translated(Lab *lab)
{
        char *actions;

        g_assert_true(g_file_get_contents(POLKIT_POLICY, &actions, NULL, NULL));
        g_assert_cmpuint(count(actions, "<action "), >, 0);
        g_assert_cmpuint(count(actions, "<message xml:lang=\"de\">"), ==,
                         count(actions, "<action "));
        g_assert_cmpuint(count(actions, "<description xml:lang=\"de\">"), ==,
                         count(actions, "<action "));
        /* polkit would look for a catalogue of its own then, and not here. */
        g_assert_cmpuint(count(actions, "gettext-domain"), ==, 0);
        g_free(actions);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(questions_are_asked_in_english_and_in_german),
                TEST(a_question_shows_what_is_asked_and_nothing_that_hides_it),
                TEST(every_question_is_translated),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
