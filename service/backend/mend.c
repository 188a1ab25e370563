/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mend: pins of maps that are gone. A map is there for as long as a program uses it, and a program
 * for as long as something holds its link: a pin, or systemd's store of descriptors. Root finds
 * them by their numbers and pins them anew. What goes together is told by struct hot: programs that
 * look at the same are of one policy. Where that cannot be told nothing of it is used, and all
 * begins anew beside what denies. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define MAPS_MAX 64u /* of a program; the kernel's own bound */
#define NAME_SIZE 16u

/* A program that some link holds. */
typedef struct Held {
        uint32_t maps[MAPS_MAX];
        uint32_t n_maps;
} Held;

typedef struct Search {
        const Backend *backend;
        uint32_t hot;        /* the map; 0: not known yet */
        uint64_t generation; /* in force in it */
        unsigned n_held;     /* programs that look at it */
} Search;

typedef void (*HeldFunc)(Search *search, const Held *held);

static int is_ours(const Backend *backend, const char *name)
{
        struct bpf_program *program;

        bpf_object__for_each_program(program, backend->skeleton->obj)
        {
                if (strncmp(bpf_program__name(program), name, NAME_SIZE - 1) == 0)
                        return 1;
        }
        return 0;
}

/* Returns 0, or a negative number if it is none of ours. */
static int look_at(const Backend *backend, uint32_t link_id, Held *ret_held)
{
        struct bpf_link_info link = {};
        struct bpf_prog_info program = {.map_ids = (uintptr_t) ret_held->maps,
                                        .nr_map_ids = MAPS_MAX};
        uint32_t n_link = sizeof(link), n_program = sizeof(program);
        _cleanup_(closep) int link_fd = bpf_link_get_fd_by_id(link_id), fd = -1;

        if (link_fd < 0 || bpf_obj_get_info_by_fd(link_fd, &link, &n_link) < 0 ||
            link.type != BPF_LINK_TYPE_TRACING)
                return -1;
        fd = bpf_prog_get_fd_by_id(link.prog_id);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &program, &n_program) < 0 ||
            program.nr_map_ids > MAPS_MAX || !is_ours(backend, program.name))
                return -1;
        ret_held->n_maps = program.nr_map_ids;
        return 0;
}

static void each_held(Search *search, HeldFunc function)
{
        uint32_t id = 0;

        while (bpf_link_get_next_id(id, &id) == 0) {
                Held held;

                if (look_at(search->backend, id, &held) == 0)
                        function(search, &held);
        }
}

static int has(const Held *held, uint32_t map)
{
        for (uint32_t i = 0; i < held->n_maps; i++)
                if (held->maps[i] == map)
                        return 1;
        return 0;
}

/* ---- maps ---- */

/* Whether it is what would be made. */
static int is_like(const struct bpf_map *map, const struct bpf_map_info *info)
{
        return strncmp(info->name, bpf_map__name(map), NAME_SIZE - 1) == 0 &&
               info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
               info->value_size == bpf_map__value_size(map) &&
               info->max_entries == bpf_map__max_entries(map) &&
               info->map_flags == bpf_map__map_flags(map);
}

/* Returns a new descriptor, or negative. */
static int open_like(const struct bpf_map *map, uint32_t id)
{
        _cleanup_(closep) int fd = bpf_map_get_fd_by_id(id);
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0 && is_like(map, &info)
                       ? TAKE_FD(fd)
                       : -1;
}

static uint32_t id_of_pin(const struct bpf_map *map)
{
        _cleanup_(closep) int fd = bpf_obj_get(bpf_map__pin_path(map));
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0 ? info.id : 0;
}

static int is_pin_missing(const struct bpf_map *map)
{
        return bpf_map__pin_path(map) && access(bpf_map__pin_path(map), F_OK) < 0;
}

/* ---- what goes together ---- */

/* 0 if nothing is. */
static uint64_t generation_in_force(int fd)
{
        const struct hot *hot = mmap(NULL, sizeof(*hot), PROT_READ, MAP_SHARED, fd, 0);
        uint64_t generation;

        if (hot == MAP_FAILED)
                return 0;
        generation = hot->abi == AEGIS_ABI ? hot->headers[hot->word & WORD_SLOT].generation : 0;
        munmap((void *) hot, sizeof(*hot));
        return generation;
}

static void find_hot(Search *search, const Held *held)
{
        for (uint32_t i = 0; i < held->n_maps; i++) {
                _cleanup_(closep) int fd = -1;
                uint64_t generation;

                if (held->maps[i] == search->hot)
                        return;
                fd = open_like(search->backend->skeleton->maps.data_hot, held->maps[i]);
                generation = fd < 0 ? 0 : generation_in_force(fd);
                if (generation > search->generation) {
                        search->hot = held->maps[i];
                        search->generation = generation;
                }
        }
}

static void pin_maps(Search *search, const Held *held)
{
        struct bpf_map *map;

        if (!has(held, search->hot))
                return;
        search->n_held++;
        bpf_object__for_each_map(map, search->backend->skeleton->obj)
        {
                for (uint32_t i = 0; is_pin_missing(map) && i < held->n_maps; i++) {
                        _cleanup_(closep) int fd = open_like(map, held->maps[i]);

                        if (fd >= 0 && bpf_obj_pin(fd, bpf_map__pin_path(map)) < 0)
                                log_errno(errno, "Cannot pin %s anew", bpf_map__name(map));
                        else if (fd >= 0)
                                log_notice("The pin %s was gone", bpf_map__pin_path(map));
                }
        }
}

static size_t count_missing(const Backend *backend)
{
        const struct bpf_map *map;
        size_t n = 0;

        bpf_object__for_each_map(map, backend->skeleton->obj) n += is_pin_missing(map);
        return n;
}

static int is_event_pin(const Backend *backend, const char *path)
{
        return strncmp(path, backend->events_path, strlen(backend->events_path)) == 0;
}

/* Nothing looks at these maps: with some of them gone the others are of no use. */
static void begin_anew(const Backend *backend)
{
        const struct bpf_map *map;

        log_warning("Pins below %s are gone, and what they were of too", backend->pin_path);
        bpf_object__for_each_map(map, backend->skeleton->obj)
        {
                const char *path = bpf_map__pin_path(map);

                if (path && !is_event_pin(backend, path))
                        unlink(path);
        }
}

int maps_mend(Backend *backend)
{
        const struct bpf_map *hot = backend->skeleton->maps.data_hot;
        Search search = {.backend = backend};

        if (count_missing(backend) == 0)
                return 0;
        search.hot = id_of_pin(hot);
        if (!search.hot)
                each_held(&search, find_hot);
        if (search.hot)
                each_held(&search, pin_maps);
        if (search.hot && search.n_held == 0)
                begin_anew(backend);
        return search.n_held > 0;
}
