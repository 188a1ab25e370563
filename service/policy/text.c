/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: the small questions the parser asks of bytes. */
#include "policy/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/array.h"

/* The shape of a character by its first byte, after table 3-7 of the Unicode Standard: how long it
 * is and within which bounds its second byte lies (which is what rules out overlong forms,
 * surrogates and what is beyond U+10FFFF). */
typedef struct Shape {
        uint8_t first_low, first_high, length, second_low, second_high;
} Shape;

static const Shape shapes[] = {
        {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
        {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
        {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const Shape *find_shape(uint8_t first)
{
        for (size_t i = 0; i < ELEMENTS_OF(shapes); i++)
                if (first >= shapes[i].first_low && first <= shapes[i].first_high)
                        return &shapes[i];
        return NULL;
}

/* Returns the length of the character beyond ASCII at text, or 0 if there is none. */
static size_t long_character(const uint8_t *text, size_t n)
{
        const Shape *shape = find_shape(text[0]);

        if (!shape || n < shape->length)
                return 0;
        if (text[1] < shape->second_low || text[1] > shape->second_high)
                return 0;
        for (size_t i = 2; i < shape->length; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
        return shape->length;
}

#define EACH_BYTE(byte) (UINT64_MAX / 0xff * (byte))

/* Whether all eight are of ASCII and none is a control character. With its highest bit set no byte
 * borrows from the next. */
static int are_plain(const uint8_t bytes[8])
{
        uint64_t word, high = EACH_BYTE(0x80);

        memcpy(&word, bytes, sizeof(word));
        return !(word & high) && (((word | high) - EACH_BYTE(0x20)) & high) == high &&
               ((((word ^ EACH_BYTE(0x7f)) | high) - EACH_BYTE(0x01)) & high) == high;
}

TextFault text_check(const char *text, size_t n, size_t *ret_offset)
{
        const uint8_t *bytes = (const uint8_t *) text;
        TextFault fault = TEXT_FINE;
        size_t i = 0, length;

        while (i < n) {
                if (n - i >= 8 && are_plain(bytes + i)) {
                        i += 8;
                        continue;
                }
                length = bytes[i] < 0x80 ? 1 : long_character(bytes + i, n - i);
                if (length == 0)
                        fault = TEXT_NOT_UTF8;
                else if (bytes[i] == '\0')
                        fault = TEXT_NUL;
                else if ((bytes[i] < 0x20 && bytes[i] != '\t') || bytes[i] == 0x7f ||
                         (bytes[i] == 0xc2 && bytes[i + 1] < 0xa0))
                        fault = TEXT_CONTROL;
                if (fault != TEXT_FINE)
                        break;
                i += length;
        }
        *ret_offset = i;
        return fault;
}

/* Returns the length of what can be shown at text, or 0 if its first byte cannot. */
static size_t shown_length(const uint8_t *text, size_t n)
{
        if (text[0] < 0x80)
                return (text[0] >= 0x20 && text[0] != 0x7f) || text[0] == '\t' ? 1 : 0;
        if (text[0] == 0xc2 && n > 1 && text[1] < 0xa0)
                return 0;
        return long_character(text, n);
}

Quoted quoted(const char *text, size_t n)
{
        static const char more[] = "…";
        const size_t room = sizeof((Quoted){}.text) - sizeof(more);
        Quoted quote = {};
        size_t at = 0, end = 0;

        while (at < n) {
                size_t length = shown_length((const uint8_t *) text + at, n - at);
                size_t n_shown = length > 0 ? length : 1;

                if (end + n_shown > room && n - at > sizeof(more) - 1)
                        break;
                if (length > 0)
                        memcpy(quote.text + end, text + at, length);
                else
                        quote.text[end] = '?';
                end += n_shown;
                at += n_shown;
        }
        if (at < n)
                memcpy(quote.text + end, more, sizeof(more));
        return quote;
}

int number_parse(const char *text, size_t n, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;

        if (n == 0)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t) (text[i] - '0'), &number))
                        return -EINVAL;
        }
        if (number > max)
                return -EINVAL;
        *ret_number = number;
        return 0;
}

static char plain(char c)
{
        return c == '-' || c == ' ' ? '_' : (char) tolower((unsigned char) c);
}

int text_is_near(const char *text, size_t n, const char *known)
{
        size_t n_known = strlen(known), begin = 0, end = 0;

        while (begin < n && begin < n_known && plain(text[begin]) == plain(known[begin]))
                begin++;
        while (end < n - begin && end < n_known - begin &&
               plain(text[n - end - 1]) == plain(known[n_known - end - 1]))
                end++;
        text += begin;
        known += begin;
        n -= begin + end;
        /* Short words are near to each other whatever is meant. */
        if (n_known < 4)
                return n == 0 && n_known == begin + end;
        n_known -= begin + end;
        if (n == 2 && n_known == 2)
                return plain(text[0]) == plain(known[1]) && plain(text[1]) == plain(known[0]);
        return n <= 1 && n_known <= 1;
}
