/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: strings that others wrote, made fit to be sent and to be shown. A bus ends the connection
 * of whoever sends bytes that are not UTF-8, and a dialogue must not be steered by what it quotes.
 */
#pragma once

#include <stddef.h>

/* Bytes of one detail in a polkit dialogue. */
#define TEXT_PROMPT_MAX 128u

/* A copy that is UTF-8 as sd-bus understands it, at most n_max bytes, cut between characters; what
 * is not UTF-8 becomes "?". Returns a new string or NULL when memory is short. */
char *text_valid(const char *text, size_t n_max);

/* As text_valid() with TEXT_PROMPT_MAX, without control characters and what changes the direction,
 * the width or the visibility of other characters. */
char *text_prompt(const char *text);
