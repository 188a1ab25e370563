/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private: what the rooms of the backend share. */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h" /* the skeleton wants these types complete */
#include "aegis.skel.h"
#include "backend/backend.h"
#include "backend/canary.h"
#include "backend/mounts.h"
#include "backend/program.h"

/* One hook of this loading. */
typedef struct Attachment {
        const char *program; /* NULL: none fits */
        char symbol[SYMBOL_MAX];
        const char *reason; /* why it is not attached */
        struct bpf_link *link;
} Attachment;

/* What the kernel said about itself. */
typedef struct Probe {
        char kernel[128];
        char lsm_list[512];
        int has_btf, has_bpf_lsm, lsm_listed;
        const char *missing, *remedy;
} Probe;

struct Backend {
        BackendEventFunc on_event;
        void *userdata;
        Probe probe;
        Mounts mounts;
        Resolver resolver;
        Canary canary;
        int pin_fd; /* the folder of this ABI in our bpffs */
        char *pin_path;
        Tier tier;
        struct aegis_bpf *skeleton; /* NULL in TIER_NONE */
        struct hot *hot;            /* these four are the kernel's own memory */
        struct prefix *prefixes;
        struct counters *counters;
        struct renames *renames;
        struct call_lane *lanes;
        Attachment attachments[N_HOOKS];
        struct bpf_link *rename_end;
        struct ring_buffer *rings;
        unsigned n_taken, n_take; /* of the dispatch that is going on */
        int adopted;
        int prepared; /* the idle slot is filled and waits for its commit */
        uint32_t prepared_word;
        uint64_t prepared_hooks;
};

/* probe.c */
void probe_kernel(Probe *ret_probe);

/* pin.c. Makes the folder of our ABI, with a bpffs below it, and opens it. 0 or a negative errno.
 */
int pin_folder_open(Backend *backend, const char *directory);
/* Puts a link's pin in place of the one of that name, so that one of them always holds. */
int pin_link(Backend *backend, struct bpf_link *link, const char *program);
void unpin_link(Backend *backend, const char *program);
/* Takes away pins of links that no program of this loading stands behind. */
void unpin_strangers(Backend *backend);

/* load.c. Loads the programs for a tier, with the maps that are pinned, if any. 0 or a negative
 * errno. */
int load_tier(Backend *backend, Tier tier, const struct btf *btf);
void unload(Backend *backend);

/* attach.c */
/* Without those that are newer than this kernel, which needs others in their place. */
uint64_t hooks_of_this_kernel(const Backend *backend, uint64_t hooks);
/* Attaches and proves those of the hooks that are not attached yet. Returns the hooks that could
 * not be; each has its reason then. */
uint64_t attach_hooks(Backend *backend, uint64_t hooks);
/* Releases what is attached and not in hooks. */
void release_hooks(Backend *backend, uint64_t hooks);

/* fill.c. Makes an image's maps and puts them in a slot. 0 or a negative errno. */
int fill_slot(Backend *backend, uint32_t slot, const PolicyImage *image);

/* backend.c */
uint32_t word_now(const Backend *backend);
void word_store(Backend *backend, uint32_t word);
