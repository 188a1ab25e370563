/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locate: where paths lead in trees with links and mounts, and that it is the same whether
 * something is remembered from one path to the next or not. Mounts are made in a namespace of the
 * test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/locate.h"

typedef struct Fixture {
        char *base; /* a tmpfs */
        Mounts mounts;
        Locator locator;
} Fixture;

static char *below(const Fixture *fixture, const char *path)
{
        return g_strconcat(fixture->base, path, NULL);
}

static void make_directory(const Fixture *fixture, const char *path)
{
        g_autofree char *whole = below(fixture, path);

        g_assert_cmpint(g_mkdir(whole, 0755), ==, 0);
}

static void make_file(const Fixture *fixture, const char *path)
{
        g_autofree char *whole = below(fixture, path);

        g_assert_true(g_file_set_contents(whole, path, -1, NULL));
}

static void make_link(const Fixture *fixture, const char *text, const char *path)
{
        g_autofree char *whole = below(fixture, path);

        g_assert_cmpint(symlink(text, whole), ==, 0);
}

static void bind_mount(const Fixture *fixture, const char *from, const char *to)
{
        g_autofree char *source = below(fixture, from), *target = below(fixture, to);

        g_assert_cmpint(mount(source, target, NULL, MS_BIND, NULL), ==, 0);
}

static void mount_tmpfs(const Fixture *fixture, const char *path)
{
        g_autofree char *whole = below(fixture, path);

        g_assert_cmpint(mount("none", whole, "tmpfs", 0, NULL), ==, 0);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->base = g_dir_make_tmp("aegis-locate-XXXXXX", NULL);
        mount_tmpfs(fixture, "");
        g_assert_cmpint(mounts_init(&fixture->mounts, 0, 0), ==, 0);
        fixture->locator.mounts = &fixture->mounts;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        mounts_deinit(&fixture->mounts);
        g_assert_cmpint(umount2(fixture->base, MNT_DETACH), ==, 0);
        g_assert_cmpint(g_rmdir(fixture->base), ==, 0);
        g_free(fixture->base);
}

static uint32_t device_of(const Fixture *fixture, const char *path)
{
        g_autofree char *whole = below(fixture, path);
        struct stat st;

        g_assert_cmpint(stat(whole, &st), ==, 0);
        return major(st.st_dev) << 20 | minor(st.st_dev);
}

/* ---- expectations ---- */

/* What a path leads to. Strings are inside file systems; device_path: of a thing that lies in the
 * file system of name and target, NULL: in the one of the base. */
typedef struct Expected {
        const char *path;
        const char *name, *name_device_of;
        const char *target, *target_device_of; /* NULL: the name itself, if leads_to */
        const char *leads_to;                  /* a path that stat() knows; NULL: nowhere */
} Expected;

static uint32_t device_or_base(const Fixture *fixture, const char *path)
{
        return device_of(fixture, path ? path : "");
}

static void assert_leads_to(const Fixture *fixture, const Expected *expected,
                            const Location *location)
{
        g_autofree char *whole = NULL;
        struct stat st;

        g_assert_cmpuint(location->exists, ==, expected->leads_to != NULL);
        if (!expected->leads_to)
                return;
        whole = below(fixture, expected->leads_to);
        g_assert_cmpint(lstat(whole, &st), ==, 0);
        g_assert_cmpuint(location->inode, ==, st.st_ino);
        g_assert_cmpuint(location->n_links, ==, st.st_nlink);
        g_assert_cmpuint(location->is_directory, ==, S_ISDIR(st.st_mode));
        g_assert_cmpuint(location->device, ==, major(st.st_dev) << 20 | minor(st.st_dev));
}

static void assert_located(const Fixture *fixture, Locator *locator, const Expected *expected)
{
        g_autofree char *path = below(fixture, expected->path);
        Location location;

        g_test_message("%s", expected->path);
        g_assert_cmpint(locate_path(locator, path, &location), ==, 0);
        g_assert_cmpstr(location.name.path, ==, expected->name);
        g_assert_cmpuint(location.name.device, ==,
                         device_or_base(fixture, expected->name_device_of));
        g_assert_cmpstr(location.target.path, ==, expected->target);
        if (expected->target)
                g_assert_cmpuint(location.target.device, ==,
                                 device_or_base(fixture, expected->target_device_of));
        assert_leads_to(fixture, expected, &location);
        location_deinit(&location);
}

