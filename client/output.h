/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: what is printed on standard output: tables that fit the terminal, colour where it helps,
 * or JSON. Every string goes out escaped. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "json.h"
#include "util/cleanup.h"

typedef enum Colour {
        COLOUR_NONE,
        COLOUR_GOOD,
        COLOUR_DOUBTFUL,
        COLOUR_BAD,
        COLOUR_QUIET,
} Colour;

/* Nothing unless standard output is a terminal and NO_COLOR is not set. COLOUR_NONE ends a colour.
 */
const char *colour_sequence(Colour colour);

/* Prints text of others, escaped. */
void output_text(FILE *file, const char *text);

/* Prints a document: as it is, but escaped line by line on a terminal, which must not obey it. */
void output_document(const char *text);

/* A row is cells from left to right. What memory did not suffice for is said by table_print(). */
typedef struct Table Table;
Table *table_new(const char *const *headings, size_t n_columns); /* NULL when memory is short */
Table *table_free(Table *table);
void table_add(Table *table, Colour colour, const char *text);
void table_add_number(Table *table, uint64_t number);
/* Prints and returns 0, or -ENOMEM. On a terminal the widest cells are cut so that rows fit. */
int table_print(const Table *table);

/* One object in one line. */
void output_json(json_object *object);

/* "2026-11-24 18:00:03", local time; "-" for 0. out has room for 32 bytes. */
void output_time(uint64_t usec, char *out, size_t room);

DEFINE_CLEANUP(Table *, table_free);
