/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of events: names come from the kernel as bytes, and leave as UTF-8 that can stand on a
 * terminal. */
#include "event/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

#define NAMES_MAX (EVENT_PATH_ROOM / 2)
#define CUT_MARK "\xe2\x80\xa6" /* … */

static char *append_escaped(char *at, unsigned char byte)
{
        static const char digits[] = "0123456789abcdef";

        *at++ = '\\';
        *at++ = 'x';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
        return at;
}

/* Needs room for 4 * n. */
static char *append_clean(char *at, const char *text, size_t n)
{
        for (size_t done = 0; done < n;) {
                size_t n_fine = 0;

                text_check(text + done, n - done, &n_fine);
                for (; n_fine > 0; n_fine--, done++) {
                        if (text[done] == '\t')
                                at = append_escaped(at, '\t');
                        else
                                *at++ = text[done];
                }
                if (done < n)
                        at = append_escaped(at, (unsigned char) text[done++]);
        }
        return at;
}

char *event_text(const char *text, size_t n)
{
        char *clean = malloc(4 * n + 1);

        if (!clean)
                return NULL;
        *append_clean(clean, text, n) = '\0';
        return clean;
}

typedef struct Name {
        const char *text;
        size_t n_text;
} Name;

static size_t split_names(const struct event *event, Name names[NAMES_MAX])
{
        size_t n = event->path_length, n_names = 0;

        if (n > sizeof(event->path))
                n = sizeof(event->path);
        for (size_t at = 0; at < n && n_names < NAMES_MAX;) {
                size_t length = strnlen(event->path + at, n - at);

                if (length > 0)
                        names[n_names++] = (Name){.text = event->path + at, .n_text = length};
                at += length + 1;
        }
        return n_names;
}

char *event_path(const struct event *event)
{
        Name names[NAMES_MAX];
        size_t n_names = split_names(event, names);
        char *path = malloc(sizeof(CUT_MARK) + 4 * sizeof(event->path) + NAMES_MAX + 2), *at = path;

        if (!path)
                return NULL;
        if (event->flags & EVENT_PATH_CUT)
                at = stpcpy(at, CUT_MARK);
        if (n_names == 0)
                *at++ = '/';
        for (size_t i = n_names; i > 0; i--) {
                *at++ = '/';
                at = append_clean(at, names[i - 1].text, names[i - 1].n_text);
        }
        *at = '\0';
        return path;
}
