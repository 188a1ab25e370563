/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record: the bytes of a stored state. All numbers little-endian:
 *
 *   "AEGSTATE"  u32 version  u32 mode (0 enforce, 1 audit)  u64 generation  u32 n  u32 zero
 *   n times, sorted by name:
 *     u32 length of name  u32 length of text  u64 generation  u64 changed (µs)  name  text
 *   in version 2 only:
 *     u32 numbers given to rules, 0 among them  u32 n  n times, as the rules are written: u32
 * number 32 bytes BLAKE2b over everything before
 *
 * In version 1, which is written wherever it will do, rules have their numbers in order, from 1.
 *
 * What is read is believed only after the checksum, and even then bounded: a record may have been
 * made by someone else. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transaction/store.h"

#define RECORD_SIZE_MAX (DOCUMENTS_SIZE_MAX + 4u * RULES_MAX + 4096u)

/* Positive result: not a whole record, or one whose documents this build cannot read. */
#define RECORD_E_MALFORMED 1

/* Returns 0, RECORD_E_MALFORMED (the reason is logged) or -ENOMEM. */
int record_decode(const void *data, size_t n, StoreRecord *ret_record);

/* Returns 0 or -ENOMEM. */
int record_encode(const StoreRecord *record, uint8_t **ret_data, size_t *ret_n);
