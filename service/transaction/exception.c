/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exception: see exception.h. It is planned as every single rule is; then the compiled set is asked
 * whether it allows what it is for. */
#include "transaction/exception.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/question.h"
#include "transaction/internal.h"
#include "util/log.h"

static int64_t seconds_since_boot(void)
{
        struct timespec now = {};

        clock_gettime(CLOCK_BOOTTIME, &now);
        return now.tv_sec;
}

/* ---- does it do what it is for? ---- */

static int is_denial(const struct clause *clause)
{
        return clause && clause->verdict == CLAUSE_DENY && !(clause->flags & CLAUSE_RECORD);
}

static int name_denier(const PolicyImage *image, const struct clause *clause, char **ret_denier)
{
        const ImageRule rule = policy_image_rule(image, clause->rule);

        if (asprintf(ret_denier, "%s:%u: [%s] %s", rule.document, rule.rule->line,
                     rule.rule->section, rule.rule->entry) < 0)
                return -ENOMEM;
        return TRANSACTION_E_STILL_DENIED;
}

static int ask(const Enforcement *enforcement, const PolicyImage *image, const char *text,
               char **ret_denier)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        Question question = {};
        Answer answers[ANSWERS_MAX];
        size_t n = 0;
        int r = question_read(&question, text, strlen(text), backend_resolver(enforcement->backend),
                              seconds_since_boot(), &diagnostics);

        if (r == 0)
                n = question_ask(&question, image, answers);
        for (size_t i = 0; r == 0 && i < n; i++)
                if (is_denial(answers[i].clause))
                        r = name_denier(image, answers[i].clause, ret_denier);
        question_deinit(&question);
        return r > 0 && !*ret_denier ? TRANSACTION_E_INVALID_POLICY : r;
}

static int ask_plan(Enforcement *enforcement, const Plan *plan, const char *question,
                    char **ret_denier)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r = enforcement_plan_image(enforcement, plan, &image);

        return r == 0 && image ? ask(enforcement, image, question, ret_denier) : r;
}

int enforcement_plan_exception(Enforcement *enforcement, const SingleRule *rule,
                               const char *question, Plan **ret_plan, char **ret_denier)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = enforcement_plan_rule_of(enforcement, EXCEPTIONS_NAME, rule, CHANGE_ADDED, &plan);

        if (r == 0)
                r = ask_plan(enforcement, plan, question, ret_denier);
        if (r == 0)
                *ret_plan = TAKE_PTR(plan);
        return r;
}

int enforcement_plan_revocation(Enforcement *enforcement, const SingleRule *rule, Plan **ret_plan)
{
        return enforcement_plan_rule_of(enforcement, EXCEPTIONS_NAME, rule, CHANGE_REMOVED,
                                        ret_plan);
}

/* ---- those there are ---- */

const Rule *enforcement_exception(const Enforcement *enforcement, size_t i, int64_t *ret_left)
{
        const Loaded *loaded = document_set_find(enforcement->documents, EXCEPTIONS_NAME);
        int64_t age = loaded ? seconds_since_boot() - loaded->document.applied : 0;
        size_t n = loaded ? policy_n_rules(loaded->document.policy) : 0;

        for (size_t at = 0; at < n; at++) {
                const Rule *rule = policy_rule(loaded->document.policy, at);
                int64_t left = (int64_t) rule->options->ttl - age;

                if (left <= 0 || !rule->options->id || i-- > 0)
                        continue;
                *ret_left = left;
                return rule;
        }
        return NULL;
}
