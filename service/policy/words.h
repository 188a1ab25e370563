/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words: how version 7 cuts a line. Words end at blanks; between quotes (which may stand anywhere
 * in a word) blanks belong to it, and a backslash begins an escape as in C; # at the beginning of a
 * word begins a comment. Outside of quotes a backslash is a character like others. */
#pragma once

#include <stddef.h>

#include "policy/parse.h"

/* A word of an entry, or a part of one. */
typedef struct Word {
        size_t at, n;
        int in_quotes; /* it begins between quotes */
} Word;

/* How much of a line there is before a comment. */
size_t words_length(const char *text, size_t n);

/* Moves *at behind the word. Returns 0 (n of the word is 0 if there is none left), or
 * POLICY_E_SYNTAX with the fault added: quotes that do not end. */
int word_next(const Entry *entry, size_t *at, Word *ret_word);

/* Cuts a word at the first separator. Returns 0 if it has none. Quotes may stand before it only as
 * the word's first byte. */
int word_split(const Entry *entry, Word word, char separator, Word *ret_first, Word *ret_rest);

/* What a word stands for, in the policy's strings. With PATH_STARS_WILD a * that was escaped
 * becomes NUL. Returns 0, or POLICY_E_SYNTAX with the faults added. */
int word_read(const Entry *entry, Word word, PathStars stars, Entry *ret_value);
