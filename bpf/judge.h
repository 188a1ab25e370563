/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Judge: what its rooms share. */
#pragma once

#include "hook.h"

/* What the judge found: one clause that decides, or a doubt. */
struct finding {
        __u32 at; /* the clause that is asked next; 0: the first of the next list */
        __u32 rule;
        __u32 access;    /* decided by it */
        __u32 verdict;   /* VERDICT_… */
        __u32 signal;    /* SIGNAL_…; from event_emit() on the number of the one that was sent */
        __u32 emergency; /* from judge_found() on: it would have been denied */
};

/* event.bpf.c. Tells the service; what finds no room is counted. Returns 0. */
int event_emit(struct decision *decision, struct finding *finding);

/* fold.bpf.c. Whether an event repeats another. Returns FOLDED, and it is counted there; the number
 * of its place, where it is to be made, told and forgotten if nothing can repeat it, and which is
 * to be given back; or FOLD_NONE: it has no place. */
#define FOLDED (-1)
#define FOLD_NONE (-2)
int fold_begin(struct decision *decision, struct finding *finding);

/* What has no file yet is not known well enough by its name: that is told each time. */
static __always_inline bool fold_is_repeatable(const struct decision *decision)
{
        return !decision->dentry || decision->inode;
}

static __always_inline void fold_give_back(struct fold *fold)
{
        __sync_lock_test_and_set(&fold->taken, 0);
}
