/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What would take enforcement away from the service, tried by root. This process is the service; an
 * attacker is a child of it, or a copy of this program in another place. The first test comes
 * before that: there the service is a child, which ends. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-guard.h"

#define POLICY "version=7\n[deny]\nfile:/srv/secret\n"

#define assert_act(act, argument, error) g_assert_cmpint(child_errno(act, argument), ==, error)

/* ---- what the service is told ---- */

static void assert_told(enum hook hook)
{
        const struct event *event;

        take_events();
        event = last_event();
        g_assert_cmpint(event->hook, ==, hook);
        g_assert_cmpint(event->verdict, ==, VERDICT_DENIED);
        g_assert_true(event->flags & EVENT_SELF);
        g_assert_cmpuint(event->rule, ==, RULE_NONE);
}

static uint64_t denials(enum hook hook)
{
        HookStatus status;

        backend_hook(backend, hook, &status);
        return status.denials;
}

static void assert_guarded(int (*act)(const void *), const void *argument, enum hook hook)
{
        uint64_t before = denials(hook);

        take_events();
        assert_act(act, argument, EPERM);
        assert_told(hook);
        g_assert_cmpuint(denials(hook), >, before);
}

static const char *unguarded(void)
{
        BackendFacts facts;

        backend_facts(backend, &facts);
        return facts.unguarded;
}

/* ---- the service that ended, and the next ---- */

static void be_service(int ready_fd, int end_fd)
{
        char byte = 0;

        backend = start_backend();
        apply(POLICY);
        if (write(ready_fd, &byte, 1) != 1 || read(end_fd, &byte, 1) < 0)
                _exit(1);
        _exit(0);
}

static void test_only_its_own_program_follows_a_service_and_only_when_it_has_ended(void)
{
        int ready[2], end[2];
        char byte;

        g_assert_cmpint(pipe2(ready, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(end, O_CLOEXEC), ==, 0);
        service = fork();
        if (service == 0) {
                close(end[1]);
                be_service(ready[1], end[0]);
        }
        close(ready[1]);
        g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);

        assert_act(act_open_pin, HOT, EPERM); /* of the same program, but the service lives */
        assert_act(act_claim, NULL, EPERM);
        assert_act(act_copy_opens_pin, HOT, EPERM);
        g_assert_cmpint(child_errno(act_signal, GINT_TO_POINTER(SIGKILL)), ==, EPERM);

        close(end[1]);
        g_assert_cmpint(waitpid(service, NULL, 0), ==, service);
        assert_act(act_copy_opens_pin, HOT, EPERM);
        assert_act(act_trace_me_and_open_pin, HOT, EPERM);
        assert_act(act_unlink, HOT "-not", ENOENT);
        assert_act(act_open_pin, HOT, 0);
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, EPERM);

        g_assert_cmpint(backend_claim(PINS), ==, 0);
        service = getpid();
        backend = start_backend();
        close(ready[0]);
        close(end[0]);
}

static void test_what_was_adopted_is_guarded_from_who_was_before(void)
{
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, EPERM);
        g_assert_cmpstr(unguarded(), ==, "");
        assert_guarded(act_open_pin, HOT, HOOK_BPF_MAP);
        assert_act(act_claim, NULL, EPERM);
}

/* ---- the attacks ---- */

static void test_pins_are_neither_removed_nor_moved_nor_made(void)
{
        apply(POLICY);
        assert_guarded(act_unlink, FOLDER "/link_file_open", HOOK_INODE_UNLINK);
        assert_guarded(act_unlink, HOT, HOOK_INODE_UNLINK);
        assert_guarded(act_rename, HOT, HOOK_INODE_RENAME);
        assert_guarded(act_mkdir, PINS "/abi99", HOOK_INODE_MKDIR);
        assert_guarded(act_rmdir, FOLDER, HOOK_INODE_RMDIR);
        assert_act(act_mkdir, "/sys/fs/bpf/other", 0);
        assert_act(act_rmdir, "/sys/fs/bpf/other", 0);
}

static void test_their_file_system_is_neither_unmounted_nor_covered(void)
{
        apply(POLICY);
        assert_guarded(act_umount, PINS, HOOK_SB_UMOUNT);
        assert_guarded(act_mount_over, PINS, HOOK_SB_MOUNT);
        assert_guarded(act_mount_over, FOLDER, HOOK_SB_MOUNT);
        assert_guarded(act_remount, PINS, HOOK_SB_MOUNT);
        assert_guarded(act_move_mount, PINS, HOOK_MOVE_MOUNT);
        assert_act(act_bind_read_only, PINS, 0); /* of the mount alone */
        assert_act(act_mount_over, "/mnt", 0);
        assert_act(act_umount, "/mnt", 0);
}

