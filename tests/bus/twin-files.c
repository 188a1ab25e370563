/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of the backend's twin, by which a test sees and drives it: see backend-twin.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend-twin.h"
#include "util/file.h"

#define PATIENCE_MSEC 10000u
#define STATE_FILE "twin.state"
#define CONTROL_FILE "twin.control"
#define EVENTS_SOCKET "twin.events"

unsigned twin_n_written;

/* Never half a file: the other side may read at any moment. Nothing here outlives a power cut, so
 * nothing is synced. */
static int struct_write(const char *directory, const char *name, const void *data, size_t n)
{
        _cleanup_(closep) int folder = directory_open(directory, 0700);
        _cleanup_(closep) int fd = -1;
        char aside[64];

        if (folder < 0)
                return folder;
        snprintf(aside, sizeof(aside), "%s.%d", name, (int) getpid());
        fd = openat(folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if (write(fd, data, n) != (ssize_t) n)
                return -EIO;
        return renameat(folder, aside, folder, name) < 0 ? -errno : 0;
}

/* Allocates nothing: tests refuse allocations. */
static int struct_read(const char *directory, const char *name, void *ret_data, size_t n)
{
        _cleanup_(closep) int folder = directory_open(directory, 0700);
        _cleanup_(closep) int fd = -1;
        char data[sizeof(TwinState) + sizeof(TwinControl)];

        if (folder < 0)
                return folder;
        fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (read(fd, data, sizeof(data)) != (ssize_t) n)
                return -EBADMSG;
        memcpy(ret_data, data, n);
        return 0;
}

int twin_state_read(const char *pin_directory, TwinState *ret_state)
{
        *ret_state = (TwinState){};
        return struct_read(pin_directory, STATE_FILE, ret_state, sizeof(*ret_state));
}

int twin_state_write(const char *pin_directory, const TwinState *state)
{
        twin_n_written++;
        return struct_write(pin_directory, STATE_FILE, state, sizeof(*state));
}

int twin_control_read(const char *pin_directory, TwinControl *ret_control)
{
        *ret_control = (TwinControl){.tier = TIER_LSM, .deny_hooks = UINT64_MAX};
        return struct_read(pin_directory, CONTROL_FILE, ret_control, sizeof(*ret_control));
}

int twin_control_write(const char *pin_directory, const TwinControl *control)
{
        twin_n_written++;
        return struct_write(pin_directory, CONTROL_FILE, control, sizeof(*control));
}

struct sockaddr_un twin_events_address(const char *pin_directory)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/" EVENTS_SOCKET, pin_directory);
        return address;
}

static uint64_t count_of(const char *pin_directory)
{
        TwinState state = {};
        uint64_t n = 0;

        twin_state_read(pin_directory, &state);
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                n += state.denials[hook] + state.audits[hook];
        return n;
}

/* The service lets events wait for others. */
static int wait_until_counted(const char *pin_directory, uint64_t n)
{
        for (unsigned i = 0; i < PATIENCE_MSEC; i++) {
                if (count_of(pin_directory) >= n)
                        return 0;
                usleep(1000);
        }
        return -ETIMEDOUT;
}

int twin_inject(const char *pin_directory, const struct event *event)
{
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = twin_events_address(pin_directory);
        uint64_t n = count_of(pin_directory);

        if (fd < 0)
                return -errno;
        if (sendto(fd, event, sizeof(*event), 0, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return wait_until_counted(pin_directory, n + 1);
}
