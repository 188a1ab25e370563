/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Place: the cold half, of the judge. Global functions, which the verifier checks once and on their
 * own; they read the kernel by address only. */
#include "place.h"

#define CLIMB_MAX 64 /* levels looked up in one call */
#define CLIMB_AT_ONCE 16
#define DESCEND_MAX 4 /* levels walked down in one call; a power of two */

__u64 rename_lock SEC(".data.place"); /* its address; 0: not known */

/* Run by the service, once a boot. A __ksym would have the library read all names of the kernel
 * with each loading. */
SEC("syscall")
int find_rename_lock(void *context)
{
        const char name[] = "rename_lock";
        __u64 address = 0;

        if (bpf_kallsyms_lookup_name(name, sizeof(name), 0, &address))
                return -1;
        rename_lock = address;
        return 0;
}

static __always_inline __u32 rename_seq(void)
{
        __u32 seq = 0;

        if (rename_lock)
                bpf_probe_read_kernel(&seq, sizeof(seq), (const void *) rename_lock);
        return forgotten(seq);
}

/* Whether a directory compares names its own way. Those that do so only where a directory says so
 * have the comparison everywhere; /proc/sys has it and compares bytes. */
static __always_inline bool folds_names(const struct dentry *directory)
{
        unsigned long magic;

        if (BPF_CORE_READ(directory, d_inode, i_flags) & INODE_CASEFOLD)
                return true;
        if (!(BPF_CORE_READ(directory, d_flags) & DENTRY_COMPARES))
                return false;
        magic = BPF_CORE_READ(directory, d_sb, s_magic);
        return magic != EXT4_MAGIC && magic != F2FS_MAGIC && magic != TMPFS_MAGIC &&
               magic != PROC_MAGIC;
}

static __always_inline void place_take(struct place *place, const struct trie_value *value)
{
        cache_unpack(*(const __u64 *) value, place);
}

#define IN_EACH_BYTE 0x0101010101010101ull

/* Its high bits tell whether a byte of the word is that one. */
static __always_inline __u64 has_byte(__u64 word, __u8 byte)
{
        __u64 other = word ^ byte * IN_EACH_BYTE;

        return (other - IN_EACH_BYTE) & ~other;
}

/* Whether a name that is not in the trie might be another spelling of one that is: of a length that
 * some ruled name has; or with a letter outside ASCII, a tilde (vfat's short names), a colon (its
 * escapes) or a dot in the end, which may be as good as one of another length. Where a
 * ruled name has such a letter, all lengths are in the mask. */
static __always_inline bool may_be_ruled(const struct trie_key *key, __u32 lengths)
{
        const __u64 *words = (const __u64 *) key->name;
        __u32 length = key->length;
        __u64 found = 0;

        if (length >= NAME_CHUNK || lengths >> (length & 15) & 1)
                return true;
        length--;
        barrier_var(length);
        if (length >= NAME_CHUNK || key->name[length] == '.')
                return true;
#pragma clang loop unroll(disable) /* the stack has no room for what is spilt then */
        for (int i = 0; i < NAME_CHUNK / 8; i++)
                found |= words[i] | has_byte(words[i], '~') | has_byte(words[i], ':');
        return found & 0x80 * IN_EACH_BYTE;
}

/* A name that has no entry: that of a wildcard, if the node has one. */
static __always_inline int settle_otherwise(struct place_step *step, __u32 slot)
{
        struct trie_key key = {};
        struct trie_value *value;
        void *map = bpf_map_lookup_elem(&trie, &slot);

        if (!map)
                return -1;
        if (step->place.ruleset & PLACE_FOLDS) {
                key.length = step->length;
                if (bpf_probe_read_kernel_str(key.name, sizeof(key.name),
                                              (const void *) step->name) < 0 ||
                    may_be_ruled(&key, step->place.lengths))
                        return -1;
                __builtin_memset(&key, 0, sizeof(key));
        }
        key.node = step->place.node;
        value = (step->place.lengths & 0xffff) == 0xffff ? bpf_map_lookup_elem(map, &key) : NULL;
        if (value)
                place_take(&step->place, value);
        else
                place_inherit(&step->place);
        return 0;
}

int place_settle(struct place_step *step, __u32 slot, __u32 missed)
{
        if (!step || (missed && settle_otherwise(step, slot & 1)))
                return -1;
        if (step->place.node != NODE_OFF && folds_names((const struct dentry *) step->dentry))
                step->place.ruleset |= PLACE_FOLDS;
        return 0;
}