static int act_umount_elsewhere(const void *path)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        return act_mount_over(path) < 0 || act_umount(path) < 0 ? -1 : act_umount(path);
}

static void test_mounts_of_a_container_are_its_own(void)
{
        apply(POLICY);
        assert_act(act_umount_elsewhere, PINS, 0);
        assert_act(act_unlink, HOT, EPERM);
}

static void test_maps_programs_and_links_are_not_had_by_id_or_pin(void)
{
        apply(POLICY);
        assert_guarded(act_open_pin, HOT, HOOK_BPF_MAP);
        assert_guarded(act_open_pin, FOLDER "/clauses", HOOK_BPF_MAP);
        assert_guarded(act_open_pin, PINS "/floors", HOOK_BPF_MAP);
        assert_guarded(act_unlink, PINS "/floors", HOOK_INODE_UNLINK);
        assert_guarded(act_get_all, (&(Kind){BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID}),
                       HOOK_BPF_MAP);
        assert_guarded(act_get_all, (&(Kind){BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID}),
                       HOOK_BPF);
        assert_guarded(act_get_all, (&(Kind){BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID}),
                       HOOK_BPF);
}

static Floor floor_of(const char *name)
{
        g_autofree Floor *floors = g_new0(Floor, FLOORS_MAX);
        size_t n = backend_floors(backend, floors, FLOORS_MAX);

        for (size_t i = 0; i < n; i++)
                if (g_str_equal(floors[i].name, name))
                        return floors[i];
        return (Floor){};
}

static void raise_floor(const char *name, uint64_t number)
{
        Floor floor = {.number = number, .digest = {(uint8_t) number}};

        g_strlcpy(floor.name, name, sizeof(floor.name));
        backend_raise_floor(backend, &floor);
}

static void test_a_floor_never_falls_and_outlives_the_service(void)
{
        apply(POLICY);
        raise_floor("web", 8);
        raise_floor("db", 3);
        raise_floor("web", 7);
        g_assert_cmpuint(floor_of("web").number, ==, 8);
        g_assert_cmpuint(floor_of("web").digest[0], ==, 8);
        g_assert_cmpuint(floor_of("db").number, ==, 3);
        g_assert_cmpuint(floor_of("other").number, ==, 0);
        backend = backend_free(backend);
        backend = start_backend();
        g_assert_cmpuint(floor_of("web").number, ==, 8);
        raise_floor("web", 9);
        g_assert_cmpuint(floor_of("web").number, ==, 9);
        g_assert_cmpuint(floor_of("web").digest[0], ==, 9);
}

/* Each map that any change makes is the service's, also before it stands in its slot. */
static int act_get_maps_for_a_while(const void *argument)
{
        const int *stop_fd = argument;
        struct pollfd stop = {.fd = *stop_fd};
        union bpf_attr last = {};
        uint32_t id;
        int fd;

        while (use_bpf(BPF_MAP_GET_NEXT_ID, &last) == 0) /* what is there already */
                last.start_id = last.next_id;
        id = last.start_id;

        while (poll(&stop, 1, 0) == 0) {
                union bpf_attr next = {.start_id = id}, get = {};

                if (use_bpf(BPF_MAP_GET_NEXT_ID, &next) < 0)
                        continue; /* until there is one more */
                get.map_id = id = next.next_id;
                fd = use_bpf(BPF_MAP_GET_FD_BY_ID, &get);
                if (fd >= 0)
                        return 0;
        }
        errno = EPERM;
        return -1;
}

static void test_no_map_is_had_while_it_is_made(void)
{
        int stop[2], status;
        pid_t pid;

        apply(POLICY);
        g_assert_cmpint(pipe2(stop, O_CLOEXEC), ==, 0);
        pid = fork();
        if (pid == 0) {
                close(stop[1]);
                _exit(act_get_maps_for_a_while(&stop[0]) < 0 ? errno : 0);
        }
        close(stop[0]);
        for (int i = 0; i < 8; i++)
                apply(i & 1 ? POLICY : POLICY "file:/none\n");
        close(stop[1]);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(WEXITSTATUS(status), ==, EPERM);
}

