/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnostics: see diagnostics.h. Faults are worth more than warnings: when there is no room left,
 * a fault takes the place of the last warning. */
#include "policy/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

static void diagnostic_deinit(Diagnostic *diagnostic)
{
        free(diagnostic->message);
        free(diagnostic->hint);
}

static void drop_last_warning(Diagnostics *diagnostics)
{
        for (size_t i = diagnostics->n_items; i-- > 0;) {
                Diagnostic *item = &diagnostics->items[i];

                if (item->severity != SEVERITY_WARNING)
                        continue;
                diagnostic_deinit(item);
                memmove(item, item + 1, (diagnostics->n_items - i - 1) * sizeof(*item));
                diagnostics->n_items--;
                diagnostics->n_dropped++;
                return;
        }
}

static Diagnostic *find_room(Diagnostics *diagnostics, Severity severity)
{
        if (diagnostics->n_items >= DIAGNOSTICS_MAX && severity == SEVERITY_FAULT &&
            diagnostics->n_faults <= diagnostics->n_items)
                drop_last_warning(diagnostics);
        if (diagnostics->n_items >= DIAGNOSTICS_MAX)
                return NULL;
        if (ARRAY_RESERVE(diagnostics->items, diagnostics->n_allocated, diagnostics->n_items + 1) <
            0)
                return NULL;
        return &diagnostics->items[diagnostics->n_items];
}

void diagnostics_add(Diagnostics *diagnostics, Severity severity, uint32_t line, uint32_t column,
                     const char *hint, const char *format, ...)
{
        _cleanup_(freep) char *message = NULL, *copy = NULL;
        Diagnostic *item;
        va_list arguments;

        if (severity == SEVERITY_FAULT)
                diagnostics->n_faults++;
        item = find_room(diagnostics, severity);
        if (!item) {
                diagnostics->n_dropped++;
                return;
        }
        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        copy = strdup(hint ? hint : "");
        if (!message || !copy) {
                diagnostics->n_dropped++;
                return;
        }
        *item = (Diagnostic){
                .line = line,
                .column = column,
                .severity = severity,
                .message = TAKE_PTR(message),
                .hint = TAKE_PTR(copy),
        };
        diagnostics->n_items++;
}

static int compare_places(const void *a, const void *b)
{
        const Diagnostic *x = a, *y = b;

        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        if (x->column != y->column)
                return x->column < y->column ? -1 : 1;
        return (int) x->severity - (int) y->severity;
}

void diagnostics_sort(Diagnostics *diagnostics)
{
        if (diagnostics->n_items > 0)
                qsort(diagnostics->items, diagnostics->n_items, sizeof(diagnostics->items[0]),
                      compare_places);
}

static void write_item(FILE *stream, const Diagnostic *item, const char *name)
{
        fputs(name, stream);
        if (item->line > 0)
                fprintf(stream, ":%u:%u", item->line, item->column);
        fprintf(stream, ": %s%s", item->severity == SEVERITY_WARNING ? "warning: " : "",
                item->message);
        if (item->hint[0] != '\0')
                fprintf(stream, "; %s", item->hint);
        fputc('\n', stream);
}

char *diagnostics_format(const Diagnostics *diagnostics, const char *name)
{
        _cleanup_(freep) char *text = NULL;
        FILE *stream;
        size_t n;
        int failed;

        stream = open_memstream(&text, &n);
        if (!stream)
                return NULL;
        for (size_t i = 0; i < diagnostics->n_items; i++)
                write_item(stream, &diagnostics->items[i], name);
        if (diagnostics->n_dropped > 0)
                fprintf(stream, "%s: and %zu more\n", name, diagnostics->n_dropped);
        failed = ferror(stream);
        if (fclose(stream) != 0 || failed)
                return NULL;
        return TAKE_PTR(text);
}

void diagnostics_deinit(Diagnostics *diagnostics)
{
        for (size_t i = 0; i < diagnostics->n_items; i++)
                diagnostic_deinit(&diagnostics->items[i]);
        free(diagnostics->items);
        *diagnostics = (Diagnostics){};
}
