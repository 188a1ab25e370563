/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes with a verified identity, against a real kernel: how they get it, pass it on and lose
 * it. Runs in a virtual machine as root. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-exec.h"

#define DISK "/mnt/ext4/programs"
#define PLACE "/usr/verified" /* where DISK is mounted too */

/* Rules that are about nothing: what is attached stays so from test to test. */
#define IDLE "version=4\n[protect_path]\n/nowhere\n"

#define PROTECT "version=4\n[protect_path]\n/t/secret\n"
#define PROTECT_STRICTLY PROTECT "[protect_runtime_deps]\n"

#define READ_SECRET "true </t/secret"

/* A program under fs-verity, below a folder of programs. */
static void make_verified(const char *name)
{
        g_autofree char *path = g_strdup_printf("%s/%s", DISK, name), *digest = NULL;

        make_program(path, name);
        digest = enable_verity(path);
}

static void make_verified_script(const char *name, const char *text)
{
        g_autofree char *path = g_strdup_printf("%s/%s", DISK, name), *digest = NULL;

        make_script(path, PLACE "/sh", text);
        digest = enable_verity(path);
}

static void fresh_programs(void)
{
        apply(IDLE);
        umount2("/t", MNT_DETACH);
        mkdir("/t", 0755);
        g_assert_cmpint(mount("tmpfs", "/t", "tmpfs", 0, NULL), ==, 0);
        make_file("/t/secret");
        umount2(PLACE, MNT_DETACH);
        mkdir(PLACE, 0755);
        g_assert_cmpint(g_mkdir_with_parents(DISK, 0755), ==, 0);
        g_assert_cmpint(mount(DISK, PLACE, NULL, MS_BIND, NULL), ==, 0);
        make_verified("tool");
        make_verified("sh");
}

/* Whether the program, told to be cat, can read the secret. */
static int reads(const char *path)
{
        g_autofree char *line = g_strdup_printf("%s cat /t/secret", path);
        Run result = run_line(line);

        g_assert_cmpint(result.error, ==, 0);
        return result.status == 0;
}

static int script_reads(const char *path)
{
        Run result = run_line(path);

        g_assert_cmpint(result.error, ==, 0);
        return result.status == 0;
}

static void test_a_verified_program_passes_and_no_other(void)
{
        fresh_programs();
        make_program("/t/tool", "");
        make_program(DISK "/plain", "");
        apply(PROTECT);
        g_assert_true(reads(PLACE "/tool"));
        g_assert_false(reads("/t/tool"));
        g_assert_false(reads(PLACE "/plain")); /* without fs-verity */
        g_assert_false(reads("/usr/bin/busybox"));
        g_assert_false(reads(DISK "/tool")); /* not below a folder of programs */
}

static void test_what_others_own_or_may_write_is_not_verified(void)
{
        fresh_programs();
        make_verified("theirs");
        make_verified("shared");
        g_assert_cmpint(chown(DISK "/theirs", 1000, 0), ==, 0);
        g_assert_cmpint(chmod(DISK "/shared", 0775), ==, 0);
        apply(PROTECT);
        g_assert_false(reads(PLACE "/theirs"));
        g_assert_false(reads(PLACE "/shared"));
        g_assert_cmpint(chown(DISK "/theirs", 0, 0), ==, 0);
        g_assert_true(reads(PLACE "/theirs"));
}

static void test_a_verified_script_passes_with_its_interpreter(void)
{
        fresh_programs();
        make_verified_script("script", READ_SECRET);
        make_script("/t/script", PLACE "/sh", READ_SECRET);
        make_script(DISK "/plain-script", PLACE "/sh", READ_SECRET);
        apply(PROTECT);
        g_assert_true(script_reads(PLACE "/script script"));
        g_assert_false(script_reads("/t/script script"));
        g_assert_false(script_reads(PLACE "/plain-script script"));
}

static void test_an_interpreter_that_is_handed_its_code_is_not_verified(void)
{
        const char *const arguments[] = {"sh", "-c", READ_SECRET, NULL};
        const char *const file[] = {"sh", PLACE "/script", NULL};

        fresh_programs();
        make_verified_script("script", READ_SECRET);
        apply(PROTECT);
        g_assert_cmpint(run(PLACE "/sh", arguments, NULL).status, !=, 0);
        g_assert_cmpint(run(PLACE "/sh", file, NULL).status, !=, 0);
}

static void test_what_a_process_is_its_children_are(void)
{
        fresh_programs();
        make_verified_script("script", "(" READ_SECRET ") && (( " READ_SECRET "))");
        make_script("/t/script", PLACE "/sh", "(" READ_SECRET ") || exit 3; exit 0");
        make_script("/t/deep", PLACE "/sh", "( ( " READ_SECRET ") & wait $! ) || exit 3; exit 0");
        apply(PROTECT);
        g_assert_true(script_reads(PLACE "/script script"));
        g_assert_false(script_reads("/t/script script"));
        g_assert_false(script_reads("/t/deep script"));
}

