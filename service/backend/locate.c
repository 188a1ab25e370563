/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locate: see locate.h. A path is followed as far as it exists; what does not exist yet is a name
 * below that. The answer is a name inside a file system, so that the rule holds in every mount of
 * it. */
#include "backend/locate.h"

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/cgroups.h"
#include "util/cleanup.h"

/* The place of an open object: its path inside its file system. */
static int place_of_descriptor(const Mounts *mounts, int fd, Place *ret_place)
{
        char link[64], path[PATH_MAX];
        const char *inside;
        const Mount *mount;
        struct statx stx;
        ssize_t n;

        if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) < 0)
                return -errno;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        mount = mounts_by_id(mounts, stx.stx_mnt_id);
        inside = mount ? path_below(path, mount->point) : NULL;
        if (!inside)
                return -ENOENT; /* it moved while we looked */
        ret_place->device = mount->device;
        if (strcmp(mount->root, "/") != 0)
                return asprintf(&ret_place->path, "%s%s", mount->root, inside) < 0 ? -ENOMEM : 0;
        ret_place->path = strdup(*inside ? inside : "/");
        return ret_place->path ? 0 : -ENOMEM;
}

/* Adds "/rest" to a place. */
static int place_extend(Place *place, const char *rest)
{
        char *longer = NULL;

        if (asprintf(&longer, "%s/%s", strcmp(place->path, "/") == 0 ? "" : place->path, rest) < 0)
                return -ENOMEM;
        free(place->path);
        place->path = longer;
        return 0;
}

/* Opens the longest directory above path's last component that exists; path is cut in place there.
 * *ret_rest is what remains below it, "" for the root. Returns a descriptor or a negative errno. */
static int open_existing(char *path, char **ret_rest)
{
        char *slash = strrchr(path, '/');

        for (; slash; slash = memrchr(path, '/', (size_t) (slash - path))) {
                int fd;

                *slash = '\0';
                fd = open(slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0) {
                        *ret_rest = slash + 1;
                        return fd;
                }
                *slash = '/';
                if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES)
                        return -errno;
        }
        return -ENOENT;
}

/* The name itself: its parents' links are followed, its own is not. */
static int locate_name(const Mounts *mounts, const char *path, Place *ret_place)
{
        _cleanup_(freep) char *copy = strdup(path);
        _cleanup_(closep) int fd = -1;
        char *rest = NULL;
        int r;

        if (!copy)
                return -ENOMEM;
        fd = open_existing(copy, &rest);
        if (fd < 0)
                return fd;
        r = place_of_descriptor(mounts, fd, ret_place);
        return r < 0 || !*rest ? r : place_extend(ret_place, rest);
}

static void fill_inode(int fd, const struct stat *st, Location *location)
{
        char path[64];
        _cleanup_(closep) int readable = -1;
        int generation;

        location->exists = 1;
        location->inode = st->st_ino;
        location->n_links = (uint32_t) st->st_nlink;
        location->is_directory = S_ISDIR(st->st_mode);
        if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
                return;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        readable = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (readable >= 0 && ioctl(readable, FS_IOC_GETVERSION, &generation) == 0) {
                location->inode_generation = (uint32_t) generation;
                location->generation_known = 1;
        }
}

/* Fills in what the path leads to in the end, if it leads anywhere. */
static int locate_target(const Mounts *mounts, const char *path, Location *location)
{
        _cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);
        Place target = {};
        struct stat st;
        int r;

        if (fd < 0)
                return 0; /* not there, or a link to nowhere: the name alone is ruled */
        if (fstat(fd, &st) < 0)
                return -errno;
        r = place_of_descriptor(mounts, fd, &target);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        location->device = target.device;
        fill_inode(fd, &st, location);
        if (target.device == location->name.device &&
            strcmp(target.path, location->name.path) == 0) {
                free(target.path);
                return 0;
        }
        location->target = target;
        return 0;
}

int locate_path(void *userdata, const char *path, Location *ret_location)
{
        Mounts *mounts = userdata;
        Location location = {};
        int r;

        r = mounts_refresh(mounts);
        if (r < 0)
                return r;
        r = locate_name(mounts, path, &location.name);
        if (r >= 0)
                r = locate_target(mounts, path, &location);
        if (r < 0) {
                location_deinit(&location);
                return r;
        }
        *ret_location = location;
        return 0;
}

int has_cgroup(void *userdata, const char *path)
{
        return cgroups_have(path);
}
