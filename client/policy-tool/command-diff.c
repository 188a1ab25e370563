/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* diff: what one document says and the other does not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alike.h"
#include "difference.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "policy/meaning.h"
#include "policy/rule-text.h"
#include "report.h"

/* What stands in the header. */
typedef struct Fact {
        const char *key;
        const char *before, *after; /* "" where nothing is said */
} Fact;

#define N_FACTS 4

typedef struct Comparison {
        const Input *before, *after;
        Fact facts[N_FACTS];
        Changes changes;
        int is_alike;
} Comparison;

static const char *yes(int is_so, const char *word)
{
        return is_so ? word : "";
}

static const char *name_of(const Policy *policy)
{
        const char *name = policy_header_name(policy);

        return name ? name : "";
}

static void read_facts(Comparison *comparison)
{
        const Policy *a = comparison->before->policy, *b = comparison->after->policy;
        const Fact facts[N_FACTS] = {
                {"name", name_of(a), name_of(b)},
                {"on-missing-guarantee", yes(policy_accepts_missing(a), "accept"),
                 yes(policy_accepts_missing(b), "accept")},
                {"runtime-deps", yes(policy_deps_matter(a), "verified"),
                 yes(policy_deps_matter(b), "verified")},
                {"ima-appraisal", yes(policy_wants_ima_appraisal(a), "required"),
                 yes(policy_wants_ima_appraisal(b), "required")},
        };

        memcpy(comparison->facts, facts, sizeof(facts));
}

static int is_changed(const Fact *fact)
{
        return strcmp(fact->before, fact->after) != 0;
}

static int is_different(const Comparison *comparison)
{
        for (size_t i = 0; i < N_FACTS; i++)
                if (is_changed(&comparison->facts[i]))
                        return 1;
        return comparison->changes.n > 0 || !comparison->is_alike;
}

/* ---- for a person ---- */

static void print_rule(const Rule *rule, const char *text)
{
        printf("[%s] ", rule_section(rule));
        output_text(stdout, text);
}

static int print_change(const Change *change)
{
        _cleanup_(freep) char *before = NULL, *after = NULL;
        int is_both = change->before && change->after;

        if ((change->before && rule_to_text(change->before, &before) < 0) ||
            (change->after && rule_to_text(change->after, &after) < 0))
                return -ENOMEM;
        fputs(colour_sequence(is_both  ? COLOUR_DOUBTFUL
                              : before ? COLOUR_BAD
                                       : COLOUR_GOOD),
              stdout);
        fputs(is_both ? "~ " : before ? "- " : "+ ", stdout);
        if (before)
                print_rule(change->before, before);
        fputs(is_both ? " -> " : "", stdout);
        if (after)
                print_rule(change->after, after);
        fputs(colour_sequence(COLOUR_NONE), stdout);
        putchar('\n');
        return 0;
}

static void print_fact(const Fact *fact)
{
        if (*fact->before)
                printf("- %s=%s\n", fact->key, fact->before);
        if (*fact->after)
                printf("+ %s=%s\n", fact->key, fact->after);
}

static int print_text(const Comparison *comparison)
{
        for (size_t i = 0; i < N_FACTS; i++)
                if (is_changed(&comparison->facts[i]))
                        print_fact(&comparison->facts[i]);
        for (size_t i = 0; i < comparison->changes.n; i++)
                if (print_change(&comparison->changes.items[i]) < 0)
                        return -ENOMEM;
        if (comparison->changes.n > 0)
                printf("They %sdecide alike.\n", comparison->is_alike ? "" : "do not ");
        else if (!comparison->is_alike)
                puts("The same rules in another order, and they do not decide alike: of two about "
                     "one object the first decides.");
        return 0;
}

/* ---- for a program ---- */

