/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test: which rule would decide an access, if these documents were in force together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "policy/plain.h"
#include "report.h"

/* The documents, as they would be in force together. */
typedef struct Force {
        DocumentSet set;
        PolicyImage *image; /* NULL if a document has faults */
} Force;

static void force_deinit(Force *force)
{
        document_set_end(&force->set);
        policy_image_free(force->image);
}

static const Input *input_of(const Force *force, const ImageRule *rule)
{
        for (size_t i = 0; i < force->set.n; i++)
                if (strcmp(force->set.documents[i].name, rule->document) == 0)
                        return force->set.inputs[i];
        return NULL;
}

/* A denial that is recorded only lets the access go on. */
static int is_denial(const struct clause *clause)
{
        return clause && clause->verdict == CLAUSE_DENY && !(clause->flags & CLAUSE_RECORD);
}

static const char *verdict_word(const struct clause *clause)
{
        if (!clause || clause->verdict == CLAUSE_ALLOW)
                return "allowed";
        return is_denial(clause) ? "denied" : "recorded";
}

/* ---- for a person ---- */

static void print_rule(const Force *force, const ImageRule *rule)
{
        const Input *input = input_of(force, rule);
        char id[IMAGE_RULE_ID_SIZE];

        fputs("  ", stdout);
        output_text(stdout, input ? input->source.label : rule->document);
        printf(":%u: [", rule->rule->line);
        output_text(stdout, rule->rule->section);
        fputs("] ", stdout);
        output_text(stdout, rule->rule->entry);
        fputs("\n  id: ", stdout);
        output_text(stdout, image_rule_id(rule, id));
        putchar('\n');
        if (*image_rule_why(rule)) {
                fputs("  why: ", stdout);
                output_text(stdout, image_rule_why(rule));
                putchar('\n');
        }
}

/* What stands behind the word of the access; nothing for the kernel. */
static const char *object_of(const ToolOptions *options)
{
        const char *net = options->arguments[TOOL_NET];

        return net ? net + strcspn(net, ":") + 1 : options->arguments[TOOL_PATH];
}

static void print_answer(const Force *force, const char *object, const Answer *answer)
{
        Colour colour = is_denial(answer->clause) ? COLOUR_BAD : COLOUR_GOOD;
        ImageRule rule;

        printf("%s%s%s: %s%s", colour_sequence(colour), verdict_word(answer->clause),
               colour_sequence(COLOUR_NONE), answer->access, object ? " " : "");
        output_text(stdout, object ? object : "");
        putchar('\n');
        if (answer_rule(answer, force->image, &rule))
                print_rule(force, &rule);
        else if (answer->is_unbound)
                puts("  no rule binds a process in this cgroup");
        else
                puts("  no rule is about it");
}

/* ---- for a program ---- */

static int add_rule(json_object *answer, const Force *force, const ImageRule *rule)
{
        const Input *input = input_of(force, rule);
        char id[IMAGE_RULE_ID_SIZE];
        json_object *object = json_object_new_object();

        if (!object || json_add(answer, "rule", object) < 0)
                return -ENOMEM;
        if (json_add_text(object, "file", input ? input->source.label : "") < 0 ||
            json_add_text(object, "policy", rule->document) < 0 ||
            json_add_number(object, "line", rule->rule->line) < 0 ||
            json_add_text(object, "section", rule->rule->section) < 0 ||
            json_add_text(object, "entry", rule->rule->entry) < 0 ||
            json_add_text(object, "id", image_rule_id(rule, id)) < 0)
                return -ENOMEM;
        return json_add_text(object, "why", image_rule_why(rule));
}

static int add_answer(json_object *answers, const Force *force, const Answer *answer)
{
        json_object *object = json_object_new_object();
        ImageRule rule;

        if (!object || json_add(answers, NULL, object) < 0)
                return -ENOMEM;
        if (json_add_text(object, "access", answer->access) < 0 ||
            json_add_text(object, "verdict", verdict_word(answer->clause)) < 0)
                return -ENOMEM;
        return answer_rule(answer, force->image, &rule) ? add_rule(object, force, &rule) : 0;
}

/* ---- the whole ---- */

static int print_in_json(const Force *force, const Answer *answers, size_t n)
{
        _cleanup_(json_object_putp) json_object *report = json_object_new_object();
        json_object *list = json_object_new_array();

        if (!report || !list || json_add(report, "answers", list) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (add_answer(list, force, &answers[i]) < 0)
                        return -ENOMEM;
        output_json(report);
        return 0;
}

static int answer(const Force *force, const Question *question, const ToolOptions *options,
                  ToolStatus *ret_status)
{
        Answer answers[ANSWERS_MAX];
        size_t n = question_ask(question, force->image, answers);

        *ret_status = TOOL_FINE;
        for (size_t i = 0; i < n; i++)
                if (is_denial(answers[i].clause))
                        *ret_status = TOOL_FOUND;
        if (TOOL_GIVEN(options, TOOL_JSON))
                return print_in_json(force, answers, n);
        for (size_t i = 0; i < n; i++)
                print_answer(force, object_of(options), &answers[i]);
        return 0;
}

static size_t count_faults(const DocumentSet *set)
{
        size_t n = 0;

        for (size_t i = 0; i < set->n; i++)
                n += set->diagnostics[i].n_faults;
        return n;
}

/* Faults that compiling tells are no failure: they are the documents'. */
static int force_make(Force *force, Inputs *inputs)
{
        const Resolver resolver = plain_resolver();
        int r = document_set_begin(&force->set, inputs);

        if (r == 0)
                r = policy_image_compile(&force->image, force->set.documents, force->set.n,
                                         &resolver, force->set.diagnostics);
        return r != -ENOMEM && count_faults(&force->set) > 0 ? 0 : r;
}

static ToolStatus test(const ToolOptions *options, Inputs *inputs, const Question *question)
{
        ToolStatus status = TOOL_TROUBLE;
        Force force = {0};
        int r = force_make(&force, inputs);

        if (r == 0 && force.image && inputs_count_faults(inputs) == 0)
                r = answer(&force, question, options, &status);
        force_deinit(&force);
        for (size_t i = 0; i < inputs->n; i++)
                report_faults(&inputs->items[i]);
        return r < 0 ? tool_trouble("cannot compile the documents: %s.", strerror(-r)) : status;
}

ToolStatus command_test(const ToolOptions *options, char **files, size_t n)
{
        const Resolver resolver = plain_resolver();
        Question question = {0};
        Inputs inputs = {0};
        ToolStatus status = asking_read(&question, options, &resolver);

        if (status == TOOL_FINE)
                status = inputs_read(&inputs, files, n);
        if (status == TOOL_FINE)
                status = test(options, &inputs, &question);
        inputs_deinit(&inputs);
        question_deinit(&question);
        return status;
}
