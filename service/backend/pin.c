/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins: what makes enforcement outlive the process. Links and maps hang in a bpffs of our own, in a
 * folder named after the ABI: programs of another ABI never meet these maps. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define NEW_LINK "new_link"

static int is_bpffs(int fd)
{
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int mount_bpffs(const char *directory)
{
        _cleanup_(closep) int fd = directory_open(directory, 0700);

        if (fd < 0)
                return log_errno(fd, "Cannot open %s, where enforcement is to be pinned",
                                 directory);
        if (is_bpffs(fd))
                return 0;
        if (mount("bpf", directory, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
                return log_errno(errno, "Cannot mount a bpffs at %s", directory);
        return 0;
}

int pin_folder_open(Backend *backend, const char *directory)
{
        int r;

        r = mount_bpffs(directory);
        if (r < 0)
                return r;
        backend->pin_directory = directory;
        if (asprintf(&backend->pin_path, "%s/" ABI_FOLDER "%u", directory, AEGIS_ABI) < 0)
                return -ENOMEM;
        backend->pin_fd = directory_open(backend->pin_path, 0700);
        if (backend->pin_fd < 0)
                return log_errno(backend->pin_fd, "Cannot open %s", backend->pin_path);
        r = account_open(backend, directory);
        return r < 0 ? r : others_find(backend);
}

/* The folder and what is in it. */
static int give(int folder, uid_t uid, gid_t gid)
{
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *pins = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!pins) {
                closep(&fd);
                return -errno;
        }
        while ((entry = readdir(pins)))
                if (strcmp(entry->d_name, "..") != 0 &&
                    fchownat(folder, entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                        r = -errno;
        closedir(pins);
        return r < 0 ? r : fchown(folder, uid, gid) < 0 ? -errno : 0;
}

int pins_give(const Backend *backend, const char *directory, uid_t uid, gid_t gid)
{
        _cleanup_(closep) int above = directory_open(directory, 0700);
        int r;

        if (above < 0)
                return above;
        r = give(backend->pin_fd, uid, gid);
        if (r == 0)
                r = give(backend->events_fd, uid, gid);
        return r < 0 ? r : give(above, uid, gid);
}

int pin_link(Backend *backend, struct bpf_link *link, const char *program)
{
        char path[PATH_MAX], name[SYMBOL_MAX + sizeof(LINK_PREFIX)];
        int r;

        snprintf(path, sizeof(path), "%s/" NEW_LINK, backend->pin_path);
        snprintf(name, sizeof(name), LINK_PREFIX "%s", program);
        unlinkat(backend->pin_fd, NEW_LINK, 0);
        if (bpf_obj_pin(bpf_link__fd(link), path) < 0 ||
            renameat(backend->pin_fd, NEW_LINK, backend->pin_fd, name) < 0) {
                r = log_errno(errno, "Cannot pin the link of %s", program);
                unlinkat(backend->pin_fd, NEW_LINK, 0); /* it would hold what nobody knows of */
                return r;
        }
        return 0;
}

void unpin_link(Backend *backend, const char *program)
{
        char name[SYMBOL_MAX + sizeof(LINK_PREFIX)];

        snprintf(name, sizeof(name), LINK_PREFIX "%s", program);
        unlinkat(backend->pin_fd, name, 0);
}

int is_pinned(const Backend *backend, const char *program)
{
        char name[SYMBOL_MAX + sizeof(LINK_PREFIX)];

        snprintf(name, sizeof(name), LINK_PREFIX "%s", program);
        return faccessat(backend->pin_fd, name, F_OK, 0) == 0;
}

static int is_ours(const Backend *backend, const char *pin)
{
        for (size_t i = 0; i < backend->n_programs; i++) {
                const Program *program = &backend->programs[i];

                if ((program->link && strcmp(program->name, pin + strlen(LINK_PREFIX)) == 0) ||
                    judge_owns_pin(program, pin))
                        return 1;
        }
        return 0;
}

void unpin_strangers(Backend *backend)
{
        int fd = openat(backend->pin_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!directory) {
                closep(&fd);
                return;
        }
        while ((entry = readdir(directory)))
                if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0 &&
                    !is_ours(backend, entry->d_name))
                        unlinkat(backend->pin_fd, entry->d_name, 0);
        closedir(directory);
}
