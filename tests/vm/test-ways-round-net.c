/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways round rules about addresses, one by one: each is denied, or is shown to be open exactly as
 * docs/guarantees.md says. 127.0.0.66 is ruled, 127.0.0.67 is not. See test-network.c for what
 * rules mean. */
#include <glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"

#define RULES "[deny_ip]\n127.0.0.66\n::1\n[deny_port]\n82:tcp\n83:udp\n"
#define V7 "version=7\n"
#define RULED "127.0.0.66"
#define FREE "127.0.0.67"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef AF_SMC
#define AF_SMC 43
#endif
#define SCTP_SOCKOPT_CONNECTX 110

#define assert_act(act, argument, error) g_assert_cmpint(child_errno(act, argument), ==, error)

static struct sockaddr_in address_v4(const char *text, uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

        g_assert_cmpint(inet_pton(AF_INET, text, &address.sin_addr), ==, 1);
        return address;
}

/* A socket of that kind to connect, or to send a byte from with these flags. */
typedef struct Way {
        int family, type, protocol;
        const char *address;
        uint16_t port;
        socklen_t length; /* of the address; 0: its own */
        int flags;
} Way;

static int act_connect(const void *argument)
{
        const Way *way = argument;
        struct sockaddr_in address = address_v4(way->address, way->port);
        char room[128] = {};
        int fd = socket(way->family, way->type, way->protocol);

        memcpy(room, &address, sizeof(address));
        return connect(fd, (struct sockaddr *) room, way->length ? way->length : sizeof(address));
}

static int act_send(const void *argument)
{
        const Way *way = argument;
        struct sockaddr_in address = address_v4(way->address, way->port);
        char room[128] = {};
        int fd = socket(way->family, way->type, way->protocol);

        memcpy(room, &address, sizeof(address));
        return sendto(fd, "x", 1, way->flags, (struct sockaddr *) room,
                      way->length ? way->length : sizeof(address)) < 0
                       ? -1
                       : 0;
}

#define WAY(family_, type_, protocol_, address_, port_, ...)                                       \
        &(Way)                                                                                     \
        {                                                                                          \
                .family = (family_), .type = (type_), .protocol = (protocol_),                     \
                .address = (address_), .port = (port_), __VA_ARGS__                                \
        }
#define try_connect(...) child_errno(act_connect, WAY(__VA_ARGS__))
#define try_send(...) child_errno(act_send, WAY(__VA_ARGS__))

/* False after saying so if this kernel has no such sockets. */
static gboolean has_socket(int family, int type, int protocol)
{
        int fd = socket(family, type, protocol);

        if (fd >= 0)
                close(fd);
        else
                g_test_skip("this kernel has no such sockets");
        return fd >= 0;
}

static void test_short_and_long_forms_of_an_address(void)
{
        apply(RULES);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, RULED, 80, .length = 15), ==, EINVAL);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, RULED, 80, .length = 16), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, RULED, 80, .length = 128), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET, TCP, 0, RULED, 80, .length = 15), ==, EINVAL);
        g_assert_cmpint(try_connect(AF_INET, TCP, 0, RULED, 80, .length = 128), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, FREE, 80, .length = 128), ==, 0);
}

static int act_short_v6(const void *length)
{
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
        int fd = socket(AF_INET6, SOCK_DGRAM, 0);

        address.sin6_addr = in6addr_loopback;
        return connect(fd, (struct sockaddr *) &address, *(const socklen_t *) length);
}

static void test_the_short_form_of_an_ipv6_address(void)
{
        apply(RULES);
        assert_act(act_short_v6, (&(socklen_t){28}), EPERM);
        assert_act(act_short_v6, (&(socklen_t){24}), EPERM);
        assert_act(act_short_v6, (&(socklen_t){23}), EINVAL);
}

static void test_an_ipv4_address_on_an_ipv6_socket(void)
{
        apply(RULES);
        g_assert_cmpint(try_send(AF_INET6, UDP, 0, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET6, UDP, 0, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET6, TCP, 0, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET6, UDP, 0, FREE, 80), ==, 0);
}

static void test_tcp_fast_open(void)
{
        apply(RULES);
        g_assert_cmpint(try_send(AF_INET, TCP, 0, RULED, 80, .flags = MSG_FASTOPEN), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, TCP, 0, FREE, 82, .flags = MSG_FASTOPEN), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, TCP, 0, FREE, 80, .flags = MSG_FASTOPEN), !=, EPERM);
}

