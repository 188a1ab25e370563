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
};

static int *item_of(BackendHanded *handed, size_t i)
{
        return (int *) ((char *) handed + items[i].offset);
}

/* Those of an earlier start go. What is readable or gone is no reason for systemd to drop it. */
static int store(const char *name, int fd)
{
        char state[128];
        int r;

        snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        r = sd_notify(0, state);
        if (r < 0 || !fd)
                return r;
        snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        return sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

int handover_give(const Config *config)
{
        const struct passwd *user = getpwnam(config->hand_over);
        BackendHanded handed;
        int r;

        if (!user)
                return log_errno(-ENOENT, "There is no user %s", config->hand_over);
        r = backend_hand_over(&handed, config->pin_directory, user->pw_uid, user->pw_gid);
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(items); i++)
                r = store(items[i].name, *item_of(&handed, i));
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
        close(fd);
}

int handover_take(BackendHanded *ret_handed)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(1, &names);

        if (n < 0)
                return log_errno(n, "What systemd hands over is not to be understood");
        for (int i = 0; i < n; i++) {
                take(ret_handed, names[i], SD_LISTEN_FDS_START + i);
                free(names[i]);
        }
        free(names);
        return 0;
}