static void test_the_service_is_not_traced_and_looking_at_it_is_free(void)
{
        apply(POLICY);
        assert_guarded(act_attach, NULL, HOOK_PTRACE_ACCESS_CHECK);
        assert_guarded(act_write_memory, NULL, HOOK_PTRACE_ACCESS_CHECK);
        assert_guarded(act_take_descriptor, NULL, HOOK_PTRACE_ACCESS_CHECK);
        assert_act(act_open_proc, "mem", EACCES);
        assert_act(act_open_proc, "status", 0);
        assert_act(act_open_proc, "environ", 0);
}

static void test_no_signal_stops_or_ends_the_service(void)
{
        static const int bad[] = {SIGKILL, SIGSTOP, SIGTERM, SIGINT, SIGTSTP, SIGABRT, SIGUSR1},
                         good[] = {0, SIGCONT, SIGCHLD, SIGWINCH};

        apply(POLICY);
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                assert_guarded(act_signal, GINT_TO_POINTER(bad[i]), HOOK_TASK_KILL);
        for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
                assert_act(act_signal, GINT_TO_POINTER(good[i]), 0);
}

/* ---- the kernel's switch of all tracing, LSM programs among it ---- */

#define SWITCH "/proc/sys/kernel/ftrace_enabled"

static int act_switch_off(const void *path)
{
        int fd = open(path, O_WRONLY);

        return fd < 0 ? -1 : (int) write(fd, "0\n", 2);
}

/* In a /proc of its own, of another pid namespace. */
static int act_switch_off_elsewhere(const void *argument)
{
        int status;
        pid_t pid;

        mkdir("/tmp/proc", 0755);
        if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
                return 0;
        pid = fork();
        if (pid == 0) {
                if (mount("proc", "/tmp/proc", "proc", 0, NULL) < 0)
                        _exit(0);
                _exit(act_switch_off("/tmp/proc/sys/kernel/ftrace_enabled") < 0 ? errno : 0);
        }
        if (waitpid(pid, &status, 0) != pid)
                return 0;
        errno = WEXITSTATUS(status);
        return errno ? -1 : 0;
}

static int act_switch_on(const void *path)
{
        int fd = open(path, O_WRONLY);

        return fd < 0 ? -1 : (int) write(fd, "1", 1);
}

static void test_tracing_is_not_switched_off(void)
{
        apply(POLICY);
        assert_guarded(act_switch_off, SWITCH, HOOK_SYSCTL);
        assert_guarded(act_switch_off_elsewhere, NULL, HOOK_SYSCTL);
        assert_act(act_switch_on, SWITCH, 0);
        assert_act(act_switch_on, "/proc/sys/kernel/printk", 0);
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, EPERM);
}

/* ---- the service that ended while it proved a hook ---- */

typedef struct Stranger {
        int told[2], go[2];
} Stranger;

static void be_stranger(const Stranger *stranger)
{
        pid_t pid = getpid();
        int error;
        char byte;

        if (write(stranger->told[1], &pid, sizeof(pid)) != sizeof(pid) ||
            read(stranger->go[0], &byte, 1) != 1)
                _exit(1);
        error = open("/srv/secret", O_RDONLY) < 0 ? errno : 0;
        _exit(write(stranger->told[1], &error, sizeof(error)) != sizeof(error));
}

