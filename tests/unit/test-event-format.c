/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one event says: its JSON, its path. */
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>

#include "event-fixture.h"

static struct event socket_event(const char *address, uint16_t protocol)
{
        struct event event = file_event(1);
        uint8_t bytes[16];

        g_assert_cmpint(inet_pton(AF_INET6, address, bytes), ==, 1);
        memcpy(event.address, bytes, sizeof(bytes));
        event.hook = HOOK_SOCKET_CONNECT;
        event.operation = NET_CONNECT;
        event.port = 443;
        event.protocol = protocol;
        event.path_length = 0;
        return event;
}

/* ---- format ---- */

static json_object *format(const struct event *event, const ImageRule *rule, const char *path)
{
        _cleanup_(freep) char *text = event_format(event, rule, path);
        json_object *object;

        g_assert_nonnull(text);
        g_assert_null(strchr(text, '\n'));
        g_assert_true(g_utf8_validate(text, -1, NULL));
        object = json_tokener_parse(text);
        g_assert_nonnull(object);
        return object;
}

static void test_a_file_event_says_all_of_it(void)
{
        struct event event = file_event(17);
        json_object *object = format(&event, &rule_shadow, "/etc/shadow"), *access, *exe;

        g_assert_cmpuint(number_of(object, "seq"), ==, 17);
        g_assert_cmpuint(number_of(object, "time_usec"), ==, 5000);
        g_assert_cmpstr(text_of(object, "hook"), ==, "file_open");
        g_assert_cmpstr(text_of(object, "verdict"), ==, "denied");
        g_assert_cmpuint(number_of(object, "generation"), ==, 3);
        g_assert_cmpstr(text_of(object, "policy"), ==, "base");
        g_assert_cmpuint(number_of(object, "line"), ==, 7);
        g_assert_cmpstr(text_of(object, "rule"), ==, "deny_path /etc/shadow");
        g_assert_cmpstr(text_of(object, "id"), ==, "base:7");
        g_assert_null(text_of(object, "why"));
        g_assert_null(text_of(object, "signal"));
        g_assert_null(text_of(object, "digest"));
        g_assert_cmpuint(number_of(object, "pid"), ==, 42);
        g_assert_cmpuint(number_of(object, "ppid"), ==, 1);
        g_assert_cmpuint(number_of(object, "uid"), ==, 1000);
        g_assert_cmpuint(number_of(object, "gid"), ==, 100);
        g_assert_cmpuint(number_of(object, "loginuid"), ==, 1000);
        g_assert_cmpstr(text_of(object, "comm"), ==, "cat");
        g_assert_cmpuint(number_of(object, "start_usec"), ==, 77);
        g_assert_cmpuint(number_of(object, "cgroup_id"), ==, UINT64_MAX - 1);
        g_assert_cmpstr(text_of(object, "path"), ==, "/etc/shadow");
        g_assert_cmpstr(text_of(object, "device"), ==, "259:2");
        g_assert_cmpuint(number_of(object, "inode"), ==, 1234);
        g_assert_true(json_object_object_get_ex(object, "access", &access));
        g_assert_cmpstr(json_object_to_json_string_ext(access, JSON_C_TO_STRING_PLAIN), ==,
                        "[\"read\",\"write\"]");
        g_assert_true(json_object_object_get_ex(object, "exe", &exe));
        g_assert_cmpstr(text_of(exe, "device"), ==, "8:1");
        g_assert_cmpuint(number_of(exe, "inode"), ==, 9);
        g_assert_null(text_of(object, "reason"));
        g_assert_null(text_of(object, "address"));
        json_object_put(object);
}

static void test_an_audited_event_says_so(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.verdict = VERDICT_AUDITED;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "verdict"), ==, "audited");
        json_object_put(object);
}

static void test_every_access_has_a_word(void)
{
        struct event event = file_event(1);
        json_object *object, *access;

        event.access = ACCESS_ALL;
        object = format(&event, &rule_shadow, NULL);
        g_assert_true(json_object_object_get_ex(object, "access", &access));
        g_assert_cmpstr(json_object_to_json_string_ext(access, JSON_C_TO_STRING_PLAIN), ==,
                        "[\"read\",\"write\",\"exec\",\"create\",\"delete\",\"link\",\"attr\","
                        "\"map\"]");
        json_object_put(object);
}

static void test_without_a_visible_path_the_one_in_the_file_system_is_told(void)
{
        struct event event = file_event(1);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "path"), ==, "/etc/shadow");
        json_object_put(object);
}

