/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Others: what builds with maps of another layout have in force. A service tells it who it is, puts
 * its own beside it, goes on with its hits, and lets go of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "backend/guard.h"
#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define CLAIM_SECONDS 60 /* from its first instruction to its first denial */

static void pin_path_of(const char *directory, unsigned abi, const char *pin,
                        char ret_path[PATH_MAX])
{
        snprintf(ret_path, PATH_MAX, "%s/" ABI_FOLDER "%u/%s", directory, abi, pin);
}

/* ---- claiming ---- */

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

        pin_path_of(pin_directory, abi, "data_hot", path);
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

/* ---- finding ---- */

/* The bit of a folder that is called so, with a number behind it; 0 if it is none. */
static uint64_t bit_of(const char *name, const char *prefix)
{
        unsigned number = 0;

        if (strncmp(name, prefix, strlen(prefix)) != 0)
                return 0;
        for (name += strlen(prefix); *name >= '0' && *name <= '9' && number <= ABI_MAX; name++)
                number = number * 10 + (unsigned) (*name - '0');
        return *name || number > ABI_MAX ? 0 : ABI_BIT(number);
}

int others_find(Backend *backend)
{
        DIR *directory = opendir(backend->pin_directory);
        struct dirent *entry;

        if (!directory)
                return log_errno(errno, "Cannot read %s", backend->pin_directory);
        while ((entry = readdir(directory))) {
                backend->other_builds |= bit_of(entry->d_name, ABI_FOLDER);
                backend->other_events |= bit_of(entry->d_name, EVENTS_FOLDER);
        }
        closedir(directory);
        backend->other_builds &= ~ABI_BIT(AEGIS_ABI);
        backend->other_events &= ~ABI_BIT(EVENTS_ABI);
        return 0;
}

/* ---- their hits ---- */

static int is_same(const struct header *header, const struct header *other)
{
        return other->generation && other->n_rules == header->n_rules &&
               memcmp(other->digest, header->digest, DIGEST_SIZE) == 0;
}

/* Returns the slot in which that build counts, or negative. */
static int slot_of(const struct hot *hot, const struct header *header, OtherHits which)
{
        uint32_t slot = __atomic_load_n(&hot->word, __ATOMIC_SEQ_CST) & WORD_SLOT;

        if (!is_same(header, &hot->headers[slot]))
                return -1;
        if (which == OTHER_IN_FORCE)
                return (int) slot;
        return is_same(header, &hot->headers[slot ^ 1]) ? (int) (slot ^ 1) : -1;
}

/* Maps what is the same in all builds. Returns NULL if there is none. */
static const struct hot *open_hot(const Backend *backend, unsigned abi)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);
        _cleanup_(closep) int fd = -1;
        char path[PATH_MAX];
        void *hot;

        pin_path_of(backend->pin_directory, abi, "data_hot", path);
        fd = bpf_obj_get(path);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0 ||
            info.value_size < sizeof(struct hot))
                return NULL;
        hot = mmap(NULL, sizeof(struct hot), PROT_READ, MAP_SHARED, fd, 0);
        return hot == MAP_FAILED ? NULL : hot;
}

/* The pin may be of the map before, if a service was killed in the midst of a change. */
static int open_hits(const Backend *backend, unsigned abi, uint32_t slot, uint32_t n_rules)
{
        _cleanup_(closep) int outer = -1, fd = -1;
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info), id = 0;
        char path[PATH_MAX], name[32];

        pin_path_of(backend->pin_directory, abi, "hits", path);
        outer = bpf_obj_get(path);
        snprintf(name, sizeof(name), "slot%u_hits", slot);
        pin_path_of(backend->pin_directory, abi, name, path);
        fd = bpf_obj_get(path);
        if (outer < 0 || fd < 0 || bpf_map_lookup_elem(outer, &slot, &id) < 0 ||
            bpf_obj_get_info_by_fd(fd, &info, &n) < 0 || info.id != id ||
            info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(uint64_t) ||
            info.max_entries < n_rules)
                return log_errno(-ENOENT, "What another build has counted of rules is lost");
        return TAKE_FD(fd);
}

static int hits_of(const Backend *backend, unsigned abi, const struct header *header,
                   OtherHits which)
{
        const struct hot *hot = open_hot(backend, abi);
        int slot = hot ? slot_of(hot, header, which) : -1;

        if (hot)
                munmap((void *) hot, sizeof(*hot));
        return slot < 0 ? -1 : open_hits(backend, abi, (uint32_t) slot, header->n_rules);
}

int others_hits(const Backend *backend, const struct header *header, OtherHits which)
{
        int fd = -1;

        for (unsigned abi = 1; fd < 0 && abi <= ABI_MAX; abi++)
                if (backend->other_builds & ABI_BIT(abi))
                        fd = hits_of(backend, abi, header, which);
        return fd;
}

/* ---- letting go ---- */

static int open_folder(const char *directory, unsigned abi)
{
        char path[PATH_MAX];

        pin_path_of(directory, abi, "", path);
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
        pin_path_of(directory, abi, "", path);
        if (rmdir(path) < 0)
                log_errno(errno, "Cannot remove %s", path);
        else
                log_info("What another build had in force in %s is released", path);
}

static int has_links(int folder)
{
        return faccessat(folder, LINK_PREFIX "file_open", F_OK, 0) == 0;
}

/* Returns 1 if it is gone. */
static int release(Backend *backend, unsigned abi, int has_policy)
{
        _cleanup_(closep) int folder = open_folder(backend->pin_directory, abi);

        if (folder >= 0 && !has_policy && has_links(folder))
                return 0;
        if (folder >= 0)
                remove_folder(backend->pin_directory, abi);
        return 1;
}

void backend_release_others(Backend *backend)
{
        BackendState state;

        if (backend->is_alone)
                return;
        backend_state(backend, &state);
        if (state.generation > 0)
                hits_inherit(backend);
        for (unsigned abi = 1; abi <= ABI_MAX; abi++)
                if (backend->other_builds & ABI_BIT(abi) &&
                    release(backend, abi, state.generation > 0))
                        backend->other_builds &= ~ABI_BIT(abi);
        backend->is_alone = !backend->other_builds;
        if (backend->is_alone)
                account_release_others(backend);
}
