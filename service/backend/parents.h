/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parents: where the directories lie in which names are looked up. Rules about one directory stand
 * together, so the last few are remembered, for as long as one policy is compiled and no longer:
 * what leads elsewhere by then is found by the next one. */
#pragma once

#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/mounts.h"
#include "policy/image.h"

/* Whether a name may be another than the one that is written. */
typedef enum Spelling {
        SPELLING_UNKNOWN, /* it may fold cases, and does nothing else to names */
        SPELLING_EXACT,
        SPELLING_LOOSE,
} Spelling;

typedef struct Parent {
        char *path;        /* as it was asked for, without the slash in the end */
        int fd;            /* of O_PATH; negative: there is no such directory */
        uint64_t mount_id; /* 0: not known */
        Place place;       /* where it lies, or would lie */
        Spelling spelling;
} Parent;

#define N_PARENTS 16u

typedef struct Parents {
        Parent items[N_PARENTS];
        size_t n, next; /* the one that is forgotten next, when all are used */
} Parents;

/* path: of something in it, name: its last component. Returns 0 or a negative errno. */
int parent_open(Mounts *mounts, const char *path, const char *name, Parent *ret_parent);
void parent_deinit(Parent *parent);

/* The one that is remembered, or is from now on. It stays good until the next call. */
int parents_find(Parents *parents, Mounts *mounts, const char *path, const char *name,
                 Parent **ret_parent);
void parents_deinit(Parents *parents);

/* Whether the kernel calls the file that was found by that name just so. */
int parent_spells(Parent *parent, const char *name, const struct statx *found);

/* What is known of an open object, and its path inside its file system. Returns 0 or a negative
 * errno; -ENOENT: it moved while we looked. */
int place_of_descriptor(Mounts *mounts, int fd, Place *ret_place, struct statx *ret_known);

/* The place of a name below a place; "" is the place itself. Returns 0 or -ENOMEM. */
int place_below(const Place *place, const char *name, Place *ret_place);
