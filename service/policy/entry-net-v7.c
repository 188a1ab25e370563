/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands behind net: in version 7: operations:address/prefix:port-port/protocol, of which all
 * but the operations may be left out from the end. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/addresses.h"
#include "policy/parse.h"
#include "policy/terms.h"
#include "policy/text.h"

#define OPERATION(operation) (1u << (operation))
#define ALL_OPERATIONS (OPERATION(N_NET_OPERATIONS) - 1)
#define WAITING (OPERATION(NET_LISTEN) | OPERATION(NET_ACCEPT))

static uint32_t find_term(const Entry *value, Part part, const Terms *terms)
{
        uint32_t number = 0;

        term_find(terms, part_text(value, part), part.n, &number);
        return number;
}

static Quoted part_quoted(const Entry *value, Part part)
{
        return quoted(part_text(value, part), part.n);
}

/* ---- operations ---- */

static void explain_operation(const Entry *value, Part part)
{
        const char *text = part_text(value, part);
        const char *hint =
                "the operations are connect, bind, listen, accept, send, recv, and * for "
                "all of them";

        if (part_equals(value, part, "egress") || part_equals(value, part, "out"))
                hint = "write connect,send";
        else if (part_equals(value, part, "ingress") || part_equals(value, part, "in"))
                hint = "write accept,recv";
        else if (part.n > 0 && (text[0] == '[' || (text[0] >= '0' && text[0] <= '9')))
                hint = "write what is done before the address, as net:connect,send:";
        else if (find_term(value, part, &protocol_terms) != 0)
                hint = "write the protocol behind the port, as net:connect:*:443/tcp";
        entry_fault(value, part.at, hint, "\"%s\" is nothing that is done with a socket",
                    part_quoted(value, part).text);
}

static int read_operations(const Entry *value, Part part, Rule *rule)
{
        Part rest = part;
        int r = 0;

        if (part_equals(value, part, "*")) {
                rule->net.operations = ALL_OPERATIONS;
                return 0;
        }
        do {
                Part first = part_cut(value, &rest, ',');
                uint32_t operation = find_term(value, first, &operation_terms);

                if (operation == 0) {
                        explain_operation(value, first);
                        r = POLICY_E_SYNTAX;
                }
                rule->net.operations |= (uint8_t) operation;
        } while (rest.at <= part.at + part.n);
        return r;
}

/* ---- addresses ---- */

/* An address and what is behind its slash, without the brackets. */
typedef struct AddressParts {
        Part address, prefix;
        int has_prefix, has_brackets;
} AddressParts;

/* A prefix that is no number is a protocol in the wrong place, mostly. */
static int read_prefix(const Entry *value, const AddressParts *parts, AddressFamily family,
                       Rule *rule)
{
        char hint[224];

        if (!parts->has_prefix) {
                rule->net.prefix = 128;
                return 0;
        }
        if (find_term(value, parts->prefix, &protocol_terms) != 0) {
                snprintf(hint, sizeof(hint), "write a port between, as net:%s:*/%s",
                         quoted(value->text, parts->prefix.at - 1).text,
                         part_quoted(value, parts->prefix).text);
                entry_fault(value, parts->prefix.at, hint,
                            "behind an address stands the length of its prefix");
                return POLICY_E_SYNTAX;
        }
        return prefix_parse(value, parts->prefix, family, rule);
}

/* What is no address may be a port, or the rest of one. */
static int explain_address(const Entry *value, const AddressParts *parts)
{
        uint64_t port;
        char hint[64];

        if (parts->has_brackets || parts->has_prefix)
                return 0;
        if (number_parse(part_text(value, parts->address), parts->address.n, 65535, &port) == 0)
                snprintf(hint, sizeof(hint), "write *:%u for a port of any address",
                         (unsigned) port);
        else if (parts->address.n == 0 || find_term(value, parts->address, &protocol_terms) != 0 ||
                 part_equals(value, parts->address, "any") ||
                 part_equals(value, parts->address, "localhost"))
                snprintf(hint, sizeof(hint), "write %s",
                         part_equals(value, parts->address, "localhost")
                                 ? "127.0.0.0/8, and a line for [::1]"
                                 : "* for any address");
        else
                return 0;
        entry_fault(value, parts->address.at, hint, "\"%s\" is no address",
                    part_quoted(value, parts->address).text);
        return POLICY_E_SYNTAX;
}

