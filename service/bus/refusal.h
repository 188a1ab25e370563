/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refusals: who was refused what, for History. They are kept apart from the changes, and folded:
 * one line for a user, a method and what was asked of polkit, with a count. However often somebody
 * tries, no change is pushed out, and little else. In memory alone: the log has each of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "auth/action.h"
#include "bus/text.h"
#include "transaction/history.h"

#define REFUSALS_MAX 128u

typedef enum RefusalReason {
        REFUSED_BY_POLKIT, /* a no, a time-out, nobody to ask, no polkit */
        REFUSED_AS_STALE,  /* a yes to what was no longer the question */
} RefusalReason;

typedef struct Refusal {
        uid_t uid;
        const char *method; /* outlives the refusals */
        Action action;
        RefusalReason reason;
        /* Of the last one. */
        uint64_t usec, generation; /* CLOCK_REALTIME */
        char origin[TEXT_PROMPT_MAX + 1], name[TEXT_PROMPT_MAX + 1];
        unsigned n;
        char authorization[HISTORY_TEXT_MAX]; /* what History says: refused, of what, how often */
} Refusal;

/* From the one that is longest ago. */
typedef struct Refusals {
        Refusal *lines[REFUSALS_MAX];
        size_t n;
} Refusals;

/* Takes a copy. Returns 0 or -ENOMEM. */
int refusals_add(Refusals *refusals, const Refusal *refusal);
HistoryEntry refusals_get(const Refusals *refusals, size_t i);
void refusals_deinit(Refusals *refusals);
