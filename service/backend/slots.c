/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots: which maps stand in the two slots. Their descriptors are kept: older kernels wait for a
 * grace period each time somebody asks an outer map which map it holds. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define RCU_EXPEDITED "/sys/kernel/rcu_expedited"

static const char *const names[N_TABLES] = {
        [TABLE_TRIE] = "trie",         [TABLE_ROOTS] = "roots",
        [TABLE_PINS] = "pins",         [TABLE_NETS] = "nets",
        [TABLE_MARKS] = "marks",       [TABLE_COMMS] = "comms",
        [TABLE_DIGESTS] = "digests",   [TABLE_PORT_CLASSES] = "port_classes",
        [TABLE_SUBJECTS] = "subjects", [TABLE_CLAUSES] = "clauses",
        [TABLE_RULESETS] = "rulesets", [TABLE_CGROUP_NAMES] = "cgroup_names",
        [TABLE_CGROUPS] = "cgroups",   [TABLE_HITS] = "hits",
};

const char *table_name(SlotTable table)
{
        return names[table];
}

static int outer_fd(const Backend *backend, SlotTable table)
{
        return bpf_map__fd(bpf_object__find_map_by_name(backend->skeleton->obj, names[table]));
}

int expedite_open(void)
{
        return open(RCU_EXPEDITED, O_RDWR | O_CLOEXEC);
}

/* Grace periods are waited for in the expedited way while this says 1, on the whole machine: some
 * interrupts more for a moment, instead of tens of milliseconds a map. Returns what it said, or 0
 * where it cannot be told. */
static char expedite(int fd, char wanted)
{
        char before = '\0';

        if (fd < 0 || pread(fd, &before, 1, 0) != 1)
                return '\0';
        if (before != wanted && pwrite(fd, &wanted, 1, 0) != 1)
                return '\0';
        return before;
}

static uint32_t map_id(int fd)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &n) < 0 ? 0 : info.id;
}

uint32_t slot_size(const SlotMap *map)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        return bpf_obj_get_info_by_fd(map->fd, &info, &n) < 0 ? 0 : info.max_entries;
}

void slots_init(Backend *backend)
{
        for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
                backend->slots[slot] = (Slot){};
                for (SlotTable table = 0; table < N_TABLES; table++)
                        backend->slots[slot].maps[table].fd = -1;
        }
}

static void pin_path_of(const Backend *backend, uint32_t slot, SlotTable table, const char *prefix,
                        char ret_path[PATH_MAX])
{
        snprintf(ret_path, PATH_MAX, "%s/%sslot%u_%s", backend->pin_path, prefix, slot,
                 names[table]);
}

/* By its number only who has CAP_SYS_ADMIN gets it; by its pin, who owns that. */
static int pin_map(const Backend *backend, uint32_t slot, SlotTable table, int fd)
{
        char path[PATH_MAX], aside[PATH_MAX];

        pin_path_of(backend, slot, table, "", path);
        pin_path_of(backend, slot, table, "new_", aside);
        unlink(aside);
        if (bpf_obj_pin(fd, aside) < 0 || rename(aside, path) < 0)
                return log_errno(errno, "Cannot pin the map %s", names[table]);
        return 0;
}

static int open_pinned(const Backend *backend, uint32_t slot, SlotTable table, uint32_t id)
{
        _cleanup_(closep) int fd = -1;
        char path[PATH_MAX];

        pin_path_of(backend, slot, table, "", path);
        fd = bpf_obj_get(path);
        return fd >= 0 && map_id(fd) == id ? TAKE_FD(fd) : -1;
}

static void find(Backend *backend, uint32_t slot, SlotTable table)
{
        SlotMap *map = &backend->slots[slot].maps[table];

        if (bpf_map_lookup_elem(outer_fd(backend, table), &slot, &map->id) < 0) {
                map->id = 0;
                return;
        }
        map->fd = open_pinned(backend, slot, table, map->id);
        if (map->fd >= 0)
                return;
        /* A service was killed between the two, or the pin is gone. */
        map->fd = bpf_map_get_fd_by_id(map->id);
        if (map->fd >= 0)
                pin_map(backend, slot, table, map->fd);
        else
                log_errno(errno, "Cannot open the map %s of slot %u", names[table], slot);
}

void slots_find(Backend *backend)
{
        char before = expedite(backend->expedite_fd, '1');

        for (SlotTable table = 0; table < N_TABLES; table++)
                for (uint32_t slot = 0; slot < N_SLOTS; slot++)
                        find(backend, slot, table);
        if (before)
                expedite(backend->expedite_fd, before);
}

void slots_deinit(Backend *backend)
{
        for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
                slot_forget(&backend->slots[slot]);
                for (SlotTable table = 0; table < N_TABLES; table++)
                        closep(&backend->slots[slot].maps[table].fd);
        }
        slots_init(backend);
}

void slot_forget(Slot *slot)
{
        slot->image = policy_image_free(slot->image);
        for (SlotTable table = 0; table < N_TABLES; table++)
                slot->maps[table].room = 0;
}

int slot_put(Backend *backend, uint32_t slot, SlotTable table, int fd)
{
        SlotMap *map = &backend->slots[slot].maps[table];
        char before = expedite(backend->expedite_fd, '1');
        int r;

        r = bpf_map_update_elem(outer_fd(backend, table), &slot, &fd, BPF_ANY);
        if (r < 0)
                r = -errno;
        if (before)
                expedite(backend->expedite_fd, before);
        if (r == 0 && fd != map->fd)
                r = pin_map(backend, slot, table, fd);
        if (r < 0)
                return log_errno(r, "Cannot put the map %s in its slot", names[table]);
        if (fd != map->fd)
                closep(&map->fd);
        map->fd = fd;
        map->id = map_id(fd);
        return 0;
}
