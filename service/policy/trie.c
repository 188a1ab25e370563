/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trie: names become steps. They are sorted, so that all names below a directory stand side by
 * side. With components * several ways lead along at once: what stands for a place is a set of
 * them, and a name takes the ways of * along beside its own (the subset construction that makes an
 * automaton deterministic). The way from the root to the place at hand is a stack of levels. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/level.h"
#include "util/array.h"
#include "util/fiber.h"

_Static_assert(NAME_CHUNK *NAME_CHUNKS >= 255, "every name fits its chunks");

static Level *top_level(Builder *builder)
{
        return &builder->levels[builder->n_levels - 1];
}

/* ---- entries ---- */

static size_t n_chunks_of(const char *name)
{
        return (component_length(name) + NAME_CHUNK - 1) / NAME_CHUNK;
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

_Static_assert(N_NODES_MAX >= 2 * TRIE_ENTRIES_MAX, "every entry and every root may have a node");

static uint32_t node_new(Builder *builder, int is_hard)
{
        return ++builder->n_nodes | (is_hard ? 0 : NODE_SOFT);
}

static int add_entry(Builder *builder, const struct trie_key *key)
{
        PolicyImage *image = builder->compiler->image;
        int r;

        if (image->n_trie >= TRIE_ENTRIES_MAX)
                return builder_is_full(builder);
        r = ARRAY_RESERVE(image->trie, builder->n_trie_allocated, image->n_trie + 1);
        if (r < 0)
                return r;
        image->trie[image->n_trie++] = (TrieEntry){.key = *key, .value = {.node = NODE_OFF}};
        return 0;
}

static int add_chunk(Builder *builder, uint32_t node, const char *name, size_t chunk)
{
        size_t n = component_length(name) - chunk * NAME_CHUNK;
        struct trie_key key = {
                .node = node,
                .length = (uint16_t) component_length(name),
                .chunk = (uint16_t) chunk,
        };

        memcpy(key.name, name + 1 + chunk * NAME_CHUNK, n < NAME_CHUNK ? n : NAME_CHUNK);
        return add_entry(builder, &key);
}

/* Adds the chunks of a child's name; the last entry of the trie is then the child's. */
static int add_name(Builder *builder, Level *parent, const char *name)
{
        PolicyImage *image = builder->compiler->image;
        size_t n = n_chunks_of(name), chunk = n_chunks_shared(parent->child, name);
        uint32_t node = chunk > 0 ? parent->chunk_nodes[chunk - 1] : parent->node;
        int r;

        for (; chunk < n; chunk++) {
                r = add_chunk(builder, node, name, chunk);
                if (r < 0)
                        return r;
                if (chunk + 1 == n)
                        break;
                node = node_new(builder, 0);
                image->trie[image->n_trie - 1].value.node = node;
                parent->chunk_nodes[chunk] = node;
        }
        parent->child = name;
        parent->lengths |= 1u << (component_length(name) & 15);
        return 0;
}

/* name: NULL for the child that stands for every other name. */
static int add_child(Builder *builder, Level *parent, const char *name)
{
        struct trie_key any = {};

        if (parent->node == NODE_OFF)
                parent->node = node_new(builder, parent->is_hard);
        if (name)
                return add_name(builder, parent, name);
        any.node = parent->node;
        parent->lengths = 0xffff;
        return add_entry(builder, &any);
}

/* ---- down ---- */

static int push_level(Builder *builder, const Level *level)
{
        int r;

        r = ARRAY_RESERVE(builder->levels, builder->n_levels_allocated, builder->n_levels + 1);
        if (r < 0)
                return r;
        builder->levels[builder->n_levels++] = *level;
        return level_enter(builder, top_level(builder));
}

static int push_root(Builder *builder, uint32_t begin, uint32_t end)
{
        PolicyImage *image = builder->compiler->image;
        Level level = {.entry = image->n_roots, .node = NODE_OFF};
        int r;

        r = ARRAY_RESERVE(image->roots, builder->n_roots_allocated, image->n_roots + 1);
        if (r < 0)
                return r;
        image->roots[image->n_roots++] =
                (RootEntry){.device = builder->compiler->names.items[begin].device};
        builder->n_ways = 0;
        r = ways_add(builder, &(Way){.at = begin, .end = end}, 0);
        if (r < 0)
                return r;
        level.n_ways = 1;
        return push_level(builder, &level);
}

/* name: NULL for every name that has no way of its own. */
static int push_child(Builder *builder, const char *name)
{
        Level *parent = top_level(builder);
        Level level = {.first_way = builder->n_ways, .node = NODE_OFF};
        int r;

        r = add_child(builder, parent, name);
        if (r < 0)
                return r;
        level.entry = builder->compiler->image->n_trie - 1;
        level.own = level.below = parent->below;
        level.own_marks = level.below_marks = parent->below_marks;
        r = ways_follow(builder, parent, name);
        if (r < 0)
                return r;
        level.n_ways = builder->n_ways - level.first_way;
        return push_level(builder, &level);
}

/* ---- up ---- */

static int pop_level(Builder *builder)
{
        PolicyImage *image = builder->compiler->image;
        Level *level = top_level(builder);
        struct trie_value *value = builder->n_levels > 1 ? &image->trie[level->entry].value
                                                         : &image->roots[level->entry].value;
        struct ruleset ruleset = {level->own, level->below, level->own_marks, level->below_marks};

        value->node = level->node;
        value->lengths = level->lengths;
        builder->n_ways = level->first_way;
        builder->n_levels--;
        return rulesets_add(builder->compiler, &ruleset, &value->ruleset);
}

/* ---- along ---- */

/* Children come in the order of their names, the one for every other name last. */
static int step(Builder *builder)
{
        Level *level = top_level(builder);
        const char *name = ways_next(builder, level);

        fiber_pace();
        builder->n_steps += level->n_ways;
        if (builder->n_steps > N_STEPS_MAX)
                return builder_is_full(builder);
        if (name)
                return push_child(builder, name);
        if (level->has_wildcard) {
                level->has_wildcard = 0;
                return push_child(builder, NULL);
        }
        return pop_level(builder);
}

static int add_device(Builder *builder, uint32_t begin, uint32_t end)
{
        int r;

        r = push_root(builder, begin, end);
        while (r >= 0 && builder->n_levels > 0)
                r = step(builder);
        return r;
}

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

static int add_names(Builder *builder)
{
        const Names *names = &builder->compiler->names;
        int r = 0;

        for (uint32_t i = 0, end; i < names->n && r >= 0; i = end) {
                for (end = i + 1; end < names->n; end++)
                        if (names->items[end].device != names->items[i].device)
                                break;
                r = add_device(builder, i, end);
        }
        return r;
}

/* ---- all of it ---- */

static int count_denials(Builder *builder)
{
        const Compiler *compiler = builder->compiler;
        const Names *names = &compiler->names;

        builder->denials = calloc(names->n + 1, sizeof(builder->denials[0]));
        if (!builder->denials)
                return -ENOMEM;
        for (size_t i = 0; i < names->n; i++) {
                const Name *name = &names->items[i];
                int is_denial =
                        !name->is_exe && rule_is_earnest(compiler->rules[name->number].rule);

                builder->denials[i + 1] = builder->denials[i] + (is_denial ? 1 : 0);
        }
        return 0;
}

static int compare_entries(const void *a, const void *b)
{
        fiber_pace();
        return memcmp(&((const TrieEntry *) a)->key, &((const TrieEntry *) b)->key,
                      sizeof(struct trie_key));
}

int trie_build(Compiler *compiler)
{
        _cleanup_(builder_deinit) Builder builder = {.compiler = compiler};
        PolicyImage *image = compiler->image;
        Names *names = &compiler->names;
        int r;

        if (names->n == 0)
                return 0;
        qsort(names->items, names->n, sizeof(names->items[0]), compare_names);
        r = count_denials(&builder);
        if (r >= 0)
                r = add_names(&builder);
        if (r < 0)
                return r;
        names_deinit(names); /* sorting needs room of its own */
        if (image->n_trie > 0)
                qsort(image->trie, image->n_trie, sizeof(image->trie[0]), compare_entries);
        return 0;
}
