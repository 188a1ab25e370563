/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel rules: tracing, modules, kexec, bpf() and mounts. There is one list of clauses for each;
 * what is asked of it has no kinds of access. */
#include "hook.h"

#define PTRACE_ATTACH 2u

static __always_inline int decide_kernel(__u32 word, enum hook hook, enum kernel_object object,
                                         __u32 target)
{
        __u32 list = word_header(word)->kernel_lists[object];
        struct decision decision = {};

        if (!list)
                return 0;
        decision.word = word;
        decision.hook = hook;
        decision.access = ACCESS_ANY;
        decision.list = list;
        decision.operation = object;
        decision.target = target;
        return verdict_return(ask(&decision));
}

/* ---- ptrace ---- */

/* Looking, as ps does and whoever reads in /proc, is free. What attaches to a process, opens its
 * memory, or takes its descriptors asks in the same way, and is not. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode)
{
        __u32 word = word_read();

        count_call(HOOK_PTRACE_ACCESS_CHECK);
        if (is_canary(word, HOOK_PTRACE_ACCESS_CHECK))
                return -CANARY_ERRNO;
        if (!(mode & PTRACE_ATTACH))
                return 0;
        return decide_kernel(word, HOOK_PTRACE_ACCESS_CHECK, KERNEL_PTRACE, child->tgid);
}

/* The subject is who wants to be traced. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(ptrace_traceme, struct task_struct *parent)
{
        __u32 word = word_read();

        count_call(HOOK_PTRACE_TRACEME);
        if (is_canary(word, HOOK_PTRACE_TRACEME))
                return -CANARY_ERRNO;
        return decide_kernel(word, HOOK_PTRACE_TRACEME, KERNEL_PTRACE,
                             bpf_get_current_pid_tgid() >> 32);
}

/* ---- modules and kernels ---- */

#define IS_ENUM(value, type, name)                                                                 \
        (bpf_core_enum_value_exists(enum type, name) &&                                            \
         (value) == bpf_core_enum_value(enum type, name))

/* finit_module() and kexec_file_load(). Newer kernels tell a packed module apart. */
SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, __u32 id)
{
        __u32 word = word_read();

        count_call(HOOK_KERNEL_READ_FILE);
        if (is_canary(word, HOOK_KERNEL_READ_FILE))
                return -CANARY_ERRNO;
        if (IS_ENUM(id, kernel_read_file_id, READING_MODULE) ||
            IS_ENUM(id, kernel_read_file_id, READING_MODULE_COMPRESSED))
                return decide_kernel(word, HOOK_KERNEL_READ_FILE, KERNEL_MODULE, 0);
        if (IS_ENUM(id, kernel_read_file_id, READING_KEXEC_IMAGE) ||
            IS_ENUM(id, kernel_read_file_id, READING_KEXEC_INITRAMFS))
                return decide_kernel(word, HOOK_KERNEL_READ_FILE, KERNEL_KEXEC, 0);
        return 0;
}

/* init_module() and kexec_load(). */
SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, __u32 id)
{
        __u32 word = word_read();

        count_call(HOOK_KERNEL_LOAD_DATA);
        if (is_canary(word, HOOK_KERNEL_LOAD_DATA))
                return -CANARY_ERRNO;
        if (IS_ENUM(id, kernel_load_data_id, LOADING_MODULE))
                return decide_kernel(word, HOOK_KERNEL_LOAD_DATA, KERNEL_MODULE, 0);
        if (IS_ENUM(id, kernel_load_data_id, LOADING_KEXEC_IMAGE) ||
            IS_ENUM(id, kernel_load_data_id, LOADING_KEXEC_INITRAMFS))
                return decide_kernel(word, HOOK_KERNEL_LOAD_DATA, KERNEL_KEXEC, 0);
        return 0;
}

/* ---- bpf() ---- */

/* What makes something, or puts it somewhere. Looking at what is there is free, and so is using
 * what one has a descriptor of. */
static __always_inline bool changes_something(int command)
{
        switch (command) {
        case BPF_MAP_CREATE:
        case BPF_PROG_LOAD:
        case BPF_OBJ_PIN:
        case BPF_PROG_ATTACH:
        case BPF_PROG_DETACH:
        case BPF_RAW_TRACEPOINT_OPEN:
        case BPF_BTF_LOAD:
        case BPF_LINK_CREATE:
        case BPF_LINK_UPDATE:
        case BPF_LINK_DETACH:
        case BPF_ENABLE_STATS:
        case BPF_ITER_CREATE:
        case BPF_PROG_BIND_MAP:
                return true;
        default: /* the kernel's enumeration, which grows */
                return false;
        }
}

SEC("lsm/bpf")
int BPF_PROG(bpf, int command)
{
        __u32 word = word_read();

        count_call(HOOK_BPF);
        if (is_canary(word, HOOK_BPF))
                return -CANARY_ERRNO;
        if (!changes_something(command))
                return 0;
        return decide_kernel(word, HOOK_BPF, KERNEL_BPF, command);
}

/* ---- mounts ---- */

static __always_inline int decide_mount(enum hook hook)
{
        __u32 word = word_read();

        count_call(hook);
        if (is_canary(word, hook))
                return -CANARY_ERRNO;
        return decide_kernel(word, hook, KERNEL_MOUNT, 0);
}

SEC("lsm/sb_mount")
int BPF_PROG(sb_mount)
{
        return decide_mount(HOOK_SB_MOUNT);
}

/* What fsmount() and open_tree() made comes into view here. */
SEC("lsm/move_mount")
int BPF_PROG(move_mount)
{
        return decide_mount(HOOK_MOVE_MOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount)
{
        return decide_mount(HOOK_SB_UMOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot)
{
        return decide_mount(HOOK_SB_PIVOTROOT);
}
