/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: see text.h. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static size_t sequence_length(unsigned char first, uint32_t *ret_bits)
{
        if (first < 0x80) {
                *ret_bits = first;
                return 1;
        }
        if (first >= 0xc2 && first <= 0xdf) {
                *ret_bits = first & 0x1fu;
                return 2;
        }
        if (first >= 0xe0 && first <= 0xef) {
                *ret_bits = first & 0x0fu;
                return 3;
        }
        if (first >= 0xf0 && first <= 0xf4) {
                *ret_bits = first & 0x07u;
                return 4;
        }
        return 0;
}

/* As sd-bus has it: no surrogates, no noncharacters. */
static int is_character(uint32_t character)
{
        return character <= 0x10ffff && (character & 0xfffff800) != 0xd800 &&
               !(character >= 0xfdd0 && character <= 0xfdef) && (character & 0xfffe) != 0xfffe;
}

size_t text_character(const char *text, size_t n, uint32_t *ret_character)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t character = 0;
        size_t length = sequence_length((unsigned char) text[0], &character);

        if (length == 0 || length > n)
                return 0;
        for (size_t i = 1; i < length; i++) {
                unsigned char byte = (unsigned char) text[i];

                if ((byte & 0xc0u) != 0x80u)
                        return 0;
                character = character << 6 | (byte & 0x3fu);
        }
        if (character < least[length] || !is_character(character))
                return 0;
        *ret_character = character;
        return length;
}

/* U+200E, U+202E and their like: what follows them is shown in another order than it is written. */
static int turns_direction(uint32_t character)
{
        return character == 0x61c || character == 0x200e || character == 0x200f ||
               (character >= 0x2028 && character <= 0x202e) ||
               (character >= 0x2066 && character <= 0x2069);
}

static size_t escape_one(char *out, size_t room, const char *text, size_t n)
{
        uint32_t character = 0;
        size_t length = text_character(text, n, &character);

        if (length == 0 || character < 0x20 || character == 0x7f) {
                snprintf(out, room, "\\x%02x", (unsigned char) text[0]);
                return 1;
        }
        if ((character >= 0x80 && character < 0xa0) || turns_direction(character)) {
                snprintf(out, room, "\\u{%x}", character);
                return length;
        }
        memcpy(out, text, length);
        out[length] = '\0';
        return length;
}

/* Most text is: nothing in it is to be written otherwise. */
static int is_plain(const char *text, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (text[i] < 0x20 || text[i] >= 0x7f)
                        return 0;
        return 1;
}

char *text_escape(const char *text, size_t n)
{
        _cleanup_(freep) char *escaped = NULL;
        size_t n_escaped = 0, size;
        FILE *out;

        if (is_plain(text, n))
                return strndup(text, n);
        out = open_memstream(&escaped, &size);
        if (!out)
                return NULL;
        while (n_escaped < n) {
                char one[16];

                n_escaped += escape_one(one, sizeof(one), text + n_escaped, n - n_escaped);
                fputs(one, out);
        }
        if (ferror(out)) {
                fclose(out);
                return NULL;
        }
        if (fclose(out) != 0)
                return NULL;
        return TAKE_PTR(escaped);
}

size_t text_width(const char *escaped)
{
        size_t width = 0;

        for (; *escaped; escaped++)
                width += (*escaped & 0xc0) != 0x80;
        return width;
}
