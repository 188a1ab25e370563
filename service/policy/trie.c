/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trie: names become steps. They are sorted, so that one walk suffices: the way from the root to
 * the name at hand is a stack, and a node is written when the walk leaves it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

_Static_assert(NAME_CHUNK *NAME_CHUNKS >= 255, "every name fits its chunks");

/* A node on the way to the name at hand. */
typedef struct Level {
        const char *name; /* in a key: its length and its bytes; "" for the root */
        size_t entry;     /* in image->trie; for the root in image->roots */
        uint32_t node;    /* NODE_OFF until a child is named */
        uint32_t own, below;
        uint32_t lengths;
        const char *child; /* the last one named; NULL at first */
        /* Where each of its chunks but the last leads to: names of one length that begin alike
         * share them. */
        uint32_t chunk_nodes[NAME_CHUNKS];
} Level;

typedef struct Builder {
        PolicyImage *image;
        Rulesets *rulesets;
        size_t n_trie_allocated, n_roots_allocated;
        Level *levels;
        size_t n_levels, n_levels_allocated;
        uint32_t n_nodes; /* numbers given, from 1 */
} Builder;

static size_t name_length(const char *name)
{
        return (unsigned char) name[0];
}

static int names_equal(const char *a, const char *b)
{
        return a[0] == b[0] && memcmp(a + 1, b + 1, name_length(a)) == 0;
}

static uint32_t node_new(Builder *builder)
{
        return ++builder->n_nodes;
}

static Level *top_level(Builder *builder)
{
        return &builder->levels[builder->n_levels - 1];
}

/* ---- down ---- */

static size_t n_chunks_of(const char *name)
{
        return (name_length(name) + NAME_CHUNK - 1) / NAME_CHUNK;
}

/* How many leading chunks two different names share. */
static size_t n_chunks_shared(const char *a, const char *b)
{
        size_t n = 0;

        if (!a || a[0] != b[0])
                return 0;
        while (n + 1 < n_chunks_of(b) &&
               memcmp(a + 1 + n * NAME_CHUNK, b + 1 + n * NAME_CHUNK, NAME_CHUNK) == 0)
                n++;
        return n;
}

static int add_chunk(Builder *builder, uint32_t node, const char *name, size_t chunk)
{
        PolicyImage *image = builder->image;
        size_t n = name_length(name) - chunk * NAME_CHUNK;
        TrieEntry *entry;
        int r;

        if (image->n_trie >= TRIE_ENTRIES_MAX)
                return -E2BIG;
        r = ARRAY_RESERVE(image->trie, builder->n_trie_allocated, image->n_trie + 1);
        if (r < 0)
                return r;
        entry = &image->trie[image->n_trie++];
        *entry = (TrieEntry){
                .key = {.node = node,
                        .length = (uint16_t) name_length(name),
                        .chunk = (uint16_t) chunk},
                .value = {.node = NODE_OFF},
        };
        memcpy(entry->key.name, name + 1 + chunk * NAME_CHUNK, n < NAME_CHUNK ? n : NAME_CHUNK);
        return 0;
}

/* Adds the chunks of a child's name; the last entry of the trie is then the child's. */
static int add_name(Builder *builder, Level *parent, const char *name)
{
        size_t n = n_chunks_of(name), chunk = n_chunks_shared(parent->child, name);
        uint32_t node = chunk > 0 ? parent->chunk_nodes[chunk - 1] : parent->node;
        int r;

        for (; chunk < n; chunk++) {
                r = add_chunk(builder, node, name, chunk);
                if (r < 0)
                        return r;
                if (chunk + 1 == n)
                        break;
                node = node_new(builder);
                builder->image->trie[builder->image->n_trie - 1].value.node = node;
                parent->chunk_nodes[chunk] = node;
        }
        parent->child = name;
        parent->lengths |= 1u << (name_length(name) & 15);
        return 0;
}

static int push_level(Builder *builder, const char *name)
{
        Level *parent;
        int r;

        r = ARRAY_RESERVE(builder->levels, builder->n_levels_allocated, builder->n_levels + 1);
        if (r < 0)
                return r;
        parent = top_level(builder);
        if (parent->node == NODE_OFF)
                parent->node = node_new(builder);
        r = add_name(builder, parent, name);
        if (r < 0)
                return r;
        builder->levels[builder->n_levels++] = (Level){
                .name = name,
                .entry = builder->image->n_trie - 1,
                .node = NODE_OFF,
                .own = parent->below,
                .below = parent->below,
        };
        return 0;
}

