/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fill: an image's records into maps of just their size, and those maps into the idle slot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/cgroups.h"
#include "backend/private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/fiber.h"
#include "util/log.h"

#define RCU_EXPEDITED "/sys/kernel/rcu_expedited"

/* So many elements a call. */
#define BATCH 1024u

/* One map of a slot. Elements lie in an array of records: key and value at their offsets. An array
 * map has its index for a key (key_size 0). */
typedef struct Filling {
        struct bpf_map *outer;
        const char *name;
        const void *items; /* NULL: zeros */
        size_t n_items, item_size;
        size_t key_size, value_offset, value_size;
        uint32_t flags; /* of the map */
        size_t n_spare; /* room for more than the items */
} Filling;

#define HASH_FILLING(outer_map, array, count, type)                                                \
        {                                                                                          \
                .outer = skeleton->maps.outer_map, .name = #outer_map, .items = (array),           \
                .n_items = (count), .item_size = sizeof(type),                                     \
                .key_size = sizeof(((type *) 0)->key), .value_offset = offsetof(type, value),      \
                .value_size = sizeof(((type *) 0)->value)                                          \
        }

#define ARRAY_FILLING(outer_map, array, count, type)                                               \
        {                                                                                          \
                .outer = skeleton->maps.outer_map, .name = #outer_map, .items = (array),           \
                .n_items = (count), .item_size = sizeof(type), .value_size = sizeof(type),         \
                .flags = BPF_F_INNER_MAP                                                           \
        }

/* Where number 0 stands for none, one element is none. */
#define ROOM(n) ((n) > 1 ? (n) : 0)

static int create_map(const Filling *filling)
{
        LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = filling->flags);
        size_t n = filling->n_items + filling->n_spare;
        char name[BPF_OBJ_NAME_LEN];
        int fd;

        snprintf(name, sizeof(name), OWN_MAP_PREFIX "%s", filling->name);
        fd = bpf_map_create(filling->key_size ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, name,
                            filling->key_size ? (uint32_t) filling->key_size : sizeof(uint32_t),
                            (uint32_t) filling->value_size, n ? (uint32_t) n : 1, &options);
        return fd < 0 ? log_errno(errno, "Cannot make the map %s of %zu entries", filling->name, n)
                      : fd;
}

/* Keys and values side by side, as the kernel takes many at once. */
typedef struct Batch {
        char *keys, *values;
} Batch;

static void batch_deinit(Batch *batch)
{
        free(batch->keys);
        free(batch->values);
}

static int batch_init(Batch *batch, const Filling *filling)
{
        size_t key_size = filling->key_size ? filling->key_size : sizeof(uint32_t);

        batch->keys = calloc(BATCH, key_size);
        batch->values = calloc(BATCH, filling->value_size);
        return batch->keys && batch->values ? 0 : -ENOMEM;
}

static void batch_collect(Batch *batch, const Filling *filling, size_t first, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *item = (const char *) filling->items + (first + i) * filling->item_size;
                uint32_t index = (uint32_t) (first + i);

                if (filling->key_size)
                        memcpy(batch->keys + i * filling->key_size, item, filling->key_size);
                else
                        memcpy(batch->keys + i * sizeof(index), &index, sizeof(index));
                memcpy(batch->values + i * filling->value_size, item + filling->value_offset,
                       filling->value_size);
        }
}

static int fill_map(int fd, const Filling *filling)
{
        _cleanup_(batch_deinit) Batch batch = {};
        int r;

        if (!filling->items || !filling->n_items)
                return 0;
        r = batch_init(&batch, filling);
        for (size_t i = 0; r == 0 && i < filling->n_items; i += BATCH) {
                uint32_t n =
                        filling->n_items - i < BATCH ? (uint32_t) (filling->n_items - i) : BATCH;

                batch_collect(&batch, filling, i, n);
                r = bpf_map_update_batch(fd, batch.keys, batch.values, &n, NULL);
                fiber_pace();
        }
        return r < 0 ? log_errno(r, "Cannot fill the map %s", filling->name) : 0;
}

/* Grace periods are waited for in the expedited way while this says 1, on the whole machine: some
 * interrupts more for a moment, instead of tens of milliseconds a map. Returns what it said, or 0
 * where it cannot be told. */
static char expedite(char wanted)
{
        _cleanup_(closep) int fd = open(RCU_EXPEDITED, O_RDWR | O_CLOEXEC);
        char before = '\0';

        if (fd < 0 || pread(fd, &before, 1, 0) != 1)
                return '\0';
        if (before != wanted && pwrite(fd, &wanted, 1, 0) != 1)
                return '\0';
        return before;
}

static int put_in_slot(const Filling *filling, uint32_t slot, int fd)
{
        char before = expedite('1');
        int r;

        r = bpf_map_update_elem(bpf_map__fd(filling->outer), &slot, &fd, BPF_ANY);
        if (before)
                expedite(before);
        if (r < 0)
                return log_errno(r, "Cannot put the map %s in its slot", filling->name);
        return 0;
}

