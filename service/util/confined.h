/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Confined: work on bytes that nobody vouches for, in a child that has nothing but memory of its
 * own. It has no descriptor, no capability, and no mapping that it shares with anyone but the room
 * for what it makes; of all system calls it is left the one that grows its heap, up to a bound, and
 * the one that ends it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct ConfinedWork {
        /* Runs in the child, and fills the room, which is all zeros. Returns 0 or a negative errno,
         * which confined_run() returns. */
        int (*function)(void *userdata, void *room, size_t n_room);
        void *userdata;
        size_t n_room;   /* bytes */
        size_t n_memory; /* bytes that the child's heap may grow by */
        uint64_t msec;   /* how long it may be waited for */
} ConfinedWork;

/* Waits until the work is done; in a fiber, others run meanwhile. Returns 0 with the room as the
 * child left it, for confined_free(): whatever it may hold, it changes no more. Otherwise a
 * negative errno; -EFAULT: the child was ended by a signal, as one that does what it must not is;
 * -ETIME: it was not done in time. */
int confined_run(const ConfinedWork *work, void **ret_room);

void confined_free(void *room, size_t n_room);
