/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs: the table of verbs, and the help that is made from it. The manual page and the completions
 * are tested equal to this table. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define TRYING_OPTIONS (OPTION_BIT(OPTION_CHECK) | OPTION_BIT(OPTION_DIFF))
#define CHANGING_OPTIONS                                                                           \
        (OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_EXPECT) | OPTION_BIT(OPTION_QUIET) |          \
         OPTION_BIT(OPTION_SIGNATURE) | TRYING_OPTIONS)
#define ROLLBACK_OPTIONS (OPTION_BIT(OPTION_EXPECT) | OPTION_BIT(OPTION_CHECK))
#define RULE_OPTIONS (OPTION_BIT(OPTION_EXPECT) | TRYING_OPTIONS)
#define EVENT_OPTIONS                                                                              \
        (OPTION_BIT(OPTION_FOLLOW) | OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_POLICY) |        \
         OPTION_BIT(OPTION_HOOK) | OPTION_BIT(OPTION_VERDICT) | OPTION_BIT(OPTION_RULE) |          \
         OPTION_BIT(OPTION_COMM) | OPTION_BIT(OPTION_PATH) | OPTION_BIT(OPTION_UID) |              \
         OPTION_BIT(OPTION_FORMAT))

const Verb verb_table[] = {
        {"status", "", "what is enforced, how strongly, and since when", 0, 0, 0, verb_status},
        {"hooks", "", "each place of decision in the kernel", 0, 0, 0, verb_hooks},
        {"policies", "", "the policies in force; policy show NAME: its text", 0, 0, 0,
         verb_policies},
        {"policy list", "", NULL, 0, 0, 0, verb_policies},
        {"policy show", "NAME", NULL, 1, 1, 0, verb_policy_show},
        {"plan", "FILE|-", "what apply would change", 1, 1, CHANGING_OPTIONS, verb_plan},
        {"diff", "FILE|-...", "the same as a diff; exits with 1 if there is any", 1, UINT_MAX,
         OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_SIGNATURE),
         verb_diff},
        {"apply", "FILE|-", "put a policy in force, or replace it", 1, 1,
         CHANGING_OPTIONS | OPTION_BIT(OPTION_CONFIRM_TIMEOUT), verb_apply},
        {"remove", "NAME", "take a policy out of force", 1, 1, RULE_OPTIONS, verb_remove},
        {"reload", "", "put in force what the files in /etc/aegis/policy.d say", 0, 0,
         OPTION_BIT(OPTION_CHECK), verb_reload},
        {"confirm", "[GENERATION]", "keep what apply --confirm-timeout put on trial", 0, 1, 0,
         verb_confirm},
        {"rollback", "[GENERATION]", "the policies as they were, as a new generation", 0, 1,
         ROLLBACK_OPTIONS, verb_rollback},
        {"rule list", "[POLICY]", "rules; rule add [--ttl=30m], rule remove SECTION ENTRY", 0, 1, 0,
         verb_rule_list},
        {"rule add", "SECTION ENTRY", NULL, 2, UINT_MAX, RULE_OPTIONS | OPTION_BIT(OPTION_TTL),
         verb_rule_add},
        {"rule remove", "SECTION ENTRY", NULL, 2, UINT_MAX, RULE_OPTIONS, verb_rule_remove},
        {"mode", "[enforce|audit]", "show or set: deny, or only record; --hook=HOOK: there", 0, 1,
         OPTION_BIT(OPTION_HOOK) | TRYING_OPTIONS, verb_mode},
        {"emergency start", "", "deny nothing for a while, record all; emergency stop", 0, 0,
         OPTION_BIT(OPTION_FOR) | OPTION_BIT(OPTION_REASON), verb_emergency_start},
        {"emergency stop", "", NULL, 0, 0, 0, verb_emergency_stop},
        {"release", "", "let go of the kernel; the policies stay on disk", 0, 0, 0, verb_release},
        {"events", "", "what was denied or recorded", 0, 0, EVENT_OPTIONS, verb_events},
        {"allow", "SEQ", "for a while, what event SEQ was denied; --for=10m", 1, 1,
         OPTION_BIT(OPTION_FOR), verb_allow},
        {"exceptions revoke", "NAME", NULL, 1, 1, 0, verb_exceptions_revoke},
        {"exceptions", "", "what is allowed for a while; exceptions revoke NAME", 0, 0, 0,
         verb_exceptions},
        {"explain", "OBJECT...", "which rule would decide, and why", 1, 9, 0, verb_explain},
        {"simulate", "FILE|-", "what a policy would have decided; --for=1d: since then", 1, 1,
         OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_FOR) | OPTION_BIT(OPTION_SIGNATURE),
         verb_simulate},
        {"history", "", "who changed what, and by whose leave", 0, 0, 0, verb_history},
        {"metrics", "", "what is counted, as OpenMetrics text", 0, 0, 0, verb_metrics},
        {"capabilities", "", "what this machine offers to enforce with", 0, 0, 0,
         verb_capabilities},
        {"doctor", "", "what is missing here, and the command that mends it", 0, 0, 0, verb_doctor},
        {"can", "ACTION", "whether polkit would let you: yes, no, challenge", 1, 1, 0, verb_can},
};
const size_t n_verbs = ELEMENTS_OF(verb_table);

