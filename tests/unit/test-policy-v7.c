/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: objects of version 7, their words and their defaults. */
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "policy-check.h"

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RUN (ACCESS_EXEC | ACCESS_MAP)
#define OP(operation) (1u << (operation))
#define ALL_OPS (OP(N_NET_OPERATIONS) - 1)

/* ---- files ---- */

typedef struct File {
        const char *path;
        unsigned access, below, has_wildcard;
} File;

static void assert_file(const char *entry, File file)
{
        Policy *policy;
        const Rule *rule = one_rule("deny", entry, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_FILE);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpstr(rule->file.path, ==, file.path);
        g_assert_cmpuint(rule->file.access, ==, file.access);
        g_assert_cmpuint(rule->file.below, ==, file.below);
        g_assert_cmpuint(rule->file.has_wildcard, ==, file.has_wildcard);
        policy_unref(policy);
}

static void test_a_slash_at_the_end_means_all_below(void)
{
        assert_file("file:/a/b", (File){"/a/b", ACCESS_ALL, 0, 0});
        assert_file("file:/a/b/", (File){"/a/b", ACCESS_ALL, 1, 0});
        assert_file("file:/", (File){"/", ACCESS_ALL, 1, 0});
        assert_file("file://a///b//", (File){"/a/b", ACCESS_ALL, 1, 0});
}

static void test_a_star_stands_for_one_name(void)
{
        assert_file("file:/home/*/.ssh/", (File){"/home/*/.ssh", ACCESS_ALL, 1, 1});
        assert_file("file:/*/*", (File){"/*/*", ACCESS_ALL, 0, 1});
        assert_entry_told("deny", "file:/a/**", "3:9");
        assert_entry_told("deny", "file:/a/*.txt", "3:9");
        assert_entry_told("deny", "file:/a/b*/*c", "3:10 3:12");
        assert_hint("deny", "file:/a/**", "slash");
}

static void test_quotes_hold_blanks_and_escapes(void)
{
        assert_file("file:\"/a b/\"", (File){"/a b", ACCESS_ALL, 1, 0});
        assert_file("\"file:/a b\"", (File){"/a b", ACCESS_ALL, 0, 0});
        assert_file("file:/a\" \"b/", (File){"/a b", ACCESS_ALL, 1, 0});
        assert_file("file:\"/\\\"\\\\\\t\\n\\x01\\377\\'\"",
                    (File){"/\"\\\t\n\x01\xff'", ACCESS_ALL, 0, 0});
        assert_file("file:\"/# no comment\" # but this", (File){"/# no comment", ACCESS_ALL, 0, 0});
        assert_file("file:/a#b", (File){"/a#b", ACCESS_ALL, 0, 0});
        assert_file("file:/a\\x2db", (File){"/a\\x2db", ACCESS_ALL, 0, 0});
}

static void test_an_escaped_star_stands_for_itself(void)
{
        assert_file("file:\"/a/\\*/b\"", (File){"/a/*/b", ACCESS_ALL, 0, 0});
        assert_file("file:\"/a/\\x2a\\052\"", (File){"/a/**", ACCESS_ALL, 0, 0});
        assert_file("file:\"/\\*x/*\"/", (File){"/*x/*", ACCESS_ALL, 1, 1});
        assert_entry_told("deny", "file:\"/\\*/*\"", "3:7");
}

static void test_faulty_quotes_and_escapes_are_told(void)
{
        assert_entry_told("deny", "file:\"/a b", "3:6");
        assert_entry_told("deny", "file:\"/a\\", "3:6");
        assert_entry_told("deny", "file:\"/a\\q\"", "3:9");
        assert_entry_told("deny", "file:\"/a\\x1\"", "3:9");
        assert_entry_told("deny", "file:\"/a\\400\"", "3:9");
        assert_entry_told("deny", "file:\"/a\\x00\"", "3:9");
        assert_entry_told("deny", "file:\"/a\\q\\z\"", "3:9 3:11");
        assert_entry_told("deny", "file:/a\xff", "3:8");
        assert_hint("deny", "file:/a\xff", "\\xff");
        assert_hint("deny", "file:/a\x01", "\\x01");
}

static void test_paths_that_are_none_are_faults(void)
{
        assert_entry_told("deny", "file:a", "3:6");
        assert_entry_told("deny", "file:*", "3:6");
        assert_entry_told("deny", "file:", "3:6");
        assert_entry_told("deny", "file: /a", "3:6 3:7");
        assert_entry_told("deny", "file:\"\"", "3:7");
        assert_entry_told("deny", "file:/a/../b", "3:9");
        assert_entry_told("deny", "file:~/a", "3:6");
        assert_entry_told("deny", "file:/a /b", "3:9");
        assert_hint("deny", "file:/a b", "quotes");
        assert_hint("deny", "file:/a\\ b", "quotes");
        assert_entry_told("deny", "file:/", "3:6w");
}

