/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Document: see document.h. */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "text.h"
#include "util/array.h"

#define CHUNK 65536u
#define EXCERPT_MAX 160u /* of a line, on either side of the column */

static int read_to_end(int fd, char **ret_text, size_t *ret_n)
{
        _cleanup_(freep) char *text = NULL;
        size_t n = 0, n_allocated = 0;

        for (;;) {
                ssize_t got;
                int r = ARRAY_RESERVE(text, n_allocated, n + CHUNK + 1);

                if (r < 0)
                        return r;
                got = read(fd, text + n, CHUNK);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
                if (n > DOCUMENT_SIZE_MAX)
                        return -EFBIG;
        }
        text[n] = '\0';
        *ret_text = TAKE_PTR(text);
        *ret_n = n;
        return 0;
}

int source_document_read(const char *path, SourceDocument *ret_document)
{
        _cleanup_(closep) int opened = -1;
        _cleanup_(freep) char *label = strdup(path);
        int r;

        if (!label)
                return -ENOMEM;
        if (strcmp(path, "-") != 0) {
                opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
                if (opened < 0)
                        return -errno;
        }
        r = read_to_end(opened < 0 ? STDIN_FILENO : opened, &ret_document->text,
                        &ret_document->n_text);
        if (r < 0)
                return r;
        ret_document->label = TAKE_PTR(label);
        return 0;
}

void source_document_deinit(SourceDocument *document)
{
        free(document->label);
        free(document->text);
        *document = (SourceDocument){0};
}

char *source_document_name(const char *path)
{
        static const char *const endings[] = {".policy", ".conf"};
        const char *slash = strrchr(path, '/');
        const char *base = slash ? slash + 1 : path;
        size_t n = strlen(base);

        for (size_t i = 0; i < ELEMENTS_OF(endings); i++) {
                size_t n_ending = strlen(endings[i]);

                if (n > n_ending && strcmp(base + n - n_ending, endings[i]) == 0)
                        return strndup(base, n - n_ending);
        }
        return strdup(base);
}

/* Most text is: there is no need to look at each character then, and to count lines. */
static int is_ascii(const SourceDocument *document)
{
        unsigned all = 0;

        for (size_t i = 0; i < document->n_text; i++)
                all |= (unsigned char) document->text[i];
        return all < 0x80 && !memchr(document->text, '\0', document->n_text);
}

int source_document_check(const SourceDocument *document, uint32_t *ret_line, uint32_t *ret_column)
{
        uint32_t line = 1, column = 1, character;

        if (is_ascii(document))
                return 0;
        for (size_t i = 0; i < document->n_text;) {
                size_t n = text_character(document->text + i, document->n_text - i, &character);

                if (n == 0 || character == 0) {
                        *ret_line = line;
                        *ret_column = column;
                        return 1;
                }
                column = character == '\n' ? 1 : column + (uint32_t) n;
                line += character == '\n';
                i += n;
        }
        return 0;
}

/* The line's bytes, without its end. Returns 0 if there is no such line. */
static int find_line(const SourceDocument *document, uint32_t line, const char **ret_start,
                     size_t *ret_n)
{
        const char *at = document->text, *end = document->text + document->n_text, *stop;

        for (; line > 1; line--) {
                at = memchr(at, '\n', (size_t) (end - at));
                if (!at)
                        return 0;
                at++;
        }
        stop = memchr(at, '\n', (size_t) (end - at));
        *ret_start = at;
        *ret_n = (size_t) ((stop ? stop : end) - at);
        return 1;
}

/* A tab would put the caret in another place than it is in the text. */
static void blank_tabs(char *text, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (text[i] == '\t')
                        text[i] = ' ';
}

static void show_line(const char *start, size_t n, uint32_t column, FILE *file)
{
        size_t before = column - 1 < n ? column - 1 : n;
        size_t from = before > EXCERPT_MAX ? before - EXCERPT_MAX : 0;
        size_t to = n - before > EXCERPT_MAX ? before + EXCERPT_MAX : n;
        _cleanup_(freep) char *copy = malloc(to - from + 1), *left = NULL, *right = NULL;

        if (!copy)
                return;
        memcpy(copy, start + from, to - from);
        blank_tabs(copy, to - from);
        left = text_escape(copy, before - from);
        right = text_escape(copy + (before - from), to - before);
        if (!left || !right)
                return;
        fprintf(file, "    %s%s\n    %*s^\n", left, right, (int) text_width(left), "");
}

void source_document_name_remark(const SourceDocument *document, const Remark *remark, FILE *file)
{
        output_text(file, document->label);
        if (remark->line > 0)
                fprintf(file, ":%u:%u", remark->line, remark->column);
        fputs(remark->warning ? ": warning: " : ": ", file);
        output_text(file, remark->message);
        if (*remark->hint) {
                fputs("; ", file);
                output_text(file, remark->hint);
        }
        fputc('\n', file);
}

void source_document_show(const SourceDocument *document, const Remark *remark, FILE *file)
{
        const char *start;
        size_t n;

        if (remark->line > 0 && remark->column > 0 && find_line(document, remark->line, &start, &n))
                show_line(start, n, remark->column, file);
}

void source_document_point(const SourceDocument *document, const Remark *remark, FILE *file)
{
        source_document_name_remark(document, remark, file);
        source_document_show(document, remark, file);
}
