/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about addresses and ports against a real kernel: see test-backend.c, of which this is the
 * other half. */
#include <glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"

static void test_an_address_is_denied_for_connect_and_send(void)
{
        apply("[deny_ip]\n127.0.0.66\n::1\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 'c', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'c', "::1", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.67", 80), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.67", 80), ==, 0);
}

static void test_a_mapped_address_is_the_ipv4_address(void)
{
        apply("[deny_ip]\n127.0.0.66\n");
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'c', "::ffff:127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::ffff:127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::ffff:127.0.0.67", 80), ==, 0);
}

static void test_the_unspecified_address_is_this_machine(void)
{
        apply("[deny_ip]\n127.0.0.1\n::1\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "0.0.0.0", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'c', "::", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "0.0.0.0", 80), ==, EPERM);
}

static int act_connect_any_from_mapped(const void *argument)
{
        struct sockaddr_in6 own = {.sin6_family = AF_INET6};
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
        int fd = socket(AF_INET6, SOCK_STREAM, 0);

        inet_pton(AF_INET6, "::ffff:127.0.0.1", &own.sin6_addr);
        if (bind(fd, (struct sockaddr *) &own, sizeof(own)) < 0)
                return -1;
        return connect(fd, (struct sockaddr *) &any, sizeof(any));
}

static void test_the_unspecified_address_of_a_mapped_socket_is_ipv4(void)
{
        apply("[deny_ip]\n127.0.0.1\n");
        g_assert_cmpint(child_errno(act_connect_any_from_mapped, NULL), ==, EPERM);
        apply("[deny_ip]\n::1\n");
        g_assert_cmpint(child_errno(act_connect_any_from_mapped, NULL), ==, ECONNREFUSED);
}

static void test_prefixes_of_any_length_hold(void)
{
        apply("[deny_cidr]\n127.0.64.0/18\n127.9.0.0/16\n127.1.2.3/32\n::/100\n");
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.64.1", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.127.255", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.128.1", 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.9.9.9", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.1.2.3", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.1.2.4", 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 80), ==, EPERM);
}

static void test_a_range_over_the_mapped_addresses_holds_for_ipv4_too(void)
{
        apply("[deny_cidr]\n::/64\n");
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 80), ==, EPERM);
}

static void test_ports_are_denied_by_protocol_and_direction(void)
{
        apply("[deny_port]\n81\n82:tcp\n83:udp:egress\n84:any:bind\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.1", 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.1", 82), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 82), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 83), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 'b', "127.0.0.1", 83), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", 84), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 84), ==, 0);
}

static void test_an_address_with_a_port_is_denied_only_there(void)
{
        apply("[deny_ip_port]\n127.0.0.66:81:udp\n[::1]:82\n");
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.66", 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.66", 82), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.66", 81), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'c', "::1", 82), ==, EPERM);
}

static int act_send_unspecified_family(const void *port)
{
        struct sockaddr_in address = {.sin_family = AF_UNSPEC, .sin_port = htons(81)};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        inet_pton(AF_INET, "127.0.0.66", &address.sin_addr);
        return sendto(fd, "x", 1, 0, (struct sockaddr *) &address, sizeof(address)) < 0 ? -1 : 0;
}

static void test_an_address_of_no_family_is_ipv4_on_an_ipv4_socket(void)
{
        apply("[deny_ip]\n127.0.0.66\n");
        g_assert_cmpint(child_errno(act_send_unspecified_family, NULL), ==, EPERM);
}

/* ---- version 7 ---- */

#define V7 "version=7\n"
#define RULED "127.0.0.66"
#define FREE "127.0.0.67"
#define PROGRAM "/usr/libexec/aegis-tests/program" /* this one */

static struct sockaddr_in address_v4(const char *text, uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

        g_assert_cmpint(inet_pton(AF_INET, text, &address.sin_addr), ==, 1);
        return address;
}

