/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network match: from an address to the lists of clauses that are about it. What keys fit is looked
 * up once and learnt, for any socket and any program; who asks is judged each time. */
#include "network.h"

/* ---- what was learnt ---- */

#define LEARNT_BITS 12

/* One answer, its question in full. seq is odd while somebody writes. */
struct learnt {
        __u64 seq;
        __u64 address[2];
        __u64 what; /* see question_of() */
        __u64 lists;
};

static struct learnt learnt[1 << LEARNT_BITS];

/* What a processor has loaded before stays before. x86 keeps that order by itself. */
#ifdef __TARGET_ARCH_x86
#define LOADS_IN_ORDER(entry) asm volatile("" ::: "memory")
#else
#define LOADS_IN_ORDER(entry) __sync_fetch_and_or(&(entry)->seq, 0)
#endif

/* All but the address, in 16 bits of port, 13 of protocol, 10 of access, 1 of how and 24 of cookie,
 * which ends what was learnt under another policy. It is never 0: something is wanted. */
static __always_inline __u64 question_of(const struct decision *decision, __u32 how)
{
        return (__u64) (decision->word & WORD_COOKIE) << (40 - WORD_COOKIE_SHIFT) |
               (__u64) (how & 1) << 39 | (__u64) (decision->access & 0x3ff) << 29 |
               (__u64) (decision->protocol & 0x1fff) << 16 | decision->port;
}

static __always_inline struct learnt *learnt_entry(const struct decision *decision, __u64 what)
{
        __u64 hash = (decision->address[0] ^ what) * hot.seed[0] +
                     (decision->address[1] ^ what >> 32) * hot.seed[1];

        return &learnt[hash >> (64 - LEARNT_BITS)];
}

static __always_inline bool recall(const struct decision *decision, __u64 what, __u64 *ret_lists)
{
        struct learnt *entry = learnt_entry(decision, what);
        __u64 seq = *(volatile __u64 *) &entry->seq;
        bool same;

        LOADS_IN_ORDER(entry);
        same = entry->what == what && entry->address[0] == decision->address[0] &&
               entry->address[1] == decision->address[1];
        *ret_lists = *(volatile __u64 *) &entry->lists;
        LOADS_IN_ORDER(entry);
        return same && !(seq & 1) && *(volatile __u64 *) &entry->seq == seq;
}

/* Who comes while another writes leaves it at that. */
static __always_inline void learn(const struct decision *decision, __u64 what, __u64 lists)
{
        struct learnt *entry = learnt_entry(decision, what);
        __u64 seq = *(volatile __u64 *) &entry->seq;

        if (seq & 1 || __sync_val_compare_and_swap(&entry->seq, seq, seq + 1) != seq)
                return;
        entry->address[0] = decision->address[0];
        entry->address[1] = decision->address[1];
        entry->what = what;
        entry->lists = lists;
        __sync_fetch_and_add(&entry->seq, 1);
}

/* ---- going through the keys ---- */

/* Where the search stands. left: shapes of keys that were not looked up yet at this prefix. */
struct search {
        __u32 index; /* of the prefix */
        __u32 left;
        __u32 usable; /* shapes that can fit at all */
        __u32 class;
        __u32 list; /* out: the one that was found */
        __u32 how;
};

#define PORT_SHAPES(kind) (SHAPE(kind, 0) | SHAPE(kind, 1))

static __always_inline bool try_shape(void *map, struct net_key *key, struct search *search,
                                      __u32 shape)
{
        __u32 *list;

        if (!(search->left & shape))
                return false;
        search->left &= ~shape;
        list = bpf_map_lookup_elem(map, key);
        if (!list || !*list)
                return false;
        search->list = *list;
        return true;
}

/* A protocol before any. */
static __always_inline bool try_port(void *map, struct net_key *key, struct search *search,
                                     const struct decision *decision)
{
        bool found;

        key->protocol = decision->protocol;
        found = try_shape(map, key, search, SHAPE(key->kind, 1));
        key->protocol = 0;
        return found || try_shape(map, key, search, SHAPE(key->kind, 0));
}

static __always_inline const struct prefix *prefix_at(const struct decision *decision,
                                                      const struct search *search)
{
        __u32 index = search->index;

        if (index >= N_PREFIXES_MAX)
                return NULL;
        return &prefixes[(decision->word & WORD_SLOT) * N_PREFIXES_MAX + index];
}

