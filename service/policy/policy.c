/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: the parsed document as an object; parse.c makes it. */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

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
