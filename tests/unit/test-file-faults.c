/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, the store and the marker when one call fails: what is answered, and what is left. Each
 * test says which call, by name, is to fail and how. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "transaction/marker.h"
#include "transaction/store.h"
#include "util/file.h"
#include "util/log.h"

/* ---- a folder ---- */

typedef struct Fixture {
        char *path, *state;
        int fd;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        log_set_max_level(LOG_EMERG);
        fixture->path = g_dir_make_tmp("aegis-file-XXXXXX", NULL);
        fixture->state = g_build_filename(fixture->path, "state", NULL);
        fixture->fd = directory_open(fixture->path, 0700);
        g_assert_cmpint(fixture->fd, >=, 0);
        g_assert_cmpint(file_replace(fixture->fd, "a", "old", 3), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        const char *const argv[] = {"rm", "-rf", fixture->path, NULL};

        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   NULL, NULL, NULL, NULL));
        close(fixture->fd);
        g_free(fixture->path);
        g_free(fixture->state);
}

static int read_a(const Fixture *fixture, char **ret_text)
{
        size_t n = 0;

        return file_read(fixture->fd, "a", 100, ret_text, &n);
}

static void assert_a(const Fixture *fixture, const char *expected)
{
        g_autofree char *text = NULL;

        g_assert_cmpint(read_a(fixture, &text), ==, 0);
        g_assert_cmpstr(text, ==, expected);
}

/* ---- files ---- */

static void test_what_cannot_be_read_is_told(Fixture *fixture, gconstpointer data)
{
        static const struct {
                const char *call;
                int error, expected;
        } faults[] = {
                {"openat2", EMFILE, -EMFILE}, {"fstat64", EIO, -EIO}, {"malloc", ENOMEM, -ENOMEM},
                {"read", EIO, -EIO},          {"read", 0, -EIO},
        };
        char *text = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                fail_twice(faults[i].call, faults[i].error);
                g_assert_cmpint(read_a(fixture, &text), ==, faults[i].expected);
                g_assert_null(text);
                fail(NULL, 0);
        }
        fail("fstat64", EIO); /* once is nothing */
        assert_a(fixture, "old");
        assert_met();
        fail("read", EINTR);
        assert_a(fixture, "old");
        assert_met();
}

static void test_what_cannot_be_written_is_told_and_the_old_stays(Fixture *fixture,
                                                                  gconstpointer data)
{
        static const struct {
                const char *call;
                int error;
        } faults[] = {{"unlinkat", EIO},
                      {"openat", ENOSPC},
                      {"write", ENOSPC},
                      {"fsync", EIO},
                      {"renameat", EROFS}};

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                fail(faults[i].call, faults[i].error);
                g_assert_cmpint(file_replace(fixture->fd, "a", "new", 3), ==, -faults[i].error);
                assert_met();
                assert_a(fixture, "old");
        }
        fail_after(1, "fsync", EIO); /* of the directory */
        g_assert_cmpint(file_replace(fixture->fd, "a", "new", 3), ==, -EIO);
        g_assert_cmpint(file_replace(fixture->fd, ".a.new", "left by a kill", 14), ==, 0);
        fail("write", EINTR);
        g_assert_cmpint(file_replace(fixture->fd, "a", "newer", 5), ==, 0);
        assert_a(fixture, "newer");
}

static void test_what_is_added_is_there_or_that_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"openat", "write", "fdatasync"};

        g_assert_cmpint(file_append(fixture->fd, "a", " and", 4), ==, 0);
        assert_a(fixture, "old and");
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], ENOSPC);
                g_assert_cmpint(file_append(fixture->fd, "a", " new", 4), ==, -ENOSPC);
                assert_met();
        }
        assert_a(fixture, "old and new"); /* not known to be durable */
        g_assert_cmpint(file_append(fixture->fd, "b", "new", 3), ==, 0);
}

static void test_what_is_removed_is_gone_or_that_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"unlinkat", "fsync"};

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(file_remove(fixture->fd, "a"), ==, -EIO);
                assert_met();
        }
        g_assert_cmpint(file_remove(fixture->fd, "a"), ==, 0);
        g_assert_cmpint(faccessat(fixture->fd, "a", F_OK, 0), <, 0);
}

