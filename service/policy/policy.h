/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: what a document means. Immutable once parsed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/diagnostics.h"
#include "util/cleanup.h"

#define POLICY_SIZE_MAX (8u * 1024 * 1024)
#define POLICY_LINES_MAX 1000000u
#define POLICY_LINE_MAX 8192u
#define POLICY_NAME_MAX 64u
#define POLICY_VERSION_MAX 7u /* the newest language version this build reads */

/* Positive results of policy_parse(). */
#define POLICY_E_SYNTAX 1    /* faults are in the diagnostics */
#define POLICY_E_TOO_LARGE 2 /* more than POLICY_SIZE_MAX */

/* What a rule is about. Every section of every version becomes rules of these kinds. */
typedef enum RuleKind {
        RULE_FILE, /* a name; exec: by path is this, with ACCESS_EXEC | ACCESS_MAP */
        RULE_INODE,
        RULE_NET,
        RULE_KERNEL,
        RULE_COMM,         /* programs of that name, when they are run */
        RULE_DIGEST,       /* programs with these bytes, when they are run */
        RULE_DEFAULT,      /* what no other rule decides, of access ACCESS_EXEC or ACCESS_MAP */
        RULE_ALLOW_CGROUP, /* no rule binds these processes */
} RuleKind;

typedef enum RuleVerdict {
        RULE_DENY,
        RULE_ALLOW,
        RULE_AUDIT,
} RuleVerdict;

typedef enum RuleMode {
        RULE_MODE_SERVICE, /* as the service's mode is */
        RULE_MODE_AUDIT,
        RULE_MODE_ENFORCE,
} RuleMode;

/* Who, and what else is said of a rule. Strings belong to the policy; NULL where nothing is said.
 */
typedef struct RuleOptions {
        uint32_t subject;   /* SUBJECT_… of abi.h: which of these count */
        uint32_t exe_below; /* exe is a directory: all programs below it */
        uint32_t uid, gid;
        const char *exe;    /* absolute and clean; may have components * */
        const char *cgroup; /* "/a/b", or a unit's name, "x.service"; NULL if by id */
        uint64_t cgroup_id;
        RuleMode mode;
        uint32_t signal; /* SIGNAL_… of abi.h */
        uint64_t ttl;    /* seconds since the document was applied; 0: for good */
        const char *id, *why;
} RuleOptions;

/* One rule. An entry may give several (protect_path gives a denial and an allowance); they follow
 * each other then, with the same line and entry. Strings belong to the policy. */
typedef struct Rule {
        RuleKind kind : 8;
        RuleVerdict verdict : 8;
        uint32_t column : 16; /* up to POLICY_LINE_MAX */
        uint32_t line;
        const char *section;        /* as in the document, without brackets */
        const char *entry;          /* as in the document, blanks and comment trimmed */
        const RuleOptions *options; /* never NULL */
        union {
                struct {
                        /* absolute; no empty, "." or ".." component; no slash at the end; a
                         * component that is "*" alone stands for any name if has_wildcard */
                        const char *path;
                        uint32_t access; /* ACCESS_… */
                        /* 1: that name and all below it, as every deny_path means; 0: the name
                         * alone */
                        uint16_t below;
                        uint16_t has_wildcard;
                } file;
                struct {
                        uint32_t device; /* major << 20 | minor */
                        uint32_t access;
                        uint64_t inode;
                } inode;
                struct {
                        uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; bits beyond prefix are 0 */
                        uint8_t prefix;      /* 0…128 */
                        uint8_t operations;  /* 1 << NET_… of abi.h */
                        uint16_t protocol;   /* IPPROTO_…, NET_PROTOCOL_…, 0 any */
                        uint16_t first_port, last_port; /* host order; 0 and 0: any */
                } net;
                enum kernel_object kernel;
                struct {
                        uint32_t access; /* ACCESS_EXEC or ACCESS_MAP, or both */
                } def;
                const char *comm; /* 1 to 15 bytes */
                struct digest_key digest;
                struct {
                        const char *path; /* below the cgroup root, "/a/b"; or a unit's name; NULL
                                             if by id */
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
const char *policy_header_name(const Policy *policy);    /* name= of version 7, or NULL */
/* Whether the document takes what the machine cannot enforce (on-missing-guarantee=accept). */
int policy_accepts_missing(const Policy *policy);
/* Whether a verified identity is lost when code from a file that is not verified is mapped
 * (protect_runtime_deps; runtime-deps=verified in version 7). */
int policy_runtime_deps(const Policy *policy);
/* Whether the document holds only where the kernel appraises files by IMA (require_ima_appraisal;
 * ima-appraisal=required in version 7). */
int policy_wants_ima_appraisal(const Policy *policy);

DEFINE_CLEANUP(Policy *, policy_unref);
