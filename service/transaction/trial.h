/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trial: a set of documents that goes again by itself unless somebody confirms it: a line in the
 * file `trial` of the state directory, written before the set is in force. Which set it is about is
 * told by its digest, so that the line of one that never came into force means nothing. */
#pragma once

#include <stdint.h>

#include "policy/digest.h"
#include "transaction/deadline.h"

typedef struct Trial {
        uint64_t generation;         /* 0: none is on trial */
        uint64_t from;               /* to go back to; 0: to none */
        uint8_t digest[DIGEST_SIZE]; /* of the set on trial */
        Deadline end;
        uint64_t retry_usec; /* CLOCK_BOOTTIME: going back failed, and is not tried before */
} Trial;

/* directory: of the state. What is not there, or is no such line, is no trial. */
void trial_read(Trial *trial, int directory);

/* Returns 0 or a negative errno. */
int trial_write(const Trial *trial, int directory);

/* Forgets the trial, in memory and on disk. */
void trial_end(Trial *trial, int directory);
