/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts at the kernel itself: see canary-acts.h. What would change something is asked for in a way
 * that the kernel refuses right after the hook. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "backend/canary-acts.h"
#include "util/cleanup.h"

static int act_bpf(const Canary *canary)
{
        __u32 next;

        return bpf_prog_get_next_id(0, &next);
}

static int act_bpf_map(const Canary *canary)
{
        _cleanup_(closep) int fd =
                bpf_map_create(BPF_MAP_TYPE_ARRAY, "aegis_canary", sizeof(__u32), 1, 1, NULL);

        return fd < 0 ? -1 : 0;
}

/* ---- loading ---- */

static int act_read_file(const Canary *canary)
{
        _cleanup_(closep) int fd =
                openat(canary->directory_fd, CANARY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -1;
        return (int) syscall(SYS_finit_module, fd, "", 0); /* no module is in it */
}

/* As long as the head of a module, and none: the hook is asked after the length. */
static int load_no_module(void)
{
        static const char zeros[4096];

        return (int) syscall(SYS_init_module, zeros, sizeof(zeros), "");
}

/* With more segments than there may be. */
static int load_no_kernel(void)
{
        return (int) syscall(SYS_kexec_load, 0ul, KEXEC_SEGMENT_MAX + 1ul, NULL, 0ul);
}

static int act_load_data(const Canary *canary)
{
        int r = load_no_module();

        return r < 0 && (errno == EPERM || errno == ENOSYS) ? load_no_kernel() : r;
}

/* ---- mounts ---- */

static int act_mount(const Canary *canary)
{
        return mount("", "/", NULL, MS_BIND, NULL); /* of nothing */
}

/* A directory that is no mount. */
static int act_move_mount(const Canary *canary)
{
        return (int) syscall(SYS_move_mount, canary->directory_fd, CANARY_DIRECTORY,
                             canary->directory_fd, CANARY_DIRECTORY, 0u);
}

static int act_pivot_root(const Canary *canary)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d/" CANARY_DIRECTORY, canary->directory_fd);
        return (int) syscall(SYS_pivot_root, path, path);
}

/* These two do not go together, whatever is mounted. A root that is an initramfs is locked. */
static int act_umount(const Canary *canary)
{
        return umount2("/proc", MNT_EXPIRE | MNT_FORCE);
}

/* ---- processes ---- */

/* The memory of a child is opened as a debugger does. The answer is EACCES whatever the hook said,
 * or ENOENT in a /proc that hides who may not be traced. */
static int act_ptrace(const Canary *canary)
{
        char path[64];
        pid_t pid = fork();
        int r, error;

        if (pid == 0)
                for (;;)
                        pause();
        if (pid < 0)
                return -1;
        snprintf(path, sizeof(path), "/proc/%d/mem", (int) pid);
        r = open(path, O_RDONLY | O_CLOEXEC);
        error = errno;
        closep(&r);
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        errno = error == EACCES || error == ENOENT ? CANARY_ERRNO : error;
        return r < 0 ? -1 : 0;
}

static int trace_me(const Canary *canary)
{
        return (int) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int act_traceme(const Canary *canary)
{
        return canary_act_in_child(canary, trace_me);
}

static int act_kill(const Canary *canary)
{
        return kill(getpid(), 0);
}

/* As it is, or no hook would have denied before. */
static int act_sysctl(const Canary *canary)
{
        _cleanup_(closep) int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, "1", 1) < 0 ? -1 : 0;
}

CanaryAct *const canary_kernel_acts[N_HOOKS] = {
        [HOOK_BPF] = act_bpf,
        [HOOK_BPF_MAP] = act_bpf_map,
        [HOOK_KERNEL_LOAD_DATA] = act_load_data,
        [HOOK_KERNEL_READ_FILE] = act_read_file,
        [HOOK_MOVE_MOUNT] = act_move_mount,
        [HOOK_PTRACE_ACCESS_CHECK] = act_ptrace,
        [HOOK_PTRACE_TRACEME] = act_traceme,
        [HOOK_SB_MOUNT] = act_mount,
        [HOOK_SB_PIVOTROOT] = act_pivot_root,
        [HOOK_SB_UMOUNT] = act_umount,
        [HOOK_SYSCTL] = act_sysctl,
        [HOOK_TASK_KILL] = act_kill,
};
