/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of versions 1 to 6 that name addresses and ports. */
#include <netinet/in.h>
#include <string.h>

#include "policy/addresses.h"
#include "policy/terms.h"
#include "policy/parse.h"
#include "policy/text.h"
#include "util/array.h"

#define OPERATION(operation) (1u << (operation))
#define OUTWARD (OPERATION(NET_CONNECT) | OPERATION(NET_SEND))
/* A socket that was bound before the policy came, or to a port of the kernel's choice, is stopped
 * when it begins to listen. */
#define INWARD (OPERATION(NET_BIND) | OPERATION(NET_LISTEN))
#define BOTH_WAYS (OUTWARD | INWARD)

/* Completes the rule, which has no fault. */
static int add_rule(const Entry *entry, Rule *rule)
{
        rule->kind = RULE_NET;
        rule->verdict = RULE_DENY;
        return policy_add_rule(entry->policy, rule);
}

/* A program that names the unspecified address reaches this machine itself, and is judged by that.
 */
static void warn_of_unspecified(const Entry *entry, const Rule *rule)
{
        if (address_is_unspecified(rule))
                entry_warning(entry, 0,
                              address_is_mapped(rule->net.address) ? "write 127.0.0.1"
                                                                   : "write ::1",
                              "no connection goes to this address: it leads to the loopback");
}

int entry_deny_ip(const Entry *entry, Rule *rule)
{
        Part part = part_whole(entry);
        AddressFamily family;

        if (address_parse(entry, part, rule->net.address, &family) != 0)
                return POLICY_E_SYNTAX;
        rule->net.prefix = 128;
        rule->net.operations = OUTWARD;
        warn_of_unspecified(entry, rule);
        return add_rule(entry, rule);
}

int entry_deny_cidr(const Entry *entry, Rule *rule)
{
        Part rest = part_whole(entry), address = part_cut(entry, &rest, '/');
        AddressFamily family;

        if (address_parse(entry, address, rule->net.address, &family) != 0)
                return POLICY_E_SYNTAX;
        if (prefix_parse(entry, rest, family, rule) != 0)
                return POLICY_E_SYNTAX;
        address_cut(entry, family, rule);
        rule->net.operations = OUTWARD;
        return add_rule(entry, rule);
}

/* ---- ports ---- */

static const Term protocol_items[] = {{"any", 0}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}};
static const Term direction_items[] = {
        {"both", BOTH_WAYS},
        {"egress", OUTWARD},
        {"connect", OUTWARD},
        {"bind", INWARD},
};
static const Terms protocols = {protocol_items, ELEMENTS_OF(protocol_items)};
static const Terms directions = {direction_items, ELEMENTS_OF(direction_items)};

/* A word that is not there, or empty, is the first of the table. */
static int term_parse(const Entry *entry, Part part, const Terms *terms, uint32_t *ret_value)
{
        if (part.n > 0)
                return term_find(terms, part_text(entry, part), part.n, ret_value);
        *ret_value = terms->items[0].value;
        return 0;
}