static void test_mptcp(void)
{
        apply(RULES);
        if (!has_socket(AF_INET, TCP, IPPROTO_MPTCP))
                return;
        g_assert_cmpint(try_connect(AF_INET, TCP, IPPROTO_MPTCP, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET, TCP, IPPROTO_MPTCP, FREE, 82), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET, TCP, IPPROTO_MPTCP, FREE, 80), ==, ECONNREFUSED);
}

static void test_smc_that_falls_back_to_tcp(void)
{
        apply(RULES);
        if (!has_socket(AF_SMC, SOCK_STREAM, 0))
                return;
        g_assert_cmpint(try_connect(AF_SMC, TCP, 0, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_connect(AF_SMC, TCP, 0, FREE, 82), ==, EPERM);
        g_assert_cmpint(try_connect(AF_SMC, TCP, 0, FREE, 80), ==, ECONNREFUSED);
}

static void test_udp_lite_by_its_address_but_not_by_a_rule_for_udp(void)
{
        apply(RULES);
        if (!has_socket(AF_INET, UDP, IPPROTO_UDPLITE))
                return;
        g_assert_cmpint(try_send(AF_INET, UDP, IPPROTO_UDPLITE, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, FREE, 83), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, IPPROTO_UDPLITE, FREE, 83), ==, 0);
}

static int act_sctp_option(const void *argument)
{
        struct sockaddr_in address = address_v4(RULED, 80);
        int fd = socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);

        return setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, &address, sizeof(address));
}

static void test_sctp_by_its_calls_but_not_by_its_options(void)
{
        apply(RULES);
        if (!has_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP))
                return;
        g_assert_cmpint(try_connect(AF_INET, SOCK_STREAM, IPPROTO_SCTP, RULED, 80), ==, EPERM);
        g_assert_cmpint(try_send(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, RULED, 80), ==, EPERM);
        g_assert_cmpint(child_errno(act_sctp_option, NULL), !=, EPERM);
}

/* Sends to one or two addresses in one call. Returns with errno if not even the first was sent. */
static int act_sendmmsg(const void *argument)
{
        const char *const *texts = argument;
        struct sockaddr_in to[2] = {address_v4(texts[0], 80), address_v4(texts[1], 80)};
        struct iovec data = {(char[]){'x'}, 1};
        struct mmsghdr messages[2] = {
                {.msg_hdr = {&to[0], sizeof(to[0]), &data, 1, NULL, 0, 0}},
                {.msg_hdr = {&to[1], sizeof(to[1]), &data, 1, NULL, 0, 0}},
        };
        int n = sendmmsg(socket(AF_INET, SOCK_DGRAM, 0), messages, 2, 0);

        if (n >= 0)
                errno = 100 + n; /* this many were */
        return -1;
}

static void test_sendmmsg_stops_at_the_first_ruled_address(void)
{
        apply(RULES);
        assert_act(act_sendmmsg, ((const char *[]){RULED, FREE}), EPERM);
        assert_act(act_sendmmsg, ((const char *[]){FREE, RULED}), 101);
        assert_act(act_sendmmsg, ((const char *[]){FREE, FREE}), 102);
}

static int act_send_from(const void *source)
{
        struct sockaddr_in any = address_v4("0.0.0.0", 80);
        union {
                char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
                struct cmsghdr head;
        } control = {.head = {CMSG_LEN(sizeof(struct in_pktinfo)), IPPROTO_IP, IP_PKTINFO}};
        struct in_pktinfo info = {.ipi_spec_dst = address_v4(source, 0).sin_addr};
        struct iovec data = {(char[]){'x'}, 1};
        struct msghdr message = {&any, sizeof(any), &data, 1, control.room, sizeof(control), 0};

        memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
        return sendmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 0) < 0 ? -1 : 0;
}

static int act_bound_send(const void *source)
{
        struct sockaddr_in own = address_v4(source, 0), any = address_v4("0.0.0.0", 80);
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        if (bind(fd, (struct sockaddr *) &own, sizeof(own)) < 0)
                return -1;
        return sendto(fd, "x", 1, 0, (struct sockaddr *) &any, sizeof(any)) < 0 ? -1 : 0;
}

