/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Emergency: for a while verdicts are recorded and not enforced: a line in the file `emergency` of
 * the state directory, written before the kernel is told. The kernel ends it by itself. */
#pragma once

#include <stdint.h>

#include "transaction/deadline.h"
#include "transaction/transaction.h"

typedef struct Emergency {
        int is_on;
        int is_unread; /* the file is there and could not be read: the next start may find it on */
        uint32_t uid;
        char reason[EMERGENCY_REASON_MAX + 1];
        Deadline end;
} Emergency;

/* directory: of the state. What is not there, or is no such line, is no emergency. */
void emergency_read(Emergency *emergency, int directory);

/* Returns 0 or a negative errno. */
int emergency_write(const Emergency *emergency, int directory);
