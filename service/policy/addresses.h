/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses: reading them, whatever entry they stand in. */
#pragma once

#include "policy/parse.h"

/* IPv4 fills the last 32 of the 128 bits. */
#define MAPPED_BITS 96u

/* A part of an entry. It begins beyond the entry if there is none. */
typedef struct Part {
        size_t at, n;
} Part;

Part part_whole(const Entry *entry);
const char *part_text(const Entry *entry, Part part);
int part_has(const Entry *entry, Part part, char c);
int part_equals(const Entry *entry, Part part, const char *text);
int part_is_there(const Entry *entry, Part part);

/* Cuts rest at the first separator: returns what is before it; rest becomes what is after it, and
 * begins beyond the entry if there was none. */
Part part_cut(const Entry *entry, Part *rest, char separator);

typedef enum AddressFamily {
        ADDRESS_IPV4,
        ADDRESS_IPV6,
} AddressFamily;

/* All return 0, or POLICY_E_SYNTAX with the fault added. */
int address_parse(const Entry *entry, Part part, uint8_t address[16], AddressFamily *ret_family);
/* Fills net.prefix. */
int prefix_parse(const Entry *entry, Part part, AddressFamily family, Rule *rule);
int port_parse(const Entry *entry, Part part, uint16_t *ret_port);

/* Clears the bits beyond the prefix of the rule, and adds warnings: about such bits, and about a
 * range that holds all of IPv4 though it is written as IPv6. */
void address_cut(const Entry *entry, AddressFamily family, Rule *rule);

/* Returns 1 if it is 0.0.0.0 or ::, whole. */
int address_is_unspecified(const Rule *rule);
int address_is_mapped(const uint8_t address[16]);
