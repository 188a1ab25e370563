/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: the parsed document as an object; parse.c makes it. */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "util/array.h"

const RuleOptions rule_options_none = {};

int policy_name_is_valid(const char *name)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789_.-";
        size_t n = strnlen(name, POLICY_NAME_MAX + 1);

        if (n == 0 || n > POLICY_NAME_MAX || name[0] == '.' || name[0] == '-')
                return 0;
        return strspn(name, allowed) == n;
}

Policy *policy_ref(Policy *policy)
{
        if (policy)
                policy->n_refs++;
        return policy;
}

Policy *policy_unref(Policy *policy)
{
        if (!policy || --policy->n_refs > 0)
                return NULL;
        for (OptionsBlock *block = policy->options, *next; block; block = next) {
                next = block->next;
                free(block);
        }
        free(policy->rules);
        free(policy->strings);
        free(policy);
        return NULL;
}

unsigned policy_version(const Policy *policy)
{
        return policy->version;
}

size_t policy_n_rules(const Policy *policy)
{
        return policy->n_rules;
}

const Rule *policy_rule(const Policy *policy, size_t i)
{
        return &policy->rules[i];
}

const char *policy_header_name(const Policy *policy)
{
        return policy->name;
}

int policy_accepts_missing(const Policy *policy)
{
        return policy->accepts_missing;
}

int policy_runtime_deps(const Policy *policy)
{
        return policy->runtime_deps;
}

int policy_wants_ima_appraisal(const Policy *policy)
{
        return policy->wants_ima_appraisal;
}

int policy_add_rule(Policy *policy, const Rule *rule)
{
        if (ARRAY_RESERVE(policy->rules, policy->n_allocated, policy->n_rules + 1) < 0)
                return -ENOMEM;
        policy->rules[policy->n_rules++] = *rule;
        return 0;
}

const RuleOptions *policy_keep_options(Policy *policy, const RuleOptions *options)
{
        OptionsBlock *block = policy->options;

        if (!block || block->n_items == OPTIONS_PER_BLOCK) {
                block = malloc(sizeof(*block));
                if (!block)
                        return NULL;
                block->next = policy->options;
                block->n_items = 0;
                policy->options = block;
        }
        block->items[block->n_items] = *options;
        return &block->items[block->n_items++];
}