/* Returns a descriptor of the map, which is in its slot, or a negative errno. */
static int fill_one(const Filling *filling, uint32_t slot)
{
        _cleanup_(closep) int fd = create_map(filling);
        int r;

        if (fd < 0)
                return fd;
        r = fill_map(fd, filling);
        if (r == 0)
                r = put_in_slot(filling, slot, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

typedef struct RootItem {
        uint32_t key;
        struct trie_value value;
} RootItem;

_Static_assert(sizeof(RootItem) == sizeof(RootEntry), "RootItem is RootEntry with other names");

/* Cgroups are made at any moment, and a program numbers each as it is made, by the names in the
 * slots: so those stand there before what exists already is looked up. */
static int fill_cgroups(Backend *backend, uint32_t slot, const PolicyImage *image)
{
        struct aegis_bpf *skeleton = backend->skeleton;
        const Filling names = HASH_FILLING(cgroup_names, image->cgroup_names, image->n_cgroup_names,
                                           CgroupNameEntry);
        Filling numbers =
                HASH_FILLING(cgroups, image->cgroup_ids, image->n_cgroup_ids, CgroupIdEntry);
        _cleanup_(closep) int fd = -1, names_fd = -1;

        if (!(image->flags & (IMAGE_UNBOUND | IMAGE_CGROUPS)))
                return 0;
        numbers.flags = BPF_F_NO_PREALLOC;
        numbers.n_spare = N_CGROUPS_MAX;
        /* In this order: by the names of an older policy nothing may come into the new numbers. */
        names_fd = fill_one(&names, slot);
        if (names_fd < 0)
                return names_fd;
        fd = fill_one(&numbers, slot);
        if (fd < 0)
                return fd;
        return cgroups_number(fd, image);
}

static int fill_list(const Filling *fillings, size_t n, uint32_t slot)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_(closep) int fd = -1;

                /* Each change of a slot costs a grace period: what the image's flags never lead to
                 * stays. */
                if (!fillings[i].n_items)
                        continue;
                fd = fill_one(&fillings[i], slot);
                if (fd < 0)
                        return fd;
        }
        return 0;
}

/* The hits of the slot that is filled and of the one in force are added where both hold the same
 * documents. So those of the same documents go on, and before others come the sum must stand in the
 * one that stays. */
static int fill_hits(Backend *backend, uint32_t slot, const PolicyImage *image)
{
        struct aegis_bpf *skeleton = backend->skeleton;
        const Filling hits = ARRAY_FILLING(hits, NULL, image->n_rules, uint64_t);
        const struct header *header = header_in_force(backend);
        _cleanup_(closep) int fd = -1;

        if (hits_are_added(backend)) {
                fd = hits_open(backend, slot);
                if (fd >= 0 && memcmp(image->digest, header->digest, DIGEST_SIZE) == 0)
                        return put_in_slot(&hits, slot, fd);
                if (fd >= 0)
                        hits_move(backend, fd, header->n_rules);
                closep(&fd);
        }
        fd = fill_one(&hits, slot);
        return fd < 0 ? fd : 0;
}

int fill_slot(Backend *backend, uint32_t slot, const PolicyImage *image)
{
        struct aegis_bpf *skeleton = backend->skeleton;
        const Filling fillings[] = {
                HASH_FILLING(trie, image->trie, image->n_trie, TrieEntry),
                HASH_FILLING(roots, image->roots, image->n_roots, RootItem),
                HASH_FILLING(pins, image->pins, image->n_pins, PinEntry),
                HASH_FILLING(nets, image->nets, image->n_nets, NetEntry),
                HASH_FILLING(marks, image->marks, image->n_marks, MarkEntry),
                HASH_FILLING(comms, image->comms, image->n_comms, CommEntry),
                HASH_FILLING(digests, image->digests, image->n_digests, DigestEntry),
                ARRAY_FILLING(port_classes, image->port_classes,
                              image->port_classes ? N_PORTS / PORTS_AT_ONCE : 0,
                              struct port_classes),
                ARRAY_FILLING(subjects, image->subjects, ROOM(image->n_subjects), struct subject),
                ARRAY_FILLING(clauses, image->clauses, ROOM(image->n_clauses), struct clause),
                ARRAY_FILLING(rulesets, image->rulesets, ROOM(image->n_rulesets), struct ruleset),
        };
        int r;

        /* The hits come first: the kernel ends that change with a grace period, after which no
         * program can still be deciding by a word it read when the slot was in force. (membarrier()
         * does not wait on one processor, nor with nohz_full.) */
        r = fill_hits(backend, slot, image);
        if (r == 0)
                r = fill_list(fillings, ELEMENTS_OF(fillings), slot);
        if (r == 0)
                r = fill_cgroups(backend, slot, image);
        if (r == 0)
                memcpy(&backend->prefixes[slot * N_PREFIXES_MAX], image->prefixes,
                       image->n_prefixes * sizeof(struct prefix));
        return r;
}