static void test_the_longest_path_fits_in_any_form(void)
{
        g_autoptr(GString) entry = g_string_new("file:");
        g_autofree char *path = NULL;

        for (unsigned i = 0; i < 2047; i++)
                g_string_append(entry, "/a");
        g_string_append_c(entry, 'b');
        path = g_strdup(entry->str + 5);
        g_assert_cmpuint(strlen(path), ==, 4095);
        assert_file(entry->str, (File){path, ACCESS_ALL, 0, 0});
        g_string_append_c(entry, '/');
        assert_file(entry->str, (File){path, ACCESS_ALL, 1, 0});
        g_string_insert_c(entry, 5 + 4095, 'c');
        assert_entry_told("deny", entry->str, "3:4101");
}

/* ---- programs ---- */

static void test_running_is_denied_by_path_and_directory(void)
{
        assert_file("exec:/usr/bin/gcc", (File){"/usr/bin/gcc", RUN, 0, 0});
        assert_file("exec:/usr/bin/", (File){"/usr/bin", RUN, 1, 0});
        assert_file("exec:/home/*/bin/", (File){"/home/*/bin", RUN, 1, 1});
}

static void assert_digest(const char *entry, enum digest_algorithm algorithm)
{
        Policy *policy;
        const Rule *rule = one_rule("allow", entry, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_DIGEST);
        g_assert_cmpint(rule->verdict, ==, RULE_ALLOW);
        g_assert_cmpuint(rule->digest.algorithm, ==, algorithm);
        g_assert_cmpuint(rule->digest.digest[0], ==, 0x01);
        g_assert_cmpuint(rule->digest.digest[31], ==, 0xef);
        policy_unref(policy);
}

static void test_running_is_allowed_by_digest(void)
{
        assert_digest("exec:sha256:" DIGITS, DIGEST_SHA256);
        assert_digest("exec:fsverity:" DIGITS, DIGEST_VERITY_SHA256);
        assert_digest("exec:fsverity:sha256:" DIGITS, DIGEST_VERITY_SHA256);
        assert_entry_told("deny", "exec:sha256:12", "3:13");
        assert_entry_told("deny", "exec:fsverity:12", "3:15");
        assert_entry_told("deny", "exec:md5:12", "3:6");
        assert_hint("deny", "sha256:" DIGITS, "exec:");
}

static void test_a_program_s_name_has_up_to_15_bytes(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny", "comm:\"a b\\*\\xff\"", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_COMM);
        g_assert_cmpstr(rule->comm, ==, "a b*\xff");
        policy_unref(policy);
        assert_entry_told("deny", "comm:exactly-fifteen", "");
        assert_entry_told("deny", "comm:sixteen-bytes-it", "3:21");
        assert_entry_told("deny", "comm:x*", "3:6");
        assert_entry_told("deny", "comm:/bin/x", "3:6");
        assert_entry_told("deny", "comm:", "3:6");
        assert_entry_told("deny", "comm:\"\"", "3:7");
}

/* ---- network ---- */

typedef struct Net {
        const char *address;
        unsigned prefix, first, last, protocol, operations;
} Net;

static void assert_net(const char *entry, Net net)
{
        Policy *policy;
        const Rule *rule = one_rule("deny", entry, &policy);
        uint8_t address[16];

        g_assert_cmpint(inet_pton(AF_INET6, net.address, address), ==, 1);
        g_assert_cmpint(rule->kind, ==, RULE_NET);
        g_assert_cmpmem(rule->net.address, 16, address, 16);
        g_assert_cmpuint(rule->net.prefix, ==, net.prefix);
        g_assert_cmpuint(rule->net.first_port, ==, net.first);
        g_assert_cmpuint(rule->net.last_port, ==, net.last);
        g_assert_cmpuint(rule->net.protocol, ==, net.protocol);
        g_assert_cmpuint(rule->net.operations, ==, net.operations);
        policy_unref(policy);
}

static void test_what_is_left_out_at_the_end_is_any(void)
{
        assert_net("net:connect", (Net){"::", 0, 0, 0, 0, OP(NET_CONNECT)});
        assert_net("net:*", (Net){"::", 0, 0, 0, 0, ALL_OPS});
        assert_net("net:*:*:*/*", (Net){"::", 0, 0, 0, 0, ALL_OPS});
        assert_net("net:bind,listen,accept,send,recv:*",
                   (Net){"::", 0, 0, 0, 0, ALL_OPS & ~OP(NET_CONNECT)});
        assert_net("net:connect:192.0.2.1",
                   (Net){"::ffff:192.0.2.1", 128, 0, 0, 0, OP(NET_CONNECT)});
        assert_net("net:bind:*:22", (Net){"::", 0, 22, 22, 0, OP(NET_BIND)});
}