static void test_an_event_without_a_rule_says_why(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.rule = RULE_NONE;
        event.flags = EVENT_UNPLACED;
        object = format(&event, NULL, NULL);
        g_assert_null(text_of(object, "policy"));
        g_assert_null(text_of(object, "line"));
        g_assert_null(text_of(object, "rule"));
        g_assert_cmpstr(text_of(object, "reason"), ==,
                        "the name could not be followed to its root");
        json_object_put(object);
        event.flags = EVENT_HOLDS_RULES;
        object = format(&event, NULL, NULL);
        g_assert_cmpstr(text_of(object, "reason"), ==, "rules name something below this directory");
        json_object_put(object);
}

static void test_an_ipv4_address_is_told_as_one(void)
{
        struct event event = socket_event("::ffff:203.0.113.9", IPPROTO_TCP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "hook"), ==, "socket_connect");
        g_assert_cmpstr(text_of(object, "operation"), ==, "connect");
        g_assert_cmpstr(text_of(object, "address"), ==, "203.0.113.9");
        g_assert_cmpuint(number_of(object, "port"), ==, 443);
        g_assert_cmpstr(text_of(object, "protocol"), ==, "tcp");
        g_assert_null(text_of(object, "path"));
        json_object_put(object);
}

static void test_an_ipv6_address_is_told_as_one(void)
{
        struct event event = socket_event("2001:db8::1", IPPROTO_UDP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "address"), ==, "2001:db8::1");
        g_assert_cmpstr(text_of(object, "protocol"), ==, "udp");
        json_object_put(object);
}

static void test_another_protocol_is_a_number(void)
{
        struct event event = socket_event("::1", IPPROTO_SCTP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpuint(number_of(object, "protocol"), ==, IPPROTO_SCTP);
        json_object_put(object);
}

static void test_raw_and_packet_sockets_are_told_as_such(void)
{
        struct event event = socket_event("::1", NET_PROTOCOL_RAW);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "protocol"), ==, "raw");
        json_object_put(object);
        event.protocol = NET_PROTOCOL_PACKET;
        event.operation = NET_RECV;
        event.hook = HOOK_SOCKET_SOCK_RCV_SKB;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "protocol"), ==, "packet");
        g_assert_cmpstr(text_of(object, "operation"), ==, "recv");
        json_object_put(object);
}

static void test_what_a_rule_says_of_itself_is_told(void)
{
        struct event event = file_event(1);
        RuleOptions options = {.id = "no-shadow", .why = "ask the \xff desk"};
        Rule said = *rule_shadow.rule;
        ImageRule rule = {rule_shadow.document, &said};
        json_object *object;

        said.options = &options;
        object = format(&event, &rule, NULL);
        g_assert_cmpstr(text_of(object, "id"), ==, "no-shadow");
        g_assert_cmpstr(text_of(object, "why"), ==, "ask the \\xff desk");
        json_object_put(object);
}

static void test_a_signal_has_its_name(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.signal = SIGTERM;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "signal"), ==, "SIGTERM");
        json_object_put(object);
        event.signal = SIGKILL;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "signal"), ==, "SIGKILL");
        json_object_put(object);
}

static void test_a_digest_is_told_with_its_algorithm(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.hook = HOOK_BPRM_CREDS_FOR_EXEC;
        event.digest_algorithm = DIGEST_SHA256;
        for (unsigned i = 0; i < DIGEST_SIZE; i++)
                event.digest[i] = (uint8_t) (i * 8 + 1);
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "digest"), ==,
                        "sha256:0109111921293139414951596169717981899199a1a9b1b9c1c9d1d9e1e9f1f9");
        json_object_put(object);
        event.digest_algorithm = DIGEST_VERITY_SHA256;
        object = format(&event, &rule_shadow, NULL);
        g_assert_true(g_str_has_prefix(text_of(object, "digest"), "fsverity:01"));
        json_object_put(object);
}

static void test_an_event_about_the_kernel_says_what_and_whom(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.hook = HOOK_PTRACE_ACCESS_CHECK;
        event.operation = KERNEL_PTRACE;
        event.target = 77;
        event.path_length = 0;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "operation"), ==, "ptrace");
        g_assert_cmpuint(number_of(object, "target"), ==, 77);
        g_assert_null(text_of(object, "path"));
        g_assert_null(text_of(object, "access"));
        json_object_put(object);
        event.operation = UINT32_MAX;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "operation"), ==, "");
        json_object_put(object);
}

