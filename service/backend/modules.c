/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules: which types kernel modules have is told to CAP_SYS_ADMIN alone. The library asks for
 * them wherever the kernel itself lacks a function that a program could use, takes a refusal for a
 * failure, and "there are none" for an answer. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "backend/private.h"
#include "util/array.h"
#include "util/log.h"

static int answer_with_none(void)
{
        struct sock_filter steps[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_BTF_GET_NEXT_ID, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog filter = {ELEMENTS_OF(steps), steps};

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
                return log_errno(-errno, "Questions for modules' types cannot be answered");
        return 0;
}

int modules_forget(void)
{
        uint32_t id = 0;

        if (bpf_btf_get_next_id(0, &id) == 0 || errno != EPERM)
                return 0;
        return answer_with_none();
}