/* Each alone, then one after the other, there and back. */
static void assert_all(Fixture *fixture, const Expected *expected, size_t n)
{
        Locator *remembering;

        for (size_t i = 0; i < n; i++)
                assert_located(fixture, &fixture->locator, &expected[i]);
        remembering = locate_begin(&fixture->locator);
        for (size_t i = 0; i < n; i++)
                assert_located(fixture, remembering, &expected[i]);
        for (size_t i = n; i > 0; i--)
                assert_located(fixture, remembering, &expected[i - 1]);
        locate_end(remembering);
}

/* ---- the tests ---- */

static void make_tree(const Fixture *fixture)
{
        g_autofree char *old = below(fixture, "/d/hard"), *new = below(fixture, "/far/hard");

        make_directory(fixture, "/d");
        make_directory(fixture, "/d/sub");
        make_directory(fixture, "/far");
        make_file(fixture, "/d/file");
        make_file(fixture, "/d/FILE");
        make_file(fixture, "/d/12");
        make_file(fixture, "/d/hard");
        make_file(fixture, "/far/file");
        g_assert_cmpint(link(old, new), ==, 0);
}

static void test_links_in_the_end_and_before_are_followed(Fixture *fixture, gconstpointer data)
{
        static const Expected expected[] = {
                {.path = "/", .name = "/", .leads_to = ""},
                {.path = "/d", .name = "/d", .leads_to = "/d"},
                {.path = "/d/sub", .name = "/d/sub", .leads_to = "/d/sub"},
                {.path = "/d/file", .name = "/d/file", .leads_to = "/d/file"},
                {.path = "/d/FILE", .name = "/d/FILE", .leads_to = "/d/FILE"},
                {.path = "/d/12", .name = "/d/12", .leads_to = "/d/12"},
                {.path = "/d/hard", .name = "/d/hard", .leads_to = "/far/hard"},
                {.path = "/d/not-there", .name = "/d/not-there"},
                {.path = "/d/file/below", .name = "/d/file/below"},
                {.path = "/d/gone/deep/er", .name = "/d/gone/deep/er"},
                {.path = "/d/gone/deep/too", .name = "/d/gone/deep/too"},
                {.path = "/d/short",
                 .name = "/d/short",
                 .target = "/d/file",
                 .leads_to = "/d/file"},
                {.path = "/d/up", .name = "/d/up", .target = "/far/file", .leads_to = "/far/file"},
                {.path = "/d/to-sub",
                 .name = "/d/to-sub",
                 .target = "/d/sub",
                 .leads_to = "/d/sub"},
                {.path = "/d/to-hard",
                 .name = "/d/to-hard",
                 .target = "/far/hard",
                 .leads_to = "/d/hard"},
                {.path = "/d/nowhere", .name = "/d/nowhere"},
                {.path = "/d/round", .name = "/d/round"},
                {.path = "/d/round/below", .name = "/d/round/below"},
                {.path = "/way/file", .name = "/d/file", .leads_to = "/d/file"},
                {.path = "/way/short",
                 .name = "/d/short",
                 .target = "/d/file",
                 .leads_to = "/d/file"},
                {.path = "/way/gone/x", .name = "/d/gone/x"},
                {.path = "/d/nowhere/x", .name = "/d/nowhere/x"},
        };

        make_tree(fixture);
        make_link(fixture, "file", "/d/short");
        make_link(fixture, "../far/file", "/d/up");
        make_link(fixture, "sub", "/d/to-sub");
        make_link(fixture, "../far/hard", "/d/to-hard");
        make_link(fixture, "missing", "/d/nowhere");
        make_link(fixture, "round", "/d/round");
        make_link(fixture, "d", "/way");
        assert_all(fixture, expected, G_N_ELEMENTS(expected));
}

