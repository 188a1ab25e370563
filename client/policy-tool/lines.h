/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines: a document as the lines a person sees, each with the rules that it gives. What the parser
 * takes for a comment or an entry is one here: the rules tell. */
#pragma once

#include "policy/policy.h"

typedef enum LineKind {
        LINE_BLANK,
        LINE_COMMENT,
        LINE_KEY, /* of the header */
        LINE_SECTION,
        LINE_ENTRY,
} LineKind;

typedef struct Line {
        LineKind kind;
        char *text;    /* the comment, key=value, [section], or the entry's object; NULL if blank */
        char *options; /* of an entry of version 7; NULL if it has none */
        char *comment; /* behind it; NULL if there is none */
        size_t first_rule, n_rules; /* those of the document that the line gives */
} Line;

typedef struct Lines {
        Line *items;
        size_t n, n_allocated;
} Lines;

/* policy: what the text was parsed to. Returns 0 or -ENOMEM; lines_deinit() is right in both cases.
 */
int lines_read(Lines *lines, const char *text, size_t n_text, const Policy *policy);

/* A line at the end, without rules. text and options become the line's; NULL text is -ENOMEM but
 * for a blank line. Returns 0 or -ENOMEM, having freed them. */
int lines_add(Lines *lines, LineKind kind, char *text, char *options);

/* The options begin behind the first blank that is not between quotes. */
size_t object_length(const char *entry);

/* The document's text: options and comments in columns. Returns a new string or NULL. */
char *lines_write(const Lines *lines);

void lines_deinit(Lines *lines);
