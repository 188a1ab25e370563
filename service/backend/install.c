/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Install: programs into the kernel, just those that are needed now. The object is opened anew for
 * them and lives on the maps that are there. Where each attaches is told by number: the library
 * would look through all names of the kernel for each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

static const Program *find_program(const Backend *backend, const char *name)
{
        for (size_t i = 0; i < backend->n_programs; i++)
                if (strcmp(backend->programs[i].name, name) == 0)
                        return &backend->programs[i];
        return NULL;
}

static enum bpf_prog_type type_of_tier(const Backend *backend)
{
        return backend->tier == TIER_LSM ? BPF_PROG_TYPE_LSM : BPF_PROG_TYPE_TRACING;
}

/* cookie: the backend. */
static int aim(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
        const Backend *backend = (const Backend *) cookie;
        const Program *known = find_program(backend, bpf_program__name(program));

        if (bpf_program__type(program) == BPF_PROG_TYPE_EXT)
                return judge_aim(backend->loading, options);
        if (!known)
                return -ENOENT;
        options->attach_btf_id = known->target_id;
        options->prog_flags |= known->flags;
        return bpf_program__set_type(program, type_of_tier(backend));
}

/* A handler of nothing, which stays: libbpf (1.1 does) frees its array with the last handler and
 * uses it again. */
#define ANCHOR_SECTION "aegis.anchor"

/* The same programs are of another type in each tier of trampolines. The library is told of it as
 * late as it can be: where it knows, it reads all types of the kernel first, to find what it is
 * told by number.
 */
typedef struct Handlers {
        int plain, sleepable, judge; /* negative: not registered */
} Handlers;

static void handlers_deinit(Handlers *handlers)
{
        if (handlers->plain >= 0)
                libbpf_unregister_prog_handler(handlers->plain);
        if (handlers->sleepable >= 0)
                libbpf_unregister_prog_handler(handlers->sleepable);
        if (handlers->judge >= 0)
                libbpf_unregister_prog_handler(handlers->judge);
}

/* Some versions of the library use memory after they freed it when the last handler goes and
 * another comes: so there is always one more, for a section that nobody has. */
static int keep_one(Backend *backend)
{
        LIBBPF_OPTS(libbpf_prog_handler_opts, options);

        if (backend->keeps_handler)
                return 0;
        if (libbpf_register_prog_handler("none", BPF_PROG_TYPE_UNSPEC, 0, &options) < 0)
                return -EINVAL;
        backend->keeps_handler = 1;
        return 0;
}

static int handlers_init(Handlers *handlers, Backend *backend)
{
        const enum bpf_prog_type type = BPF_PROG_TYPE_SOCKET_FILTER;
        enum bpf_attach_type attach_type =
                backend->tier == TIER_LSM ? BPF_LSM_MAC : BPF_MODIFY_RETURN;
        LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long) backend,
                    .prog_prepare_load_fn = aim);

        if (!backend->has_anchor) {
                if (libbpf_register_prog_handler(ANCHOR_SECTION, BPF_PROG_TYPE_UNSPEC, 0, NULL) < 0)
                        return -EINVAL;
                backend->has_anchor = 1;
        }
        handlers->plain = libbpf_register_prog_handler("lsm+", type, attach_type, &options);
        handlers->sleepable = libbpf_register_prog_handler("lsm.s+", type, attach_type, &options);
        handlers->judge = libbpf_register_prog_handler("freplace+", BPF_PROG_TYPE_EXT, 0, &options);
        return handlers->plain < 0 || handlers->sleepable < 0 || handlers->judge < 0 ? -EINVAL : 0;
}

/* What these programs alone are told. By their number the service tells their canary from those of
 * programs that stand beside them. */
static int set_constants(Backend *backend, struct bpf_map *map)
{
        _cleanup_(freep) struct aegis_bpf__rodata *constants = NULL;
        size_t size = 0;
        const void *initial = bpf_map__initial_value(map, &size);

        if (!initial)
                return -EINVAL;
        constants = calloc(1, size + sizeof(*constants)); /* that may be larger, by its padding */
        if (!constants)
                return -ENOMEM;
        memcpy(constants, initial, size);
        if (getrandom(&backend->load_id, sizeof(backend->load_id), 0) < 0)
                return -errno;
        constants->load_id = backend->load_id;
        constants->built_for = backend->built_for;
        constants->in_lsm = backend->tier == TIER_LSM;
        return bpf_map__set_initial_value(map, constants, size);
}

static int share_maps(Backend *backend, const struct bpf_object *object)
{
        const char *constants = bpf_map__name(backend->skeleton->maps.rodata);
        struct bpf_map *map;
        int r;

        bpf_object__for_each_map(map, object)
        {
                struct bpf_map *ours =
                        bpf_object__find_map_by_name(backend->skeleton->obj, bpf_map__name(map));

                if (!ours)
                        return -ENOENT;
                if (strcmp(bpf_map__name(map), constants) == 0)
                        r = set_constants(backend, map);
                else
                        r = bpf_map__reuse_fd(map, bpf_map__fd(ours));
                if (r < 0)
                        return r;
        }
        return 0;
}

static void choose_programs(const Backend *backend, const struct bpf_object *object,
                            const ProgramSet *set)
{
        struct bpf_program *program;

        bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, false);
        for (size_t i = 0; i < backend->n_programs; i++) {
                program = bpf_object__find_program_by_name(object, backend->programs[i].name);
                if (set->has[i])
                        bpf_program__set_autoload(program, true);
        }
}

static int load_set(Backend *backend, const ProgramSet *set, struct bpf_object **ret_object)
{
        _cleanup_(handlers_deinit) Handlers handlers = {-1, -1, -1};
        struct bpf_object *object;
        int r;

        r = keep_one(backend);
        if (r == 0)
                r = handlers_init(&handlers, backend);
        if (r < 0)
                return r;
        object = object_open(backend);
        if (!object)
                return -errno;
        r = share_maps(backend, object);
        if (r == 0) {
                choose_programs(backend, object, set);
                backend->loading = object;
                r = bpf_object__load(object);
        }
        if (r < 0) {
                bpf_object__close(object);
                return r;
        }
        *ret_object = object;
        return 0;
}

/* One program that this kernel does not take must not keep the others out. */
static void sort_out(Backend *backend, ProgramSet *set)
{
        for (size_t i = 0; i < backend->n_programs; i++) {
                struct bpf_object *object = NULL;
                ProgramSet one = {};
                int r;

                if (!set->has[i])
                        continue;
                one.has[i] = 1;
                r = load_set(backend, &one, &object);
                if (r == 0) {
                        bpf_object__close(object);
                        continue;
                }
                log_warning("The kernel does not take the program %s: %s",
                            backend->programs[i].name, strerror(-r));
                set->has[i] = 0;
        }
}

int programs_load(Backend *backend, ProgramSet *set, struct bpf_object **ret_object)
{
        if (load_set(backend, set, ret_object) == 0)
                return 0;
        sort_out(backend, set);
        return load_set(backend, set, ret_object);
}
