/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Document: the text that is to become a policy, read from a file or standard input; and a fault in
 * it, shown with its line. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/cleanup.h"

#define DOCUMENT_SIZE_MAX (8u * 1024 * 1024) /* as the service has it */

typedef struct SourceDocument {
        char *label; /* stands before line and column: the file as it was given, or "-" */
        char *text;  /* NUL after n_text bytes */
        size_t n_text;
} SourceDocument;

/* path may be "-". Returns 0, -EFBIG beyond DOCUMENT_SIZE_MAX, or another negative errno. */
int source_document_read(const char *path, SourceDocument *ret_document);
void source_document_deinit(SourceDocument *document);

/* The policy's name that a path suggests: its last component without ".policy" or ".conf". Returns
 * a new string or NULL when memory is short. */
char *source_document_name(const char *path);

/* D-Bus carries UTF-8 without NUL and nothing else. Returns 0, or 1 with the place, from 1, of the
 * first byte that is neither; columns count bytes. */
int source_document_check(const SourceDocument *document, uint32_t *ret_line, uint32_t *ret_column);

/* A fault or a warning, as the service tells it. */
typedef struct Remark {
        uint32_t line, column; /* 0: about the whole document */
        int warning;
        const char *message, *hint;
} Remark;

/* Prints "label:line:column: message; hint". */
void source_document_name_remark(const SourceDocument *document, const Remark *remark, FILE *file);

/* Prints the remark's line with a caret under the column. */
void source_document_show(const SourceDocument *document, const Remark *remark, FILE *file);

/* Both, one after the other. */
void source_document_point(const SourceDocument *document, const Remark *remark, FILE *file);
