/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marker: see marker.h. */
#include "transaction/marker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_NAME "recorded"

static const char text[] =
        "Aegis Enforcer has recorded what it enforces on this machine. While this file is here, a\n"
        "state directory that is empty is a loss and not a first start; see aegisd(8).\n";

/* A disk may fail once. */
int marker_is_set(const char *directory)
{
        char path[PATH_MAX];
        int r = -1;

        if (snprintf(path, sizeof(path), "%s/" FILE_NAME, directory) >= (int) sizeof(path))
                return 1;
        errno = EIO;
        for (int i = 0; i < 2 && r < 0 && errno != ENOENT; i++)
                r = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
        return r == 0 || errno != ENOENT;
}

int marker_set(const char *directory)
{
        _cleanup_(closep) int fd = directory_open(directory, 0755);

        if (fd < 0)
                return fd;
        return file_replace(fd, FILE_NAME, text, sizeof(text) - 1);
}
