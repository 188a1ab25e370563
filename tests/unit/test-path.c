/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths in a tree of which a descriptor is held. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/path.h"

typedef struct Fixture {
        char *base;
        int root;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->base = g_dir_make_tmp("aegis-path-XXXXXX", NULL);
        fixture->root = open(fixture->base, O_PATH | O_DIRECTORY);
        g_assert_cmpint(fixture->root, >=, 0);
        g_assert_cmpint(mkdirat(fixture->root, "a", 0700), ==, 0);
        g_assert_cmpint(mkdirat(fixture->root, "a/b", 0700), ==, 0);
        close(openat(fixture->root, "a/b/file", O_CREAT | O_WRONLY, 0600));
        g_assert_cmpint(symlinkat("/a/b", fixture->root, "absolute"), ==, 0);
        g_assert_cmpint(symlinkat("b/../b/./file", fixture->root, "a/relative"), ==, 0);
        g_assert_cmpint(symlinkat("../../../../a", fixture->root, "a/above"), ==, 0);
        g_assert_cmpint(symlinkat("/loop", fixture->root, "loop"), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        static const char *const files[] = {"a/b/file", "absolute", "a/relative", "a/above",
                                            "loop"};

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
                unlinkat(fixture->root, files[i], 0);
        unlinkat(fixture->root, "a/b", AT_REMOVEDIR);
        unlinkat(fixture->root, "a", AT_REMOVEDIR);
        close(fixture->root);
        g_assert_cmpint(g_rmdir(fixture->base), ==, 0);
        g_free(fixture->base);
}

static void assert_leads_to(const Fixture *fixture, const char *path, const char *expected)
{
        int fd = path_open(fixture->root, -1, path, O_PATH);
        struct stat found, wanted;

        g_test_message("%s", path);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(fstat(fd, &found), ==, 0);
        g_assert_cmpint(fstatat(fixture->root, expected, &wanted, 0), ==, 0);
        g_assert_cmpuint(found.st_ino, ==, wanted.st_ino);
        g_assert_cmpuint(found.st_dev, ==, wanted.st_dev);
        close(fd);
}

static void test_links_lead_where_they_would_below_that_root(Fixture *fixture, gconstpointer data)
{
        assert_leads_to(fixture, "/a/b/file", "a/b/file");
        assert_leads_to(fixture, "//a/./b//file", "a/b/file");
        assert_leads_to(fixture, "/absolute/file", "a/b/file");
        assert_leads_to(fixture, "/absolute", "a/b");
        assert_leads_to(fixture, "/a/relative", "a/b/file");
        assert_leads_to(fixture, "/a/above/above/b", "a/b");
        assert_leads_to(fixture, "/a/b/../../absolute/..", "a");
}

static void test_there_is_nothing_above_the_root(Fixture *fixture, gconstpointer data)
{
        assert_leads_to(fixture, "/", ".");
        assert_leads_to(fixture, "/../..", ".");
        assert_leads_to(fixture, "/../../a", "a");
}

static void test_a_relative_path_begins_where_it_is_told(Fixture *fixture, gconstpointer data)
{
        int at = openat(fixture->root, "a", O_PATH | O_DIRECTORY);
        int fd = path_open(fixture->root, at, "relative", O_PATH);

        g_assert_cmpint(fd, >=, 0);
        close(fd);
        g_assert_cmpint(path_open(fixture->root, at, "absolute", O_PATH), ==, -ENOENT);
        close(at);
}

static void test_what_leads_nowhere_has_its_error(Fixture *fixture, gconstpointer data)
{
        g_autofree char *longest = g_strnfill(5000, 'x');

        g_assert_cmpint(path_open(fixture->root, -1, "/none/file", O_PATH), ==, -ENOENT);
        g_assert_cmpint(path_open(fixture->root, -1, "/loop", O_PATH), ==, -ELOOP);
        g_assert_cmpint(path_open(fixture->root, -1, "/loop/file", O_PATH), ==, -ELOOP);
        g_assert_cmpint(path_open(fixture->root, -1, "/a/b/file/x", O_PATH), ==, -ENOTDIR);
        g_assert_cmpint(path_open(fixture->root, -1, "/a/relative", O_PATH | O_DIRECTORY), ==,
                        -ENOTDIR);
        g_assert_cmpint(path_open(fixture->root, -1, "/a/b/file/", O_PATH), ==, -ENOTDIR);
        g_assert_cmpint(path_open(fixture->root, -1, "", O_PATH), ==, -ENOENT);
        g_assert_cmpint(path_open(fixture->root, -1, longest, O_PATH), ==, -ENAMETOOLONG);
}

#define ADD(name) g_test_add("/path/" #name, Fixture, NULL, set_up, test_##name, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(links_lead_where_they_would_below_that_root);
        ADD(there_is_nothing_above_the_root);
        ADD(a_relative_path_begins_where_it_is_told);
        ADD(what_leads_nowhere_has_its_error);
        return g_test_run();
}
