/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that are run and files that are mapped to be executed, against a real kernel: by path,
 * name, bytes and default, and each way to run them. Runs in a virtual machine as root. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-exec.h"

#define EXT4 "/mnt/ext4"
#define LOADER "/lib64/ld-linux-x86-64.so.2"

/* Rules that are about nothing: what is attached stays so from test to test. */
#define KEEP "version=7\n[deny]\nexec:/nowhere\ncomm:nobody\n"
#define IDLE KEEP

#define assert_run(path, error) g_assert_cmpint(try_run(path), ==, error)

/* A file system of its own for each test, so that no test sees another's names. */
static void fresh_tree(void)
{
        apply(IDLE);
        umount2("/t", MNT_DETACH);
        mkdir("/t", 0755);
        g_assert_cmpint(mount("tmpfs", "/t", "tmpfs", 0, NULL), ==, 0);
        make_tiny("/t/free", "");
        make_tiny("/t/tool", "tool");
}

/* ---- by path ---- */

static void test_a_program_is_denied_by_its_path_and_its_neighbour_is_not(void)
{
        fresh_tree();
        make_tiny("/t/bin/tool", "tool");
        apply(KEEP "exec:/t/tool\n");
        assert_run("/t/tool", EPERM);
        assert_run("/t/free", 0);
        assert_run("/t/bin/tool", 0);
        g_assert_cmpint(try_open(0, "/t/tool"), ==, 0); /* it may be read */
        apply(IDLE);
        assert_run("/t/tool", 0);
}

static void test_a_directory_of_programs_is_denied_with_an_exception(void)
{
        fresh_tree();
        make_tiny("/t/bin/deep/tool", "");
        make_tiny("/t/bin/deep/good", "");
        apply(KEEP "exec:/t/bin/\n[allow]\nexec:/t/bin/deep/good\n");
        assert_run("/t/bin/deep/tool", EPERM);
        assert_run("/t/bin/deep/good", 0);
        assert_run("/t/tool", 0);
}

static void test_a_deny_path_denies_running_too(void)
{
        fresh_tree();
        apply("[deny_path]\n/t/tool\n");
        assert_run("/t/tool", EPERM);
        assert_run("/t/free", 0);
}

static void test_a_program_that_comes_later_is_denied(void)
{
        fresh_tree();
        apply(KEEP "exec:/t/later\n");
        make_tiny("/t/later", "");
        assert_run("/t/later", EPERM);
}

static void test_a_hard_link_made_before_is_denied(void)
{
        fresh_tree();
        g_assert_cmpint(link("/t/tool", "/t/second"), ==, 0);
        apply(KEEP "exec:/t/tool\n");
        assert_run("/t/second", EPERM);
        assert_run("/t/free", 0);
}

/* ---- scripts ---- */

static void test_a_script_is_asked_about_and_so_is_its_interpreter(void)
{
        fresh_tree();
        make_tiny("/t/sh", "");
        make_script("/t/script", "/t/sh", "true");
        assert_run("/t/script", 0);
        apply(KEEP "exec:/t/script\n");
        assert_run("/t/script", EPERM);
        assert_run("/t/sh", 0);
        apply(KEEP "exec:/t/sh\n");
        assert_run("/t/script", EPERM);
        assert_run("/t/free", 0);
}

static void test_a_script_of_a_script_is_denied_by_any_of_them(void)
{
        fresh_tree();
        make_tiny("/t/sh", "");
        make_script("/t/middle", "/t/sh", "true");
        make_script("/t/script", "/t/middle", "");
        assert_run("/t/script", 0);
        apply(KEEP "exec:/t/middle\n");
        assert_run("/t/script", EPERM);
        apply(KEEP "exec:/t/sh\n");
        assert_run("/t/script", EPERM);
}

/* ---- by the name of a program ---- */

static void test_a_name_is_that_of_the_file_or_the_one_it_is_run_by(void)
{
        fresh_tree();
        make_tiny("/t/some/deep/directory/miner", "");
        g_assert_cmpint(symlink("/t/some/deep/directory/miner", "/t/alias"), ==, 0);
        g_assert_cmpint(symlink("/t/free", "/t/miner"), ==, 0);
        apply("[deny_path]\n/nowhere\n[deny_comm]\nminer\n");
        assert_run("/t/some/deep/directory/miner", EPERM);
        assert_run("/t/alias", EPERM);
        assert_run("/t/miner", EPERM);
        assert_run("/t/free", 0);
        g_assert_cmpint(rename("/t/some/deep/directory/miner", "/t/minor"), ==, 0);
        assert_run("/t/minor", 0);
}