/* Bound to it, a socket hears on all addresses; nothing connects to it. */
static void warn_of_unspecified(const Entry *value, Part part, const Rule *rule)
{
        int is_v4 = address_is_mapped(rule->net.address);

        if (!address_is_unspecified(rule))
                return;
        if (rule->net.operations & (OPERATION(NET_BIND) | OPERATION(NET_LISTEN)))
                entry_warning(value, part.at, "write * for whatever address a socket is bound to",
                              "this is about sockets alone that hear on every address");
        else
                entry_warning(value, part.at, is_v4 ? "write 127.0.0.1" : "write [::1]",
                              "nothing comes from or goes to this address: it leads to the "
                              "loopback");
}

static int read_address_parts(const Entry *value, const AddressParts *parts, Rule *rule)
{
        AddressFamily family;
        Entry named = *value;

        if (explain_address(value, parts) != 0)
                return POLICY_E_SYNTAX;
        if (address_parse(value, parts->address, rule->net.address, &family) != 0)
                return POLICY_E_SYNTAX;
        if (parts->has_brackets && family == ADDRESS_IPV4) {
                entry_fault(value, parts->address.at - 1, "write it without brackets",
                            "brackets are for IPv6 addresses");
                return POLICY_E_SYNTAX;
        }
        if (read_prefix(value, parts, family, rule) != 0)
                return POLICY_E_SYNTAX;
        named.column += (uint32_t) parts->address.at;
        address_cut(&named, family, rule);
        warn_of_unspecified(value, parts->address, rule);
        return 0;
}

/* Cuts the address off. rest: what is behind the colon after it. */
static int read_address_in_brackets(const Entry *value, Part *rest, Rule *rule)
{
        Part inside = {rest->at + 1, rest->n - 1}, behind;
        AddressParts parts = {.has_brackets = 1};

        if (!part_has(value, inside, ']')) {
                entry_fault(value, rest->at, "write [2001:db8::1]", "the bracket is not closed");
                return POLICY_E_SYNTAX;
        }
        parts.address = part_cut(value, &inside, ']');
        behind = part_cut(value, &inside, ':');
        *rest = inside;
        if (part_has(value, parts.address, '/')) {
                entry_fault(value, parts.address.at, "write [2001:db8::]/32",
                            "the prefix stands behind the bracket");
                return POLICY_E_SYNTAX;
        }
        if (behind.n > 0 && *part_text(value, behind) != '/') {
                entry_fault(value, behind.at, "write : and a port, or / and a prefix",
                            "something follows the bracket");
                return POLICY_E_SYNTAX;
        }
        parts.has_prefix = behind.n > 0;
        parts.prefix = (Part){behind.at + 1, behind.n > 0 ? behind.n - 1 : 0};
        return read_address_parts(value, &parts, rule);
}

/* "2001:db8::1", "::1": what has two colons before its port and does not look like IPv4 or *. */
static int lacks_brackets(const Entry *value, Part rest)
{
        const char *text = part_text(value, rest);
        size_t n_hex = strspn(text, "0123456789abcdefABCDEF");

        if (n_hex > 4 || text[n_hex] != ':')
                return 0;
        return memchr(text + n_hex + 1, ':', rest.n - n_hex - 1) != NULL;
}

static int read_address(const Entry *value, Part *rest, Rule *rule)
{
        AddressParts parts = {};
        Part whole;

        if (rest->n > 0 && *part_text(value, *rest) == '[')
                return read_address_in_brackets(value, rest, rule);
        if (lacks_brackets(value, *rest)) {
                entry_fault(value, rest->at, "write [2001:db8::1]",
                            "an IPv6 address needs brackets here");
                return POLICY_E_SYNTAX;
        }
        whole = part_cut(value, rest, ':');
        if (part_equals(value, whole, "*"))
                return 0;
        parts.prefix = whole;
        parts.address = part_cut(value, &parts.prefix, '/');
        parts.has_prefix = parts.address.n < whole.n;
        if (part_equals(value, parts.address, "*")) {
                entry_fault(value, parts.prefix.at, "write *:*/tcp for any port of any address",
                            "* has no prefix");
                return POLICY_E_SYNTAX;
        }
        return read_address_parts(value, &parts, rule);
}

