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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "backend/guard.h"
#include "backend/private.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define LINK_PREFIX "link_"
#define NEW_LINK "new_link"
#define ABI_FOLDER "abi%u"
#define ABI_MAX 64u      /* of the builds that are asked for; folders have no other names */
#define CLAIM_SECONDS 60 /* from its first instruction to its first denial */

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
        if (asprintf(&backend->pin_path, "%s/" ABI_FOLDER, directory, AEGIS_ABI) < 0)
                return -ENOMEM;
        backend->pin_fd = directory_open(backend->pin_path, 0700);
        if (backend->pin_fd < 0)
                return log_errno(backend->pin_fd, "Cannot open %s", backend->pin_path);
        return 0;
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
        return r < 0 ? r : give(above, uid, gid);
}

void claim_begin(struct hot *hot)
{
        struct timespec now = {};

        clock_gettime(CLOCK_BOOTTIME, &now);
        hot->service_tgid = (uint32_t) getpid();
        __atomic_store_n(&hot->claim_until_ns,
                         (uint64_t) (now.tv_sec + CLAIM_SECONDS) * 1000000000u, __ATOMIC_SEQ_CST);
}

/* hot: of any build; what is used of it is the same in all. */
static int claim(struct hot *hot)
{
        if (guard_other_lives(hot))
                return log_errno(-EBUSY, "Process %u is the service", hot->service_tgid);
        claim_begin(hot);
        return 0;
}

/* The path alone is used: opening what is above it may be what a rule denies. */
static int claim_folder(const char *pin_directory, unsigned abi)
{
        _cleanup_(closep) int fd = -1;
        char path[PATH_MAX];
        struct hot *hot;
        int r;

        snprintf(path, sizeof(path), "%s/" ABI_FOLDER "/data_hot", pin_directory, abi);
        fd = bpf_obj_get(path);
        if (fd < 0 && errno == EPERM)
                return log_errno(-EPERM, "What is in force guards itself from this process: "
                                         "another aegisd lives, or its program has another place");
        if (fd < 0)
                return 0; /* nothing is in force */
        hot = mmap(NULL, sizeof(*hot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (hot == MAP_FAILED)
                return 0;
        r = claim(hot);
        munmap(hot, sizeof(*hot));
        /* The guard takes note of who acts first after a claim: let that be us, now. */
        if (r == 0) {
                closep(&fd);
                fd = bpf_obj_get(path);
        }
        return r;
}

int backend_claim(const char *pin_directory)
{
        int r = 0;

        for (unsigned abi = 1; r == 0 && abi <= ABI_MAX; abi++)
                r = claim_folder(pin_directory, abi);
        return r;
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

static int is_ours(const Backend *backend, const char *program)
{
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->programs[i].link && strcmp(backend->programs[i].name, program) == 0)
                        return 1;
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
                    !is_ours(backend, entry->d_name + strlen(LINK_PREFIX)))
                        unlinkat(backend->pin_fd, entry->d_name, 0);
        closedir(directory);
}

/* ---- other builds ---- */

static int open_folder(const char *directory, unsigned abi)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/" ABI_FOLDER, directory, abi);
        return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Links first: none of them must look at maps that are half gone. */
static void empty_folder(int folder, const char *prefix)
{
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!directory) {
                closep(&fd);
                return;
        }
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.' &&
                    strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
                    unlinkat(folder, entry->d_name, 0) == 0)
                        rewinddir(directory);
        closedir(directory);
}

static void remove_folder(const char *directory, unsigned abi)
{
        _cleanup_(closep) int folder = open_folder(directory, abi);
        char path[PATH_MAX];

        if (folder < 0)
                return;
        empty_folder(folder, LINK_PREFIX);
        empty_folder(folder, "");
        snprintf(path, sizeof(path), "%s/" ABI_FOLDER, directory, abi);
        if (rmdir(path) < 0)
                log_errno(errno, "Cannot remove %s", path);
        else
                log_info("What another build had in force in %s is released", path);
}

static int has_links(int folder)
{
        return faccessat(folder, LINK_PREFIX "file_open", F_OK, 0) == 0;
}

void backend_release_others(Backend *backend)
{
        BackendState state;

        if (backend->is_alone)
                return;
        backend->is_alone = 1;
        backend_state(backend, &state);
        for (unsigned abi = 1; abi <= ABI_MAX; abi++) {
                _cleanup_(closep) int folder =
                        abi == AEGIS_ABI ? -1 : open_folder(backend->pin_directory, abi);

                if (folder < 0)
                        continue;
                if (state.generation > 0 || !has_links(folder))
                        remove_folder(backend->pin_directory, abi);
                else
                        backend->is_alone = 0;
        }
}
