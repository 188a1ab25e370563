/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about addresses and ports: which keys they stand at, what decides, what is refused. */
#include <glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"
#include "policy/ports.h"

#define V7 "version=7\n"
#define HOOKS_OF_CONNECT (HOOK_BIT(HOOK_SOCKET_CONNECT) | HOOK_BIT(HOOK_SOCKET_SENDMSG))

static PolicyImage *compile(const char *text)
{
        Diagnostics diagnostics;
        PolicyImage *image = compile_text(text, &(const FakeMachine){}, &diagnostics);

        diagnostics_deinit(&diagnostics);
        return image;
}

typedef struct Question {
        uint32_t operation;
        const char *address; /* IPv4 */
        uint16_t port, protocol;
} Question;

static uint32_t rule_for(const PolicyImage *image, const Question *question)
{
        What what = {
                .kind = WHAT_NET,
                .access = 1u << question->operation,
                .net = {.port = question->port, .protocol = question->protocol},
        };

        memset(what.net.address + 10, 0xff, 2);
        g_assert_cmpint(inet_pton(AF_INET, question->address, what.net.address + 12), ==, 1);
        return image_decide(image, &(const Who){}, &what).rule;
}

#define assert_rule(image, number, ...)                                                            \
        g_assert_cmpuint(rule_for(image, &(const Question){__VA_ARGS__}), ==, number)

/* ---- ports ---- */

static void test_ports_of_a_class_are_in_the_same_ranges(void)
{
        Ports ports = {};

        g_assert_cmpint(ports_add(&ports, 100, 200), ==, 0);
        g_assert_cmpint(ports_add(&ports, 150, 160), ==, 0);
        g_assert_cmpint(ports_add(&ports, 150, 160), ==, 0);
        g_assert_cmpint(ports_add(&ports, 65000, 65535), ==, 0);
        g_assert_cmpint(ports_build(&ports), ==, 0);
        g_assert_cmpuint(ports.n_ranges, ==, 3);
        g_assert_cmpuint(ports.table[0], ==, 0);
        g_assert_cmpuint(ports.table[99], ==, 0);
        g_assert_cmpuint(ports.table[201], ==, 0);
        g_assert_cmpuint(ports.table[100], !=, 0);
        g_assert_cmpuint(ports.table[100], ==, ports.table[200]);
        g_assert_cmpuint(ports.table[150], !=, ports.table[149]);
        g_assert_cmpuint(ports.table[150], ==, ports.table[160]);
        g_assert_cmpuint(ports.table[65535], ==, ports.table[65000]);
        g_assert_cmpuint(ports_find(&ports, 100, 200)->n, ==, 2);
        g_assert_cmpuint(ports_find(&ports, 150, 160)->n, ==, 1);
        g_assert_null(ports_find(&ports, 100, 160));
        ports_deinit(&ports);
}

/* Whether the class of each port tells in which of the ranges it is. */
static void check_ports(const Ports *ports)
{
        for (size_t i = 0; i < ports->n_ranges; i++) {
                const PortRange *range = &ports->ranges[i];
                g_autofree uint8_t *is_listed = g_new0(uint8_t, N_PORTS);

                for (uint32_t j = 0; j < range->n; j++) {
                        g_assert_cmpuint(is_listed[ports->classes[range->at + j]], ==, 0);
                        is_listed[ports->classes[range->at + j]] = 1;
                }
                for (uint32_t port = 0; port < N_PORTS; port++)
                        g_assert_cmpint(is_listed[ports->table[port]], ==,
                                        port >= range->first && port <= range->last);
        }
}

static void test_random_ranges_are_told_by_their_classes(void)
{
        for (int round = 0; round < 50; round++) {
                Ports ports = {};
                int n = g_test_rand_int_range(1, 12), width = round % 2 ? 20 : 65535;

                for (int i = 0; i < n; i++) {
                        uint16_t first = (uint16_t) g_test_rand_int_range(1, width);
                        uint16_t last = (uint16_t) g_test_rand_int_range(first + 1, width + 1);

                        g_assert_cmpint(ports_add(&ports, first, last), ==, 0);
                }
                g_assert_cmpint(ports_build(&ports), ==, 0);
                check_ports(&ports);
                ports_deinit(&ports);
        }
}

static void test_every_port_may_be_in_a_class_of_its_own(void)
{
        Ports ports = {};

        for (uint16_t port = 1; port < 65535; port = (uint16_t) (port + 2))
                g_assert_cmpint(ports_add(&ports, port, (uint16_t) (port + 1)), ==, 0);
        for (uint16_t port = 2; port < 65534; port = (uint16_t) (port + 2))
                g_assert_cmpint(ports_add(&ports, port, (uint16_t) (port + 1)), ==, 0);
        g_assert_cmpint(ports_build(&ports), ==, 0);
        for (uint32_t port = 2; port < 65535; port++)
                g_assert_cmpuint(ports.table[port], !=, ports.table[port - 1]);
        ports_deinit(&ports);
}

