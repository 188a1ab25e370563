/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser's entries: what each spelling means, and what is said of one that means nothing. */
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "abi.h"
#include "policy-check.h"

#define CONNECT (1u << NET_CONNECT)
#define BIND (1u << NET_BIND | 1u << NET_LISTEN)
#define SEND (1u << NET_SEND)
#define OUTWARD (CONNECT | SEND)

/* ---- paths ---- */

static void assert_path(const char *entry, const char *path)
{
        Policy *policy;
        const Rule *rule = one_rule("deny_path", entry, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_FILE);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpstr(rule->entry, ==, entry);
        g_assert_cmpstr(rule->file.path, ==, path);
        g_assert_cmpuint(rule->file.access, ==, ACCESS_ALL);
        g_assert_cmpuint(rule->file.below, ==, 1);
        g_assert_cmpuint(rule->file.has_wildcard, ==, 0);
        g_assert_cmpuint(rule->options->subject, ==, 0);
        policy_unref(policy);
}

static void test_a_path_means_all_below_with_and_without_a_slash(void)
{
        assert_path("/etc/shadow", "/etc/shadow");
        assert_path("/srv/x/", "/srv/x");
        assert_path("/", "/");
        assert_path("/a b/..c/.d", "/a b/..c/.d");
        assert_path("//a///b//", "/a/b");
}

static void test_relative_paths_and_tildes_are_faults(void)
{
        assert_entry_told("deny_path", "etc/shadow", "3:1");
        assert_entry_told("deny_path", "./x", "3:1");
        assert_entry_told("deny_path", "~/x", "3:1");
        assert_entry_told("deny_path", "file:/etc/shadow", "3:1");
        assert_hint("deny_path", "etc/shadow", "/etc/shadow");
}

static void test_dots_in_a_path_are_faults(void)
{
        assert_entry_told("deny_path", "/a/../b", "3:4");
        assert_entry_told("deny_path", "/a/./b/..", "3:4 3:8");
        assert_entry_told("deny_path", "/..", "3:2");
        assert_entry_told("deny_path", "/a/.", "3:4");
}

static void test_a_name_has_at_most_255_bytes(void)
{
        g_autofree char *name = g_strnfill(255, 'n');
        g_autofree char *fits = g_strdup_printf("/a/%s/b", name);
        g_autofree char *longer = g_strdup_printf("/a/%sn/b", name);

        assert_path(fits, fits);
        assert_entry_told("deny_path", longer, "3:4");
}

static void test_a_path_has_at_most_4095_bytes(void)
{
        g_autoptr(GString) path = g_string_new("");

        while (path->len < 4094)
                g_string_append(path, "/a");
        g_string_append(path, "b");
        g_assert_cmpuint(path->len, ==, 4095);
        assert_path(path->str, path->str);
        g_string_append(path, "c");
        assert_entry_told("deny_path", path->str, "3:4096");
}

static void test_what_may_be_meant_otherwise_is_a_warning(void)
{
        assert_entry_told("deny_path", "/home/*/x", "3:7w");
        assert_entry_told("deny_path", "/etc/shadow # secret", "3:13w");
        assert_entry_told("deny_path", "/a//b", "3:3w");
        assert_entry_told("deny_path", "/", "3:1w");
        assert_entry_told("deny_path", "/a#b", "");
}

/* ---- inodes and cgroups ---- */

static void test_an_inode_is_device_and_number(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny_inode", "4294967295:18446744073709551615", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_INODE);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpuint(rule->inode.access, ==, ACCESS_ALL);
        g_assert_cmpuint(rule->inode.device, ==, UINT32_MAX);
        g_assert_cmpuint(rule->inode.inode, ==, UINT64_MAX);
        policy_unref(policy);
}

static void test_blanks_around_an_inode_s_colon_count_for_nothing(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny_inode", "1 :\t2", &policy);

        g_assert_cmpuint(rule->inode.device, ==, 1);
        g_assert_cmpuint(rule->inode.inode, ==, 2);
        policy_unref(policy);
}

static void test_a_device_as_stat_prints_it_is_a_warning_with_the_right_form(void)
{
        assert_entry_told("deny_inode", "2049:12", "3:1w");
        assert_hint("deny_inode", "2049:12", "8388609:12");
        assert_entry_told("deny_inode", "8388609:12", "");
        assert_entry_told("deny_inode", "42:12", "");
}