static void test_a_link_that_fails_leaves_both(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"unlinkat", "linkat", "renameat"};
        char longer[300];

        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(file_link(fixture->fd, "a", fixture->fd, "b"), ==, -EIO);
                g_assert_cmpint(faccessat(fixture->fd, "b", F_OK, 0), <, 0);
                assert_a(fixture, "old");
        }
        g_assert_cmpint(file_link(fixture->fd, "a", fixture->fd, longer), ==, -ENAMETOOLONG);
        g_assert_cmpint(file_replace(fixture->fd, longer, "", 0), ==, -ENAMETOOLONG);
        g_assert_cmpint(file_link(fixture->fd, "a", fixture->fd, "b"), ==, 0);
}

static void test_a_directory_that_cannot_be_made_is_told(Fixture *fixture, gconstpointer data)
{
        fail("mkdir", EROFS);
        g_assert_cmpint(directory_open(fixture->state, 0700), ==, -EROFS);
        fail_after(1, "openat2", EMFILE);
        g_assert_cmpint(directory_open(fixture->state, 0700), ==, -EMFILE);
        g_assert_cmpint(g_rmdir(fixture->state), ==, 0);
        fail_after(2, "openat2", EMFILE); /* the parent */
        g_assert_cmpint(directory_open(fixture->state, 0700), ==, -EMFILE);
        g_assert_cmpint(g_rmdir(fixture->state), ==, 0);
        fail("fsync", EIO);
        g_assert_cmpint(directory_open(fixture->state, 0700), ==, -EIO);
        g_assert_cmpint(g_rmdir(fixture->state), ==, 0);
        fail("mkdir", EEXIST); /* by somebody else, who took it away again */
        g_assert_cmpint(directory_open(fixture->state, 0700), ==, -ENOENT);
}

/* Where openat2(2) is not to be had. */
static int open_by_names(const char *path)
{
        int fd;

        fail("openat2", ENOSYS);
        fd = directory_open(path, 0700);
        assert_met();
        if (fd < 0)
                return fd;
        close(fd);
        return 0;
}

static void test_a_path_is_followed_by_its_names_and_no_link(Fixture *fixture, gconstpointer data)
{
        g_autofree char *below = g_build_filename(fixture->state, "below", NULL);
        g_autofree char *link = g_build_filename(fixture->path, "link", NULL);
        g_autofree char *through = g_build_filename(link, "below", NULL);
        g_autofree char *slash = g_strconcat(below, "//", NULL);
        g_autofree char *file = g_build_filename(fixture->path, "a", NULL), *name = NULL;
        g_autofree char *longer = g_strnfill(300, 'x'), *long_part = NULL;
        unsigned turn = 0;
        size_t n = 0;

        g_assert_cmpint(g_mkdir_with_parents(below, 0700), ==, 0);
        g_assert_cmpint(symlink(fixture->state, link), ==, 0);
        long_part = g_build_filename(fixture->path, longer, "b", NULL);
        g_assert_cmpint(open_by_names(below), ==, 0);
        g_assert_cmpint(open_by_names(slash), ==, 0);
        g_assert_cmpint(open_by_names("/"), ==, 0);
        g_assert_cmpint(open_by_names(through), ==, -ELOOP);
        g_assert_cmpint(open_by_names(link), ==, -ELOOP);
        g_assert_cmpint(open_by_names(file), ==, -ENOTDIR);
        g_assert_cmpint(open_by_names(long_part), ==, -ENAMETOOLONG);
        fail("openat2", ENOSYS);
        assert_a(fixture, "old");
        fail("openat2", ENOSYS);
        g_assert_cmpint(file_read(fixture->fd, "none", 9, &name, &n), ==, -ENOENT);
        do {
                fail_nth(++turn, FAULT_FILE, EIO);
                g_assert_cmpint(open_by_names(link), <, 0);
        } while (fail_no_more() >= turn);
        g_assert_cmpuint(turn, >, 4);
}

static int end_at_a(void *userdata, const char *name)
{
        return strcmp(name, "a") == 0 ? 7 : 0;
}