static void test_no_address_at_all_by_the_socket_s_own_or_a_control_message(void)
{
        apply(RULES);
        assert_act(act_bound_send, RULED, EPERM);
        assert_act(act_bound_send, FREE, 0);
        assert_act(act_send_from, RULED, EPERM);
        assert_act(act_send_from, FREE, 0);
        apply("[deny_ip]\n127.0.0.1\n");
        g_assert_cmpint(try_connect(AF_INET, TCP, 0, "0.0.0.0", 80), ==, EPERM);
}

/* ---- raw ---- */

typedef struct Packet {
        struct iphdr ip;
        struct icmphdr icmp;
} Packet;

/* To the second address, with a header that names the first. */
static int act_own_header(const void *argument)
{
        const char *const *texts = argument;
        struct sockaddr_in to = address_v4(texts[1], 0);
        Packet packet = {
                .ip = {.version = 4,
                       .ihl = 5,
                       .ttl = 9,
                       .protocol = IPPROTO_ICMP,
                       .daddr = address_v4(texts[0], 0).sin_addr.s_addr},
                .icmp = {.type = ICMP_ECHO},
        };
        int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

        return sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1
                                                                                               : 0;
}

static int act_packet(const void *argument)
{
        struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                 .sll_protocol = htons(0x0800),
                                 .sll_ifindex = (int) if_nametoindex("lo"),
                                 .sll_halen = 6};
        Packet packet = {.ip = {.version = 4, .ihl = 5}};
        int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

        packet.ip.daddr = address_v4(RULED, 0).sin_addr.s_addr;
        return sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1
                                                                                               : 0;
}

static void test_raw_sockets_by_their_address_and_no_further(void)
{
        apply(RULES);
        g_assert_cmpint(try_send(AF_INET, SOCK_RAW, IPPROTO_ICMP, RULED, 0), ==, EPERM);
        g_assert_cmpint(try_connect(AF_INET, SOCK_RAW, IPPROTO_ICMP, RULED, 0), ==, EPERM);
        assert_act(act_own_header, ((const char *[]){FREE, RULED}), EPERM);
        assert_act(act_own_header, ((const char *[]){RULED, FREE}), 0);
}

static void test_raw_sockets_by_a_rule_about_them(void)
{
        apply(V7 "[deny]\nnet:send:*:*/raw\n");
        g_assert_cmpint(try_send(AF_INET, SOCK_RAW, IPPROTO_ICMP, FREE, 0), ==, EPERM);
        assert_act(act_own_header, ((const char *[]){RULED, FREE}), EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, FREE, 80), ==, 0);
}

static void test_packet_sockets_by_rules_about_any_address_alone(void)
{
        apply(RULES);
        assert_act(act_packet, NULL, 0);
        apply(V7 "[deny]\nnet:send:*:*/packet\n");
        assert_act(act_packet, NULL, EPERM);
        g_assert_cmpint(try_send(AF_INET, UDP, 0, FREE, 80), ==, 0);
        apply(V7 "[deny]\nnet:send:*\n");
        assert_act(act_packet, NULL, EPERM);
}

/* ---- connected already ---- */

/* Even if what was sent before was refused. */
static int act_send_connected(const void *fd)
{
        socklen_t n = sizeof(int);

        getsockopt(*(const int *) fd, SOL_SOCKET, SO_ERROR, &(int){0}, &n);
        return send(*(const int *) fd, "x", 1, 0) < 0 ? -1 : 0;
}

static int connected_to(const char *text)
{
        struct sockaddr_in address = address_v4(text, 80);
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
        return fd;
}

static void test_a_socket_connected_before_by_rules_about_sending(void)
{
        int fd;

        apply("");
        fd = connected_to(RULED);
        assert_act(act_send_connected, &fd, 0);
        apply(RULES);
        assert_act(act_send_connected, &fd, EPERM);
        apply(V7 "[deny]\nnet:connect:127.0.0.66\n");
        assert_act(act_send_connected, &fd, 0);
        apply(V7 "[deny]\nnet:send:127.0.0.67\n");
        assert_act(act_send_connected, &fd, 0);
        apply(V7 "[deny]\nnet:send:127.0.0.66\n");
        assert_act(act_send_connected, &fd, EPERM);
        apply("");
        assert_act(act_send_connected, &fd, 0);
        close(fd);
}

