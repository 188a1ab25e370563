/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* History: see history.h. A line is appended for each change; when as many lines are no longer
 * wanted as are, the file is written anew. */
#include "transaction/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_NAME "history"
#define N_TEXTS 4
#define LINE_MAX_ (64u + N_TEXTS * (HISTORY_TEXT_MAX + 1))
#define FILE_SIZE_MAX (2u * HISTORY_MAX * LINE_MAX_)

typedef struct Line {
        uint64_t usec, generation;
        uint32_t uid;
        char texts[N_TEXTS][HISTORY_TEXT_MAX];
} Line;

struct History {
        int directory;
        Line *lines[HISTORY_MAX];
        size_t first, n;
        size_t n_in_file; /* lines, wanted or not */
};

/* ---- lines ---- */

/* A tab or a line's end within a text would make another line of it. */
static void put_text(char text[HISTORY_TEXT_MAX], const char *from, size_t n)
{
        size_t i = 0;

        for (; i < n && i + 1 < HISTORY_TEXT_MAX; i++)
                text[i] = (unsigned char) from[i] < ' ' || from[i] == 127 ? '?' : from[i];
        text[i] = '\0';
}

static size_t format_line(const Line *line, char ret_text[LINE_MAX_])
{
        return (size_t) snprintf(ret_text, LINE_MAX_,
                                 "%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%s\t%s\t%s\t%s\n",
                                 line->usec, line->generation, line->uid, line->texts[0],
                                 line->texts[1], line->texts[2], line->texts[3]);
}

/* text ends in NUL. Returns 0 or -EBADMSG. */
static int read_line(const char *text, Line *line)
{
        int at = 0;

        if (sscanf(text, "%" SCNu64 "\t%" SCNu64 "\t%" SCNu32 "%n", &line->usec, &line->generation,
                   &line->uid, &at) != 3)
                return -EBADMSG;
        for (size_t i = 0; i < N_TEXTS; i++) {
                size_t n;

                if (text[at++] != '\t')
                        return -EBADMSG;
                n = strcspn(text + at, "\t");
                put_text(line->texts[i], text + at, n);
                at += (int) n;
        }
        return text[at] == '\0' ? 0 : -EBADMSG;
}

/* Takes the line. */
static void keep(History *history, Line *line)
{
        Line **place = &history->lines[(history->first + history->n) % HISTORY_MAX];

        if (history->n < HISTORY_MAX) {
                history->n++;
        } else {
                free(*place);
                history->first = (history->first + 1) % HISTORY_MAX;
        }
        *place = line;
}

/* ---- the file ---- */

/* A power cut may have left half a line, and nothing after it. */
static int read_lines(History *history, char *text, size_t n)
{
        const char *all = text + n;

        for (char *end; (end = strchr(text, '\n')); text = end + 1) {
                Line *line = calloc(1, sizeof(*line));

                if (!line)
                        return -ENOMEM;
                *end = '\0';
                history->n_in_file++;
                if (read_line(text, line) == 0)
                        keep(history, line);
                else
                        free(line);
        }
        if (text != all)
                history->n_in_file = 2 * HISTORY_MAX; /* so that it is written anew */
        return 0;
}

static int rewrite(History *history)
{
        _cleanup_(freep) char *text = malloc(HISTORY_MAX * LINE_MAX_);
        size_t n = 0;
        int r;

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < history->n; i++)
                n += format_line(history->lines[(history->first + i) % HISTORY_MAX], text + n);
        r = file_replace(history->directory, FILE_NAME, text, n);
        if (r == 0)
                history->n_in_file = history->n;
        return r;
}

static int append(History *history, const Line *line)
{
        char text[LINE_MAX_];
        int r = file_append(history->directory, FILE_NAME, text, format_line(line, text));

        if (r == 0 && history->n_in_file++ == 0)
                r = directory_sync(history->directory);
        return r;
}

/* After a failure nobody knows what is in the file: the next line is not appended to that. */
static void write_down(History *history, const Line *line)
{
        int r = history->n_in_file + 1 < 2 * HISTORY_MAX ? append(history, line) : rewrite(history);

        if (r < 0) {
                history->n_in_file = 2 * HISTORY_MAX;
                log_errno(r, "The history cannot be written");
        }
}

/* ---- life ---- */

int history_new(History **ret_history, int directory)
{
        _cleanup_(history_freep) History *history = calloc(1, sizeof(*history));
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;
        int r;

        if (!history)
                return -ENOMEM;
        history->directory = directory;
        r = file_read(directory, FILE_NAME, FILE_SIZE_MAX, &text, &n);
        if (r == 0)
                r = read_lines(history, text, n);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT) {
                log_errno(r, "The history cannot be read, and begins anew");
                history->n_in_file = 2 * HISTORY_MAX;
        }
        *ret_history = TAKE_PTR(history);
        return 0;
}

History *history_free(History *history)
{
        if (!history)
                return NULL;
        for (size_t i = 0; i < HISTORY_MAX; i++)
                free(history->lines[i]);
        free(history);
        return NULL;
}

int history_add(History *history, const HistoryEntry *entry)
{
        const char *texts[N_TEXTS] = {entry->origin, entry->what, entry->name,
                                      entry->authorization};
        Line *line = calloc(1, sizeof(*line));

        if (!line)
                return -ENOMEM;
        line->usec = entry->usec;
        line->generation = entry->generation;
        line->uid = entry->uid;
        for (size_t i = 0; i < N_TEXTS; i++)
                put_text(line->texts[i], texts[i], strlen(texts[i]));
        keep(history, line);
        write_down(history, line);
        return 0;
}

size_t history_size(const History *history)
{
        return history->n;
}

HistoryEntry history_get(const History *history, size_t i)
{
        const Line *line = history->lines[(history->first + i) % HISTORY_MAX];

        return (HistoryEntry){
                .usec = line->usec,
                .generation = line->generation,
                .uid = line->uid,
                .origin = line->texts[0],
                .what = line->texts[1],
                .name = line->texts[2],
                .authorization = line->texts[3],
        };
}
