/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Place: where a name stands in the trie of ruled names. A directory's place is learnt in a cache
 * that needs no lock, no helper and no allocation; only what is not learnt yet is walked. */
#pragma once

#include "hook.h"

/* A place. A node of NODE_OFF has nothing ruled below it; a ruleset with RULESET_INHERITED comes
 * from a directory above then. Of a live node the same bit is PLACE_FOLDS. */
struct place {
        __u32 node, ruleset, lengths;
};

/* A directory that compares names its own way (casefold, vfat …): there a name may be another
 * spelling of a ruled one. */
#define PLACE_FOLDS RULESET_INHERITED

/* One step down: by the name of the dentry at that address. */
struct place_step {
        __u64 dentry;
        __u64 name; /* the address of it; 0: not read yet */
        __u32 length;
        struct place place;
};

struct place_walk {
        __u64 directory;        /* whose place is wanted first */
        struct place_step step; /* in: the dentry; out: its place; meanwhile where the walk is */
        __u32 word;
        __u32 rename_seq;
        __u64 known;       /* a dentry on the way whose place is known_place; 0: none */
        __u64 known_place; /* as in the cache */
        __u64 start;       /* where to climb from */
};

/* Enough for a directory some 300 levels deep, and for trees that move while they are walked. */
#define WALK_ATTEMPTS 60
#define WALK_AGAIN 1

#define PLACE_MISSED 1

/* place.bpf.c. All return 0 or a negative number when the name cannot be read or followed. The
 * first two belong together, see place_down(); the first may return PLACE_MISSED. */
int place_descend(struct place_step *step, __u32 slot);
int place_settle(struct place_step *step, __u32 slot, __u32 missed);

/* Or WALK_AGAIN: call again to go on. */
int place_walk(struct place_walk *walk);

/* The place of what is at that address, be it a directory or not: slow. */
int place_of_address(struct place_step *step, __u32 word);

static __always_inline __u64 renames_begun(void)
{
        return *(volatile __u64 *) &renames.begun;
}

/* A sum of products with secret odd factors: no two directories of one time share a key but by a
 * chance of some 2^-50, and one directory never has the same key at two times. (2^32 renames are
 * more than anyone makes between two policies.) Its high bits are the good ones. */
static __always_inline __u64 cache_mix(__u64 inode, __u64 device_generation, __u32 word,
                                       __u64 begun)
{
        return inode * hot.seed[0] + device_generation * hot.seed[1] + (begun + word);
}

static __always_inline struct cache_entry *cache_slot(__u64 key)
{
        return &cache[key >> (64 - CACHE_BITS)];
}

/* The node in 24 bits, the lengths in 16 and the ruleset in 24, in that order, so that one shift
 * takes the node away and what is left is small where there is no ruleset. */
#define CACHED_RULESET(ruleset) ((__u64) ((ruleset) &0xffffff) << 40)
#define CACHED_LENGTHS(lengths) ((__u64) ((lengths) &0xffff) << 24)

static __always_inline void cache_unpack(__u64 data, struct place *ret_place)
{
        ret_place->node = data & 0xffffff;
        ret_place->lengths = data >> 24 & 0xffff;
        ret_place->ruleset = data >> 40;
}

static __always_inline __u64 cache_pack(const struct place *place)
{
        return CACHED_RULESET(place->ruleset) | CACHED_LENGTHS(place->lengths) |
               (place->node & 0xffffff);
}

static __always_inline bool cache_find(__u64 key, struct place *ret_place)
{
        struct cache_entry *entry = cache_slot(key);
        __u64 data = *(volatile __u64 *) &entry->data;
        __u64 x = *(volatile __u64 *) &entry->x;

        if ((x ^ data) != key)
                return false;
        cache_unpack(data, ret_place);
        return true;
}

static __always_inline void cache_learn(__u64 key, __u64 data)
{
        struct cache_entry *entry = cache_slot(key);

        *(volatile __u64 *) &entry->x = key ^ data;
        *(volatile __u64 *) &entry->data = data;
}

