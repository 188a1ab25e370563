/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts against the service: see guest-guard.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "guest-guard.h"

pid_t service;

int use_bpf(int command, union bpf_attr *attributes)
{
        return (int) syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

int open_pin(const char *path)
{
        union bpf_attr attributes = {.pathname = (uintptr_t) path};

        return use_bpf(BPF_OBJ_GET, &attributes);
}

int act_open_pin(const void *path)
{
        return open_pin(path);
}

int act_unlink(const void *path)
{
        return unlink(path);
}

int act_rename(const void *path)
{
        return rename(path, FOLDER "/elsewhere");
}

int act_mkdir(const void *path)
{
        return mkdir(path, 0700);
}

int act_rmdir(const void *path)
{
        return rmdir(path);
}

int act_umount(const void *path)
{
        return umount2(path, MNT_DETACH);
}

int act_mount_over(const void *path)
{
        return mount("tmpfs", path, "tmpfs", 0, NULL);
}

int act_remount(const void *path)
{
        return mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

int act_bind_read_only(const void *path)
{
        return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                     NULL);
}

int act_move_mount(const void *path)
{
        return (int) syscall(SYS_move_mount, AT_FDCWD, path, AT_FDCWD, "/mnt", 0);
}

int act_signal(const void *signal)
{
        return kill(service, GPOINTER_TO_INT(signal));
}

int act_attach(const void *argument)
{
        return (int) ptrace(PTRACE_SEIZE, service, NULL, NULL);
}

int act_write_memory(const void *argument)
{
        struct iovec here = {&service, 1}, there = {&service, 1};

        return process_vm_writev(service, &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}

int act_take_descriptor(const void *argument)
{
        int fd = (int) syscall(SYS_pidfd_open, service, 0);

        return fd < 0 ? -1 : (int) syscall(SYS_pidfd_getfd, fd, 0, 0);
}

int act_open_proc(const void *name)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/%s", service, (const char *) name);

        return open(path, O_RDONLY);
}

int act_claim(const void *argument)
{
        int r = backend_claim(PINS);

        errno = -r;
        return r;
}

int act_trace_me_and_open_pin(const void *path)
{
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -1 : open_pin(path);
}

int act_get_all(const void *argument)
{
        const Kind *kind = argument;
        uint32_t id = 0;
        int n_refused = 0;

        for (;;) {
                union bpf_attr next = {.start_id = id}, get = {};
                int fd;

                if (use_bpf(kind->next, &next) < 0)
                        break;
                get.map_id = id = next.next_id;
                fd = use_bpf(kind->get, &get);
                n_refused += fd < 0 && errno == EPERM;
                if (fd >= 0)
                        close(fd);
        }
        errno = n_refused ? EPERM : 0;
        return n_refused ? -1 : 0;
}

int act_copy_opens_pin(const void *path)
{
        char *argv[] = {"/tmp/copy", "--open-pin", (char *) path, NULL};
        g_autofree char *bytes = NULL;
        gsize n;
        int status;

        g_assert_true(g_file_get_contents("/proc/self/exe", &bytes, &n, NULL));
        g_assert_true(g_file_set_contents_full(argv[0], bytes, (gssize) n, 0, 0755, NULL));
        g_assert_true(g_spawn_sync("/", argv, NULL, 0, NULL, NULL, NULL, NULL, &status, NULL));
        g_assert_true(WIFEXITED(status));
        errno = WEXITSTATUS(status);
        return errno ? -1 : 0;
}
