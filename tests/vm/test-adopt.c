/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a backend does with the programs that an earlier one has left at work: of its own build it
 * takes those that answer, all others it replaces. Runs in a virtual machine as root; this process
 * is each of the backends in turn, and so may handle the pins. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-guard.h"

#define POLICY "[deny_path]\n/t/secret\n"
#define LINK FOLDER "/link_file_open"
#define STRAY FOLDER "/link_ask_00000000_file_open"

static int opens(const void *path)
{
        return open(path, O_RDONLY);
}

static void assert_open(const char *path, int expected)
{
        g_assert_cmpint(child_errno(opens, path), ==, expected);
}

static uint32_t link_id(const char *pin)
{
        int fd = bpf_obj_get(pin);
        struct bpf_link_info info = {};
        uint32_t n = sizeof(info);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(bpf_obj_get_info_by_fd(fd, &info, &n), ==, 0);
        close(fd);
        return info.id;
}

/* How many pins hold the judge in the program of that name; the last one's path. */
static unsigned judge_pins(const char *name, char **ret_path)
{
        g_autofree char *end = g_strconcat("_", name, NULL);
        GDir *folder = g_dir_open(FOLDER, 0, NULL);
        const char *entry;
        unsigned n = 0;

        g_assert_nonnull(folder);
        while ((entry = g_dir_read_name(folder))) {
                if (!g_str_has_prefix(entry, "link_ask_") || strlen(entry) != 17 + strlen(end) ||
                    !g_str_has_suffix(entry, end))
                        continue;
                n++;
                if (ret_path) {
                        g_free(*ret_path);
                        *ret_path = g_strconcat(FOLDER "/", entry, NULL);
                }
        }
        g_dir_close(folder);
        return n;
}

static void begin_anew(void)
{
        backend = backend_free(backend);
        backend = start_backend();
}

static void forget_build(void)
{
        int fd = bpf_obj_get(HOT);
        struct hot *hot = mmap(NULL, sizeof(*hot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        g_assert_true(hot != MAP_FAILED);
        hot->build[0] ^= 1;
        munmap(hot, sizeof(*hot));
        close(fd);
}

/* A hook that no rule needs is let go of; so each begins with the programs of one loading. */
static void fresh(void)
{
        make_file("/t/secret");
        make_file("/t/free");
        apply("");
        apply(POLICY);
        g_assert_cmpuint(judge_pins("file_open", NULL), ==, 1);
}

static void assert_enforced(void)
{
        BackendState state;

        assert_open("/t/secret", EPERM);
        assert_open("/t/free", 0);
        backend_state(backend, &state);
        g_assert_true(state.adopted);
        g_assert_cmpuint(judge_pins("file_open", NULL), ==, 1);
}

static void test_enforcement_outlives_the_backend_and_is_adopted(void)
{
        BackendState before, after;

        fresh();
        backend_state(backend, &before);
        backend = backend_free(backend);
        assert_open("/t/secret", EPERM);
        backend = start_backend();
        assert_enforced();
        backend_state(backend, &after);
        g_assert_cmpuint(after.generation, ==, before.generation);
        g_assert_cmpmem(after.digest, DIGEST_SIZE, before.digest, DIGEST_SIZE);
        apply("");
        assert_open("/t/secret", 0);
}

static void test_programs_of_this_build_are_taken_as_they_are(void)
{
        uint32_t before;

        fresh();
        before = link_id(LINK);
        begin_anew();
        g_assert_cmpuint(link_id(LINK), ==, before);
        assert_enforced();
        begin_anew();
        g_assert_cmpuint(link_id(LINK), ==, before);
        assert_enforced();
}

static void test_what_was_taken_serves_the_next_policy_and_is_released(void)
{
        fresh();
        begin_anew();
        apply("[deny_path]\n/t/free\n");
        assert_open("/t/free", EPERM);
        assert_open("/t/secret", 0);
        apply("");
        assert_open("/t/free", 0);
        g_assert_cmpint(access(LINK, F_OK), <, 0);
        g_assert_cmpuint(judge_pins("file_open", NULL), ==, 0);
}

static void test_programs_of_another_build_are_replaced(void)
{
        uint32_t before;

        fresh();
        before = link_id(LINK);
        backend = backend_free(backend);
        forget_build();
        backend = start_backend();
        g_assert_cmpuint(link_id(LINK), !=, before);
        assert_enforced();
        before = link_id(LINK);
        begin_anew(); /* now they are of this build */
        g_assert_cmpuint(link_id(LINK), ==, before);
        assert_enforced();
}

/* Its hook is attached and denies nothing then, so it does not answer the canary. */
static void test_a_program_without_its_judge_is_replaced(void)
{
        g_autofree char *pin = NULL;
        uint32_t before;

        fresh();
        before = link_id(LINK);
        g_assert_cmpuint(judge_pins("file_open", &pin), ==, 1);
        backend = backend_free(backend);
        g_assert_cmpint(unlink(pin), ==, 0);
        g_usleep(G_USEC_PER_SEC / 2); /* the kernel lets go a little later */
        assert_open("/t/secret", 0);
        backend = start_backend();
        g_assert_cmpuint(link_id(LINK), !=, before);
        assert_enforced();
}

/* As where a service is killed between the pins of a pair. */
static void test_a_pin_that_holds_the_judge_of_nothing_goes(void)
{
        g_autofree char *pin = NULL;
        int fd;

        fresh();
        g_assert_cmpuint(judge_pins("inode_mkdir", &pin), ==, 1);
        fd = bpf_obj_get(pin);
        g_assert_cmpint(fd, >=, 0);
        backend = backend_free(backend);
        g_assert_cmpint(bpf_obj_pin(fd, STRAY), ==, 0);
        close(fd);
        g_assert_cmpuint(judge_pins("file_open", NULL), ==, 2);
        backend = start_backend();
        assert_enforced();
        g_assert_cmpint(access(STRAY, F_OK), <, 0);
}

static void test_a_policy_about_programs_has_them_built_for_it(void)
{
        uint32_t before;

        fresh();
        apply("version=7\n[deny]\nfile:/t/secret\ncomm:aegis-none\n");
        before = link_id(FOLDER "/link_bprm_check_security");
        begin_anew();
        g_assert_cmpuint(link_id(FOLDER "/link_bprm_check_security"), !=, before);
        assert_enforced();
}

#define ADD(name) g_test_add_func("/adopt/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(enforcement_outlives_the_backend_and_is_adopted);
        ADD(programs_of_this_build_are_taken_as_they_are);
        ADD(what_was_taken_serves_the_next_policy_and_is_released);
        ADD(programs_of_another_build_are_replaced);
        ADD(a_program_without_its_judge_is_replaced);
        ADD(a_pin_that_holds_the_judge_of_nothing_goes);
        ADD(a_policy_about_programs_has_them_built_for_it);
        return g_test_run();
}
