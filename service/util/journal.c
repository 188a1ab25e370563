/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal: see journal.h. The protocol is that of systemd.io/JOURNAL_NATIVE_PROTOCOL: KEY=text and
 * a line end, or KEY, a line end, the length in eight bytes, text and a line end. */
#include "util/journal.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What waits for journald to come back from a pause. */
#define SEND_ROOM (1024 * 1024)

struct Journal {
        int fd;
        struct sockaddr_un address;
};

/* ---- entries ---- */

static void put(JournalEntry *entry, const void *data, size_t n)
{
        if (entry->is_full || n > sizeof(entry->data) - entry->n) {
                entry->is_full = 1;
                return;
        }
        memcpy(entry->data + entry->n, data, n);
        entry->n += n;
}

void journal_put(JournalEntry *entry, const char *key, const char *text, size_t n_text)
{
        uint64_t length = htole64(n_text);

        put(entry, key, strlen(key));
        if (memchr(text, '\n', n_text)) {
                put(entry, "\n", 1);
                put(entry, &length, sizeof(length));
        } else {
                put(entry, "=", 1);
        }
        put(entry, text, n_text);
        put(entry, "\n", 1);
}

/* ---- the socket ---- */

int journal_new(Journal **ret_journal, const char *path)
{
        _cleanup_(journal_freep) Journal *journal = calloc(1, sizeof(*journal));
        int room = SEND_ROOM;

        if (!journal)
                return -ENOMEM;
        journal->fd = -1;
        journal->address.sun_family = AF_UNIX;
        if (strlen(path) >= sizeof(journal->address.sun_path))
                return -ENAMETOOLONG;
        memcpy(journal->address.sun_path, path, strlen(path));
        journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (journal->fd < 0 ||
            setsockopt(journal->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
                return -errno;
        *ret_journal = TAKE_PTR(journal);
        return 0;
}

Journal *journal_free(Journal *journal)
{
        if (!journal)
                return NULL;
        closep(&journal->fd);
        free(journal);
        return NULL;
}

/* The address goes with each: journald may have been started anew. */
int journal_send(Journal *journal, const JournalEntry *entry)
{
        ssize_t n;

        if (entry->is_full)
                return -EMSGSIZE;
        do
                n = sendto(journal->fd, entry->data, entry->n, MSG_DONTWAIT | MSG_NOSIGNAL,
                           (const struct sockaddr *) &journal->address, sizeof(journal->address));
        while (n < 0 && errno == EINTR);
        if (n >= 0)
                return 0;
        return errno == ENOBUFS ? -EAGAIN : -errno;
}
