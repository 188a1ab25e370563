/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs by what is in them: digests by IMA and of fs-verity, against a real kernel. Runs in a
 * virtual machine as root. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-exec.h"

#define DISK "/mnt/ext4"
#define N_WRITES 40
#define SETTLING_USEC 2200000 /* longer than a version of a file takes to settle */

/* Rules that are about nothing: what is attached stays so from test to test. */
#define KEEP "version=7\n[deny]\nexec:/nowhere\ncomm:nobody\n"
#define KEEP_OLD "version=5\n[deny_path]\n/nowhere\n[deny_comm]\nnobody\n"
#define IDLE KEEP "exec:sha256:0000000000000000000000000000000000000000000000000000000000000000\n"

#define assert_run(path, error) g_assert_cmpint(try_run(path), ==, error)

static int has_ima(void)
{
        return backend_tier(backend) == TIER_LSM;
}

static void apply_format(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void apply_format(const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        apply(text);
}

static void fresh_tree(void)
{
        apply(has_ima() ? IDLE : KEEP);
        umount2("/t", MNT_DETACH);
        mkdir("/t", 0755);
        g_assert_cmpint(mount("tmpfs", "/t", "tmpfs", 0, NULL), ==, 0);
        make_tiny("/t/free", "");
        make_tiny("/t/tool", "tool");
}

static void deny_bytes_of(const char *path)
{
        g_autofree char *digest = sha256_of(path);

        apply_format(KEEP "exec:sha256:%s\n", digest);
}

/* ---- by IMA ---- */

static void test_without_bpf_lsm_rules_about_bytes_are_refused(void)
{
        g_autofree char *digest = NULL, *text = NULL;
        PolicyImage *image;
        HookStatus status;

        fresh_tree();
        digest = sha256_of("/t/tool");
        text = g_strdup_printf(KEEP "exec:sha256:%s\n", digest);
        image = compile(text);
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, ++generation), ==,
                        BACKEND_E_GUARANTEE);
        policy_image_free(image);
        backend_hook(backend, HOOK_BPRM_CREDS_FOR_EXEC, &status);
        g_assert_cmpstr(status.reason, ==,
                        "it takes a program that may sleep, which only BPF LSM runs here");
        apply_format("version=7\non-missing-guarantee=accept\n[deny]\nexec:sha256:%s\n", digest);
        assert_run("/t/tool", 0);
        assert_run("/t/free", 0);
}

static void test_a_program_is_denied_by_its_bytes_wherever_it_is(void)
{
        int fd;

        fresh_tree();
        make_tiny("/t/copy", "tool");
        make_tiny(DISK "/copy", "tool");
        make_tiny(DISK "/other", "other");
        fd = open("/t/tool", O_RDONLY | O_CLOEXEC);
        deny_bytes_of("/t/tool");
        assert_run("/t/tool", EPERM);
        assert_run("/t/copy", EPERM);
        assert_run(DISK "/copy", EPERM);
        g_assert_cmpint(unlink("/t/tool"), ==, 0);
        g_assert_cmpint(try_run_fd(fd), ==, EPERM);
        for (int i = 0; i < 3; i++) {
                assert_run("/t/free", 0);
                assert_run(DISK "/other", 0);
        }
        close(fd);
}

static void test_the_event_tells_the_digest(void)
{
        g_autofree char *digest = NULL;
        const struct event *event;

        fresh_tree();
        digest = sha256_of("/t/tool");
        deny_bytes_of("/t/tool");
        take_events();
        assert_run("/t/tool", EPERM);
        take_events();
        g_assert_cmpint(events->len, ==, 1);
        event = &g_array_index(events, struct event, 0);
        g_assert_cmpint(event->digest_algorithm, ==, DIGEST_SHA256);
        g_assert_cmpint(event->digest[0], ==, strtoul((char[]){digest[0], digest[1], 0}, NULL, 16));
        g_assert_cmpint(event->flags, ==, 0);
}

static void test_a_program_in_memory_is_denied_by_its_bytes(void)
{
        g_autofree char *bytes = NULL, *path = NULL;
        int fd = memfd_create("program", MFD_CLOEXEC), read_only;
        gsize n;

        fresh_tree();
        g_assert_true(g_file_get_contents("/t/tool", &bytes, &n, NULL));
        g_assert_cmpint(write(fd, bytes, n), ==, (ssize_t) n);
        path = g_strdup_printf("/proc/self/fd/%d", fd);
        read_only = open(path, O_RDONLY | O_CLOEXEC);
        close(fd);
        deny_bytes_of("/t/free");
        g_assert_cmpint(try_run_fd(read_only), ==, 0);
        deny_bytes_of("/t/tool");
        g_assert_cmpint(try_run_fd(read_only), ==, EPERM);
        close(read_only);
}