static void test_a_directory_is_gone_through_or_that_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"openat", "fdopendir", "readdir64"};

        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], EIO);
                g_assert_cmpint(directory_each(fixture->fd, end_at_a, NULL), ==, -EIO);
                assert_met();
        }
        g_assert_cmpint(directory_each(fixture->fd, end_at_a, NULL), ==, 7);
        g_assert_cmpint(unlinkat(fixture->fd, "a", 0), ==, 0);
        g_assert_cmpint(directory_each(fixture->fd, end_at_a, NULL), ==, 0);
}

static void test_only_files_of_ours_and_roots_are_trusted(Fixture *fixture, gconstpointer data)
{
        g_autofree char *file = g_build_filename(fixture->path, "a", NULL), *text = NULL;
        size_t n;
        int fd, r;

        fail("fstat64", EIO);
        g_assert_cmpint(file_read_trusted(fixture->fd, "a", 9, &text, &n), ==, -EIO);
        g_assert_cmpint(file_read_trusted(fixture->fd, "none", 9, &text, &n), ==, -ENOENT);
        g_assert_cmpint(directory_open_trusted(fixture->state), ==, -ENOENT);
        g_assert_cmpint(g_chmod(file, 0602), ==, 0);
        g_assert_cmpint(file_read_trusted(fixture->fd, "a", 9, &text, &n), ==, -EPERM);
        g_assert_cmpint(g_chmod(file, 0600), ==, 0);
        fd = directory_open_trusted(fixture->path);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
        if (geteuid() != 0)
                return;
        g_assert_cmpint(chown(file, 1000, 0), ==, 0);
        g_assert_cmpint(file_read_trusted(fixture->fd, "a", 9, &text, &n), ==, -EPERM);
        g_assert_cmpint(chown(fixture->path, 1000, 0), ==, 0);
        g_assert_cmpint(seteuid(1000), ==, 0);
        r = file_read_trusted(fixture->fd, "a", 9, &text, &n);
        g_assert_cmpint(seteuid(0), ==, 0);
        g_assert_cmpint(r, ==, 0);
        g_assert_cmpint(directory_open_trusted(fixture->path), ==, -EPERM);
}

/* ---- the store ---- */

static Store *open_store(const Fixture *fixture)
{
        Store *store = NULL;

        g_assert_cmpint(store_open(&store, fixture->state), ==, 0);
        return store;
}

static void write_next(Store *store, uint64_t generation)
{
        StoreRecord record = {.generation = generation};

        g_assert_cmpint(document_set_new(&record.documents), ==, 0);
        g_assert_cmpint(store_write_next(store, &record), ==, 0);
        store_record_deinit(&record);
}

static void test_a_store_is_had_once(Fixture *fixture, gconstpointer data)
{
        Store *store = open_store(fixture), *again = NULL;

        g_assert_cmpint(store_open(&again, fixture->state), ==, -EBUSY);
        g_assert_null(again);
        store_close(store);
        store_close(open_store(fixture));
}

static void test_a_store_that_cannot_be_had_is_told(Fixture *fixture, gconstpointer data)
{
        static const struct {
                const char *call;
                unsigned n;
                int error, expected;
        } faults[] = {
                {"openat2", 0, EMFILE, -EMFILE}, {"fstat64", 0, EIO, -EIO},
                {"fchmod", 0, EROFS, -EROFS},    {"flock", 0, ENOLCK, -ENOLCK},
                {"malloc", 0, ENOMEM, -ENOMEM},
        };
        Store *store = NULL;

        g_assert_cmpint(g_mkdir(fixture->state, 0755), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                g_assert_cmpint(g_chmod(fixture->state, 0755), ==, 0);
                fail_after(faults[i].n, faults[i].call, faults[i].error);
                g_assert_cmpint(store_open(&store, fixture->state), ==, faults[i].expected);
                assert_met();
                g_assert_null(store);
        }
        g_assert_null(store_close(NULL));
        if (geteuid() != 0)
                return;
        g_assert_cmpint(chown(fixture->state, 1000, 0), ==, 0);
        g_assert_cmpint(store_open(&store, fixture->state), ==, -EPERM);
}

