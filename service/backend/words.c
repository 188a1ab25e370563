/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words: how hooks, tiers, guarantees and modes are spelled. A library of its own, for whoever
 * speaks of a backend without having one. */
#include <errno.h>
#include <string.h>

#include "backend/backend.h"
#include "util/array.h"

static const char *const hooks[] = {
        [HOOK_FILE_OPEN] = "file_open",
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
        [HOOK_SOCKET_BIND] = "socket_bind",
        [HOOK_SOCKET_CONNECT] = "socket_connect",
        [HOOK_SOCKET_SENDMSG] = "socket_sendmsg",
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
