/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts: which file systems are mounted where, read from mountinfo and kept as long as it is true.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Mount {
        uint64_t id;
        uint32_t device; /* of the superblock */
        char *root;      /* the part of the file system that is mounted, "/" for all of it */
        char *point;
} Mount;

typedef struct Mounts {
        int root; /* of O_PATH: the directory at which their points begin */
        int fd;   /* of mountinfo: poll() tells when it has changed */
        Mount *items;
        size_t n_items, n_allocated;
        int is_stale; /* the last reading failed half way */
} Mounts;

/* root, fd: of another view of the file systems than the own one, taken over; 0: the own one.
 * Returns 0 or a negative errno. */
int mounts_init(Mounts *mounts, int root, int fd);
void mounts_deinit(Mounts *mounts);

/* Reads anew what has changed. Returns 0 or a negative errno. */
int mounts_refresh(Mounts *mounts);

/* A descriptor that has POLLPRI when something was mounted or unmounted, or a negative errno. */
int mounts_watch(void);

const Mount *mounts_by_id(const Mounts *mounts, uint64_t id); /* or NULL */

/* Where path inside the file system of device can be seen. A new string, or NULL. */
char *mounts_visible_path(const Mounts *mounts, uint32_t device, const char *path);

/* The rest of path below prefix ("" if equal; "/" is below by all of it), or NULL if it is not
 * below. */
const char *path_below(const char *path, const char *prefix);