static void test_scripts_and_interpreters_are_denied_by_their_bytes(void)
{
        fresh_tree();
        make_tiny("/t/sh", "interpreter");
        make_tiny("/t/ash", "another");
        make_script("/t/script", "/t/sh", "true");
        make_script("/t/middle", "/t/ash", "true");
        make_script("/t/nested", "/t/middle", "");
        deny_bytes_of("/t/sh");
        assert_run("/t/script", EPERM);
        assert_run("/t/middle", 0);
        assert_run("/t/nested", 0);
        deny_bytes_of("/t/script");
        assert_run("/t/script", EPERM);
        assert_run("/t/sh", 0);
        deny_bytes_of("/t/middle");
        assert_run("/t/nested", EPERM);
        deny_bytes_of("/t/ash");
        assert_run("/t/nested", EPERM);
        assert_run("/t/script", 0);
}

static void test_a_list_of_bytes_allows_what_is_in_it_alone(void)
{
        g_autofree char *digest = NULL;

        fresh_tree();
        make_tiny("/t/copy", "tool");
        digest = sha256_of("/t/tool");
        apply_format(KEEP_OLD "[trusted_exec_hash]\nsha256:%s\n", digest);
        assert_run("/t/tool", 0);
        assert_run("/t/copy", 0);
        assert_run("/t/free", EPERM);
        apply_format(KEEP_OLD "[allow_binary_hash]\nsha256:%s\n[deny_path]\n/t/copy\n", digest);
        assert_run("/t/tool", 0);
        assert_run("/t/copy", EPERM);
        assert_run("/t/free", EPERM);
}

static void test_bytes_decide_before_a_name_and_a_path(void)
{
        g_autofree char *digest = NULL;

        fresh_tree();
        digest = sha256_of("/t/tool");
        apply_format(KEEP "[allow]\nexec:sha256:%s\n[deny]\ncomm:tool\ncomm:free\n", digest);
        assert_run("/t/tool", 0);
        assert_run("/t/free", EPERM);
}

/* The last byte of a program that is made with a text. */
static void write_last(const char *path, char byte)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        off_t end = lseek(fd, 0, SEEK_END);

        g_assert_cmpint(pwrite(fd, &byte, 1, end - 1), ==, 1);
        close(fd);
}

