/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Guard: who the service is. The claim of a process that is about to become it is written from user
 * space, into a map that guard.bpf.c lets nobody else write; what can be told apart from another
 * process of the same number is noted here, in the kernel, by the first act of the service. */
#pragma once

#include "maps.h"

/* guard.bpf.c. Notes of the current process, the service: its task, when it began, and the place of
 * its program. Returns 0. */
int service_note(void);

/* guard.bpf.c. Whether what guards the service lets the current process through. */
__hidden int guard_trusts(void);

/* guard.bpf.c. Whether the current process is among the mounts of PID 1. */
__hidden int guard_sees_first_mounts(void);

static __always_inline bool is_service(__u32 tgid)
{
        if (tgid != hot.service_tgid)
                return false;
        if (bpf_ktime_get_boot_ns() < hot.claim_until_ns)
                service_note();
        return hot.service_start_ns ==
               BPF_CORE_READ(bpf_get_current_task_btf(), group_leader, start_boottime);
}

/* The service, or a child of it that acts in its place; not who has got that pid after them. */
static __always_inline bool is_canary_process(__u32 tgid)
{
        const struct task_struct *parent;

        if (tgid != hot.canary_tgid)
                return false;
        if (is_service(tgid))
                return true;
        parent = BPF_CORE_READ(bpf_get_current_task_btf(), group_leader, real_parent, group_leader);
        return (__u64) parent == hot.service_task &&
               BPF_CORE_READ(parent, start_boottime) == hot.service_start_ns;
}
