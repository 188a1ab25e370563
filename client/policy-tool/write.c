/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Write: see write.h. */
#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *text)
{
        for (size_t n = strlen(text); n > 0;) {
                ssize_t written = write(fd, text, n);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -errno;
                text += written;
                n -= (size_t) written;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

/* As the old file is; as any new file would be if there is none. */
static int take_after(int fd, const char *path)
{
        struct stat old;
        mode_t mask;

        if (stat(path, &old) < 0) {
                if (errno != ENOENT)
                        return -errno;
                mask = umask(0);
                umask(mask);
                return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
        }
        if ((old.st_uid != geteuid() || old.st_gid != getegid()) &&
            fchown(fd, old.st_uid, old.st_gid) < 0)
                return -errno;
        return fchmod(fd, old.st_mode & 07777) < 0 ? -errno : 0;
}

static int replace(const char *path, const char *text)
{
        _cleanup_(closep) int fd = -1;
        _cleanup_(freep) char *aside = NULL;
        int r;

        if (asprintf(&aside, "%s.XXXXXX", path) < 0) {
                aside = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(aside, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text);
        if (r == 0)
                r = take_after(fd, path);
        if (r == 0 && rename(aside, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(aside);
        return r;
}

ToolStatus write_document(const char *path, const char *text)
{
        _cleanup_(freep) char *real = realpath(path, NULL);
        int r;

        if (!real && errno != ENOENT)
                return tool_trouble("cannot write %s: %s.", path, strerror(errno));
        r = replace(real ? real : path, text);
        if (r < 0)
                return tool_trouble("cannot write %s: %s.", path, strerror(-r));
        return TOOL_FINE;
}

ToolStatus write_new(const char *path, const char *text, unsigned mode)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        int r;

        if (fd < 0 && errno == EEXIST)
                return tool_trouble("%s is there already; choose another name.", path);
        if (fd < 0)
                return tool_trouble("cannot write %s: %s.", path, strerror(errno));
        r = write_all(fd, text);
        if (r == 0)
                return TOOL_FINE;
        unlink(path);
        return tool_trouble("cannot write %s: %s.", path, strerror(-r));
}
