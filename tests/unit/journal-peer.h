/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal peer: a socket in journald's place, read only when a test says so. All of it asserts. */
#pragma once

#include <glib.h>

typedef struct JournalPeer {
        char *directory, *path;
        int fd;
} JournalPeer;

void journal_peer_set_up(JournalPeer *peer);
void journal_peer_tear_down(JournalPeer *peer);

/* The next entry, as KEY → array of its values; NULL if none waits. */
GHashTable *journal_peer_receive(JournalPeer *peer);

/* The one value of a field; NULL if the entry has no such field. */
const char *journal_value(GHashTable *entry, const char *key);