/* -1, or a socket that is bound there. */
static int bound(int type, const char *text, uint16_t port)
{
        struct sockaddr_in own = address_v4(text, port);
        int fd = socket(AF_INET, type, 0), on = 1;

        g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), ==, 0);
        return bind(fd, (struct sockaddr *) &own, sizeof(own)) < 0 ? -1 : fd;
}

static void own_address(int fd, struct sockaddr_in *ret_address)
{
        socklen_t n = sizeof(*ret_address);

        g_assert_cmpint(getsockname(fd, (struct sockaddr *) ret_address, &n), ==, 0);
}

/* Who acts, on what; port 0: any. */
typedef struct Act {
        const char *address;
        uint16_t port;
        unsigned uid;
        const char *cgroup; /* that it goes into before */
} Act;

#define try_act(act, address_, port_, ...)                                                         \
        child_errno(act, &(const Act){.address = (address_), .port = (port_), __VA_ARGS__})

static int become(const Act *act)
{
        g_autofree char *procs =
                act->cgroup ? g_strconcat(act->cgroup, "/cgroup.procs", NULL) : NULL;
        FILE *file = procs ? fopen(procs, "w") : NULL;

        if (procs && (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0))
                return -1;
        return become_user(act->uid);
}

static int act_send(const void *argument)
{
        const Act *act = argument;
        struct sockaddr_in to = address_v4(act->address, act->port);
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        if (become(act) < 0)
                return -1;
        return sendto(fd, "x", 1, 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1 : 0;
}

static int act_listen(const void *argument)
{
        const Act *act = argument;
        int fd = bound(SOCK_STREAM, act->address, act->port);

        return fd < 0 ? -1 : listen(fd, 1);
}

static int act_listen_unbound(const void *argument)
{
        return listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

/* What came in may wait for the kernel's own thread on a busy machine. */
#define LATE_MS 500

static void wait_for(int fd)
{
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, LATE_MS);
}

static int receive_byte(int fd)
{
        char byte;

        wait_for(fd);
        return recv(fd, &byte, 1, 0) < 0 ? -1 : 0;
}

/* A connection from that address to that port: is made, taken, and a byte comes over it. EAGAIN: it
 * never came in. */
static int act_take(const void *argument)
{
        const Act *act = argument;
        struct sockaddr_in own;
        int listener, from, taken;

        if (become(act) < 0)
                return -1;
        listener = bound(SOCK_STREAM | SOCK_NONBLOCK, "127.0.0.1", act->port);
        from = bound(SOCK_STREAM | SOCK_NONBLOCK, act->address, 0);
        if (listener < 0 || from < 0 || listen(listener, 1) < 0)
                return -1;
        own_address(listener, &own);
        if (connect(from, (struct sockaddr *) &own, sizeof(own)) < 0 && errno != EINPROGRESS)
                return -1;
        wait_for(listener);
        taken = accept(listener, NULL, NULL);
        if (taken < 0 || send(from, "x", 1, 0) < 0)
                return -1;
        return receive_byte(taken);
}

/* A datagram from that address and port. EAGAIN: it never came in. */
static int act_receive(const void *argument)
{
        const Act *act = argument;
        struct sockaddr_in own;
        int fd, from;

        if (become(act) < 0)
                return -1;
        fd = bound(SOCK_DGRAM | SOCK_NONBLOCK, "127.0.0.1", 0);
        from = bound(SOCK_DGRAM, act->address, act->port);
        if (fd < 0 || from < 0)
                return -1;
        own_address(fd, &own);
        if (sendto(from, "x", 1, 0, (struct sockaddr *) &own, sizeof(own)) < 0)
                return -1;
        return receive_byte(fd);
}

static int act_receive_connected(const void *argument)
{
        const Act *act = argument;
        struct sockaddr_in own, peer;
        int fd = bound(SOCK_DGRAM | SOCK_NONBLOCK, "127.0.0.1", 0);
        int from = bound(SOCK_DGRAM, act->address, act->port);

        own_address(fd, &own);
        own_address(from, &peer);
        if (connect(fd, (struct sockaddr *) &peer, sizeof(peer)) < 0 ||
            sendto(from, "x", 1, 0, (struct sockaddr *) &own, sizeof(own)) < 0)
                return -1;
        return receive_byte(fd);
}

/* ---- operations ---- */

static void test_connect_is_denied_alone(void)
{
        apply(V7 "[deny]\nnet:connect:127.0.0.66\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', RULED, 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', FREE, 80), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', RULED, 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', RULED, 80), ==, 0);
}

static void test_send_is_denied_alone(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.66\n");
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', RULED, 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', FREE, 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 'c', RULED, 80), ==, 0);
}

