/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floors: numbers that must not fall, in a map that no program reads. It hangs above the folders of
 * the ABIs: an upgrade finds what the version before has left. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PIN_NAME "floors"

typedef struct Value {
        uint64_t number;
        uint8_t digest[DIGEST_SIZE];
} Value;

/* Whatever hangs there by that name must be what we would have made; or with room for all of them,
 * as earlier services made it. */
static int is_right(int fd)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &n) == 0 && info.type == BPF_MAP_TYPE_HASH &&
               info.key_size == FLOOR_NAME_SIZE && info.value_size == sizeof(Value) &&
               info.max_entries == FLOORS_MAX;
}

static int make(const char *path)
{
        LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
        _cleanup_(closep) int fd =
                bpf_map_create(BPF_MAP_TYPE_HASH, "aegis_floors", FLOOR_NAME_SIZE, sizeof(Value),
                               FLOORS_MAX, &options);

        if (fd < 0)
                return log_errno(errno, "Cannot make the map of floors");
        if (bpf_obj_pin(fd, path) < 0)
                return log_errno(errno, "Cannot pin the map of floors");
        return TAKE_FD(fd);
}

/* What an earlier service kept, where the pin is gone. */
static void pin_anew(const char *path, int handed)
{
        if (handed && access(path, F_OK) < 0 && is_right(handed) && bpf_obj_pin(handed, path) == 0)
                log_notice("The pin %s was gone", path);
}

void floors_open(Backend *backend, const char *directory)
{
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/" PIN_NAME, directory) < 0) {
                path = NULL;
                return;
        }
        pin_anew(path, backend->floors_handed);
        backend->floors_fd = bpf_obj_get(path);
        if (backend->floors_fd >= 0 && is_right(backend->floors_fd))
                return;
        if (backend->floors_fd >= 0)
                unlink(path); /* what hangs there has another form */
        closep(&backend->floors_fd);
        backend->floors_fd = make(path);
}

size_t backend_floors(Backend *backend, Floor *ret_floors, size_t max)
{
        char name[FLOOR_NAME_SIZE], *before = NULL;
        size_t n = 0;

        if (backend->floors_fd < 0)
                return 0;
        while (n < max && bpf_map_get_next_key(backend->floors_fd, before, name) == 0) {
                Floor *floor = &ret_floors[n];
                Value value;

                before = name;
                if (bpf_map_lookup_elem(backend->floors_fd, name, &value) < 0)
                        continue;
                memcpy(floor->name, name, sizeof(name));
                floor->name[FLOOR_NAME_SIZE - 1] = '\0';
                floor->number = value.number;
                memcpy(floor->digest, value.digest, DIGEST_SIZE);
                n++;
        }
        return n;
}

void backend_raise_floor(Backend *backend, const Floor *floor)
{
        Value value = {.number = floor->number}, before;

        if (backend->floors_fd < 0)
                return;
        if (bpf_map_lookup_elem(backend->floors_fd, floor->name, &before) == 0 &&
            before.number >= floor->number)
                return;
        memcpy(value.digest, floor->digest, DIGEST_SIZE);
        if (bpf_map_update_elem(backend->floors_fd, floor->name, &value, BPF_ANY) < 0)
                log_errno(errno, "The kernel does not take the floor of %s", floor->name);
}
