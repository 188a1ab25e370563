/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Difference: two images that follow each other are alike but for a few records, and those alone
 * are written. Both arrays are sorted by key, so that one walk finds what differs. It goes through
 * what lies between the first difference and the last; what is before and behind is compared as
 * bytes. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "backend/fill.h"
#include "util/fiber.h"

/* So many records between two looks at the clock. */
#define PACE 1024u

typedef enum Change {
        CHANGE_END,
        CHANGE_NONE, /* both have the record */
        CHANGE_GONE,
        CHANGE_PUT, /* it is new, or has another value */
} Change;

/* So many records are compared at once. */
#define BLOCK 64u

typedef struct Walk {
        const Filling *from, *to;
        size_t at_from, at_to;
        size_t end_from, end_to;
} Walk;

static const char *item_at(const Filling *filling, size_t i)
{
        return (const char *) filling->items + i * filling->item_size;
}

/* ---- where there are differences ---- */

static int are_same(const Walk *walk, size_t at_from, size_t at_to, size_t n)
{
        return memcmp(item_at(walk->from, at_from), item_at(walk->to, at_to),
                      n * walk->to->item_size) == 0;
}

static void skip_front(Walk *walk)
{
        size_t n = walk->end_from < walk->end_to ? walk->end_from : walk->end_to, at = 0;

        while (n - at >= BLOCK && are_same(walk, at, at, BLOCK))
                at += BLOCK;
        while (at < n && are_same(walk, at, at, 1))
                at++;
        walk->at_from = walk->at_to = at;
}

static size_t n_left(const Walk *walk)
{
        size_t n_from = walk->end_from - walk->at_from, n_to = walk->end_to - walk->at_to;

        return n_from < n_to ? n_from : n_to;
}

static void skip_back(Walk *walk, size_t n)
{
        while (n_left(walk) >= n && are_same(walk, walk->end_from - n, walk->end_to - n, n)) {
                walk->end_from -= n;
                walk->end_to -= n;
        }
}

static Walk walk_begin(const Filling *from, const Filling *to)
{
        Walk walk = {.from = from, .to = to, .end_from = from->n_items, .end_to = to->n_items};

        skip_front(&walk);
        /* an element of an array is known by its place from the front */
        if (to->key_size || from->n_items == to->n_items) {
                skip_back(&walk, BLOCK);
                skip_back(&walk, 1);
        }
        return walk;
}

/* ---- one after the other ---- */

/* Negative: the next record of `from` comes first; 0: both have the same key. */
static int compare_keys(const Walk *walk)
{
        if (walk->at_from == walk->end_from)
                return 1;
        if (walk->at_to == walk->end_to)
                return -1;
        return walk->to->key_size ? memcmp(item_at(walk->from, walk->at_from),
                                           item_at(walk->to, walk->at_to), walk->to->key_size)
                                  : 0;
}

/* *ret_item, *ret_index: the record that is gone or to be put. */
static Change walk_next(Walk *walk, const char **ret_item, uint32_t *ret_index)
{
        size_t value = walk->to->value_offset;
        const char *before;
        int order;

        if (walk->at_from == walk->end_from && walk->at_to == walk->end_to)
                return CHANGE_END;
        order = compare_keys(walk);
        if (order < 0) {
                *ret_item = item_at(walk->from, walk->at_from++);
                /* nothing leads to what is behind the last element of an array */
                return walk->to->key_size ? CHANGE_GONE : CHANGE_NONE;
        }
        *ret_index = (uint32_t) walk->at_to;
        *ret_item = item_at(walk->to, walk->at_to++);
        if (order > 0)
                return CHANGE_PUT;
        before = item_at(walk->from, walk->at_from++);
        return memcmp(before + value, *ret_item + value, walk->to->value_size) == 0 ? CHANGE_NONE
                                                                                    : CHANGE_PUT;
}

/* With the records before and behind. */
static int is_sorted(const Filling *filling, size_t begin, size_t end)
{
        for (size_t i = begin > 0 ? begin : 1; i < filling->n_items && i <= end; i++)
                if (memcmp(item_at(filling, i - 1), item_at(filling, i), filling->key_size) >= 0)
                        return 0;
        return 1;
}

size_t difference_count(const Filling *from, const Filling *to)
{
        const char *item;
        uint32_t index;
        Change change;
        size_t n = 0;
        Walk walk;

        if (!from->n_items || !to->n_items)
                return SIZE_MAX;
        walk = walk_begin(from, to);
        if (to->key_size && (!is_sorted(from, walk.at_from, walk.end_from) ||
                             !is_sorted(to, walk.at_to, walk.end_to)))
                return SIZE_MAX;
        while ((change = walk_next(&walk, &item, &index)) != CHANGE_END)
                n += change != CHANGE_NONE;
        return n;
}

static int write_one(int fd, const Filling *to, Change change, const char *item, uint32_t index)
{
        const void *key = to->key_size ? (const void *) item : (const void *) &index;
        int r;

        if (change == CHANGE_GONE)
                r = bpf_map_delete_elem(fd, key);
        else
                r = bpf_map_update_elem(fd, key, item + to->value_offset, BPF_ANY);
        return r < 0 ? -errno : 0;
}

static int write_all(int fd, Walk walk, Change wanted)
{
        const char *item = NULL;
        uint32_t index = 0;
        Change change;
        int r = 0;

        for (size_t i = 1; r == 0; i++) {
                change = walk_next(&walk, &item, &index);
                if (change == CHANGE_END)
                        break;
                if (change == wanted)
                        r = write_one(fd, walk.to, change, item, index);
                if (i % PACE == 0)
                        fiber_pace();
        }
        return r;
}

int difference_write(int fd, const Filling *from, const Filling *to)
{
        const Walk walk = walk_begin(from, to);
        int r;

        /* In this order: the room is that of the larger of the two. */
        r = write_all(fd, walk, CHANGE_GONE);
        return r < 0 ? r : write_all(fd, walk, CHANGE_PUT);
}
