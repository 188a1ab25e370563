/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Place: where a name stands in the trie of ruled names. A directory's place is learnt in a cache
 * that needs no lock, no helper and no allocation; only what is not learnt yet is walked. */
#pragma once

#include "hook.h"

/* A place. A node of NODE_OFF has nothing ruled below it; a ruleset with RULESET_INHERITED comes
 * from a directory above. */
struct place {
        __u32 node, ruleset, lengths;
};

/* One step down: by the name of the dentry at that address. */
struct place_step {
        __u64 dentry;
        struct place place;
};

/* place.bpf.c. Both return 0 or a negative number when the name cannot be read or followed. */
int place_descend(struct place_step *step, __u32 slot);

/* The place of what is at that address, be it a directory or not: slow. */
int place_of_address(struct place_step *step, __u32 word);

static __always_inline __u64 cache_mix(__u64 inode, __u64 device_generation, __u64 cookie_renames)
{
        __u64 h = (inode ^ hot.seed[0]) * 0x9e3779b97f4a7c15ull; /* multipliers of splitmix64 */

        h ^= h >> 32;
        h = (h ^ device_generation ^ hot.seed[1]) * 0xbf58476d1ce4e5b9ull;
        h ^= h >> 29;
        h = (h ^ cookie_renames) * 0x94d049bb133111ebull;
        return h ^ h >> 32;
}

static __always_inline __u64 renames_begun(void)
{
        return *(volatile __u64 *) &renames.begun;
}

/* 2^40 renames are more than anyone makes between two policies. */
static __always_inline __u64 cookie_renames(__u32 word, __u64 begun)
{
        return (__u64) word_header(word)->cookie << 40 ^ begun;
}

static __always_inline struct cache_entry *cache_slot(__u64 key)
{
        return &cache[key & (N_CACHE_ENTRIES - 1)];
}

static __always_inline bool cache_find(__u64 key, struct place *ret_place)
{
        struct cache_entry *entry = cache_slot(key);
        __u64 data = *(volatile __u64 *) &entry->data;
        __u64 x = *(volatile __u64 *) &entry->x;

        if ((x ^ data) != key)
                return false;
        ret_place->node = data & 0xffffff;
        ret_place->ruleset = data >> 24 & 0xffffff;
        ret_place->lengths = data >> 48;
        return true;
}

static __always_inline void cache_learn(__u64 key, const struct place *place)
{
        struct cache_entry *entry = cache_slot(key);
        __u64 data = (__u64) place->lengths << 48 | (__u64) (place->ruleset & 0xffffff) << 24 |
                     (place->node & 0xffffff);

        *(volatile __u64 *) &entry->x = key ^ data;
        *(volatile __u64 *) &entry->data = data;
}

/* Off the trie: what a name inherits from the place above it. */
static __always_inline void place_inherit(struct place *place)
{
        place->node = NODE_OFF;
        place->lengths = 0;
        if (place->ruleset)
                place->ruleset |= RULESET_INHERITED;
}

static __always_inline int place_walk_out(__u64 dentry, __u32 word, struct place *ret_place)
{
        struct place_step step = {.dentry = dentry};
        int r = place_of_address(&step, word);

        *ret_place = step.place;
        return r;
}

/* The place of a directory that has an inode. Returns 0, or not 0 when it cannot be told. */
static __always_inline int place_of_directory(struct dentry *directory, __u32 word,
                                              struct place *ret_place)
{
        struct inode *inode = directory->d_inode;
        __u64 key = cache_mix(inode->i_ino, (__u64) inode->i_sb->s_dev << 32 | inode->i_generation,
                              cookie_renames(word, renames_begun()));

        if (cache_find(key, ret_place))
                return 0;
        return place_walk_out((__u64) directory, word, ret_place);
}

/* The place of a name in a directory: one step, and only where some ruled name is as long as it. */
static __always_inline int place_of_name(struct dentry *dentry, __u32 slot, struct place *place)
{
        struct place_step step;
        int r;

        if (place->node == NODE_OFF || !(place->lengths >> (dentry->d_name.len & 15) & 1)) {
                place_inherit(place);
                return 0;
        }
        step.dentry = (__u64) dentry;
        step.place = *place;
        r = place_descend(&step, slot);
        *place = step.place;
        return r;
}