/* rule may be NULL. */
static int add_rule(json_object *object, const char *key, const Rule *rule)
{
        _cleanup_(freep) char *text = NULL;
        json_object *side;

        if (!rule)
                return 0;
        side = json_object_new_object();
        if (!side || json_add(object, key, side) < 0 || rule_to_text(rule, &text) < 0)
                return -ENOMEM;
        if (json_add_text(side, "section", rule_section(rule)) < 0 ||
            json_add_text(side, "rule", text) < 0)
                return -ENOMEM;
        return json_add_number(side, "line", rule->line);
}

static int add_change(json_object *changes, const Change *change)
{
        json_object *object = json_object_new_object();

        if (!object || json_add(changes, NULL, object) < 0)
                return -ENOMEM;
        if (json_add_text(object, "kind",
                          !change->before  ? "added"
                          : !change->after ? "removed"
                                           : "changed") < 0 ||
            add_rule(object, "old", change->before) < 0)
                return -ENOMEM;
        return add_rule(object, "new", change->after);
}

static int add_fact(json_object *facts, const Fact *fact)
{
        json_object *object = json_object_new_object();

        if (!object || json_add(facts, NULL, object) < 0)
                return -ENOMEM;
        if (json_add_text(object, "key", fact->key) < 0 ||
            json_add_text(object, "old", fact->before) < 0)
                return -ENOMEM;
        return json_add_text(object, "new", fact->after);
}

static int print_json(const Comparison *comparison)
{
        _cleanup_(json_object_putp) json_object *report = json_object_new_object();
        json_object *header = json_object_new_array(), *changes;

        if (!report || !header || json_add(report, "header", header) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < N_FACTS; i++)
                if (is_changed(&comparison->facts[i]) &&
                    add_fact(header, &comparison->facts[i]) < 0)
                        return -ENOMEM;
        changes = json_object_new_array();
        if (!changes || json_add(report, "changes", changes) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < comparison->changes.n; i++)
                if (add_change(changes, &comparison->changes.items[i]) < 0)
                        return -ENOMEM;
        if (json_add_truth(report, "equal", !is_different(comparison)) < 0 ||
            json_add_truth(report, "decide_alike", comparison->is_alike) < 0)
                return -ENOMEM;
        output_json(report);
        return 0;
}

/* ---- the whole ---- */

static ToolStatus check_faults(const Inputs *inputs)
{
        for (size_t i = 0; i < inputs->n; i++)
                report_faults(&inputs->items[i]);
        return inputs_count_faults(inputs) > 0 ? TOOL_TROUBLE : TOOL_FINE;
}

static int compare(Comparison *comparison)
{
        const Sheet before = {comparison->before->source.text, comparison->before->source.n_text};
        const Sheet after = {comparison->after->source.text, comparison->after->source.n_text};
        int r;

        read_facts(comparison);
        r = changes_find(&comparison->changes, comparison->before->policy,
                         comparison->after->policy);
        return r < 0 ? r : documents_decide_alike(&before, &after, &comparison->is_alike);
}

static ToolStatus diff(const ToolOptions *options, const Inputs *inputs)
{
        Comparison comparison = {.before = &inputs->items[0], .after = &inputs->items[1]};
        ToolStatus status;
        int r = compare(&comparison);

        if (r == 0)
                r = TOOL_GIVEN(options, TOOL_JSON) ? print_json(&comparison)
                                                   : print_text(&comparison);
        if (r < 0)
                status = tool_trouble("cannot compare the documents: %s.", strerror(-r));
        else if (r > 0)
                status = tool_trouble("one of the documents cannot be compiled; 'lint' tells why.");
        else
                status = is_different(&comparison) ? TOOL_FOUND : TOOL_FINE;
        changes_deinit(&comparison.changes);
        return status;
}

ToolStatus command_diff(const ToolOptions *options, char **files, size_t n)
{
        Inputs inputs = {0};
        ToolStatus status = inputs_read(&inputs, files, n);

        if (status == TOOL_FINE)
                status = check_faults(&inputs);
        if (status == TOOL_FINE)
                status = diff(options, &inputs);
        inputs_deinit(&inputs);
        return status;
}