static void test_names_are_told_by_fifteen_bytes(void)
{
        g_autofree char *deep = g_strdup_printf("/t/%0200d/%0100d/123456789012345", 0, 0);

        fresh_tree();
        make_tiny("/t/123456789012345", "");
        make_tiny("/t/1234567890123456789", "");
        make_tiny("/t/12345678901234", "");
        make_tiny(deep, "");
        apply("[deny_path]\n/nowhere\n[deny_comm]\n123456789012345\n");
        assert_run("/t/123456789012345", EPERM);
        assert_run("/t/1234567890123456789", EPERM);
        assert_run("/t/12345678901234", 0);
        assert_run(deep, EPERM);
}

static void test_the_name_of_an_interpreter_is_denied(void)
{
        fresh_tree();
        make_tiny("/t/sh", "");
        make_script("/t/script", "/t/sh", "true");
        apply(KEEP "comm:sh\n");
        assert_run("/t/script", EPERM);
        apply(KEEP "comm:script\n");
        assert_run("/t/script", EPERM);
        assert_run("/t/sh", 0);
}

/* ---- an allow-list ---- */

static void test_what_no_rule_allows_the_default_denies(void)
{
        fresh_tree();
        make_tiny("/t/sh", "");
        make_script("/t/script", "/t/sh", "true");
        apply(KEEP "[allow]\nexec:/t/tool\nexec:/t/script\n[default]\nexec=deny\n");
        assert_run("/t/tool", 0);
        assert_run("/t/free", EPERM);
        assert_run("/t/script", EPERM); /* its interpreter is not allowed */
        apply(KEEP "[allow]\nexec:/t/sh\nexec:/t/script\n[default]\nexec=deny\n");
        assert_run("/t/script", 0);
        g_assert_cmpint(try_map("/t/free"), ==, 0); /* maps have a default of their own */
}

static void test_a_default_may_be_for_some_alone(void)
{
        fresh_tree();
        apply(KEEP "[default]\nexec=deny uid=12345\n");
        assert_run("/t/free", 0);
}

/* ---- each way to run a file ---- */

static int memory_file(const char *from)
{
        g_autofree char *bytes = NULL, *path = NULL;
        int fd = memfd_create("program", MFD_CLOEXEC), read_only;
        gsize n;

        g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
        g_assert_cmpint(write(fd, bytes, n), ==, (ssize_t) n);
        path = g_strdup_printf("/proc/self/fd/%d", fd);
        read_only = open(path, O_RDONLY | O_CLOEXEC);
        close(fd);
        return read_only;
}

static void test_descriptors_lead_to_the_same_program(void)
{
        int fd, path_fd;

        fresh_tree();
        fd = open("/t/tool", O_RDONLY | O_CLOEXEC);
        path_fd = open("/t/tool", O_PATH | O_CLOEXEC);
        apply(KEEP "exec:/t/tool\n");
        g_assert_cmpint(try_run_fd(fd), ==, EPERM);
        g_assert_cmpint(try_run_link(fd), ==, EPERM);
        g_assert_cmpint(try_run_fd(path_fd), ==, EPERM);
        apply(IDLE);
        g_assert_cmpint(try_run_fd(fd), ==, 0);
        close(fd);
        close(path_fd);
}

static void test_a_deleted_program_is_known_by_the_name_it_had(void)
{
        int denied, other;

        fresh_tree();
        denied = open("/t/tool", O_RDONLY | O_CLOEXEC);
        other = open("/t/free", O_RDONLY | O_CLOEXEC);
        apply(KEEP "exec:/t/tool\n");
        g_assert_cmpint(unlink("/t/tool"), ==, 0);
        g_assert_cmpint(unlink("/t/free"), ==, 0);
        g_assert_cmpint(try_run_fd(denied), ==, EPERM);
        g_assert_cmpint(try_run_link(denied), ==, EPERM);
        g_assert_cmpint(try_run_fd(other), ==, 0);
        apply(KEEP "[default]\nexec=deny\n");
        g_assert_cmpint(try_run_fd(other), ==, EPERM);
        close(denied);
        close(other);
}

static void test_a_program_in_memory_is_decided_by_the_default(void)
{
        int fd;

        fresh_tree();
        fd = memory_file("/t/tool");
        apply(KEEP "exec:/t/\n");
        g_assert_cmpint(try_run_fd(fd), ==, 0);
        apply(KEEP "[allow]\nexec:/t/\n[default]\nexec=deny\n");
        g_assert_cmpint(try_run_fd(fd), ==, EPERM);
        g_assert_cmpint(try_run_link(fd), ==, EPERM);
        assert_run("/t/tool", 0);
        close(fd);
}