static __always_inline long step_read_name(struct place_step *step)
{
        const struct dentry *dentry = (const struct dentry *) step->dentry;

        if (bpf_core_read(&step->length, sizeof(step->length), &dentry->d_name.len))
                return -1;
        return bpf_core_read(&step->name, sizeof(step->name), &dentry->d_name.name);
}

int place_descend(struct place_step *step, __u32 slot)
{
        /* The verifier is shown a bound of 31 for what is at most NAME_CHUNK: clang would test one
         * copy of it and use another. */
        struct {
                struct trie_key key;
                __u64 first; /* the slot: before the name is read */
        } room = {};
        const unsigned char *name;
        struct trie_value *value;
        __u32 n;
        void *map;

        if (!step)
                return -1;
        if (step->place.node == NODE_OFF) {
                place_inherit(&step->place);
                return 0;
        }
        room.first = slot & 1;
        map = bpf_map_lookup_elem(&trie, &room.first);
        if (!map)
                return -1;
        if (!step->name && step_read_name(step))
                return -1;
        name = (const unsigned char *) step->name;
        room.key.length = step->length;
        room.key.node = step->place.node;
        for (__u32 done = 0; done < NAME_CHUNKS * NAME_CHUNK; done += NAME_CHUNK) {
                n = *(volatile __u16 *) &room.key.length - done;
                if (n > NAME_CHUNK)
                        n = NAME_CHUNK;
                barrier_var(n);
                if (done)
                        __builtin_memset(room.key.name, 0, NAME_CHUNK);
                if (bpf_probe_read_kernel(room.key.name, n & 31, name + done))
                        return -1;
                value = bpf_map_lookup_elem(map, &room.key);
                if (!value)
                        return PLACE_MISSED;
                room.key.node = value->node;
                room.key.chunk++;
                if (room.key.length <= done + NAME_CHUNK) {
                        place_take(&step->place, value);
                        return 0;
                }
        }
        return -1;
}

/* Where subvolumes and snapshots give one number to several directories, nothing can be learnt. In
 * an overlay a name may stand for a file of a layer: no name there is free (place_is_free()). A
 * function of its own, for its stack. */
__noinline int place_learn(struct place_walk *walk, __u64 begun)
{
        const struct dentry *dentry;
        unsigned long magic;
        __u64 data;

        if (!walk)
                return -1;
        dentry = (const struct dentry *) walk->step.dentry;
        magic = BPF_CORE_READ(dentry, d_sb, s_magic);
        data = cache_pack(&walk->step.place);
        if (magic == BTRFS_MAGIC || magic == BCACHEFS_MAGIC)
                return 0;
        if (magic == OVERLAY_MAGIC && walk->step.place.node == NODE_OFF)
                data |= CACHED_RULESET(RULESET_INHERITED);
        else if (magic == OVERLAY_MAGIC)
                data |= CACHED_LENGTHS(0xffff); /* names of all lengths are looked up */
        cache_learn(key_by_address(dentry, walk->word, begun), data);
        return 0;
}

/* What the rules say of the root of dentry's file system. NULL: nothing, nor of anything below. */
static __always_inline const struct trie_value *root_value(const struct dentry *dentry, __u32 slot)
{
        __u32 device = BPF_CORE_READ(dentry, d_sb, s_dev);
        void *map = bpf_map_lookup_elem(&roots, &slot);

        return map ? bpf_map_lookup_elem(map, &device) : NULL;
}

/* The way from a dentry up to the nearest place that is known. The topmost levels stay in it. */
struct way {
        __u64 levels[DESCEND_MAX];
        __u32 n;
};

#define CLIMB_KNOWN 1

/* One level up from walk->step.dentry. A function of its own, so that the verifier looks into it
 * once and not once a level. Returns 0 with that dentry one higher, CLIMB_KNOWN with its place in
 * walk->step.place, or -1 if the tree does not hang together. */
__noinline int place_climb(struct place_walk *walk)
{
        const struct dentry *dentry, *parent;
        const struct trie_value *root;

        if (!walk)
                return -1;
        dentry = (const struct dentry *) walk->step.dentry;
        if (walk->known == walk->step.dentry) {
                cache_unpack(walk->known_place, &walk->step.place);
                return CLIMB_KNOWN;
        }
        parent = BPF_CORE_READ(dentry, d_parent);
        if (parent == dentry) {
                root = root_value(dentry, walk->word & WORD_SLOT);
                if (!root || dentry != BPF_CORE_READ(dentry, d_sb, s_root))
                        return -1;
                place_take(&walk->step.place, root);
                if (root->node != NODE_OFF && folds_names(dentry))
                        walk->step.place.ruleset |= PLACE_FOLDS;
                return CLIMB_KNOWN;
        }
        if (cache_find(key_by_address(dentry, walk->word, renames_begun()), &walk->step.place))
                return CLIMB_KNOWN;
        walk->step.dentry = (__u64) parent;
        return 0;
}

