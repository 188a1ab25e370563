/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* History: who changed what is in force, and by whose leave. The last HISTORY_MAX changes, in
 * memory and in the file `history` of the state directory, a line each. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

#define HISTORY_MAX 1024u

/* Texts of the caller's. None may have a control character; longer ones are cut. */
typedef struct HistoryEntry {
        uint64_t usec; /* CLOCK_REALTIME */
        uint64_t generation;
        uint32_t uid;
        const char *origin;        /* unique name on the bus; "start", "service" */
        const char *what;          /* "Apply", "SetMode", …; "" for what the service did itself */
        const char *name;          /* of the document, or the mode; may be "" */
        const char *authorization; /* the action that polkit allowed; "root"; "" */
} HistoryEntry;

#define HISTORY_TEXT_MAX 128u

typedef struct History History;

/* Reads what there is. directory: of the state; a descriptor that outlives the history. A file that
 * is not there, or lines that are not ours, are no error. Returns 0 or a negative errno. */
int history_new(History **ret_history, int directory);
History *history_free(History *history);

/* Takes note, and writes it down; what cannot be written is logged, and kept in memory all the
 * same. Returns 0 or -ENOMEM. */
int history_add(History *history, const HistoryEntry *entry);

size_t history_size(const History *history);

/* i: from 0, the oldest. Its texts belong to the history, until the next is added. */
HistoryEntry history_get(const History *history, size_t i);

DEFINE_CLEANUP(History *, history_free);
