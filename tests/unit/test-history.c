/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history: what is kept, in memory and on disk, and what a damaged file does to it. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "transaction/history.h"

typedef struct Fixture {
        char *folder, *file;
        int directory;
        History *history;
} Fixture;

static void open_history(Fixture *fixture)
{
        g_assert_cmpint(history_new(&fixture->history, fixture->directory), ==, 0);
}

static void open_again(Fixture *fixture)
{
        history_free(fixture->history);
        open_history(fixture);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("history-XXXXXX", NULL);
        fixture->file = g_build_filename(fixture->folder, "history", NULL);
        fixture->directory = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        open_history(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        history_free(fixture->history);
        g_close(fixture->directory, NULL);
        g_unlink(fixture->file);
        g_rmdir(fixture->folder);
        g_free(fixture->file);
        g_free(fixture->folder);
}

static void add(Fixture *fixture, uint64_t generation)
{
        const HistoryEntry entry = {
                .usec = 1000 + generation,
                .generation = generation,
                .uid = 1000,
                .origin = ":1.7",
                .what = "Apply",
                .name = "web",
                .authorization = "org.aegis.enforcer.apply-policy",
        };

        g_assert_cmpint(history_add(fixture->history, &entry), ==, 0);
}

static void assert_kept(Fixture *fixture, size_t n, uint64_t oldest)
{
        g_assert_cmpuint(history_size(fixture->history), ==, n);
        for (size_t i = 0; i < n; i++)
                g_assert_cmpuint(history_get(fixture->history, i).generation, ==, oldest + i);
}

static size_t lines_on_disk(Fixture *fixture)
{
        g_autofree char *text = NULL;
        size_t n = 0;

        g_assert_true(g_file_get_contents(fixture->file, &text, NULL, NULL));
        for (const char *at = text; (at = strchr(at, '\n')); at++)
                n++;
        return n;
}

static void append_bytes(Fixture *fixture, const char *bytes, size_t n)
{
        int fd = g_open(fixture->file, O_WRONLY | O_APPEND, 0);

        g_assert_cmpint(write(fd, bytes, n), ==, (gssize) n);
        g_close(fd, NULL);
}

static void test_a_history_survives_a_restart(Fixture *fixture, gconstpointer data)
{
        HistoryEntry entry;

        assert_kept(fixture, 0, 0);
        add(fixture, 1);
        add(fixture, 2);
        open_again(fixture);
        assert_kept(fixture, 2, 1);
        entry = history_get(fixture->history, 1);
        g_assert_cmpuint(entry.usec, ==, 1002);
        g_assert_cmpuint(entry.uid, ==, 1000);
        g_assert_cmpstr(entry.origin, ==, ":1.7");
        g_assert_cmpstr(entry.what, ==, "Apply");
        g_assert_cmpstr(entry.name, ==, "web");
        g_assert_cmpstr(entry.authorization, ==, "org.aegis.enforcer.apply-policy");
}

static void test_the_last_are_kept_and_the_file_stays_small(Fixture *fixture, gconstpointer data)
{
        const uint64_t n = 2 * HISTORY_MAX + 5;

        for (uint64_t i = 1; i <= n; i++) {
                add(fixture, i);
                if (i % 500 == 0)
                        g_assert_cmpuint(lines_on_disk(fixture), <, 2 * HISTORY_MAX);
        }
        assert_kept(fixture, HISTORY_MAX, n - HISTORY_MAX + 1);
        open_again(fixture);
        assert_kept(fixture, HISTORY_MAX, n - HISTORY_MAX + 1);
}

static void test_texts_cannot_make_lines_and_are_cut(Fixture *fixture, gconstpointer data)
{
        g_autofree char *longer = g_strnfill(1000, 'x');
        HistoryEntry entry = {.origin = "a\tb\nc", .what = "", .name = longer, .authorization = ""};

        g_assert_cmpint(history_add(fixture->history, &entry), ==, 0);
        add(fixture, 9);
        open_again(fixture);
        g_assert_cmpuint(history_size(fixture->history), ==, 2);
        entry = history_get(fixture->history, 0);
        g_assert_cmpstr(entry.origin, ==, "a?b?c");
        g_assert_cmpuint(strlen(entry.name), ==, HISTORY_TEXT_MAX - 1);
        g_assert_cmpuint(history_get(fixture->history, 1).generation, ==, 9);
}

static void test_half_a_line_is_left_out_and_harms_no_other(Fixture *fixture, gconstpointer data)
{
        static const char *const damage[] = {"123\t4", "1\t2\t3\ta\tb\tc", "\n", "x\ty\n",
                                             "1\t2\t3\ta\tb\tc\td\te\n"};

        add(fixture, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(damage); i++) {
                append_bytes(fixture, damage[i], strlen(damage[i]));
                open_again(fixture);
                assert_kept(fixture, 1 + i, 1);
                add(fixture, 2 + i);
                open_again(fixture);
                assert_kept(fixture, 2 + i, 1);
        }
}

static void test_bytes_of_another_kind_are_left_out(Fixture *fixture, gconstpointer data)
{
        add(fixture, 1);
        append_bytes(fixture, "\0\0\0\n1\t2", 7);
        open_again(fixture);
        assert_kept(fixture, 1, 1);
        add(fixture, 2);
        open_again(fixture);
        assert_kept(fixture, 2, 1);
}

#define ADD(test) g_test_add("/history/" #test, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_history_survives_a_restart);
        ADD(test_the_last_are_kept_and_the_file_stays_small);
        ADD(test_texts_cannot_make_lines_and_are_cut);
        ADD(test_half_a_line_is_left_out_and_harms_no_other);
        ADD(test_bytes_of_another_kind_are_left_out);
        return g_test_run();
}
