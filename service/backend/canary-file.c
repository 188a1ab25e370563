/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts at files and their names: see canary-acts.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "backend/canary-acts.h"
#include "util/cleanup.h"

#define XATTR_NAME "user.aegis"
#define XATTR_ACL "system.posix_acl_access"
#define PATH_ROOM 64

static int open_and_close(int dir, const char *name, int flags)
{
        _cleanup_(closep) int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

        return fd < 0 ? -1 : 0;
}

static int act_open(const Canary *canary)
{
        return open_and_close(canary->directory_fd, CANARY_FILE, O_RDONLY);
}

static int act_create(const Canary *canary)
{
        return open_and_close(canary->directory_fd, CANARY_NEW, O_WRONLY | O_CREAT | O_EXCL);
}

static int act_link(const Canary *canary)
{
        return linkat(canary->directory_fd, CANARY_FILE, canary->directory_fd, CANARY_NEW, 0);
}

static int act_mkdir(const Canary *canary)
{
        return mkdirat(canary->directory_fd, CANARY_NEW, 0700);
}

static int act_mknod(const Canary *canary)
{
        return mknodat(canary->directory_fd, CANARY_NEW, S_IFIFO | 0600, 0);
}

static int act_rename(const Canary *canary)
{
        return renameat(canary->directory_fd, CANARY_FILE, canary->directory_fd, CANARY_NEW);
}

static int act_rmdir(const Canary *canary)
{
        return unlinkat(canary->directory_fd, CANARY_DIRECTORY, AT_REMOVEDIR);
}

static int act_setattr(const Canary *canary)
{
        return fchmodat(canary->directory_fd, CANARY_FILE, 0600, 0);
}

static int act_symlink(const Canary *canary)
{
        return symlinkat(CANARY_FILE, canary->directory_fd, CANARY_NEW);
}

static int act_unlink(const Canary *canary)
{
        return unlinkat(canary->directory_fd, CANARY_FILE, 0);
}

/* ---- attributes ---- */

/* The ACL that says no more than mode 0600 does: version 2, owner, group, others. */
static const __u32 acl[] = {2, 6u << 16 | 1, ~0u, 4, ~0u, 32, ~0u};

static void path_of_file(const Canary *canary, char ret_path[PATH_ROOM])
{
        snprintf(ret_path, PATH_ROOM, "/proc/self/fd/%d/" CANARY_FILE, canary->directory_fd);
}

static int act_set_acl(const Canary *canary)
{
        char path[PATH_ROOM];

        path_of_file(canary, path);
        return setxattr(path, XATTR_ACL, acl, sizeof(acl), 0);
}

static int act_remove_acl(const Canary *canary)
{
        char path[PATH_ROOM];

        path_of_file(canary, path);
        return removexattr(path, XATTR_ACL);
}

static int act_setxattr(const Canary *canary)
{
        char path[PATH_ROOM];

        path_of_file(canary, path);
        return setxattr(path, XATTR_NAME, "", 0, 0);
}

static int act_removexattr(const Canary *canary)
{
        char path[PATH_ROOM];

        path_of_file(canary, path);
        return removexattr(path, XATTR_NAME);
}

/* ---- overlays ---- */

/* Asked for first: a mount would load the module. */
static int has_overlay(void)
{
        _cleanup_(fclosep) FILE *file = fopen("/proc/filesystems", "re");
        char line[64];

        while (file && fgets(line, sizeof(line), file))
                if (strcmp(line, "nodev\toverlay\n") == 0)
                        return 1;
        return 0;
}

/* Goes to the canary's directory by its path: a descriptor leads into the namespace of mounts that
 * it was opened in. */
static int go_by_path(const Canary *canary)
{
        char link[PATH_ROOM], path[PATH_MAX];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", canary->directory_fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return -1;
        path[n] = '\0';
        return chdir(path);
}

/* A tmpfs and an overlay on it, in a namespace of mounts that ends with the child. */
static int copy_up(const Canary *canary)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            go_by_path(canary) < 0 || mount("tmpfs", CANARY_DIRECTORY, "tmpfs", 0, NULL) < 0 ||
            chdir(CANARY_DIRECTORY) < 0 || mkdir("lower", 0700) < 0 || mkdir("upper", 0700) < 0 ||
            mkdir("work", 0700) < 0 || mkdir("merged", 0700) < 0 ||
            open_and_close(AT_FDCWD, "lower/" CANARY_FILE, O_WRONLY | O_CREAT) < 0 ||
            mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work") <
                    0) {
                errno = EPERM;
                return -1;
        }
        return open_and_close(AT_FDCWD, "merged/" CANARY_FILE, O_WRONLY);
}

static int act_copy_up(const Canary *canary)
{
        if (!has_overlay()) {
                errno = ENOSYS;
                return -1;
        }
        return canary_act_in_child(canary, copy_up);
}

CanaryAct *const canary_file_acts[N_HOOKS] = {
        [HOOK_FILE_OPEN] = act_open,
        [HOOK_INODE_COPY_UP] = act_copy_up,
        [HOOK_INODE_CREATE] = act_create,
        [HOOK_INODE_LINK] = act_link,
        [HOOK_INODE_MKDIR] = act_mkdir,
        [HOOK_INODE_MKNOD] = act_mknod,
        [HOOK_INODE_REMOVE_ACL] = act_remove_acl,
        [HOOK_INODE_REMOVEXATTR] = act_removexattr,
        [HOOK_INODE_RENAME] = act_rename,
        [HOOK_INODE_RMDIR] = act_rmdir,
        [HOOK_INODE_SET_ACL] = act_set_acl,
        [HOOK_INODE_SETATTR] = act_setattr,
        [HOOK_INODE_SETXATTR] = act_setxattr,
        [HOOK_INODE_SYMLINK] = act_symlink,
        [HOOK_INODE_UNLINK] = act_unlink,
};
