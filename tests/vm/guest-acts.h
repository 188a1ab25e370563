/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts: what tests in a machine try, each in a child of its own, and what errno it got (0: none).
 */
#pragma once

#include <glib.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define TCP SOCK_STREAM
#define UDP SOCK_DGRAM

/* Runs act(argument) in a child; it returns negative with errno, or not. */
int child_errno(int (*act)(const void *), const void *argument);

/* Gives up all groups and capabilities for a user. Returns 0 or -1 with errno. */
int become_user(unsigned uid);

void make_file(const char *path); /* with its directories; asserts */

/* As uid 0 (with all capabilities) or as that user. */
int try_open(unsigned uid, const char *path);
int try_create(unsigned uid, const char *path);
int try_unlink(unsigned uid, const char *path);
int try_rename(unsigned uid, const char *from, const char *to);
int try_link(unsigned uid, const char *from, const char *to);
int try_open_in_cgroup(const char *cgroup, const char *path);

/* what: 'c'onnect, 'b'ind, 's'end a datagram. address: text of either family. */
int try_socket(int family, int type, char what, const char *address, uint16_t port);

/* Submits one entry on a ring of its own. Returns what the operation did, or -ENOSYS. */
struct io_uring_sqe;
int uring_do(const struct io_uring_sqe *sqe);

/* A child that opens two files again and again: one that must be denied, one that must not. */
typedef struct Prober {
        pid_t pid;
        int stop_fd, result_fd;
} Prober;

typedef struct ProberCounts {
        uint64_t denied, leaked, allowed, wrongly_denied;
} ProberCounts;

void prober_start(Prober *prober, const char *denied, const char *allowed);
ProberCounts prober_stop(Prober *prober);
