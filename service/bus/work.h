/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work: what methods do, one after the other, each in slices, so that the loop answers others in
 * between. A short one is done at once. */
#pragma once

#include <systemd/sd-event.h>

#include "util/cleanup.h"
#include "util/fiber.h"

/* The loop never stalls past 10 ms: a slice, and what one round of a loop takes. */
#define WORK_SLICE_USEC 5000u

typedef struct Work Work;

typedef enum WorkOrder {
        WORK_FIRST, /* before all that waits and is not WORK_FIRST */
        WORK_LAST,
} WorkOrder;

/* Returns 0 or a negative errno. */
int work_new(Work **ret_work, sd_event *loop);

/* Ends what has begun, drops what waits. */
Work *work_free(Work *work);

/* Begins at once if nothing else is at work. function may add more. Returns 0 or a negative errno.
 */
int work_add(Work *work, WorkOrder order, FiberFunc function, void *userdata);

/* Drops what waits with that userdata. What has begun goes on: returns 1 then, else 0. work
 * may be NULL. */
int work_drop(Work *work, const void *userdata);

/* Whether something has begun and not ended. */
int work_is_under_way(const Work *work);

DEFINE_CLEANUP(Work *, work_free);
