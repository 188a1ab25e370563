/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Duplicates: rules of one document that mean the same, however they are written. Sorting finds
 * them without a hash that an author could work against. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_files(const Rule *a, const Rule *b)
{
        int r = strcmp(a->file.path, b->file.path);

        return r != 0 ? r : COMPARE(a->file.below, b->file.below);
}

static int compare_inodes(const Rule *a, const Rule *b)
{
        int r = COMPARE(a->inode.device, b->inode.device);

        return r != 0 ? r : COMPARE(a->inode.inode, b->inode.inode);
}

static int compare_nets(const Rule *a, const Rule *b)
{
        int r = memcmp(a->net.address, b->net.address, sizeof(a->net.address));

        if (r == 0)
                r = COMPARE(a->net.prefix, b->net.prefix);
        if (r == 0)
                r = COMPARE(a->net.protocol, b->net.protocol);
        if (r == 0)
                r = COMPARE(a->net.port, b->net.port);
        return r != 0 ? r : COMPARE(a->net.operations, b->net.operations);
}

static int compare_cgroups(const Rule *a, const Rule *b)
{
        if (a->cgroup.path && b->cgroup.path)
                return strcmp(a->cgroup.path, b->cgroup.path);
        if (a->cgroup.path || b->cgroup.path)
                return a->cgroup.path ? 1 : -1;
        return COMPARE(a->cgroup.id, b->cgroup.id);
}

static int compare_meanings(const Rule *a, const Rule *b)
{
        if (a->kind != b->kind)
                return COMPARE(a->kind, b->kind);
        switch (a->kind) {
        case RULE_DENY_PATH:
                return compare_files(a, b);
        case RULE_DENY_INODE:
                return compare_inodes(a, b);
        case RULE_DENY_NET:
                return compare_nets(a, b);
        case RULE_ALLOW_CGROUP:
                return compare_cgroups(a, b);
        }
        return 0;
}

static int compare_rules(const void *a, const void *b)
{
        const Rule *x = *(const Rule *const *) a, *y = *(const Rule *const *) b;
        int r = compare_meanings(x, y);

        return r != 0 ? r : COMPARE(x->line, y->line);
}

static const Rule **sort_rules(const Policy *policy)
{
        const Rule **sorted = calloc(policy->n_rules, sizeof(*sorted));

        if (!sorted)
                return NULL;
        for (size_t i = 0; i < policy->n_rules; i++)
                sorted[i] = &policy->rules[i];
        qsort(sorted, policy->n_rules, sizeof(*sorted), compare_rules);
        return sorted;
}

int duplicates_find(const Policy *policy, Diagnostics *diagnostics)
{
        _cleanup_(freep) const Rule **sorted = NULL;
        const Rule *first;

        if (policy->n_rules < 2)
                return 0;
        sorted = sort_rules(policy);
        if (!sorted)
                return -ENOMEM;
        first = sorted[0];
        for (size_t i = 1; i < policy->n_rules; i++) {
                if (compare_meanings(first, sorted[i]) != 0) {
                        first = sorted[i];
                        continue;
                }
                diagnostics_add(diagnostics, SEVERITY_WARNING, sorted[i]->line, sorted[i]->column,
                                "remove it", "this is what line %u says already", first->line);
        }
        return 0;
}
