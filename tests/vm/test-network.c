/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about addresses and ports against a real kernel: see test-backend.c, of which this is the
 * other half. */
#include <glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

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
        return g_test_run();
}