static void test_a_socket_passed_in_by_rules_about_sending(void)
{
        int fd;

        apply(RULES);
        fd = connected_to(RULED); /* by this process, which is never denied */
        assert_act(act_send_connected, &fd, EPERM);
        apply(V7 "[deny]\nnet:connect:127.0.0.66\n");
        assert_act(act_send_connected, &fd, 0);
        close(fd);
}

/* An IPv6 socket takes no family for no address, and sends where it is connected. */
static int act_send_no_family(const void *fd)
{
        struct sockaddr_in6 none = {.sin6_family = AF_UNSPEC};
        socklen_t n = sizeof(int);

        getsockopt(*(const int *) fd, SOL_SOCKET, SO_ERROR, &(int){0}, &n);
        inet_pton(AF_INET6, "::2", &none.sin6_addr);
        return sendto(*(const int *) fd, "x", 1, 0, (struct sockaddr *) &none, sizeof(none)) < 0
                       ? -1
                       : 0;
}

static void test_an_address_of_no_family_on_a_connected_ipv6_socket(void)
{
        struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
        int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        apply("");
        peer.sin6_addr = in6addr_loopback;
        g_assert_cmpint(connect(fd, (struct sockaddr *) &peer, sizeof(peer)), ==, 0);
        assert_act(act_send_no_family, &fd, 0);
        apply(RULES);
        assert_act(act_send_no_family, &fd, EPERM);
        close(fd);
}

static int act_dissolve_and_connect(const void *fd)
{
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        struct sockaddr_in address = address_v4(RULED, 80);

        if (connect(*(const int *) fd, &none, sizeof(none)) < 0)
                return 0;
        return connect(*(const int *) fd, (struct sockaddr *) &address, sizeof(address));
}

static void test_dissolving_a_connection_and_connecting_anew(void)
{
        int fd;

        apply(RULES);
        fd = connected_to(FREE);
        assert_act(act_dissolve_and_connect, &fd, EPERM);
        close(fd);
}

/* ---- connections that came in ---- */

/* A connection from RULED: two ends, the first was accepted. */
static void connect_pair(int fds[2])
{
        struct sockaddr_in own = address_v4("127.0.0.1", 0), peer = address_v4(RULED, 0);
        socklen_t n = sizeof(own);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(bind(listener, (struct sockaddr *) &own, sizeof(own)), ==, 0);
        g_assert_cmpint(listen(listener, 1), ==, 0);
        g_assert_cmpint(getsockname(listener, (struct sockaddr *) &own, &n), ==, 0);
        g_assert_cmpint(bind(fds[1], (struct sockaddr *) &peer, sizeof(peer)), ==, 0);
        g_assert_cmpint(connect(fds[1], (struct sockaddr *) &own, sizeof(own)), ==, 0);
        fds[0] = accept(listener, NULL, NULL);
        g_assert_cmpint(fds[0], >=, 0);
        close(listener);
}

static void close_pair(int fds[2])
{
        close(fds[0]);
        close(fds[1]);
}

