/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File: see file.h. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"

#define LOCK_TRIES 100u
#define LOCK_WAIT_USEC 10000u

#define NAME_SIZE 256u

static int open_name(int dir_fd, const char *name, int flags)
{
        int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC), error = errno;
        struct stat st;

        if (fd >= 0)
                return fd;
        /* What a link is to somebody who wants a directory */
        if (error == ENOTDIR && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(st.st_mode))
                return -ELOOP;
        return -error;
}

/* Name by name, where openat2(2) is among the calls that the service does without. */
static int open_by_names(int dir_fd, const char *name, int flags)
{
        _cleanup_(closep) int fd = -1;
        char part[NAME_MAX + 1];

        for (size_t n; (n = strcspn(name, "/")) != strlen(name); name += strspn(name, "/")) {
                int next;

                if (n >= sizeof(part))
                        return -ENAMETOOLONG;
                snprintf(part, sizeof(part), "%.*s", n ? (int) n : 1, name);
                name += n;
                next = open_name(fd < 0 ? dir_fd : fd, part, O_PATH | O_DIRECTORY);
                if (next < 0)
                        return next;
                closep(&fd);
                fd = next;
        }
        return open_name(fd < 0 ? dir_fd : fd, *name ? name : ".", flags);
}

static int open_strict(int dir_fd, const char *name, int flags)
{
        struct open_how how = {
                .flags = (uint64_t) flags | O_CLOEXEC,
                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

        if (fd < 0 && errno == ENOSYS)
                return open_by_names(dir_fd, name, flags);
        return fd < 0 ? -errno : (int) fd;
}

static int read_all(int fd, char *data, size_t n)
{
        for (size_t done = 0; done < n;) {
                ssize_t r = read(fd, data + done, n - done);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        return -EIO; /* it shrank under our hands */
                done += (size_t) r;
        }
        return 0;
}

static int read_open(int fd, size_t max, char **ret_data, size_t *ret_n)
{
        _cleanup_(freep) char *data = NULL;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if ((uint64_t) st.st_size > max)
                return -EFBIG;
        data = malloc((size_t) st.st_size + 1);
        if (!data)
                return -ENOMEM;
        r = read_all(fd, data, (size_t) st.st_size);
        if (r < 0)
                return r;
        data[st.st_size] = '\0';
        *ret_data = TAKE_PTR(data);
        *ret_n = (size_t) st.st_size;
        return 0;
}

static int open_to_read(int dir_fd, const char *name)
{
        return open_strict(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static int read_once(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n)
{
        _cleanup_(closep) int fd = open_to_read(dir_fd, name);

        return fd < 0 ? fd : read_open(fd, max, ret_data, ret_n);
}

int file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n)
{
        int r = read_once(dir_fd, name, max, ret_data, ret_n);

        return r == -EIO ? read_once(dir_fd, name, max, ret_data, ret_n) : r;
}

int file_is_damaged(int error)
{
        return error == -EIO || error == -EFBIG || error == -ELOOP || error == -EINVAL;
}

/* Who may write it decides what is in it. */
static int check_owner(int fd)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022) ? 0 : -EPERM;
}

int file_read_trusted(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n)
{
        _cleanup_(closep) int fd = open_to_read(dir_fd, name);
        int r = fd < 0 ? fd : check_owner(fd);

        return r < 0 ? r : read_open(fd, max, ret_data, ret_n);
}

static int write_all(int fd, const char *data, size_t n)
{
        for (size_t done = 0; done < n;) {
                ssize_t r = write(fd, data + done, n - done);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                done += (size_t) r;
        }
        return 0;
}

static int write_new(int dir_fd, const char *name, const void *data, size_t n)
{
        _cleanup_(closep) int fd =
                openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, data, n);
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return -errno;
        return 0;
}

int file_append(int dir_fd, const char *name, const void *data, size_t n)
{
        _cleanup_(closep) int fd =
                openat(dir_fd, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r = fd < 0 ? -errno : write_all(fd, data, n);

        if (r == 0 && fdatasync(fd) < 0)
                r = -errno;
        return r;
}

int file_remove(int dir_fd, const char *name)
{
        if (unlinkat(dir_fd, name, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return directory_sync(dir_fd);
}

int directory_sync(int dir_fd)
{
        return fsync(dir_fd) < 0 ? -errno : 0;
}

/* A name beside another that nothing has. Returns 0 or a negative errno. */
static int free_name(int dir_fd, const char *name, char ret_name[NAME_SIZE])
{
        if (snprintf(ret_name, NAME_SIZE, ".%s.new", name) >= (int) NAME_SIZE)
                return -ENAMETOOLONG;
        return unlinkat(dir_fd, ret_name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int file_link(int from_fd, const char *from, int to_fd, const char *to)
{
        char temporary[NAME_SIZE];
        int r = free_name(to_fd, to, temporary);

        if (r < 0)
                return r;
        if (linkat(from_fd, from, to_fd, temporary, 0) < 0)
                return -errno;
        if (renameat(to_fd, temporary, to_fd, to) < 0)
                r = -errno;
        /* A rename between two names of one file does nothing and leaves both. */
        unlinkat(to_fd, temporary, 0);
        return r;
}

int file_replace(int dir_fd, const char *name, const void *data, size_t n)
{
        char temporary[NAME_SIZE];
        int r;

        r = free_name(dir_fd, name, temporary);
        if (r < 0)
                return r;
        r = write_new(dir_fd, temporary, data, n);
        if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return directory_sync(dir_fd);
}

/* What is made in a directory is there after a power cut only once that directory is synced. */
static int sync_parent(int fd)
{
        _cleanup_(closep) int parent = open_strict(fd, "..", O_RDONLY | O_DIRECTORY);

        return parent < 0 ? parent : directory_sync(parent);
}

static int open_directory(const char *path)
{
        return open_strict(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

static int make_directory(const char *path, unsigned mode)
{
        _cleanup_(closep) int fd = -1;
        int r;

        if (mkdir(path, mode) < 0 && errno != EEXIST)
                return -errno;
        fd = open_directory(path);
        r = fd < 0 ? fd : sync_parent(fd);
        return r < 0 ? r : TAKE_FD(fd);
}

int directory_open(const char *path, unsigned mode)
{
        int fd = open_directory(path);

        return fd == -ENOENT ? make_directory(path, mode) : fd;
}

int directory_open_trusted(const char *path)
{
        _cleanup_(closep) int fd = open_directory(path);
        int r = fd < 0 ? fd : check_owner(fd);

        return r < 0 ? r : TAKE_FD(fd);
}

DEFINE_CLEANUP(DIR *, closedir);

int directory_lock(int dir_fd)
{
        for (unsigned i = 0; i < LOCK_TRIES; i++) {
                if (flock(dir_fd, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK)
                        return -errno;
                usleep(LOCK_WAIT_USEC);
        }
        return -EBUSY;
}

/* With a place in it of its own. */
static int open_again(int dir_fd, DIR **ret_directory)
{
        _cleanup_(closep) int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        *ret_directory = fdopendir(fd);
        if (!*ret_directory)
                return -errno;
        TAKE_FD(fd);
        return 0;
}

int directory_each(int dir_fd, DirectoryFunc func, void *userdata)
{
        _cleanup_(closedirp) DIR *directory = NULL;
        int r = open_again(dir_fd, &directory);

        while (r == 0) {
                const struct dirent *file;

                errno = 0;
                file = readdir(directory);
                if (!file)
                        return -errno;
                r = func(userdata, file->d_name);
        }
        return r;
}
