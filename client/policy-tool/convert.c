/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convert: see convert.h. The rules that an entry gave are written out one by one, each in its
 * section of version 7; a comment goes with the next rule. Then the result is parsed, and believed
 * only if it gives the same rules and compiles to the same image. */
#include "convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alike.h"
#include "format.h"
#include "lines.h"
#include "policy/meaning.h"
#include "policy/rule-text.h"
#include "util/array.h"

static const char *const sections[] = {"deny", "allow", "audit", "default"};
#define N_BUCKETS ELEMENTS_OF(sections)

typedef struct Converter {
        const Policy *policy;
        Lines source;
        Lines header;
        Lines buckets[N_BUCKETS]; /* what goes into each section */
        const char *section;      /* the source's line of it */
        size_t pending; /* the first of the source's comments and blank lines that wait for a rule
                         */
} Converter;

static int add_text(Lines *lines, LineKind kind, const char *text)
{
        return lines_add(lines, kind, text ? strdup(text) : NULL, NULL);
}

/* The blank line below a section's name has no meaning where the section is not. */
static int is_kept(const Lines *source, size_t i)
{
        if (source->items[i].kind == LINE_COMMENT)
                return 1;
        return source->items[i].kind == LINE_BLANK &&
               (i == 0 || source->items[i - 1].kind != LINE_SECTION);
}

/* Comments and blank lines up to the source's line `end`; and a blank line where a section of the
 * source began. */
static int flush_pending(Converter *converter, Lines *lines, size_t end)
{
        for (size_t i = converter->pending; lines->n > 0 && i < end; i++)
                if (converter->source.items[i].kind == LINE_SECTION &&
                    add_text(lines, LINE_BLANK, NULL) < 0)
                        return -ENOMEM;
        for (; converter->pending < end; converter->pending++) {
                const Line *line = &converter->source.items[converter->pending];

                if (is_kept(&converter->source, converter->pending) &&
                    add_text(lines, line->kind, line->text) < 0)
                        return -ENOMEM;
        }
        converter->pending = end + 1;
        return 0;
}

static Lines *bucket_of(Converter *converter, const Rule *rule)
{
        const char *section = rule_section(rule);

        for (size_t i = 0; i < N_BUCKETS; i++)
                if (strcmp(sections[i], section) == 0)
                        return &converter->buckets[i];
        return NULL;
}

static int add_rule(Lines *lines, const Rule *rule)
{
        char *text = NULL, *options = NULL;
        int r = rule_to_text(rule, &text);
        size_t n;

        if (r < 0)
                return r;
        n = object_length(text);
        if (text[n] != '\0') {
                options = strdup(text + n + strspn(text + n, " "));
                if (!options) {
                        free(text);
                        return -ENOMEM;
                }
                text[n] = '\0';
        }
        return lines_add(lines, LINE_ENTRY, text, options);
}

