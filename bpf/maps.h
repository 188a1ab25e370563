/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps: the two slots and all that lives beside them. Each is defined in maps.bpf.c. */
#pragma once

#include "abi.h"
#include "kernel.h"

/* A slot's own map is made anew, in the size of its policy, each time the slot is filled. */
#define SLOT_HASH_OF(flags, key_type, value_type)                                                  \
        struct {                                                                                   \
                __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
                __uint(max_entries, N_SLOTS);                                                      \
                __uint(key_size, sizeof(__u32));                                                   \
                __array(                                                                           \
                        values, struct {                                                           \
                                __uint(type, BPF_MAP_TYPE_HASH);                                   \
                                __uint(max_entries, 1);                                            \
                                __uint(map_flags, flags);                                          \
                                __uint(key_size, sizeof(key_type));                                \
                                __uint(value_size, sizeof(value_type));                            \
                        });                                                                        \
        }

#define SLOT_HASH(key_type, value_type) SLOT_HASH_OF(0, key_type, value_type)

/* Programs add to it while its slot is in force: its size is a bound alone. */
#define SLOT_GROWING_HASH(key_type, value_type)                                                    \
        SLOT_HASH_OF(BPF_F_NO_PREALLOC, key_type, value_type)

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
typedef SLOT_HASH(struct net_key, __u32) slot_nets; /* a list */
typedef SLOT_HASH(struct mark_key, __u32) slot_marks;
typedef SLOT_HASH(struct comm_key, __u32) slot_comms;     /* a list */
typedef SLOT_HASH(struct digest_key, __u32) slot_digests; /* a list */
typedef SLOT_HASH(struct cgroup_name, struct cgroup_numbers) slot_cgroup_names;
typedef SLOT_GROWING_HASH(struct cgroup_key, __u32) slot_cgroups;
typedef SLOT_ARRAY(struct port_classes) slot_port_classes; /* by port, in host order */
typedef SLOT_ARRAY(struct subject) slot_subjects;
typedef SLOT_ARRAY(struct clause) slot_clauses;
typedef SLOT_ARRAY(struct ruleset) slot_rulesets;
typedef SLOT_ARRAY(__u64) slot_hits;
typedef RING(256 * 1024) ring;

/* What a task is in the middle of. */
struct task_note {
        __u64 moving;  /* the dentry of a directory, between the verdict that lets it be moved or
                          removed and the end of that; 0: none */
        __u64 copying; /* 1 between inode_copy_up and the open of the file that is copied */
};

typedef struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct task_note);
} task_notes;

typedef struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, N_FOLDS);
        __type(key, __u32);
        __type(value, struct fold);
} fold_array;

typedef struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, N_OWN_OBJECTS);
        __type(key, struct own_object);
        __type(value, __u32);
} own_object_set;

#define N_WARNED 4096 /* 2^12: judge.bpf.c takes as many bits */
#define N_RARE 512    /* rules at hooks that are told apart in a flood */
#define RARE_NS 1000000000ull

#ifndef MAPS_DEFINED_HERE
extern slot_trie trie SEC(".maps");
extern slot_roots roots SEC(".maps");
extern slot_pins pins SEC(".maps");
extern slot_nets nets SEC(".maps");
extern slot_marks marks SEC(".maps");
extern slot_comms comms SEC(".maps");
extern slot_digests digests SEC(".maps");
extern slot_cgroup_names cgroup_names SEC(".maps");
extern slot_cgroups cgroups SEC(".maps");
extern slot_port_classes port_classes SEC(".maps");
extern slot_subjects subjects SEC(".maps");
extern slot_clauses clauses SEC(".maps");
extern slot_rulesets rulesets SEC(".maps");
extern slot_hits hits SEC(".maps");
extern ring denials SEC(".maps");
extern ring audits SEC(".maps");
extern fold_array folds SEC(".maps");
extern task_notes notes SEC(".maps");
extern own_object_set own_objects SEC(".maps");

extern struct hot hot;
extern struct prefix prefixes[N_SLOTS * N_PREFIXES_MAX];
extern struct account account;
extern struct renames renames;
extern struct cache_entry cache[N_CACHE_ENTRIES];
extern __u64 warned[N_WARNED]; /* processes that were sent a SIGTERM */
extern __u32 copies_made;      /* an overlay has begun to copy something */
extern __u64 rare[N_RARE];     /* when a denial was told though its ring was full */
extern const volatile __u32 load_id;
extern const volatile __u32 built_for; /* IMAGE_… of IMAGE_BUILT_FOR */
#endif