static void test_what_says_nothing_of_a_record_does_not_make_it_damaged(Fixture *fixture,
                                                                        gconstpointer data)
{
        static const struct {
                const char *call;
                int error, expected;
        } faults[] = {
                {"openat2", EMFILE, -EMFILE},        {"openat2", EFBIG, STORE_E_DAMAGED},
                {"openat2", ELOOP, STORE_E_DAMAGED}, {"openat2", EINVAL, STORE_E_DAMAGED},
                {"openat2", ENOENT, -ENOENT},        {"malloc", ENOMEM, -ENOMEM},
        };
        _cleanup_(store_closep) Store *store = open_store(fixture);
        StoreRecord record = {};

        write_next(store, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                fail(faults[i].call, faults[i].error);
                g_assert_cmpint(store_read(store, STORE_NEXT, &record), ==, faults[i].expected);
        }
        fail_twice("read", EIO); /* and twice is */
        g_assert_cmpint(store_read(store, STORE_NEXT, &record), ==, STORE_E_DAMAGED);
        assert_met();
        g_assert_cmpint(file_replace(store_directory(store), "state", "x", 1), ==, 0);
        g_assert_cmpint(store_read(store, STORE_STATE, &record), ==, STORE_E_DAMAGED);
}

static void test_what_is_not_published_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const calls[] = {"faccessat", "linkat", "renameat", "fsync"};
        _cleanup_(store_closep) Store *store = open_store(fixture);
        StoreRecord record = {.generation = 1};

        g_assert_cmpint(store_publish_next(store), ==, 0);
        g_assert_cmpint(store_discard_next(store), ==, 0);
        write_next(store, 1);
        g_assert_cmpint(store_publish_next(store), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                write_next(store, 2);
                fail(calls[i], EIO);
                g_assert_cmpint(store_publish_next(store), ==, -EIO);
                assert_met();
        }
        write_next(store, 3);
        fail_after(1, "renameat", EIO); /* the first is of the one before */
        g_assert_cmpint(store_publish_next(store), ==, -EIO);
        fail("unlinkat", EIO);
        g_assert_cmpint(store_discard_next(store), ==, -EIO);
        g_assert_cmpint(document_set_new(&record.documents), ==, 0);
        fail("malloc", ENOMEM);
        g_assert_cmpint(store_write_next(store, &record), ==, -ENOMEM);
        fail("openat", ENOSPC);
        g_assert_cmpint(store_write_next(store, &record), ==, -ENOSPC);
        store_record_deinit(&record);
        fail("renameat", EIO);
        g_assert_cmpint(store_set_aside(store, STORE_STATE), ==, -EIO);
        g_assert_cmpint(store_set_aside(store, STORE_STATE), ==, 0);
        g_assert_cmpint(store_set_aside(store, STORE_STATE), ==, 0);
}

/* ---- the marker ---- */

static void test_a_marker_that_cannot_be_looked_for_is_there(Fixture *fixture, gconstpointer data)
{
        g_autofree char *longer = g_strnfill(5000, '/');

        g_assert_false(marker_is_set(fixture->state));
        fail("faccessat", EIO); /* once is nothing */
        g_assert_false(marker_is_set(fixture->state));
        g_assert_true(marker_is_set(longer));
        fail("mkdir", EROFS);
        g_assert_cmpint(marker_set(fixture->state), ==, -EROFS);
        g_assert_cmpint(marker_set(fixture->state), ==, 0);
        g_assert_true(marker_is_set(fixture->state));
        {
                g_autofree char *below = g_build_filename(fixture->path, "a", "b", NULL);

                g_assert_true(marker_is_set(below)); /* ENOTDIR, twice */
        }
}

#define ADD(function)                                                                              \
        g_test_add("/file-faults/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_what_cannot_be_read_is_told);
        ADD(test_what_cannot_be_written_is_told_and_the_old_stays);
        ADD(test_what_is_added_is_there_or_that_is_told);
        ADD(test_what_is_removed_is_gone_or_that_is_told);
        ADD(test_a_link_that_fails_leaves_both);
        ADD(test_a_directory_that_cannot_be_made_is_told);
        ADD(test_a_path_is_followed_by_its_names_and_no_link);
        ADD(test_a_directory_is_gone_through_or_that_is_told);
        ADD(test_only_files_of_ours_and_roots_are_trusted);
        ADD(test_a_store_is_had_once);
        ADD(test_a_store_that_cannot_be_had_is_told);
        ADD(test_what_says_nothing_of_a_record_does_not_make_it_damaged);
        ADD(test_what_is_not_published_is_told);
        ADD(test_a_marker_that_cannot_be_looked_for_is_there);
        return g_test_run();
}