static void test_addresses_ports_and_protocols_are_read(void)
{
        assert_net("net:connect:203.0.113.0/24:443/tcp",
                   (Net){"::ffff:203.0.113.0", 120, 443, 443, IPPROTO_TCP, OP(NET_CONNECT)});
        assert_net("net:connect:[2001:db8::]/32:443/tcp",
                   (Net){"2001:db8::", 32, 443, 443, IPPROTO_TCP, OP(NET_CONNECT)});
        assert_net("net:connect:[2001:db8::1]",
                   (Net){"2001:db8::1", 128, 0, 0, 0, OP(NET_CONNECT)});
        assert_net("net:send:[::ffff:192.0.2.1]:53/udp",
                   (Net){"::ffff:192.0.2.1", 128, 53, 53, IPPROTO_UDP, OP(NET_SEND)});
        assert_net("net:bind:*:1-65535/udplite",
                   (Net){"::", 0, 1, 65535, IPPROTO_UDPLITE, OP(NET_BIND)});
        assert_net("net:bind:*:8000-8999", (Net){"::", 0, 8000, 8999, 0, OP(NET_BIND)});
        assert_net("net:connect:*:7-7/sctp", (Net){"::", 0, 7, 7, IPPROTO_SCTP, OP(NET_CONNECT)});
        assert_net("net:send:*:*/icmp", (Net){"::", 0, 0, 0, IPPROTO_ICMP, OP(NET_SEND)});
        assert_net("net:send:*:*/icmpv6", (Net){"::", 0, 0, 0, IPPROTO_ICMPV6, OP(NET_SEND)});
        assert_net("net:send:192.0.2.1:*/raw",
                   (Net){"::ffff:192.0.2.1", 128, 0, 0, NET_PROTOCOL_RAW, OP(NET_SEND)});
        assert_net("net:*:*:*/packet", (Net){"::", 0, 0, 0, NET_PROTOCOL_PACKET, ALL_OPS});
        assert_net("net:connect:*:*/33", (Net){"::", 0, 0, 0, 33, OP(NET_CONNECT)});
}

static void test_faults_of_addresses_are_at_their_place(void)
{
        assert_entry_told("deny", "net:connect:10.0.0", "3:13");
        assert_entry_told("deny", "net:connect:10.0.0.0/33", "3:22");
        assert_entry_told("deny", "net:connect:10.0.0.1/8", "3:13w");
        assert_entry_told("deny", "net:connect:[2001:db8::1]/32", "3:14w");
        assert_entry_told("deny", "net:connect:[::]/0", "3:14w");
        assert_entry_told("deny", "net:connect:[::1", "3:13");
        assert_entry_told("deny", "net:connect:[::1]x", "3:18");
        assert_entry_told("deny", "net:connect:[::1/64]", "3:14");
        assert_entry_told("deny", "net:connect:[1.2.3.4]", "3:13");
        assert_entry_told("deny", "net:connect:2001:db8::1", "3:13");
        assert_entry_told("deny", "net:connect:::1", "3:13");
        assert_entry_told("deny", "net:connect:", "3:13");
        assert_entry_told("deny", "net:connect::80", "3:13");
        assert_entry_told("deny", "net:connect:*/8", "3:15");
        assert_entry_told("deny", "net:connect:0.0.0.0", "3:13w");
        assert_entry_told("deny", "net:bind:[::]:80", "3:11w");
}

static void test_faults_of_operations_ports_and_protocols_are_at_their_place(void)
{
        assert_entry_told("deny", "net:", "3:5");
        assert_entry_told("deny", "net:conect:*", "3:5");
        assert_entry_told("deny", "net:bind,,send", "3:10");
        assert_entry_told("deny", "net:bind,x,y", "3:10 3:12");
        assert_entry_told("deny", "net:bind,*", "3:10");
        assert_entry_told("deny", "net:bind:*:0", "3:12");
        assert_entry_told("deny", "net:bind:*:", "3:12");
        assert_entry_told("deny", "net:bind:*:70000", "3:12");
        assert_entry_told("deny", "net:bind:*:80-", "3:15");
        assert_entry_told("deny", "net:bind:*:-80", "3:12");
        assert_entry_told("deny", "net:bind:*:90-80", "3:12");
        assert_entry_told("deny", "net:bind:*:80,443", "3:12");
        assert_entry_told("deny", "net:bind:*:80/", "3:15");
        assert_entry_told("deny", "net:bind:*:80/TCP", "3:15");
        assert_entry_told("deny", "net:bind:*:80/256", "3:15");
        assert_entry_told("deny", "net:bind:*:80/0", "3:15");
        assert_entry_told("deny", "net:bind:*:0/x", "3:12 3:14");
        assert_entry_told("deny", "net:bind:*:80/tcp:x", "3:12");
}

