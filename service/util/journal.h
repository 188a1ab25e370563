/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal: entries with fields, in systemd-journald's native protocol, over a socket that never
 * waits: an entry that is not taken at once is not taken. sd_journal_sendv() would wait. */
#pragma once

#include <stddef.h>

#include "util/cleanup.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_ENTRY_MAX (16u * 1024)

/* One entry while it is made. All zero: empty. */
typedef struct JournalEntry {
        size_t n;
        int is_full; /* a field found no room: it is not sent */
        char data[JOURNAL_ENTRY_MAX];
} JournalEntry;

/* key: of capital letters, digits and underscores. text: any bytes. */
void journal_put(JournalEntry *entry, const char *key, const char *text, size_t n_text);

typedef struct Journal Journal;

/* path: of the socket, which need not be there yet. Returns 0 or a negative errno. */
int journal_new(Journal **ret_journal, const char *path);
Journal *journal_free(Journal *journal);

/* Returns 0, -EAGAIN if it would have to wait, -EMSGSIZE if the entry is too large, or another
 * negative errno: nobody is there. */
int journal_send(Journal *journal, const JournalEntry *entry);

DEFINE_CLEANUP(Journal *, journal_free);
