/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guard: see guard.h. */
#include "backend/guard.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"

#define SHARED_BPFFS "/sys/fs/bpf"
#define DELETED " (deleted)"

/* ---- the other ---- */

/* The path of a program that has been replaced is still its path. Returns 0 or a negative errno. */
static int program_of(const char *process, char ret_path[PATH_MAX])
{
        char link[64];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/%s/exe", process);
        n = readlink(link, ret_path, PATH_MAX - 1);
        if (n < 0)
                return -errno;
        ret_path[n] = '\0';
        if ((size_t) n > strlen(DELETED) && strcmp(ret_path + n - strlen(DELETED), DELETED) == 0)
                ret_path[(size_t) n - strlen(DELETED)] = '\0';
        return 0;
}

static int runs_our_program(pid_t pid)
{
        char process[16], own[PATH_MAX], other[PATH_MAX];

        snprintf(process, sizeof(process), "%d", (int) pid);
        return program_of("self", own) == 0 && program_of(process, other) == 0 &&
               strcmp(own, other) == 0;
}

int guard_other_lives(const struct hot *hot)
{
        pid_t pid = (pid_t) hot->service_tgid;
        _cleanup_(closep) int fd = -1;
        struct pollfd ended;

        if (pid == 0 || pid == getpid())
                return 0;
        fd = (int) syscall(SYS_pidfd_open, pid, 0u);
        ended = (struct pollfd){.fd = fd, .events = POLLIN};
        return fd >= 0 && poll(&ended, 1, 0) == 0 && runs_our_program(pid);
}

/* ---- what is ours ---- */

/* Where others pin too nothing can be guarded by its file system. */
static int shares_pins(dev_t pins)
{
        struct stat st;

        return stat(SHARED_BPFFS, &st) == 0 && st.st_dev == pins;
}

void guard_begin(Backend *backend)
{
        struct stat st = {};
        uint32_t device = 0;

        backend->guard_trouble = "";
        if (!backend->protects_itself)
                backend->guard_trouble = "it is switched off by ProtectSelf=no";
        else if (fstat(backend->pin_fd, &st) < 0)
                backend->guard_trouble = "the file system of the pins cannot be told";
        else if (shares_pins(st.st_dev))
                backend->guard_trouble = "PinDirectory= is in a bpffs that others use";
        else
                device = (uint32_t) (major(st.st_dev) << 20 | minor(st.st_dev));
        __atomic_store_n(&backend->hot->self.pin_device, device, __ATOMIC_SEQ_CST);
}

int guard_is_on(const Backend *backend)
{
        return backend->hot->self.pin_device != 0;
}

typedef struct OwnObjects {
        struct own_object items[N_OWN_OBJECTS];
        size_t n;
} OwnObjects;

static void add(OwnObjects *objects, enum own_kind kind, uint32_t id)
{
        if (id && objects->n < N_OWN_OBJECTS)
                objects->items[objects->n++] = (struct own_object){.kind = kind, .id = id};
}

static void add_map(OwnObjects *objects, int fd)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);

        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0)
                add(objects, OWN_MAP, info.id);
}

static void add_slot(OwnObjects *objects, const Slot *slot)
{
        for (SlotTable table = 0; table < N_TABLES; table++)
                add(objects, OWN_MAP, slot->maps[table].id);
}

/* And the program that it holds. */
static void add_link(OwnObjects *objects, int fd)
{
        struct bpf_link_info info = {};
        uint32_t n = sizeof(info);

        if (bpf_obj_get_info_by_fd(fd, &info, &n) < 0)
                return;
        add(objects, OWN_LINK, info.id);
        add(objects, OWN_PROGRAM, info.prog_id);
}

static void add_program(OwnObjects *objects, const Program *program)
{
        if (program->fd)
                add(objects, OWN_PROGRAM, program_id(program->fd));
        if (program->link)
                add_link(objects, bpf_link__fd(program->link));
        if (program->ask_fd)
                add_link(objects, program->ask_fd);
}

static int has(const OwnObjects *objects, const struct own_object *object)
{
        for (size_t i = 0; i < objects->n; i++)
                if (memcmp(&objects->items[i], object, sizeof(*object)) == 0)
                        return 1;
        return 0;
}

/* Numbers of what is gone would fill the map in time. */
static void forget_others(int fd, const OwnObjects *objects)
{
        struct own_object key, next;
        int more = bpf_map_get_next_key(fd, NULL, &next) == 0;

        while (more) {
                key = next;
                more = bpf_map_get_next_key(fd, &key, &next) == 0;
                if (!has(objects, &key))
                        bpf_map_delete_elem(fd, &key);
        }
}

void guard_register(Backend *backend)
{
        int fd = bpf_map__fd(backend->skeleton->maps.own_objects);
        _cleanup_(freep) OwnObjects *objects = calloc(1, sizeof(*objects));
        const struct bpf_map *map;
        uint32_t present = 1;

        if (!objects)
                return;
        bpf_object__for_each_map(map, backend->skeleton->obj) add_map(objects, bpf_map__fd(map));
        add_map(objects, backend->floors_fd);
        for (uint32_t slot = 0; slot < N_SLOTS; slot++)
                add_slot(objects, &backend->slots[slot]);
        for (size_t i = 0; i < backend->n_programs; i++)
                add_program(objects, &backend->programs[i]);
        for (size_t i = 0; i < objects->n; i++)
                if (bpf_map_update_elem(fd, &objects->items[i], &present, BPF_ANY) < 0)
                        log_errno(errno, "Cannot guard what has the id %u", objects->items[i].id);
        forget_others(fd, objects);
}

/* ---- how it stands ---- */

const char *guard_reason(const Backend *backend)
{
        if (!backend->hot)
                return "no tier works on this machine";
        if (backend->guard_trouble[0])
                return backend->guard_trouble;
        if (!header_in_force(backend)->hooks)
                return "no policy is in force";
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->programs[i].role == PROGRAM_GUARD &&
                    !program_is_attached(&backend->programs[i]))
                        return "the kernel does not run each of its programs";
        return "";
}
