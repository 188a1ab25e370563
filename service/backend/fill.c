/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fill: an image's records into the maps of the idle slot: those in which it differs from what they
 * hold, or all, into maps that are made for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/cgroups.h"
#include "backend/fill.h"
#include "util/cleanup.h"
#include "util/fiber.h"
#include "util/log.h"

/* So many elements a call. */
#define BATCH 1024u

#define HASH_FILLING(number, array, count, type)                                                   \
        {                                                                                          \
                .table = (number), .items = (array), .n_items = (count),                           \
                .item_size = sizeof(type), .key_size = sizeof(((type *) 0)->key),                  \
                .value_offset = offsetof(type, value), .value_size = sizeof(((type *) 0)->value),  \
                .n_spare = SPARE(count)                                                            \
        }

#define ARRAY_FILLING(number, array, count, type, spare)                                           \
        {                                                                                          \
                .table = (number), .items = (array), .n_items = (count),                           \
                .item_size = sizeof(type), .value_size = sizeof(type), .flags = BPF_F_INNER_MAP,   \
                .n_spare = (spare)                                                                 \
        }

/* Where number 0 stands for none, one element is none. */
#define ROOM(n) ((n) > 1 ? (n) : 0)

static int create_map(const Filling *filling)
{
        LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = filling->flags);
        size_t n = filling->n_items + filling->n_spare;
        char name[BPF_OBJ_NAME_LEN];
        int fd;

        snprintf(name, sizeof(name), OWN_MAP_PREFIX "%s", table_name(filling->table));
        fd = bpf_map_create(filling->key_size ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, name,
                            filling->key_size ? (uint32_t) filling->key_size : sizeof(uint32_t),
                            (uint32_t) filling->value_size, n ? (uint32_t) n : 1, &options);
        return fd < 0 ? log_errno(errno, "Cannot make the map %s of %zu entries",
                                  table_name(filling->table), n)
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
        return r < 0 ? log_errno(r, "Cannot fill the map %s", table_name(filling->table)) : 0;
}

int fill_whole(Backend *backend, uint32_t slot, const Filling *filling)
{
        _cleanup_(closep) int fd = create_map(filling);
        int r;

        if (fd < 0)
                return fd;
        r = fill_map(fd, filling);
        if (r == 0)
                r = slot_put(backend, slot, filling->table, fd);
        if (r < 0)
                return r;
        fd = -1;
        backend->slots[slot].maps[filling->table].room = filling->n_items + filling->n_spare;
        return 0;
}

/* Returns 0, or another number if it is to be filled whole. */
static int fill_by_difference(const SlotMap *map, const Filling *from, const Filling *to)
{
        if (map->room < to->n_items || difference_count(from, to) > to->n_items)
                return -1;
        return difference_write(map->fd, from, to);
}

/* from: what its map holds, if that has room at all. */
static int fill_table(Backend *backend, uint32_t slot, const Filling *from, const Filling *to)
{
        SlotMap *map = &backend->slots[slot].maps[to->table];

        /* Each change of a slot costs a grace period: what the image's flags never lead to stays,
         * but no longer holds what the slot does. */
        if (!to->n_items) {
                map->room = 0;
                return 0;
        }
        if (fill_by_difference(map, from, to) == 0)
                return 0;
        return fill_whole(backend, slot, to);
}

typedef struct RootItem {
        uint32_t key, zero;
        struct trie_value value;
} RootItem;

_Static_assert(sizeof(RootItem) == sizeof(RootEntry), "RootItem is RootEntry with other names");

#define N_STATIC_TABLES TABLE_CGROUP_NAMES

/* What programs never write. */
static void list_fillings(const PolicyImage *image, Filling ret_fillings[N_STATIC_TABLES])
{
        const Filling fillings[N_STATIC_TABLES] = {
                HASH_FILLING(TABLE_TRIE, image->trie, image->n_trie, TrieEntry),
                HASH_FILLING(TABLE_ROOTS, image->roots, image->n_roots, RootItem),
                HASH_FILLING(TABLE_PINS, image->pins, image->n_pins, PinEntry),
                HASH_FILLING(TABLE_NETS, image->nets, image->n_nets, NetEntry),
                HASH_FILLING(TABLE_MARKS, image->marks, image->n_marks, MarkEntry),
                HASH_FILLING(TABLE_COMMS, image->comms, image->n_comms, CommEntry),
                HASH_FILLING(TABLE_DIGESTS, image->digests, image->n_digests, DigestEntry),
                ARRAY_FILLING(TABLE_PORT_CLASSES, image->port_classes,
                              image->port_classes ? N_PORTS / PORTS_AT_ONCE : 0,
                              struct port_classes, 0),
                ARRAY_FILLING(TABLE_SUBJECTS, image->subjects, ROOM(image->n_subjects),
                              struct subject, SPARE(image->n_subjects)),
                ARRAY_FILLING(TABLE_CLAUSES, image->clauses, ROOM(image->n_clauses), struct clause,
                              SPARE(image->n_clauses)),
                ARRAY_FILLING(TABLE_RULESETS, image->rulesets, ROOM(image->n_rulesets),
                              struct ruleset, SPARE(image->n_rulesets)),
        };

        memcpy(ret_fillings, fillings, sizeof(fillings));
}

