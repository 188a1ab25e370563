/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Canary: see canary.h. Acts are made so that even one that is let through changes nothing that
 * matters: names are the canary's own, packets go to the discard port of the loopback. */
#include "backend/canary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"

#define FILE_NAME "canary"
#define DIRECTORY_NAME "canary.d"
#define NEW_NAME "canary.new"
#define XATTR_NAME "user.aegis"
#define XATTR_ACL "system.posix_acl_access"

int canary_init(Canary *canary, const char *path)
{
        canary->directory_fd = directory_open(path, 0755);
        return canary->directory_fd < 0 ? canary->directory_fd : 0;
}

int canary_set_up(const Canary *canary)
{
        int dir = canary->directory_fd;
        _cleanup_(closep) int file =
                openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (file < 0)
                return -errno;
        if (mkdirat(dir, DIRECTORY_NAME, 0700) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

void canary_deinit(Canary *canary)
{
        closep(&canary->directory_fd);
        canary->directory_fd = -1;
}

/* Each act returns what its system call did: -1 with errno, or not. */

static int try_open(int dir, int flags, const char *name)
{
        _cleanup_(closep) int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

        return fd < 0 ? -1 : 0;
}

/* The ACL that says no more than mode 0600 does: version 2, owner, group, others. */
static const uint32_t acl[] = {2, 6u << 16 | 1, UINT32_MAX, 4, UINT32_MAX, 32, UINT32_MAX};

static int try_xattr(int dir, enum hook hook)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d/" FILE_NAME, dir);
        if (hook == HOOK_INODE_SET_ACL)
                return setxattr(path, XATTR_ACL, acl, sizeof(acl), 0);
        if (hook == HOOK_INODE_REMOVE_ACL)
                return removexattr(path, XATTR_ACL);
        if (hook == HOOK_INODE_SETXATTR)
                return setxattr(path, XATTR_NAME, "", 0, 0);
        return removexattr(path, XATTR_NAME);
}

static int try_socket(enum hook hook)
{
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(hook == HOOK_SOCKET_BIND ? 0 : 9),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        const struct sockaddr *to = (const struct sockaddr *) &address;

        if (hook == HOOK_SOCKET_BIND)
                return bind(fd, to, sizeof(address));
        if (hook == HOOK_SOCKET_CONNECT)
                return connect(fd, to, sizeof(address));
        return sendto(fd, "", 0, MSG_DONTWAIT, to, sizeof(address)) < 0 ? -1 : 0;
}

static int try_act(int dir, enum hook hook)
{
        switch (hook) {
        case HOOK_FILE_OPEN:
                return try_open(dir, O_RDONLY, FILE_NAME);
        case HOOK_INODE_CREATE:
                return try_open(dir, O_WRONLY | O_CREAT | O_EXCL, NEW_NAME);
        case HOOK_INODE_LINK:
                return linkat(dir, FILE_NAME, dir, NEW_NAME, 0);
        case HOOK_INODE_MKDIR:
                return mkdirat(dir, NEW_NAME, 0700);
        case HOOK_INODE_MKNOD:
                return mknodat(dir, NEW_NAME, S_IFIFO | 0600, 0);
        case HOOK_INODE_RENAME:
                return renameat(dir, FILE_NAME, dir, NEW_NAME);
        case HOOK_INODE_RMDIR:
                return unlinkat(dir, DIRECTORY_NAME, AT_REMOVEDIR);
        case HOOK_INODE_SETATTR:
                return fchmodat(dir, FILE_NAME, 0600, 0);
        case HOOK_INODE_SYMLINK:
                return symlinkat(FILE_NAME, dir, NEW_NAME);
        case HOOK_INODE_UNLINK:
                return unlinkat(dir, FILE_NAME, 0);
        case HOOK_INODE_SET_ACL:
        case HOOK_INODE_REMOVE_ACL:
        case HOOK_INODE_SETXATTR:
        case HOOK_INODE_REMOVEXATTR:
                return try_xattr(dir, hook);
        case HOOK_SOCKET_BIND:
        case HOOK_SOCKET_CONNECT:
        case HOOK_SOCKET_SENDMSG:
                return try_socket(hook);
        case N_HOOKS:
                break;
        }
        errno = EINVAL;
        return -1;
}

int canary_try(const Canary *canary, enum hook hook)
{
        int dir = canary->directory_fd;

        if (try_act(dir, hook) < 0)
                return errno == CANARY_ERRNO;
        /* It was let through: take away what it may have made. */
        unlinkat(dir, NEW_NAME, 0);
        unlinkat(dir, NEW_NAME, AT_REMOVEDIR);
        return 0;
}