static void test_mounts_on_and_above_a_name(Fixture *fixture, gconstpointer data)
{
        static const Expected expected[] = {
                {.path = "/d/file", .name = "/d/file", .leads_to = "/d/file"},
                {.path = "/d/sub",
                 .name = "/d/sub",
                 .target = "/",
                 .target_device_of = "/d/sub",
                 .leads_to = "/d/sub"},
                {.path = "/d/sub/in",
                 .name = "/in",
                 .name_device_of = "/d/sub",
                 .leads_to = "/d/sub/in"},
                {.path = "/d/sub/not", .name = "/not", .name_device_of = "/d/sub"},
                {.path = "/d/12", .name = "/d/12", .target = "/far/file", .leads_to = "/far/file"},
                {.path = "/d/to-sub",
                 .name = "/d/to-sub",
                 .target = "/",
                 .target_device_of = "/d/sub",
                 .leads_to = "/d/sub"},
                {.path = "/view", .name = "/view", .target = "/d", .leads_to = "/d"},
                {.path = "/view/file", .name = "/d/file", .leads_to = "/d/file"},
                {.path = "/view/new", .name = "/d/new"},
                /* a bind mount without the mounts below it */
                {.path = "/view/sub", .name = "/d/sub", .leads_to = "/view/sub"},
                {.path = "/view/12", .name = "/d/12", .leads_to = "/view/12"},
                {.path = "/same", .name = "/same", .leads_to = "/same"},
                {.path = "/same/x", .name = "/same/x", .leads_to = "/same/x"},
        };

        make_tree(fixture);
        make_link(fixture, "sub", "/d/to-sub");
        make_directory(fixture, "/view");
        make_directory(fixture, "/same");
        make_file(fixture, "/same/x");
        bind_mount(fixture, "/d", "/view");
        bind_mount(fixture, "/same", "/same");
        bind_mount(fixture, "/far/file", "/d/12");
        mount_tmpfs(fixture, "/d/sub");
        make_file(fixture, "/d/sub/in");
        assert_all(fixture, expected, G_N_ELEMENTS(expected));
}

static void assert_one(Fixture *fixture, Locator *locator, const char *path, const char *name)
{
        g_autofree char *whole = below(fixture, path);
        Location location;

        g_assert_cmpint(locate_path(locator, whole, &location), ==, 0);
        g_assert_cmpstr(location.name.path, ==, name);
        location_deinit(&location);
}

static void replace_link(const Fixture *fixture, const char *text, const char *path)
{
        g_autofree char *whole = below(fixture, path);

        g_assert_cmpint(unlink(whole), ==, 0);
        make_link(fixture, text, path);
}

static void test_nothing_is_remembered_over_the_end(Fixture *fixture, gconstpointer data)
{
        Locator *first, *second;

        make_tree(fixture);
        make_link(fixture, "d", "/way");
        first = locate_begin(&fixture->locator);
        assert_one(fixture, first, "/way/file", "/d/file");
        replace_link(fixture, "far", "/way");
        /* what another remembers is no matter to those that begin later, or do not remember */
        second = locate_begin(&fixture->locator);
        assert_one(fixture, second, "/way/file", "/far/file");
        assert_one(fixture, &fixture->locator, "/way/file", "/far/file");
        locate_end(second);
        locate_end(first);
        first = locate_begin(&fixture->locator);
        assert_one(fixture, first, "/way/file", "/far/file");
        locate_end(first);
}

/* Where the folder for temporary files is: tmpfs tells no generations. */
static void test_a_file_with_other_names_is_told_with_its_generation(Fixture *fixture,
                                                                     gconstpointer data)
{
        g_autofree char *directory = g_dir_make_tmp("aegis-locate-XXXXXX", NULL);
        g_autofree char *name = g_strconcat(directory, "/name", NULL);
        g_autofree char *other = g_strconcat(directory, "/other", NULL);
        Locator *locator = locate_begin(&fixture->locator);
        int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600), generation = 0, is_known;
        Location location;

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(link(name, other), ==, 0);
        is_known = ioctl(fd, FS_IOC_GETVERSION, &generation) == 0;
        g_assert_cmpint(locate_path(locator, name, &location), ==, 0);
        g_assert_cmpuint(location.n_links, ==, 2);
        g_assert_cmpuint(location.generation_known, ==, is_known);
        g_assert_cmpuint(location.inode_generation, ==, (uint32_t) generation);
        location_deinit(&location);
        locate_end(locator);
        close(fd);
        unlink(name);
        unlink(other);
        rmdir(directory);
}

