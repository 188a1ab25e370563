/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: what a document means. Immutable once parsed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/diagnostics.h"
#include "util/cleanup.h"

#define POLICY_SIZE_MAX (8u * 1024 * 1024)
#define POLICY_LINES_MAX 1000000u
#define POLICY_LINE_MAX 8192u
#define POLICY_NAME_MAX 64u
#define POLICY_VERSION_MAX 1u /* the newest language version this build reads */

/* Positive results of policy_parse(). */
#define POLICY_E_SYNTAX 1    /* faults are in the diagnostics */
#define POLICY_E_TOO_LARGE 2 /* more than POLICY_SIZE_MAX */

typedef enum RuleKind {
        RULE_DENY_PATH,
        RULE_DENY_INODE,
        RULE_DENY_NET,
        RULE_ALLOW_CGROUP,
} RuleKind;

/* One entry. Strings belong to the policy. */
typedef struct Rule {
        RuleKind kind;
        uint32_t line, column;
        const char *section; /* as in the document, without brackets */
        const char *entry;   /* as in the document, blanks trimmed */
        union {
                struct {
                        /* absolute; no empty, "." or ".." component; no slash at the end */
                        const char *path;
                        /* 1: that name and all below it, as every deny_path means; 0: the name
                         * alone */
                        uint32_t below;
                } file;
                struct {
                        uint32_t device; /* major << 20 | minor */
                        uint64_t inode;
                } inode;
                struct {
                        uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; bits beyond prefix are 0 */
                        uint8_t prefix;      /* 0…128 */
                        uint8_t protocol;    /* IPPROTO_TCP, IPPROTO_UDP, 0 any */
                        uint16_t port;       /* host order, 0 any */
                        uint32_t operations; /* 1 << NET_… of abi.h */
                } net;
                struct {
                        const char *path; /* below the cgroup root, "/a/b"; NULL if by id */
                        uint64_t id;
                } cgroup;
        };
} Rule;

typedef struct Policy Policy;

/* Whether name may name a document: 1 to POLICY_NAME_MAX of A-Z a-z 0-9 _ . -, the first no dot or
 * dash. */
int policy_name_is_valid(const char *name);

/* text need not end in NUL. Returns 0, a negative errno, POLICY_E_TOO_LARGE, or POLICY_E_SYNTAX
 * with every fault listed in diagnostics. Warnings are listed on success too. */
int policy_parse(Policy **ret_policy, const char *text, size_t n_text, Diagnostics *diagnostics);

Policy *policy_ref(Policy *policy);
Policy *policy_unref(Policy *policy);

unsigned policy_version(const Policy *policy);
size_t policy_n_rules(const Policy *policy);
const Rule *policy_rule(const Policy *policy, size_t i); /* in the document's order */

DEFINE_CLEANUP(Policy *, policy_unref);