static void test_what_never_happens_is_a_fault(void)
{
        assert_entry_told("deny", "net:listen:*:53/udp", "3:5");
        assert_entry_told("deny", "net:listen,accept:*:*/raw", "3:5");
        assert_entry_told("deny", "net:bind,listen:*:53/udp", "");
        assert_entry_told("deny", "net:send:*:80/raw", "3:12");
        assert_entry_told("deny", "net:send:*:80/icmp", "3:12");
        assert_entry_told("deny", "net:send:10.0.0.1:*/packet", "3:5");
}

static void test_faults_about_the_network_tell_what_to_write(void)
{
        assert_hint("deny", "net:connect:443", "*:443");
        assert_hint("deny", "net:connect:any:443", "*");
        assert_hint("deny", "net:connect:localhost", "127.0.0.0/8");
        assert_hint("deny", "net:connect:example.org", "not looked up");
        assert_hint("deny", "net:connect:10.0.0.1/tcp", "net:connect:10.0.0.1:*/tcp");
        assert_hint("deny", "net:egress:*", "connect,send");
        assert_hint("deny", "net:10.0.0.1", "connect,send");
        assert_hint("deny", "net:tcp:*:80", "/tcp");
        assert_hint("deny", "net:connect:2001:db8::1:80", "[2001:db8::1]");
        assert_hint("deny", "net:connect:[::1/64]", "[2001:db8::]/32");
        assert_hint("deny", "net:bind:0.0.0.0:22", "write *");
        assert_hint("deny", "[::1]:80", "net:connect,send:[::1]:80");
        assert_hint("deny", "10.0.0.1", "net:connect,send:");
}

/* ---- the kernel, inodes, cgroups ---- */

static void test_objects_of_the_kernel_are_read(void)
{
        static const char *const entries[N_KERNEL_OBJECTS] = {
                "kernel:ptrace", "kernel:module", "kernel:bpf", "kernel:mount", "kernel:kexec"};

        for (unsigned i = 0; i < N_KERNEL_OBJECTS; i++) {
                Policy *policy;
                const Rule *rule = one_rule("audit", entries[i], &policy);

                g_assert_cmpint(rule->kind, ==, RULE_KERNEL);
                g_assert_cmpint(rule->verdict, ==, RULE_AUDIT);
                g_assert_cmpuint(rule->kernel, ==, i);
                policy_unref(policy);
        }
        assert_entry_told("deny", "kernel:modules", "3:8");
        assert_entry_told("deny", "kernel:", "3:8");
}

static void test_a_file_may_be_named_by_its_number(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny", "inode:8388609:12 access=write", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_INODE);
        g_assert_cmpuint(rule->inode.device, ==, 8388609);
        g_assert_cmpuint(rule->inode.inode, ==, 12);
        g_assert_cmpuint(rule->inode.access, ==, ACCESS_WRITE);
        policy_unref(policy);
        assert_entry_told("deny", "inode:8:x", "3:9");
}

static void test_a_cgroup_is_free_of_all_rules_under_allow_alone(void)
{
        Policy *policy;
        const Rule *rule = one_rule("allow", "cgroup:x@1.service", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_ALLOW_CGROUP);
        g_assert_cmpint(rule->verdict, ==, RULE_ALLOW);
        g_assert_cmpstr(rule->cgroup.path, ==, "x@1.service");
        policy_unref(policy);
        assert_entry_told("allow", "cgroup:/sys/fs/cgroup/a/", "");
        assert_entry_told("allow", "cgroup:cgid:7", "");
        assert_entry_told("allow", "cgroup:/", "3:8w");
        assert_entry_told("allow", "cgroup:nginx", "3:8");
        assert_entry_told("deny", "cgroup:/a", "3:1");
        assert_entry_told("audit", "cgroup:/a", "3:1");
        assert_entry_told("allow", "cgroup:/a uid=3", "3:11");
}