static void test_ranges_that_cut_each_other_too_often_are_refused_with_a_line(void)
{
        g_autoptr(GString) text = g_string_new(V7 "[deny]\n");
        Diagnostics diagnostics = {};
        Document document = {.name = "doc"};
        Resolver resolver = fake_resolver(&(const FakeMachine){});
        PolicyImage *image = NULL;

        for (int i = 1; i < 1500; i++)
                g_string_append_printf(text, "net:send:*:%d-%d\n", i, 65535 - i);
        document.text = text->str;
        document.n_text = text->len;
        g_assert_cmpint(policy_parse(&document.policy, text->str, text->len, &diagnostics), ==, 0);
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, &diagnostics), ==,
                        -E2BIG);
        g_assert_null(image);
        g_assert_cmpuint(diagnostics.n_items, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 1501);
        diagnostics_deinit(&diagnostics);
        policy_unref(document.policy);
}

/* ---- keys ---- */

static void test_a_range_of_one_port_is_that_port(void)
{
        PolicyImage *image = compile(V7 "[deny]\nnet:send:*:80-80\n");

        g_assert_cmpuint(image->n_nets, ==, 1);
        g_assert_cmpuint(image->nets[0].key.kind, ==, PORT_EXACT);
        g_assert_cmpuint(image->nets[0].key.port, ==, 80);
        g_assert_null(image->port_classes);
        g_assert_false(image->flags & IMAGE_RANGES);
        policy_image_free(image);
}

static void test_the_prefixes_say_which_shapes_of_keys_there_are(void)
{
        PolicyImage *image = compile(V7 "[deny]\nnet:send:10.0.0.0/8:80\nnet:send:10.1.0.0/16:1-9/"
                                        "udp\nnet:send:10.2.0.0/16\n");

        g_assert_cmpuint(image->n_prefixes, ==, 2);
        g_assert_cmpuint(image->prefixes[0].length, ==, 112);
        g_assert_cmpuint(image->prefixes[0].shapes, ==, SHAPE(PORT_CLASS, 1) | SHAPE(PORT_ANY, 0));
        g_assert_cmpuint(image->prefixes[1].length, ==, 104);
        g_assert_cmpuint(image->prefixes[1].shapes, ==, SHAPE(PORT_EXACT, 0));
        g_assert_true(image->flags & IMAGE_RANGES);
        policy_image_free(image);
}

static void test_the_most_specific_key_decides(void)
{
        PolicyImage *image = compile(V7 "[deny]\n"
                                        "net:send:10.0.0.0/8\n"        /* 1 */
                                        "net:send:10.1.0.0/16:80-90\n" /* 2 */
                                        "net:send:10.1.0.0/16:85\n"    /* 3 */
                                        "net:send:10.1.0.0/16\n"       /* 4 */
                                        "net:send:10.1.0.0/16:85/udp\n" /* 5 */);

        assert_rule(image, 1, NET_SEND, "10.2.0.1", 85, IPPROTO_UDP);
        assert_rule(image, 2, NET_SEND, "10.1.0.1", 80, IPPROTO_UDP);
        assert_rule(image, 3, NET_SEND, "10.1.0.1", 85, IPPROTO_TCP);
        assert_rule(image, 4, NET_SEND, "10.1.0.1", 91, IPPROTO_UDP);
        assert_rule(image, 5, NET_SEND, "10.1.0.1", 85, IPPROTO_UDP);
        assert_rule(image, 0, NET_SEND, "11.1.0.1", 85, IPPROTO_UDP);
        assert_rule(image, 0, NET_BIND, "10.1.0.1", 85, IPPROTO_UDP);
        policy_image_free(image);
}

static void test_an_operation_that_a_key_is_not_about_goes_to_a_less_specific_one(void)
{
        PolicyImage *image = compile(V7 "[deny]\nnet:send:10.0.0.0/8\nnet:connect:10.1.0.0/16\n");

        assert_rule(image, 1, NET_SEND, "10.1.0.1", 80, IPPROTO_TCP);
        assert_rule(image, 2, NET_CONNECT, "10.1.0.1", 80, IPPROTO_TCP);
        policy_image_free(image);
}

/* ---- what comes in ---- */

/* The access of the only clause. */
static uint32_t access_of(const char *rules)
{
        g_autofree char *text = g_strconcat(V7, rules, NULL);
        PolicyImage *image = compile(text);
        uint32_t access;

        g_assert_cmpuint(image->n_clauses, ==, 2);
        access = image->clauses[1].access;
        policy_image_free(image);
        return access;
}

