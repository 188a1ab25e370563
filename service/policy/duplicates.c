/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Duplicates: rules of one document that mean the same, however they are written. Sorting finds
 * them. Their hashes leave few to be sorted, and spare most looks at the rules themselves; whoever
 * works against these gains no more than that. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "util/fiber.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_strings(const char *a, const char *b)
{
        if (a && b)
                return strcmp(a, b);
        return COMPARE(a != NULL, b != NULL);
}

static int compare_files(const Rule *a, const Rule *b)
{
        int r = strcmp(a->file.path, b->file.path);

        if (r == 0)
                r = COMPARE(a->file.below, b->file.below);
        if (r == 0)
                r = COMPARE(a->file.has_wildcard, b->file.has_wildcard);
        return r != 0 ? r : COMPARE(a->file.access, b->file.access);
}

static int compare_inodes(const Rule *a, const Rule *b)
{
        int r = COMPARE(a->inode.device, b->inode.device);

        if (r == 0)
                r = COMPARE(a->inode.inode, b->inode.inode);
        return r != 0 ? r : COMPARE(a->inode.access, b->inode.access);
}

static int compare_nets(const Rule *a, const Rule *b)
{
        int r = memcmp(a->net.address, b->net.address, sizeof(a->net.address));

        if (r == 0)
                r = COMPARE(a->net.prefix, b->net.prefix);
        if (r == 0)
                r = COMPARE(a->net.protocol, b->net.protocol);
        if (r == 0)
                r = COMPARE(a->net.first_port, b->net.first_port);
        if (r == 0)
                r = COMPARE(a->net.last_port, b->net.last_port);
        return r != 0 ? r : COMPARE(a->net.operations, b->net.operations);
}

static int compare_cgroups(const Rule *a, const Rule *b)
{
        int r = compare_strings(a->cgroup.path, b->cgroup.path);

        return r != 0 ? r : COMPARE(a->cgroup.id, b->cgroup.id);
}

static int compare_objects(const Rule *a, const Rule *b)
{
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
                return memcmp(&a->digest, &b->digest, sizeof(a->digest));
        case RULE_DEFAULT:
                return COMPARE(a->def.access, b->def.access);
        case RULE_ALLOW_CGROUP:
                return compare_cgroups(a, b);
        }
        return 0;
}

static int compare_subjects(const RuleOptions *a, const RuleOptions *b)
{
        int r = COMPARE(a->subject, b->subject);

        if (r == 0)
                r = COMPARE(a->uid, b->uid);
        if (r == 0)
                r = COMPARE(a->gid, b->gid);
        if (r == 0)
                r = compare_strings(a->exe, b->exe);
        if (r == 0)
                r = COMPARE(a->exe_below, b->exe_below);
        if (r == 0)
                r = compare_strings(a->cgroup, b->cgroup);
        return r != 0 ? r : COMPARE(a->cgroup_id, b->cgroup_id);
}

/* A rule's id and its reason change nothing about what is denied. */
static int compare_options(const RuleOptions *a, const RuleOptions *b)
{
        int r;

        if (a == b)
                return 0;
        r = compare_subjects(a, b);
        if (r == 0)
                r = COMPARE(a->mode, b->mode);
        if (r == 0)
                r = COMPARE(a->signal, b->signal);
        return r != 0 ? r : COMPARE(a->ttl, b->ttl);
}

/* Some sections of versions 1 to 6 have equal rules and mean more than these: see crosscheck.c. */
static int compare_sections(const Rule *a, const Rule *b)
{
        if (a->section == b->section || (a->kind != RULE_FILE && a->kind != RULE_DIGEST))
                return 0;
        return strcmp(a->section, b->section);
}

static int compare_meanings(const Rule *a, const Rule *b)
{
        int r = COMPARE(a->kind, b->kind);

        if (r == 0)
                r = COMPARE(a->verdict, b->verdict);
        if (r == 0)
                r = compare_sections(a, b);
        if (r == 0)
                r = compare_objects(a, b);
        return r != 0 ? r : compare_options(a->options, b->options);
}

