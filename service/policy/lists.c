/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists: from the rules about one object to the clauses that decide, in order. Of two rules about
 * the same object the one with more conditions on its subject comes first, then allow before deny
 * before audit, then what was written first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"

/* A fifth of a gigabyte would be copied into the kernel otherwise, by a few words of a document. */
#define CLAUSES_MAX (4u * RULES_MAX)

/* ---- in order ---- */

static int verdict_rank(RuleVerdict verdict)
{
        switch (verdict) {
        case RULE_ALLOW:
                return 0;
        case RULE_DENY:
                return 1;
        case RULE_AUDIT:
                return 2;
        }
        return 3;
}

static int compare_sayings(const void *a, const void *b, void *rules)
{
        const Saying *x = a, *y = b;
        const NumberedRule *p = (const NumberedRule *) rules + x->rule;
        const NumberedRule *q = (const NumberedRule *) rules + y->rule;

        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        if (p->n_conditions != q->n_conditions)
                return p->n_conditions > q->n_conditions ? -1 : 1;
        if (p->rule->verdict != q->rule->verdict)
                return verdict_rank(p->rule->verdict) - verdict_rank(q->rule->verdict);
        return (p->order > q->order) - (p->order < q->order);
}

void sayings_sort(const Compiler *compiler, Saying *sayings, size_t n)
{
        qsort_r(sayings, n, sizeof(*sayings), compare_sayings, compiler->rules);
}

/* ---- clauses ---- */

int rule_is_earnest(const Rule *rule)
{
        return rule->verdict == RULE_DENY && rule->options->mode != RULE_MODE_AUDIT;
}

static uint8_t clause_flags(const RuleOptions *options)
{
        switch (options->mode) {
        case RULE_MODE_SERVICE:
                return 0;
        case RULE_MODE_AUDIT:
                return CLAUSE_RECORD;
        case RULE_MODE_ENFORCE:
                return CLAUSE_ENFORCE;
        }
        return 0;
}

/* Mode and signal are about denials alone. */
static struct clause clause_of(const NumberedRule *numbered, const Saying *saying)
{
        const Rule *rule = numbered->rule;
        struct clause clause = {
                .access = (uint16_t) saying->access,
                .subject = numbered->subject,
                .rule = saying->rule,
                .expires = numbered->expires,
        };

        switch (rule->verdict) {
        case RULE_DENY:
                clause.verdict = CLAUSE_DENY;
                clause.flags = clause_flags(rule->options);
                clause.signal = rule->options->signal & 0xf;
                break;
        case RULE_ALLOW:
                clause.verdict = CLAUSE_ALLOW;
                break;
        case RULE_AUDIT:
                clause.verdict = CLAUSE_AUDIT;
                break;
        }
        return clause;
}

/* A rule that stands in the list already would not fit the second time either. */
static int is_reached(const Draft *draft, const struct clause *clause)
{
        if (!(clause->access & ~draft->decided))
                return 0;
        for (size_t i = 0; i < draft->n; i++)
                if (draft->clauses[i].rule == clause->rule)
                        return 0;
        return 1;
}

/* Returns 0, or -E2BIG if there is no room left. */
static int draft_add(Draft *draft, struct clause clause)
{
        if (!is_reached(draft, &clause))
                return 0;
        if (draft->n == LIST_LENGTH_MAX)
                return -E2BIG;
        if (clause.subject == 0 && clause.expires == 0)
                draft->decided |= clause.access;
        clause.flags &= (uint8_t) ~CLAUSE_LAST;
        draft->clauses[draft->n++] = clause;
        return 0;
}

/* Returns 0, or -E2BIG if there is no room left. */
static int draft_fill(Compiler *compiler, const Saying *sayings, size_t n, uint32_t inherited)
{
        Draft *draft = &compiler->draft;
        const struct clause *clause = compiler->clauses.items;
        int r;

        draft->n = draft->decided = 0;
        for (size_t i = 0; i < n; i++) {
                r = draft_add(draft, clause_of(&compiler->rules[sayings[i].rule], &sayings[i]));
                if (r < 0)
                        return r;
        }
        if (inherited == 0)
                return 0;
        for (clause += inherited;; clause++) {
                r = draft_add(draft, *clause);
                if (r < 0 || clause->flags & CLAUSE_LAST)
                        return r;
        }
}

/* ---- lists ---- */

/* What holds below a directory is often the end of what holds for itself, which was made just
 * before. */
static int is_end_of_last(const Compiler *compiler, const Draft *draft)
{
        const struct clause *clauses = compiler->clauses.items;
        size_t n = compiler->n_last_list;

        return draft->n <= n && memcmp(clauses + compiler->last_list + n - draft->n, draft->clauses,
                                       draft->n * sizeof(*clauses)) == 0;
}

static int draft_store(Compiler *compiler, uint32_t *ret_list)
{
        Draft *draft = &compiler->draft;
        uint32_t run;
        int r;

        if (draft->n == 0) {
                *ret_list = 0;
                return 0;
        }
        draft->clauses[draft->n - 1].flags |= CLAUSE_LAST;
        if (is_end_of_last(compiler, draft)) {
                *ret_list = compiler->last_list + compiler->n_last_list - (uint32_t) draft->n;
                return 0;
        }
        r = pool_add(&compiler->clauses, draft->clauses, draft->n, &run);
        if (r < 0)
                return r;
        if (compiler->clauses.n > CLAUSES_MAX)
                return -E2BIG;
        compiler->last_list = compiler->clauses.runs[run].first;
        compiler->n_last_list = (uint32_t) draft->n;
        *ret_list = compiler->last_list;
        return 0;
}

int lists_make(Compiler *compiler, Saying *sayings, size_t n, uint32_t inherited,
               uint32_t *ret_list)
{
        int r;

        if (n == 0) {
                *ret_list = inherited;
                return 0;
        }
        sayings_sort(compiler, sayings, n);
        r = draft_fill(compiler, sayings, n, inherited);
        if (r == -E2BIG) {
                compile_fault(compiler, sayings[n - 1].rule, "say it in fewer rules",
                              "more than %u rules are about one object", LIST_LENGTH_MAX);
                return r;
        }
        r = draft_store(compiler, ret_list);
        if (r == -E2BIG)
                compile_fault(compiler, sayings[n - 1].rule,
                              "say less of directories with many rules below",
                              "all rules and what they inherit are more than %u", CLAUSES_MAX);
        return r;
}

int rulesets_add(Compiler *compiler, const struct ruleset *ruleset, uint32_t *ret_number)
{
        return pool_add(&compiler->rulesets, ruleset, 1, ret_number);
}