static const char help_options[] =
        "  -j, --json               JSON (events: one a line; or --format=cef|ecs|ocsf)\n"
        "  -n, --name=NAME          plan, apply: the policy's name, if not the file's\n"
        "      --signature=FILE     plan, diff, apply, simulate: of each who signed\n"
        "      --confirm-timeout=5m apply: on trial, undone unless confirmed by then\n"
        "      --for=10m            allow, emergency start: how long; --reason=TEXT: why\n"
        "      --expect=GENERATION  what changes something: only if this is in force\n"
        "      --check, --diff      what changes something: only look, 10 if it would;\n"
        "                           show what changes as a diff\n"
        "  -q, --quiet              plan, diff, apply: no warnings about the text\n"
        "  -f, --follow             events: wait for more; --since=SEQ: from there on\n"
        "      --policy=NAME, --rule=ID, --hook=HOOK, --verdict=VERDICT,\n"
        "      --uid=UID, --comm=NAME, --path=PATH             events: only these\n"
        "  -H, --host=HOST, -M, --machine=CONTAINER            act there, not here\n"
        "      --no-ask-password, --help, --version            See aegis-client(1).\n";

static size_t count_words(const char *name)
{
        return strchr(name, ' ') ? 2 : 1;
}

static int verb_is(const Verb *verb, char **words)
{
        const char *space = strchr(verb->name, ' ');

        if (!space)
                return strcmp(verb->name, words[0]) == 0;
        return strncmp(verb->name, words[0], (size_t) (space - verb->name)) == 0 &&
               words[0][space - verb->name] == '\0' && strcmp(space + 1, words[1]) == 0;
}

const Verb *verb_find(char **words, size_t n_words, size_t *ret_n_words)
{
        for (size_t i = 0; i < n_verbs; i++) {
                size_t n = count_words(verb_table[i].name);

                if (n > n_words || !verb_is(&verb_table[i], words))
                        continue;
                *ret_n_words = n;
                return &verb_table[i];
        }
        return NULL;
}

char *help_format(void)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        fputs("aegis-client [OPTION...] VERB [ARGUMENT]\n", out);
        for (size_t i = 0; i < n_verbs; i++) {
                char usage[40];

                if (!verb_table[i].help)
                        continue;
                snprintf(usage, sizeof(usage), "%s %s", verb_table[i].name,
                         verb_table[i].arguments);
                fprintf(out, "  %-22s %s\n", usage, verb_table[i].help);
        }
        fputs(help_options, out);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}
