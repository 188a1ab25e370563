/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* File lists: which lists of clauses are about a file, by what is pinned and by its place. */
#include "dentry.h"
#include "place.h"

/* Older kernels (up to 6.6) let an overlay open a file of a layer as one that has the overlay's
 * name and the layer's inode. The name in the layer is an alias of that inode. */
static __always_inline __u64 layer_name(const struct decision *decision)
{
        const struct dentry *dentry = (const struct dentry *) decision->dentry;
        const struct inode *inode = (const struct inode *) decision->inode;
        const struct hlist_node *alias;

        if (!(decision->mode & OPENED_NOACCOUNT) ||
            BPF_CORE_READ(inode, i_sb) == BPF_CORE_READ(dentry, d_sb) ||
            !bpf_core_field_exists(struct dentry, d_u.d_alias))
                return 0;
        alias = BPF_CORE_READ(inode, i_dentry.first);
        return alias ? (__u64) alias - bpf_core_field_offset(struct dentry, d_u.d_alias) : 0;
}

/* Whether the current task acts in the name of another, as whoever mounted an overlay. */
static __always_inline bool is_lent(void)
{
        const struct task_struct *task = bpf_get_current_task_btf();

        return BPF_CORE_READ(task, cred) != BPF_CORE_READ(task, real_cred);
}

/* Whether an overlay reads a file to copy it: in the name of whoever mounted it, after
 * inode_copy_up and not as the file behind its own. */
static __always_inline bool is_copied(const struct decision *decision)
{
        const struct inode *inode = (const struct inode *) decision->inode;
        struct task_note *note;

        if (!copies_made || decision->mode & (OPENED_NOACCOUNT | OPENED_WRITE) || !is_lent() ||
            (BPF_CORE_READ(inode, i_mode) & MODE_TYPE) != MODE_REGULAR)
                return false;
        note = bpf_task_storage_get(&notes, bpf_get_current_task_btf(), NULL, 0);
        if (!note || !note->copying)
                return false;
        note->copying = 0;
        return true;
}

/* What an overlay opens is meant by the name in its layer, and may be all that is wanted. */
static __always_inline void look_below_overlay(struct decision *decision)
{
        __u64 layer;

        if (is_copied(decision)) {
                decision->access = ACCESS_ALL;
                decision->flags |= EVENT_COPY | DECIDE_DEFAULT;
        }
        layer = layer_name(decision);
        if (!layer)
                return;
        decision->dentry = layer;
        decision->known = 0;
}

/* What is pinned speaks of the file itself, by whatever name, and is asked first. */
static __always_inline __u32 pinned_ruleset(const struct decision *decision)
{
        const struct inode *inode = (const struct inode *) decision->inode;
        __u32 slot = decision->word & WORD_SLOT, flags = image_flags(decision->word);
        struct pin_key key = {};
        struct pin_value *value;
        void *map;

        if (!inode || (!(flags & IMAGE_PIN_ALL) &&
                       (!(flags & IMAGE_PIN_LINKS) || BPF_CORE_READ(inode, i_nlink) < 2)))
                return 0;
        map = bpf_map_lookup_elem(&pins, &slot);
        if (!map)
                return 0;
        key.inode = BPF_CORE_READ(inode, i_ino);
        key.device = BPF_CORE_READ(inode, i_sb, s_dev);
        value = bpf_map_lookup_elem(map, &key);
        if (!value || (value->checked && value->generation != BPF_CORE_READ(inode, i_generation)))
                return 0;
        return value->ruleset;
}

static __always_inline __u32 ruleset_list(__u32 id, bool below, __u32 slot)
{
        void *map = id ? bpf_map_lookup_elem(&rulesets, &slot) : NULL;
        struct ruleset *ruleset = map ? bpf_map_lookup_elem(map, &id) : NULL;

        if (!ruleset)
                return 0;
        return below ? ruleset->below : ruleset->own;
}

/* Returns 1 if there is one, else 0. */
static __always_inline int set_lists(struct decision *decision, const struct place *place)
{
        __u32 slot = decision->word & WORD_SLOT, id;
        bool below;

        decision->list = ruleset_list(pinned_ruleset(decision), false, slot);
        id = place_ruleset(place, &below);
        decision->more = ruleset_list(id, below, slot);
        if (decision->flags & DECIDE_DEFAULT && image_flags(decision->word) & IMAGE_DEFAULT)
                decision->last = word_header(decision->word)->default_list;
        return decision->list || decision->more || decision->last;
}

/* The step from a directory whose place is known. */
static __always_inline int place_in_known(struct decision *decision, struct place_step *step)
{
        const struct dentry *dentry = (const struct dentry *) decision->dentry;
        struct named named;

        if (read_named(&named, dentry))
                return -1;
        if (!decision->digest_algorithm) { /* else they would overwrite the digest */
                decision->parent = named.parent;
                decision->hash_length = named.hash_length;
                decision->flags |= DECIDE_NAMED;
        }
        cache_unpack(decision->known, &step->place);
        if (named.parent == decision->dentry) /* the root of its file system */
                return 0;
        step->length = named.hash_length >> 32;
        if (!place_goes_on(&step->place, step->length)) {
                place_inherit(&step->place);
                return 0;
        }
        step->dentry = decision->dentry;
        step->name = named.name;
        return place_down(step, decision->word & WORD_SLOT);
}

/* Returns 0, or not 0 when it cannot be told. */
static __always_inline int find_place(struct decision *decision, struct place_step *step)
{
        if (!(image_flags(decision->word) & IMAGE_FILES))
                return 0;
        if (decision->known)
                return place_in_known(decision, step);
        step->dentry = decision->dentry;
        return place_of_address(step, decision->word);
}

/* A directory that rules name something below may not move: it would carry that out of its name. */
static __always_inline int set_move(struct decision *decision, const struct place *place, int r)
{
        if (!r && place->node == NODE_OFF)
                return 0;
        decision->flags |= r ? EVENT_UNPLACED : EVENT_HOLDS_RULES;
        if (!r && place->node & NODE_SOFT)
                decision->flags |= DECIDE_RECORD;
        return 1;
}

int file_find_lists(struct decision *decision)
{
        struct place_step step = {.place = {.node = NODE_OFF}};
        int r;

        if (!decision)
                return 1;
        if (decision->flags & DECIDE_OPEN)
                look_below_overlay(decision);
        r = find_place(decision, &step);
        if (decision->flags & DECIDE_MOVE)
                return set_move(decision, &step.place, r);
        if (!r)
                return set_lists(decision, &step.place);
        decision->flags |= EVENT_UNPLACED;
        return 1;
}