static void test_bind_is_denied_by_address_and_port(void)
{
        apply(V7 "[deny]\nnet:bind:127.0.0.66\nnet:bind:*:81/tcp\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', RULED, 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', FREE, 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'b', "::1", 81), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', FREE, 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 'b', FREE, 81), ==, 0);
}

static void test_listen_is_denied_by_the_socket_s_own_address_and_port(void)
{
        apply(V7 "[deny]\nnet:listen:*:81\nnet:listen:127.0.0.66\n");
        g_assert_cmpint(try_act(act_listen, "127.0.0.1", 81), ==, EPERM);
        g_assert_cmpint(try_act(act_listen, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_act(act_listen, "127.0.0.1", 80), ==, 0);
}

static void test_listen_without_bind_is_denied_by_rules_about_any_port(void)
{
        apply(V7 "[deny]\nnet:listen:*:81\n");
        g_assert_cmpint(child_errno(act_listen_unbound, NULL), ==, 0);
        apply(V7 "[deny]\nnet:listen:*\n");
        g_assert_cmpint(child_errno(act_listen_unbound, NULL), ==, EPERM);
}

#define LOCAL_PORTS "/proc/sys/net/ipv4/ip_local_port_range"

static int act_bind(const void *argument)
{
        const Act *act = argument;

        return bound(SOCK_STREAM, act->address, act->port);
}

static void write_setting(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY);

        g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
        close(fd);
}

static void test_a_port_that_the_kernel_chooses_is_ruled_by_rules_about_any_port_alone(void)
{
        g_autofree char *old = NULL;

        g_assert_true(g_file_get_contents(LOCAL_PORTS, &old, NULL, NULL));
        write_setting(LOCAL_PORTS, "4444 4445");
        apply(V7 "[deny]\nnet:bind:*:4444-4445\n");
        g_assert_cmpint(try_act(act_bind, FREE, 4444), ==, EPERM);
        g_assert_cmpint(try_act(act_bind, FREE, 0), ==, 0);
        apply(V7 "[deny]\nnet:bind:*\n");
        g_assert_cmpint(try_act(act_bind, FREE, 0), ==, EPERM);
        write_setting(LOCAL_PORTS, old);
}

static void test_a_connection_from_a_ruled_address_does_not_come_in(void)
{
        apply(V7 "[deny]\nnet:accept:127.0.0.66\n");
        g_assert_cmpint(try_act(act_take, RULED, 0), ==, EAGAIN);
        g_assert_cmpint(try_act(act_take, FREE, 0), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', RULED, 80), ==, 0);
}

static void test_accept_is_ruled_by_the_listening_port(void)
{
        apply(V7 "[deny]\nnet:accept:127.0.0.66:81/tcp\n");
        g_assert_cmpint(try_act(act_take, RULED, 81), ==, EAGAIN);
        g_assert_cmpint(try_act(act_take, RULED, 82), ==, 0);
        g_assert_cmpint(try_act(act_take, FREE, 81), ==, 0);
}

static void test_accepting_from_anyone_is_denied(void)
{
        apply(V7 "[deny]\nnet:accept:*:81\n");
        g_assert_cmpint(try_act(act_take, FREE, 81), ==, EPERM);
        g_assert_cmpint(try_act(act_take, FREE, 82), ==, 0);
}

static void test_some_may_connect_where_nobody_else_may(void)
{
        apply(V7 "[deny]\nnet:accept:*:81\n[allow]\nnet:accept:127.0.0.67:81\n");
        g_assert_cmpint(try_act(act_take, FREE, 81), ==, 0);
        g_assert_cmpint(try_act(act_take, RULED, 81), ==, EAGAIN);
}

static void test_what_comes_over_a_connection_is_not_received(void)
{
        apply(V7 "[deny]\nnet:recv:127.0.0.66:*/tcp\n");
        g_assert_cmpint(try_act(act_take, RULED, 0), ==, EPERM);
        g_assert_cmpint(try_act(act_take, FREE, 0), ==, 0);
        g_assert_cmpint(try_act(act_receive, RULED, 0), ==, 0);
}

static void test_a_datagram_from_a_ruled_source_does_not_come_in(void)
{
        apply(V7 "[deny]\nnet:recv:127.0.0.66:81/udp\n");
        g_assert_cmpint(try_act(act_receive, RULED, 81), ==, EAGAIN);
        g_assert_cmpint(try_act(act_receive, RULED, 82), ==, 0);
        g_assert_cmpint(try_act(act_receive, FREE, 81), ==, 0);
        g_assert_cmpint(try_act(act_receive_connected, RULED, 81), ==, EPERM);
        g_assert_cmpint(try_act(act_receive_connected, FREE, 81), ==, 0);
}

/* ---- the most specific key ---- */

static void test_the_longest_prefix_decides(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.0/8\nnet:send:127.0.64.7\n"
                 "[allow]\nnet:send:127.0.64.0/18\n");
        g_assert_cmpint(try_act(act_send, "127.0.1.1", 80), ==, EPERM);
        g_assert_cmpint(try_act(act_send, "127.0.64.6", 80), ==, 0);
        g_assert_cmpint(try_act(act_send, "127.0.64.7", 80), ==, EPERM);
}

static void test_an_exact_port_decides_before_a_range_and_a_range_before_any(void)
{
        apply(V7 "[deny]\nnet:send:*:100-200\n[allow]\nnet:send:*:150\n");
        g_assert_cmpint(try_act(act_send, FREE, 99), ==, 0);
        g_assert_cmpint(try_act(act_send, FREE, 100), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 150), ==, 0);
        g_assert_cmpint(try_act(act_send, FREE, 200), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 201), ==, 0);
        apply(V7 "[deny]\nnet:send:*\n[allow]\nnet:send:*:100-200\nnet:send:*:150-250\n");
        g_assert_cmpint(try_act(act_send, FREE, 99), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 100), ==, 0);
        g_assert_cmpint(try_act(act_send, FREE, 250), ==, 0);
        g_assert_cmpint(try_act(act_send, FREE, 251), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 65535), ==, EPERM);
}

