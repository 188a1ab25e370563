/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: the places that have a rule or are a subject's program, in the form the trie is made of.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

#define KEY_BLOCK_SIZE ((size_t) 256 * 1024)

struct KeyBlock {
        KeyBlock *next;
        char keys[];
};

_Static_assert(RULES_MAX < 1u << 30, "every rule and every exe has a number in a name");

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

/* A block is filled from its end. What is left of one that is too full is wasted. */
static int block_add(Names *names, size_t n)
{
        size_t n_block = n > KEY_BLOCK_SIZE ? n : KEY_BLOCK_SIZE;
        KeyBlock *block = malloc(sizeof(*block) + n_block);

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
        names->items[names->n++].device = place->device;
        return 0;
}

void names_deinit(Names *names)
{
        for (KeyBlock *block = names->blocks, *next; block; block = next) {
                next = block->next;
                free(block);
        }
        free(names->items);
        *names = (Names){};
}