/* Looks up the keys of one prefix that are left, until one has a list. */
static __always_inline bool search_prefix(struct decision *decision, struct search *search)
{
        const struct prefix *prefix;
        struct net_key key = {};
        __u32 slot;
        void *map;

        prefix = prefix_at(decision, search);
        if (!prefix)
                return false;
        key.address[0] = decision->address[0] & prefix->mask[0];
        key.address[1] = decision->address[1] & prefix->mask[1];
        key.prefix = prefix->length;
        slot = decision->word & WORD_SLOT;
        map = bpf_map_lookup_elem(&nets, &slot);
        if (!map)
                return false;
        key.kind = PORT_EXACT;
        key.port = decision->port;
        if (try_port(map, &key, search, decision))
                return true;
        key.kind = PORT_CLASS;
        key.port = search->class;
        if (try_port(map, &key, search, decision))
                return true;
        key.kind = PORT_ANY;
        key.port = 0;
        return try_port(map, &key, search, decision);
}

static __always_inline void search_enter(const struct decision *decision, struct search *search)
{
        const struct prefix *prefix = prefix_at(decision, search);

        search->left = prefix ? prefix->shapes & search->usable : 0;
        if (prefix && search->how & NET_UNKNOWN && prefix->length)
                search->left = 0;
}

enum step {
        STEP_END,
        STEP_NEXT,
        STEP_FOUND,
};

/* A function of its own, so that the verifier looks into it once and not once a prefix. */
__noinline int net_search_step(struct decision *decision, struct search *search)
{
        if (!decision || !search || search->index >= word_header(decision->word)->n_prefixes)
                return STEP_END;
        if (search->left && search_prefix(decision, search))
                return STEP_FOUND;
        search->index++;
        search_enter(decision, search);
        return STEP_NEXT;
}

/* Finds the next list, the more specific key first. */
__noinline int net_search(struct decision *decision, struct search *search)
{
        int step;

        for (int i = 0; i <= N_PREFIXES_MAX; i++) {
                step = net_search_step(decision, search);
                if (step != STEP_NEXT)
                        return step == STEP_FOUND;
        }
        return false;
}

static __always_inline __u32 class_of(const struct decision *decision)
{
        __u32 slot = decision->word & WORD_SLOT, index = decision->port / PORTS_AT_ONCE;
        struct port_classes *classes;
        void *map;

        if (!(word_header(decision->word)->flags & IMAGE_RANGES) || !decision->port)
                return 0;
        map = bpf_map_lookup_elem(&port_classes, &slot);
        classes = map ? bpf_map_lookup_elem(map, &index) : NULL;
        return classes ? classes->of[decision->port % PORTS_AT_ONCE] : 0;
}

static __always_inline void search_begin(const struct decision *decision, struct search *search)
{
        search->class = class_of(decision);
        search->usable = PORT_SHAPES(PORT_ANY);
        if (decision->port)
                search->usable |= PORT_SHAPES(PORT_EXACT);
        if (search->class)
                search->usable |= PORT_SHAPES(PORT_CLASS);
        search_enter(decision, search);
}

/* ---- the verdict ---- */

#define LISTS_AT_ONCE 3                /* as many as a decision takes */
#define LISTS_MAX (N_PREFIXES_MAX * 6) /* one a shape */

/* The next lists, as many as a decision takes. Returns how many. */
__noinline int net_collect(struct decision *decision, struct search *search)
{
        if (!decision || !search || !net_search(decision, search))
                return 0;
        decision->list = search->list;
        if (!net_search(decision, search))
                return 1;
        decision->more = search->list;
        if (!net_search(decision, search))
                return 2;
        decision->last = search->list;
        return LISTS_AT_ONCE;
}

/* More than two lists at one address are searched for each time. */
static __always_inline int collect_first(struct decision *decision, struct search *search)
{
        __u64 what = question_of(decision, search->how), lists;
        int n;

        if (recall(decision, what, &lists)) {
                decision->list = lists;
                decision->more = lists >> 32;
                return decision->list != 0;
        }
        search_begin(decision, search);
        n = net_collect(decision, search);
        if (n < LISTS_AT_ONCE)
                learn(decision, what, (__u64) decision->more << 32 | decision->list);
        return n;
}

int net_judge(struct decision *decision, __u32 how)
{
        struct search search = {.how = how};
        int n, r = 0;

        if (!decision)
                return -EPERM;
        /* what was found for another address, on the way of the same call, is none of this */
        decision->list = decision->more = decision->last = 0;

        if (!decision)
                return -EPERM;
        n = collect_first(decision, &search);
        if (!n)
                return 0;
        for (int i = 0; i < LISTS_MAX / LISTS_AT_ONCE; i++) {
                r = ask(decision);
                if (r < 0 || !decision->access || n < LISTS_AT_ONCE)
                        break;
                n = net_collect(decision, &search);
        }
        return r;
}
