/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal peer: see journal-peer.h. The protocol is read here by itself, not by what writes it. */
#include "journal-peer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void journal_peer_set_up(JournalPeer *peer)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        peer->directory = g_dir_make_tmp("aegis-XXXXXX", NULL);
        peer->path = g_build_filename(peer->directory, "socket", NULL);
        peer->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_cmpint(peer->fd, >=, 0);
        g_strlcpy(address.sun_path, peer->path, sizeof(address.sun_path));
        g_assert_cmpint(bind(peer->fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
}

void journal_peer_tear_down(JournalPeer *peer)
{
        if (peer->fd >= 0)
                close(peer->fd);
        g_unlink(peer->path);
        g_rmdir(peer->directory);
        g_free(peer->path);
        g_free(peer->directory);
}

static void add(GHashTable *entry, const char *key, size_t n_key, const char *value, size_t n)
{
        char *name = g_strndup(key, n_key);
        GPtrArray *values = g_hash_table_lookup(entry, name);

        for (const char *at = name; *at; at++)
                g_assert_true(g_ascii_isupper(*at) || g_ascii_isdigit(*at) || *at == '_');
        if (!values) {
                values = g_ptr_array_new_with_free_func(g_free);
                g_hash_table_insert(entry, g_strdup(name), values);
        }
        g_ptr_array_add(values, g_strndup(value, n));
        g_free(name);
}

static GHashTable *parse(const char *at, const char *end)
{
        GHashTable *entry = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                  (GDestroyNotify) g_ptr_array_unref);

        while (at < end) {
                const char *line = memchr(at, '\n', (size_t) (end - at)), *equals;
                guint64 n;

                g_assert_nonnull(line);
                equals = memchr(at, '=', (size_t) (line - at));
                if (equals) {
                        add(entry, at, (size_t) (equals - at), equals + 1,
                            (size_t) (line - equals - 1));
                        at = line + 1;
                        continue;
                }
                memcpy(&n, line + 1, sizeof(n));
                n = GUINT64_FROM_LE(n);
                add(entry, at, (size_t) (line - at), line + 9, n);
                g_assert_cmpint(line[9 + n], ==, '\n');
                at = line + 10 + n;
        }
        return entry;
}

GHashTable *journal_peer_receive(JournalPeer *peer)
{
        char data[65536];
        ssize_t n = recv(peer->fd, data, sizeof(data), 0);

        if (n < 0) {
                g_assert_cmpint(errno, ==, EAGAIN);
                return NULL;
        }
        return parse(data, data + n);
}

const char *journal_value(GHashTable *entry, const char *key)
{
        GPtrArray *values = g_hash_table_lookup(entry, key);

        if (!values)
                return NULL;
        g_assert_cmpuint(values->len, ==, 1);
        return values->pdata[0];
}
