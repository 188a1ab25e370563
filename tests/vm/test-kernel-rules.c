/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about the kernel itself, each beside what must go on. The machine has loaded the module
 * dummy, so that its file is at hand; the process that holds the backend is never denied. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kexec.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"

#define MODULE "dummy"
#define MODULE_FILE "/payload/modules/dummy.ko"
#define ALICE 1000u

#define assert_act(act, argument, error) g_assert_cmpint(child_errno(act, argument), ==, error)

/* That it was this rule that denied, and not a lack of something else. */
static void assert_denied(int (*act)(const void *), const void *argument, enum hook hook,
                          enum kernel_object object)
{
        const struct event *event;

        take_events();
        assert_act(act, argument, EPERM);
        take_events();
        event = last_event();
        g_assert_cmpint(event->hook, ==, hook);
        g_assert_cmpint(event->verdict, ==, VERDICT_DENIED);
        g_assert_cmpint(event->operation, ==, object);
        g_assert_cmpuint(event->rule, ==, 1);
        g_assert_cmpuint(event->ppid, ==, getpid());
}

/* ---- ptrace ---- */

static pid_t neighbour;

/* Another program: one like ours is guarded as the service's. */
static void neighbour_start(void)
{
        char *argv[] = {"sleep", "1000", NULL};

        g_assert_true(g_spawn_async("/", argv, NULL,
                                    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                    &neighbour, NULL));
}

static void neighbour_stop(void)
{
        kill(neighbour, SIGKILL);
        g_assert_cmpint(waitpid(neighbour, NULL, 0), ==, neighbour);
}

static int act_attach(const void *argument)
{
        return (int) ptrace(PTRACE_SEIZE, neighbour, NULL, NULL);
}

