/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sysctl: the one program that stands at no function of the kernel but at the root of all cgroups,
 * where it is asked about what is written below /proc/sys. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backend/guard.h"
#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define ATTACHED_MAX 64u /* the kernel's own bound, for one cgroup */

static int open_root(void)
{
        return open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int sysctl_attach(Program *program, const struct bpf_program *loaded)
{
        _cleanup_(closep) int root = open_root(), fd = -1;

        fd = fcntl(bpf_program__fd(loaded), F_DUPFD_CLOEXEC, 3);
        if (root < 0 || fd < 0 ||
            bpf_prog_attach(fd, root, BPF_CGROUP_SYSCTL, BPF_F_ALLOW_MULTI) < 0)
                return -errno;
        program->fd = TAKE_FD(fd);
        return 0;
}

static void detach(int root, int fd)
{
        if (root < 0 || bpf_prog_detach2(fd, root, BPF_CGROUP_SYSCTL) < 0)
                log_errno(errno, "Cannot detach what guards the kernel's switch");
}

void sysctl_detach(Program *program)
{
        _cleanup_(closep) int root = open_root();

        detach(root, program->fd);
        closep(&program->fd);
        program->fd = 0;
}

uint32_t program_id(int fd)
{
        struct bpf_prog_info info = {};
        uint32_t n = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &n) < 0 ? 0 : info.id;
}

static uint32_t id_attached(const Backend *backend)
{
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->programs[i].fd)
                        return program_id(backend->programs[i].fd);
        return 0;
}

/* Told by the name, which that of another layout of the maps has too. */
static void detach_if_own(int root, uint32_t id)
{
        _cleanup_(closep) int fd = bpf_prog_get_fd_by_id(id);
        struct bpf_prog_info info = {};
        uint32_t n = sizeof(info);

        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0 &&
            strncmp(info.name, SYSCTL_GUARD, sizeof(info.name) - 1) == 0)
                detach(root, fd);
}

void sysctl_take_handed(Backend *backend)
{
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->sysctl_handed && backend->programs[i].hook == HOOK_SYSCTL)
                        backend->programs[i].fd = fcntl(backend->sysctl_handed, F_DUPFD_CLOEXEC, 3);
}

void sysctl_detach_others(const Backend *backend)
{
        _cleanup_(closep) int root = open_root();
        uint32_t ids[ATTACHED_MAX], n = ATTACHED_MAX, own = id_attached(backend);

        if (root < 0 || (!own && header_in_force(backend)->hooks && guard_is_on(backend)) ||
            bpf_prog_query(root, BPF_CGROUP_SYSCTL, 0, NULL, ids, &n) < 0)
                return;
        for (uint32_t i = 0; i < n; i++)
                if (ids[i] != own)
                        detach_if_own(root, ids[i]);
}
