/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnostics: all that is wrong, or doubtful, in a document, each with its place. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

typedef enum Severity {
        SEVERITY_FAULT,   /* the document is refused */
        SEVERITY_WARNING, /* it is taken, and does less than its author may think */
} Severity;

typedef struct Diagnostic {
        uint32_t line, column; /* from 1; columns count bytes; 0 if about the whole document */
        Severity severity;
        char *message; /* what is wrong */
        char *hint;    /* what to write instead; may be "" */
} Diagnostic;

typedef struct Diagnostics {
        Diagnostic *items;
        size_t n_items, n_allocated, n_faults;
        size_t n_dropped; /* beyond DIAGNOSTICS_MAX */
} Diagnostics;

#define DIAGNOSTICS_MAX 200u

/* Adds one. Memory that cannot be had counts as dropped: a fault is never forgotten (n_faults
 * counts it all the same). hint may be NULL. */
void diagnostics_add(Diagnostics *diagnostics, Severity severity, uint32_t line, uint32_t column,
                     const char *hint, const char *format, ...)
        __attribute__((format(printf, 6, 7)));

/* By line, then column. */
void diagnostics_sort(Diagnostics *diagnostics);

/* "name:line:column: message; hint", a line each; "warning: " stands before the message of one, and
 * what was dropped is counted in a last line. Returns a new string or NULL when memory is short. */
char *diagnostics_format(const Diagnostics *diagnostics, const char *name);

void diagnostics_deinit(Diagnostics *diagnostics);
