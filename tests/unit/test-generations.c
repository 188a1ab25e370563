/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder of the generations that are kept to go back to, with in it what nobody expects. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "transaction-fixture.h"
#include "util/log.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MIB ((off_t) 1024 * 1024)

static void set_up_quietly(Fixture *fixture, gconstpointer data)
{
        log_set_max_level(LOG_EMERG);
        set_up(fixture, data);
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
}

static char *kept_file(Fixture *fixture, const char *name)
{
        return g_build_filename(fixture->state, "generations", name, NULL);
}

static void test_what_is_not_ours_is_left_alone(Fixture *fixture, gconstpointer data)
{
        static const char *const names[] = {"99999999999999999999999-" HEX,
                                            "0-" HEX,
                                            "18446744073709551615-" HEX,
                                            "03-" HEX,
                                            "+3-" HEX,
                                            "3_" HEX,
                                            "3-" HEX "0",
                                            "3-README"};
        g_autofree char *folder = kept_file(fixture, "3-" HEX);

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *file = kept_file(fixture, names[i]);

                g_assert_true(g_file_set_contents(file, "x", 1, NULL));
        }
        g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 2);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *file = kept_file(fixture, names[i]);

                g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
        }
        g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Of that many bytes, which nothing has written. */
static void put_large(Fixture *fixture, unsigned generation, off_t size)
{
        g_autofree char *name = g_strdup_printf("%u-" HEX, generation);
        g_autofree char *file = kept_file(fixture, name);
        int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(ftruncate(fd, size), ==, 0);
        close(fd);
}

static void test_the_first_go_when_all_are_too_large_together(Fixture *fixture, gconstpointer data)
{
        for (unsigned generation = 3; generation < 6; generation++)
                put_large(fixture, generation, 100 * MIB);
        restart(fixture);
        /* Two stay, however large they are. */
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 2);
        g_assert_cmpuint(enforcement_kept(fixture->enforcement, 0).generation, ==, 4);
}

static void test_a_record_under_the_name_of_another_is_damaged(Fixture *fixture, gconstpointer data)
{
        char hex[DIGEST_HEX_SIZE];
        g_autofree char *name = NULL, *file = NULL, *other = kept_file(fixture, "1-" HEX);
        _cleanup_(plan_freep) Plan *plan = NULL;

        digest_format(enforcement_kept(fixture->enforcement, 0).digest, hex);
        name = g_strdup_printf("1-%s", hex);
        file = kept_file(fixture, name);
        g_assert_cmpint(g_rename(file, other), ==, 0);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 2);
        g_assert_cmpint(enforcement_plan_rollback(fixture->enforcement, 1, &plan), ==,
                        TRANSACTION_E_NO_SUCH_GENERATION);
        g_assert_cmpuint(enforcement_n_kept(fixture->enforcement), ==, 1);
        g_assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
}

#define ADD(function)                                                                              \
        g_test_add("/generations/" #function, Fixture, NULL, set_up_quietly, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_what_is_not_ours_is_left_alone);
        ADD(test_the_first_go_when_all_are_too_large_together);
        ADD(test_a_record_under_the_name_of_another_is_damaged);
        return g_test_run();
}
