/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy reference: what the rules of documents mean, read naively: every rule is looked at for
 * every question, and of those that fit the most specific one decides. It knows nothing of images.
 * What it says is compared with what an image says, and with what the kernel does. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/image.h"

/* Who wants something. */
typedef struct Who {
        uint32_t uid, gid; /* the effective ones */
        const uint32_t *groups;
        size_t n_groups;
        Place exe; /* the file of the program; path NULL: unknown */
        const char *cgroup;
        const uint64_t *cgroup_ids; /* of the cgroup and all above it */
        size_t n_cgroup_ids;
        int is_verified;
        uint32_t now; /* seconds since boot */
} Who;

typedef enum WhatKind {
        WHAT_FILE,
        WHAT_NET,
        WHAT_KERNEL,
} WhatKind;

/* What is wanted. */
typedef struct What {
        WhatKind kind;
        uint32_t access; /* one bit: ACCESS_…, or 1 << NET_… */
        union {
                struct {
                        Place name;
                        uint64_t inode; /* in name.device; 0: there is none yet */
                        uint32_t has_links;
                        /* With ACCESS_EXEC, of the program that is run; algorithm 0: unknown. */
                        const char *comm;
                        struct digest_key digest;
                } file;
                struct {
                        uint8_t address[16];
                        uint16_t port, protocol;
                } net;
                enum kernel_object kernel;
        };
} What;

/* What was decided. rule 0: nothing, and so it is allowed. */
typedef struct Verdict {
        uint32_t rule;
        uint8_t verdict; /* CLAUSE_… */
        uint8_t flags;   /* CLAUSE_ENFORCE, CLAUSE_RECORD */
        uint8_t signal;
        uint8_t is_exempt; /* no rule binds who asks */
} Verdict;

/* The documents in force, and where their paths lie. */
typedef struct Reading {
        const Document *documents;
        size_t n_documents;
        const Resolver *resolver;
} Reading;

Verdict reference_decide(const Reading *reading, const Who *who, const What *what);

/* Whether a denial in earnest is named somewhere below the directory. */
int reference_holds(const Reading *reading, const Place *directory);

/* What a cgroup's path means, for the one who wants to know whether /a/b is it: a path, or a unit's
 * name. */
int reference_is_in_cgroup(const char *cgroup, const char *path);
