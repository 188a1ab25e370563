/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handover: see handover.h. */
#include "handover.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "util/array.h"
#include "util/log.h"

#define BARRIER_USEC (10u * 1000000u)

static const struct {
        const char *name;
        size_t offset;
} items[] = {
        {"root", offsetof(BackendHanded, root)},
        {"mounts", offsetof(BackendHanded, mounts[0])},
        {"mounts-watched", offsetof(BackendHanded, mounts[1])},
        {"expedite", offsetof(BackendHanded, expedite)},
        {"sysctl-guard", offsetof(BackendHanded, sysctl_guard)},
        {"judge-lsm", offsetof(BackendHanded, judges[TIER_LSM])},
        {"judge-fmod-ret", offsetof(BackendHanded, judges[TIER_FMOD_RET])},
        {"times", offsetof(BackendHanded, times)},
};

/* The links of one service, and those of the next: so that one of them is always there. */
static const char *const groups[] = {"links-a", "links-b"};

#define FLOORS "floors"

static int *item_of(BackendHanded *handed, size_t i)
{
        return (int *) ((char *) handed + items[i].offset);
}

static int drop(const char *name)
{
        return sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* What is readable or gone is no reason for systemd to drop it. */
static int store(const char *name, const int *fds, size_t n)
{
        char state[128];

        if (n == 0)
                return 0;
        snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        return sd_pid_notify_with_fds(0, 0, state, fds, (unsigned) n);
}

/* Those of that name go. */
static int replace(const char *name, const int *fds, size_t n)
{
        int r = drop(name);

        return r < 0 ? r : store(name, fds, n);
}

int handover_give(const Config *config)
{
        const struct passwd *user = getpwnam(config->hand_over);
        BackendHanded handed;
        int r;

        if (!user)
                return log_errno(-ENOENT, "There is no user %s", config->hand_over);
        r = backend_hand_over(&handed, config->pin_directory, user->pw_uid, user->pw_gid,
                              config->takes_times);
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(items); i++)
                r = replace(items[i].name, item_of(&handed, i), *item_of(&handed, i) ? 1 : 0);
        if (r >= 0)
                r = sd_notify_barrier(0, BARRIER_USEC);
        return r < 0 ? log_errno(r, "The service cannot be given what it needs") : 0;
}

static void take(BackendHanded *handed, const char *name, int fd)
{
        for (size_t i = 0; i < ELEMENTS_OF(items); i++)
                if (strcmp(name, items[i].name) == 0 && !*item_of(handed, i)) {
                        *item_of(handed, i) = fd;
                        return;
                }
        if (strcmp(name, FLOORS) == 0 && !handed->floors)
                handed->floors = fd;
        else
                close(fd);
}

/* They hold what they hold as long as they are in the store; this process has links of its own. */
static unsigned group_of(const char *name)
{
        for (size_t i = 0; i < ELEMENTS_OF(groups); i++)
                if (strcmp(name, groups[i]) == 0)
                        return 1u << i;
        return 0;
}

int handover_take(BackendHanded *ret_handed, HandoverKept *ret_kept)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(1, &names);

        if (n < 0)
                return log_errno(n, "What systemd hands over is not to be understood");
        for (int i = 0; i < n; i++) {
                ret_kept->earlier |= group_of(names[i]);
                take(ret_handed, names[i], SD_LISTEN_FDS_START + i);
                free(names[i]);
        }
        free(names);
        return 0;
}

/* ---- keeping ---- */

/* Where both are there, since a service was killed in between, the other stays until ours is. */
static void choose_group(HandoverKept *kept)
{
        kept->ours = kept->earlier & 1u ? 1 : 0;
        kept->earlier &= ~(1u << kept->ours);
}

static void keep_floors(const Backend *backend)
{
        int fd = backend_floors_fd(backend);

        if (fd >= 0 && replace(FLOORS, &fd, 1) < 0)
                log_warning("The floors are not kept in the store of descriptors");
}

static void drop_earlier(HandoverKept *kept)
{
        for (size_t i = 0; i < ELEMENTS_OF(groups); i++)
                if (kept->earlier & 1u << i)
                        drop(groups[i]);
        kept->earlier = 0;
}

void handover_keep(HandoverKept *kept, const Backend *backend, HandoverKeep keep)
{
        int fds[BACKEND_HOLDERS_MAX];
        size_t n;
        uint64_t n_changes = backend_holders(backend, fds, &n);

        if (n_changes != kept->n_changes) {
                if (kept->n_changes == 0) {
                        choose_group(kept);
                        keep_floors(backend);
                }
                if (replace(groups[kept->ours], fds, n) < 0)
                        log_warning("Links are not kept in the store of descriptors");
                kept->n_changes = n_changes;
        }
        if (kept->n_changes > 0 && (keep == HANDOVER_KEEP_OURS || n == 0))
                drop_earlier(kept);
}
