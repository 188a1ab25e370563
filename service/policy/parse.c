/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse: cuts a document into lines and hands each to the room that reads it. One pass, no
 * recursion; a fault is noted and reading goes on, so that all of them are told at once. */
#include "policy/parse.h"
#include "policy/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "policy/words.h"
#include "util/fiber.h"

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
        uint32_t section_column;
        uint32_t line, section_line;
        Header header;
        int saw_carriage_return;                /* told once: a whole document has them, or none */
        uint32_t section_lines[N_SECTIONS_MAX]; /* where each began; 0: nowhere yet */
        uint32_t told_old; /* a bit a section: told that the version is older */
        char *room;        /* unused part of policy->strings */
} Parser;
_Static_assert(N_SECTIONS_MAX <= 32, "told_old has a bit for each");

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

Span span_trim(Span span)
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

Span span_part(Span span, size_t from, size_t n)
{
        return (Span){span.text + from, n, span.column + (uint32_t) from};
}

int span_equals(Span span, const char *text)
{
        return span.n == strlen(text) && memcmp(span.text, text, span.n) == 0;
}

Entry entry_part(const Entry *entry, size_t at, size_t n)
{
        Entry part = *entry;

        part.text += at;
        part.n = n;
        part.column += (uint32_t) at;
        return part;
}

/* Copies the line to the policy's strings. */
static Entry make_entry(Parser *parser, Span line)
{
        Entry entry = {
                .text = parser->room,
                .n = line.n,
                .line = parser->line,
                .column = line.column,
                .diagnostics = parser->diagnostics,
                .policy = parser->policy,
                .room = &parser->room,
        };

        memcpy(parser->room, line.text, line.n);
        parser->room[line.n] = '\0';
        parser->room += line.n + 1;
        return entry;
}

static Rule make_rule(const Parser *parser, const Entry *entry)
{
        return (Rule){
                .line = entry->line,
                .column = entry->column,
                .section = parser->section->name,
                .entry = entry->text,
                .options = &rule_options_none,
        };
}

/* ---- sections ---- */

/* Whether the document's version has the section. An older one does no harm while it is empty:
 * documents have such. */
static int is_of_version(Parser *parser, const Section *section)
{
        unsigned version = parser->policy->version;

        if (version == 0)
                return 1;
        if (version == 7 && section->since < 7)
                fault(parser, parser->section_column, section->in_v7,
                      "version 7 has no section [%s]", section->name);
        else if (version < 7 && section->since == 7)
                fault(parser, parser->section_column,
                      "write version=7, and everything in its spelling",
                      "[%s] is a section of version 7", section->name);
        else
                return 1;
        return 0;
}

static void check_since(Parser *parser, const Section *section)
{
        unsigned version = parser->policy->version;
        uint32_t bit = 1u << section_number(section);

        if (version == 0 || version >= section->since || parser->told_old & bit)
                return;
        parser->told_old |= bit;
        diagnostics_add(parser->diagnostics, SEVERITY_FAULT, parser->section_line,
                        parser->section_column, "write a later version= at the top",
                        "section [%s] needs version %u or later, up to 6", section->name,
                        section->since);
}

static int begin_flag(Parser *parser, Span name)
{
        Entry entry = make_entry(parser, (Span){name.text, 0, name.column});
        Rule rule = make_rule(parser, &entry);
        int r;

        check_since(parser, parser->section);
        r = parser->section->flag(&entry, &rule);
        return r < 0 ? r : 0;
}

static int begin_section(Parser *parser, const Section *section, Span name)
{
        size_t i = section_number(section);
        int is_first = parser->section_lines[i] == 0;

        parser->section_line = parser->line;
        parser->section_column = name.column;
        if (!is_of_version(parser, section))
                return 0;
        if (is_first)
                parser->section_lines[i] = parser->line;
        else
                warning(parser, name.column, "", "section [%s] goes on; it began on line %u",
                        section->name, parser->section_lines[i]);
        parser->where = WHERE_SECTION;
        parser->section = section;
        return section->flag && is_first ? begin_flag(parser, name) : 0;
}

static void explain_section(Parser *parser, Span name)
{
        const Section *meant = section_guess(name.text, name.n);
        char hint[64];

        if (meant) {
                snprintf(hint, sizeof(hint), "write [%s]", meant->name);
                fault(parser, name.column, hint, "there is no section [%s]",
                      quoted(name.text, name.n).text);
                return;
        }
        fault(parser, name.column, parser->policy->version == 7 ? SECTIONS_HINT_V7 : SECTIONS_HINT,
              "there is no section [%s]", quoted(name.text, name.n).text);
}

/* at: of the bracket that closes the name. */
static int stands_alone(Parser *parser, Span line, size_t at)
{
        Span rest = span_part(line, at + 1, line.n - at - 1);

        if (rest.n == 0)
                return 1;
        if (parser->policy->version == 7 && is_blank(rest.text[0]) &&
            span_trim(rest).text[0] == '#')
                return 1;
        fault(parser, rest.column, "a section stands alone on its line",
              "something follows the section's name");
        return 0;
}

