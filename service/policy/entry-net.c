/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries that name addresses and ports. libc's inet_pton() reads the addresses; what stands around
 * them is read here, and what it refuses is explained here. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "abi.h"
#include "policy/parse.h"
#include "policy/text.h"
#include "util/array.h"

#define OPERATION(operation) (1u << (operation))
#define OUTWARD (OPERATION(NET_CONNECT) | OPERATION(NET_SEND))
#define BOTH_WAYS (OUTWARD | OPERATION(NET_BIND))

/* IPv4 fills the last 32 of the 128 bits. */
#define MAPPED_BITS 96

/* A part of an entry. */
typedef struct Part {
        size_t at, n;
} Part;

static const char *part_text(const Entry *entry, Part part)
{
        return entry->text + part.at;
}

static int part_has(const Entry *entry, Part part, char c)
{
        return memchr(part_text(entry, part), c, part.n) != NULL;
}

static Part whole(const Entry *entry)
{
        return (Part){0, strlen(entry->text)};
}

/* Cuts rest at the first separator: returns what is before it; rest becomes what is after it, and
 * begins beyond the entry if there was none. */
static Part part_cut(const Entry *entry, Part *rest, char separator)
{
        const char *text = part_text(entry, *rest), *found = memchr(text, separator, rest->n);
        size_t n = found ? (size_t) (found - text) : rest->n;
        Part first = {rest->at, n};

        *rest = found ? (Part){rest->at + n + 1, rest->n - n - 1} : (Part){rest->at + n + 1, 0};
        return first;
}

static int part_is_there(const Entry *entry, Part part)
{
        return part.at <= strlen(entry->text);
}

/* ---- addresses ---- */

/* Why inet_pton() would not have it, and what to write. */
static void address_explain(const Entry *entry, Part part)
{
        const char *text = part_text(entry, part);
        Quoted quote = quoted(text, part.n);

        if (part.n == 0)
                entry_fault(entry, part.at, "write an IPv4 or IPv6 address",
                            "the address is missing");
        else if (part_has(entry, part, '[') || part_has(entry, part, ']'))
                entry_fault(entry, part.at, "write the address without brackets",
                            "brackets stand around IPv6 addresses in [deny_ip_port] only");
        else if (part_has(entry, part, '%'))
                entry_fault(entry, part.at, "write the address alone: it holds on every interface",
                            "\"%s\" names an interface", quote.text);
        else if (part_has(entry, part, '/'))
                entry_fault(entry, part.at, "put it under [deny_cidr]",
                            "\"%s\" is a range of addresses", quote.text);
        else if (part_has(entry, part, '.') && strspn(text, "0123456789.") < part.n &&
                 text[strspn(text, "0123456789.")] == ':')
                entry_fault(entry, part.at, "put an address with a port under [deny_ip_port]",
                            "\"%s\" is no address", quote.text);
        else if (part_has(entry, part, ':'))
                entry_fault(entry, part.at, "write an IPv6 address as 2001:db8::1",
                            "\"%s\" is no IPv6 address", quote.text);
        else if (strspn(text, "0123456789.") >= part.n)
                entry_fault(
                        entry, part.at,
                        "write four numbers from 0 to 255 with dots between, without leading zeros",
                        "\"%s\" is no IPv4 address", quote.text);
        else
                entry_fault(entry, part.at,
                            "write an IPv4 or IPv6 address: names are not looked up",
                            "\"%s\" is no address", quote.text);
}

/* ret_mapped: 1 if it was written as IPv4. */
static int address_parse(const Entry *entry, Part part, uint8_t address[16], int *ret_mapped)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        char text[INET6_ADDRSTRLEN] = "";
        uint8_t bytes[16];
        int is_v6 = part_has(entry, part, ':');

        if (part.n < sizeof(text))
                memcpy(text, part_text(entry, part), part.n);
        if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes) != 1) {
                address_explain(entry, part);
                return POLICY_E_SYNTAX;
        }
        if (is_v6) {
                memcpy(address, bytes, 16);
        } else {
                memcpy(address, mapped, sizeof(mapped));
                memcpy(address + sizeof(mapped), bytes, 4);
        }
        *ret_mapped = !is_v6;
        return 0;
}

