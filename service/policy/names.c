/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: the places that have a rule, in the form the trie is made of. */
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

_Static_assert(RULES_MAX <= INT32_MAX, "every rule has a number in a name");

/* Replaces each slash by the length of the name after it; names are 1 to 255 bytes long, so that a
 * length fits its byte and never ends the string. */
static int path_encode(char *path)
{
        char *slash = path;

        if (path[0] != '/')
                return -EINVAL;
        if (path[1] == '\0') {
                path[0] = '\0';
                return 0;
        }
        while (*slash) {
                size_t n = strcspn(slash + 1, "/");

                if (n == 0 || n > NAME_MAX)
                        return -EINVAL;
                *slash = (char) (unsigned char) n;
                slash += n + 1;
        }
        return 0;
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

/* Returns a copy that belongs to names, or NULL. */
static char *key_new(Names *names, const char *path)
{
        size_t n = strlen(path) + 1;

        if (n > names->n_room && block_add(names, n) < 0)
                return NULL;
        names->n_room -= n;
        return memcpy(names->blocks->keys + names->n_room, path, n);
}

int names_add(Names *names, const Place *place, uint32_t rule, uint32_t below)
{
        char *key;
        int r;

        if (!place->path)
                return -EINVAL;
        r = ARRAY_RESERVE(names->items, names->n_allocated, names->n + 1);
        if (r < 0)
                return r;
        key = key_new(names, place->path);
        if (!key)
                return -ENOMEM;
        r = path_encode(key);
        if (r < 0)
                return r;
        names->items[names->n++] = (Name){
                .key = key,
                .device = place->device,
                .rule = rule,
                .below = below,
        };
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