/* before: what the slot holds, or NULL. */
static int fill_static(Backend *backend, uint32_t slot, const PolicyImage *before,
                       const PolicyImage *image)
{
        const PolicyImage nothing = {};
        Filling from[N_STATIC_TABLES], to[N_STATIC_TABLES];
        int r = 0;

        list_fillings(before ? before : &nothing, from);
        list_fillings(image, to);
        for (size_t i = 0; r == 0 && i < N_STATIC_TABLES; i++)
                r = fill_table(backend, slot, &from[i], &to[i]);
        return r;
}

/* Whether the map of numbers can stay: programs have added to it, by the same names. */
static int names_are_equal(const PolicyImage *before, const PolicyImage *image)
{
        return before && before->n_cgroup_names == image->n_cgroup_names &&
               before->n_cgroup_ids == image->n_cgroup_ids &&
               (!image->n_cgroup_names ||
                memcmp(before->cgroup_names, image->cgroup_names,
                       image->n_cgroup_names * sizeof(image->cgroup_names[0])) == 0) &&
               (!image->n_cgroup_ids ||
                memcmp(before->cgroup_ids, image->cgroup_ids,
                       image->n_cgroup_ids * sizeof(image->cgroup_ids[0])) == 0);
}

/* Cgroups are made at any moment, and a program numbers each as it is made, by the names in the
 * slots: so those stand there before what exists already is looked up. */
static int fill_cgroups(Backend *backend, uint32_t slot, const PolicyImage *before,
                        const PolicyImage *image)
{
        const Filling names = HASH_FILLING(TABLE_CGROUP_NAMES, image->cgroup_names,
                                           image->n_cgroup_names, CgroupNameEntry);
        Filling numbers =
                HASH_FILLING(TABLE_CGROUPS, image->cgroup_ids, image->n_cgroup_ids, CgroupIdEntry);
        SlotMap *map = &backend->slots[slot].maps[TABLE_CGROUPS];
        int r = 0;

        if (!(image->flags & (IMAGE_UNBOUND | IMAGE_CGROUPS))) {
                map->room = 0;
                return 0;
        }
        numbers.flags = BPF_F_NO_PREALLOC;
        numbers.n_spare = N_CGROUPS_MAX;
        if (!map->room || !names_are_equal(before, image)) {
                /* In this order: by the names of an older policy nothing may come into the new
                 * numbers. */
                r = fill_whole(backend, slot, &names);
                if (r == 0)
                        r = fill_whole(backend, slot, &numbers);
        }
        /* While no policy needed it, no program numbered what was made. */
        return r < 0 ? r : cgroups_number(map->fd, image);
}

int fill_slot(Backend *backend, uint32_t slot, PolicyImage *image)
{
        _cleanup_(policy_image_freep) PolicyImage *before = TAKE_PTR(backend->slots[slot].image);
        int r;

        /* The hits come first: the kernel ends that change with a grace period, after which no
         * program can still be deciding by a word it read when the slot was in force. (membarrier()
         * does not wait on one processor, nor with nohz_full.) */
        r = hits_fill(backend, slot, image);
        if (r == 0)
                r = fill_static(backend, slot, before, image);
        if (r == 0)
                r = fill_cgroups(backend, slot, before, image);
        if (r < 0) {
                slot_forget(&backend->slots[slot]);
                return r;
        }
        memcpy(&backend->prefixes[slot * N_PREFIXES_MAX], image->prefixes,
               image->n_prefixes * sizeof(struct prefix));
        backend->slots[slot].image = policy_image_ref(image);
        return 0;
}

/* ---- a slot at rest ---- */

/* Some megabytes, all tables together: what is less is worth a quick change. */
#define LARGE 16384u

void fill_rest(Backend *backend, uint32_t slot)
{
        const PolicyImage nothing = {};
        Filling fillings[N_STATIC_TABLES];
        int n_emptied = 0;

        list_fillings(&nothing, fillings);
        for (size_t i = 0; i < N_STATIC_TABLES; i++)
                if (slot_size(&backend->slots[slot].maps[fillings[i].table]) > LARGE)
                        n_emptied += fill_whole(backend, slot, &fillings[i]) == 0;
        if (n_emptied > 0)
                slot_forget(&backend->slots[slot]);
}
