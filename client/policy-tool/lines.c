/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines: see lines.h. */
#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "util/array.h"

#define BLANKS " \t\r"
#define COLUMN_MAX 48u /* a wider object pushes its own options aside and no others */
#define GAP 2u

typedef struct Part {
        const char *text;
        size_t n;
} Part;

static Part part_trim(Part part)
{
        while (part.n > 0 && strchr(BLANKS, part.text[0])) {
                part.text++;
                part.n--;
        }
        while (part.n > 0 && strchr(BLANKS, part.text[part.n - 1]))
                part.n--;
        return part;
}

static Part part_from(Part part, size_t at)
{
        return part_trim((Part){part.text + at, part.n - at});
}

static char *part_copy(Part part)
{
        return strndup(part.text, part.n);
}

int lines_add(Lines *lines, LineKind kind, char *text, char *options)
{
        if ((!text && kind != LINE_BLANK) ||
            ARRAY_RESERVE(lines->items, lines->n_allocated, lines->n + 1) < 0) {
                free(text);
                free(options);
                return -ENOMEM;
        }
        lines->items[lines->n++] = (Line){.kind = kind, .text = text, .options = options};
        return 0;
}

void lines_deinit(Lines *lines)
{
        for (size_t i = 0; i < lines->n; i++) {
                free(lines->items[i].text);
                free(lines->items[i].options);
                free(lines->items[i].comment);
        }
        free(lines->items);
        *lines = (Lines){0};
}

size_t object_length(const char *entry)
{
        int is_quoted = 0;
        size_t i;

        for (i = 0; entry[i] != '\0'; i++) {
                if (is_quoted && entry[i] == '\\' && entry[i + 1] != '\0')
                        i++;
                else if (entry[i] == '"')
                        is_quoted = !is_quoted;
                else if (!is_quoted && (entry[i] == ' ' || entry[i] == '\t'))
                        break;
        }
        return i;
}

/* ---- reading ---- */

typedef struct Reader {
        Lines *lines;
        const Policy *policy;
        uint32_t line;
        size_t rule; /* the next that no line has given yet */
        int in_section;
} Reader;

/* As the parser has it: an address in brackets is no section. */
static int is_section(Part line)
{
        const char *end = line.text[0] == '[' ? memchr(line.text, ']', line.n) : NULL;
        size_t n = end ? (size_t) (end - line.text) : 0;

        return end && !memchr(line.text, ':', n) && !memchr(line.text, '.', n);
}

static char *section_copy(Part line, size_t *ret_n)
{
        size_t n = (size_t) ((const char *) memchr(line.text, ']', line.n) - line.text);
        Part name = part_trim((Part){line.text + 1, n - 1});
        char *text = NULL;

        *ret_n = n + 1;
        return asprintf(&text, "[%.*s]", (int) name.n, name.text) < 0 ? NULL : text;
}

/* No value has a # in it. */
static char *key_copy(Part line, size_t *ret_n)
{
        const char *equals = memchr(line.text, '=', line.n);
        Part key, value;
        char *text = NULL;
        size_t n = 0;

        while (n < line.n && (line.text[n] != '#' || (n > 0 && !strchr(BLANKS, line.text[n - 1]))))
                n++;
        *ret_n = n;
        if (!equals || equals >= line.text + n)
                return part_copy(part_trim((Part){line.text, n}));
        key = part_trim((Part){line.text, (size_t) (equals - line.text)});
        value = part_trim((Part){equals + 1, (size_t) (line.text + n - equals - 1)});
        return asprintf(&text, "%.*s=%.*s", (int) key.n, key.text, (int) value.n, value.text) < 0
                       ? NULL
                       : text;
}

/* The rule's entry is the line without its comment. */
static char *entry_copy(const Reader *reader, const Line *rules, Part line, size_t *ret_n)
{
        *ret_n = line.n;
        if (rules->n_rules > 0)
                *ret_n = strlen(policy_rule(reader->policy, rules->first_rule)->entry);
        if (*ret_n > line.n)
                *ret_n = line.n;
        return part_copy((Part){line.text, *ret_n});
}

