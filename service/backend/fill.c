/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fill: an image's records into maps of just their size, and those maps into the idle slot. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/log.h"

/* One map of a slot. Elements lie in an array of records: key and value at their offsets. An array
 * map has its index for a key (key_size 0). */
typedef struct Filling {
        struct bpf_map *outer;
        const char *name;
        const void *items;
        size_t n_items, item_size;
        size_t key_size, value_offset, value_size;
} Filling;

#define HASH_FILLING(outer_map, map_name, array, count, type)                                      \
        {                                                                                          \
                .outer = (outer_map), .name = (map_name), .items = (array), .n_items = (count),    \
                .item_size = sizeof(type), .key_size = sizeof(((type *) 0)->key),                  \
                .value_offset = offsetof(type, value), .value_size = sizeof(((type *) 0)->value)   \
        }

static int create_map(const Filling *filling)
{
        LIBBPF_OPTS(bpf_map_create_opts, options);
        uint32_t n = filling->n_items ? (uint32_t) filling->n_items : 1;
        int fd;

        if (!filling->key_size)
                options.map_flags = BPF_F_INNER_MAP;
        fd = bpf_map_create(filling->key_size ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY,
                            filling->name,
                            filling->key_size ? (uint32_t) filling->key_size : sizeof(uint32_t),
                            (uint32_t) filling->value_size, n, &options);
        return fd < 0 ? log_errno(errno, "Cannot make the map %s of %u entries", filling->name, n)
                      : fd;
}

static int fill_map(int fd, const Filling *filling)
{
        for (size_t i = 0; filling->items && i < filling->n_items; i++) {
                const char *item = (const char *) filling->items + i * filling->item_size;
                uint32_t index = (uint32_t) i;
                const void *key = filling->key_size ? (const void *) item : &index;

                if (bpf_map_update_elem(fd, key, item + filling->value_offset, BPF_ANY) < 0)
                        return log_errno(errno, "Cannot fill the map %s", filling->name);
        }
        return 0;
}

static int fill_one(const Filling *filling, uint32_t slot)
{
        _cleanup_(closep) int fd = create_map(filling);
        int r;

        if (fd < 0)
                return fd;
        r = fill_map(fd, filling);
        if (r < 0)
                return r;
        if (bpf_map_update_elem(bpf_map__fd(filling->outer), &slot, &fd, BPF_ANY) < 0)
                return log_errno(errno, "Cannot put the map %s in its slot", filling->name);
        return 0;
}

typedef struct CgroupEntry {
        uint64_t key;
        uint32_t value;
} CgroupEntry;

typedef struct RootItem {
        uint32_t key;
        struct trie_value value;
} RootItem;

_Static_assert(sizeof(RootItem) == sizeof(RootEntry), "RootItem is RootEntry with other names");

int fill_slot(Backend *backend, uint32_t slot, const PolicyImage *image)
{
        _cleanup_(freep) CgroupEntry *cgroups = calloc(image->n_cgroups + 1, sizeof(*cgroups));
        struct aegis_bpf *skeleton = backend->skeleton;
        int r = 0;

        if (!cgroups)
                return -ENOMEM;
        for (size_t i = 0; i < image->n_cgroups; i++)
                cgroups[i] = (CgroupEntry){.key = image->cgroups[i], .value = 1};

        /* The hits come first: the kernel ends that change with a grace period, after which no
         * program can still be deciding by a word it read when the slot was in force. (membarrier()
         * does not wait on one processor, nor with nohz_full.) */
        const Filling fillings[] = {
                {.outer = skeleton->maps.hits,
                 .name = "hits",
                 .n_items = image->n_rules,
                 .value_size = sizeof(uint64_t)},
                HASH_FILLING(skeleton->maps.trie, "trie", image->trie, image->n_trie, TrieEntry),
                HASH_FILLING(skeleton->maps.roots, "roots", image->roots, image->n_roots, RootItem),
                HASH_FILLING(skeleton->maps.pins, "pins", image->pins, image->n_pins, PinEntry),
                HASH_FILLING(skeleton->maps.nets, "nets", image->nets, image->n_nets, NetEntry),
                HASH_FILLING(skeleton->maps.cgroups, "cgroups", cgroups, image->n_cgroups,
                             CgroupEntry),
                {.outer = skeleton->maps.rulesets,
                 .name = "rulesets",
                 .items = image->rulesets,
                 .n_items = image->n_rulesets,
                 .item_size = sizeof(struct ruleset),
                 .value_size = sizeof(struct ruleset)},
        };
        /* Each change of a slot costs a grace period: what the image's flags never lead to stays.
         */
        for (size_t i = 0; r == 0 && i < ELEMENTS_OF(fillings); i++)
                if (fillings[i].n_items)
                        r = fill_one(&fillings[i], slot);
        if (r == 0)
                memcpy(&backend->prefixes[slot * N_PREFIXES_MAX], image->prefixes,
                       image->n_prefixes * sizeof(struct prefix));
        return r;
}
