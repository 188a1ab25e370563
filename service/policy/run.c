/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run: see run.h. This room sees documents and numbers; what rules mean is no matter here. */
#include "policy/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/fiber.h"

void held_free(Held *held, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                policy_unref(held[i].policy);
                free(held[i].name);
        }
        free(held);
}

void run_deinit(Run *run)
{
        if (run->held)
                held_free(run->held, run->request->n_documents);
        free(run->in_order.items);
        free(run->added.items);
}

static const Held *find_held(const Compilation *compilation, const char *name)
{
        for (size_t i = 0; i < compilation->n_held; i++)
                if (strcmp(compilation->held[i].name, name) == 0)
                        return &compilation->held[i];
        return NULL;
}

static int has_ttl(const Policy *policy)
{
        for (size_t i = 0; i < policy_n_rules(policy); i++)
                if (policy_rule(policy, i)->options->ttl != 0)
                        return 1;
        return 0;
}

/* That it was looked through before is enough. */
static int holds_for_a_time(const Compilation *compilation, const Document *document)
{
        const Held *before = find_held(compilation, document->name);

        return before && before->policy == document->policy ? before->has_ttl
                                                            : has_ttl(document->policy);
}

static int hold_documents(Run *run)
{
        const CompilationRequest *request = run->request;

        run->held = calloc(request->n_documents + 1, sizeof(run->held[0]));
        if (!run->held)
                return -ENOMEM;
        for (size_t i = 0; i < request->n_documents; i++) {
                const Document *document = &request->documents[i];

                run->held[i] = (Held){
                        .name = strdup(document->name),
                        .policy = policy_ref(document->policy),
                        .applied = document->applied,
                        .has_ttl = holds_for_a_time(run->compilation, document),
                };
                if (!run->held[i].name)
                        return -ENOMEM;
        }
        return 0;
}

static int make_numbers(Compiler *compiler, size_t n)
{
        int r = ARRAY_RESERVE(compiler->rules, compiler->n_rules_allocated, n);

        while (r >= 0 && compiler->n_rules < n)
                compiler->rules[compiler->n_rules++] = (NumberedRule){.rule = &rule_gone};
        return r;
}

static int number_new(Run *run, uint32_t *ret_number)
{
        const Numbering *numbering = run->numbering;
        Compiler *compiler = &run->compilation->compiler;
        size_t n_numbered = run->in_order.n, number = compiler->n_rules;
        int r;

        if (numbering)
                number = numbering->numbers[n_numbered];
        if (number >= RULES_MAX)
                return -E2BIG;
        r = make_numbers(compiler, number + 1);
        if (r >= 0)
                r = numbers_add(&run->added, (uint32_t) number);
        *ret_number = (uint32_t) number;
        return r;
}

/* stays: 1 + the index in the document before, or 0. */
static int place_rule(Run *run, uint32_t document, const Rule *rule, const Held *before,
                      uint32_t stays)
{
        Compiler *compiler = &run->compilation->compiler;
        NumberedRule *numbered;
        uint32_t number;
        int r = 0;

        if (stays > 0)
                number = compiler->in_order.items[before->first + stays - 1];
        else
                r = number_new(run, &number);
        if (r >= 0)
                r = numbers_add(&run->in_order, number);
        if (r < 0)
                return r;
        numbered = &compiler->rules[number];
        numbered->rule = rule;
        numbered->document = document;
        numbered->order = (uint32_t) run->in_order.n;
        return 0;
}

static int place_matched(Run *run, uint32_t i, const Held *before)
{
        const Document *document = &run->request->documents[i];
        size_t n = policy_n_rules(document->policy);
        _cleanup_(freep) uint32_t *stays = calloc(n + 1, sizeof(*stays));
        int r = 0;

        if (!stays)
                return -ENOMEM;
        if (before)
                rules_match(before->policy, document->policy, before->applied == document->applied,
                            stays);
        for (size_t j = 0; j < n && r >= 0; j++) {
                fiber_pace();
                r = place_rule(run, i, policy_rule(document->policy, j), before, stays[j]);
        }
        return r;
}

static int is_untouched(const Held *before, const Document *document)
{
        return before && before->policy == document->policy &&
               (before->applied == document->applied || !before->has_ttl);
}