/* ---- sorting ---- */

typedef struct Item {
        uint64_t hash;
        const Rule *rule;
} Item;

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. */
static uint64_t hash_bytes(const void *bytes, size_t n)
{
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < n; i++)
                hash = (hash ^ ((const uint8_t *) bytes)[i]) * 0x100000001b3;
        return hash;
}

/* Equal rules have equal ones; the kinds that documents have many of are told apart. */
static uint64_t hash_rule(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                return hash_bytes(rule->file.path, strlen(rule->file.path));
        case RULE_INODE:
                return hash_bytes(&rule->inode.inode, sizeof(rule->inode.inode));
        case RULE_NET:
                return hash_bytes(rule->net.address, sizeof(rule->net.address)) +
                       rule->net.first_port;
        case RULE_DIGEST:
                return hash_bytes(rule->digest.digest, sizeof(rule->digest.digest));
        case RULE_COMM:
                return hash_bytes(rule->comm, strlen(rule->comm));
        case RULE_KERNEL:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                return 0;
        }
        return 0;
}

static int compare_items(const void *a, const void *b)
{
        const Item *x = a, *y = b;
        int r = COMPARE(x->hash, y->hash);

        fiber_pace();
        if (r == 0)
                r = compare_meanings(x->rule, y->rule);
        return r != 0 ? r : COMPARE(x->rule->line, y->rule->line);
}

#define BUCKETS_PER_ITEM 8u

/* Drops those that share a bucket with no other: nothing is equal to them. */
static int keep_likely(Item *items, size_t *n_items)
{
        size_t n = *n_items, n_buckets = BUCKETS_PER_ITEM, n_left = 0;
        _cleanup_(freep) uint8_t *buckets = NULL;

        while (n_buckets < n * BUCKETS_PER_ITEM)
                n_buckets *= 2;
        buckets = calloc(n_buckets, 1);
        if (!buckets)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint8_t *bucket = &buckets[items[i].hash & (n_buckets - 1)];

                *bucket = *bucket ? 2 : 1;
        }
        for (size_t i = 0; i < n; i++)
                if (buckets[items[i].hash & (n_buckets - 1)] > 1)
                        items[n_left++] = items[i];
        *n_items = n_left;
        return 0;
}

/* The first rule of each entry speaks for it. */
static Item *sort_rules(const Policy *policy, size_t *ret_n)
{
        _cleanup_(freep) Item *sorted = calloc(policy->n_rules, sizeof(*sorted));
        size_t n = 0;

        if (!sorted)
                return NULL;
        for (size_t i = 0; i < policy->n_rules; i++) {
                const Rule *rule = &policy->rules[i];

                if (i == 0 || rule->line != rule[-1].line)
                        sorted[n++] = (Item){hash_rule(rule), rule};
        }
        if (keep_likely(sorted, &n) < 0)
                return NULL;
        qsort(sorted, n, sizeof(*sorted), compare_items);
        *ret_n = n;
        return TAKE_PTR(sorted);
}

int duplicates_find(const Policy *policy, Diagnostics *diagnostics)
{
        _cleanup_(freep) Item *sorted = NULL;
        const Item *first;
        size_t n;

        if (policy->n_rules < 2)
                return 0;
        sorted = sort_rules(policy, &n);
        if (!sorted)
                return -ENOMEM;
        first = &sorted[0];
        for (size_t i = 1; i < n; i++) {
                const Rule *rule = sorted[i].rule;

                if (first->hash != sorted[i].hash || compare_meanings(first->rule, rule) != 0) {
                        first = &sorted[i];
                        continue;
                }
                diagnostics_add(diagnostics, SEVERITY_WARNING, rule->line, rule->column,
                                "remove it", "this is what line %u says already",
                                first->rule->line);
        }
        return 0;
}