static void test_a_range_holds_for_its_protocol_and_address(void)
{
        apply(V7 "[deny]\nnet:connect,send:127.0.0.66:100-200/tcp\n");
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', RULED, 150), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', FREE, 150), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', RULED, 150), ==, 0);
}

static void test_a_protocol_decides_before_any(void)
{
        apply(V7 "[deny]\nnet:connect,send:*:80\n[allow]\nnet:connect,send:*:80/udp\n");
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', FREE, 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', FREE, 80), ==, EPERM);
}

/* ---- subjects ---- */

static void test_a_rule_is_about_a_user(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.66 uid=1000\n");
        g_assert_cmpint(try_act(act_send, RULED, 80, .uid = 1000), ==, EPERM);
        g_assert_cmpint(try_act(act_send, RULED, 80, .uid = 1001), ==, 0);
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, 0);
}

static void test_what_a_list_does_not_decide_goes_to_less_specific_keys(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.0/8\nnet:send:127.0.0.0/24 uid=7\nnet:send:127.0.0.66 "
                 "uid=8\n[allow]\nnet:send:127.0.0.64/26 uid=9\nnet:send:127.0.0.66 uid=1000\n");
        g_assert_cmpint(try_act(act_send, RULED, 80, .uid = 1000), ==, 0);
        g_assert_cmpint(try_act(act_send, RULED, 80, .uid = 9), ==, 0);
        g_assert_cmpint(try_act(act_send, RULED, 80, .uid = 1001), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 80, .uid = 1000), ==, EPERM);
}

