/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nets: rules about addresses and ports, one list a key, and the prefixes and shapes there are. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/ports.h"
#include "util/array.h"
#include "util/cleanup.h"

#define OPERATION(operation) (1u << (operation))

/* A rule at a key. Ranges are at many. */
#define PLACES_MAX TRIE_ENTRIES_MAX

typedef struct NetPlace {
        struct net_key key;
        uint32_t rule, access;
} NetPlace;

/* What the rules about one of accept and recv are like, all together. */
typedef struct Incoming {
        int by_program; /* who the program is counts, from wherever it comes */
        int lenient;    /* some of what comes from somewhere is allowed or recorded */
} Incoming;

typedef struct NetRules {
        Compiler *compiler;
        const Numbers *numbers;
        Ports ports;
        Incoming accept, recv;
        NetPlace *places;
        size_t n_places, n_places_allocated;
} NetRules;

static void net_rules_deinit(NetRules *rules)
{
        ports_deinit(&rules->ports);
        free(rules->places);
}

static const Rule *rule_at(const NetRules *rules, size_t i)
{
        return rules->compiler->rules[rules->numbers->items[i]].rule;
}

/* ---- what comes in ---- */

/* What arrives is judged when nobody knows yet which program will take it: by its owner's user and
 * cgroup, and by its address. What counts the program in is judged as it takes it, when nobody
 * knows yet where it is from. The two must not be asked for in one rule, nor in rules that make an
 * exception of each other. */

static int asks_program(const Rule *rule)
{
        return (rule->options->subject & (SUBJECT_EXE | SUBJECT_VERIFIED)) != 0;
}

static int is_accept(const Rule *rule)
{
        return (rule->net.operations & OPERATION(NET_ACCEPT)) != 0;
}

/* TCP is judged as it is read: the other side and the program are known by then. */
static int is_datagram_recv(const Rule *rule)
{
        return rule->net.operations & OPERATION(NET_RECV) && rule->net.protocol != IPPROTO_TCP;
}

static int is_from_anywhere(const Rule *rule)
{
        return rule->net.prefix == 0;
}

static int is_from_any_port(const Rule *rule)
{
        return rule->net.prefix == 0 && rule->net.last_port == 0;
}

static void note_incoming(Incoming *incoming, const Rule *rule, int is_from_any)
{
        if (is_from_any)
                incoming->by_program |= asks_program(rule);
        else if (rule->verdict != RULE_DENY || rule->options->mode == RULE_MODE_AUDIT)
                incoming->lenient = 1;
}

static void note_all_incoming(NetRules *rules)
{
        for (size_t i = 0; i < rules->numbers->n; i++) {
                const Rule *rule = rule_at(rules, i);

                if (is_accept(rule))
                        note_incoming(&rules->accept, rule, is_from_anywhere(rule));
                if (is_datagram_recv(rule))
                        note_incoming(&rules->recv, rule, is_from_any_port(rule));
        }
}

static uint32_t access_of_accept(const Incoming *accept, const Rule *rule)
{
        if (!is_from_anywhere(rule))
                return NET_ACCEPT_ARRIVING;
        if (accept->by_program)
                return NET_ACCEPT_UNSEEN;
        return NET_ACCEPT_ARRIVING | (accept->lenient ? 0 : NET_ACCEPT_UNSEEN);
}

static uint32_t access_of(const NetRules *rules, const Rule *rule)
{
        uint32_t access = rule->net.operations;

        if (is_accept(rule))
                access |= access_of_accept(&rules->accept, rule);
        if (is_datagram_recv(rule))
                access |= is_from_any_port(rule) && rules->recv.by_program ? NET_RECV_UNSEEN
                                                                           : NET_RECV_ARRIVING;
        return access;
}

static int refuse_program(const NetRules *rules, size_t i, const char *hint)
{
        compile_fault(rules->compiler, rules->numbers->items[i], hint,
                      "where something comes from and which program takes it are not known at "
                      "one time");
        return -EINVAL;
}

static int refuse_exception(const NetRules *rules, size_t i)
{
        compile_fault(rules->compiler, rules->numbers->items[i],
                      "write uid= or cgroup= for the program, or deny in all rules that name an "
                      "address",
                      "which program takes what comes in is told too late for the rules that "
                      "make exceptions of addresses");
        return -EINVAL;
}

