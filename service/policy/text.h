/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: the small questions the parser asks of bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum TextFault {
        TEXT_FINE,
        TEXT_NUL,
        TEXT_CONTROL, /* of C0 but the tab, DEL, of C1 */
        TEXT_NOT_UTF8,
} TextFault;

/* Looks for the first byte that no line may have. ret_offset: where it is, or n. */
TextFault text_check(const char *text, size_t n, size_t *ret_offset);

/* Text for a message: no longer than fits, cut between characters, with ? for what is no text. */
typedef struct Quoted {
        char text[88];
} Quoted;
Quoted quoted(const char *text, size_t n);

/* Decimal digits only, n of them, at least one. Returns 0 or -EINVAL (also above max). */
int number_parse(const char *text, size_t n, uint64_t max, uint64_t *ret_number);

/* Whether a word was probably meant: it differs in case, in - for _, or by one letter too many, too
 * few, another, or two that changed places. known: lower case, ends in NUL. */
int text_is_near(const char *text, size_t n, const char *known);
