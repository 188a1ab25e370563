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

static int add_entry(Builder *builder, const struct trie_key *key)
{
        Edits *edits = &builder->edits;
        int r;

        if (edits->n_added >= TRIE_ENTRIES_MAX)
                return builder_is_full(builder);
        r = ARRAY_RESERVE(edits->added, edits->n_allocated, edits->n_added + 1);
        if (r < 0)
                return r;
        edits->added[edits->n_added++] = (TrieEntry){.key = *key, .value = {.node = NODE_OFF}};
        return 0;
}

static struct trie_key chunk_key(uint32_t node, const char *name, size_t chunk)
{
        size_t n = component_length(name) - chunk * NAME_CHUNK;
        struct trie_key key = {
                .node = node,
                .length = (uint16_t) component_length(name),
                .chunk = (uint16_t) chunk,
        };

        memcpy(key.name, name + 1 + chunk * NAME_CHUNK, n < NAME_CHUNK ? n : NAME_CHUNK);
        return key;
}

/* Returns the entry of a node before that the first so many chunks of a name led to, or NULL. */
static const TrieEntry *find_chunks(const Builder *builder, uint32_t node, const char *name,
                                    size_t n_chunks)
{
        const TrieEntry *entry = NULL;

        for (size_t chunk = 0; chunk < n_chunks; chunk++) {
                struct trie_key key = chunk_key(node, name, chunk);

                entry = edits_find(&builder->edits, &key);
                if (!entry)
                        return NULL;
                node = entry->value.node;
        }
        return entry;
}

/* Returns the entry that a child had before (NULL: the one that stands for every other name), or
 * NULL. */
static const TrieEntry *find_child(const Builder *builder, const Level *parent, const char *name)
{
        struct trie_key any = {};

        if (!parent->old || parent->old->node == NODE_OFF)
                return NULL;
        if (name)
                return find_chunks(builder, parent->old->node, name, n_chunks_of(name));
        any.node = parent->old->node;
        return edits_find(&builder->edits, &any);
}

/* Where a chunk that is not the last leads to. No object lies there, so it holds nothing. */
static uint32_t chunk_node(Builder *builder, const Level *parent, const char *name, size_t chunk)
{
        const TrieEntry *entry = NULL;

        if (parent->old && parent->old->node != NODE_OFF)
                entry = find_chunks(builder, parent->old->node, name, chunk + 1);
        return entry ? entry->value.node : ++builder->compiler->n_nodes | NODE_SOFT;
}

/* Where a file system folds names, one of other letters than ASCII's may be spelt in another
 * length, and in ASCII (U+212A is a k). */
static int has_other_spellings(const char *name, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) name[i] > 0x7f)
                        return 1;
        return 0;
}

/* Which bit of a node's lengths a child of it is for; ANY_LENGTH: all. */
static size_t length_bit(const char *name, size_t n)
{
        return has_other_spellings(name, n) ? ANY_LENGTH : n & (LENGTH_BITS - 1);
}

/* Likewise, by the child's first chunk: of a longer name not all is in it. */
static size_t length_bit_of_chunk(const struct trie_key *key)
{
        return key->length > NAME_CHUNK ? ANY_LENGTH : length_bit(key->name, key->length);
}

static uint32_t lengths_of_bit(size_t bit)
{
        return bit == ANY_LENGTH ? 0xffff : 1u << bit;
}

/* Adds the chunks of a child's name; the last entry that was added is then the child's. */
static int add_name(Builder *builder, Level *parent, const char *name)
{
        size_t n = n_chunks_of(name), chunk = n_chunks_shared(parent->child, name);
        uint32_t node = chunk > 0 ? parent->chunk_nodes[chunk - 1] : parent->node;
        int r;

        for (; chunk < n; chunk++) {
                struct trie_key key = chunk_key(node, name, chunk);

                r = add_entry(builder, &key);
                if (r < 0)
                        return r;
                if (chunk + 1 == n)
                        break;
                node = chunk_node(builder, parent, name, chunk);
                builder->edits.added[builder->edits.n_added - 1].value.node = node;
                parent->chunk_nodes[chunk] = node;
        }
        parent->child = name;
        parent->lengths |= lengths_of_bit(length_bit(name + 1, component_length(name)));
        return 0;
}

