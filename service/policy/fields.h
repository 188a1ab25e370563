/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields: the lines "key=value" of what is signed. Each has its place and one spelling, so that the
 * same bytes can never be read in two ways. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/signature.h"

#define FIELD_MAX 256u   /* bytes of a value */
#define FIELD_E_FORMAT 1 /* positive result: another line, or another spelling */
#define FIELD_TIME_SIZE 21u
#define SEQ_MAX ((uint64_t) INT64_MAX)

/* The next line, which must be of that key; the value is printable ASCII and not terminated. On
 * failure nothing is taken. All return 0 or FIELD_E_FORMAT. */
int field_take(Lines *lines, const char *key, const char **ret_value, size_t *ret_n);
int field_take_is(Lines *lines, const char *key, const char *value);

/* Decimal, without zeros in front. */
int field_take_number(Lines *lines, const char *key, uint64_t max, uint64_t *ret_number);

/* UTC, as 2026-11-29T21:00:00Z; in seconds since 1970, which it is not before. */
int field_take_time(Lines *lines, const char *key, uint64_t *ret_seconds);

/* Of a time up to the year 9999. */
void field_time_format(uint64_t seconds, char ret_text[FIELD_TIME_SIZE]);