/* With an address, which TCP does not heed. */
static int act_send_elsewhere(const void *fd)
{
        struct sockaddr_in to = address_v4(FREE, 80);

        return sendto(*(const int *) fd, "x", 1, 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1
                                                                                             : 0;
}

static int act_receive(const void *fd)
{
        char byte;

        return recv(*(const int *) fd, &byte, 1, MSG_DONTWAIT) < 0 ? -1 : 0;
}

static void test_answering_a_connection_that_came_in(void)
{
        int fds[2];

        apply(RULES);
        connect_pair(fds);
        assert_act(act_send_connected, &fds[0], EPERM);
        assert_act(act_send_elsewhere, &fds[0], EPERM);
        assert_act(act_send_connected, &fds[1], 0);
        assert_act(act_receive, &fds[0], 0);
        close_pair(fds);
}

static int act_send_file(const void *fd)
{
        return sendfile(*(const int *) fd, open("/proc/self/exe", O_RDONLY), NULL, 1) < 0 ? -1 : 0;
}

/* Before 6.5 no hook is asked about what goes to a socket from a file or a pipe. */
static int is_before_6_5(void)
{
        unsigned major = 0, minor = 0;
        struct utsname name;

        uname(&name);
        g_assert_cmpint(sscanf(name.release, "%u.%u", &major, &minor), ==, 2);
        return major < 6 || (major == 6 && minor < 5);
}

static void test_sendfile_on_a_connection_from_kernel_6_5_on(void)
{
        int fds[2];

        apply(RULES);
        connect_pair(fds);
        assert_act(act_send_file, &fds[0], is_before_6_5() ? 0 : EPERM);
        close_pair(fds);
}

static int act_splice(const void *fd)
{
        int pipes[2];

        if (pipe(pipes) < 0)
                return -1;
        return splice(*(const int *) fd, NULL, pipes[1], NULL, 1, SPLICE_F_NONBLOCK) < 0 ? -1 : 0;
}

static void test_receiving_over_a_connection_but_not_by_splice(void)
{
        int fds[2];

        apply("");
        connect_pair(fds);
        g_assert_cmpint(send(fds[1], "xyz", 3, 0), ==, 3);
        apply(V7 "[deny]\nnet:recv:127.0.0.66\n");
        assert_act(act_receive, &fds[0], EPERM);
        assert_act(act_splice, &fds[0], 0);
        apply("");
        assert_act(act_receive, &fds[0], 0);
        close_pair(fds);
}

static void test_a_connection_taken_before_goes_on(void)
{
        int fds[2];

        apply("");
        connect_pair(fds);
        apply(V7 "[deny]\nnet:accept:127.0.0.66\n");
        assert_act(act_send_connected, &fds[0], 0);
        assert_act(act_send_connected, &fds[1], 0);
        assert_act(act_receive, &fds[0], 0);
        close_pair(fds);
}

/* A connection from RULED to a listener of this kind. EAGAIN: it never came in. */
static int act_come_in(const void *argument)
{
        const Way *way = argument;
        struct sockaddr_in own = address_v4("127.0.0.1", 0), peer = address_v4(RULED, 0);
        socklen_t n = sizeof(own);
        int listener = socket(way->family, way->type | SOCK_NONBLOCK, way->protocol);
        int from = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        if (bind(listener, (struct sockaddr *) &own, n) < 0 || listen(listener, 1) < 0 ||
            getsockname(listener, (struct sockaddr *) &own, &n) < 0 ||
            bind(from, (struct sockaddr *) &peer, sizeof(peer)) < 0)
                return -1;
        if (connect(from, (struct sockaddr *) &own, sizeof(own)) < 0 && errno != EINPROGRESS)
                return -1;
        return accept(listener, NULL, NULL);
}

static void test_mptcp_that_listens(void)
{
        apply(V7 "[deny]\nnet:accept:127.0.0.66\n");
        if (!has_socket(AF_INET, TCP, IPPROTO_MPTCP))
                return;
        assert_act(act_come_in, WAY(AF_INET, TCP, IPPROTO_MPTCP, RULED, 0), EAGAIN);
        apply("");
        assert_act(act_come_in, WAY(AF_INET, TCP, IPPROTO_MPTCP, RULED, 0), 0);
}

#define ADD(name) g_test_add_func("/ways-round-net/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(short_and_long_forms_of_an_address);
        ADD(the_short_form_of_an_ipv6_address);
        ADD(an_ipv4_address_on_an_ipv6_socket);
        ADD(tcp_fast_open);
        ADD(mptcp);
        ADD(smc_that_falls_back_to_tcp);
        ADD(udp_lite_by_its_address_but_not_by_a_rule_for_udp);
        ADD(sctp_by_its_calls_but_not_by_its_options);
        ADD(sendmmsg_stops_at_the_first_ruled_address);
        ADD(no_address_at_all_by_the_socket_s_own_or_a_control_message);
        ADD(raw_sockets_by_their_address_and_no_further);
        ADD(raw_sockets_by_a_rule_about_them);
        ADD(packet_sockets_by_rules_about_any_address_alone);
        ADD(a_socket_connected_before_by_rules_about_sending);
        ADD(a_socket_passed_in_by_rules_about_sending);
        ADD(an_address_of_no_family_on_a_connected_ipv6_socket);
        ADD(dissolving_a_connection_and_connecting_anew);
        ADD(answering_a_connection_that_came_in);
        ADD(sendfile_on_a_connection_from_kernel_6_5_on);
        ADD(receiving_over_a_connection_but_not_by_splice);
        ADD(a_connection_taken_before_goes_on);
        ADD(mptcp_that_listens);
        return g_test_run();
}
