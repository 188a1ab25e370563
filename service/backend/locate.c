/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locate: see locate.h. A path is followed as far as it exists; what does not exist yet is a name
 * below that. The answer is a name inside a file system, so that the rule holds in every mount of
 * it. */
#include "backend/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/cgroups.h"
#include "util/cleanup.h"
#include "util/path.h"

static void take_known(const struct statx *known, Location *location)
{
        location->exists = 1;
        location->inode = known->stx_ino;
        location->n_links = known->stx_nlink;
        location->is_directory = S_ISDIR(known->stx_mode);
}

static int has_other_names(const struct statx *known)
{
        return S_ISREG(known->stx_mode) && known->stx_nlink > 1;
}

static void find_generation(int fd, Location *location)
{
        char path[64];
        _cleanup_(closep) int readable = -1;
        int generation;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        readable = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (readable >= 0 && ioctl(readable, FS_IOC_GETVERSION, &generation) == 0) {
                location->inode_generation = (uint32_t) generation;
                location->generation_known = 1;
        }
}

/* Fills in what the path leads to in the end, if it leads anywhere. */
static int follow(Mounts *mounts, int at, const char *path, Location *location)
{
        _cleanup_(closep) int fd = path_open(mounts->root, at, path, O_PATH);
        struct statx known;
        Place target = {};
        int r;

        if (fd < 0)
                return 0; /* not there, or a link to nowhere: the name alone is ruled */
        r = place_of_descriptor(mounts, fd, &target, &known);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        location->device = target.device;
        take_known(&known, location);
        if (has_other_names(&known))
                find_generation(fd, location);
        if (target.device == location->name.device &&
            strcmp(target.path, location->name.path) == 0) {
                free(target.path);
                return 0;
        }
        location->target = target;
        return 0;
}

/* Most names are what they lead to, and one look tells so. Returns 0 if this one is to be followed.
 */
static int look(Parent *parent, const char *name, Location *location)
{
        struct statx known;

        if (statx(parent->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
                  STATX_TYPE | STATX_NLINK | STATX_INO | STATX_MNT_ID, &known) < 0)
                return errno == ENOENT;
        if (S_ISLNK(known.stx_mode) || !(known.stx_mask & STATX_MNT_ID) ||
            known.stx_mnt_id != parent->mount_id || has_other_names(&known) ||
            !parent_spells(parent, name, &known))
                return 0;
        location->device = location->name.device;
        take_known(&known, location);
        return 1;
}

static int is_name(const char *name)
{
        return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The name itself: its parents' links are followed, its own is not. Then what it leads to. */
static int locate_in(Mounts *mounts, Parent *parent, const char *path, const char *name,
                     Location *location)
{
        int r;

        r = place_below(&parent->place, name, &location->name);
        if (r < 0 || parent->fd < 0)
                return r;
        if (!is_name(name))
                return follow(mounts, -1, path, location);
        if (look(parent, name, location))
                return 0;
        return follow(mounts, parent->fd, name, location);
}

int locate_path(void *userdata, const char *path, Location *ret_location)
{
        _cleanup_(parent_deinit) Parent own = {.fd = -1};
        Locator *locator = userdata;
        Parent *parent = &own;
        Location location = {};
        const char *slash = strrchr(path, '/');
        int r;

        if (!slash)
                return -EINVAL;
        if (locator->parents)
                r = parents_find(locator->parents, locator->mounts, path, slash + 1, &parent);
        else
                r = parent_open(locator->mounts, path, slash + 1, &own);
        if (r >= 0)
                r = locate_in(locator->mounts, parent, path, slash + 1, &location);
        if (r < 0) {
                location_deinit(&location);
                return r;
        }
        *ret_location = location;
        return 0;
}

typedef struct Begun {
        Locator locator;
        Parents parents;
} Begun;

void *locate_begin(void *userdata)
{
        const Locator *locator = userdata;
        Begun *begun = calloc(1, sizeof(*begun));

        if (!begun)
                return NULL;
        begun->locator = (Locator){locator->mounts, &begun->parents};
        return begun;
}

void locate_end(void *userdata)
{
        Begun *begun = userdata;

        parents_deinit(&begun->parents);
        free(begun);
}

int has_cgroup(void *userdata, const char *path)
{
        return cgroups_have(path);
}