static void test_inodes_that_are_no_two_decimal_numbers_are_faults(void)
{
        assert_entry_told("deny_inode", "4294967296:1", "3:1");
        assert_entry_told("deny_inode", "1:18446744073709551616", "3:3");
        assert_entry_told("deny_inode", "1", "3:2");
        assert_entry_told("deny_inode", "1:", "3:3");
        assert_entry_told("deny_inode", ":1", "3:1");
        assert_entry_told("deny_inode", "0x801:1", "3:1");
        assert_entry_told("deny_inode", "1 2", "3:1");
        assert_entry_told("deny_inode", "-1:2", "3:1");
        assert_entry_told("deny_inode", "/etc/shadow", "3:1");
        assert_hint("deny_inode", "8:3:12", "8388611:12");
}

static void assert_cgroup(const char *entry, const char *path, uint64_t id)
{
        Policy *policy;
        const Rule *rule = one_rule("allow_cgroup", entry, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_ALLOW_CGROUP);
        g_assert_cmpstr(rule->cgroup.path, ==, path);
        if (!path)
                g_assert_cmpuint(rule->cgroup.id, ==, id);
        policy_unref(policy);
}

static void test_a_cgroup_is_a_path_or_an_id(void)
{
        assert_cgroup("/system.slice/x.service", "/system.slice/x.service", 0);
        assert_cgroup("/system.slice/", "/system.slice", 0);
        assert_cgroup("/sys/fs/cgroup/system.slice/x", "/system.slice/x", 0);
        assert_cgroup("/sys/fs/cgroup2/x", "/sys/fs/cgroup2/x", 0);
        assert_cgroup("/sys/fs/cgroup", "/", 0);
        assert_cgroup("cgid:18446744073709551615", NULL, UINT64_MAX);
        assert_cgroup("cgid: 7", NULL, 7);
}

static void test_cgroups_that_are_neither_are_faults(void)
{
        assert_entry_told("allow_cgroup", "x.service", "3:1");
        assert_entry_told("allow_cgroup", "cgid:", "3:6");
        assert_entry_told("allow_cgroup", "cgid:0", "3:6");
        assert_entry_told("allow_cgroup", "cgid:x", "3:6");
        assert_entry_told("allow_cgroup", "/a/../b", "3:4");
}

static void test_an_allowance_for_every_process_is_a_warning(void)
{
        assert_entry_told("allow_cgroup", "/", "3:1w");
        assert_entry_told("allow_cgroup", "/sys/fs/cgroup/", "3:1w");
        assert_entry_told("allow_cgroup", "cgid:1", "3:1w");
}

/* ---- addresses and ports ---- */

typedef struct Net {
        const char *address;
        unsigned prefix, port, protocol, operations;
} Net;

static void assert_net(const char *section, const char *entry, Net net)
{
        Policy *policy;
        const Rule *rule = one_rule(section, entry, &policy);
        uint8_t address[16];

        g_assert_cmpint(inet_pton(AF_INET6, net.address, address), ==, 1);
        g_assert_cmpint(rule->kind, ==, RULE_NET);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpmem(rule->net.address, 16, address, 16);
        g_assert_cmpuint(rule->net.prefix, ==, net.prefix);
        g_assert_cmpuint(rule->net.first_port, ==, net.port);
        g_assert_cmpuint(rule->net.last_port, ==, net.port);
        g_assert_cmpuint(rule->net.protocol, ==, net.protocol);
        g_assert_cmpuint(rule->net.operations, ==, net.operations);
        policy_unref(policy);
}

static void test_an_address_holds_for_what_goes_out(void)
{
        assert_net("deny_ip", "192.0.2.1", (Net){"::ffff:192.0.2.1", 128, 0, 0, OUTWARD});
        assert_net("deny_ip", "2001:db8::1", (Net){"2001:db8::1", 128, 0, 0, OUTWARD});
        assert_net("deny_ip", "::ffff:192.0.2.1", (Net){"::ffff:192.0.2.1", 128, 0, 0, OUTWARD});
        assert_net("deny_ip", "::", (Net){"::", 128, 0, 0, OUTWARD});
}

static void test_a_range_keeps_the_bits_of_its_prefix(void)
{
        assert_net("deny_cidr", "10.0.0.0/8", (Net){"::ffff:10.0.0.0", 104, 0, 0, OUTWARD});
        assert_net("deny_cidr", "0.0.0.0/0", (Net){"::ffff:0.0.0.0", 96, 0, 0, OUTWARD});
        assert_net("deny_cidr", "10.9.8.7/8", (Net){"::ffff:10.0.0.0", 104, 0, 0, OUTWARD});
        assert_net("deny_cidr", "10.9.8.7/32", (Net){"::ffff:10.9.8.7", 128, 0, 0, OUTWARD});
        assert_net("deny_cidr", "2001:db8::/32", (Net){"2001:db8::", 32, 0, 0, OUTWARD});
        assert_net("deny_cidr", "2001:db8:ffff::/33", (Net){"2001:db8:8000::", 33, 0, 0, OUTWARD});
        assert_net("deny_cidr", "::1/128", (Net){"::1", 128, 0, 0, OUTWARD});
        assert_net("deny_cidr", "2001:db8::/0", (Net){"::", 0, 0, 0, OUTWARD});
}