static void test_a_program_without_a_name_is_ruled_by_its_directory(void)
{
        g_autofree char *bytes = NULL, *path = NULL;
        int fd, read_only;
        gsize n;

        fresh_tree();
        g_assert_true(g_file_get_contents("/t/tool", &bytes, &n, NULL));
        fd = open("/t", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0755);
        g_assert_cmpint(write(fd, bytes, n), ==, (ssize_t) n);
        path = g_strdup_printf("/proc/self/fd/%d", fd);
        read_only = open(path, O_RDONLY | O_CLOEXEC);
        close(fd);
        g_assert_cmpint(try_run_fd(read_only), ==, 0);
        apply(KEEP "exec:/t/\n");
        g_assert_cmpint(try_run_fd(read_only), ==, EPERM);
        apply(KEEP "[default]\nexec=deny\n");
        g_assert_cmpint(try_run_fd(read_only), ==, EPERM);
        close(read_only);
}

/* ---- maps ---- */

static void test_the_loader_does_not_run_what_may_not_be_run(void)
{
        fresh_tree();
        copy_program("/t/linked", "/usr/bin/true");
        g_assert_cmpint(run_line(LOADER " loader /t/linked").status, ==, 0);
        apply(KEEP "exec:/t/linked\n");
        g_assert_cmpint(run_line(LOADER " loader /t/linked").status, !=, 0);
        g_assert_cmpint(run_line(LOADER " loader /usr/bin/true").status, ==, 0);
}

static void test_a_denied_program_cannot_be_mapped_to_be_executed(void)
{
        fresh_tree();
        apply(KEEP "exec:/t/tool\n");
        g_assert_cmpint(try_map("/t/tool"), ==, EPERM);
        g_assert_cmpint(try_protect("/t/tool"), ==, EPERM);
        g_assert_cmpint(try_map_as_data("/t/tool"), ==, EPERM);
        g_assert_cmpint(try_map("/t/free"), ==, 0);
        g_assert_cmpint(try_protect("/t/free"), ==, 0);
        g_assert_cmpint(try_map_as_data("/t/free"), ==, 0);
}

static void test_a_name_for_reading_alone_does_not_hold_for_maps(void)
{
        fresh_tree();
        apply(KEEP "file:/t/tool access=write,delete\n");
        g_assert_cmpint(try_map("/t/tool"), ==, 0);
        assert_run("/t/tool", 0);
}

static const char show_maps[] =
        "while read -r line; do case $line in *r-xp*/t/library.so*) exit 7;; "
        "esac; done </proc/self/maps; exit 0";

static int run_with_library(void)
{
        const char *const arguments[] = {"bash", "-c", show_maps, NULL};
        const char *const environment[] = {"LD_PRELOAD=/t/library.so", NULL};
        Run result = run("/usr/bin/bash", arguments, environment);

        g_assert_cmpint(result.error, ==, 0);
        return result.status;
}

static void test_a_library_that_is_not_allowed_is_not_loaded(void)
{
        fresh_tree();
        copy_program("/t/library.so", "/usr/lib/x86_64-linux-gnu/libm.so.6");
        g_assert_cmpint(run_with_library(), ==, 7);
        apply(KEEP "[allow]\nexec:/usr/\n[default]\nmap=deny\nexec=deny\n");
        g_assert_cmpint(run_with_library(), ==, 0);
        g_assert_cmpint(try_map("/t/tool"), ==, EPERM);
        assert_run("/t/tool", EPERM);
        apply(KEEP "[allow]\nexec:/usr/\nfile:/t/library.so "
                   "access=map\n[default]\nmap=deny\n");
        g_assert_cmpint(run_with_library(), ==, 7);
}

static int act_map_nothing(const void *unused)
{
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                               MAP_FAILED
                       ? -1
                       : 0;
}

static void test_memory_without_a_file_may_be_executed_as_declared(void)
{
        fresh_tree();
        apply(KEEP "[allow]\nexec:/usr/\n[default]\nmap=deny\n");
        g_assert_cmpint(child_errno(act_map_nothing, NULL), ==, 0);
}

/* ---- what is told, and what is sent ---- */

static void test_a_denial_tells_what_was_to_be_run(void)
{
        const struct event *event;

        fresh_tree();
        apply("[deny_path]\n/nowhere\n[deny_comm]\ntool\n");
        take_events();
        assert_run("/t/tool", EPERM);
        take_events();
        event = last_event();
        g_assert_cmpint(event->hook, ==, HOOK_BPRM_CHECK_SECURITY);
        g_assert_cmpint(event->access, ==, ACCESS_EXEC);
        g_assert_cmpint(event->verdict, ==, VERDICT_DENIED);
        g_assert_cmpint(event->rule, ==, 2);
        g_assert_cmpstr(event->path, ==, "tool");
}

