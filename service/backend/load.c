/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Load: the object of bpf/ into the kernel, for one tier. The programs are the same for both tiers
 * of trampolines; only where they attach differs. Maps that are pinned are taken over, with all in
 * them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/log.h"

/* .rodata and .bss belong to one loading: its number, and what it has learnt. */
static int is_shared(const struct bpf_map *map)
{
        const char *name = bpf_map__name(map);

        return !strstr(name, ".rodata") && !strstr(name, ".bss");
}

static int share_maps(Backend *backend)
{
        struct bpf_map *map;
        char path[PATH_MAX];
        int r;

        bpf_object__for_each_map(map, backend->skeleton->obj)
        {
                const char *name = strchr(bpf_map__name(map), '.');

                if (!is_shared(map))
                        continue;
                /* bpffs takes no dots: ".data.hot" is pinned as data_hot */
                snprintf(path, sizeof(path), "%s/%s", backend->pin_path,
                         name ? name + 1 : bpf_map__name(map));
                for (char *p = path + strlen(backend->pin_path); *p; p++)
                        if (*p == '.')
                                *p = '_';
                r = bpf_map__set_pin_path(map, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int aim_program(struct bpf_program *program, Tier tier, const char *symbol)
{
        int r = 0;

        if (tier == TIER_FMOD_RET) {
                r = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
                if (r == 0)
                        r = bpf_program__set_expected_attach_type(program, BPF_MODIFY_RETURN);
                if (r == 0)
                        r = bpf_program__set_attach_target(program, 0, symbol);
        }
        if (r == 0)
                r = bpf_program__set_autoload(program, true);
        return r;
}

static int choose_programs(Backend *backend, Tier tier, const struct btf *btf)
{
        struct bpf_object *object = backend->skeleton->obj;
        struct bpf_program *program;
        int r;

        bpf_object__for_each_program(program, object) bpf_program__set_autoload(
                program, strcmp(bpf_program__name(program), "rename_end") == 0);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                Attachment *attachment = &backend->attachments[hook];

                *attachment = (Attachment){.reason = "no rule needs it"};
                hook_symbol(hook, tier, attachment->symbol);
                attachment->program = hook_program(hook, tier, btf, &attachment->reason);
                if (!attachment->program)
                        continue;
                program = bpf_object__find_program_by_name(object, attachment->program);
                r = program ? aim_program(program, tier, attachment->symbol) : -ENOENT;
                if (r < 0)
                        return log_errno(r, "Cannot aim %s at %s", attachment->program,
                                         attachment->symbol);
        }
        return 0;
}

static int open_object(Backend *backend, Tier tier, const struct btf *btf)
{
        int r;

        backend->skeleton = aegis_bpf__open();
        if (!backend->skeleton)
                return log_errno(errno, "Cannot open the BPF object");
        r = choose_programs(backend, tier, btf);
        if (r == 0)
                r = share_maps(backend);
        if (r < 0)
                return r;
        if (getrandom(&backend->skeleton->rodata->load_id, sizeof(uint32_t), 0) < 0)
                return -errno;
        r = aegis_bpf__load(backend->skeleton);
        if (r < 0)
                return log_errno(r, "Cannot load the BPF programs for tier %s",
                                 tier_to_string(tier));
        return 0;
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

/* Every length an event carries is bounded here, once: behind this point it can be believed. */
static int take_event(void *userdata, void *data, size_t size)
{
        Backend *backend = userdata;
        struct event event = {};

        if (size >= EVENT_NET_SIZE) {
                memcpy(&event, data, size < sizeof(event) ? size : sizeof(event));
                if (event.path_length > EVENT_PATH_ROOM || size < sizeof(event))
                        event.path_length = 0;
                if (event.hook < N_HOOKS) {
                        event.comm[EVENT_COMM_SIZE - 1] = '\0';
                        backend->on_event(backend->userdata, &event);
                }
        }
        backend->n_taken++;
        return backend->n_taken >= backend->n_take ? -ECANCELED : 0;
}

int load_tier(Backend *backend, Tier tier, const struct btf *btf)
{
        int r;

        r = open_object(backend, tier, btf);
        if (r == 0)
                r = watch_rings(backend, take_event);
        if (r < 0) {
                unload(backend);
                return r;
        }
        backend->tier = tier;
        backend->hot = &backend->skeleton->data_hot->hot;
        backend->prefixes = backend->skeleton->data_prefixes->prefixes;
        backend->counters = &backend->skeleton->data_counters->counters;
        backend->renames = &backend->skeleton->data_renames->renames;
        backend->lanes = backend->skeleton->data_lanes->lanes;
        return 0;
}

void unload(Backend *backend)
{
        ring_buffer__free(backend->rings);
        aegis_bpf__destroy(backend->skeleton);
        backend->rings = NULL;
        backend->skeleton = NULL;
        backend->hot = NULL;
        backend->prefixes = NULL;
        backend->counters = NULL;
        backend->renames = NULL;
        backend->lanes = NULL;
        backend->tier = TIER_NONE;
}