static void map_last(const char *path, char byte)
{
        int fd = open(path, O_RDWR | O_CLOEXEC);
        off_t end = lseek(fd, 0, SEEK_END);
        volatile char *memory = mmap(NULL, (size_t) end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        g_assert_true(memory != MAP_FAILED);
        if (memory[end - 1] != byte) /* it is read first */
                memory[end - 1] = byte;
        munmap((void *) memory, (size_t) end);
        close(fd);
}

static void check_writes(const char *path, void (*change)(const char *, char))
{
        make_tiny(path, "a");
        deny_bytes_of(path);
        assert_run(path, EPERM);
        for (int i = 0; i < N_WRITES; i++) {
                change(path, 'b');
                assert_run(path, 0);
                change(path, 'a');
                assert_run(path, EPERM);
        }
}

static void test_a_file_that_is_written_has_new_bytes_at_once(void)
{
        fresh_tree();
        check_writes("/t/written", write_last);
        check_writes("/t/mapped", map_last);
        check_writes(DISK "/written", write_last);
        check_writes(DISK "/mapped", map_last);
}

static void check_settled(const char *path, void (*change)(const char *, char))
{
        make_tiny(path, "a");
        make_tiny("/t/b", "b");
        deny_bytes_of("/t/b");
        assert_run(path, 0);
        g_usleep(SETTLING_USEC); /* nothing tells that a clock has gone on */
        assert_run(path, 0);     /* hashed once more, and believed */
        assert_run(path, 0);
        change(path, 'b');
        assert_run(path, EPERM);
        change(path, 'a');
        assert_run(path, 0);
}

static void test_a_file_that_is_written_long_after_has_new_bytes_at_once(void)
{
        fresh_tree();
        check_settled(DISK "/settled", write_last);
        check_settled(DISK "/settled", map_last);
        check_settled("/t/settled", map_last);
}

static void test_what_is_open_to_write_is_not_run(void)
{
        int fd;

        fresh_tree();
        deny_bytes_of("/t/tool");
        fd = open("/t/free", O_WRONLY | O_CLOEXEC);
        g_assert_cmpint(try_run("/t/free"), !=, 0); /* ETXTBSY, or EPERM where kernels allow it */
        close(fd);
        assert_run("/t/free", 0);
}

/* ---- fs-verity ---- */

/* From 7.1 on the kernel tells the digest to programs of BPF LSM alone: in the other tier a file
 * under fs-verity is denied in doubt. */
static void assert_free(const char *path)
{
        int error;

        take_events();
        error = try_run(path);
        if (error == 0 || has_ima()) {
                g_assert_cmpint(error, ==, 0);
                return;
        }
        take_events();
        g_assert_cmpint(error, ==, EPERM);
        g_assert_cmpint(g_array_index(events, struct event, 0).flags, ==, EVENT_UNHASHED);
}

static void test_a_program_is_denied_by_its_verity_digest(void)
{
        g_autofree char *digest = NULL, *other = NULL;

        fresh_tree();
        make_tiny(DISK "/sealed", "sealed");
        make_tiny(DISK "/other", "other");
        make_tiny(DISK "/plain", "sealed");
        digest = enable_verity(DISK "/sealed");
        other = enable_verity(DISK "/other");
        apply_format(KEEP "exec:fsverity:%s\n", digest);
        assert_run(DISK "/sealed", EPERM);
        assert_free(DISK "/other");
        assert_run(DISK "/plain", 0); /* the same bytes, without fs-verity */
        apply_format(KEEP "exec:fsverity:%s\n", other);
        assert_free(DISK "/sealed");
        assert_run(DISK "/other", EPERM);
}

static void test_a_list_of_verity_digests_allows_what_is_in_it_alone(void)
{
        g_autofree char *digest = NULL;

        fresh_tree();
        make_tiny(DISK "/sealed", "list");
        make_tiny(DISK "/plain", "list");
        digest = enable_verity(DISK "/sealed");
        apply_format(KEEP "[allow]\nexec:fsverity:%s\n[default]\nexec=deny\n", digest);
        assert_free(DISK "/sealed");
        assert_run(DISK "/plain", EPERM);
}

static void test_a_verity_interpreter_is_told_too(void)
{
        g_autofree char *digest = NULL;

        fresh_tree();
        make_tiny(DISK "/sh", "sh");
        make_script("/t/script", DISK "/sh", "true");
        digest = enable_verity(DISK "/sh");
        assert_run("/t/script", 0);
        apply_format(KEEP "exec:fsverity:%s\n", digest);
        assert_run("/t/script", EPERM);
}

static void test_both_kinds_of_digest_go_together(void)
{
        g_autofree char *sealed = NULL, *bytes = NULL;

        fresh_tree();
        make_tiny(DISK "/both", "both");
        sealed = enable_verity(DISK "/both");
        bytes = sha256_of("/t/tool");
        apply_format(KEEP "exec:fsverity:%s\nexec:sha256:%s\n", sealed, bytes);
        assert_run(DISK "/both", EPERM);
        assert_run("/t/tool", EPERM);
        assert_run("/t/free", 0);
}

#define ADD(test) g_test_add_func("/digest/" #test, test)

static void add_ima(void)
{
        ADD(test_a_program_is_denied_by_its_bytes_wherever_it_is);
        ADD(test_the_event_tells_the_digest);
        ADD(test_a_program_in_memory_is_denied_by_its_bytes);
        ADD(test_scripts_and_interpreters_are_denied_by_their_bytes);
        ADD(test_a_list_of_bytes_allows_what_is_in_it_alone);
        ADD(test_bytes_decide_before_a_name_and_a_path);
        ADD(test_a_file_that_is_written_has_new_bytes_at_once);
        ADD(test_a_file_that_is_written_long_after_has_new_bytes_at_once);
        ADD(test_what_is_open_to_write_is_not_run);
        ADD(test_both_kinds_of_digest_go_together);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        if (has_ima())
                add_ima();
        else
                ADD(test_without_bpf_lsm_rules_about_bytes_are_refused);
        ADD(test_a_program_is_denied_by_its_verity_digest);
        ADD(test_a_list_of_verity_digests_allows_what_is_in_it_alone);
        ADD(test_a_verity_interpreter_is_told_too);
        return g_test_run();
}