static void test_in_audit_mode_it_is_recorded_and_run(void)
{
        fresh_tree();
        apply_in_mode("[deny_path]\n/nowhere\n[deny_comm]\ntool\n", MODE_AUDIT);
        take_events();
        assert_run("/t/tool", 0);
        take_events();
        g_assert_cmpint(last_event()->verdict, ==, VERDICT_AUDITED);
        apply(KEEP "[audit]\nexec:/t/tool\n");
        assert_run("/t/tool", 0);
        take_events();
        g_assert_cmpint(last_event()->verdict, ==, VERDICT_AUDITED);
}

/* Tries until it is ended. */
static int status_after_denials(const char *path, void (*term)(int))
{
        const char *const arguments[] = {path, NULL};
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                signal(SIGTERM, term);
                for (int i = 0; i < 3; i++)
                        execv(path, (char *const *) arguments);
                _exit(errno);
        }
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_who_is_denied_is_sent_the_signal_of_the_rule(void)
{
        fresh_tree();
        apply(KEEP "comm:tool signal=term\n");
        g_assert_cmpint(status_after_denials("/t/tool", SIG_DFL), ==, 128 + SIGTERM);
        g_assert_cmpint(status_after_denials("/t/tool", SIG_IGN), ==, EPERM);
        apply(KEEP "comm:tool signal=kill\n");
        g_assert_cmpint(status_after_denials("/t/tool", SIG_DFL), ==, 128 + SIGTERM);
        g_assert_cmpint(status_after_denials("/t/tool", SIG_IGN), ==, 128 + SIGKILL);
        apply(KEEP "comm:tool signal=none\n");
        g_assert_cmpint(status_after_denials("/t/tool", SIG_DFL), ==, EPERM);
        take_events();
        status_after_denials("/t/tool", SIG_DFL);
        take_events();
        g_assert_cmpint(last_event()->signal, ==, 0);
        apply(KEEP "comm:tool signal=term\n");
        status_after_denials("/t/tool", SIG_DFL);
        take_events();
        g_assert_cmpint(last_event()->signal, ==, SIGTERM);
}

/* ---- hooks ---- */

static void test_hooks_of_programs_are_attached_for_rules_about_them_alone(void)
{
        HookStatus status;

        fresh_tree();
        apply("[deny_port]\n81\n");
        backend_hook(backend, HOOK_BPRM_CHECK_SECURITY, &status);
        g_assert_false(status.attached);
        backend_hook(backend, HOOK_MMAP_FILE, &status);
        g_assert_false(status.attached);
        apply("version=7\n[deny]\ncomm:tool\n");
        backend_hook(backend, HOOK_BPRM_CHECK_SECURITY, &status);
        g_assert_true(status.attached);
        backend_hook(backend, HOOK_MMAP_FILE, &status);
        g_assert_false(status.attached);
        apply(KEEP "exec:/t/tool\n");
        backend_hook(backend, HOOK_MMAP_FILE, &status);
        g_assert_true(status.attached);
        backend_hook(backend, HOOK_FILE_MPROTECT, &status);
        g_assert_true(status.attached);
        g_assert_cmpint(status.guarantee, ==, GUARANTEE_DENY);
}

#define ADD(test) g_test_add_func("/exec/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(test_a_program_is_denied_by_its_path_and_its_neighbour_is_not);
        ADD(test_a_directory_of_programs_is_denied_with_an_exception);
        ADD(test_a_deny_path_denies_running_too);
        ADD(test_a_program_that_comes_later_is_denied);
        ADD(test_a_hard_link_made_before_is_denied);
        ADD(test_a_script_is_asked_about_and_so_is_its_interpreter);
        ADD(test_a_script_of_a_script_is_denied_by_any_of_them);
        ADD(test_a_name_is_that_of_the_file_or_the_one_it_is_run_by);
        ADD(test_names_are_told_by_fifteen_bytes);
        ADD(test_the_name_of_an_interpreter_is_denied);
        ADD(test_what_no_rule_allows_the_default_denies);
        ADD(test_a_default_may_be_for_some_alone);
        ADD(test_descriptors_lead_to_the_same_program);
        ADD(test_a_deleted_program_is_known_by_the_name_it_had);
        ADD(test_a_program_in_memory_is_decided_by_the_default);
        ADD(test_a_program_without_a_name_is_ruled_by_its_directory);
        ADD(test_the_loader_does_not_run_what_may_not_be_run);
        ADD(test_a_denied_program_cannot_be_mapped_to_be_executed);
        ADD(test_a_name_for_reading_alone_does_not_hold_for_maps);
        ADD(test_a_library_that_is_not_allowed_is_not_loaded);
        ADD(test_memory_without_a_file_may_be_executed_as_declared);
        ADD(test_a_denial_tells_what_was_to_be_run);
        ADD(test_in_audit_mode_it_is_recorded_and_run);
        ADD(test_who_is_denied_is_sent_the_signal_of_the_rule);
        ADD(test_hooks_of_programs_are_attached_for_rules_about_them_alone);
        return g_test_run();
}