static void test_an_exec_decides_anew(void)
{
        fresh_programs();
        make_program("/t/cat", "");
        make_verified("cat");
        make_verified_script("loses", "exec /t/cat /t/secret");
        make_verified_script("keeps", "exec " PLACE "/cat /t/secret");
        make_script("/t/gains", PLACE "/sh", "exec " PLACE "/cat /t/secret");
        make_script("/t/fails", PLACE "/sh",
                    "exec 2>/dev/null; (exec " PLACE "/nothing); " READ_SECRET);
        apply(PROTECT);
        g_assert_false(script_reads(PLACE "/loses script"));
        g_assert_true(script_reads(PLACE "/keeps script"));
        g_assert_true(script_reads("/t/gains script"));
        g_assert_false(script_reads("/t/fails script"));
}

static void test_an_exec_that_fails_changes_nothing(void)
{
        fresh_programs();
        /* What is no program in any format fails after all hooks. busybox would run it itself, in a
         * child: it is told not to. */
        make_verified_script("good", "(exec /t/nothing) 2>/dev/null; " READ_SECRET);
        make_script("/t/bad", PLACE "/sh", "(exec " PLACE "/tool) 2>/dev/null; " READ_SECRET);
        make_file("/t/nothing");
        g_assert_cmpint(chmod("/t/nothing", 0755), ==, 0);
        apply(PROTECT);
        g_assert_true(script_reads(PLACE "/good script"));
        g_assert_false(script_reads("/t/bad script"));
}

static void test_libraries_count_where_the_policy_says_so(void)
{
        g_autofree char *digest = NULL;

        fresh_programs();
        copy_program(DISK "/linked", "/usr/bin/cat");
        digest = enable_verity(DISK "/linked");
        apply(PROTECT);
        g_assert_true(reads(PLACE "/linked"));
        apply(PROTECT_STRICTLY);
        g_assert_false(reads(PLACE "/linked")); /* its libraries are not under fs-verity */
        g_assert_true(reads(PLACE "/tool"));
}

static void test_the_hooks_of_libraries_are_attached_where_they_count(void)
{
        HookStatus status;

        fresh_programs();
        apply(PROTECT);
        backend_hook(backend, HOOK_BPRM_CHECK_SECURITY, &status);
        g_assert_true(status.attached);
        apply("version=4\n[protect_connect]\n[protect_runtime_deps]\n");
        backend_hook(backend, HOOK_MMAP_FILE, &status);
        g_assert_true(status.attached);
        apply("version=4\n[protect_connect]\n");
        backend_hook(backend, HOOK_MMAP_FILE, &status);
        g_assert_false(status.attached);
}

static int act_forge(const void *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0);
}

/* Without a rule about programs the kernel finds the old program still in use. */
static void test_no_process_names_another_program_as_its_own(void)
{
        fresh_programs();
        apply("version=7\n[deny]\nfile:/t/secret\n[allow]\nfile:/t/secret exe=" PLACE "/tool\n");
        g_assert_true(reads(PLACE "/tool"));
        g_assert_cmpint(child_errno(act_forge, PLACE "/tool"), ==, EPERM);
        take_events();
        child_errno(act_forge, PLACE "/tool");
        take_events();
        g_assert_cmpint(events->len, ==, 1);
        g_assert_cmpint(g_array_index(events, struct event, 0).flags, ==, EVENT_FORGED);
        apply(PROTECT);
        g_assert_cmpint(child_errno(act_forge, PLACE "/tool"), ==, EPERM);
        apply("version=7\n[deny]\nfile:/t/secret\n");
        g_assert_cmpint(child_errno(act_forge, PLACE "/tool"), ==, EBUSY);
}

static int act_name_itself(const void *name)
{
        return prctl(PR_SET_NAME, name);
}

static void test_other_words_of_prctl_pass(void)
{
        fresh_programs();
        apply(PROTECT);
        g_assert_cmpint(child_errno(act_name_itself, "anything"), ==, 0);
}

/* How many denials it met; nobody listens there. */
static unsigned denials_of_connecting(const char *path)
{
        g_autofree char *line = g_strdup_printf("%s nc 127.0.0.1 9", path);

        take_events();
        g_assert_cmpint(run_line(line).status, ==, 1);
        take_events();
        return events->len;
}

static void test_only_the_verified_connect(void)
{
        fresh_programs();
        make_program("/t/tool", "");
        apply("version=4\n[protect_connect]\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.1", 9), ==, EPERM);
        g_assert_cmpuint(denials_of_connecting("/t/tool"), ==, 1);
        g_assert_cmpuint(denials_of_connecting(PLACE "/tool"), ==, 0);
}

#define ADD(test) g_test_add_func("/identity/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(test_a_verified_program_passes_and_no_other);
        ADD(test_what_others_own_or_may_write_is_not_verified);
        ADD(test_a_verified_script_passes_with_its_interpreter);
        ADD(test_an_interpreter_that_is_handed_its_code_is_not_verified);
        ADD(test_what_a_process_is_its_children_are);
        ADD(test_an_exec_decides_anew);
        ADD(test_an_exec_that_fails_changes_nothing);
        ADD(test_libraries_count_where_the_policy_says_so);
        ADD(test_the_hooks_of_libraries_are_attached_where_they_count);
        ADD(test_no_process_names_another_program_as_its_own);
        ADD(test_other_words_of_prctl_pass);
        ADD(test_only_the_verified_connect);
        return g_test_run();
}
