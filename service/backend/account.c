/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Account: events, and how many there were. Their maps hang in a folder of their own, named after
 * the layout of these alone: builds whose other maps differ write into the same rings and count on
 * in the same place. What builds of another layout of events have counted is added, from where they
 * left it; what nobody can read any longer of theirs is lost, and is counted as that. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define ACCOUNT "data_account"

/* What is not told yet lies in these: all of them are there, or none counts. */
static const char *const waiting[] = {"denials", "audits", "folds"};

int account_has(const char *pin)
{
        for (size_t i = 0; i < ELEMENTS_OF(waiting); i++)
                if (strcmp(pin, waiting[i]) == 0)
                        return 1;
        return strcmp(pin, ACCOUNT) == 0;
}

/* ---- sums ---- */

static uint64_t sum_verdicts(const struct account *account)
{
        uint64_t n = 0;

        for (size_t i = 0; i < HOOKS_MAX; i++)
                n += account->counters.denials[i] + account->counters.audits[i];
        return n;
}

static const struct tally *tally_of(const struct account *account)
{
        return &account->tallies.of[account->tallies.which & 1];
}

static uint64_t without(uint64_t n, uint64_t part)
{
        return n > part ? n - part : 0;
}

struct tallies *backend_tallies(const Backend *backend)
{
        return backend->account ? &backend->account->tallies : NULL;
}

/* Nobody is told any more of what was counted there. */
static void add_past(const struct account *past, EventCounters *counters)
{
        const struct tally *tally = tally_of(past);

        counters->delivered += tally->delivered;
        counters->suppressed += tally->suppressed;
        counters->lost += without(sum_verdicts(past), tally->delivered + tally->suppressed);
}

void backend_event_counters(const Backend *backend, EventCounters *ret_counters)
{
        const struct account *account = backend->account;

        *ret_counters = (EventCounters){};
        if (!account)
                return;
        ret_counters->emitted = __atomic_load_n(&account->counters.seq, __ATOMIC_SEQ_CST);
        ret_counters->lost = __atomic_load_n(&account->counters.lost[0], __ATOMIC_SEQ_CST) +
                             __atomic_load_n(&account->counters.lost[1], __ATOMIC_SEQ_CST) +
                             account->tallies.written_off;
        for (size_t i = 0; i < backend->n_past; i++)
                add_past(backend->past[i], ret_counters);
}

/* It says no more than how often it happened, if that. */
void account_lose(Backend *backend, const void *data, size_t size)
{
        uint64_t n = 0;

        if (size >= EVENT_NET_SIZE)
                memcpy(&n, (const char *) data + offsetof(struct event, count), sizeof(n));
        __atomic_fetch_add(&backend->account->counters.lost[0], n ? n : 1, __ATOMIC_SEQ_CST);
}

/* ---- maps ---- */

/* Maps the account of a layout. Returns NULL if there is none. */
static struct account *open_account(const char *directory, unsigned abi, int protection)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);
        _cleanup_(closep) int fd = -1;
        char path[PATH_MAX];
        void *account;

        snprintf(path, sizeof(path), "%s/" EVENTS_FOLDER "%u/" ACCOUNT, directory, abi);
        fd = bpf_obj_get(path);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0 ||
            info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(struct account))
                return NULL;
        account = mmap(NULL, sizeof(struct account), protection, MAP_SHARED, fd, 0);
        return account == MAP_FAILED ? NULL : account;
}

static int remove_waiting(int folder)
{
        int n = 0;

        for (size_t i = 0; i < ELEMENTS_OF(waiting); i++)
                n += unlinkat(folder, waiting[i], 0) == 0;
        return n;
}

static int is_whole(int folder)
{
        for (size_t i = 0; i < ELEMENTS_OF(waiting); i++)
                if (faccessat(folder, waiting[i], F_OK, 0) < 0)
                        return 0;
        return 1;
}

/* No program has counted here for long. The number is no sum: it may be written once more. */
static void write_off(Backend *backend)
{
        struct account *account =
                open_account(backend->pin_directory, EVENTS_ABI, PROT_READ | PROT_WRITE);

        if (!account)
                return;
        remove_waiting(backend->events_fd);
        account->tallies.written_off = without(
                sum_verdicts(account),
                tally_of(account)->taken + account->counters.lost[0] + account->counters.lost[1]);
        munmap(account, sizeof(*account));
}

void account_begin(Backend *backend)
{
        if (!is_whole(backend->events_fd))
                write_off(backend);
}

int account_open(Backend *backend, const char *directory)
{
        if (asprintf(&backend->events_path, "%s/" EVENTS_FOLDER "%u", directory, EVENTS_ABI) < 0)
                return -ENOMEM;
        backend->events_fd = directory_open(backend->events_path, 0700);
        if (backend->events_fd < 0)
                return log_errno(backend->events_fd, "Cannot open %s", backend->events_path);
        return 0;
}

/* Numbers of events go on: what others were given and nobody has read, nobody will. */
static void go_on_from(struct account *account, const struct account *past)
{
        __u64 seq = __atomic_load_n(&account->counters.seq, __ATOMIC_SEQ_CST);

        while (seq < past->counters.seq &&
               !__atomic_compare_exchange_n(&account->counters.seq, &seq, past->counters.seq, 0,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                ;
}

void account_go_on(Backend *backend)
{
        for (unsigned abi = 1; abi <= ABI_MAX; abi++) {
                const struct account *past =
                        backend->other_events & ABI_BIT(abi)
                                ? open_account(backend->pin_directory, abi, PROT_READ)
                                : NULL;

                if (!past)
                        continue;
                go_on_from(backend->account, past);
                backend->past[backend->n_past++] = past;
        }
}

void account_forget(Backend *backend)
{
        while (backend->n_past > 0)
                munmap((void *) backend->past[--backend->n_past], sizeof(struct account));
}

void account_release_others(Backend *backend)
{
        for (unsigned abi = 1; abi <= ABI_MAX; abi++) {
                _cleanup_(closep) int folder = -1;
                char path[PATH_MAX];

                if (!(backend->other_events & ABI_BIT(abi)))
                        continue;
                snprintf(path, sizeof(path), "%s/" EVENTS_FOLDER "%u", backend->pin_directory, abi);
                folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (folder >= 0 && remove_waiting(folder) > 0)
                        log_info("What waited in %s is lost: it is of another layout", path);
        }
}
