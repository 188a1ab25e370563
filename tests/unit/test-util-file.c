/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: bounded reading, whole replacing, and no following of symbolic links. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/file.h"

typedef struct Fixture {
        char *path;
        int fd;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->path = g_dir_make_tmp("aegis-file-XXXXXX", NULL);
        fixture->fd = directory_open(fixture->path, 0700);
        g_assert_cmpint(fixture->fd, >=, 0);
}

/* Tests make files, links and empty directories, and nothing below those. */
static void tear_down(Fixture *fixture, gconstpointer data)
{
        GDir *directory = g_dir_open(fixture->path, 0, NULL);
        const char *name;

        while ((name = g_dir_read_name(directory)))
                if (unlinkat(fixture->fd, name, 0) < 0)
                        g_assert_cmpint(unlinkat(fixture->fd, name, AT_REMOVEDIR), ==, 0);
        g_dir_close(directory);
        close(fixture->fd);
        g_assert_cmpint(g_rmdir(fixture->path), ==, 0);
        g_free(fixture->path);
}

static void assert_content(const Fixture *fixture, const char *name, const char *expected)
{
        g_autofree char *data = NULL;
        size_t n;

        g_assert_cmpint(file_read(fixture->fd, name, 100, &data, &n), ==, 0);
        g_assert_cmpuint(n, ==, strlen(expected));
        g_assert_cmpstr(data, ==, expected);
}

static void assert_unreadable(const Fixture *fixture, const char *name, size_t max, int expected)
{
        char *data = NULL;
        size_t n = 12345;

        g_assert_cmpint(file_read(fixture->fd, name, max, &data, &n), ==, expected);
        g_assert_null(data);
        g_assert_cmpuint(n, ==, 12345);
}

static unsigned n_entries(const Fixture *fixture)
{
        GDir *directory = g_dir_open(fixture->path, 0, NULL);
        unsigned n = 0;

        while (g_dir_read_name(directory))
                n++;
        g_dir_close(directory);
        return n;
}

static void test_what_was_written_is_read(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(file_replace(fixture->fd, "a", "text", 4), ==, 0);
        assert_content(fixture, "a", "text");
        g_assert_cmpint(file_replace(fixture->fd, "a", "other", 5), ==, 0);
        assert_content(fixture, "a", "other");
        g_assert_cmpint(file_replace(fixture->fd, "a", "", 0), ==, 0);
        assert_content(fixture, "a", "");
        g_assert_cmpuint(n_entries(fixture), ==, 1);
}

static void test_a_new_file_is_its_owners_alone(Fixture *fixture, gconstpointer data)
{
        struct stat st;
        mode_t mask = umask(0);

        g_assert_cmpint(file_replace(fixture->fd, "a", "text", 4), ==, 0);
        umask(mask);
        g_assert_cmpint(fstatat(fixture->fd, "a", &st, 0), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
}

static void test_a_longer_file_is_refused(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(file_replace(fixture->fd, "a", "12345", 5), ==, 0);
        assert_unreadable(fixture, "a", 4, -EFBIG);
        assert_content(fixture, "a", "12345");
}

static void test_what_is_no_file_is_refused(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(mkdirat(fixture->fd, "d", 0700), ==, 0);
        g_assert_cmpint(mkfifoat(fixture->fd, "p", 0600), ==, 0);
        assert_unreadable(fixture, "d", 10, -EINVAL);
        assert_unreadable(fixture, "p", 10, -EINVAL);
        assert_unreadable(fixture, "none", 10, -ENOENT);
}

static void test_links_are_not_followed_to_read(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(file_replace(fixture->fd, "a", "text", 4), ==, 0);
        g_assert_cmpint(symlinkat("a", fixture->fd, "l"), ==, 0);
        g_assert_cmpint(symlinkat(".", fixture->fd, "d"), ==, 0);
        assert_unreadable(fixture, "l", 10, -ELOOP);
        assert_unreadable(fixture, "d/a", 10, -ELOOP);
}

static void test_a_link_is_replaced_not_followed(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(file_replace(fixture->fd, "a", "text", 4), ==, 0);
        g_assert_cmpint(symlinkat("a", fixture->fd, "l"), ==, 0);
        g_assert_cmpint(symlinkat("a", fixture->fd, ".l.new"), ==, 0);
        g_assert_cmpint(file_replace(fixture->fd, "l", "other", 5), ==, 0);
        assert_content(fixture, "a", "text");
        assert_content(fixture, "l", "other");
        g_assert_cmpuint(n_entries(fixture), ==, 2);
}

static void test_a_failed_replacing_leaves_what_was(Fixture *fixture, gconstpointer data)
{
        g_autofree char *name = g_strnfill(255, 'n');

        g_assert_cmpint(mkdirat(fixture->fd, ".a.new", 0700), ==, 0);
        g_assert_cmpint(file_replace(fixture->fd, "a", "other", 5), <, 0);
        assert_unreadable(fixture, "a", 10, -ENOENT);
        g_assert_cmpint(file_replace(fixture->fd, name, "other", 5), ==, -ENAMETOOLONG);
}

static void test_a_directory_is_made_once_with_its_mode(Fixture *fixture, gconstpointer data)
{
        g_autofree char *path = g_build_filename(fixture->path, "d", NULL);
        mode_t mask = umask(022);
        struct stat st;

        for (int i = 0; i < 2; i++) {
                int fd = directory_open(path, 0700);

                g_assert_cmpint(fd, >=, 0);
                g_assert_cmpint(fstat(fd, &st), ==, 0);
                g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
                g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, !=, 0);
                close(fd);
        }
        umask(mask);
}