static int read_section_line(Parser *parser, Span line)
{
        const char *end = memchr(line.text, ']', line.n);
        const Section *section;
        size_t at;
        Span name;

        parser->where = WHERE_REFUSED;
        if (!end) {
                fault(parser, line.column + (uint32_t) line.n, "write ] after the name",
                      "the section's name does not end");
                return 0;
        }
        at = (size_t) (end - line.text);
        name = span_trim(span_part(line, 1, at - 1));
        if (!stands_alone(parser, line, at))
                return 0;
        section = section_find(name.text, name.n);
        if (section)
                return begin_section(parser, section, name);
        explain_section(parser, name);
        return 0;
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

/* ---- lines ---- */

static int read_entry(Parser *parser, Span line)
{
        Entry entry;
        Rule rule;
        int r;

        if (parser->section->since == 7) {
                line.n = words_length(line.text, line.n);
                line = span_trim(line);
        }
        entry = make_entry(parser, line);
        rule = make_rule(parser, &entry);
        check_since(parser, parser->section);
        r = parser->section->read(&entry, &rule);
        return r < 0 ? r : 0;
}

static void explain_bytes(Parser *parser, Span line, TextFault text_fault, size_t at)
{
        int has_escapes = parser->policy->version == 7;
        uint8_t byte = (uint8_t) line.text[at];
        uint32_t column = (uint32_t) at + 1;
        char hint[128];

        snprintf(hint, sizeof(hint), "write it between quotes, as \"\\x%02x\"", byte);
        switch (text_fault) {
        case TEXT_FINE:
                break;
        case TEXT_NUL:
                fault(parser, column, "write text alone", "there is a NUL byte");
                break;
        case TEXT_CONTROL:
                fault(parser, column,
                      has_escapes ? hint
                                  : "remove it; a name that has it can be written in version 7",
                      "there is a control character (byte 0x%02x)", byte);
                break;
        case TEXT_NOT_UTF8:
                fault(parser, column,
                      has_escapes ? hint
                                  : "write UTF-8; a name that is not can be written in version 7",
                      "byte 0x%02x is not UTF-8 here", byte);
                break;
        }
}

/* Returns 0 if the line cannot be read at all. */
static int check_line(Parser *parser, Span *line)
{
        TextFault text_fault;
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
        text_fault = text_check(line->text, line->n, &at);
        if (text_fault == TEXT_FINE)
                return 1;
        explain_bytes(parser, *line, text_fault, at);
        return 0;
}

static int read_line(Parser *parser, const char *text, size_t n)
{
        Span line = {text, n, 1};
        Entry entry;

        if (!check_line(parser, &line))
                return 0;
        line = span_trim(line);
        if (line.n == 0 || line.text[0] == '#')
                return 0;
        if (is_section_line(line))
                return read_section_line(parser, line);
        switch (parser->where) {
        case WHERE_HEADER:
                entry = make_entry(parser, line);
                header_read_line(&parser->header, &entry);
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
                fiber_pace();
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
        /* A line of n bytes gives its text and strings of n bytes in all, their NULs counted but
         * one; the newline pays for the two that are left, and the last line may lack it. */
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

/* One sentence for all of it: nothing in it is a line of the language. */
static int refuse_foreign(Parser *parser)
{
        diagnostics_add(
                parser->diagnostics, SEVERITY_FAULT, 1, 1,
                "keep what stands below its line \"---\", and sign that with 'aegis-policy "
                "sign --bundle' once it has been checked",
                "this is a signed bundle of AegisBPF's: its signature can be moved to other "
                "contents and is not believed here");
        return 0;
}

static int read_document(Parser *parser, const char *text, size_t n_text)
{
        size_t n_mark = check_mark(text, n_text, parser->diagnostics);
        int r;

        if (bundle_is_foreign(text, n_text))
                return refuse_foreign(parser);
        r = read_lines(parser, text + n_mark, n_text - n_mark);
        if (r < 0)
                return r;
        header_check(&parser->header, parser->policy, parser->diagnostics);
        r = duplicates_find(parser->policy, parser->diagnostics);
        if (r < 0)
                return r;
        r = crosscheck(parser->policy, parser->diagnostics);
        if (r < 0)
                return r;
        diagnostics_sort(parser->diagnostics);
        return 0;
}

int policy_parse(Policy **ret_policy, const char *text, size_t n_text, Diagnostics *diagnostics)
{
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        size_t n_faults = diagnostics->n_faults;
        Parser parser = {.diagnostics = diagnostics};
        int r;

        if (n_text > POLICY_SIZE_MAX)
                return POLICY_E_TOO_LARGE;
        r = policy_new(&policy, n_text);
        if (r < 0)
                return r;
        parser.policy = policy;
        parser.room = policy->strings;
        r = read_document(&parser, text, n_text);
        if (r < 0)
                return r;
        if (diagnostics->n_faults > n_faults)
                return POLICY_E_SYNTAX;
        policy->n_strings = (size_t) (parser.room - policy->strings);
        *ret_policy = TAKE_PTR(policy);
        return 0;
}
