/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trouble: see trouble.h. */
#include "transaction/trouble.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"

/* Texts never move: an array of pointers into a struct that is copied or compacted must be remade.
 */
static void trouble_point(Trouble *trouble)
{
        for (size_t i = 0; i < trouble->n_sentences; i++)
                trouble->sentences[i] = trouble->texts[i];
        trouble->sentences[trouble->n_sentences] = NULL;
}

/* A sentence that did not fit must not end within a character. */
static void cut_at_character(char *text, size_t n)
{
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        text[n] = '\0';
}

static int trouble_has(const Trouble *trouble, const char *text)
{
        for (size_t i = 0; i < trouble->n_sentences; i++)
                if (strcmp(trouble->texts[i], text) == 0)
                        return 1;
        return 0;
}

void trouble_add(Trouble *trouble, TroubleKind kind, const char *format, ...)
{
        char text[TROUBLE_ROOM + 4];
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (r < 0)
                return;
        if ((size_t) r >= TROUBLE_ROOM)
                cut_at_character(text, TROUBLE_ROOM - 1);
        if (trouble_has(trouble, text))
                return;
        log_warning("%s", text);
        if (trouble->n_sentences >= TROUBLE_MAX)
                return;
        strcpy(trouble->texts[trouble->n_sentences], text);
        trouble->kinds[trouble->n_sentences++] = kind;
        trouble_point(trouble);
}

void trouble_clear(Trouble *trouble, TroubleKind kind)
{
        size_t n = 0;

        for (size_t i = 0; i < trouble->n_sentences; i++) {
                if (trouble->kinds[i] == kind)
                        continue;
                if (n != i) {
                        strcpy(trouble->texts[n], trouble->texts[i]);
                        trouble->kinds[n] = trouble->kinds[i];
                }
                n++;
        }
        trouble->n_sentences = n;
        trouble_point(trouble);
}

const char *const *trouble_sentences(const Trouble *trouble)
{
        return trouble->sentences;
}