static void test_what_is_no_object_is_answered(void)
{
        assert_hint("deny", "/etc/shadow", "file:/etc/shadow");
        assert_hint("deny", "File:/etc/shadow", "file:");
        assert_hint("deny", "fiel:/etc/shadow", "file:");
        assert_hint("deny", "uid=3", "object first");
        assert_hint("deny", "exec=deny", "[default]");
        assert_hint("deny", "deny", "file:, exec:");
        assert_entry_told("deny", "/etc/shadow uid=x", "3:1 3:17");
}

/* ---- defaults ---- */

static void assert_default(const char *entry, unsigned access, RuleVerdict verdict)
{
        Policy *policy;
        const Rule *rule = one_rule("default", entry, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_DEFAULT);
        g_assert_cmpuint(rule->def.access, ==, access);
        g_assert_cmpint(rule->verdict, ==, verdict);
        policy_unref(policy);
}

static void test_running_and_mapping_have_defaults(void)
{
        assert_default("exec=deny", ACCESS_EXEC, RULE_DENY);
        assert_default("exec=allow uid=3", ACCESS_EXEC, RULE_ALLOW);
        assert_default("map=audit", ACCESS_MAP, RULE_AUDIT);
        assert_default("exec=deny map=deny id=all", RUN, RULE_DENY);
}

static void test_what_is_no_default_is_answered(void)
{
        assert_entry_told("default", "exec=no", "3:6");
        assert_entry_told("default", "map=", "3:5");
        assert_entry_told("default", "exec=deny exec=deny", "3:11");
        assert_entry_told("default", "exec=deny map=allow", "3:11");
        assert_entry_told("default", "exec", "3:1");
        assert_hint("default", "file=deny", "file:/ under [deny]");
        assert_hint("default", "net=deny", "net:* under [deny]");
        assert_hint("default", "exec:/usr/bin/", "objects stand under");
        assert_hint("default", "uid=3 exec=deny", "first");
        assert_hint("default", "exec=deny access=exec", "remove it");
}

static void test_the_same_meaning_twice_is_a_warning(void)
{
        assert_told("version=7\n[deny]\nfile:/a\nfile:\"/a\" id=x\nfile:/a/\nfile:/a uid=3\n"
                    "exec:/a\nfile:/a access=exec,map\nfile:/a mode=audit\nfile:/a uid=03\n",
                    "4:1w 8:1w 10:1w");
        assert_told("version=7\n[deny]\nfile:/*\nfile:\"/\\*\"\n[allow]\nfile:/*\n", "");
        assert_told("version=7\n[deny]\nnet:connect:*:80\nnet:connect:*:80-80\n[default]\n"
                    "exec=deny\nexec=deny cgroup=/x\nexec=deny cgroup=/x\n",
                    "4:1w 8:1w");
}

static void test_the_entry_of_a_rule_is_without_its_comment(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny", " file:\"/# a\"\tuid=3 \t # who # what", &policy);

        g_assert_cmpstr(rule->entry, ==, "file:\"/# a\"\tuid=3");
        g_assert_cmpstr(rule->section, ==, "deny");
        g_assert_cmpuint(rule->column, ==, 2);
        policy_unref(policy);
}

#define ADD(test) g_test_add_func("/policy/v7/" #test, test)

static void add_object_tests(void)
{
        ADD(test_a_slash_at_the_end_means_all_below);
        ADD(test_a_star_stands_for_one_name);
        ADD(test_quotes_hold_blanks_and_escapes);
        ADD(test_an_escaped_star_stands_for_itself);
        ADD(test_faulty_quotes_and_escapes_are_told);
        ADD(test_paths_that_are_none_are_faults);
        ADD(test_the_longest_path_fits_in_any_form);
        ADD(test_running_is_denied_by_path_and_directory);
        ADD(test_running_is_allowed_by_digest);
        ADD(test_a_program_s_name_has_up_to_15_bytes);
        ADD(test_objects_of_the_kernel_are_read);
        ADD(test_a_file_may_be_named_by_its_number);
        ADD(test_a_cgroup_is_free_of_all_rules_under_allow_alone);
        ADD(test_what_is_no_object_is_answered);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_object_tests();
        ADD(test_what_is_left_out_at_the_end_is_any);
        ADD(test_addresses_ports_and_protocols_are_read);
        ADD(test_faults_of_addresses_are_at_their_place);
        ADD(test_faults_of_operations_ports_and_protocols_are_at_their_place);
        ADD(test_what_never_happens_is_a_fault);
        ADD(test_faults_about_the_network_tell_what_to_write);
        ADD(test_running_and_mapping_have_defaults);
        ADD(test_what_is_no_default_is_answered);
        ADD(test_the_same_meaning_twice_is_a_warning);
        ADD(test_the_entry_of_a_rule_is_without_its_comment);
        return g_test_run();
}
