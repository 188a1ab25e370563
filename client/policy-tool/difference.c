/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Difference: see difference.h. Both sides are sorted by what they say; what both have falls away,
 * and what is left is paired by object. */
#include "difference.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/meaning.h"
#include "util/cleanup.h"

typedef struct Side {
        const Rule **rules;
        size_t n;
} Side;

static int compare_rules(const void *a, const void *b)
{
        return rule_compare(*(const Rule *const *) a, *(const Rule *const *) b);
}

static int side_sort(Side *side, const Policy *policy)
{
        side->n = policy_n_rules(policy);
        side->rules = calloc(side->n + 1, sizeof(*side->rules));
        if (!side->rules)
                return -ENOMEM;
        for (size_t i = 0; i < side->n; i++)
                side->rules[i] = policy_rule(policy, i);
        qsort(side->rules, side->n, sizeof(*side->rules), compare_rules);
        return 0;
}

/* Leaves in each what the other has not. */
static void take_out_shared(Side *before, Side *after)
{
        size_t i = 0, j = 0, n_before = 0, n_after = 0;

        while (i < before->n || j < after->n) {
                int r = i >= before->n  ? 1
                        : j >= after->n ? -1
                                        : rule_compare(before->rules[i], after->rules[j]);

                if (r == 0) {
                        i++;
                        j++;
                } else if (r < 0) {
                        before->rules[n_before++] = before->rules[i++];
                } else {
                        after->rules[n_after++] = after->rules[j++];
                }
        }
        before->n = n_before;
        after->n = n_after;
}

static void pair(Changes *changes, const Side *before, const Side *after)
{
        size_t i = 0, j = 0;

        while (i < before->n || j < after->n) {
                int r = i >= before->n  ? 1
                        : j >= after->n ? -1
                                        : rule_compare_objects(before->rules[i], after->rules[j]);

                changes->items[changes->n++] = (Change){
                        .before = r <= 0 ? before->rules[i++] : NULL,
                        .after = r >= 0 ? after->rules[j++] : NULL,
                };
        }
}

int changes_find(Changes *ret_changes, const Policy *before, const Policy *after)
{
        Side old = {0}, new = {0};
        Changes changes = {0};
        int r = side_sort(&old, before);

        if (r == 0)
                r = side_sort(&new, after);
        if (r == 0) {
                take_out_shared(&old, &new);
                changes.items = calloc(old.n + new.n + 1, sizeof(*changes.items));
                r = changes.items ? 0 : -ENOMEM;
        }
        if (r == 0) {
                pair(&changes, &old, &new);
                *ret_changes = changes;
        }
        free(old.rules);
        free(new.rules);
        return r;
}

void changes_deinit(Changes *changes)
{
        free(changes->items);
        *changes = (Changes){0};
}
