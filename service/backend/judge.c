/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judge: the one program that decides for those of all hooks (bpf/judge.bpf.c). The kernel takes it
 * from root alone, since it could stand in any program; to put it in the place of ask() in each of
 * ours a descriptor is enough. What it stands in is held by a link of its own, which has a pin too.
 * Where it was let go, the program of a hook denies nothing; so it is there before its hook is
 * attached, and a new pin has a name of its own, so that the old pair is whole until the new one
 * is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define JUDGE "judge"
#define PROVER "tier_file_open" /* that it is loaded with; any that asks would do */
#define ASK "ask"

int judge_aim(const struct bpf_object *object, struct bpf_prog_load_opts *options)
{
        int id = btf__find_by_name_kind(bpf_object__btf(object), ASK, BTF_KIND_FUNC);

        if (id < 0)
                return id;
        options->attach_prog_fd =
                (uint32_t) bpf_program__fd(bpf_object__find_program_by_name(object, PROVER));
        options->attach_btf_id = (uint32_t) id;
        return 0;
}

static int load(Backend *backend, struct bpf_object **ret_object)
{
        uint32_t built_for = backend->built_for;
        ProgramSet set = {};
        int r;

        for (size_t i = 0; i < backend->n_programs; i++)
                set.has[i] = strcmp(backend->programs[i].name, JUDGE) == 0 ||
                             strcmp(backend->programs[i].name, PROVER) == 0;
        backend->built_for = IMAGE_BUILT_FOR; /* whatever comes */
        r = programs_load(backend, &set, ret_object);
        backend->built_for = built_for;
        if (r < 0)
                return r;
        r = bpf_program__fd(bpf_object__find_program_by_name(*ret_object, JUDGE));
        backend->judge_fd = r < 0 ? r : fcntl(r, F_DUPFD_CLOEXEC, 3);
        return backend->judge_fd < 0 ? -EPERM : 0;
}

int judge_open(Backend *backend, struct bpf_object **ret_object)
{
        int handed = backend->judges_handed[backend->tier], r = 0;

        if (handed)
                backend->judge_fd = fcntl(handed, F_DUPFD_CLOEXEC, 3);
        else
                r = load(backend, ret_object);
        if (r < 0)
                return log_errno(r, "Cannot load the program that decides in tier %s",
                                 tier_to_string(backend->tier));
        return 0;
}

static int asks(const Program *program)
{
        return program->role != PROGRAM_HELPER && program->hook != HOOK_SYSCTL;
}

/* In ret_name: that of a pin. */
static void name_of(const Program *program, char ret_name[SYMBOL_MAX + 32])
{
        snprintf(ret_name, SYMBOL_MAX + 32, LINK_PREFIX ASK "_%08x_%s", program->loaded_as,
                 program->name);
}

int judge_pin(const Backend *backend, const Program *program)
{
        char name[SYMBOL_MAX + 32], path[PATH_MAX];

        if (!program->ask_fd)
                return 0;
        name_of(program, name);
        snprintf(path, sizeof(path), "%s/%s", backend->pin_path, name);
        if (bpf_obj_pin(program->ask_fd, path) < 0)
                return log_errno(errno, "Cannot pin what decides for %s", program->name);
        return 0;
}

const char *judge_pin_of(const char *pin, uint32_t *ret_loaded_as)
{
        int n = 0;

        return sscanf(pin, LINK_PREFIX ASK "_%8x_%n", ret_loaded_as, &n) == 1 && n ? pin + n : NULL;
}

int judge_owns_pin(const Program *program, const char *pin)
{
        char name[SYMBOL_MAX + 32];

        name_of(program, name);
        return program->ask_fd && strcmp(name, pin) == 0;
}

int judge_attach(Backend *backend, Program *program, const struct bpf_program *loaded)
{
        const struct btf *types = bpf_object__btf(backend->skeleton->obj);
        LIBBPF_OPTS(bpf_link_create_opts, options);
        int id, fd;

        if (!asks(program))
                return 0;
        id = btf__find_by_name_kind(types, ASK, BTF_KIND_FUNC);
        if (id < 0)
                return id;
        options.target_btf_id = (uint32_t) id;
        fd = bpf_link_create(backend->judge_fd, bpf_program__fd(loaded), 0, &options);
        if (fd < 0)
                return -errno;
        program->ask_fd = fd;
        return 0;
}

void judge_detach(const Backend *backend, Program *program)
{
        char name[SYMBOL_MAX + 32];

        if (!program->ask_fd)
                return;
        name_of(program, name);
        unlinkat(backend->pin_fd, name, 0);
        close(program->ask_fd);
        program->ask_fd = 0;
}
