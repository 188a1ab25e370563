/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hook: how every program begins. It leaves early where nothing can match; else it asks for a
 * verdict with the word it read, once, and hands that verdict to conclude. */
#pragma once

#include "maps.h"

/* One decision, on its way from a hook to its verdict. Kernel addresses travel as numbers: a global
 * function may not take a kernel pointer, and none of these may be dereferenced directly. */
struct decision {
        __u64 dentry; /* 0: the object is no file */
        __u64 inode;  /* 0 for a name that has no file yet */
        __u64 sk;     /* in an interrupt the subject is a socket's owner, not the current task */
        __u32 word;
        __u32 hook;
        __u32 access; /* what is wanted, ACCESS_… or 1 << NET_…; judge() takes away what it decided
                       */
        __u32 list;  /* of clauses, the more specific one */
        __u32 more;  /* the list that is asked after it; 0: none */
        __u32 marks; /* of the subject's program: see subject_exe() */
        __u32 flags; /* EVENT_…; EVENT_UNPLACED, _HOLDS_RULES, _UNHASHED and _COPY deny as such */
        __u32 rule;  /* out: the rule that decided */
        __u64 address[2];
        __u16 port;
        __u16 protocol;
        __u32 operation;
        __u32 target;
        __u32 reserved;
};

/* subject.bpf.c. Finds which exe= the current task's program belongs to, once a decision, if any
 * subject of the policy has one. To be called by the hook before judge(), and not from below it:
 * the two share what stack there is. Returns 0; in doubt no mark is set that would allow. */
int subject_exe(struct decision *decision);

/* judge.bpf.c. Goes through decision->list, then decision->more, and knows audit and enforce,
 * exempt processes, modes of rules, counters, events and signals. Returns -EPERM if something that
 * is wanted is denied, else 0; what is left in decision->access no clause was about, and a hook may
 * ask a less specific list about it. */
int judge(struct decision *decision);

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

/* The service proves a hook by being denied in it. To be asked before anything else about the
 * access: the act is no more than what reaches the hook. No rule binds the canary at other hooks.
 */
static __always_inline bool is_canary(__u32 word, enum hook hook)
{
        if (!(word & WORD_CANARY) || hot.canary_load != load_id || hot.canary_hook != hook ||
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
