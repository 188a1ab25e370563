/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parents: see parents.h. */
#include "backend/parents.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/path.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* ---- places ---- */

static int read_path(int fd, char ret_path[PATH_MAX])
{
        char link[64];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, ret_path, PATH_MAX - 1);
        if (n < 0)
                return -errno;
        ret_path[n] = '\0';
        return 0;
}

int place_of_descriptor(Mounts *mounts, int fd, Place *ret_place, struct statx *ret_known)
{
        char path[PATH_MAX];
        const char *inside;
        const Mount *mount;
        int r;

        r = mounts_refresh(mounts);
        if (r >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, ret_known) < 0)
                r = -errno;
        if (r >= 0)
                r = read_path(fd, path);
        if (r < 0)
                return r;
        mount = mounts_by_id(mounts, ret_known->stx_mnt_id);
        inside = mount ? path_below(path, mount->point) : NULL;
        if (!inside)
                return -ENOENT;
        ret_place->device = mount->device;
        if (strcmp(mount->root, "/") != 0)
                return asprintf(&ret_place->path, "%s%s", mount->root, inside) < 0 ? -ENOMEM : 0;
        ret_place->path = strdup(*inside ? inside : "/");
        return ret_place->path ? 0 : -ENOMEM;
}

int place_below(const Place *place, const char *name, Place *ret_place)
{
        size_t n = strcmp(place->path, "/") == 0 && *name ? 0 : strlen(place->path);
        char *path = malloc(n + 1 + strlen(name) + 1);

        if (!path)
                return -ENOMEM;
        memcpy(path, place->path, n);
        path[n] = '\0';
        if (*name) {
                path[n] = '/';
                strcpy(path + n + 1, name);
        }
        *ret_place = (Place){.device = place->device, .path = path};
        return 0;
}

/* ---- one directory ---- */

/* Opens the longest directory above path's last component that exists; path is cut in place there.
 * *ret_rest is what remains below it, "" for the root. Returns a descriptor or a negative errno. */
static int open_existing(const Mounts *mounts, char *path, char **ret_rest)
{
        char *slash = strrchr(path, '/');

        for (; slash; slash = memrchr(path, '/', (size_t) (slash - path))) {
                int fd;

                *slash = '\0';
                fd = path_open(mounts->root, -1, slash == path ? "/" : path, O_PATH | O_DIRECTORY);
                if (fd >= 0) {
                        *ret_rest = slash + 1;
                        return fd;
                }
                *slash = '/';
                if (fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP && fd != -EACCES)
                        return fd;
        }
        return -ENOENT;
}

/* File systems whose directories take names as they are, or fold cases and do nothing else: others
 * know short names, for example, or leave out a dot in the end. */
static Spelling spelling_of(int fd)
{
        static const unsigned known[] = {
                BTRFS_SUPER_MAGIC,     EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC,      SQUASHFS_MAGIC,
                TMPFS_MAGIC,           XFS_SUPER_MAGIC,  EROFS_SUPER_MAGIC_V1,
        };
        struct statfs found;

        if (fstatfs(fd, &found) < 0)
                return SPELLING_LOOSE;
        for (size_t i = 0; i < ELEMENTS_OF(known); i++)
                if ((unsigned) found.f_type == known[i])
                        return SPELLING_UNKNOWN;
        return SPELLING_LOOSE;
}

/* missing: the part of its path at which nothing exists yet, or "". */
static int parent_fill(Mounts *mounts, int fd, const char *missing, Parent *parent)
{
        _cleanup_(freep) char *existing = NULL;
        struct statx known;
        Place place = {};
        int r;

        r = place_of_descriptor(mounts, fd, &place, &known);
        if (r < 0)
                return r;
        existing = place.path;
        parent->mount_id = known.stx_mask & STATX_MNT_ID ? known.stx_mnt_id : 0;
        return place_below(&place, missing, &parent->place);
}

int parent_open(Mounts *mounts, const char *path, const char *name, Parent *ret_parent)
{
        _cleanup_(freep) char *copy = strdup(path);
        _cleanup_(closep) int fd = -1;
        Parent parent = {.fd = -1};
        char *rest = NULL, *missing;
        int r;

        if (!copy)
                return -ENOMEM;
        fd = open_existing(mounts, copy, &rest);
        if (fd < 0)
                return fd;
        missing = strlen(rest) > strlen(name) ? rest : copy + strlen(path);
        if (*missing)
                rest[strlen(rest) - strlen(name) - 1] = '\0';
        r = parent_fill(mounts, fd, missing, &parent);
        if (r < 0)
                return r;
        if (!*missing) {
                parent.spelling = spelling_of(fd);
                parent.fd = TAKE_FD(fd);
        }
        *ret_parent = parent;
        return 0;
}

void parent_deinit(Parent *parent)
{
        free(parent->path);
        free(parent->place.path);
        closep(&parent->fd);
        *parent = (Parent){.fd = -1};
}

/* ---- those that are remembered ---- */

int parents_find(Parents *parents, Mounts *mounts, const char *path, const char *name,
                 Parent **ret_parent)
{
        size_t n_path = (size_t) (name - path) - 1;
        Parent fresh = {.fd = -1}, *place;
        int r;

        for (size_t i = 0; i < parents->n; i++) {
                place = &parents->items[i];
                if (strncmp(place->path, path, n_path) == 0 && place->path[n_path] == '\0') {
                        *ret_parent = place;
                        return 0;
                }
        }
        r = parent_open(mounts, path, name, &fresh);
        if (r < 0)
                return r;
        fresh.path = strndup(path, n_path);
        if (!fresh.path) {
                parent_deinit(&fresh);
                return -ENOMEM;
        }
        place = &parents->items[parents->next];
        if (parents->n == N_PARENTS)
                parent_deinit(place);
        else
                parents->n++;
        parents->next = (parents->next + 1) % N_PARENTS;
        *place = fresh;
        *ret_parent = place;
        return 0;
}

void parents_deinit(Parents *parents)
{
        for (size_t i = 0; i < parents->n; i++)
                parent_deinit(&parents->items[i]);
        parents->n = parents->next = 0;
}

/* ---- spelling ---- */

static const char *first_letter(const char *name)
{
        for (; *name; name++)
                if ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z')
                        return name;
        return NULL;
}

/* Is the same file found when one letter is large instead of small? */
static Spelling find_spelling(const Parent *parent, const char *name, const struct statx *found)
{
        const char *letter = first_letter(name);
        char other[NAME_MAX + 1];
        struct statx there;
        size_t n = strlen(name);

        if (!letter || n >= sizeof(other))
                return SPELLING_UNKNOWN;
        memcpy(other, name, n + 1);
        other[letter - name] ^= 0x20;
        if (statx(parent->fd, other, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_INO, &there) < 0)
                return errno == ENOENT ? SPELLING_EXACT : SPELLING_LOOSE;
        return there.stx_ino == found->stx_ino ? SPELLING_LOOSE : SPELLING_EXACT;
}

int parent_spells(Parent *parent, const char *name, const struct statx *found)
{
        if (parent->spelling == SPELLING_UNKNOWN)
                parent->spelling = find_spelling(parent, name, found);
        return parent->spelling == SPELLING_EXACT;
}
