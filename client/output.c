/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: see output.h. */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "util/array.h"

#define COLUMNS_MAX 16u
#define COLUMN_LEAST 8u /* a cell is not cut below this */
#define GAP 2u

typedef struct Cell {
        char *text;
        Colour colour;
} Cell;

struct Table {
        const char *const *headings;
        size_t n_columns;
        Cell *cells;
        size_t n_cells, n_allocated;
        int failed;
};

/* NO_COLOR is a promise to the person at the terminal (no-color.org), not a setting of ours. */
static int colours_are_wanted(void)
{
        static int are_wanted = -1;

        if (are_wanted < 0) {
                const char *refused = getenv("NO_COLOR");

                are_wanted = isatty(STDOUT_FILENO) && (!refused || !*refused);
        }
        return are_wanted;
}

const char *colour_sequence(Colour colour)
{
        if (!colours_are_wanted())
                return "";
        switch (colour) {
        case COLOUR_NONE:
                return "\033[0m";
        case COLOUR_GOOD:
                return "\033[32m";
        case COLOUR_DOUBTFUL:
                return "\033[33m";
        case COLOUR_BAD:
                return "\033[31m";
        case COLOUR_QUIET:
                return "\033[2m";
        }
        return "";
}

void output_text(FILE *file, const char *text)
{
        _cleanup_(freep) char *escaped = text_escape(text, strlen(text));

        fputs(escaped ? escaped : "(memory is short)", file);
}

static void print_escaped(const char *text, size_t n)
{
        _cleanup_(freep) char *escaped = text_escape(text, n);

        fputs(escaped ? escaped : "(memory is short)", stdout);
}

void output_document(const char *text)
{
        if (!isatty(STDOUT_FILENO)) {
                fputs(text, stdout);
                return;
        }
        while (*text) {
                size_t n = strcspn(text, "\n\t");

                print_escaped(text, n);
                text += n;
                if (*text)
                        putchar(*text++);
        }
}

Table *table_new(const char *const *headings, size_t n_columns)
{
        Table *table = n_columns > COLUMNS_MAX ? NULL : calloc(1, sizeof(*table));

        if (!table)
                return NULL;
        table->headings = headings;
        table->n_columns = n_columns;
        return table;
}

Table *table_free(Table *table)
{
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i].text);
        free(table->cells);
        free(table);
        return NULL;
}

void table_add(Table *table, Colour colour, const char *text)
{
        char *escaped = text_escape(*text ? text : "-", strlen(*text ? text : "-"));

        if (!escaped || ARRAY_RESERVE(table->cells, table->n_allocated, table->n_cells + 1) < 0) {
                free(escaped);
                table->failed = 1;
                return;
        }
        table->cells[table->n_cells++] = (Cell){.text = escaped, .colour = colour};
}

void table_add_number(Table *table, uint64_t number)
{
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, number);
        table_add(table, COLOUR_NONE, text);
}

static size_t terminal_width(void)
{
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return SIZE_MAX;
        return size.ws_col;
}

static size_t widest_column(const size_t *widths, size_t first, size_t n_columns)
{
        size_t widest = first;

        for (size_t i = first; i < n_columns; i++)
                if (widths[i] > widths[widest])
                        widest = i;
        return widest;
}

/* The first column names the row, so it is the last to be cut. */
static void fit_columns(size_t *widths, size_t n_columns)
{
        size_t room = terminal_width(), total = GAP * (n_columns - 1);

        for (size_t i = 0; i < n_columns; i++)
                total += widths[i];
        for (; total > room; total--) {
                size_t widest = widest_column(widths, n_columns > 1, n_columns);

                if (widths[widest] <= COLUMN_LEAST)
                        widest = 0;
                if (widths[widest] <= COLUMN_LEAST)
                        return;
                widths[widest]--;
        }
}

static void measure_columns(const Table *table, size_t *widths)
{
        for (size_t i = 0; i < table->n_columns; i++)
                widths[i] = text_width(table->headings[i]);
        for (size_t i = 0; i < table->n_cells; i++) {
                size_t width = text_width(table->cells[i].text);

                if (width > widths[i % table->n_columns])
                        widths[i % table->n_columns] = width;
        }
        fit_columns(widths, table->n_columns);
}

/* Behind that many characters. */
static const char *skip_characters(const char *text, size_t n)
{
        for (; n > 0 && *text; n--)
                do
                        text++;
                while ((*text & 0xc0) == 0x80);
        return text;
}

/* Of a path both ends tell most: it is cut in the middle, other texts at the end. */
static void print_shortened(const char *text, size_t width)
{
        static const char cut[] = "...";
        size_t n_shown = width - strlen(cut), n_end = strchr(text, '/') ? n_shown / 2 : 0;
        const char *head = skip_characters(text, n_shown - n_end);

        printf("%.*s%s%s", (int) (head - text), text, cut,
               skip_characters(head, text_width(head) - n_end));
}

/* Prints at most width characters, and blanks up to it unless this is the row's last cell. */
static void print_cell(const Cell *cell, size_t width, int is_last)
{
        size_t n = text_width(cell->text);

        fputs(cell->colour == COLOUR_NONE ? "" : colour_sequence(cell->colour), stdout);
        if (n > width)
                print_shortened(cell->text, width);
        else
                fputs(cell->text, stdout);
        fputs(cell->colour == COLOUR_NONE ? "" : colour_sequence(COLOUR_NONE), stdout);
        if (is_last)
                putchar('\n');
        else
                printf("%*s", (int) (width - (n > width ? width : n) + GAP), "");
}

int table_print(const Table *table)
{
        size_t widths[COLUMNS_MAX];

        if (table->failed || table->n_cells % table->n_columns != 0)
                return -ENOMEM;
        measure_columns(table, widths);
        for (size_t i = 0; *table->headings[0] && i < table->n_columns; i++) {
                Cell heading = {.text = (char *) table->headings[i], .colour = COLOUR_QUIET};

                print_cell(&heading, widths[i], i + 1 == table->n_columns);
        }
        for (size_t i = 0; i < table->n_cells; i++)
                print_cell(&table->cells[i], widths[i % table->n_columns],
                           i % table->n_columns + 1 == table->n_columns);
        return 0;
}

/* json-c escapes what JSON must; DEL and U+0080 to U+009F a terminal may still obey. They stand
 * only inside strings, where \u00NN means the same. */
void output_json(json_object *object)
{
        const char *text = json_object_to_json_string_ext(
                object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

        for (; text && *text; text++) {
                unsigned char byte = (unsigned char) *text, next = (unsigned char) text[1];

                if (byte == 0x7f) {
                        fputs("\\u007f", stdout);
                } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
                        printf("\\u00%02x", next);
                        text++;
                } else {
                        putchar(byte);
                }
        }
        putchar('\n');
}

void output_time(uint64_t usec, char *out, size_t room)
{
        time_t seconds = (time_t) (usec / 1000000u);
        struct tm local;

        if (usec == 0 || !localtime_r(&seconds, &local) ||
            strftime(out, room, "%Y-%m-%d %H:%M:%S", &local) == 0)
                snprintf(out, room, "-");
}
