/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deadline: see deadline.h. */
#include "transaction/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static uint64_t usec_of(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

uint64_t deadline_boot_usec(void)
{
        return usec_of(CLOCK_BOOTTIME);
}

/* A file of procfs gives its size as 0. */
static int read_boot(char ret_boot[DEADLINE_BOOT_SIZE])
{
        _cleanup_(closep) int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, ret_boot, DEADLINE_BOOT_SIZE - 1);
        if (n != DEADLINE_BOOT_SIZE - 1)
                return n < 0 ? -errno : -EIO;
        ret_boot[n] = '\0';
        return 0;
}

int deadline_set(Deadline *deadline, uint64_t length_usec)
{
        Deadline set = {.boot_usec = deadline_boot_usec() + length_usec,
                        .began_usec = usec_of(CLOCK_REALTIME)};
        int r = read_boot(set.boot);

        if (r < 0)
                return r;
        set.ends_usec = set.began_usec + length_usec;
        *deadline = set;
        return 0;
}

uint64_t deadline_left(const Deadline *deadline)
{
        uint64_t length = deadline->ends_usec - deadline->began_usec, now, left;
        char boot[DEADLINE_BOOT_SIZE];

        if (read_boot(boot) < 0)
                return 0;
        if (strcmp(boot, deadline->boot) == 0) {
                now = deadline_boot_usec();
                left = now < deadline->boot_usec ? deadline->boot_usec - now : 0;
                return left < length ? left : length;
        }
        now = usec_of(CLOCK_REALTIME);
        return now >= deadline->began_usec && now < deadline->ends_usec ? deadline->ends_usec - now
                                                                        : 0;
}

uint64_t deadline_boot_end(const Deadline *deadline)
{
        uint64_t left = deadline_left(deadline), end = deadline_boot_usec() + left;
        char boot[DEADLINE_BOOT_SIZE];

        if (left == 0)
                return 0;
        if (read_boot(boot) == 0 && strcmp(boot, deadline->boot) == 0 && deadline->boot_usec < end)
                return deadline->boot_usec;
        return end;
}

void deadline_format(const Deadline *deadline, char ret_text[DEADLINE_TEXT_SIZE])
{
        snprintf(ret_text, DEADLINE_TEXT_SIZE, "%s %" PRIu64 " %" PRIu64 " %" PRIu64,
                 deadline->boot, deadline->boot_usec, deadline->began_usec, deadline->ends_usec);
}

int deadline_parse(const char *text, Deadline *ret_deadline, size_t *ret_n_read)
{
        Deadline read = {};
        int n = 0;

        if (sscanf(text, "%36s %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", read.boot, &read.boot_usec,
                   &read.began_usec, &read.ends_usec, &n) != 4)
                return -EINVAL;
        if (read.ends_usec < read.began_usec ||
            read.ends_usec - read.began_usec > DEADLINE_LENGTH_MAX)
                return -EINVAL;
        *ret_deadline = read;
        *ret_n_read = (size_t) n;
        return 0;
}