/* Returns 1 if bits beyond the prefix were set. */
static int address_mask(uint8_t address[16], unsigned prefix)
{
        int changed = 0;

        for (unsigned i = 0; i < 16; i++) {
                unsigned n = prefix <= i * 8 ? 0 : prefix - i * 8;
                uint8_t mask = n >= 8 ? 0xff : (uint8_t) (0xff00u >> n);

                if (address[i] & ~mask)
                        changed = 1;
                address[i] &= mask;
        }
        return changed;
}

/* A program that names the unspecified address reaches this machine itself, and is judged by that.
 */
static void warn_of_unspecified(const Entry *entry, const Rule *rule)
{
        static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff}, any_v6[16];
        int is_v4 = memcmp(rule->net.address, any_v4, 16) == 0;

        if (is_v4 || memcmp(rule->net.address, any_v6, 16) == 0)
                entry_warning(entry, 0, is_v4 ? "write 127.0.0.1" : "write ::1",
                              "no connection goes to this address: it leads to the loopback");
}

int entry_deny_ip(const Entry *entry, Rule *rule)
{
        Part part = whole(entry);
        int mapped;

        if (address_parse(entry, part, rule->net.address, &mapped) != 0)
                return POLICY_E_SYNTAX;
        warn_of_unspecified(entry, rule);
        rule->kind = RULE_DENY_NET;
        rule->net.prefix = 128;
        rule->net.operations = OUTWARD;
        return 0;
}

/* ---- ranges ---- */

static void warn_of_host_bits(const Entry *entry, const Rule *rule, int mapped)
{
        char text[INET6_ADDRSTRLEN] = "", hint[80];
        unsigned prefix = rule->net.prefix;

        if (mapped)
                inet_ntop(AF_INET, rule->net.address + 12, text, sizeof(text));
        else
                inet_ntop(AF_INET6, rule->net.address, text, sizeof(text));
        snprintf(hint, sizeof(hint), "write %s/%u", text, mapped ? prefix - MAPPED_BITS : prefix);
        entry_warning(entry, 0, hint,
                      "the address has bits set beyond the prefix; they count for nothing");
}

static void warn_of_mapped(const Entry *entry, const Rule *rule)
{
        uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};

        address_mask(mapped, rule->net.prefix);
        if (rule->net.prefix < MAPPED_BITS && memcmp(mapped, rule->net.address, 16) == 0)
                entry_warning(entry, 0, "",
                              "this range holds all IPv4 addresses too (as ::ffff:0:0/96)");
}

static int prefix_parse(const Entry *entry, Part part, int mapped, Rule *rule)
{
        unsigned max = mapped ? 32 : 128;
        uint64_t prefix;

        if (!part_is_there(entry, part)) {
                entry_fault(entry, part.at - 1,
                            mapped ? "write /32 after it, or put it under [deny_ip]"
                                   : "write /128 after it, or put it under [deny_ip]",
                            "there is no prefix length");
                return POLICY_E_SYNTAX;
        }
        if (number_parse(part_text(entry, part), part.n, max, &prefix) < 0) {
                entry_fault(entry, part.at, "a prefix length counts bits: 10.0.0.0/8",
                            "\"%s\" is no number from 0 to %u",
                            quoted(part_text(entry, part), part.n).text, max);
                return POLICY_E_SYNTAX;
        }
        rule->net.prefix = (uint8_t) (prefix + (mapped ? MAPPED_BITS : 0));
        return 0;
}

int entry_deny_cidr(const Entry *entry, Rule *rule)
{
        Part rest = whole(entry), address = part_cut(entry, &rest, '/');
        int mapped;

        if (address_parse(entry, address, rule->net.address, &mapped) != 0)
                return POLICY_E_SYNTAX;
        if (prefix_parse(entry, rest, mapped, rule) != 0)
                return POLICY_E_SYNTAX;
        if (address_mask(rule->net.address, rule->net.prefix))
                warn_of_host_bits(entry, rule, mapped);
        warn_of_mapped(entry, rule);
        rule->kind = RULE_DENY_NET;
        rule->net.operations = OUTWARD;
        return 0;
}

/* ---- ports ---- */

/* A word and what it means. */
typedef struct Word {
        const char *text;
        uint32_t value;
} Word;

static const Word protocols[] = {{"any", 0}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}};
static const Word directions[] = {
        {"both", BOTH_WAYS},
        {"egress", OUTWARD},
        {"connect", OUTWARD},
        {"bind", OPERATION(NET_BIND)},
};