/* name: NULL for the child that stands for every other name. */
static int add_child(Builder *builder, Level *parent, const char *name)
{
        const struct trie_key any = {.node = parent->node};

        if (name)
                return add_name(builder, parent, name);
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

static int add_root(Builder *builder, uint32_t device, const struct trie_value *value)
{
        PolicyImage *image = builder->compiler->image;
        int r;

        r = ARRAY_RESERVE(image->roots, builder->n_roots_allocated, image->n_roots + 1);
        if (r < 0)
                return r;
        image->roots[image->n_roots++] =
                (RootEntry){.device = device, .value = value ? *value : (struct trie_value){}};
        return 0;
}

static int push_root(Builder *builder, uint32_t begin, uint32_t end, const struct trie_value *old)
{
        Level level = {
                .entry = builder->compiler->image->n_roots,
                .node = NODE_OFF,
                .old = old,
                .n_ways = 1,
        };
        int r;

        r = add_root(builder, builder->compiler->names.items[begin].device, NULL);
        if (r < 0)
                return r;
        builder->n_ways = 0;
        r = ways_add(builder, &(Way){.at = begin, .end = end}, 0);
        return r < 0 ? r : push_level(builder, &level);
}

/* A child that is as it was. Its entry has gone with its parent's, if those were all dropped. */
static int keep_child(Builder *builder, Level *parent, const char *name,
                      const struct trie_value *old)
{
        int r;

        if (!parent->is_whole)
                return 0;
        r = add_child(builder, parent, name);
        if (r >= 0)
                builder->edits.added[builder->edits.n_added - 1].value = *old;
        return r;
}

/* Notes that one of those that go on from a chunk has gone. Returns whether it was the last: they
 * come one after the other. */
static int chunk_is_left(const Builder *builder, ChunkGone *gone, uint32_t node)
{
        size_t begin, end;

        if (gone->node != node)
                *gone = (ChunkGone){.node = node};
        edits_find_children(&builder->edits, node, &begin, &end);
        return ++gone->n == end - begin;
}

/* A chunk that names share goes with the last of them. */
static int drop_name(Builder *builder, Level *parent, const char *name)
{
        uint32_t node = parent->old->node;
        const TrieEntry *entry = NULL;

        for (size_t n = n_chunks_of(name); n > 0; n--) {
                int r;

                entry = find_chunks(builder, node, name, n);
                if (n < n_chunks_of(name) &&
                    !chunk_is_left(builder, &parent->chunks_gone[n - 1], entry->value.node))
                        return 0;
                r = edits_drop(&builder->edits, entry);
                if (r < 0)
                        return r;
        }
        parent->n_gone[length_bit_of_chunk(&entry->key)]++;
        return 0;
}

static int drop_child(Builder *builder, Level *parent, const char *name, const TrieEntry *old)
{
        int r;

        if (!old)
                return 0;
        r = parent->is_whole ? 0 : drop_name(builder, parent, name);
        return r < 0 ? r : edits_drop_below(&builder->edits, old->value.node);
}

static int push_child(Builder *builder, const char *name, Level *level)
{
        Level *parent = top_level(builder);
        int r;

        r = add_child(builder, parent, name);
        if (r < 0)
                return r;
        level->entry = builder->edits.n_added - 1;
        level->own = level->below = parent->below;
        level->own_marks = level->below_marks = parent->below_marks;
        return push_level(builder, level);
}

static int ways_changed(const Builder *builder, const Level *level)
{
        for (size_t i = 0; i < level->n_ways; i++) {
                const Way *way = &builder->ways[level->first_way + i];

                if (has_changed(builder, way->at, way->end))
                        return 1;
        }
        return 0;
}

/* name: NULL for every name that has no way of its own. */
static int visit_child(Builder *builder, const char *name)
{
        Level *parent = top_level(builder);
        Level level = {.first_way = builder->n_ways, .node = NODE_OFF};
        const TrieEntry *old = find_child(builder, parent, name);
        int is_named, r;

        r = ways_follow(builder, parent, name, &is_named);
        if (r < 0)
                return r;
        level.n_ways = builder->n_ways - level.first_way;
        level.old = old ? &old->value : NULL;
        if (is_named && (!old || !parent->is_same || ways_changed(builder, &level)))
                return push_child(builder, name, &level);
        builder->n_ways = level.first_way;
        if (is_named)
                return keep_child(builder, parent, name, level.old);
        return drop_child(builder, parent, name, old);
}

/* ---- up ---- */

/* Children that were not looked at are still there, and as long as they were. */
static void keep_lengths(const Builder *builder, Level *level)
{
        uint32_t n_there[LENGTH_BITS + 1] = {}, n_gone = 0;
        size_t begin, end;

        for (size_t i = 0; i <= LENGTH_BITS; i++)
                n_gone += level->n_gone[i];
        if (level->has_wildcard || n_gone == 0) {
                level->lengths |= level->has_wildcard ? 0xffff : level->old->lengths;
                return;
        }
        edits_find_children(&builder->edits, level->old->node, &begin, &end);
        for (size_t i = begin; i < end; i++)
                n_there[length_bit_of_chunk(&builder->edits.before->trie[i].key)]++;
        for (size_t i = 0; i <= LENGTH_BITS; i++)
                level->lengths |= n_there[i] > level->n_gone[i] ? lengths_of_bit(i) : 0;
}

static void pop_level(Builder *builder)
{
        PolicyImage *image = builder->compiler->image;
        Level *level = top_level(builder);
        struct trie_value *value = builder->n_levels > 1 ? &builder->edits.added[level->entry].value
                                                         : &image->roots[level->entry].value;

        if (level->node != NODE_OFF && !level->is_whole)
                keep_lengths(builder, level);
        *value = (struct trie_value){
                .node = level->node, .ruleset = level->ruleset, .lengths = level->lengths};
        builder->n_ways = level->first_way;
        builder->n_levels--;
}

/* ---- along ---- */

/* Children come in the order of their names, the one for every other name last. */
static int step(Builder *builder)
{
        Level *level = top_level(builder);
        const char *name = level->node != NODE_OFF ? ways_next(builder, level) : NULL;

        fiber_pace();
        builder->compiler->n_steps += level->n_ways;
        if (builder->compiler->n_steps > N_STEPS_MAX)
                return builder_is_full(builder);
        if (name)
                return visit_child(builder, name);
        if (level->is_whole && level->has_wildcard) {
                level->has_wildcard = 0;
                return visit_child(builder, NULL);
        }
        pop_level(builder);
        return 0;
}

static const struct trie_value *find_root(const PolicyImage *image, uint32_t device)
{
        for (size_t i = 0; image && i < image->n_roots; i++)
                if (image->roots[i].device == device)
                        return &image->roots[i].value;
        return NULL;
}

static int add_device(Builder *builder, uint32_t begin, uint32_t end)
{
        uint32_t device = builder->compiler->names.items[begin].device;
        const struct trie_value *old = find_root(builder->compiler->before, device);
        int r;

        if (!is_there(builder, begin, end))
                return old ? edits_drop_below(&builder->edits, old->node) : 0;
        if (old && !has_changed(builder, begin, end))
                return add_root(builder, device, old);
        r = push_root(builder, begin, end, old);
        while (r >= 0 && builder->n_levels > 0)
                r = step(builder);
        return r;
}

/* A device with a million names is passed over in a few looks. */
static uint32_t device_end(const Names *names, uint32_t begin)
{
        uint32_t low = begin, high = (uint32_t) names->n;

        while (high - low > 1) {
                uint32_t middle = low + (high - low) / 2;

                if (names->items[middle].device == names->items[begin].device)
                        low = middle;
                else
                        high = middle;
        }
        return high;
}

static int add_names(Builder *builder)
{
        const Names *names = &builder->compiler->names;
        int r = 0;

        for (uint32_t i = 0, end; i < names->n && r >= 0; i = end) {
                end = device_end(names, i);
                r = add_device(builder, i, end);
        }
        return r;
}

/* ---- all of it ---- */

int trie_build(Compiler *compiler)
{
        _cleanup_(builder_deinit) Builder builder = {
                .compiler = compiler,
                .edits = {.before = compiler->before},
        };
        int r;

        if (compiler->names.n == 0)
                return 0;
        r = add_names(&builder);
        if (r >= 0)
                r = edits_apply(&builder.edits, compiler->image);
        return r;
}
