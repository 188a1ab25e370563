/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: see guest-store.h. */
#include "guest-store.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define HELD_MAX 256
#define NAME "FDNAME="

static struct {
        char *name;
        int fd;
} held[HELD_MAX];
static unsigned n_held;

static void hold(const char *name, int fd)
{
        g_assert_cmpuint(n_held, <, HELD_MAX);
        held[n_held].name = g_strdup(name);
        held[n_held++].fd = fd;
}

/* NULL: all. */
static void let_go(const char *name)
{
        unsigned n = 0;

        for (unsigned i = 0; i < n_held; i++)
                if (!name || strcmp(held[i].name, name) == 0) {
                        close(held[i].fd);
                        g_free(held[i].name);
                } else
                        held[n++] = held[i];
        n_held = n;
}

void store_empty(void)
{
        let_go(NULL);
}

static void obey(const char *text, const int *fds, size_t n_fds)
{
        const char *line = strstr(text, NAME);
        const char *start = line ? line + strlen(NAME) : "stored";
        g_autofree char *name = g_strndup(start, strcspn(start, "\n"));

        if (line && strstr(text, "FDSTOREREMOVE=1"))
                let_go(name);
        for (size_t i = 0; i < n_fds; i++)
                hold(name, fds[i]);
}

ssize_t store_receive(int fd, char *text, size_t n, int flags)
{
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int) * HELD_MAX)];
        } control = {};
        struct iovec bytes = {.iov_base = text, .iov_len = n - 1};
        struct msghdr message = {.msg_iov = &bytes,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t size = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
        struct cmsghdr *sent;

        if (size < 0)
                return size;
        text[size] = '\0';
        sent = CMSG_FIRSTHDR(&message);
        if (sent && sent->cmsg_type == SCM_RIGHTS)
                obey(text, (int *) CMSG_DATA(sent), (sent->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        else
                obey(text, NULL, 0);
        return size;
}

void store_hand_over(void)
{
        g_autoptr(GString) names = g_string_new(NULL);
        g_autofree char *n = g_strdup_printf("%u", n_held);
        g_autofree char *pid = g_strdup_printf("%d", (int) getpid());
        int above[HELD_MAX];

        for (unsigned i = 0; i < n_held; i++) {
                g_string_append_printf(names, "%s%s", i > 0 ? ":" : "", held[i].name);
                above[i] = fcntl(held[i].fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + HELD_MAX);
        }
        for (unsigned i = 0; i < n_held; i++)
                dup2(above[i], SD_LISTEN_FDS_START + (int) i);
        if (n_held == 0)
                return;
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", n, 1);
        setenv("LISTEN_FDNAMES", names->str, 1);
}