/* No child of this process: one between them ends at once. */
static pid_t stranger_start(Stranger *stranger)
{
        pid_t between, pid;

        g_assert_cmpint(pipe2(stranger->told, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(stranger->go, O_CLOEXEC), ==, 0);
        between = fork();
        if (between == 0) {
                if (fork() == 0)
                        be_stranger(stranger);
                _exit(0);
        }
        g_assert_cmpint(waitpid(between, NULL, 0), ==, between);
        g_assert_cmpint(read(stranger->told[0], &pid, sizeof(pid)), ==, sizeof(pid));
        return pid;
}

static int stranger_open(Stranger *stranger)
{
        int error;

        g_assert_cmpint(write(stranger->go[1], "", 1), ==, 1);
        g_assert_cmpint(read(stranger->told[0], &error, sizeof(error)), ==, sizeof(error));
        for (int i = 0; i < 2; i++) {
                close(stranger->told[i]);
                close(stranger->go[i]);
        }
        return error;
}

static void test_who_has_got_the_pid_of_a_canary_or_the_service_is_denied(void)
{
        Stranger stranger;
        int fd = open_pin(HOT);
        struct hot *hot = mmap(NULL, sizeof(*hot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        g_assert_true(hot != MAP_FAILED);
        apply(POLICY);
        hot->canary_tgid = (uint32_t) stranger_start(&stranger);
        hot->word |= WORD_CANARY;
        g_assert_cmpint(stranger_open(&stranger), ==, EPERM);
        hot->canary_tgid = hot->service_tgid = (uint32_t) stranger_start(&stranger);
        g_assert_cmpint(stranger_open(&stranger), ==, EPERM);
        hot->canary_tgid = hot->canary_hook = 0;
        hot->word &= ~WORD_CANARY;
        hot->service_tgid = (uint32_t) getpid();
        munmap(hot, sizeof(*hot));
        close(fd);
}

/* ---- when ---- */

static void test_audit_mode_guards_in_earnest(void)
{
        apply_in_mode(POLICY, MODE_AUDIT);
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, 0);
        assert_guarded(act_signal, GINT_TO_POINTER(SIGKILL), HOOK_TASK_KILL);
        assert_guarded(act_open_pin, HOT, HOOK_BPF_MAP);
        apply_in_mode(POLICY, MODE_ENFORCE);
        g_assert_cmpint(backend_set_mode(backend, MODE_ENFORCE, UINT64_MAX, ++generation), ==, 0);
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, 0);
        assert_guarded(act_signal, GINT_TO_POINTER(SIGKILL), HOOK_TASK_KILL);
        assert_guarded(act_open_pin, HOT, HOOK_BPF_MAP);
}

static void test_without_a_policy_there_is_nothing_to_guard(void)
{
        apply("");
        g_assert_cmpstr(unguarded(), ==, "no policy is in force");
        assert_act(act_open_pin, HOT, 0);
        assert_act(act_mkdir, PINS "/abi99", 0);
        assert_act(act_rmdir, PINS "/abi99", 0);
        apply(POLICY);
        assert_act(act_mkdir, PINS "/abi99", EPERM);
}

static void test_a_service_that_may_be_debugged_is_not_guarded_and_says_so(void)
{
        const BackendConfig config = {.pin_directory = PINS,
                                      .canary_directory = "/run/aegis-test",
                                      .on_event = NULL,
                                      .is_unguarded = 1};

        apply(POLICY);
        backend = backend_free(backend);
        g_assert_cmpint(backend_new(&backend, &config), ==, 0);
        g_assert_cmpstr(unguarded(), ==, "it is switched off by ProtectSelf=no");
        assert_act(act_open_pin, HOT, 0);
        assert_act(act_signal, GINT_TO_POINTER(SIGUSR2), 0);
        assert_act(act_claim, NULL, EBUSY); /* yet no other takes it away */
        g_assert_cmpint(try_open(0, "/srv/secret"), ==, EPERM);
        backend = backend_free(backend);
        backend = start_backend();
        g_assert_cmpstr(unguarded(), ==, "");
        assert_act(act_open_pin, HOT, EPERM);
}

#define ADD(name) g_test_add_func("/guard/" #name, test_##name)

int main(int argc, char **argv)
{
        if (argc == 3 && strcmp(argv[1], "--open-pin") == 0)
                return open_pin(argv[2]) < 0 ? errno : 0;
        g_test_init(&argc, &argv, NULL);
        signal(SIGUSR2, SIG_IGN);
        make_file("/srv/secret");
        ADD(only_its_own_program_follows_a_service_and_only_when_it_has_ended);
        ADD(what_was_adopted_is_guarded_from_who_was_before);
        ADD(pins_are_neither_removed_nor_moved_nor_made);
        ADD(their_file_system_is_neither_unmounted_nor_covered);
        ADD(mounts_of_a_container_are_its_own);
        ADD(maps_programs_and_links_are_not_had_by_id_or_pin);
        ADD(a_floor_never_falls_and_outlives_the_service);
        ADD(no_map_is_had_while_it_is_made);
        ADD(the_service_is_not_traced_and_looking_at_it_is_free);
        ADD(no_signal_stops_or_ends_the_service);
        ADD(tracing_is_not_switched_off);
        ADD(who_has_got_the_pid_of_a_canary_or_the_service_is_denied);
        ADD(audit_mode_guards_in_earnest);
        ADD(without_a_policy_there_is_nothing_to_guard);
        ADD(a_service_that_may_be_debugged_is_not_guarded_and_says_so);
        return g_test_run();
}
