/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adopt: a service that begins anew finds programs at work that an earlier one attached. If both
 * are of one build, those that deny a canary are taken as they are; nothing is verified or attached
 * a second time. Those of another build, or what does not answer, are replaced: see attach.c. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/private.h"
#include "policy/digest.h"
#include "util/cleanup.h"

/* Of the very bytes that programs are loaded from. */
static void find_build(Backend *backend)
{
        size_t size;
        const void *bytes = aegis_bpf__elf_bytes(&size);

        digest_bytes(bytes, size, backend->build);
}

void adopt_begin(Backend *backend)
{
        find_build(backend);
        backend->finds_own = memcmp(backend->hot->build, backend->build, DIGEST_SIZE) == 0;
        if (!backend->finds_own)
                memset(backend->hot->build, 0, DIGEST_SIZE);
}

void adopt_end(Backend *backend)
{
        memcpy(backend->hot->build, backend->build, DIGEST_SIZE);
}

static struct bpf_link *open_link(const Backend *backend, const char *pin)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", backend->pin_path, pin);
        return bpf_link__open(path);
}

static int is_of_tier(const Backend *backend, const struct bpf_link *link)
{
        struct bpf_link_info info = {};
        uint32_t n = sizeof(info);

        return bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &n) == 0 &&
               info.type == BPF_LINK_TYPE_TRACING &&
               info.tracing.attach_type ==
                       (backend->tier == TIER_LSM ? BPF_LSM_MAC : BPF_MODIFY_RETURN);
}

static void leave(Program *program)
{
        bpf_link__destroy(TAKE_PTR(program->link));
        if (program->ask_fd)
                close(program->ask_fd);
        program->ask_fd = 0;
}

/* pin: of the judge in one of that name, which was loaded as that. */
static void adopt_asking(Backend *backend, Program *program, const char *pin, uint32_t loaded_as)
{
        char name[SYMBOL_MAX + sizeof(LINK_PREFIX)], path[PATH_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", backend->pin_path, pin);
        snprintf(name, sizeof(name), LINK_PREFIX "%s", program->name);
        fd = bpf_obj_get(path);
        if (fd < 0)
                return;
        program->ask_fd = fd;
        program->loaded_as = loaded_as;
        program->link = open_link(backend, name);
        if (!program->link || !is_of_tier(backend, program->link) || !is_proven(backend, program)) {
                leave(program);
                return;
        }
        program->built_for = 0;
        backend->n_changes++;
}

/* What it has learnt goes on. */
static void adopt_helper(Backend *backend, Program *program)
{
        char name[SYMBOL_MAX + sizeof(LINK_PREFIX)];

        snprintf(name, sizeof(name), LINK_PREFIX "%s", program->name);
        program->link = open_link(backend, name);
        if (program->link)
                backend->n_changes++;
}

static Program *find_needed(Backend *backend, const Needs *needs, const char *name)
{
        for (size_t i = 0; i < backend->n_programs; i++) {
                Program *program = &backend->programs[i];

                if (strcmp(program->name, name) == 0)
                        return is_needed(program, needs) && !program->link ? program : NULL;
        }
        return NULL;
}

/* More than one pin may name a program, if a service was killed: only one of them answers. */
static void adopt_pin(Backend *backend, const Needs *needs, const char *pin)
{
        Program *program;
        uint32_t loaded_as;
        const char *name = judge_pin_of(pin, &loaded_as);

        if (!name)
                return;
        program = find_needed(backend, needs, name);
        if (program && !(program_is_built(program) && needs->flags & IMAGE_BUILT_FOR))
                adopt_asking(backend, program, pin, loaded_as);
}

void adopt_programs(Backend *backend, const Needs *needs)
{
        DIR *pins;
        struct dirent *entry;
        int fd;

        if (!backend->finds_own || backend->takes_times)
                return;
        fd = openat(backend->pin_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pins = fd < 0 ? NULL : fdopendir(fd);
        if (!pins) {
                closep(&fd);
                return;
        }
        while ((entry = readdir(pins)))
                adopt_pin(backend, needs, entry->d_name);
        closedir(pins);
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->programs[i].role == PROGRAM_HELPER &&
                    is_needed(&backend->programs[i], needs))
                        adopt_helper(backend, &backend->programs[i]);
}