static int act_trace_me(const void *argument)
{
        return (int) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int act_read_memory(const void *argument)
{
        char byte;
        struct iovec here = {&byte, 1}, there = {&neighbour, 1};

        return process_vm_readv(neighbour, &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}

static int act_write_memory(const void *argument)
{
        struct iovec here = {&neighbour, 1}, there = {&neighbour, 1};

        return process_vm_writev(neighbour, &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}

static int act_take_descriptor(const void *argument)
{
        int fd = (int) syscall(SYS_pidfd_open, neighbour, 0);

        return fd < 0 ? -1 : (int) syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static int act_open_proc(const void *name)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/%s", neighbour, (const char *) name);

        return open(path, O_RDONLY);
}

static int act_read_link(const void *argument)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/exe", neighbour);
        char target[256];

        return readlink(path, target, sizeof(target)) < 0 ? -1 : 0;
}

static void test_attaching_to_a_process_is_denied_and_looking_at_it_is_not(void)
{
        neighbour_start();
        apply("version=7\n[deny]\nkernel:ptrace\n");
        assert_denied(act_attach, NULL, HOOK_PTRACE_ACCESS_CHECK, KERNEL_PTRACE);
        g_assert_cmpuint(last_event()->target, ==, neighbour);
        assert_denied(act_trace_me, NULL, HOOK_PTRACE_TRACEME, KERNEL_PTRACE);
        for (const char *const *name =
                     (const char *[]){"status", "stat", "cmdline", "environ", "maps", "fd", NULL};
             *name; name++)
                assert_act(act_open_proc, *name, 0);
        assert_act(act_read_link, NULL, 0);
        apply("");
        assert_act(act_attach, NULL, 0);
        assert_act(act_trace_me, NULL, 0);
        neighbour_stop();
}

static void test_what_asks_as_attaching_does_is_denied_too(void)
{
        neighbour_start();
        apply("version=1\n[deny_ptrace]\n");
        assert_denied(act_take_descriptor, NULL, HOOK_PTRACE_ACCESS_CHECK, KERNEL_PTRACE);
        assert_denied(act_read_memory, NULL, HOOK_PTRACE_ACCESS_CHECK, KERNEL_PTRACE);
        assert_denied(act_write_memory, NULL, HOOK_PTRACE_ACCESS_CHECK, KERNEL_PTRACE);
        assert_act(act_open_proc, "mem", EACCES);
        apply("");
        assert_act(act_take_descriptor, NULL, 0);
        assert_act(act_read_memory, NULL, EFAULT); /* it comes as far as the address */
        assert_act(act_open_proc, "mem", 0);
        neighbour_stop();
}

static int act_trace_me_as_alice(const void *argument)
{
        return become_user(ALICE) < 0 ? -1 : act_trace_me(NULL);
}

static void test_a_rule_for_one_user_leaves_others_alone(void)
{
        apply("version=7\n[deny]\nkernel:ptrace uid=1000\n");
        assert_denied(act_trace_me_as_alice, NULL, HOOK_PTRACE_TRACEME, KERNEL_PTRACE);
        assert_act(act_trace_me, NULL, 0);
}

static void test_audit_mode_records_and_allows(void)
{
        apply_in_mode("version=7\n[deny]\nkernel:ptrace\n", MODE_AUDIT);
        take_events();
        assert_act(act_trace_me, NULL, 0);
        take_events();
        g_assert_cmpint(last_event()->verdict, ==, VERDICT_AUDITED);
}

/* ---- modules and kernels ---- */

static int act_unload(const void *argument)
{
        return (int) syscall(SYS_delete_module, MODULE, O_NONBLOCK);
}

static int act_load_file(const void *argument)
{
        int fd = open(MODULE_FILE, O_RDONLY);

        return fd < 0 ? -1 : (int) syscall(SYS_finit_module, fd, "", 0);
}

static int act_load_bytes(const void *argument)
{
        g_autofree char *bytes = NULL;
        gsize n;

        if (!g_file_get_contents(MODULE_FILE, &bytes, &n, NULL))
                return -1;
        return (int) syscall(SYS_init_module, bytes, n, "");
}

static void test_a_module_is_loaded_in_neither_way(void)
{
        apply("");
        assert_act(act_unload, NULL, 0);
        apply("version=7\n[deny]\nkernel:module\n");
        assert_denied(act_load_file, NULL, HOOK_KERNEL_READ_FILE, KERNEL_MODULE);
        assert_denied(act_load_bytes, NULL, HOOK_KERNEL_LOAD_DATA, KERNEL_MODULE);
        apply("version=7\n[deny]\nkernel:kexec\n"); /* is about something else */
        assert_act(act_load_file, NULL, 0);
        assert_act(act_unload, NULL, 0);
        assert_act(act_load_bytes, NULL, 0);
}

static int act_kexec_load(const void *argument)
{
        return (int) syscall(SYS_kexec_load, 0ul, 0ul, NULL, 0ul); /* unloads */
}

static int act_kexec_file_load(const void *argument)
{
        int fd = open(MODULE_FILE, O_RDONLY);

        return fd < 0 ? -1
                      : (int) syscall(SYS_kexec_file_load, fd, -1, 0ul, NULL,
                                      (unsigned long) KEXEC_FILE_NO_INITRAMFS);
}

static void test_a_kernel_is_loaded_in_neither_way(void)
{
        apply("version=7\n[deny]\nkernel:kexec\n");
        assert_denied(act_kexec_load, NULL, HOOK_KERNEL_LOAD_DATA, KERNEL_KEXEC);
        assert_denied(act_kexec_file_load, NULL, HOOK_KERNEL_READ_FILE, KERNEL_KEXEC);
        apply("version=7\n[deny]\nkernel:module\n");
        assert_act(act_kexec_load, NULL, 0);
        assert_act(act_kexec_file_load, NULL, ENOEXEC);
}

/* ---- bpf() ---- */

static int use_bpf(int command, union bpf_attr *attributes)
{
        return (int) syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int act_make_map(const void *argument)
{
        union bpf_attr attributes = {
                .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

        return use_bpf(BPF_MAP_CREATE, &attributes);
}

static int act_load_program(const void *argument)
{
        static const struct bpf_insn returns_0[] = {{.code = 0xb7}, {.code = 0x95}};
        union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                                     .insn_cnt = 2,
                                     .insns = (uintptr_t) returns_0,
                                     .license = (uintptr_t) "GPL"};

        return use_bpf(BPF_PROG_LOAD, &attributes);
}

static int act_use_map(const void *fd)
{
        uint32_t key = 0;
        uint64_t value = 7;
        union bpf_attr attributes = {.map_fd = *(const uint32_t *) fd,
                                     .key = (uintptr_t) &key,
                                     .value = (uintptr_t) &value};

        return use_bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int act_pin_map(const void *fd)
{
        union bpf_attr attributes = {.bpf_fd = *(const uint32_t *) fd,
                                     .pathname = (uintptr_t) "/sys/fs/bpf/pinned"};

        return use_bpf(BPF_OBJ_PIN, &attributes);
}

static int act_list_programs(const void *argument)
{
        union bpf_attr attributes = {};

        return use_bpf(BPF_PROG_GET_NEXT_ID, &attributes);
}

static void test_making_something_with_bpf_is_denied_and_using_it_is_not(void)
{
        int fd = act_make_map(NULL);

        g_assert_cmpint(fd, >=, 0);
        apply("version=7\n[deny]\nkernel:bpf\n");
        assert_denied(act_make_map, NULL, HOOK_BPF, KERNEL_BPF);
        g_assert_cmpuint(last_event()->target, ==, BPF_MAP_CREATE);
        assert_denied(act_load_program, NULL, HOOK_BPF, KERNEL_BPF);
        assert_denied(act_pin_map, &fd, HOOK_BPF, KERNEL_BPF);
        assert_act(act_use_map, &fd, 0);
        assert_act(act_list_programs, NULL, 0);
        apply("");
        assert_act(act_make_map, NULL, 0);
        assert_act(act_load_program, NULL, 0);
        close(fd);
}

static void test_the_service_goes_on_with_bpf_denied(void)
{
        apply("version=1\n[deny_bpf]\n");
        apply("version=7\n[deny]\nkernel:bpf\nfile:/none\n"); /* needs more programs and maps */
        backend = backend_free(backend);
        backend = start_backend();
        assert_denied(act_make_map, NULL, HOOK_BPF, KERNEL_BPF);
}

/* ---- mounts ---- */

static int act_mount(const void *argument)
{
        return mount("tmpfs", "/mnt", "tmpfs", 0, NULL);
}

static int act_remount(const void *argument)
{
        return mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_NOSUID, NULL);
}

static int act_umount(const void *path)
{
        return umount2(path, 0);
}

static int act_attach_mount(const void *argument)
{
        int fs = (int) syscall(SYS_fsopen, "tmpfs", 0), mnt;

        if (fs < 0 || syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
                return -1;
        mnt = (int) syscall(SYS_fsmount, fs, 0, 0);
        return mnt < 0 ? -1 : (int) syscall(SYS_move_mount, mnt, "", AT_FDCWD, "/mnt", 4);
}

static int act_pivot_root(const void *argument)
{
        return (int) syscall(SYS_pivot_root, "/tmp", "/tmp");
}

static int act_own_mounts(const void *argument)
{
        return unshare(CLONE_NEWNS);
}

static void test_no_mount_is_made_changed_or_taken_away(void)
{
        apply("version=7\n[deny]\nkernel:mount\n");
        assert_denied(act_mount, NULL, HOOK_SB_MOUNT, KERNEL_MOUNT);
        assert_denied(act_remount, NULL, HOOK_SB_MOUNT, KERNEL_MOUNT);
        assert_denied(act_attach_mount, NULL, HOOK_MOVE_MOUNT, KERNEL_MOUNT);
        assert_denied(act_umount, "/tmp", HOOK_SB_UMOUNT, KERNEL_MOUNT);
        assert_denied(act_pivot_root, NULL, HOOK_SB_PIVOTROOT, KERNEL_MOUNT);
        assert_act(act_own_mounts, NULL, 0);
        apply("");
        assert_act(act_mount, NULL, 0);
        assert_act(act_attach_mount, NULL, 0);
        assert_act(act_umount, "/mnt", 0);
        assert_act(act_umount, "/mnt", 0);
}

/* ---- */

static void test_each_rule_needs_just_its_own_hooks(void)
{
        static const struct {
                const char *rule;
                uint64_t hooks;
        } rows[] = {
                {"kernel:ptrace",
                 HOOK_BIT(HOOK_PTRACE_ACCESS_CHECK) | HOOK_BIT(HOOK_PTRACE_TRACEME)},
                {"kernel:module",
                 HOOK_BIT(HOOK_KERNEL_READ_FILE) | HOOK_BIT(HOOK_KERNEL_LOAD_DATA)},
                {"kernel:kexec", HOOK_BIT(HOOK_KERNEL_READ_FILE) | HOOK_BIT(HOOK_KERNEL_LOAD_DATA)},
                {"kernel:bpf", HOOK_BIT(HOOK_BPF)},
                {"kernel:mount", HOOK_BIT(HOOK_SB_MOUNT) | HOOK_BIT(HOOK_MOVE_MOUNT) |
                                         HOOK_BIT(HOOK_SB_UMOUNT) | HOOK_BIT(HOOK_SB_PIVOTROOT)},
        };
        const uint64_t guards =
                HOOK_BIT(HOOK_BPF_MAP) | HOOK_BIT(HOOK_SYSCTL) | HOOK_BIT(HOOK_TASK_KILL);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strdup_printf("version=7\n[deny]\n%s\n", rows[i].rule);

                apply(text);
                for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                        HookStatus status;

                        backend_hook(backend, hook, &status);
                        g_assert_cmpint(status.attached, ==,
                                        ((rows[i].hooks | guards) & HOOK_BIT(hook)) != 0);
                        if (status.attached)
                                g_assert_cmpstr(status.reason, ==, "");
                }
        }
}

#define ADD(name) g_test_add_func("/kernel-rules/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(attaching_to_a_process_is_denied_and_looking_at_it_is_not);
        ADD(what_asks_as_attaching_does_is_denied_too);
        ADD(a_rule_for_one_user_leaves_others_alone);
        ADD(audit_mode_records_and_allows);
        ADD(a_module_is_loaded_in_neither_way);
        ADD(a_kernel_is_loaded_in_neither_way);
        ADD(making_something_with_bpf_is_denied_and_using_it_is_not);
        ADD(the_service_goes_on_with_bpf_denied);
        ADD(no_mount_is_made_changed_or_taken_away);
        ADD(each_rule_needs_just_its_own_hooks);
        return g_test_run();
}
