/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File: see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"

static int open_strict(int dir_fd, const char *name, uint64_t flags)
{
        struct open_how how = {
                .flags = flags | O_CLOEXEC,
                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

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

int file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n)
{
        _cleanup_(closep) int fd = open_strict(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        _cleanup_(freep) char *data = NULL;
        struct stat st;
        int r;

        if (fd < 0)
                return fd;
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

int directory_sync(int dir_fd)
{
        return fsync(dir_fd) < 0 ? -errno : 0;
}

int file_replace(int dir_fd, const char *name, const void *data, size_t n)
{
        char temporary[256];
        int r;

        r = snprintf(temporary, sizeof(temporary), ".%s.new", name);
        if (r < 0 || (size_t) r >= sizeof(temporary))
                return -ENAMETOOLONG;
        if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
                return -errno;
        r = write_new(dir_fd, temporary, data, n);
        if (r < 0) {
                unlinkat(dir_fd, temporary, 0);
                return r;
        }
        if (renameat(dir_fd, temporary, dir_fd, name) < 0)
                return -errno;
        return directory_sync(dir_fd);
}

int directory_open(const char *path, unsigned mode)
{
        int fd = open_strict(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);

        if (fd != -ENOENT)
                return fd;
        if (mkdir(path, mode) < 0 && errno != EEXIST)
                return -errno;
        return open_strict(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}
