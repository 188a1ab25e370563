/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Meaning: see meaning.h. */
#include "policy/meaning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* The first difference decides; each macro leaves the function with it. */
#define DIFFER(difference)                                                                         \
        do {                                                                                       \
                int _difference = (difference);                                                    \
                if (_difference != 0)                                                              \
                        return _difference;                                                        \
        } while (0)
#define DIFFER_IN(a, b, field) DIFFER(COMPARE((a)->field, (b)->field))

/* NULL comes first. */
static int compare_texts(const char *a, const char *b)
{
        if (!a || !b)
                return COMPARE(a != NULL, b != NULL);
        return strcmp(a, b);
}

static int compare_files(const Rule *a, const Rule *b)
{
        DIFFER(strcmp(a->file.path, b->file.path));
        DIFFER_IN(a, b, file.below);
        return COMPARE(a->file.has_wildcard, b->file.has_wildcard);
}

static int compare_inodes(const Rule *a, const Rule *b)
{
        DIFFER_IN(a, b, inode.device);
        return COMPARE(a->inode.inode, b->inode.inode);
}

static int compare_nets(const Rule *a, const Rule *b)
{
        DIFFER(memcmp(a->net.address, b->net.address, sizeof(a->net.address)));
        DIFFER_IN(a, b, net.prefix);
        DIFFER_IN(a, b, net.protocol);
        DIFFER_IN(a, b, net.first_port);
        return COMPARE(a->net.last_port, b->net.last_port);
}

static int compare_cgroups(const Rule *a, const Rule *b)
{
        DIFFER(compare_texts(a->cgroup.path, b->cgroup.path));
        return COMPARE(a->cgroup.id, b->cgroup.id);
}

int rule_compare_objects(const Rule *a, const Rule *b)
{
        DIFFER_IN(a, b, kind);
        switch (a->kind) {
        case RULE_FILE:
                return compare_files(a, b);
        case RULE_INODE:
                return compare_inodes(a, b);
        case RULE_NET:
                return compare_nets(a, b);
        case RULE_KERNEL:
                return COMPARE(a->kernel, b->kernel);
        case RULE_COMM:
                return strcmp(a->comm, b->comm);
        case RULE_DIGEST:
                DIFFER_IN(a, b, digest.algorithm);
                return memcmp(a->digest.digest, b->digest.digest, sizeof(a->digest.digest));
        case RULE_DEFAULT:
                return 0;
        case RULE_ALLOW_CGROUP:
                return compare_cgroups(a, b);
        }
        return 0;
}

int rule_compare_subjects(const Rule *a, const Rule *b)
{
        const RuleOptions *x = a->options, *y = b->options;

        DIFFER_IN(x, y, subject);
        if (x->subject & SUBJECT_UID)
                DIFFER_IN(x, y, uid);
        if (x->subject & SUBJECT_GID)
                DIFFER_IN(x, y, gid);
        if (x->subject & SUBJECT_EXE) {
                DIFFER(compare_texts(x->exe, y->exe));
                DIFFER_IN(x, y, exe_below);
        }
        if (x->subject & SUBJECT_CGROUP) {
                DIFFER(compare_texts(x->cgroup, y->cgroup));
                DIFFER_IN(x, y, cgroup_id);
        }
        return 0;
}

uint32_t rule_access(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                return rule->file.access;
        case RULE_INODE:
                return rule->inode.access;
        case RULE_NET:
                return rule->net.operations;
        case RULE_DEFAULT:
                return rule->def.access;
        case RULE_KERNEL:
        case RULE_COMM:
        case RULE_DIGEST:
        case RULE_ALLOW_CGROUP:
                break;
        }
        return ~0u;
}

int rule_compare(const Rule *a, const Rule *b)
{
        const RuleOptions *x = a->options, *y = b->options;

        DIFFER(rule_compare_objects(a, b));
        DIFFER(rule_compare_subjects(a, b));
        DIFFER_IN(a, b, verdict);
        DIFFER(COMPARE(rule_access(a), rule_access(b)));
        DIFFER_IN(x, y, mode);
        DIFFER_IN(x, y, signal);
        DIFFER_IN(x, y, ttl);
        DIFFER(compare_texts(x->id, y->id));
        return compare_texts(x->why, y->why);
}

unsigned rule_n_conditions(const Rule *rule)
{
        return (unsigned) __builtin_popcount(rule->options->subject);
}

int policy_deps_matter(const Policy *policy)
{
        for (size_t i = 0; policy_runtime_deps(policy) && i < policy_n_rules(policy); i++)
                if (policy_rule(policy, i)->options->subject & SUBJECT_VERIFIED)
                        return 1;
        return 0;
}

/* ---- order ---- */

typedef struct Ordered {
        Rule rule;
        size_t number;
} Ordered;

static int compare_ordered(const void *a, const void *b)
{
        const Ordered *x = a, *y = b;

        DIFFER(rule_compare_objects(&x->rule, &y->rule));
        DIFFER(rule_compare_subjects(&x->rule, &y->rule));
        DIFFER_IN(x, y, rule.verdict);
        return COMPARE(x->number, y->number);
}

int policy_sort_rules(Policy *policy)
{
        _cleanup_(freep) Ordered *ordered = calloc(policy->n_rules + 1, sizeof(*ordered));

        if (!ordered)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_rules; i++)
                ordered[i] = (Ordered){policy->rules[i], i};
        qsort(ordered, policy->n_rules, sizeof(*ordered), compare_ordered);
        for (size_t i = 0; i < policy->n_rules; i++)
                policy->rules[i] = ordered[i].rule;
        return 0;
}