static int protocol_parse(const Entry *entry, Part part, Rule *rule)
{
        uint32_t protocol;

        if (term_parse(entry, part, &protocols, &protocol) < 0) {
                entry_fault(entry, part.at, "write tcp, udp or any", "\"%s\" is no protocol",
                            quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        rule->net.protocol = (uint16_t) protocol;
        return 0;
}

static int direction_parse(const Entry *entry, Part part, Rule *rule)
{
        uint32_t operations;

        if (term_parse(entry, part, &directions, &operations) < 0) {
                entry_fault(entry, part.at, "write egress, connect, bind or both",
                            "\"%s\" is no direction", quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        rule->net.operations = (uint8_t) operations;
        return 0;
}

static int read_port(const Entry *entry, Part part, Rule *rule)
{
        int r = port_parse(entry, part, &rule->net.first_port);

        rule->net.last_port = rule->net.first_port;
        return r;
}

static int check_end(const Entry *entry, Part rest, const char *hint)
{
        if (!part_is_there(entry, rest))
                return 0;
        entry_fault(entry, rest.at - 1, hint, "the entry goes on where it should end");
        return POLICY_E_SYNTAX;
}

int entry_deny_port(const Entry *entry, Rule *rule)
{
        Part rest = part_whole(entry), port = part_cut(entry, &rest, ':'), protocol = rest,
             direction;
        int r;

        if (part_is_there(entry, rest))
                protocol = part_cut(entry, &rest, ':');
        direction = rest;
        if (part_is_there(entry, rest))
                direction = part_cut(entry, &rest, ':');
        r = read_port(entry, port, rule);
        if (protocol_parse(entry, protocol, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (direction_parse(entry, direction, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (check_end(entry, rest, "write port:protocol:direction") != 0)
                r = POLICY_E_SYNTAX;
        return r != 0 ? r : add_rule(entry, rule);
}

/* ---- addresses with ports ---- */

static int address_in_brackets(const Entry *entry, Part *rest, Rule *rule)
{
        Part address;
        AddressFamily family;

        rest->at++;
        rest->n--;
        if (!part_has(entry, *rest, ']')) {
                entry_fault(entry, 0, "write [2001:db8::1]:443", "the bracket is not closed");
                return POLICY_E_SYNTAX;
        }
        address = part_cut(entry, rest, ']');
        if (address_parse(entry, address, rule->net.address, &family) != 0)
                return POLICY_E_SYNTAX;
        if (family == ADDRESS_IPV4) {
                entry_fault(entry, 0, "write it without brackets",
                            "brackets are for IPv6 addresses");
                return POLICY_E_SYNTAX;
        }
        if (rest->n > 0 && entry->text[rest->at] == ':') {
                rest->at++;
                rest->n--;
                return 0;
        }
        entry_fault(entry, rest->at, "write : and a port after the bracket, as [2001:db8::1]:443",
                    "there is no port");
        return POLICY_E_SYNTAX;
}

/* What looks like IPv6 is told about brackets, not about ports. */
static int lacks_brackets(const Entry *entry)
{
        size_t n_hex = strspn(entry->text, "0123456789abcdefABCDEF");

        return entry->text[n_hex] == ':' && strchr(entry->text + n_hex + 1, ':') != NULL;
}

static int address_before_colon(const Entry *entry, Part *rest, Rule *rule)
{
        Part address;
        AddressFamily family;

        if (lacks_brackets(entry)) {
                entry_fault(entry, 0, "write [2001:db8::1]:443",
                            "an IPv6 address needs brackets here");
                return POLICY_E_SYNTAX;
        }
        address = part_cut(entry, rest, ':');
        if (address_parse(entry, address, rule->net.address, &family) != 0)
                return POLICY_E_SYNTAX;
        if (part_is_there(entry, *rest))
                return 0;
        entry_fault(entry, rest->at - 1, "write : and a port after it, or put it under [deny_ip]",
                    "there is no port");
        return POLICY_E_SYNTAX;
}

int entry_deny_ip_port(const Entry *entry, Rule *rule)
{
        Part rest = part_whole(entry), port, protocol;
        int r;

        r = entry->text[0] == '[' ? address_in_brackets(entry, &rest, rule)
                                  : address_before_colon(entry, &rest, rule);
        if (r != 0)
                return r;
        rule->net.prefix = 128;
        warn_of_unspecified(entry, rule);
        port = part_cut(entry, &rest, ':');
        protocol = rest;
        if (part_is_there(entry, rest))
                protocol = part_cut(entry, &rest, ':');
        r = read_port(entry, port, rule);
        if (protocol_parse(entry, protocol, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (check_end(entry, rest, "write address:port:protocol; it holds for what goes out") != 0)
                r = POLICY_E_SYNTAX;
        rule->net.operations = OUTWARD;
        return r != 0 ? r : add_rule(entry, rule);
}
