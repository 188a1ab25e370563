/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling: the records of one table of an image, as the map of a slot takes them. Records lie in an
 * array, key and value at their offsets. An array map has its index for a key (key_size 0). */
#pragma once

#include "backend/private.h"

typedef struct Filling {
        SlotTable table;
        const void *items; /* NULL: zeros */
        size_t n_items, item_size;
        size_t key_size, value_offset, value_size;
        uint32_t flags; /* of the map */
        size_t n_spare; /* room for more than the items */
} Filling;

/* A map that is made has room for more, so that a policy can grow without another. */
#define SPARE(n) ((n) < 8 * SPARE_MAX ? (n) / 8 + SPARE_MIN : SPARE_MAX)
#define SPARE_MIN 32u
#define SPARE_MAX 1024u

/* fill.c. Makes a map, fills it, and puts it in its slot. Returns 0 or a negative errno. */
int fill_whole(Backend *backend, uint32_t slot, const Filling *filling);

/* difference.c. How many records must be written to make the one of the other; SIZE_MAX if that
 * cannot be told. Both are of the same table. */
size_t difference_count(const Filling *from, const Filling *to);

/* Makes a map that holds just the records of `from`, and has room for those of `to`, hold those. No
 * program may be looking at it. Returns 0 or a negative errno, and the map holds something between
 * the two then. */
int difference_write(int fd, const Filling *from, const Filling *to);