/* A word that is not there, or empty, is the first of the table. */
static int word_parse(const Entry *entry, Part part, const Word *words, size_t n_words,
                      uint32_t *ret_value)
{
        if (part.n == 0) {
                *ret_value = words[0].value;
                return 0;
        }
        for (size_t i = 0; i < n_words; i++) {
                if (strlen(words[i].text) != part.n ||
                    memcmp(words[i].text, part_text(entry, part), part.n) != 0)
                        continue;
                *ret_value = words[i].value;
                return 0;
        }
        return -EINVAL;
}

static int protocol_parse(const Entry *entry, Part part, Rule *rule)
{
        uint32_t protocol;

        if (word_parse(entry, part, protocols, ELEMENTS_OF(protocols), &protocol) < 0) {
                entry_fault(entry, part.at, "write tcp, udp or any", "\"%s\" is no protocol",
                            quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        rule->net.protocol = (uint8_t) protocol;
        return 0;
}

static int direction_parse(const Entry *entry, Part part, Rule *rule)
{
        if (word_parse(entry, part, directions, ELEMENTS_OF(directions), &rule->net.operations) <
            0) {
                entry_fault(entry, part.at, "write egress, connect, bind or both",
                            "\"%s\" is no direction", quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        return 0;
}

static int port_parse(const Entry *entry, Part part, Rule *rule)
{
        uint64_t port;

        if (number_parse(part_text(entry, part), part.n, 65535, &port) < 0 || port == 0) {
                entry_fault(entry, part.at, "write one port, as 443",
                            "\"%s\" is no port from 1 to 65535",
                            quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        rule->net.port = (uint16_t) port;
        return 0;
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
        Part rest = whole(entry), port = part_cut(entry, &rest, ':'), protocol = rest, direction;
        int r;

        if (part_is_there(entry, rest))
                protocol = part_cut(entry, &rest, ':');
        direction = rest;
        if (part_is_there(entry, rest))
                direction = part_cut(entry, &rest, ':');
        r = port_parse(entry, port, rule);
        if (protocol_parse(entry, protocol, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (direction_parse(entry, direction, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (check_end(entry, rest, "write port:protocol:direction") != 0)
                r = POLICY_E_SYNTAX;
        rule->kind = RULE_DENY_NET;
        return r;
}

/* ---- addresses with ports ---- */

static int address_in_brackets(const Entry *entry, Part *rest, Rule *rule)
{
        Part address;
        int mapped;

        rest->at++;
        rest->n--;
        if (!part_has(entry, *rest, ']')) {
                entry_fault(entry, 0, "write [2001:db8::1]:443", "the bracket is not closed");
                return POLICY_E_SYNTAX;
        }
        address = part_cut(entry, rest, ']');
        if (address_parse(entry, address, rule->net.address, &mapped) != 0)
                return POLICY_E_SYNTAX;
        if (mapped) {
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
        int mapped;

        if (lacks_brackets(entry)) {
                entry_fault(entry, 0, "write [2001:db8::1]:443",
                            "an IPv6 address needs brackets here");
                return POLICY_E_SYNTAX;
        }
        address = part_cut(entry, rest, ':');
        if (address_parse(entry, address, rule->net.address, &mapped) != 0)
                return POLICY_E_SYNTAX;
        if (part_is_there(entry, *rest))
                return 0;
        entry_fault(entry, rest->at - 1, "write : and a port after it, or put it under [deny_ip]",
                    "there is no port");
        return POLICY_E_SYNTAX;
}

int entry_deny_ip_port(const Entry *entry, Rule *rule)
{
        Part rest = whole(entry), port, protocol;
        int r;

        r = entry->text[0] == '[' ? address_in_brackets(entry, &rest, rule)
                                  : address_before_colon(entry, &rest, rule);
        if (r != 0)
                return r;
        warn_of_unspecified(entry, rule);
        port = part_cut(entry, &rest, ':');
        protocol = rest;
        if (part_is_there(entry, rest))
                protocol = part_cut(entry, &rest, ':');
        r = port_parse(entry, port, rule);
        if (protocol_parse(entry, protocol, rule) != 0)
                r = POLICY_E_SYNTAX;
        if (check_end(entry, rest, "write address:port:protocol; it holds for what goes out") != 0)
                r = POLICY_E_SYNTAX;
        rule->kind = RULE_DENY_NET;
        rule->net.prefix = 128;
        rule->net.operations = OUTWARD;
        return r;
}
