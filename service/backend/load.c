/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Load: the maps of the object of bpf/ into the kernel. Those that are pinned are taken over, with
 * all in them. Programs follow when they are needed: see install.c. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/decode.h"
#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

/* .rodata belongs to one loading: its number, and what it is built for. */
static int is_shared(const struct bpf_map *map)
{
        return !strstr(bpf_map__name(map), ".rodata");
}

/* bpffs takes no dots: ".data.hot" is pinned as data_hot. */
static void pin_path_of(const Backend *backend, const struct bpf_map *map, char ret_path[PATH_MAX])
{
        const char *dot = strchr(bpf_map__name(map), '.');
        char name[SYMBOL_MAX];

        snprintf(name, sizeof(name), "%s", dot ? dot + 1 : bpf_map__name(map));
        for (char *p = name; *p; p++)
                if (*p == '.')
                        *p = '_';
        snprintf(ret_path, PATH_MAX, "%s/%s",
                 account_has(name) ? backend->events_path : backend->pin_path, name);
}

static int share_maps(Backend *backend)
{
        struct bpf_map *map;
        char path[PATH_MAX];
        int r;

        bpf_object__for_each_map(map, backend->skeleton->obj)
        {
                if (!is_shared(map))
                        continue;
                pin_path_of(backend, map, path);
                r = bpf_map__set_pin_path(map, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Without it a walk through a tree that is being moved goes unnoticed more often. */
static void find_rename_lock(const Backend *backend)
{
        LIBBPF_OPTS(bpf_test_run_opts, options);
        int fd = bpf_program__fd(backend->skeleton->progs.find_rename_lock);

        if (backend->skeleton->data_place->rename_lock)
                return;
        if (bpf_prog_test_run_opts(fd, &options) < 0 || (int) options.retval < 0)
                log_warning("Where the kernel keeps rename_lock is hidden from the service");
}

static int is_for_the_service(const Backend *backend, const struct bpf_program *program)
{
        return program == backend->skeleton->progs.find_rename_lock ||
               program == backend->skeleton->progs.sweep_folds;
}

/* The library would keep its instructions for as long as there are the maps. */
static int leave_out(struct bpf_program *program)
{
        struct bpf_insn nothing = {.code = BPF_JMP | BPF_EXIT};

        bpf_program__set_autoload(program, false);
        return bpf_program__set_insns(program, &nothing, 1);
}

/* What is loaded with the maps: two programs, which need neither the kernel's BTF nor much of the
 * verifier, and one more if it is asked for. 0 or a negative errno. */
static int choose_programs(const Backend *backend, const char *program)
{
        struct bpf_program *item;
        int r = 0;

        bpf_object__for_each_program(item, backend->skeleton->obj)
        {
                if (r == 0 && !is_for_the_service(backend, item) &&
                    !(program && strcmp(bpf_program__name(item), program) == 0))
                        r = leave_out(item);
        }
        return r;
}

static int fill_types(Backend *backend, const struct bpf_object *object)
{
        int r;

        if (!backend->kernel_btf)
                backend->kernel_btf = btf__load_vmlinux_btf();
        if (!backend->kernel_btf)
                return -errno;
        r = kernel_types_write(backend->types_fd, backend->kernel_btf, bpf_object__btf(object));
        btf__free(TAKE_PTR(backend->kernel_btf));
        return r;
}

/* The library reads the file of types not before it loads. */
static int open_skeleton(Backend *backend)
{
        LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = backend->types_path);
        int has_types = backend->types_fd >= 0;

        if (!has_types)
                backend->types_fd = kernel_types_open(backend->types_path);
        if (backend->types_fd < 0)
                return backend->types_fd;
        backend->skeleton = aegis_bpf__open_opts(&options);
        if (!backend->skeleton)
                return -errno;
        return has_types ? 0 : fill_types(backend, backend->skeleton->obj);
}

int maps_open(Backend *backend, const char *program)
{
        int r;

        r = open_skeleton(backend);
        if (r < 0)
                return log_errno(r, "Cannot open the BPF object");
        r = choose_programs(backend, program);
        if (r == 0)
                r = share_maps(backend);
        if (r < 0)
                return r;
        backend->is_mended = maps_mend(backend);
        account_begin(backend);
        r = aegis_bpf__load(backend->skeleton);
        if (r < 0)
                return log_errno(r, "Cannot make the BPF maps");
        find_rename_lock(backend);
        return 0;
}

int find_programs(Backend *backend, Tier tier)
{
        const char *reasons[N_HOOKS];
        int r;

        r = programs_find(backend->skeleton->obj, tier, &backend->functions, backend->programs,
                          reasons);
        if (r < 0)
                return log_errno(r, "The BPF object has programs for no hook of ours");
        backend->n_programs = (size_t) r;
        sysctl_take_handed(backend);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                HookState *state = &backend->hooks[hook];

                state->fits = !*reasons[hook];
                state->reason = state->fits ? REASON_NOT_NEEDED : reasons[hook];
                hook_symbol(hook, tier, state->symbol);
        }
        return 0;
}

struct bpf_object *object_open(const Backend *backend)
{
        LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "aegis_bpf",
                    .btf_custom_path = backend->types_path);
        size_t size;
        const void *data = aegis_bpf__elf_bytes(&size);

        return bpf_object__open_mem(data, size, &options);
}

static int watch_rings(Backend *backend, ring_buffer_sample_fn sample)
{
        backend->rings = ring_buffer__new(bpf_map__fd(backend->skeleton->maps.denials), sample,
                                          backend, NULL);
        if (!backend->rings)
                return log_errno(errno, "Cannot watch the ring of denials");
        if (ring_buffer__add(backend->rings, bpf_map__fd(backend->skeleton->maps.audits), sample,
                             backend) < 0)
                return log_errno(errno, "Cannot watch the ring of audits");
        return 0;
}

static int take_event(void *userdata, void *data, size_t size)
{
        Backend *backend = userdata;
        struct event event;

        if (event_decode(data, size, &event) == 0)
                backend->on_event(backend->userdata, &event);
        else
                account_lose(backend, data, size);
        backend->n_taken++;
        return backend->n_taken >= backend->n_take ? -ECANCELED : 0;
}

int load_tier(Backend *backend, Tier tier)
{
        int r;

        r = maps_open(backend, NULL);
        if (r == 0)
                r = find_programs(backend, tier);
        if (r == 0)
                r = watch_rings(backend, take_event);
        if (r < 0) {
                unload(backend);
                return r;
        }
        backend->tier = tier;
        backend->hot = &backend->skeleton->data_hot->hot;
        backend->canary.tgid = &backend->hot->canary_tgid;
        backend->prefixes = backend->skeleton->data_prefixes->prefixes;
        backend->account = &backend->skeleton->data_account->account;
        backend->renames = &backend->skeleton->data_renames->renames;
        backend->doubted_ns = &backend->skeleton->data_identity->doubted_ns;
        account_go_on(backend);
        return 0;
}

void unload(Backend *backend)
{
        slots_deinit(backend);
        closep(&backend->judge_fd);
        account_forget(backend);
        ring_buffer__free(backend->rings);
        aegis_bpf__destroy(backend->skeleton);
        backend->rings = NULL;
        backend->skeleton = NULL;
        backend->hot = NULL;
        backend->prefixes = NULL;
        backend->account = NULL;
        backend->renames = NULL;
        backend->doubted_ns = NULL;
        backend->n_programs = 0;
        backend->tier = TIER_NONE;
}
