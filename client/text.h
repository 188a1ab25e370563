/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: strings of others made fit for a terminal, and UTF-8 looked at byte by byte. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How many bytes the first character of text takes, 1 to 4; 0 if it is not UTF-8 that D-Bus takes
 * (overlong, cut, a surrogate, a noncharacter). *ret_character is its number. n is not 0. */
size_t text_character(const char *text, size_t n, uint32_t *ret_character);

/* Copies text with all that a terminal could obey instead of show written as \xNN or \u{NNNN}:
 * control characters, bytes that are not UTF-8, marks that turn the direction of writing. A
 * backslash stays as it is. Returns a new string or NULL when memory is short. */
char *text_escape(const char *text, size_t n);

/* Characters in a string that text_escape() made. */
size_t text_width(const char *escaped);
