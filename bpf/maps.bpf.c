/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps: see maps.h. What is written often stands in other pages than what every hook reads. */
#define MAPS_DEFINED_HERE
#include "maps.h"

slot_trie trie SEC(".maps");
slot_roots roots SEC(".maps");
slot_pins pins SEC(".maps");
slot_nets nets SEC(".maps");
slot_marks marks SEC(".maps");
slot_comms comms SEC(".maps");
slot_digests digests SEC(".maps");
slot_cgroup_names cgroup_names SEC(".maps");
slot_cgroups cgroups SEC(".maps");
slot_port_classes port_classes SEC(".maps");
slot_subjects subjects SEC(".maps");
slot_clauses clauses SEC(".maps");
slot_rulesets rulesets SEC(".maps");
slot_hits hits SEC(".maps");
ring denials SEC(".maps");
ring audits SEC(".maps");
fold_array folds SEC(".maps");
task_notes notes SEC(".maps");
own_object_set own_objects SEC(".maps");

struct hot hot SEC(".data.hot");
struct prefix prefixes[N_SLOTS * N_PREFIXES_MAX] SEC(".data.prefixes");
struct account account SEC(".data.account");
struct renames renames SEC(".data.renames");

/* In .bss, which is not stored in the object. */
struct cache_entry cache[N_CACHE_ENTRIES];
__u64 warned[N_WARNED];
__u64 rare[N_RARE];
__u32 copies_made;

/* New for each loading, so that a canary proves these programs and not adopted ones. */
const volatile __u32 load_id = 0;

const volatile __u32 built_for = 0;

char license_text[] SEC("license") = "Dual BSD/GPL";