static void test_bits_beyond_the_prefix_are_a_warning_with_the_right_form(void)
{
        assert_hint("deny_cidr", "10.1.2.3/8", "10.0.0.0/8");
        assert_hint("deny_cidr", "2001:db8::1/32", "2001:db8::/32");
        assert_entry_told("deny_cidr", "10.0.0.0/8", "");
}

static void test_an_address_that_no_connection_goes_to_is_a_warning(void)
{
        assert_entry_told("deny_ip", "0.0.0.0", "3:1w");
        assert_entry_told("deny_ip", "::", "3:1w");
        assert_entry_told("deny_ip_port", "0.0.0.0:80", "3:1w");
        assert_entry_told("deny_ip_port", "[::]:80", "3:1w");
        assert_entry_told("deny_ip", "0.0.0.1", "");
        assert_hint("deny_ip", "::", "::1");
        assert_hint("deny_ip", "0.0.0.0", "127.0.0.1");
}

static void test_an_ipv6_range_that_holds_all_of_ipv4_is_a_warning(void)
{
        assert_entry_told("deny_cidr", "::/0", "3:1w");
        assert_entry_told("deny_cidr", "::/80", "3:1w");
        assert_entry_told("deny_cidr", "::/96", "");
        assert_entry_told("deny_cidr", "::ffff:0:0/96", "");
        assert_entry_told("deny_cidr", "8000::/1", "");
}

