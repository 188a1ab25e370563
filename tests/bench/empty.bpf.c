/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Empty: programs that allow everything, to tell what a hook costs at the least. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define EMPTY(hook)                                                                                \
        SEC("lsm/" #hook) int hook(void *context)                                                  \
        {                                                                                          \
                return 0;                                                                          \
        }

EMPTY(file_open)
EMPTY(mmap_file)
EMPTY(socket_connect)
EMPTY(socket_bind)
EMPTY(socket_sendmsg)
EMPTY(socket_recvmsg)
EMPTY(bprm_check_security)

char license_text[] SEC("license") = "Dual BSD/GPL";
