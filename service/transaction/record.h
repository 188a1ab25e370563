/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record: the bytes of a stored state. All numbers little-endian:
 *
 *   "AEGSTATE"  u32 version  u32 mode (0 enforce, 1 audit)  u64 generation  u32 n
 *   u32 bytes before the checksum
 *   n times, sorted by name:
 *     u32 length of name  u32 length of text  u64 generation  u64 changed (µs)
 *     32 bytes BLAKE2b over the text  name
 *   u32 numbers given to rules, 0 among them  u32 n  n times, as the rules are written: u32 number
 *     of the first  u32 of how many that have numbers in order from there
 *     (or twice 0, if all have, from 1)
 *   u32 n  n times, hooks that are in audit mode by themselves: u32 length of name  name
 *   32 bytes BLAKE2b over everything before: the checksum
 *   n times, in the order of their names: text
 *
 * So a change of one document, or of the mode, does not hash the others. A hook that this build
 * does not know is left out: it would not deny.
 *
 * What is read is believed only after the checksums, and even then bounded: a record may have been
 * made by someone else. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transaction/store.h"

#define RECORD_ENTRY_MAX (56u + POLICY_NAME_MAX)
#define RECORD_SIZE_MAX                                                                            \
        (DOCUMENTS_SIZE_MAX + DOCUMENTS_MAX * RECORD_ENTRY_MAX + 8u * RULES_MAX + 8192u)

/* Positive result: not a whole record, or one whose documents this build cannot read. */
#define RECORD_E_MALFORMED 1

/* Returns 0, RECORD_E_MALFORMED (the reason is logged) or -ENOMEM. */
int record_decode(const void *data, size_t n, StoreRecord *ret_record);

/* Returns 0 or -ENOMEM. */
int record_encode(const StoreRecord *record, uint8_t **ret_data, size_t *ret_n);
