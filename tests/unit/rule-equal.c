/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule equal: see rule-equal.h. Written without what the parser uses to find duplicates. */
#include "rule-equal.h"

#include <stdio.h>
#include <string.h>

#include "policy/rule-text.h"

static int same_string(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_options(const RuleOptions *a, const RuleOptions *b)
{
        return a->subject == b->subject && a->exe_below == b->exe_below && a->uid == b->uid &&
               a->gid == b->gid && same_string(a->exe, b->exe) &&
               same_string(a->cgroup, b->cgroup) && a->cgroup_id == b->cgroup_id &&
               a->mode == b->mode && a->signal == b->signal && a->ttl == b->ttl &&
               same_string(a->id, b->id) && same_string(a->why, b->why);
}

static int same_net(const Rule *a, const Rule *b)
{
        return memcmp(a->net.address, b->net.address, 16) == 0 && a->net.prefix == b->net.prefix &&
               a->net.operations == b->net.operations && a->net.protocol == b->net.protocol &&
               a->net.first_port == b->net.first_port && a->net.last_port == b->net.last_port;
}

static int same_object(const Rule *a, const Rule *b)
{
        switch (a->kind) {
        case RULE_FILE:
                return strcmp(a->file.path, b->file.path) == 0 &&
                       a->file.access == b->file.access && a->file.below == b->file.below &&
                       a->file.has_wildcard == b->file.has_wildcard;
        case RULE_INODE:
                return a->inode.device == b->inode.device && a->inode.inode == b->inode.inode &&
                       a->inode.access == b->inode.access;
        case RULE_NET:
                return same_net(a, b);
        case RULE_KERNEL:
                return a->kernel == b->kernel;
        case RULE_COMM:
                return strcmp(a->comm, b->comm) == 0;
        case RULE_DIGEST:
                return a->digest.algorithm == b->digest.algorithm &&
                       memcmp(a->digest.digest, b->digest.digest, DIGEST_SIZE) == 0;
        case RULE_DEFAULT:
                return a->def.access == b->def.access;
        case RULE_ALLOW_CGROUP:
                return same_string(a->cgroup.path, b->cgroup.path) && a->cgroup.id == b->cgroup.id;
        }
        return 0;
}

int rule_equal(const Rule *a, const Rule *b)
{
        return a->kind == b->kind && a->verdict == b->verdict && same_object(a, b) &&
               same_options(a->options, b->options);
}

char *rule_document(const Rule *rule)
{
        _cleanup_(freep) char *text = NULL;
        char *document;

        if (rule_to_text(rule, &text) < 0)
                return NULL;
        if (asprintf(&document, "version=7\n[%s]\n%s\n", rule_section(rule), text) < 0)
                return NULL;
        return document;
}
