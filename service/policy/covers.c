/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Covers: see covers.h. Names stand sorted: those that are a place or above it are found by each
 * beginning of its path. Those with components * are looked at one by one. */
#include "policy/covers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/run.h"
#include "util/cleanup.h"

/* ---- one name ---- */

static int component_fits(const char *component, const char *name, size_t n)
{
        size_t n_component = (unsigned char) component[0];

        return strncmp(component, KEY_WILDCARD, 2) == 0 ||
               (n_component == n && memcmp(component + 1, name, n) == 0);
}

static int name_covers(const Name *name, const Place *place)
{
        const char *path = strcmp(place->path, "/") == 0 ? "" : place->path;

        if (name->is_exe || name->device != place->device)
                return 0;
        for (const char *key = name->key; *key; key += (unsigned char) key[0] + 1) {
                size_t n = *path ? strcspn(path + 1, "/") : 0;

                if (n == 0 || !component_fits(key, path + 1, n))
                        return 0;
                path += n + 1;
        }
        return name->below || *path == '\0';
}

static void mark(const Compiler *compiler, const Name *name, uint8_t bit, uint8_t *covers)
{
        covers[compiler->rules[name->number].order - 1] |= bit;
}

/* ---- all of them ---- */

static int compare(const Name *name, uint32_t device, const char *key)
{
        if (name->device != device)
                return name->device < device ? -1 : 1;
        return strcmp(name->key, key);
}

/* Returns the first name that does not come before key. */
static size_t find_key(const Names *names, uint32_t device, const char *key)
{
        size_t low = 0, high = names->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare(&names->items[middle], device, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void mark_key(const Compiler *compiler, const Place *place, const char *key, uint8_t bit,
                     uint8_t *covers)
{
        const Names *names = &compiler->names;

        for (size_t i = find_key(names, place->device, key);
             i < names->n && compare(&names->items[i], place->device, key) == 0; i++)
                if (name_covers(&names->items[i], place))
                        mark(compiler, &names->items[i], bit, covers);
}

/* Names are no longer than that, and so nothing covers a place with one that is. */
static int mark_beginnings(const Compiler *compiler, const Place *place, uint8_t bit,
                           uint8_t *covers)
{
        const char *path = strcmp(place->path, "/") == 0 ? "" : place->path;
        _cleanup_(freep) char *key = calloc(strlen(path) + 1, 1);
        char *end = key;

        if (!key)
                return -ENOMEM;
        mark_key(compiler, place, key, bit, covers);
        while (*path) {
                size_t n = strcspn(path + 1, "/");

                if (n == 0 || n > NAME_MAX)
                        return 0;
                *end = (char) (unsigned char) n;
                memcpy(end + 1, path + 1, n);
                end += n + 1;
                path += n + 1;
                mark_key(compiler, place, key, bit, covers);
        }
        return 0;
}

int compilation_cover(const Compilation *compilation, const Place *place, uint8_t bit,
                      uint8_t *covers)
{
        const Compiler *compiler = &compilation->compiler;
        const Names *names = &compiler->names;

        if (!names->have_wildcards)
                return mark_beginnings(compiler, place, bit, covers);
        for (size_t i = 0; i < names->n; i++)
                if (name_covers(&names->items[i], place))
                        mark(compiler, &names->items[i], bit, covers);
        return 0;
}

void compilation_cover_expired(const Compilation *compilation, uint8_t bit, uint8_t *covers)
{
        const Compiler *compiler = &compilation->compiler;

        for (size_t i = 0; i < compiler->in_order.n; i++)
                if (compiler->rules[compiler->in_order.items[i]].has_expired)
                        covers[i] |= bit;
}

size_t compilation_n_rules(const Compilation *compilation)
{
        return compilation->compiler.in_order.n;
}