static void test_a_rule_is_about_a_cgroup_and_those_below(void)
{
        mkdir("/sys/fs/cgroup/ruled", 0755);
        mkdir("/sys/fs/cgroup/ruled/below", 0755);
        mkdir("/sys/fs/cgroup/free", 0755);
        apply(V7 "[deny]\nnet:send:127.0.0.66 cgroup=/ruled\n");
        g_assert_cmpint(try_act(act_send, RULED, 80, .cgroup = "/sys/fs/cgroup/ruled/below"), ==,
                        EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 80, .cgroup = "/sys/fs/cgroup/ruled"), ==, 0);
        g_assert_cmpint(try_act(act_send, RULED, 80, .cgroup = "/sys/fs/cgroup/free"), ==, 0);
}

static int send_with_bash(void)
{
        return system("/bin/bash -c 'echo > /dev/udp/127.0.0.66/80' 2>/dev/null");
}

static void test_a_rule_is_about_a_program(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.66 exe=" PROGRAM "\n");
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 80), ==, 0);
        g_assert_cmpint(send_with_bash(), ==, 0);
        apply(V7 "[deny]\nnet:send:127.0.0.66\n[allow]\nnet:send:127.0.0.66 exe=" PROGRAM "\n");
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, 0);
        g_assert_cmpint(send_with_bash(), !=, 0);
}

static void test_what_comes_in_is_judged_by_the_socket_s_owner(void)
{
        apply(V7 "[deny]\nnet:recv:127.0.0.66:*/udp uid=1000\nnet:accept:127.0.0.66 uid=1000\n");
        g_assert_cmpint(try_act(act_receive, RULED, 0, .uid = 1000), ==, EAGAIN);
        g_assert_cmpint(try_act(act_receive, RULED, 0, .uid = 1001), ==, 0);
        g_assert_cmpint(try_act(act_take, RULED, 0, .uid = 1000), ==, EAGAIN);
        g_assert_cmpint(try_act(act_take, RULED, 0, .uid = 1001), ==, 0);
}

static void test_a_program_takes_nothing_that_comes_in(void)
{
        apply(V7 "[deny]\nnet:accept,recv:* exe=" PROGRAM "\n");
        g_assert_cmpint(try_act(act_take, FREE, 0), ==, EPERM);
        g_assert_cmpint(try_act(act_receive, FREE, 0), ==, EPERM);
        g_assert_cmpint(try_act(act_receive_connected, FREE, 0), ==, EPERM);
        apply(V7 "[deny]\nnet:accept,recv:*\n[allow]\nnet:accept,recv:* exe=" PROGRAM "\n");
        g_assert_cmpint(try_act(act_take, FREE, 0), ==, 0);
        g_assert_cmpint(try_act(act_receive, FREE, 0), ==, 0);
        apply(V7 "[deny]\nnet:accept,recv:*\n[allow]\nnet:accept,recv:* exe=/usr/bin/other\n");
        g_assert_cmpint(try_act(act_take, FREE, 0), ==, EPERM);
        g_assert_cmpint(try_act(act_receive, FREE, 0), ==, EPERM);
}

/* ---- what is recorded ---- */

