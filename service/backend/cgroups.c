/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups: see cgroups.h. A unit of the system's manager is a cgroup whose ancestors are all
 * slices; the program that numbers new cgroups goes by the same. */
#include "backend/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "util/cleanup.h"
#include "util/log.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define SLICE ".slice"
#define SLICES_DEEP_MAX 32

/* The name of a unit, and what is done with one that exists. Returns 0 to go on, another number to
 * end the walk with it. */
typedef struct Walk {
        int (*visit)(void *userdata, const char *unit, uint64_t id);
        void *userdata;
} Walk;

static int is_slice(const char *name)
{
        size_t n = strlen(name);

        return n > strlen(SLICE) && strcmp(name + n - strlen(SLICE), SLICE) == 0;
}

static int walk_slices(int parent, const Walk *walk, unsigned depth);

static int visit_entry(int parent, const char *name, const Walk *walk, unsigned depth)
{
        _cleanup_(closep) int fd = -1;
        struct stat st;
        int r;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return 0; /* it has gone */
        r = walk->visit(walk->userdata, name, st.st_ino);
        if (r != 0 || !is_slice(name) || depth == SLICES_DEEP_MAX)
                return r;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? 0 : walk_slices(fd, walk, depth + 1);
}

static void closedirp(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static int walk_slices(int parent, const Walk *walk, unsigned depth)
{
        int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        _cleanup_(closedirp) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!directory) {
                closep(&fd);
                return -errno;
        }
        while (r == 0 && (entry = readdir(directory)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                        r = visit_entry(parent, entry->d_name, walk, depth);
        return r;
}

static int open_root(void)
{
        _cleanup_(closep) int fd = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0)
                return -errno;
        if (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
                return -ENOENT;
        return TAKE_FD(fd);
}

/* On cgroup2 the inode number is the cgroup's id. Returns 0 or a negative errno. */
static int find_path(int root, const char *path, uint64_t *ret_id)
{
        struct stat st;

        if (fstatat(root, path[1] ? path + 1 : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOTDIR ? -ENOENT : -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOENT;
        *ret_id = st.st_ino;
        return 0;
}

/* ---- numbering ---- */

typedef struct Numbering {
        int map_fd;
        const PolicyImage *image;
} Numbering;

static int put_number(int map_fd, uint64_t id, uint32_t number)
{
        const struct cgroup_key key = {.id = id, .number = number};
        const uint32_t present = 1;

        if (!number)
                return 0;
        if (bpf_map_update_elem(map_fd, &key, &present, BPF_ANY) < 0)
                return log_errno(errno, "A cgroup cannot be numbered");
        return 0;
}

static int put_numbers(const Numbering *numbering, const struct cgroup_numbers *numbers,
                       uint64_t id)
{
        int r;

        r = put_number(numbering->map_fd, id, numbers->unbound);
        return r < 0 ? r : put_number(numbering->map_fd, id, numbers->subject);
}

static int compare_name(const void *name, const void *entry)
{
        return strncmp(name, ((const CgroupNameEntry *) entry)->key.path, CGROUP_PATH_SIZE);
}

static int number_unit(void *userdata, const char *unit, uint64_t id)
{
        const Numbering *numbering = userdata;
        const CgroupNameEntry *entry;

        entry = bsearch(unit, numbering->image->cgroup_names, numbering->image->n_cgroup_names,
                        sizeof(*entry), compare_name);
        return entry ? put_numbers(numbering, &entry->value, id) : 0;
}

static int number_paths(const Numbering *numbering, int root)
{
        for (size_t i = 0; i < numbering->image->n_cgroup_names; i++) {
                const CgroupNameEntry *entry = &numbering->image->cgroup_names[i];
                uint64_t id = 0;
                int r;

                if (entry->key.path[0] != '/' || find_path(root, entry->key.path, &id) < 0)
                        continue;
                r = put_numbers(numbering, &entry->value, id);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroups_number(int map_fd, const PolicyImage *image)
{
        Numbering numbering = {.map_fd = map_fd, .image = image};
        const Walk walk = {number_unit, &numbering};
        _cleanup_(closep) int root = open_root();
        int r;

        if (root < 0)
                return 0; /* there are none, or none of the second version */
        r = number_paths(&numbering, root);
        return r < 0 ? r : walk_slices(root, &walk, 0);
}

/* ---- asking ---- */

static int is_unit(void *userdata, const char *unit, uint64_t id)
{
        return strcmp(unit, userdata) == 0;
}

int cgroups_have(const char *name)
{
        const Walk walk = {is_unit, (void *) name};
        _cleanup_(closep) int root = open_root();
        uint64_t id = 0;

        if (root < 0)
                return 0;
        if (name[0] == '/')
                return find_path(root, name, &id) == 0;
        return walk_slices(root, &walk, 0);
}
