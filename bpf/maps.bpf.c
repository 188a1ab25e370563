/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps: see maps.h. What is written often stands in other pages than what every hook reads. */
#define MAPS_DEFINED_HERE
#include "maps.h"

slot_trie trie SEC(".maps");
slot_roots roots SEC(".maps");
slot_pins pins SEC(".maps");
slot_nets nets SEC(".maps");
slot_cgroups cgroups SEC(".maps");
slot_rulesets rulesets SEC(".maps");
slot_hits hits SEC(".maps");
ring denials SEC(".maps");
ring audits SEC(".maps");
rename_marks renaming SEC(".maps");

struct hot hot SEC(".data.hot");
struct prefix prefixes[N_SLOTS * N_PREFIXES_MAX] SEC(".data.prefixes");
struct counters counters SEC(".data.counters");
struct call_lane lanes[N_CALL_LANES] SEC(".data.lanes");
struct renames renames SEC(".data.renames");
struct cache_entry
        cache[N_CACHE_ENTRIES]; /* the only one in .bss: it is not stored in the object */

/* New for each loading, so that a canary proves these programs and not adopted ones. */
const volatile __u32 load_id = 0;

char license_text[] SEC("license") = "Dual BSD/GPL";
