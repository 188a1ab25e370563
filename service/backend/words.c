/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words: how hooks, tiers, guarantees and modes are spelled. A library of its own, for whoever
 * speaks of a backend without having one. */
#include <errno.h>
#include <string.h>

#include "backend/backend.h"
#include "util/array.h"

static const char *const hooks[] = {
        [HOOK_BPF] = "bpf",
        [HOOK_BPF_MAP] = "bpf_map",
        [HOOK_BPRM_CHECK_SECURITY] = "bprm_check_security",
        [HOOK_BPRM_CREDS_FOR_EXEC] = "bprm_creds_for_exec",
        [HOOK_FILE_MPROTECT] = "file_mprotect",
        [HOOK_FILE_OPEN] = "file_open",
        [HOOK_INODE_COPY_UP] = "inode_copy_up",
        [HOOK_INODE_CREATE] = "inode_create",
        [HOOK_INODE_LINK] = "inode_link",
        [HOOK_INODE_MKDIR] = "inode_mkdir",
        [HOOK_INODE_MKNOD] = "inode_mknod",
        [HOOK_INODE_REMOVE_ACL] = "inode_remove_acl",
        [HOOK_INODE_REMOVEXATTR] = "inode_removexattr",
        [HOOK_INODE_RENAME] = "inode_rename",
        [HOOK_INODE_RMDIR] = "inode_rmdir",
        [HOOK_INODE_SET_ACL] = "inode_set_acl",
        [HOOK_INODE_SETATTR] = "inode_setattr",
        [HOOK_INODE_SETXATTR] = "inode_setxattr",
        [HOOK_INODE_SYMLINK] = "inode_symlink",
        [HOOK_INODE_UNLINK] = "inode_unlink",
        [HOOK_KERNEL_LOAD_DATA] = "kernel_load_data",
        [HOOK_KERNEL_READ_FILE] = "kernel_read_file",
        [HOOK_MMAP_FILE] = "mmap_file",
        [HOOK_MOVE_MOUNT] = "move_mount",
        [HOOK_PTRACE_ACCESS_CHECK] = "ptrace_access_check",
        [HOOK_PTRACE_TRACEME] = "ptrace_traceme",
        [HOOK_SB_MOUNT] = "sb_mount",
        [HOOK_SB_PIVOTROOT] = "sb_pivotroot",
        [HOOK_SB_UMOUNT] = "sb_umount",
        [HOOK_SOCKET_ACCEPT] = "socket_accept",
        [HOOK_SOCKET_BIND] = "socket_bind",
        [HOOK_SOCKET_CONNECT] = "socket_connect",
        [HOOK_SOCKET_LISTEN] = "socket_listen",
        [HOOK_SOCKET_RECVMSG] = "socket_recvmsg",
        [HOOK_SOCKET_SENDMSG] = "socket_sendmsg",
        [HOOK_SOCKET_SOCK_RCV_SKB] = "socket_sock_rcv_skb",
        [HOOK_SYSCTL] = "sysctl",
        [HOOK_TASK_KILL] = "task_kill",
        [HOOK_TASK_PRCTL] = "task_prctl",
};
_Static_assert(ELEMENTS_OF(hooks) == N_HOOKS, "each hook has a name");

const char *hook_to_string(enum hook hook)
{
        return hook < N_HOOKS ? hooks[hook] : "";
}

const char *tier_to_string(Tier tier)
{
        switch (tier) {
        case TIER_NONE:
                return "none";
        case TIER_LSM:
                return "lsm";
        case TIER_FMOD_RET:
                return "fmod-ret";
        }
        return "none";
}

const char *guarantee_to_string(Guarantee guarantee)
{
        switch (guarantee) {
        case GUARANTEE_NONE:
                return "none";
        case GUARANTEE_AUDIT:
                return "audit";
        case GUARANTEE_DENY:
                return "deny";
        }
        return "none";
}

const char *mode_to_string(Mode mode)
{
        switch (mode) {
        case MODE_ENFORCE:
                return "enforce";
        case MODE_AUDIT:
                return "audit";
        }
        return "enforce";
}

int mode_from_string(const char *text, Mode *ret_mode)
{
        for (Mode mode = MODE_ENFORCE; mode <= MODE_AUDIT; mode++)
                if (strcmp(text, mode_to_string(mode)) == 0) {
                        *ret_mode = mode;
                        return 0;
                }
        return -EINVAL;
}
