/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hook: how every program begins. It leaves early where nothing can match; else it asks for a
 * verdict with the word it read, once, and hands that verdict to conclude. */
#pragma once

#include "maps.h"

/* One decision, on its way from a hook to conclude. Kernel addresses travel as numbers: a global
 * function may not take a kernel pointer, and none of these may be dereferenced directly. */
struct decision {
        __u64 dentry;
        __u64 inode; /* 0 for a name that has no file yet */
        __u32 word;
        __u32 hook;
        __u32 access;  /* ACCESS_… that is wanted */
        __u32 ruleset; /* perhaps with RULESET_INHERITED */
        __u32 flags;   /* EVENT_… */
        __u32 rule;    /* network: the rule that matched */
        __u64 address[2];
        __u16 port;
        __u16 protocol;
        __u32 reserved;
};

/* conclude.bpf.c. They know audit and enforce, exempt processes, counters and events, and return 0
 * or -EPERM. */
int conclude_file(struct decision *decision);
int conclude_net(struct decision *decision);

static __always_inline __u32 word_read(void)
{
        return *(volatile __u32 *) &hot.word;
}

static __always_inline const struct header *word_header(__u32 word)
{
        return &hot.headers[word & WORD_SLOT];
}

static __always_inline void count_call(enum hook hook)
{
        __sync_fetch_and_add(&lanes[bpf_get_smp_processor_id() & (N_CALL_LANES - 1)].calls[hook],
                             1);
}

/* The service proves a hook by being denied in it. */
static __always_inline bool is_canary(__u32 word, enum hook hook)
{
        if (!(word & WORD_CANARY) || hot.canary_load != load_id ||
            hot.canary_tgid != bpf_get_current_pid_tgid() >> 32)
                return false;
        hot.service_start_ns = BPF_CORE_READ(bpf_get_current_task_btf(), start_boottime);
        __sync_fetch_and_or(&counters.seen, HOOK_BIT(hook));
        return true;
}

/* LSM programs must return what the verifier sees to be within [-4095, 0]. A plain condition
 * becomes a negation in clang's hands, which the verifier cannot bound: hence the detour through a
 * branch that clang may not fold. */
static __always_inline int verdict_return(int verdict)
{
        if (verdict < 0) {
                asm volatile("");
                return -EPERM;
        }
        return 0;
}
