/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: the places that have a rule or are a subject's program, in the form the trie is made of.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"
#include "util/fiber.h"

#define KEY_BLOCK_MIN ((size_t) 4 * 1024)
#define KEY_BLOCK_MAX ((size_t) 256 * 1024)

struct KeyBlock {
        KeyBlock *next;
        char keys[];
};

_Static_assert(RULES_MAX < 1u << 28, "every rule and every exe has a number in a name");

/* Replaces each slash by the length of the name after it; names are 1 to 255 bytes long, so that a
 * length fits its byte and never ends the string. */
static int path_encode(char *path)
{
        char *slash = path;

        while (*slash) {
                size_t n = strcspn(slash + 1, "/");

                if (n == 0 || n > NAME_MAX)
                        return -EINVAL;
                *slash = (char) (unsigned char) n;
                slash += n + 1;
        }
        return 0;
}

/* Of an encoded path. Returns whether there are any. */
static int mark_wildcards(char *key)
{
        int found = 0;

        for (; *key; key += (unsigned char) key[0] + 1) {
                if (key[0] != 1 || key[1] != '*')
                        continue;
                key[1] = KEY_WILDCARD[1];
                found = 1;
        }
        return found;
}

/* A block is filled from its end. What is left of one that is too full is wasted. Each is as large
 * as all that there is. */
static int block_add(Names *names, size_t n)
{
        size_t n_block = names->n_keys < KEY_BLOCK_MAX ? names->n_keys : KEY_BLOCK_MAX;
        KeyBlock *block;

        if (n_block < KEY_BLOCK_MIN)
                n_block = KEY_BLOCK_MIN;
        if (n_block < n)
                n_block = n;
        block = malloc(sizeof(*block) + n_block);
        if (!block)
                return -ENOMEM;
        block->next = names->blocks;
        names->blocks = block;
        names->n_room = n_block;
        return 0;
}

/* Returns room for n bytes that belongs to names, or NULL. */
static char *key_new(Names *names, size_t n)
{
        if (n > names->n_room && block_add(names, n) < 0)
                return NULL;
        names->n_room -= n;
        names->n_keys += n;
        return names->blocks->keys + names->n_room;
}

int names_add(Names *names, const Place *place, const char *rest, const Name *name)
{
        size_t n_path, n_rest = strlen(rest);
        char *key;
        int r;

        if (!place->path || place->path[0] != '/')
                return -EINVAL;
        n_path = strcmp(place->path, "/") == 0 ? 0 : strlen(place->path);
        if (ARRAY_RESERVE(names->items, names->n_allocated, names->n + 1) < 0)
                return -ENOMEM;
        key = key_new(names, n_path + n_rest + 1);
        if (!key)
                return -ENOMEM;
        memcpy(key, place->path, n_path);
        memcpy(key + n_path, rest, n_rest + 1);
        r = path_encode(key);
        if (r < 0)
                return r;
        names->have_wildcards |= mark_wildcards(key + n_path);
        names->items[names->n] = *name;
        names->items[names->n].key = key;
        names->items[names->n].is_new = 1;
        names->items[names->n++].device = place->device;
        return 0;
}

/* ---- sorted ---- */

static int compare_names(const void *a, const void *b)
{
        const Name *x = a, *y = b;
        int r;

        fiber_pace();
        if (x->device != y->device)
                return x->device < y->device ? -1 : 1;
        r = strcmp(x->key, y->key);
        if (r != 0)
                return r;
        if (x->is_exe != y->is_exe)
                return x->is_exe ? 1 : -1;
        return (x->number > y->number) - (x->number < y->number);
}

