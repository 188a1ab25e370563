/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses: libc's inet_pton() reads them; what stands around them is read here, and what it
 * refuses is explained here. */
#include "policy/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

const char *part_text(const Entry *entry, Part part)
{
        return entry->text + part.at;
}

int part_has(const Entry *entry, Part part, char c)
{
        return part.n > 0 && memchr(part_text(entry, part), c, part.n) != NULL;
}

int part_equals(const Entry *entry, Part part, const char *text)
{
        return part.n == strlen(text) && memcmp(part_text(entry, part), text, part.n) == 0;
}

Part part_whole(const Entry *entry)
{
        return (Part){0, strlen(entry->text)};
}

Part part_cut(const Entry *entry, Part *rest, char separator)
{
        const char *text = part_text(entry, *rest), *found = memchr(text, separator, rest->n);
        size_t n = found ? (size_t) (found - text) : rest->n;
        Part first = {rest->at, n};

        *rest = found ? (Part){rest->at + n + 1, rest->n - n - 1} : (Part){rest->at + n + 1, 0};
        return first;
}

int part_is_there(const Entry *entry, Part part)
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
                            "brackets stand around an IPv6 address that has a port behind it");
        else if (part_has(entry, part, '%'))
                entry_fault(entry, part.at, "write the address alone: it holds on every interface",
                            "\"%s\" names an interface", quote.text);
        else if (part_has(entry, part, '/'))
                entry_fault(entry, part.at,
                            entry->policy->version == 7 ? "write the prefix behind the bracket"
                                                        : "put it under [deny_cidr]",
                            "\"%s\" is a range of addresses", quote.text);
        else if (part_has(entry, part, '.') && strspn(text, "0123456789.") < part.n &&
                 text[strspn(text, "0123456789.")] == ':')
                entry_fault(entry, part.at,
                            entry->policy->version == 7
                                    ? "write the port behind the bracket"
                                    : "put an address with a port under [deny_ip_port]",
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

int address_parse(const Entry *entry, Part part, uint8_t address[16], AddressFamily *ret_family)
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
        *ret_family = is_v6 ? ADDRESS_IPV6 : ADDRESS_IPV4;
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

int address_is_mapped(const uint8_t address[16])
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

        return memcmp(address, mapped, sizeof(mapped)) == 0;
}

int address_is_unspecified(const Rule *rule)
{
        static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff}, any_v6[16];

        return rule->net.prefix == 128 && (memcmp(rule->net.address, any_v4, 16) == 0 ||
                                           memcmp(rule->net.address, any_v6, 16) == 0);
}

/* ---- ranges ---- */

static void warn_of_host_bits(const Entry *entry, const Rule *rule, AddressFamily family)
{
        char text[INET6_ADDRSTRLEN] = "", hint[80];
        unsigned prefix = rule->net.prefix;

        switch (family) {
        case ADDRESS_IPV4:
                inet_ntop(AF_INET, rule->net.address + 12, text, sizeof(text));
                snprintf(hint, sizeof(hint), "write %s/%u", text, prefix - MAPPED_BITS);
                break;
        case ADDRESS_IPV6:
                inet_ntop(AF_INET6, rule->net.address, text, sizeof(text));
                snprintf(hint, sizeof(hint),
                         entry->policy->version == 7 ? "write [%s]/%u" : "write %s/%u", text,
                         prefix);
                break;
        }
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

void address_cut(const Entry *entry, AddressFamily family, Rule *rule)
{
        if (address_mask(rule->net.address, rule->net.prefix))
                warn_of_host_bits(entry, rule, family);
        warn_of_mapped(entry, rule);
}

int prefix_parse(const Entry *entry, Part part, AddressFamily family, Rule *rule)
{
        int is_v4 = family == ADDRESS_IPV4;
        unsigned max = is_v4 ? 32 : 128;
        uint64_t prefix;

        if (!part_is_there(entry, part)) {
                entry_fault(entry, part.at - 1,
                            is_v4 ? "write /32 after it, or put it under [deny_ip]"
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
        rule->net.prefix = (uint8_t) (prefix + (is_v4 ? MAPPED_BITS : 0));
        return 0;
}

/* ---- ports ---- */

int port_parse(const Entry *entry, Part part, uint16_t *ret_port)
{
        uint64_t port;

        if (number_parse(part_text(entry, part), part.n, 65535, &port) < 0 || port == 0) {
                entry_fault(entry, part.at, "write one port, as 443",
                            "\"%s\" is no port from 1 to 65535",
                            quoted(part_text(entry, part), part.n).text);
                return POLICY_E_SYNTAX;
        }
        *ret_port = (uint16_t) port;
        return 0;
}