/* ---- ports and protocols ---- */

static int read_ports(const Entry *value, Part part, Rule *rule)
{
        Part rest = part, first = part_cut(value, &rest, '-');
        int r;

        if (part_equals(value, part, "*"))
                return 0;
        if (part_has(value, part, ',')) {
                entry_fault(value, part.at, "write a line for each",
                            "here stands one port, or a "
                            "range as 8000-8999");
                return POLICY_E_SYNTAX;
        }
        r = port_parse(value, first, &rule->net.first_port);
        rule->net.last_port = rule->net.first_port;
        if (first.n == part.n)
                return r;
        if (port_parse(value, rest, &rule->net.last_port) != 0)
                return POLICY_E_SYNTAX;
        if (r == 0 && rule->net.last_port < rule->net.first_port) {
                entry_fault(value, part.at, "write the lower one first",
                            "the range ends before it begins");
                return POLICY_E_SYNTAX;
        }
        return r;
}

static int read_protocol(const Entry *value, Part part, Rule *rule)
{
        uint32_t protocol = find_term(value, part, &protocol_terms);
        uint64_t number;

        if (protocol == 0 && part_equals(value, part, "*"))
                return 0;
        if (protocol == 0 && number_parse(part_text(value, part), part.n, 255, &number) == 0 &&
            number > 0)
                protocol = (uint32_t) number;
        if (protocol == 0) {
                entry_fault(
                        value, part.at,
                        "write tcp, udp, udplite, sctp, icmp, icmpv6, raw, packet, a number, or "
                        "* for any",
                        "\"%s\" is no protocol", part_quoted(value, part).text);
                return POLICY_E_SYNTAX;
        }
        rule->net.protocol = (uint16_t) protocol;
        return 0;
}

static int has_ports(unsigned protocol)
{
        return protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6 &&
               protocol != NET_PROTOCOL_RAW && protocol != NET_PROTOCOL_PACKET;
}

/* What the kernel would never ask. ports: where they stand. */
static int check_protocol(const Entry *value, Part ports, const Rule *rule)
{
        unsigned protocol = rule->net.protocol;

        if (!has_ports(protocol) && rule->net.first_port > 0) {
                entry_fault(value, ports.at, "write * for the port",
                            "sockets of this protocol have no ports");
                return POLICY_E_SYNTAX;
        }
        if (protocol == NET_PROTOCOL_PACKET && rule->net.prefix > 0) {
                entry_fault(value, 0, "write * for the address",
                            "a packet socket has no internet address");
                return POLICY_E_SYNTAX;
        }
        if ((rule->net.operations & ~WAITING) == 0 &&
            (!has_ports(protocol) || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)) {
                entry_fault(value, 0, "write bind, or recv for what comes in",
                            "sockets of this protocol do not listen");
                return POLICY_E_SYNTAX;
        }
        return 0;
}

static int read_ports_and_protocol(const Entry *value, Part rest, Rule *rule)
{
        Part protocol = rest, ports = part_cut(value, &protocol, '/');
        int r;

        if (part_has(value, rest, ':')) {
                entry_fault(value, rest.at,
                            "write net:operations:address:port/protocol, IPv6 in brackets",
                            "there is a colon too many");
                return POLICY_E_SYNTAX;
        }
        r = read_ports(value, ports, rule);
        if (ports.n < rest.n && read_protocol(value, protocol, rule) != 0)
                r = POLICY_E_SYNTAX;
        return r != 0 ? r : check_protocol(value, ports, rule);
}

int net_read(const Entry *value, Rule *rule)
{
        Part rest = part_whole(value), operations = part_cut(value, &rest, ':');
        int r = read_operations(value, operations, rule);

        rule->kind = RULE_NET;
        if (!part_is_there(value, rest))
                return r;
        if (read_address(value, &rest, rule) != 0)
                return POLICY_E_SYNTAX;
        if (!part_is_there(value, rest))
                return r;
        if (read_ports_and_protocol(value, rest, rule) != 0)
                return POLICY_E_SYNTAX;
        return r;
}