/* Some levels up, likewise. */
__noinline int place_climb_on(struct place_walk *walk, struct way *way)
{
        int r = 0;

        if (!walk || !way)
                return -1;
        for (int i = 0; i < CLIMB_AT_ONCE && !r; i++) {
                /* volatile: clang would enter the loop in its middle, which the verifier forbids */
                __u64 level = *(volatile __u64 *) &walk->step.dentry;

                r = place_climb(walk);
                if (r)
                        break;
                way->levels[way->n & (DESCEND_MAX - 1)] = level;
                way->n++;
        }
        return r;
}

/* Returns 0 with walk->step.place known and the way to it, WALK_AGAIN after CLIMB_MAX levels
 * (walk->start is then the last), -1 if the tree does not hang together. */
static __always_inline int climb(struct place_walk *walk, struct way *way)
{
        int r;

        walk->step.dentry = walk->start;
        for (int i = 0; i < CLIMB_MAX / CLIMB_AT_ONCE; i++) {
                r = place_climb_on(walk, way);
                if (r)
                        return r == CLIMB_KNOWN ? 0 : -1;
        }
        if (walk->known == walk->step.dentry) {
                cache_unpack(walk->known_place, &walk->step.place);
                return 0;
        }
        walk->start = walk->step.dentry;
        return WALK_AGAIN;
}

static __always_inline int descend(struct way *way, struct place_step *step, __u32 slot)
{
        way->n = forgotten(way->n);
        for (int i = 0; i < DESCEND_MAX; i++) {
                if (!way->n)
                        break;
                way->n--;
                step_to_address(step, way->levels[way->n & (DESCEND_MAX - 1)]);
                if (place_down(step, slot))
                        return -1;
        }
        return 0;
}

/* Climbs to the nearest known place, walks down from it, and learns the lowest directory reached.
 * Returns 0, a negative number (cannot be told), or WALK_AGAIN: call again to go on. */
int place_walk(struct place_walk *walk)
{
        struct way way = {};
        __u64 begun, ended;
        __u32 seq;
        int r;

        if (!walk)
                return -1;
        walk->step = (struct place_step){};
        begun = renames_begun();
        ended = *(volatile __u64 *) &renames.ended;
        seq = rename_seq();
        if (seq != walk->rename_seq)
                walk->known = 0; /* the tree has moved: it may hang elsewhere now */
        walk->rename_seq = seq;
        if (!root_value((const struct dentry *) walk->start, walk->word & WORD_SLOT)) {
                walk->step.dentry = walk->start;
                walk->step.place.node = NODE_OFF;
        } else {
                r = climb(walk, &way);
                if (r)
                        return r;
                if (!way.n) /* known itself: the root, or learnt meanwhile */
                        walk->step.dentry = walk->start;
                if (descend(&way, &walk->step, walk->word & WORD_SLOT))
                        return -1;
        }
        if (seq != rename_seq() || (seq & 1)) {
                walk->start = walk->directory;
                return WALK_AGAIN;
        }
        /* Under the number from before the walk: a rename since then has ended it. */
        if (begun == ended)
                place_learn(walk, begun);
        walk->known = walk->step.dentry;
        walk->known_place = cache_pack(&walk->step.place);
        if (way.n)
                return WALK_AGAIN;
        if (walk->start == walk->directory)
                return 0;
        walk->start = walk->directory;
        return WALK_AGAIN;
}

int place_of_address(struct place_step *step, __u32 word)
{
        struct place_walk walk = {.word = word};
        const struct dentry *dentry;
        __u64 address;
        int r = WALK_AGAIN;

        if (!step)
                return -1;
        address = step->dentry;
        dentry = (const struct dentry *) address;
        walk.directory = address;
        if ((BPF_CORE_READ(dentry, d_inode, i_mode) & MODE_TYPE) != MODE_DIRECTORY)
                walk.directory = (__u64) BPF_CORE_READ(dentry, d_parent);
        walk.start = walk.directory;
        for (int i = 0; i < WALK_ATTEMPTS && r == WALK_AGAIN; i++)
                r = place_walk(&walk);
        step->place = walk.step.place;
        step_to_address(step, address);
        return r || walk.directory == address ? r : place_down(step, word & WORD_SLOT);
}