static void test_what_comes_in_is_judged_where_it_can_be_told(void)
{
        g_assert_cmphex(access_of("[deny]\nnet:accept:10.0.0.1\n"), ==,
                        1u << NET_ACCEPT | NET_ACCEPT_ARRIVING);
        g_assert_cmphex(access_of("[deny]\nnet:accept:*:80\n"), ==,
                        1u << NET_ACCEPT | NET_ACCEPT_ARRIVING | NET_ACCEPT_UNSEEN);
        g_assert_cmphex(access_of("[deny]\nnet:accept:*:80 exe=/a\n"), ==,
                        1u << NET_ACCEPT | NET_ACCEPT_UNSEEN);
        g_assert_cmphex(access_of("[deny]\nnet:recv:10.0.0.1\n"), ==,
                        1u << NET_RECV | NET_RECV_ARRIVING);
        g_assert_cmphex(access_of("[deny]\nnet:recv:10.0.0.1:*/tcp exe=/a\n"), ==, 1u << NET_RECV);
        g_assert_cmphex(access_of("[deny]\nnet:recv:* exe=/a\n"), ==,
                        1u << NET_RECV | NET_RECV_UNSEEN);
}

static void assert_refused(const char *rules, unsigned line)
{
        g_autofree char *text = g_strconcat(V7, rules, NULL);
        Document document = {.name = "doc", .text = text, .n_text = strlen(text)};
        Resolver resolver = fake_resolver(&(const FakeMachine){});
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;

        g_assert_cmpint(policy_parse(&document.policy, text, document.n_text, &diagnostics), ==, 0);
        diagnostics_deinit(&diagnostics);
        diagnostics = (Diagnostics){};
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, &diagnostics), ==,
                        -EINVAL);
        g_assert_cmpuint(diagnostics.n_items, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, line);
        diagnostics_deinit(&diagnostics);
        policy_unref(document.policy);
}

static void test_a_program_and_where_it_takes_from_are_not_told_together(void)
{
        assert_refused("[deny]\nnet:accept:10.0.0.1 exe=/a\n", 3);
        assert_refused("[deny]\nnet:recv:10.0.0.1 exe=/a\n", 3);
        assert_refused("[deny]\nnet:recv:*:53/udp exe=/a\n", 3);
        assert_refused("[deny]\nnet:accept:* exe=/a\n[allow]\nnet:accept:10.0.0.1\n", 3);
        assert_refused("[deny]\nnet:recv:* exe=/a\n[audit]\nnet:recv:10.0.0.1\n", 3);
}

static void test_an_operation_needs_its_hooks(void)
{
        static const struct {
                const char *rule;
                uint64_t hooks;
        } rows[] = {
                {"net:connect:*", HOOKS_OF_CONNECT},
                {"net:bind:*", HOOK_BIT(HOOK_SOCKET_BIND)},
                {"net:listen:*", HOOK_BIT(HOOK_SOCKET_LISTEN)},
                {"net:accept:*", HOOK_BIT(HOOK_SOCKET_SOCK_RCV_SKB) | HOOK_BIT(HOOK_SOCKET_ACCEPT)},
                {"net:accept:10.0.0.1", HOOK_BIT(HOOK_SOCKET_SOCK_RCV_SKB)},
                {"net:send:*", HOOK_BIT(HOOK_SOCKET_SENDMSG)},
                {"net:recv:*", HOOK_BIT(HOOK_SOCKET_RECVMSG) | HOOK_BIT(HOOK_SOCKET_SOCK_RCV_SKB)},
                {"net:recv:*:*/tcp", HOOK_BIT(HOOK_SOCKET_RECVMSG)},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strconcat(V7 "[deny]\n", rows[i].rule, "\n", NULL);
                PolicyImage *image = compile(text);

                g_assert_cmphex(image->hooks, ==, rows[i].hooks);
                policy_image_free(image);
        }
}

#define ADD(name) g_test_add_func("/policy-nets/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(ports_of_a_class_are_in_the_same_ranges);
        ADD(random_ranges_are_told_by_their_classes);
        ADD(every_port_may_be_in_a_class_of_its_own);
        ADD(ranges_that_cut_each_other_too_often_are_refused_with_a_line);
        ADD(a_range_of_one_port_is_that_port);
        ADD(the_prefixes_say_which_shapes_of_keys_there_are);
        ADD(the_most_specific_key_decides);
        ADD(an_operation_that_a_key_is_not_about_goes_to_a_less_specific_one);
        ADD(what_comes_in_is_judged_where_it_can_be_told);
        ADD(a_program_and_where_it_takes_from_are_not_told_together);
        ADD(an_operation_needs_its_hooks);
        return g_test_run();
}