static int check_incoming(const NetRules *rules, size_t i)
{
        const Rule *rule = rule_at(rules, i);

        if (!asks_program(rule))
                return 0;
        if (is_accept(rule) && !is_from_anywhere(rule))
                return refuse_program(rules, i,
                                      "write * for the address, or uid= or cgroup= for the "
                                      "program");
        if (is_datagram_recv(rule) && !is_from_any_port(rule))
                return refuse_program(rules, i,
                                      "write /tcp, or * for address and port, or uid= or cgroup= "
                                      "for the program");
        if ((is_accept(rule) && rules->accept.lenient) ||
            (is_datagram_recv(rule) && rules->recv.lenient))
                return refuse_exception(rules, i);
        return 0;
}

static int check_all_incoming(NetRules *rules)
{
        int r = 0;

        note_all_incoming(rules);
        for (size_t i = 0; i < rules->numbers->n; i++)
                if (check_incoming(rules, i) < 0)
                        r = -EINVAL;
        return r;
}

/* ---- rules at their keys ---- */

static int is_range(const Rule *rule)
{
        return rule->net.first_port < rule->net.last_port;
}

static int collect_ranges(NetRules *rules)
{
        int r;

        for (size_t i = 0; i < rules->numbers->n; i++) {
                const Rule *rule = rule_at(rules, i);

                if (!is_range(rule))
                        continue;
                r = ports_add(&rules->ports, rule->net.first_port, rule->net.last_port);
                if (r < 0)
                        return r;
        }
        return ports_build(&rules->ports);
}

static int add_place(NetRules *rules, const NetPlace *place)
{
        int r;

        if (rules->n_places == PLACES_MAX)
                return -E2BIG;
        r = ARRAY_RESERVE(rules->places, rules->n_places_allocated, rules->n_places + 1);
        if (r < 0)
                return r;
        rules->places[rules->n_places++] = *place;
        return 0;
}

static int add_range(NetRules *rules, NetPlace *place, const Rule *rule)
{
        const PortRange *range =
                ports_find(&rules->ports, rule->net.first_port, rule->net.last_port);
        int r = 0;

        place->key.kind = PORT_CLASS;
        for (uint32_t i = 0; i < range->n && r >= 0; i++) {
                place->key.port = rules->ports.classes[range->at + i];
                r = add_place(rules, place);
        }
        return r;
}

static int add_rule(NetRules *rules, size_t i)
{
        const Rule *rule = rule_at(rules, i);
        NetPlace place = {
                .key = {.protocol = rule->net.protocol, .prefix = rule->net.prefix},
                .rule = rules->numbers->items[i],
                .access = access_of(rules, rule),
        };

        memcpy(place.key.address, rule->net.address, sizeof(place.key.address));
        if (is_range(rule))
                return add_range(rules, &place, rule);
        place.key.kind = rule->net.first_port > 0 ? PORT_EXACT : PORT_ANY;
        place.key.port = rule->net.first_port;
        return add_place(rules, &place);
}

static int refuse_ranges(const NetRules *rules, size_t i)
{
        compile_fault(rules->compiler, rules->numbers->items[i],
                      "use fewer ranges of ports that overlap each other",
                      "the ranges of ports cut each other into more than %u pieces", PLACES_MAX);
        return -E2BIG;
}

static int add_rules(NetRules *rules)
{
        int r;

        r = collect_ranges(rules);
        if (r == -E2BIG)
                return refuse_ranges(rules, rules->numbers->n - 1);
        for (size_t i = 0; i < rules->numbers->n && r >= 0; i++) {
                r = add_rule(rules, i);
                if (r == -E2BIG)
                        refuse_ranges(rules, i);
        }
        return r;
}

/* ---- tables ---- */