static int push_root(Builder *builder, uint32_t device)
{
        PolicyImage *image = builder->image;
        int r;

        r = ARRAY_RESERVE(builder->levels, builder->n_levels_allocated, 1);
        if (r < 0)
                return r;
        r = ARRAY_RESERVE(image->roots, builder->n_roots_allocated, image->n_roots + 1);
        if (r < 0)
                return r;
        image->roots[image->n_roots] = (RootEntry){.device = device};
        builder->levels[builder->n_levels++] = (Level){
                .name = "",
                .entry = image->n_roots++,
                .node = NODE_OFF,
        };
        return 0;
}

/* ---- up ---- */

static int pop_level(Builder *builder)
{
        Level *level = top_level(builder);
        struct trie_value value = {.node = level->node, .lengths = level->lengths};
        int r;

        r = rulesets_add(builder->rulesets, level->own, level->below, &value.ruleset);
        if (r < 0)
                return r;
        if (builder->n_levels > 1)
                builder->image->trie[level->entry].value = value;
        else
                builder->image->roots[level->entry].value = value;
        builder->n_levels--;
        return 0;
}

static int pop_to(Builder *builder, size_t n_levels)
{
        int r;

        while (builder->n_levels > n_levels) {
                r = pop_level(builder);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- along ---- */

/* Goes to the node of key: up to where the two ways part, then down. */
static int go_to(Builder *builder, const char *key)
{
        size_t n = 1;
        int r;

        while (*key && n < builder->n_levels && names_equal(builder->levels[n].name, key)) {
                key += name_length(key) + 1;
                n++;
        }
        r = pop_to(builder, n);
        if (r < 0)
                return r;
        for (; *key; key += name_length(key) + 1) {
                r = push_level(builder, key);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* names: all of one place, the lowest rule first. What is said of a place stands before what it
 * inherits; what is said first stands before what is said later. */
static void set_rules(Level *level, const Name *names, size_t n_names)
{
        level->own = names[0].rule;
        for (size_t i = 0; i < n_names; i++) {
                if (!names[i].below)
                        continue;
                level->below = names[i].rule;
                return;
        }
}

static int compare_names(const void *a, const void *b)
{
        const Name *x = a, *y = b;
        int r;

        if (x->device != y->device)
                return x->device < y->device ? -1 : 1;
        r = strcmp(x->key, y->key);
        return r != 0 ? r : (x->rule > y->rule) - (x->rule < y->rule);
}

static size_t n_names_of_place(const Name *names, size_t n_names)
{
        size_t n = 1;

        while (n < n_names && names[n].device == names[0].device &&
               strcmp(names[n].key, names[0].key) == 0)
                n++;
        return n;
}

static int add_names(Builder *builder, const Name *names, size_t n_names)
{
        size_t n;
        int r;

        for (size_t i = 0; i < n_names; i += n) {
                n = n_names_of_place(names + i, n_names - i);
                if (i == 0 || names[i].device != names[i - 1].device) {
                        r = pop_to(builder, 0);
                        if (r < 0)
                                return r;
                        r = push_root(builder, names[i].device);
                        if (r < 0)
                                return r;
                }
                r = go_to(builder, names[i].key);
                if (r < 0)
                        return r;
                set_rules(top_level(builder), names + i, n);
        }
        return pop_to(builder, 0);
}

static int compare_entries(const void *a, const void *b)
{
        return memcmp(&((const TrieEntry *) a)->key, &((const TrieEntry *) b)->key,
                      sizeof(struct trie_key));
}

int trie_build(PolicyImage *image, Names *names, Rulesets *rulesets)
{
        Builder builder = {.image = image, .rulesets = rulesets};
        int r;

        if (names->n == 0)
                return 0;
        qsort(names->items, names->n, sizeof(names->items[0]), compare_names);
        r = add_names(&builder, names->items, names->n);
        free(builder.levels);
        names_deinit(names); /* sorting needs room of its own */
        if (r < 0)
                return r;
        if (image->n_trie > 0)
                qsort(image->trie, image->n_trie, sizeof(image->trie[0]), compare_entries);
        return 0;
}