static Line rules_of_line(Reader *reader)
{
        size_t n = policy_n_rules(reader->policy), first;

        while (reader->rule < n && policy_rule(reader->policy, reader->rule)->line < reader->line)
                reader->rule++;
        first = reader->rule;
        while (reader->rule < n && policy_rule(reader->policy, reader->rule)->line == reader->line)
                reader->rule++;
        return (Line){.first_rule = first, .n_rules = reader->rule - first};
}

/* at: where the line's own part ends, and its comment may begin. */
static int add_comment(Reader *reader, Part line, size_t at)
{
        Part rest = part_from(line, at);
        Line *last = &reader->lines->items[reader->lines->n - 1];

        if (rest.n == 0)
                return 0;
        last->comment = part_copy(rest);
        return last->comment ? 0 : -ENOMEM;
}

static int read_line(Reader *reader, Part line)
{
        Line rules = rules_of_line(reader);
        size_t at = line.n;
        LineKind kind;
        char *text;

        line = part_trim(line);
        if (line.n == 0)
                return lines_add(reader->lines, LINE_BLANK, NULL, NULL);
        if (line.text[0] == '#')
                return lines_add(reader->lines, LINE_COMMENT, part_copy(line), NULL);
        if (is_section(line)) {
                kind = LINE_SECTION;
                text = section_copy(line, &at);
                reader->in_section = 1;
        } else if (!reader->in_section) {
                kind = LINE_KEY;
                text = key_copy(line, &at);
        } else {
                kind = LINE_ENTRY;
                text = entry_copy(reader, &rules, line, &at);
        }
        if (lines_add(reader->lines, kind, text, NULL) < 0)
                return -ENOMEM;
        reader->lines->items[reader->lines->n - 1].first_rule = rules.first_rule;
        reader->lines->items[reader->lines->n - 1].n_rules = rules.n_rules;
        return add_comment(reader, line, at);
}

int lines_read(Lines *lines, const char *text, size_t n_text, const Policy *policy)
{
        Reader reader = {.lines = lines, .policy = policy};
        const char *end = text + n_text, *newline;

        for (; text < end; text = newline + 1) {
                reader.line++;
                newline = memchr(text, '\n', (size_t) (end - text));
                if (!newline)
                        newline = end;
                if (read_line(&reader, (Part){text, (size_t) (newline - text)}) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* ---- writing ---- */

static size_t width_of(const Line *line)
{
        return text_width(line->text);
}

/* Entries between blank lines and sections are one group. Returns where its options stand. */
static size_t group_column(const Lines *lines, size_t first)
{
        size_t column = 0;

        for (size_t i = first; i < lines->n; i++) {
                const Line *line = &lines->items[i];

                if (line->kind != LINE_ENTRY && line->kind != LINE_COMMENT)
                        break;
                if (line->kind == LINE_ENTRY && line->options && width_of(line) <= COLUMN_MAX &&
                    width_of(line) > column)
                        column = width_of(line);
        }
        return column + GAP;
}

static void write_line(FILE *out, const Line *line, size_t column)
{
        size_t width = line->text ? width_of(line) : 0;

        if (line->text)
                fputs(line->text, out);
        if (line->options)
                fprintf(out, "%*s%s", (int) (width + GAP <= column ? column - width : GAP), "",
                        line->options);
        if (line->comment)
                fprintf(out, "%*s%s", (int) GAP, "", line->comment);
        fputc('\n', out);
}

char *lines_write(const Lines *lines)
{
        char *text = NULL;
        size_t size, column = 0;
        FILE *out = open_memstream(&text, &size);
        int in_group = 0, failed;

        if (!out)
                return NULL;
        for (size_t i = 0; i < lines->n; i++) {
                const Line *line = &lines->items[i];
                int is_grouped = line->kind == LINE_ENTRY || line->kind == LINE_COMMENT;

                if (is_grouped && !in_group)
                        column = group_column(lines, i);
                in_group = is_grouped;
                write_line(out, line, column);
        }
        failed = ferror(out);
        if (fclose(out) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}
