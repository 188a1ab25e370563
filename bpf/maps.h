/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps: the two slots and all that lives beside them. Each is defined in maps.bpf.c. */
#pragma once

#include "abi.h"
#include "kernel.h"

/* A slot's own map is made anew, in the size of its policy, each time the slot is filled. */
#define SLOT_HASH(key_type, value_type)                                                            \
        struct {                                                                                   \
                __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
                __uint(max_entries, N_SLOTS);                                                      \
                __uint(key_size, sizeof(__u32));                                                   \
                __array(                                                                           \
                        values, struct {                                                           \
                                __uint(type, BPF_MAP_TYPE_HASH);                                   \
                                __uint(max_entries, 1);                                            \
                                __uint(key_size, sizeof(key_type));                                \
                                __uint(value_size, sizeof(value_type));                            \
                        });                                                                        \
        }

#define SLOT_ARRAY(value_type)                                                                     \
        struct {                                                                                   \
                __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
                __uint(max_entries, N_SLOTS);                                                      \
                __uint(key_size, sizeof(__u32));                                                   \
                __array(                                                                           \
                        values, struct {                                                           \
                                __uint(type, BPF_MAP_TYPE_ARRAY);                                  \
                                __uint(max_entries, 1);                                            \
                                __uint(map_flags, BPF_F_INNER_MAP);                                \
                                __uint(key_size, sizeof(__u32));                                   \
                                __uint(value_size, sizeof(value_type));                            \
                        });                                                                        \
        }

#define RING(size)                                                                                 \
        struct {                                                                                   \
                __uint(type, BPF_MAP_TYPE_RINGBUF);                                                \
                __uint(max_entries, size);                                                         \
        }

typedef SLOT_HASH(struct trie_key, struct trie_value) slot_trie;
typedef SLOT_HASH(__u32, struct trie_value) slot_roots;
typedef SLOT_HASH(struct pin_key, struct pin_value) slot_pins;
typedef SLOT_HASH(struct net_key, struct net_value) slot_nets;
typedef SLOT_HASH(__u64, __u32) slot_cgroups;
typedef SLOT_ARRAY(struct ruleset) slot_rulesets;
typedef SLOT_ARRAY(__u64) slot_hits;
typedef RING(512 * 1024) ring;

/* Marks a task between the moment a directory rename is decided and the end of vfs_rename(). */
typedef struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, __u64);
} rename_marks;

#ifndef MAPS_DEFINED_HERE
extern slot_trie trie SEC(".maps");
extern slot_roots roots SEC(".maps");
extern slot_pins pins SEC(".maps");
extern slot_nets nets SEC(".maps");
extern slot_cgroups cgroups SEC(".maps");
extern slot_rulesets rulesets SEC(".maps");
extern slot_hits hits SEC(".maps");
extern ring denials SEC(".maps");
extern ring audits SEC(".maps");
extern rename_marks renaming SEC(".maps");

extern struct hot hot;
extern struct prefix prefixes[N_SLOTS * N_PREFIXES_MAX];
extern struct counters counters;
extern struct call_lane lanes[N_CALL_LANES];
extern struct renames renames;
extern struct cache_entry cache[N_CACHE_ENTRIES];
extern const volatile __u32 load_id;
#endif