/* A mount that comes while paths are looked up is known when the first path leads into it. */
static void test_a_mount_that_comes_meanwhile_is_seen(Fixture *fixture, gconstpointer data)
{
        static const Expected before = {.path = "/d/sub", .name = "/d/sub", .leads_to = "/d/sub"};
        static const Expected after = {.path = "/d/sub",
                                       .name = "/d/sub",
                                       .target = "/",
                                       .target_device_of = "/d/sub",
                                       .leads_to = "/d/sub"};
        Locator *locator;

        make_tree(fixture);
        locator = locate_begin(&fixture->locator);
        assert_located(fixture, locator, &before);
        mount_tmpfs(fixture, "/d/sub");
        assert_located(fixture, locator, &after);
        locate_end(locator);
}

static guint count_descriptors(void)
{
        g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
        guint n = 0;

        while (g_dir_read_name(directory))
                n++;
        return n;
}

static void test_what_is_remembered_is_bounded(Fixture *fixture, gconstpointer data)
{
        guint n_before = count_descriptors();
        Locator *locator;

        locator = locate_begin(&fixture->locator);
        for (guint i = 0; i < 10 * N_PARENTS; i++) {
                g_autofree char *directory = g_strdup_printf("/%u", i);

                make_directory(fixture, directory);
                for (guint j = 0; j <= i; j += N_PARENTS / 2) {
                        g_autofree char *path = g_strdup_printf("/%u/x", j);

                        assert_one(fixture, locator, path, path);
                }
                g_assert_cmpuint(count_descriptors(), <=, n_before + N_PARENTS);
        }
        locate_end(locator);
        g_assert_cmpuint(count_descriptors(), ==, n_before);
}

/* A directory whose names are folded, below a tmpfs that allows it. */
static int fold_names(const Fixture *fixture, const char *mount_point, const char *path)
{
        g_autofree char *tmpfs = below(fixture, mount_point), *whole = below(fixture, path);
        int flags = FS_CASEFOLD_FL, fd, r;

        if (mount("none", tmpfs, "tmpfs", 0, "casefold") < 0)
                return 0;
        make_directory(fixture, path);
        fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        r = ioctl(fd, FS_IOC_SETFLAGS, &flags);
        close(fd);
        return r == 0;
}

/* There a name leads to a file that the kernel calls otherwise, and the rule is about both. */
static void test_other_spellings_lead_to_the_one_the_kernel_knows(Fixture *fixture,
                                                                  gconstpointer data)
{
        static const Expected expected[] = {
                {.path = "/d/f/Name",
                 .name = "/f/Name",
                 .name_device_of = "/d",
                 .leads_to = "/d/f/Name"},
                {.path = "/d/f/nAME",
                 .name = "/f/nAME",
                 .name_device_of = "/d",
                 .target = "/f/Name",
                 .target_device_of = "/d",
                 .leads_to = "/d/f/Name"},
                {.path = "/d/f/nobody", .name = "/f/nobody", .name_device_of = "/d"},
        };

        make_directory(fixture, "/d");
        if (!fold_names(fixture, "/d", "/d/f")) {
                g_test_skip("this kernel's tmpfs does not fold names");
                return;
        }
        make_file(fixture, "/d/f/Name");
        assert_all(fixture, expected, G_N_ELEMENTS(expected));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
                g_test_message("no mounts can be made here: %s", strerror(errno));
                return 77;
        }
        g_assert_cmpint(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
#define ADD(name) g_test_add("/locate/" #name, Fixture, NULL, set_up, name, tear_down)
        ADD(test_links_in_the_end_and_before_are_followed);
        ADD(test_mounts_on_and_above_a_name);
        ADD(test_nothing_is_remembered_over_the_end);
        ADD(test_a_file_with_other_names_is_told_with_its_generation);
        ADD(test_a_mount_that_comes_meanwhile_is_seen);
        ADD(test_what_is_remembered_is_bounded);
        ADD(test_other_spellings_lead_to_the_one_the_kernel_knows);
        return g_test_run();
}