static int convert_rules(Converter *converter, size_t i)
{
        const Line *line = &converter->source.items[i];

        for (size_t j = 0; j < line->n_rules; j++) {
                const Rule *rule = policy_rule(converter->policy, line->first_rule + j);
                Lines *bucket = bucket_of(converter, rule);

                if (!bucket)
                        return CONVERT_E_MEANING;
                if (j == 0 && flush_pending(converter, bucket, i) < 0)
                        return -ENOMEM;
                if (add_rule(bucket, rule) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* What gives no rule is told, so that nobody looks for it in vain. */
static int note_dropped(Converter *converter, size_t i)
{
        const Line *line = &converter->source.items[i];
        char *text = NULL;

        if (flush_pending(converter, &converter->buckets[0], i) < 0 ||
            asprintf(&text, "# left out, since it changes nothing: %s %s", converter->section,
                     line->text) < 0)
                return -ENOMEM;
        return lines_add(&converter->buckets[0], LINE_COMMENT, text, NULL);
}

static int convert_header(Converter *converter, size_t i)
{
        if (flush_pending(converter, &converter->header, i) < 0 ||
            add_text(&converter->header, LINE_KEY, "version=7") < 0)
                return -ENOMEM;
        if (policy_deps_matter(converter->policy) &&
            add_text(&converter->header, LINE_KEY, "runtime-deps=verified") < 0)
                return -ENOMEM;
        if (policy_wants_ima_appraisal(converter->policy) &&
            add_text(&converter->header, LINE_KEY, "ima-appraisal=required") < 0)
                return -ENOMEM;
        return 0;
}

static int convert_line(Converter *converter, size_t i)
{
        const Line *line = &converter->source.items[i];

        switch (line->kind) {
        case LINE_BLANK:
        case LINE_COMMENT:
                return 0;
        case LINE_KEY:
                return convert_header(converter, i);
        case LINE_SECTION:
                converter->section = line->text;
                return convert_rules(converter, i);
        case LINE_ENTRY:
                return line->n_rules > 0 ? convert_rules(converter, i) : note_dropped(converter, i);
        }
        return 0;
}

/* ---- putting together ---- */

/* Takes what the lines are made of. */
static int append(Lines *lines, Lines *more)
{
        if (ARRAY_RESERVE(lines->items, lines->n_allocated, lines->n + more->n) < 0)
                return -ENOMEM;
        if (more->n > 0)
                memcpy(lines->items + lines->n, more->items, more->n * sizeof(*more->items));
        lines->n += more->n;
        more->n = 0;
        return 0;
}

static int put_together(Converter *converter, Lines *result)
{
        Lines rest = {0};
        int r = append(result, &converter->header);

        for (size_t i = 0; r == 0 && i < N_BUCKETS; i++) {
                char *name = NULL;

                if (converter->buckets[i].n == 0)
                        continue;
                if (asprintf(&name, "[%s]", sections[i]) < 0)
                        return -ENOMEM;
                r = lines_add(result, LINE_SECTION, name, NULL);
                if (r == 0)
                        r = append(result, &converter->buckets[i]);
        }
        if (r == 0)
                r = flush_pending(converter, &rest, converter->source.n);
        if (r == 0)
                r = append(result, &rest);
        lines_deinit(&rest);
        return r;
}

static int convert(Converter *converter, Lines *result)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < converter->source.n; i++)
                r = convert_line(converter, i);
        if (r == 0)
                r = put_together(converter, result);
        return r != 0 ? r : format_lines(result);
}

static void converter_deinit(Converter *converter)
{
        lines_deinit(&converter->source);
        lines_deinit(&converter->header);
        for (size_t i = 0; i < N_BUCKETS; i++)
                lines_deinit(&converter->buckets[i]);
}

/* ---- proof ---- */

static int rules_are_the_same(const char *text, size_t n_text, const char *converted)
{
        _cleanup_(policy_unrefp) Policy *before = NULL, *after = NULL;
        Diagnostics diagnostics = {0};
        int r = policy_parse(&before, text, n_text, &diagnostics);

        if (r == 0)
                r = policy_parse(&after, converted, strlen(converted), &diagnostics);
        diagnostics_deinit(&diagnostics);
        if (r == 0)
                r = policy_sort_rules(before);
        if (r == 0)
                r = policy_sort_rules(after);
        return r == 0 ? policies_are_equal(before, after) : r < 0 ? r : 0;
}

static int prove(const char *text, size_t n_text, const char *converted)
{
        const Sheet before = {text, n_text}, after = {converted, strlen(converted)};
        int is_same = rules_are_the_same(text, n_text, converted), r;

        if (is_same <= 0)
                return is_same < 0 ? is_same : CONVERT_E_MEANING;
        r = documents_decide_alike(&before, &after, &is_same);
        if (r < 0)
                return r;
        return r == 0 && is_same ? 0 : CONVERT_E_MEANING;
}

int convert_document(char **ret_text, const char *text, size_t n_text, const Policy *policy)
{
        _cleanup_(freep) char *converted = NULL;
        Converter converter = {.policy = policy};
        Lines result = {0};
        int r = lines_read(&converter.source, text, n_text, policy);

        if (r == 0)
                r = convert(&converter, &result);
        if (r == 0) {
                converted = lines_write(&result);
                r = converted ? prove(text, n_text, converted) : -ENOMEM;
        }
        lines_deinit(&result);
        converter_deinit(&converter);
        if (r == 0)
                *ret_text = TAKE_PTR(converted);
        return r;
}