static void test_an_audit_clause_records_and_allows(void)
{
        take_events();
        apply(V7 "[audit]\nnet:send:127.0.0.66:80/udp\n");
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, 0);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        g_assert_cmpuint(last_event()->verdict, ==, VERDICT_AUDITED);
        g_assert_cmpuint(last_event()->hook, ==, HOOK_SOCKET_SENDMSG);
        g_assert_cmpuint(last_event()->operation, ==, NET_SEND);
        g_assert_cmpuint(last_event()->port, ==, 80);
        g_assert_cmpuint(last_event()->protocol, ==, IPPROTO_UDP);
        g_assert_cmpuint(last_event()->rule, ==, 1);
}

static void test_a_rule_of_mode_audit_records_and_one_of_mode_enforce_denies(void)
{
        apply(V7 "[deny]\nnet:send:127.0.0.66 mode=audit\n");
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, 0);
        apply_in_mode(V7 "[deny]\nnet:send:127.0.0.66 mode=enforce\nnet:send:127.0.0.67\n",
                      MODE_AUDIT);
        g_assert_cmpint(try_act(act_send, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_act(act_send, FREE, 80), ==, 0);
}

static void test_what_does_not_come_in_is_told(void)
{
        apply(V7 "[deny]\nnet:accept:127.0.0.66\nnet:recv:127.0.0.66:81/udp\n");
        take_events();
        try_act(act_take, RULED, 0);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        g_assert_cmpuint(last_event()->hook, ==, HOOK_SOCKET_SOCK_RCV_SKB);
        g_assert_cmpuint(last_event()->operation, ==, NET_ACCEPT);
        g_assert_cmpuint(last_event()->verdict, ==, VERDICT_DENIED);
        try_act(act_receive, RULED, 81);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        g_assert_cmpuint(last_event()->operation, ==, NET_RECV);
        g_assert_cmpuint(last_event()->port, ==, 81);
}

#define ADD(name) g_test_add_func("/network/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(an_address_is_denied_for_connect_and_send);
        ADD(a_mapped_address_is_the_ipv4_address);
        ADD(the_unspecified_address_is_this_machine);
        ADD(the_unspecified_address_of_a_mapped_socket_is_ipv4);
        ADD(prefixes_of_any_length_hold);
        ADD(a_range_over_the_mapped_addresses_holds_for_ipv4_too);
        ADD(ports_are_denied_by_protocol_and_direction);
        ADD(an_address_with_a_port_is_denied_only_there);
        ADD(an_address_of_no_family_is_ipv4_on_an_ipv4_socket);
        ADD(connect_is_denied_alone);
        ADD(send_is_denied_alone);
        ADD(bind_is_denied_by_address_and_port);
        ADD(listen_is_denied_by_the_socket_s_own_address_and_port);
        ADD(listen_without_bind_is_denied_by_rules_about_any_port);
        ADD(a_port_that_the_kernel_chooses_is_ruled_by_rules_about_any_port_alone);
        ADD(a_connection_from_a_ruled_address_does_not_come_in);
        ADD(accept_is_ruled_by_the_listening_port);
        ADD(accepting_from_anyone_is_denied);
        ADD(some_may_connect_where_nobody_else_may);
        ADD(what_comes_over_a_connection_is_not_received);
        ADD(a_datagram_from_a_ruled_source_does_not_come_in);
        ADD(the_longest_prefix_decides);
        ADD(an_exact_port_decides_before_a_range_and_a_range_before_any);
        ADD(a_range_holds_for_its_protocol_and_address);
        ADD(a_protocol_decides_before_any);
        ADD(a_rule_is_about_a_user);
        ADD(what_a_list_does_not_decide_goes_to_less_specific_keys);
        ADD(a_rule_is_about_a_cgroup_and_those_below);
        ADD(a_rule_is_about_a_program);
        ADD(what_comes_in_is_judged_by_the_socket_s_owner);
        ADD(a_program_takes_nothing_that_comes_in);
        ADD(an_audit_clause_records_and_allows);
        ADD(a_rule_of_mode_audit_records_and_one_of_mode_enforce_denies);
        ADD(what_does_not_come_in_is_told);
        return g_test_run();
}