static int compare_places(const void *a, const void *b)
{
        const NetPlace *x = a, *y = b;
        int order = memcmp(&x->key, &y->key, sizeof(x->key));

        return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static size_t count_at_key(const NetRules *rules, size_t first)
{
        const NetPlace *places = rules->places;
        size_t i = first;

        while (i < rules->n_places &&
               memcmp(&places[i].key, &places[first].key, sizeof(places[i].key)) == 0)
                i++;
        return i - first;
}

/* sayings: room for n. */
static int make_list(NetRules *rules, size_t first, size_t n, Saying *sayings)
{
        PolicyImage *image = rules->compiler->image;
        NetEntry *entry = &image->nets[image->n_nets];
        int r;

        for (size_t i = 0; i < n; i++)
                sayings[i] = (Saying){.rule = rules->places[first + i].rule,
                                      .access = rules->places[first + i].access};
        *entry = (NetEntry){.key = rules->places[first].key};
        lists_begin(rules->compiler);
        r = lists_make(rules->compiler, sayings, n, 0, &entry->value);
        if (r >= 0 && entry->value > 0)
                image->n_nets++;
        return r;
}

static int make_lists(NetRules *rules)
{
        _cleanup_(freep) Saying *sayings = calloc(rules->n_places, sizeof(*sayings));
        PolicyImage *image = rules->compiler->image;
        size_t n;
        int r;

        image->nets = calloc(rules->n_places, sizeof(*image->nets));
        if (!image->nets || !sayings)
                return -ENOMEM;
        qsort(rules->places, rules->n_places, sizeof(rules->places[0]), compare_places);
        for (size_t i = 0; i < rules->n_places; i += n) {
                n = count_at_key(rules, i);
                r = make_list(rules, i, n, sayings);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void prefix_mask(unsigned length, struct prefix *prefix)
{
        uint8_t mask[16] = {};

        for (unsigned i = 0; i < length; i++)
                mask[i / 8] |= (uint8_t) (0x80u >> (i % 8));
        memcpy(prefix->mask, mask, sizeof(mask));
}

static void collect_prefixes(PolicyImage *image)
{
        uint32_t shapes[N_PREFIXES_MAX] = {};

        for (size_t i = 0; i < image->n_nets; i++) {
                const struct net_key *key = &image->nets[i].key;

                shapes[key->prefix] |= SHAPE(key->kind, key->protocol);
        }
        for (unsigned length = N_PREFIXES_MAX; length-- > 0;) {
                struct prefix *prefix = &image->prefixes[image->n_prefixes];

                if (shapes[length] == 0)
                        continue;
                prefix_mask(length, prefix);
                prefix->length = length;
                prefix->shapes = shapes[length];
                image->n_prefixes++;
        }
}

static int keep_nets(Compiler *compiler)
{
        const PolicyImage *before = compiler->before;
        PolicyImage *image = compiler->image;

        memcpy(image->prefixes, before->prefixes, sizeof(image->prefixes));
        image->n_prefixes = before->n_prefixes;
        if (before->port_classes) {
                image->port_classes =
                        copy_items(before->port_classes, N_PORTS, sizeof(before->port_classes[0]));
                if (!image->port_classes)
                        return -ENOMEM;
        }
        return COPY_BEFORE(compiler, nets, n_nets);
}

int nets_build(Compiler *compiler)
{
        _cleanup_(net_rules_deinit) NetRules rules = {
                .compiler = compiler,
                .numbers = &compiler->by_kind[RULE_NET],
        };
        int r;

        if (!kind_changed(compiler, RULE_NET))
                return keep_nets(compiler);
        if (rules.numbers->n == 0)
                return 0;
        r = check_all_incoming(&rules);
        if (r >= 0)
                r = add_rules(&rules);
        if (r >= 0)
                r = make_lists(&rules);
        if (r < 0)
                return r;
        collect_prefixes(compiler->image);
        compiler->image->port_classes = TAKE_PTR(rules.ports.table);
        return 0;
}

uint64_t nets_hooks(const Rule *rule)
{
        static const uint64_t hooks_of[N_NET_OPERATIONS] = {
                /* What is sent may open a connection. */
                [NET_CONNECT] = HOOK_BIT(HOOK_SOCKET_CONNECT) | HOOK_BIT(HOOK_SOCKET_SENDMSG),
                [NET_BIND] = HOOK_BIT(HOOK_SOCKET_BIND),
                [NET_LISTEN] = HOOK_BIT(HOOK_SOCKET_LISTEN),
                [NET_ACCEPT] = HOOK_BIT(HOOK_SOCKET_SOCK_RCV_SKB),
                [NET_SEND] = HOOK_BIT(HOOK_SOCKET_SENDMSG),
                [NET_RECV] = HOOK_BIT(HOOK_SOCKET_RECVMSG),
        };
        uint64_t hooks = 0;

        for (unsigned i = 0; i < N_NET_OPERATIONS; i++)
                if (rule->net.operations & OPERATION(i))
                        hooks |= hooks_of[i];
        if (is_accept(rule) && is_from_anywhere(rule))
                hooks |= HOOK_BIT(HOOK_SOCKET_ACCEPT);
        if (is_datagram_recv(rule))
                hooks |= HOOK_BIT(HOOK_SOCKET_SOCK_RCV_SKB);
        return hooks;
}
