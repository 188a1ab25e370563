/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Path: see path.h. Step by step, since openat2(2), which could do it in one, is among the calls
 * that the service does without. */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

#define LINKS_MAX 40u /* as the kernel's */

typedef struct Walk {
        int root;
        int fd;              /* where it has come to; owned */
        char rest[PATH_MAX]; /* what is still to go */
        unsigned n_links;
} Walk;

static void walk_deinit(Walk *walk)
{
        closep(&walk->fd);
}

static int go_to(Walk *walk, int fd)
{
        if (fd < 0)
                return -errno;
        closep(&walk->fd);
        walk->fd = fd;
        return 0;
}

static int start(Walk *walk, int at)
{
        return go_to(walk, fcntl(walk->rest[0] == '/' ? walk->root : at, F_DUPFD_CLOEXEC, 3));
}

/* Above the root there is nothing for whoever has it. */
static int is_at_root(const Walk *walk)
{
        struct stat here, root;

        return fstat(walk->fd, &here) == 0 && fstat(walk->root, &root) == 0 &&
               here.st_dev == root.st_dev && here.st_ino == root.st_ino;
}

/* Puts where the link of that name leads before what is left. Returns 0 or a negative errno:
 * -EINVAL or -ENOENT if it is none. */
static int take_link(Walk *walk, int fd, const char *name, const char *left)
{
        char target[PATH_MAX], rest[PATH_MAX];
        ssize_t n = readlinkat(fd, name, target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = '\0';
        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        n = snprintf(rest, sizeof(rest), "%s/%s", target, left);
        if (n >= (ssize_t) sizeof(rest))
                return -ENAMETOOLONG;
        if (!*left)
                rest[strlen(target)] = '\0'; /* a slash in the end would ask for a directory */
        strcpy(walk->rest, rest);
        return walk->rest[0] == '/' ? start(walk, -1) : 0;
}

static int open_directory(Walk *walk, const char *name, const char *left, int flags)
{
        int fd = openat(walk->fd, name, flags | O_NOFOLLOW | O_CLOEXEC), r;

        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
                r = take_link(walk, walk->fd, name, left);
                return r == -EINVAL ? -ENOTDIR : r;
        }
        walk->rest[0] = '\0';
        r = go_to(walk, fd);
        if (r == 0)
                memmove(walk->rest, left, strlen(left) + 1);
        return r;
}

static int open_last(Walk *walk, const char *name, int flags)
{
        _cleanup_(closep) int fd = openat(walk->fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = take_link(walk, fd, "", "");
        if (r != -ENOENT && r != -EINVAL)
                return r;
        walk->rest[0] = '\0';
        return go_to(walk, TAKE_FD(fd));
}

/* One name of the path. */
static int step(Walk *walk, int flags)
{
        char name[NAME_MAX + 1], left[PATH_MAX];
        const char *from = walk->rest + strspn(walk->rest, "/");
        size_t n = strcspn(from, "/");

        if (n >= sizeof(name))
                return -ENAMETOOLONG;
        memcpy(name, from, n);
        name[n] = '\0';
        strcpy(left, from + n);
        if (n == 0 || (strcmp(name, "..") == 0 && is_at_root(walk)))
                strcpy(name, ".");
        if (left[0])
                return open_directory(walk, name, left + strspn(left, "/"), O_PATH | O_DIRECTORY);
        return flags & O_DIRECTORY ? open_directory(walk, name, "", flags)
                                   : open_last(walk, name, flags);
}

int path_open(int root, int at, const char *path, int flags)
{
        _cleanup_(walk_deinit) Walk walk = {.root = root, .fd = -1};
        size_t n = strlen(path);
        int r;

        if (n == 0 || n >= sizeof(walk.rest))
                return n ? -ENAMETOOLONG : -ENOENT;
        memcpy(walk.rest, path, n + 1);
        r = start(&walk, at);
        while (r == 0 && walk.rest[0])
                r = step(&walk, flags);
        return r < 0 ? r : TAKE_FD(walk.fd);
}