static void test_a_link_is_no_directory_to_open(Fixture *fixture, gconstpointer data)
{
        g_autofree char *path = g_build_filename(fixture->path, "l", NULL);
        g_autofree char *file = g_build_filename(fixture->path, "f", NULL);

        g_assert_cmpint(symlinkat("/", fixture->fd, "l"), ==, 0);
        g_assert_cmpint(file_replace(fixture->fd, "f", "", 0), ==, 0);
        g_assert_cmpint(directory_open(path, 0700), ==, -ELOOP);
        g_assert_cmpint(directory_open(file, 0700), ==, -ENOTDIR);
}

/* Holds the lock for that long, in a process that says when it begins. */
static pid_t lock_elsewhere(const Fixture *fixture, unsigned usec)
{
        int ready[2];
        char byte;
        pid_t pid;

        g_assert_cmpint(pipe(ready), ==, 0);
        pid = fork();
        if (pid == 0) {
                int fd = open(fixture->path, O_RDONLY | O_DIRECTORY);

                if (directory_lock(fd) < 0 || write(ready[1], "", 1) != 1)
                        _exit(1);
                usleep(usec);
                _exit(0);
        }
        g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
        close(ready[0]);
        close(ready[1]);
        return pid;
}

static void test_a_lock_that_goes_in_a_moment_is_waited_for(Fixture *fixture, gconstpointer data)
{
        pid_t pid = lock_elsewhere(fixture, 100000);

        g_assert_cmpint(directory_lock(fixture->fd), ==, 0);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static void test_a_lock_that_stays_is_not(Fixture *fixture, gconstpointer data)
{
        pid_t pid = lock_elsewhere(fixture, 60000000);

        g_assert_cmpint(directory_lock(fixture->fd), ==, -EBUSY);
        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
        g_assert_cmpint(directory_lock(fixture->fd), ==, 0);
}

#define ADD(test) g_test_add("/util/file/" #test, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_what_was_written_is_read);
        ADD(test_a_new_file_is_its_owners_alone);
        ADD(test_a_longer_file_is_refused);
        ADD(test_what_is_no_file_is_refused);
        ADD(test_links_are_not_followed_to_read);
        ADD(test_a_link_is_replaced_not_followed);
        ADD(test_a_failed_replacing_leaves_what_was);
        ADD(test_a_directory_is_made_once_with_its_mode);
        ADD(test_a_link_is_no_directory_to_open);
        ADD(test_a_lock_that_goes_in_a_moment_is_waited_for);
        ADD(test_a_lock_that_stays_is_not);
        return g_test_run();
}
