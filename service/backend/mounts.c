/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts: see mounts.h. The format is that of proc(5), /proc/[pid]/mountinfo. */
#include "backend/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

const char *path_below(const char *path, const char *prefix)
{
        size_t n = strlen(prefix);

        if (n == 1) /* "/" */
                return path[1] ? path : "";
        if (strncmp(path, prefix, n) != 0 || (path[n] != '\0' && path[n] != '/'))
                return NULL;
        return path + n;
}

/* Undoes the kernel's \ooo in place. */
static void unescape(char *text)
{
        char *to = text;

        for (const char *from = text; *from; to++) {
                unsigned value;

                if (from[0] == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
                        *to = (char) value;
                        from += 4;
                } else {
                        *to = *from++;
                }
        }
        *to = '\0';
}

static int parse_line(const char *line, Mount *ret_mount)
{
        _cleanup_(freep) char *root = NULL, *point = NULL;
        unsigned major, minor;
        uint64_t id;

        if (sscanf(line, "%" SCNu64 " %*d %u:%u %ms %ms", &id, &major, &minor, &root, &point) != 5)
                return -EBADMSG;
        unescape(root);
        unescape(point);
        *ret_mount = (Mount){
                .id = id,
                .device = major << 20 | minor,
                .root = TAKE_PTR(root),
                .point = TAKE_PTR(point),
        };
        return 0;
}

static void clear(Mounts *mounts)
{
        for (size_t i = 0; i < mounts->n_items; i++) {
                free(mounts->items[i].root);
                free(mounts->items[i].point);
        }
        mounts->n_items = 0;
}

/* From its beginning; that of another view cannot be opened by its name. NULL with errno. */
static FILE *open_again(int fd)
{
        _cleanup_(closep) int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        FILE *file = copy < 0 || lseek(copy, 0, SEEK_SET) < 0 ? NULL : fdopen(copy, "r");

        if (file)
                copy = -1; /* it is the file's now */
        return file;
}

static int read_all(Mounts *mounts)
{
        _cleanup_(fclosep) FILE *file = open_again(mounts->fd);
        _cleanup_(freep) char *line = NULL;
        size_t n_line = 0;
        int r;

        mounts->is_stale = 1;
        if (!file)
                return -errno;
        clear(mounts);
        while (getline(&line, &n_line, file) > 0) {
                r = ARRAY_RESERVE(mounts->items, mounts->n_allocated, mounts->n_items + 1);
                if (r < 0)
                        return r;
                if (parse_line(line, &mounts->items[mounts->n_items]) == 0)
                        mounts->n_items++;
        }
        if (ferror(file))
                return -EIO;
        mounts->is_stale = 0;
        return 0;
}

int mounts_watch(void)
{
        int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int mounts_init(Mounts *mounts, int root, int fd)
{
        *mounts = (Mounts){.root = root, .fd = fd ? fd : mounts_watch()};
        if (!root)
                mounts->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (mounts->root < 0)
                return -errno;
        if (mounts->fd < 0)
                return mounts->fd;
        return read_all(mounts);
}

void mounts_deinit(Mounts *mounts)
{
        clear(mounts);
        free(mounts->items);
        closep(&mounts->root);
        closep(&mounts->fd);
        *mounts = (Mounts){.root = -1, .fd = -1};
}

int mounts_refresh(Mounts *mounts)
{
        struct pollfd poll_fd = {.fd = mounts->fd, .events = POLLPRI};

        if (poll(&poll_fd, 1, 0) <= 0 && !mounts->is_stale)
                return 0;
        return read_all(mounts);
}

const Mount *mounts_by_id(const Mounts *mounts, uint64_t id)
{
        for (size_t i = 0; i < mounts->n_items; i++)
                if (mounts->items[i].id == id)
                        return &mounts->items[i];
        return NULL;
}

static char *join(const char *point, const char *below)
{
        char *path = NULL;

        if (strcmp(point, "/") == 0)
                point = *below ? "" : "/";
        return asprintf(&path, "%s%s", point, below) < 0 ? NULL : path;
}

/* The mount that shows most of the file system wins, so that bind mounts do not rename their
 * source. */
char *mounts_visible_path(const Mounts *mounts, uint32_t device, const char *path)
{
        const Mount *best = NULL;

        for (size_t i = 0; i < mounts->n_items; i++) {
                const Mount *mount = &mounts->items[i];

                if (mount->device != device || !path_below(path, mount->root))
                        continue;
                if (!best || strlen(mount->root) < strlen(best->root))
                        best = mount;
        }
        return best ? join(best->point, path_below(path, best->root)) : NULL;
}