/* Returns the first of the sorted names from low on that does not come before name. */
static size_t find_name(const Names *names, size_t low, const Name *name)
{
        size_t high = names->n_sorted;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare_names(&names->items[middle], name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int is_there_again(const Name *before, const Name *name)
{
        return before->is_gone && before->below == name->below && compare_names(before, name) == 0;
}

/* merged: room for all. Returns how many there are. */
static size_t merge(Names *names, Name *merged)
{
        size_t n = 0, at = 0;

        for (size_t i = names->n_sorted; i < names->n; i++) {
                size_t next = find_name(names, at, &names->items[i]);

                memcpy(merged + n, names->items + at, (next - at) * sizeof(*merged));
                n += next - at;
                at = next;
                if (at < names->n_sorted && is_there_again(&names->items[at], &names->items[i])) {
                        merged[n] = names->items[at++];
                        merged[n++].is_gone = 0;
                } else {
                        merged[n++] = names->items[i];
                }
        }
        memcpy(merged + n, names->items + at, (names->n_sorted - at) * sizeof(*merged));
        return n + names->n_sorted - at;
}

int names_merge(Names *names)
{
        size_t n_new = names->n - names->n_sorted;
        Name *merged;

        if (n_new == 0)
                return 0;
        qsort(names->items + names->n_sorted, n_new, sizeof(names->items[0]), compare_names);
        if (names->n_sorted > 0) {
                merged = reallocarray(NULL, names->n, sizeof(*merged));
                if (!merged)
                        return -ENOMEM;
                names->n_allocated = names->n;
                names->n = merge(names, merged);
                free(names->items);
                names->items = merged;
        }
        names->n_sorted = names->n;
        return 0;
}

int names_list_changes(Names *names)
{
        int r = 0;

        names->changed.n = names->gone.n = 0;
        for (size_t i = 0; i < names->n && r >= 0; i++) {
                const Name *name = &names->items[i];

                if (name->is_new | name->is_gone)
                        r = numbers_add(&names->changed, (uint32_t) i);
                if (name->is_gone && r >= 0)
                        r = numbers_add(&names->gone, (uint32_t) i);
        }
        return r;
}

/* ---- what is left of those that are gone ---- */

static void blocks_free(KeyBlock *block)
{
        for (KeyBlock *next; block; block = next) {
                next = block->next;
                free(block);
        }
}

/* Those of all names go into one block. When memory is short they stay where they are. */
static void pack_keys(Names *names)
{
        KeyBlock *block;
        size_t n = 0;
        char *end;

        for (size_t i = 0; i < names->n; i++)
                n += strlen(names->items[i].key) + 1;
        block = malloc(sizeof(*block) + n);
        if (!block)
                return;
        block->next = NULL;
        end = block->keys;
        for (size_t i = 0; i < names->n; i++) {
                size_t n_key = strlen(names->items[i].key) + 1;

                names->items[i].key = memcpy(end, names->items[i].key, n_key);
                end += n_key;
                fiber_pace();
        }
        blocks_free(names->blocks);
        names->blocks = block;
        names->n_room = 0;
        names->n_keys = names->n_packed = n;
}

static void close_gaps(Names *names)
{
        const Numbers *gone = &names->gone;
        size_t n = gone->n > 0 ? gone->items[0] : names->n;

        for (size_t i = 0; i < gone->n; i++) {
                size_t begin = gone->items[i] + 1;
                size_t end = i + 1 < gone->n ? gone->items[i + 1] : names->n;

                memmove(names->items + n, names->items + begin,
                        (end - begin) * sizeof(names->items[0]));
                n += end - begin;
        }
        names->n = names->n_sorted = n;
}

void names_settle(Names *names)
{
        for (size_t i = 0; i < names->changed.n; i++)
                names->items[names->changed.items[i]].is_new = 0;
        close_gaps(names);
        free(names->changed.items);
        free(names->gone.items);
        names->changed = names->gone = (Numbers){};
        ARRAY_FIT(names->items, names->n_allocated, names->n);
        if (names->n_packed == 0)
                names->n_packed = names->n_keys;
        if (names->n_keys > 2 * names->n_packed + KEY_BLOCK_MAX)
                pack_keys(names);
}

void names_deinit(Names *names)
{
        blocks_free(names->blocks);
        free(names->items);
        free(names->changed.items);
        free(names->gone.items);
        *names = (Names){};
}
