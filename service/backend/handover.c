/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handover: what root does for the service before it begins, so that the service need not be root
 * nor see more of the machine than it must. The maps are made here since where the kernel keeps
 * rename_lock is told to root alone; and a program for sysctl asks for the right to change
 * networks. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

/* It stands beside that of an earlier handover until this one is there. */
static int attach_sysctl(Backend *backend)
{
        Program *program = &backend->programs[0];
        int r;

        *program = (Program){.name = SYSCTL_GUARD, .role = PROGRAM_GUARD, .hook = HOOK_SYSCTL};
        backend->n_programs = 1;
        r = sysctl_attach(program, backend->skeleton->progs.guard_sysctl);
        if (r < 0)
                return log_errno(r, "Cannot attach what guards the kernel's switch");
        sysctl_detach_others(backend);
        return 0;
}

/* Returns a descriptor, or 0: what is missing is the service's to tell of. */
static int load_judge(Backend *backend, Tier tier)
{
        struct bpf_object *object = NULL;
        int fd;

        backend->tier = tier;
        if (find_programs(backend, tier) < 0 || judge_open(backend, &object) < 0)
                return 0;
        bpf_object__close(object);
        fd = backend->judge_fd;
        backend->judge_fd = -1;
        return fd;
}

static void load_judges(Backend *backend, BackendHanded *handed)
{
        if (lsm_may_do(&backend->probe))
                handed->judges[TIER_LSM] = load_judge(backend, TIER_LSM);
        if (!backend->probe.lsm_listed)
                handed->judges[TIER_FMOD_RET] = load_judge(backend, TIER_FMOD_RET);
}

/* A kernel that has not what it takes is the service's to tell of. */
static int maps_make(Backend *backend)
{
        int r;

        backend->kernel_btf = btf__load_vmlinux_btf();
        probe_kernel(backend->kernel_btf, &backend->probe, &backend->functions);
        r = maps_open(backend, SYSCTL_GUARD);
        if (r < 0)
                return r;
        backend->hot = &backend->skeleton->data_hot->hot;
        if (backend->is_mended)
                slots_find(backend); /* by their numbers, which are told to root alone */
        return attach_sysctl(backend);
}

static int open_rest(BackendHanded *handed, int takes_times)
{
        handed->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        handed->mounts[0] = mounts_watch();
        handed->mounts[1] = mounts_watch();
        handed->expedite = expedite_open();
        if (handed->root < 0 || handed->mounts[0] < 0 || handed->mounts[1] < 0)
                return log_errno(errno, "Cannot open what the service needs");
        if (handed->expedite < 0)
                handed->expedite = 0; /* kernels may be without it */
        if (takes_times)
                handed->times = bpf_enable_stats(BPF_STATS_RUN_TIME);
        if (handed->times < 0)
                handed->times = 0; /* the service tells of it */
        return 0;
}

int backend_hand_over(BackendHanded *ret_handed, const char *pin_directory, uid_t uid, gid_t gid,
                      int takes_times)
{
        _cleanup_(backend_freep) Backend *backend = calloc(1, sizeof(*backend));
        BackendHanded handed = {};
        int r;

        if (!backend)
                return -ENOMEM;
        backend_begin(backend);
        r = pin_folder_open(backend, pin_directory);
        if (r == 0 && maps_make(backend) == 0) {
                handed.sysctl_guard = backend->programs[0].fd;
                backend->programs[0].fd = 0;
                load_judges(backend, &handed);
        }
        if (r == 0)
                r = pins_give(backend, pin_directory, uid, gid);
        if (r == 0)
                r = open_rest(&handed, takes_times);
        if (r < 0)
                return r;
        *ret_handed = handed;
        return 0;
}