static void test_addresses_that_libc_does_not_read_are_faults(void)
{
        static const char *const bad[] = {
                "1.2.3",        "1.2.3.4.5",    "1.2.3.256",
                "01.2.3.4",     "0x1.2.3.4",    "1.2.3.4 ,5",
                "host.example", "[::1]",        "fe80::1%eth0",
                ":::",          "2001:db8::g",  "1::2::3",
                "1.2.3.4:80",   "10.0.0.0/8",   "*",
                "1.2.3.4%lo",   "::ffff:1.2.3", "1:2:3:4:5:6:7",
                "localhost",    "16909060",     "1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                assert_entry_told("deny_ip", bad[i], "3:1");
}

static void test_faults_of_addresses_tell_what_to_write(void)
{
        assert_hint("deny_ip", "10.0.0.0/8", "[deny_cidr]");
        assert_hint("deny_ip", "1.2.3.4:80", "[deny_ip_port]");
        assert_hint("deny_ip", "[::1]", "without brackets");
        assert_hint("deny_ip", "fe80::1%eth0", "every interface");
        assert_hint("deny_ip", "example.org", "not looked up");
        assert_hint("deny_cidr", "1.2.3.4", "/32");
        assert_hint("deny_cidr", "::1", "/128");
        assert_hint("deny_ip_port", "::1:80", "[2001:db8::1]:443");
}

static void test_prefix_lengths_out_of_range_are_faults(void)
{
        assert_entry_told("deny_cidr", "1.2.3.4/33", "3:9");
        assert_entry_told("deny_cidr", "1.2.3.4/", "3:9");
        assert_entry_told("deny_cidr", "1.2.3.4/-1", "3:9");
        assert_entry_told("deny_cidr", "1.2.3.4/255.0.0.0", "3:9");
        assert_entry_told("deny_cidr", "1.2.3.4/8/8", "3:9");
        assert_entry_told("deny_cidr", "::/129", "3:4");
        assert_entry_told("deny_cidr", "1.2.3.4", "3:8");
        assert_entry_told("deny_cidr", "/8", "3:1");
}

static void test_a_port_holds_for_any_address_both_ways(void)
{
        assert_net("deny_port", "80", (Net){"::", 0, 80, 0, OUTWARD | BIND});
        assert_net("deny_port", "65535:tcp", (Net){"::", 0, 65535, IPPROTO_TCP, OUTWARD | BIND});
        assert_net("deny_port", "53:udp:egress", (Net){"::", 0, 53, IPPROTO_UDP, OUTWARD});
        assert_net("deny_port", "53:any:connect", (Net){"::", 0, 53, 0, OUTWARD});
        assert_net("deny_port", "22:tcp:bind", (Net){"::", 0, 22, IPPROTO_TCP, BIND});
        assert_net("deny_port", "22:any:both", (Net){"::", 0, 22, 0, OUTWARD | BIND});
        assert_net("deny_port", "22::bind", (Net){"::", 0, 22, 0, BIND});
}

static void test_ports_protocols_and_directions_that_are_none_are_faults(void)
{
        assert_entry_told("deny_port", "0", "3:1");
        assert_entry_told("deny_port", "65536", "3:1");
        assert_entry_told("deny_port", "http", "3:1");
        assert_entry_told("deny_port", "80-90", "3:1");
        assert_entry_told("deny_port", ":tcp", "3:1");
        assert_entry_told("deny_port", "99999999999999999999", "3:1");
        assert_entry_told("deny_port", "80:sctp", "3:4");
        assert_entry_told("deny_port", "80:TCP", "3:4");
        assert_entry_told("deny_port", "80:tcp:in", "3:8");
        assert_entry_told("deny_port", "80:tcp:bind:x", "3:12");
        assert_entry_told("deny_port", "0:x:y:z", "3:1 3:3 3:5 3:6");
}

static void test_an_address_with_a_port_holds_for_what_goes_out(void)
{
        assert_net("deny_ip_port", "192.0.2.1:443",
                   (Net){"::ffff:192.0.2.1", 128, 443, 0, OUTWARD});
        assert_net("deny_ip_port", "192.0.2.1:443:tcp",
                   (Net){"::ffff:192.0.2.1", 128, 443, IPPROTO_TCP, OUTWARD});
        assert_net("deny_ip_port", "[2001:db8::1]:53:udp",
                   (Net){"2001:db8::1", 128, 53, IPPROTO_UDP, OUTWARD});
        assert_net("deny_ip_port", "[::ffff:192.0.2.1]:53",
                   (Net){"::ffff:192.0.2.1", 128, 53, 0, OUTWARD});
}

static void test_faulty_addresses_with_ports_are_told(void)
{
        assert_entry_told("deny_ip_port", "1.2.3.4", "3:8");
        assert_entry_told("deny_ip_port", "1.2.3.4:", "3:9");
        assert_entry_told("deny_ip_port", "1.2.3.4:0", "3:9");
        assert_entry_told("deny_ip_port", "1.2.3.4:80:x", "3:12");
        assert_entry_told("deny_ip_port", "1.2.3.4:80:tcp:bind", "3:15");
        assert_entry_told("deny_ip_port", "2001:db8::1:80", "3:1");
        assert_entry_told("deny_ip_port", "::1:80:tcp", "3:1");
        assert_entry_told("deny_ip_port", "[::1]", "3:6");
        assert_entry_told("deny_ip_port", "[::1]80", "3:6");
        assert_entry_told("deny_ip_port", "[::1:80", "3:1");
        assert_entry_told("deny_ip_port", "[1.2.3.4]:80", "3:1");
        assert_entry_told("deny_ip_port", "[fe80::1%eth0]:80", "3:2");
        assert_entry_told("deny_ip_port", "[10.0.0.0/8]:80", "3:2");
        assert_entry_told("deny_ip_port", "10.0.0.0/8:80", "3:1");
        assert_entry_told("deny_ip_port", ":80", "3:1");
        assert_entry_told("deny_ip_port", "443", "3:1");
}

#define ADD(test) g_test_add_func("/policy/entries/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_path_means_all_below_with_and_without_a_slash);
        ADD(test_relative_paths_and_tildes_are_faults);
        ADD(test_dots_in_a_path_are_faults);
        ADD(test_a_name_has_at_most_255_bytes);
        ADD(test_a_path_has_at_most_4095_bytes);
        ADD(test_what_may_be_meant_otherwise_is_a_warning);
        ADD(test_an_inode_is_device_and_number);
        ADD(test_blanks_around_an_inode_s_colon_count_for_nothing);
        ADD(test_a_device_as_stat_prints_it_is_a_warning_with_the_right_form);
        ADD(test_inodes_that_are_no_two_decimal_numbers_are_faults);
        ADD(test_a_cgroup_is_a_path_or_an_id);
        ADD(test_cgroups_that_are_neither_are_faults);
        ADD(test_an_allowance_for_every_process_is_a_warning);
        ADD(test_an_address_holds_for_what_goes_out);
        ADD(test_a_range_keeps_the_bits_of_its_prefix);
        ADD(test_bits_beyond_the_prefix_are_a_warning_with_the_right_form);
        ADD(test_an_address_that_no_connection_goes_to_is_a_warning);
        ADD(test_an_ipv6_range_that_holds_all_of_ipv4_is_a_warning);
        ADD(test_addresses_that_libc_does_not_read_are_faults);
        ADD(test_faults_of_addresses_tell_what_to_write);
        ADD(test_prefix_lengths_out_of_range_are_faults);
        ADD(test_a_port_holds_for_any_address_both_ways);
        ADD(test_ports_protocols_and_directions_that_are_none_are_faults);
        ADD(test_an_address_with_a_port_holds_for_what_goes_out);
        ADD(test_faulty_addresses_with_ports_are_told);
        return g_test_run();
}
