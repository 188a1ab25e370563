/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: see text.h. */
#include "bus/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

typedef struct Range {
        uint32_t first, last;
} Range;

/* Unicode's Cc, Cf and Zl/Zp as far as they hide, join, split or turn text around. */
static const Range unseen[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},   {0x061c, 0x061c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

static int is_unseen(uint32_t character)
{
        for (size_t i = 0; i < ELEMENTS_OF(unseen); i++)
                if (character >= unseen[i].first && character <= unseen[i].last)
                        return 1;
        return 0;
}

/* What sd-bus takes: no surrogates, no noncharacters. */
static int is_character(uint32_t c)
{
        return c < 0x110000 && (c & 0xfffff800) != 0xd800 && !(c >= 0xfdd0 && c <= 0xfdef) &&
               (c & 0xfffe) != 0xfffe;
}

static size_t length_of(unsigned char first)
{
        if (first < 0x80)
                return 1;
        if (first >= 0xc2 && first < 0xe0)
                return 2;
        if (first >= 0xe0 && first < 0xf0)
                return 3;
        return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Returns the bytes of the character at text, or 0 if there is none. A NUL ends any sequence. */
static size_t decode(const char *text, uint32_t *ret_character)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t n = length_of((unsigned char) *text);
        uint32_t c;

        if (n == 0)
                return 0;
        c = (unsigned char) *text & (n == 1 ? 0x7f : 0x7f >> n);
        for (size_t i = 1; i < n; i++) {
                if (((unsigned char) text[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | ((unsigned char) text[i] & 0x3f);
        }
        if (c < least[n] || !is_character(c))
                return 0;
        *ret_character = c;
        return n;
}

static char *copy(const char *text, size_t n_max, int (*leave_out)(uint32_t character))
{
        size_t n = strnlen(text, n_max), done = 0;
        char *result = malloc(n + 1);

        if (!result)
                return NULL;
        while (*text != '\0') {
                uint32_t character = '?';
                size_t n_bytes = decode(text, &character);
                const char *from = n_bytes ? text : "?";
                size_t n_from = n_bytes ? n_bytes : 1;

                text += n_from;
                if (leave_out && leave_out(character))
                        continue;
                if (n_from > n - done)
                        break;
                memcpy(result + done, from, n_from);
                done += n_from;
        }
        result[done] = '\0';
        return result;
}

char *text_valid(const char *text, size_t n_max)
{
        return copy(text, n_max, NULL);
}

char *text_prompt(const char *text)
{
        return copy(text, TEXT_PROMPT_MAX, is_unseen);
}
