/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: the places that have a rule, in the form the trie is made of. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

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

int names_add(Names *names, Place *place, uint32_t rule, uint32_t below)
{
        int r;

        if (!place->path)
                return -EINVAL;
        r = ARRAY_RESERVE(names->items, names->n_allocated, names->n + 1);
        if (r < 0)
                return r;
        r = path_encode(place->path);
        if (r < 0)
                return r;
        names->items[names->n++] = (Name){
                .device = place->device,
                .rule = rule,
                .below = below,
                .key = TAKE_PTR(place->path),
        };
        return 0;
}

void names_deinit(Names *names)
{
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i].key);
        free(names->items);
        *names = (Names){};
}
