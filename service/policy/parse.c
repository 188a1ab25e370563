/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse: cuts a document into lines and hands each to the room that reads it. One pass, no
 * recursion; a fault is noted and reading goes on, so that all of them are told at once. */
#include "policy/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "util/array.h"

/* The newest version anyone has written documents for; those above POLICY_VERSION_MAX are known,
 * not read. */
#define VERSION_KNOWN 7u

typedef enum Where {
        WHERE_HEADER,
        WHERE_SECTION,
        WHERE_REFUSED, /* in a section whose own line is at fault: its entries are passed over */
} Where;

typedef struct Parser {
        Policy *policy;
        Diagnostics *diagnostics;
        Where where;
        const Section *section; /* in WHERE_SECTION */
        uint32_t line;
        uint32_t version_line;                  /* 0: none yet */
        int saw_carriage_return;                /* told once: a whole document has them, or none */
        uint32_t section_lines[N_SECTIONS_MAX]; /* where each began; 0: nowhere yet */
        char *room;                             /* unused part of policy->strings */
} Parser;

/* A part of the line being read. */
typedef struct Span {
        const char *text;
        size_t n;
        uint32_t column;
} Span;

#define fault(parser, column, hint, ...)                                                           \
        diagnostics_add((parser)->diagnostics, SEVERITY_FAULT, (parser)->line, (column), (hint),   \
                        __VA_ARGS__)
#define warning(parser, column, hint, ...)                                                         \
        diagnostics_add((parser)->diagnostics, SEVERITY_WARNING, (parser)->line, (column), (hint), \
                        __VA_ARGS__)

static int is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static Span span_trim(Span span)
{
        while (span.n > 0 && is_blank(span.text[0])) {
                span.text++;
                span.n--;
                span.column++;
        }
        while (span.n > 0 && is_blank(span.text[span.n - 1]))
                span.n--;
        return span;
}

static Span span_part(Span span, size_t from, size_t n)
{
        return (Span){span.text + from, n, span.column + (uint32_t) from};
}

static int span_equals(Span span, const char *text)
{
        return span.n == strlen(text) && memcmp(span.text, text, span.n) == 0;
}

/* ---- header ---- */

static void read_version(Parser *parser, Span value)
{
        uint64_t version;

        if (parser->version_line > 0) {
                fault(parser, value.column, "keep one of the two",
                      "version= stands on line %u already", parser->version_line);
                return;
        }
        parser->version_line = parser->line;
        if (number_parse(value.text, value.n, UINT32_MAX, &version) < 0 || version == 0 ||
            version > VERSION_KNOWN)
                fault(parser, value.column, "write version=1",
                      "\"%s\" is no version of this language", quoted(value.text, value.n).text);
        else if (version > POLICY_VERSION_MAX)
                fault(parser, value.column, "write version=1; " SECTIONS_HINT,
                      "version %u is not read by this build", (unsigned) version);
        else
                parser->policy->version = (unsigned) version;
}

static void read_header_line(Parser *parser, Span line)
{
        const char *equals = memchr(line.text, '=', line.n);
        size_t at = equals ? (size_t) (equals - line.text) : line.n;
        Span key = span_trim(span_part(line, 0, at)), value;

        if (!equals) {
                fault(parser, line.column,
                      "write [deny_path], or another section, on a line before it",
                      "\"%s\" stands before the first section and is no key=value",
                      quoted(line.text, line.n).text);
                return;
        }
        value = span_trim(span_part(line, at + 1, line.n - at - 1));
        if (span_equals(key, "version"))
                read_version(parser, value);
        else
                fault(parser, key.column, "version= is the only key that version 1 has",
                      "\"%s\" is no key of the header", quoted(key.text, key.n).text);
}

/* ---- sections ---- */

static void begin_section(Parser *parser, const Section *section, Span name)
{
        size_t i = section_number(section);

        if (!section->parse) {
                fault(parser, name.column, SECTIONS_HINT,
                      "section [%s] (version %u) is not read by this build", section->name,
                      section->since);
                return;
        }
        if (parser->section_lines[i] > 0)
                warning(parser, name.column, "", "section [%s] goes on; it began on line %u",
                        section->name, parser->section_lines[i]);
        else
                parser->section_lines[i] = parser->line;
        parser->where = WHERE_SECTION;
        parser->section = section;
}

static void read_section_line(Parser *parser, Span line)
{
        const char *end = memchr(line.text, ']', line.n);
        const Section *section;
        Span name;

        parser->where = WHERE_REFUSED;
        if (!end) {
                fault(parser, line.column + (uint32_t) line.n, "write ] after the name",
                      "the section's name does not end");
                return;
        }
        name = span_trim(span_part(line, 1, (size_t) (end - line.text) - 1));
        if (end != line.text + line.n - 1) {
                fault(parser, line.column + (uint32_t) (end - line.text) + 1,
                      "a section stands alone on its line", "something follows the section's name");
                return;
        }
        section = section_find(name.text, name.n);
        if (section)
                begin_section(parser, section, name);
        else
                fault(parser, name.column, SECTIONS_HINT, "there is no section [%s]",
                      quoted(name.text, name.n).text);
}

/* An address in brackets is an entry; no section has a colon or a dot in its name. */
static int is_section_line(Span line)
{
        const char *end;
        size_t n;

        if (line.text[0] != '[')
                return 0;
        end = memchr(line.text, ']', line.n);
        n = end ? (size_t) (end - line.text) : line.n;
        return !memchr(line.text, ':', n) && !memchr(line.text, '.', n);
}

/* ---- entries ---- */

