/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test: which rule would decide an access, if these documents were in force together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "json.h"
#include "output.h"
#include "policy/plain.h"
#include "question.h"
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

        fputs("  ", stdout);
        output_text(stdout, input ? input->source.label : rule->document);
        printf(":%u: [", rule->line);
        output_text(stdout, rule->section);
        fputs("] ", stdout);
        output_text(stdout, rule->entry);
        fputs("\n  id: ", stdout);
        output_text(stdout, rule->id);
        putchar('\n');
        if (*rule->why) {
                fputs("  why: ", stdout);
                output_text(stdout, rule->why);
                putchar('\n');
        }
}

/* What stands behind the word of the access. */
static void print_object(const Question *question, const Probe *probe)
{
        switch (probe->kind) {
        case PROBE_FILE:
                putchar(' ');
                output_text(stdout, question->object);
                break;
        case PROBE_NET:
                putchar(' ');
                output_text(stdout, question->object + strcspn(question->object, ":") + 1);
                break;
        case PROBE_KERNEL:
                break;
        }
        putchar('\n');
}

static void print_answer(const Force *force, const Question *question, const Probe *probe,
                         const struct clause *clause)
{
        Colour colour = is_denial(clause) ? COLOUR_BAD : COLOUR_GOOD;

        printf("%s%s%s: %s", colour_sequence(colour), verdict_word(clause),
               colour_sequence(COLOUR_NONE), probe->word);
        print_object(question, probe);
        if (clause)
                print_rule(force, &force->image->rules[clause->rule]);
        else if (image_leaves_unbound(force->image, &question->asker))
                puts("  no rule binds a process in this cgroup");
        else
                puts("  no rule is about it");
}

/* ---- for a program ---- */

static int add_rule(json_object *answer, const Force *force, const ImageRule *rule)
{
        const Input *input = input_of(force, rule);
        json_object *object = json_object_new_object();

        if (!object || json_add(answer, "rule", object) < 0)
                return -ENOMEM;
        if (json_add_text(object, "file", input ? input->source.label : "") < 0 ||
            json_add_text(object, "policy", rule->document) < 0 ||
            json_add_number(object, "line", rule->line) < 0 ||
            json_add_text(object, "section", rule->section) < 0 ||
            json_add_text(object, "entry", rule->entry) < 0 ||
            json_add_text(object, "id", rule->id) < 0)
                return -ENOMEM;
        return json_add_text(object, "why", rule->why);
}

static int add_answer(json_object *answers, const Force *force, const Probe *probe,
                      const struct clause *clause)
{
        json_object *answer = json_object_new_object();

        if (!answer || json_add(answers, NULL, answer) < 0)
                return -ENOMEM;
        if (json_add_text(answer, "access", probe->word) < 0 ||
            json_add_text(answer, "verdict", verdict_word(clause)) < 0)
                return -ENOMEM;
        return clause ? add_rule(answer, force, &force->image->rules[clause->rule]) : 0;
}

/* ---- the whole ---- */

/* answers: NULL for text. */
static int answer(const Force *force, const Question *question, json_object *answers,
                  ToolStatus *ret_status)
{
        *ret_status = TOOL_FINE;
        for (size_t i = 0; i < question->n_probes; i++) {
                const Probe *probe = &question->probes[i];
                const struct clause *clause = question_ask(question, probe, force->image);

                if (is_denial(clause))
                        *ret_status = TOOL_FOUND;
                if (!answers)
                        print_answer(force, question, probe, clause);
                else if (add_answer(answers, force, probe, clause) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int answer_in_json(const Force *force, const Question *question, ToolStatus *ret_status)
{
        _cleanup_(json_object_putp) json_object *report = json_object_new_object();
        json_object *answers = json_object_new_array();
        int r;

        if (!report || !answers || json_add(report, "answers", answers) < 0)
                return -ENOMEM;
        r = answer(force, question, answers, ret_status);
        if (r == 0)
                output_json(report);
        return r;
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
                r = TOOL_GIVEN(options, TOOL_JSON) ? answer_in_json(&force, question, &status)
                                                   : answer(&force, question, NULL, &status);
        force_deinit(&force);
        for (size_t i = 0; i < inputs->n; i++)
                report_faults(&inputs->items[i]);
        return r < 0 ? tool_trouble("cannot compile the documents: %s.", strerror(-r)) : status;
}

ToolStatus command_test(const ToolOptions *options, char **files, size_t n)
{
        Question question = {0};
        Inputs inputs = {0};
        ToolStatus status = question_read(&question, options);

        if (status == TOOL_FINE)
                status = inputs_read(&inputs, files, n);
        if (status == TOOL_FINE)
                status = test(options, &inputs, &question);
        inputs_deinit(&inputs);
        question_deinit(&question);
        return status;
}