/* All its rules stay. */
static int place_untouched(Run *run, uint32_t i, const Held *before)
{
        Compiler *compiler = &run->compilation->compiler;
        Numbers *in_order = &run->in_order;
        size_t n = policy_n_rules(before->policy);
        int r = ARRAY_RESERVE(in_order->items, in_order->n_allocated, in_order->n + n);

        run->held[i].is_known = before->is_known;
        run->held[i].demands = before->demands;
        if (r < 0 || n == 0)
                return r;
        if (in_order->n < run->n_as_before) {
                memcpy(in_order->items + in_order->n, compiler->in_order.items + in_order->n,
                       n * sizeof(in_order->items[0]));
                in_order->n += n;
                return 0;
        }
        for (size_t j = 0; j < n; j++) {
                uint32_t number = compiler->in_order.items[before->first + j];

                in_order->items[in_order->n++] = number;
                compiler->rules[number].document = i;
                compiler->rules[number].order = (uint32_t) in_order->n;
        }
        return 0;
}

static int place_document(Run *run, uint32_t i)
{
        const Document *document = &run->request->documents[i];
        const Held *before = find_held(run->compilation, document->name);

        run->held[i].first = run->in_order.n;
        return is_untouched(before, document) ? place_untouched(run, i, before)
                                              : place_matched(run, i, before);
}

/* Those that were not placed are gone. */
static void find_gone(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        Names *names = &compiler->names;

        for (size_t i = run->n_as_before; i < compiler->in_order.n; i++) {
                NumberedRule *numbered = &compiler->rules[compiler->in_order.items[i]];

                if (numbered->order > 0)
                        continue;
                compiler->kinds_changed |= 1u << numbered->rule->kind;
                compiler->cgroups_changed |=
                        (numbered->rule->options->subject & SUBJECT_CGROUP) != 0;
                compiler->exes_changed |= (numbered->rule->options->subject & SUBJECT_EXE) != 0;
                *numbered = (NumberedRule){.rule = &rule_gone};
                run->n_gone++;
        }
        for (size_t i = 0; run->n_gone > 0 && i < names->n; i++)
                if (!names->items[i].is_exe && compiler->rules[names->items[i].number].order == 0)
                        names->items[i].is_gone = 1;
        pins_forget_gone(compiler);
}

static size_t count_rules(const CompilationRequest *request)
{
        size_t n = 0;

        for (size_t i = 0; i < request->n_documents; i++)
                n += policy_n_rules(request->documents[i].policy);
        return n;
}

/* Of other documents, the numbers would be of other rules. */
static int choose_numbering(Run *run)
{
        const Numbering *numbering = run->request->numbering;
        Compiler *compiler = &run->compilation->compiler;

        if (!numbering || compiler->before || numbering->n_numbers != count_rules(run->request))
                return 0;
        if (numbering->n_rules > RULES_MAX)
                return -E2BIG;
        run->numbering = numbering;
        return make_numbers(compiler, numbering->n_rules);
}

/* Of documents that are where they were, as they were. */
static size_t count_as_before(const Run *run)
{
        const Compilation *compilation = run->compilation;
        const CompilationRequest *request = run->request;
        size_t n = 0;

        for (size_t i = 0; i < request->n_documents && i < compilation->n_held; i++) {
                const Held *before = &compilation->held[i];

                if (strcmp(before->name, request->documents[i].name) != 0 ||
                    !is_untouched(before, &request->documents[i]))
                        break;
                n += policy_n_rules(before->policy);
        }
        return n;
}

int run_place_documents(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        int r;

        if (run->request->n_documents > UINT16_MAX) /* see NumberedRule */
                return -E2BIG;
        r = hold_documents(run);
        if (r >= 0)
                r = choose_numbering(run);
        run->n_as_before = count_as_before(run);
        for (size_t i = run->n_as_before; i < compiler->in_order.n; i++)
                compiler->rules[compiler->in_order.items[i]].order = 0;
        for (size_t i = 0; i < run->request->n_documents && r >= 0; i++)
                r = place_document(run, (uint32_t) i);
        if (r < 0)
                return r;
        find_gone(run);
        numbers_fit(&run->in_order);
        compiler->in_order = run->in_order;
        compiler->image->numbers = TAKE_PTR(run->in_order.items);
        compiler->image->n_numbers = run->in_order.n;
        return 0;
}