/* Off the trie: what a name inherits from the place above it. */
static __always_inline void place_inherit(struct place *place)
{
        if (place->node != NODE_OFF)
                place->ruleset &= ~PLACE_FOLDS;
        if (place->ruleset & ~RULESET_INHERITED)
                place->ruleset |= RULESET_INHERITED;
        place->node = NODE_OFF;
        place->lengths = 0;
}

/* What holds there: the ruleset's number, 0 for none, and which half of it. */
static __always_inline __u32 place_ruleset(const struct place *place, bool *ret_below)
{
        *ret_below = place->node == NODE_OFF && place->ruleset & RULESET_INHERITED;
        return place->ruleset & ~RULESET_INHERITED;
}

/* The next step is to a dentry of which there is the address: place_descend() reads its name. */
static __always_inline void step_to_address(struct place_step *step, __u64 address)
{
        step->dentry = address;
        step->name = 0;
}

/* One step down, from the place of a directory to that of the dentry in it. */
static __always_inline int place_down(struct place_step *step, __u32 slot)
{
        int r = place_descend(step, slot);

        if (r < 0 || step->place.node == NODE_OFF)
                return r;
        return place_settle(step, slot, r);
}

static __always_inline __u64 key_by_address(const struct dentry *dentry, __u32 word, __u64 begun)
{
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

        return cache_mix(BPF_CORE_READ(inode, i_ino),
                         (__u64) BPF_CORE_READ(inode, i_sb, s_dev) << 32 |
                                 BPF_CORE_READ(inode, i_generation),
                         word, begun);
}

/* Of the directory that a name is in. dir: its inode, where a hook is told it; NULL. */
static __always_inline __u64 parent_key(const struct inode *dir, const struct dentry *dentry,
                                        __u32 word)
{
        __u32 device;

        if (!dir && pointers_are_dear())
                return key_by_address(BPF_CORE_READ(dentry, d_parent), word, renames_begun());
        if (!dir)
                dir = dentry->d_parent->d_inode;
        device = pointers_are_dear() ? BPF_CORE_READ(dir, i_sb, s_dev) : dir->i_sb->s_dev;
        return cache_mix(dir->i_ino, (__u64) device << 32 | dir->i_generation, word,
                         renames_begun());
}

static __always_inline __u64 directory_key(const struct dentry *directory, __u32 word)
{
        const struct inode *inode = directory->d_inode;

        return cache_mix(inode->i_ino, (__u64) inode->i_sb->s_dev << 32 | inode->i_generation, word,
                         renames_begun());
}

/* Whether the bit of that number, below 64, is set. x86 shifts by one register alone, which is this
 * one: of any other the kernel makes four instructions more. */
static __always_inline bool has_bit(__u64 bits, __u64 number)
{
        register __u64 amount asm("r4") = number;

        asm("%0 >>= %1" : "+r"(bits) : "r"(amount));
        return bits & 1;
}

/* Whether the name of that length in a directory of that place may be ruled itself: only where some
 * ruled name is as long as it, or the directory has spellings of its own. */
static __always_inline bool place_goes_on(const struct place *place, __u32 length)
{
        return place->node != NODE_OFF &&
               (has_bit(place->lengths, length & 15) || place->ruleset & PLACE_FOLDS);
}

/* What the cache has of a directory, as it stands there. Returns whether there is something. */
static __always_inline bool known_place_of(__u64 key, __u64 *ret_known)
{
        struct cache_entry *entry = cache_slot(key);

        *ret_known = *(volatile __u64 *) &entry->data;
        return (*(volatile __u64 *) &entry->x ^ *ret_known) == key;
}

static __always_inline bool known_place(const struct dentry *directory, __u32 word,
                                        __u64 *ret_known)
{
        return known_place_of(directory_key(directory, word), ret_known);
}

/* Whether no rule is about a name in a directory of that place: the same question as
 * place_goes_on(), for a place without a ruleset. */
static __always_inline bool known_is_free(__u64 known, __u32 length)
{
        __u64 rest = known >> 24;

        barrier_var(rest); /* else clang compares the whole with what has no room in a comparison */
        return !rest || (rest <= 0xffff && !has_bit(rest, length & 15));
}
