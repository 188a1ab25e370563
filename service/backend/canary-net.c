/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts at sockets, all on the loopback: see canary-acts.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/canary-acts.h"
#include "util/cleanup.h"

#define DISCARD_PORT 9
#define ARRIVES_MSEC 50 /* where softirqs have a thread of their own */

static int open_socket(int type)
{
        return socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static struct sockaddr_in loopback(uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
}

static int act_bind(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_DGRAM);
        struct sockaddr_in own = loopback(0);

        return bind(fd, (struct sockaddr *) &own, sizeof(own));
}

static int act_connect(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_DGRAM);
        struct sockaddr_in to = loopback(DISCARD_PORT);

        return connect(fd, (struct sockaddr *) &to, sizeof(to));
}

static int act_send(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_DGRAM);
        struct sockaddr_in to = loopback(DISCARD_PORT);

        return sendto(fd, "", 0, 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1 : 0;
}

static int act_receive(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_DGRAM);
        char byte;

        return recv(fd, &byte, 1, 0) < 0 ? -1 : 0;
}

static int act_listen(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_STREAM);
        struct sockaddr_in own = loopback(0);

        if (bind(fd, (struct sockaddr *) &own, sizeof(own)) < 0)
                return -1;
        return listen(fd, 1);
}

/* From itself: one connection waits. */
static int act_accept(const Canary *canary)
{
        _cleanup_(closep) int listener = open_socket(SOCK_STREAM);
        _cleanup_(closep) int caller = open_socket(SOCK_STREAM), called = -1;
        struct sockaddr_in own = loopback(0);
        socklen_t n = sizeof(own);

        if (bind(listener, (struct sockaddr *) &own, sizeof(own)) < 0 ||
            getsockname(listener, (struct sockaddr *) &own, &n) < 0 || listen(listener, 1) < 0)
                return -1;
        if (connect(caller, (struct sockaddr *) &own, n) < 0 && errno != EINPROGRESS)
                return -1;
        poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, ARRIVES_MSEC);
        called = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        return called < 0 ? -1 : 0;
}

/* A datagram to itself that does not arrive: nobody is told what the hook answered. */
static int act_arrive(const Canary *canary)
{
        _cleanup_(closep) int fd = open_socket(SOCK_DGRAM);
        struct sockaddr_in own = loopback(0);
        socklen_t n = sizeof(own);

        if (bind(fd, (struct sockaddr *) &own, n) < 0 ||
            getsockname(fd, (struct sockaddr *) &own, &n) < 0 ||
            sendto(fd, "", 1, 0, (struct sockaddr *) &own, n) < 0)
                return -1;
        if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) != 0)
                return 0;
        errno = CANARY_ERRNO;
        return -1;
}

CanaryAct *const canary_net_acts[N_HOOKS] = {
        [HOOK_SOCKET_ACCEPT] = act_accept,       [HOOK_SOCKET_BIND] = act_bind,
        [HOOK_SOCKET_CONNECT] = act_connect,     [HOOK_SOCKET_LISTEN] = act_listen,
        [HOOK_SOCKET_RECVMSG] = act_receive,     [HOOK_SOCKET_SENDMSG] = act_send,
        [HOOK_SOCKET_SOCK_RCV_SKB] = act_arrive,
};
