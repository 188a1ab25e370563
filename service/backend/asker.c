/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asker: what a process of an event is called in rules: its program and its cgroup, which the
 * kernel tells by number. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/array.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUPS_DEEP_MAX 32u

static void closedirp(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

/* Whether that file is found at the path. */
static int is_it(const Backend *backend, const char *path, uint32_t device, uint64_t inode)
{
        const Resolver *resolver = backend_resolver(backend);
        Location location = {0};
        int is_it = 0;

        if (resolver->locate(resolver->userdata, path, &location) >= 0)
                is_it = location.exists && location.device == device && location.inode == inode;
        location_deinit(&location);
        return is_it;
}

/* What the process runs, if it still does. Returns a new string or NULL. */
static char *path_of_process(uint32_t pid)
{
        char link[32], path[PATH_MAX];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/%u/exe", pid);
        n = readlink(link, path, sizeof(path));
        return n > 0 && n < (ssize_t) sizeof(path) ? strndup(path, (size_t) n) : NULL;
}

/* Returns the path in that directory, a new string, or NULL. */
static char *look_in(const Backend *backend, const char *folder, uint32_t device, uint64_t inode)
{
        _cleanup_(closedirp) DIR *directory = opendir(folder);
        struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                _cleanup_(freep) char *path = NULL;

                if (entry->d_ino != inode || entry->d_type != DT_REG)
                        continue;
                if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
                        path = NULL;
                        return NULL;
                }
                if (is_it(backend, path, device, inode))
                        return TAKE_PTR(path);
        }
        return NULL;
}

char *backend_program_path(const Backend *backend, uint32_t device, uint64_t inode, uint32_t pid)
{
        static const char *const folders[] = {
                "/usr/bin", "/usr/sbin", "/usr/local/bin",   "/usr/local/sbin", "/usr/libexec",
                "/bin",     "/sbin",     "/usr/lib/systemd", "/usr/local/lib",
        };
        char *path = path_of_process(pid);

        if (path && is_it(backend, path, device, inode))
                return path;
        free(path);
        path = NULL;
        for (size_t i = 0; !path && i < ELEMENTS_OF(folders); i++)
                path = look_in(backend, folders[i], device, inode);
        return path;
}

/* ---- cgroups ---- */

/* On cgroup2 the inode number is the cgroup's id. Returns the path below that directory, a new
 * string, or NULL. */
static char *find_below(const char *folder, uint64_t id, unsigned depth)
{
        _cleanup_(closedirp) DIR *directory = opendir(folder);
        struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                _cleanup_(freep) char *path = NULL;
                char *found;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
                        path = NULL;
                        return NULL;
                }
                if (entry->d_ino == id)
                        return TAKE_PTR(path);
                found = depth < CGROUPS_DEEP_MAX ? find_below(path, id, depth + 1) : NULL;
                if (found)
                        return found;
        }
        return NULL;
}

char *backend_cgroup_path(const Backend *backend, uint64_t id)
{
        _cleanup_(freep) char *path = NULL;
        struct stat st;

        if (stat(CGROUP_ROOT, &st) == 0 && st.st_ino == id)
                return strdup("/");
        path = find_below(CGROUP_ROOT, id, 0);
        return path ? strdup(path + strlen(CGROUP_ROOT)) : NULL;
}
