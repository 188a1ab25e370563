/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deadline: the end of something that is to survive a restart of the service, and a reboot. Within
 * a boot it goes by the time since boot; after a reboot by the clock on the wall, and a clock that
 * is not between its begin and its end says that it is over. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DEADLINE_BOOT_SIZE 37u
#define DEADLINE_TEXT_SIZE 128u
#define DEADLINE_LENGTH_MAX (24u * 3600 * 1000000ull)

typedef struct Deadline {
        char boot[DEADLINE_BOOT_SIZE];  /* in which it was set */
        uint64_t boot_usec;             /* its end, CLOCK_BOOTTIME */
        uint64_t began_usec, ends_usec; /* CLOCK_REALTIME */
} Deadline;

uint64_t deadline_boot_usec(void); /* CLOCK_BOOTTIME now */

/* length_usec: at most DEADLINE_LENGTH_MAX. Returns 0, or a negative errno if the boot cannot be
 * told from others. */
int deadline_set(Deadline *deadline, uint64_t length_usec);

/* 0: over */
uint64_t deadline_left(const Deadline *deadline);

/* Its end, CLOCK_BOOTTIME in this boot; 0: over. Within the boot in which it was set always the
 * same. */
uint64_t deadline_boot_end(const Deadline *deadline);

/* Words without a line end. */
void deadline_format(const Deadline *deadline, char ret_text[DEADLINE_TEXT_SIZE]);

/* Reads such words; *ret_n_read is how many bytes they were. Returns 0 or -EINVAL. */
int deadline_parse(const char *text, Deadline *ret_deadline, size_t *ret_n_read);