static void test_what_guards_the_service_is_told_as_such(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.hook = HOOK_SB_UMOUNT;
        event.rule = RULE_NONE;
        event.flags = EVENT_SELF;
        object = format(&event, NULL, "/run/aegis/bpf");
        g_assert_cmpstr(text_of(object, "reason"), ==, "the service guards itself");
        g_assert_cmpstr(text_of(object, "path"), ==, "/run/aegis/bpf");
        g_assert_null(text_of(object, "operation"));
        json_object_put(object);
}

static void test_a_denial_for_want_of_memory_is_told_as_such(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.hook = HOOK_BPRM_CHECK_SECURITY;
        event.rule = RULE_NONE;
        event.flags = EVENT_UNKEPT;
        object = format(&event, NULL, NULL);
        g_assert_cmpstr(text_of(object, "reason"), ==,
                        "memory was short for what must be kept in mind of the process");
        json_object_put(object);
}

static void test_a_name_of_a_process_is_made_utf8(void)
{
        struct event event = file_event(1);
        json_object *object;

        memcpy(event.comm, "\xff\x1b[31m\xc3\xa4", 8);
        memset(event.comm + 8, 'x', sizeof(event.comm) - 8); /* and no NUL at its end */
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "comm"), ==, "\\xff\\x1b[31m\xc3\xa4xxxxxxxx");
        json_object_put(object);
}

/* ---- paths ---- */

static void assert_path(const char *names, size_t n, uint8_t flags, const char *path)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *made = NULL;

        put_names(&event, names, n);
        event.flags = flags;
        made = event_path(&event);
        g_assert_cmpstr(made, ==, path);
}

static void test_names_become_a_path_from_the_root(void)
{
        assert_path("c\0b\0a", 6, 0, "/a/b/c");
        assert_path("c", 2, 0, "/c");
}

static void test_no_name_is_the_root(void)
{
        assert_path("", 0, 0, "/");
        assert_path("\0\0", 2, 0, "/");
}

static void test_a_cut_path_says_so(void)
{
        assert_path("c\0b", 4, EVENT_PATH_CUT, "\xe2\x80\xa6/b/c");
}

static void test_bytes_of_a_name_that_are_no_text_are_escaped(void)
{
        assert_path("\xff\n\t\0b\xc3\xa4", 7, 0, "/b\xc3\xa4/\\xff\\x0a\\x09");
}

static void test_a_path_that_ends_without_nul_is_bounded(void)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *path = NULL;

        memset(event.path, 'x', sizeof(event.path));
        event.path_length = UINT32_MAX;
        path = event_path(&event);
        g_assert_cmpuint(strlen(path), ==, sizeof(event.path) + 1);
}

static void test_the_longest_path_of_the_worst_bytes_fits(void)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *path = NULL;

        for (size_t i = 0; i < sizeof(event.path); i++)
                event.path[i] = i % 2 ? '\0' : '\xff';
        event.path_length = sizeof(event.path);
        event.flags = EVENT_PATH_CUT;
        path = event_path(&event);
        g_assert_cmpuint(strlen(path), ==, 3 + sizeof(event.path) / 2 * 5);
}

#define ADD(function) g_test_add_func("/event-format/" #function, function)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_file_event_says_all_of_it);
        ADD(test_an_audited_event_says_so);
        ADD(test_every_access_has_a_word);
        ADD(test_without_a_visible_path_the_one_in_the_file_system_is_told);
        ADD(test_an_event_without_a_rule_says_why);
        ADD(test_an_ipv4_address_is_told_as_one);
        ADD(test_an_ipv6_address_is_told_as_one);
        ADD(test_another_protocol_is_a_number);
        ADD(test_raw_and_packet_sockets_are_told_as_such);
        ADD(test_what_a_rule_says_of_itself_is_told);
        ADD(test_a_signal_has_its_name);
        ADD(test_a_digest_is_told_with_its_algorithm);
        ADD(test_an_event_about_the_kernel_says_what_and_whom);
        ADD(test_what_guards_the_service_is_told_as_such);
        ADD(test_a_denial_for_want_of_memory_is_told_as_such);
        ADD(test_a_name_of_a_process_is_made_utf8);
        ADD(test_names_become_a_path_from_the_root);
        ADD(test_no_name_is_the_root);
        ADD(test_a_cut_path_says_so);
        ADD(test_bytes_of_a_name_that_are_no_text_are_escaped);
        ADD(test_a_path_that_ends_without_nul_is_bounded);
        ADD(test_the_longest_path_of_the_worst_bytes_fits);
        return g_test_run();
}