static int read_entry(Parser *parser, Span line)
{
        Policy *policy = parser->policy;
        char *text = parser->room;
        Entry entry = {
                .text = text,
                .line = parser->line,
                .column = line.column,
                .diagnostics = parser->diagnostics,
                .room = &parser->room,
        };
        Rule rule = {
                .line = parser->line,
                .column = line.column,
                .section = parser->section->name,
                .entry = text,
        };

        memcpy(text, line.text, line.n);
        text[line.n] = '\0';
        parser->room += line.n + 1;
        if (parser->section->parse(&entry, &rule) != 0)
                return 0;
        if (ARRAY_RESERVE(policy->rules, policy->n_allocated, policy->n_rules + 1) < 0)
                return -ENOMEM;
        policy->rules[policy->n_rules++] = rule;
        return 0;
}

/* ---- lines ---- */

/* Returns 0 if the line cannot be read at all. */
static int check_line(Parser *parser, Span *line)
{
        size_t at;

        if (line->n > 0 && line->text[line->n - 1] == '\r') {
                if (!parser->saw_carriage_return)
                        fault(parser, line->column + (uint32_t) line->n - 1,
                              "end every line with a line feed alone (dos2unix does it)",
                              "the line ends in a carriage return; others may too");
                parser->saw_carriage_return = 1;
                line->n--;
        }
        if (line->n > POLICY_LINE_MAX) {
                fault(parser, POLICY_LINE_MAX + 1, "", "the line is longer than %u bytes",
                      POLICY_LINE_MAX);
                return 0;
        }
        switch (text_check(line->text, line->n, &at)) {
        case TEXT_FINE:
                return 1;
        case TEXT_NUL:
                fault(parser, (uint32_t) at + 1, "write text alone", "there is a NUL byte");
                break;
        case TEXT_CONTROL:
                fault(parser, (uint32_t) at + 1,
                      "remove it; version 1 cannot name a file that has it in its name",
                      "there is a control character (byte 0x%02x)", (uint8_t) line->text[at]);
                break;
        case TEXT_NOT_UTF8:
                fault(parser, (uint32_t) at + 1,
                      "write UTF-8; version 1 cannot name a file whose name is not",
                      "byte 0x%02x is not UTF-8 here", (uint8_t) line->text[at]);
                break;
        }
        return 0;
}

static int read_line(Parser *parser, const char *text, size_t n)
{
        Span line = {text, n, 1};

        if (!check_line(parser, &line))
                return 0;
        line = span_trim(line);
        if (line.n == 0 || line.text[0] == '#')
                return 0;
        if (is_section_line(line)) {
                read_section_line(parser, line);
                return 0;
        }
        switch (parser->where) {
        case WHERE_HEADER:
                read_header_line(parser, line);
                return 0;
        case WHERE_SECTION:
                return read_entry(parser, line);
        case WHERE_REFUSED:
                return 0;
        }
        return 0;
}

static int read_lines(Parser *parser, const char *text, size_t n_text)
{
        const char *end = text + n_text, *newline;
        int r;

        for (; text < end; text = newline + 1) {
                if (parser->line >= POLICY_LINES_MAX) {
                        diagnostics_add(parser->diagnostics, SEVERITY_FAULT, parser->line + 1, 1,
                                        "write several documents", "there are more than %u lines",
                                        POLICY_LINES_MAX);
                        return 0;
                }
                parser->line++;
                newline = memchr(text, '\n', (size_t) (end - text));
                if (!newline)
                        newline = end;
                r = read_line(parser, text, (size_t) (newline - text));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- documents ---- */

static int policy_new(Policy **ret_policy, size_t n_text)
{
        _cleanup_(policy_unrefp) Policy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return -ENOMEM;
        policy->n_refs = 1;
        /* A line of n bytes gives at most two strings of n bytes, each with its NUL; the newline
         * pays for that, and the last line may lack it. */
        policy->strings = calloc(n_text + 1, 2);
        if (!policy->strings)
                return -ENOMEM;
        *ret_policy = TAKE_PTR(policy);
        return 0;
}

/* Returns how many bytes to pass over: the rest of the document is worth reading all the same. */
static size_t check_mark(const char *text, size_t n_text, Diagnostics *diagnostics)
{
        static const char mark[] = "\xef\xbb\xbf";
        size_t n = sizeof(mark) - 1;

        if (n_text < n || memcmp(text, mark, n) != 0)
                return 0;
        diagnostics_add(diagnostics, SEVERITY_FAULT, 1, 1, "save it as UTF-8 without one",
                        "the document begins with a byte order mark");
        return n;
}

int policy_parse(Policy **ret_policy, const char *text, size_t n_text, Diagnostics *diagnostics)
{
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        size_t n_faults = diagnostics->n_faults, n_mark;
        Parser parser = {.diagnostics = diagnostics};
        int r;

        if (n_text > POLICY_SIZE_MAX)
                return POLICY_E_TOO_LARGE;
        r = policy_new(&policy, n_text);
        if (r < 0)
                return r;
        parser.policy = policy;
        parser.room = policy->strings;
        n_mark = check_mark(text, n_text, diagnostics);
        r = read_lines(&parser, text + n_mark, n_text - n_mark);
        if (r < 0)
                return r;
        if (parser.version_line == 0)
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, 1,
                                "write version=1 on the first line",
                                "the document does not say its version");
        r = duplicates_find(policy, diagnostics);
        if (r < 0)
                return r;
        diagnostics_sort(diagnostics);
        if (diagnostics->n_faults > n_faults)
                return POLICY_E_SYNTAX;
        *ret_policy = TAKE_PTR(policy);
        return 0;
}
