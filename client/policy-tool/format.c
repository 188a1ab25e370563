/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format: see format.h. */
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/meaning.h"
#include "policy/rule-text.h"
#include "spelling.h"
#include "util/array.h"

/* ---- the order of lines ---- */

/* A line and the comments that stand before it move together. */
typedef struct Run {
        size_t first, n; /* lines */
        size_t rank;
} Run;

static const char *const keys[] = {"version=", "name="};

static size_t rank_of(const Line *line)
{
        size_t i = 0;

        while (i < ELEMENTS_OF(keys) && strncmp(line->text, keys[i], strlen(keys[i])) != 0)
                i++;
        return i;
}

static int compare_runs(const void *a, const void *b)
{
        const Run *x = a, *y = b;

        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        return x->first < y->first ? -1 : x->first > y->first;
}

/* What stands before the first key is about the document and stays where it is. Returns how many
 * runs there are. */
static size_t find_runs(const Lines *lines, Run *runs, size_t *ret_first, size_t *ret_end)
{
        size_t n = 0, first = 0, begin;

        while (first < lines->n && lines->items[first].kind != LINE_KEY)
                first++;
        begin = first;
        for (size_t i = first; i < lines->n && lines->items[i].kind != LINE_SECTION; i++) {
                if (lines->items[i].kind != LINE_KEY)
                        continue;
                runs[n++] = (Run){begin, i + 1 - begin, rank_of(&lines->items[i])};
                begin = i + 1;
        }
        *ret_first = first;
        *ret_end = begin;
        return n;
}

static int order_header(Lines *lines)
{
        _cleanup_(freep) Run *runs = calloc(lines->n + 1, sizeof(*runs));
        _cleanup_(freep) Line *ordered = calloc(lines->n + 1, sizeof(*ordered));
        size_t n_runs, first, end, n = 0;

        if (!runs || !ordered)
                return -ENOMEM;
        n_runs = find_runs(lines, runs, &first, &end);
        qsort(runs, n_runs, sizeof(*runs), compare_runs);
        for (size_t i = 0; i < n_runs; i++) {
                memcpy(ordered + n, lines->items + runs[i].first, runs[i].n * sizeof(*ordered));
                n += runs[i].n;
        }
        if (n > 0)
                memcpy(lines->items + first, ordered, n * sizeof(*ordered));
        return 0;
}

/* ---- blank lines ---- */

/* Whether a blank line belongs before this one: where there was one, but not below a section's
 * name; and before a section with its comments. */
static int wants_blank(const Lines *lines, size_t i, const Line *last, int was_blank)
{
        if (!last)
                return 0;
        while (i < lines->n && lines->items[i].kind == LINE_COMMENT && last->kind != LINE_COMMENT)
                i++;
        if (i < lines->n && lines->items[i].kind == LINE_SECTION && last->kind != LINE_COMMENT)
                return 1;
        return was_blank && last->kind != LINE_SECTION;
}

static int space_lines(Lines *lines)
{
        Lines spaced = {0};
        const Line *last = NULL;
        int was_blank = 0;

        for (size_t i = 0; i < lines->n; i++) {
                Line *line = &lines->items[i];

                if (line->kind == LINE_BLANK) {
                        was_blank = 1;
                        continue;
                }
                if ((wants_blank(lines, i, last, was_blank) &&
                     lines_add(&spaced, LINE_BLANK, NULL, NULL) < 0) ||
                    ARRAY_RESERVE(spaced.items, spaced.n_allocated, spaced.n + 1) < 0) {
                        lines_deinit(&spaced);
                        return -ENOMEM;
                }
                spaced.items[spaced.n++] = *line;
                *line = (Line){.kind = line->kind};
                last = &spaced.items[spaced.n - 1];
                was_blank = 0;
        }
        lines_deinit(lines);
        *lines = spaced;
        return 0;
}

int format_lines(Lines *lines)
{
        int r = order_header(lines);

        return r < 0 ? r : space_lines(lines);
}

/* ---- entries ---- */

/* Cuts an entry of version 7 at its options. */
static int cut_options(Line *line)
{
        size_t n = object_length(line->text), blanks = strspn(line->text + n, " \t");

        if (line->text[n + blanks] == '\0')
                return 0;
        line->options = strdup(line->text + n + blanks);
        if (!line->options)
                return -ENOMEM;
        line->text[n] = '\0';
        return 0;
}

static int spell_line(Line *line, const Policy *policy)
{
        char *text = NULL;
        const Rule *rule;
        int r;

        if (line->kind != LINE_ENTRY || line->n_rules == 0)
                return 0;
        rule = policy_rule(policy, line->first_rule);
        r = policy_version(policy) == 7 ? rule_to_text(rule, &text) : spell_entry(rule, &text);
        if (r < 0)
                return r;
        free(line->text);
        line->text = text;
        return policy_version(policy) == 7 ? cut_options(line) : 0;
}

/* ---- the whole ---- */

int policies_are_equal(const Policy *a, const Policy *b)
{
        const char *x = policy_header_name(a), *y = policy_header_name(b);

        if (policy_n_rules(a) != policy_n_rules(b) ||
            policy_accepts_missing(a) != policy_accepts_missing(b) ||
            policy_deps_matter(a) != policy_deps_matter(b) ||
            policy_wants_ima_appraisal(a) != policy_wants_ima_appraisal(b) ||
            strcmp(x ? x : "", y ? y : "") != 0)
                return 0;
        for (size_t i = 0; i < policy_n_rules(a); i++)
                if (rule_compare(policy_rule(a, i), policy_rule(b, i)) != 0)
                        return 0;
        return 1;
}

static int check(const char *text, const Policy *policy)
{
        _cleanup_(policy_unrefp) Policy *formatted = NULL;
        Diagnostics diagnostics = {0};
        int r = policy_parse(&formatted, text, strlen(text), &diagnostics);

        diagnostics_deinit(&diagnostics);
        if (r < 0)
                return r;
        return r == 0 && policies_are_equal(policy, formatted) ? 0 : FORMAT_E_MEANING;
}

static int format_into(Lines *lines, char **ret_text, const Policy *policy)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < lines->n; i++)
                r = spell_line(&lines->items[i], policy);
        if (r == 0)
                r = format_lines(lines);
        if (r < 0)
                return r;
        *ret_text = lines_write(lines);
        return *ret_text ? 0 : -ENOMEM;
}

int format_document(char **ret_text, const char *text, size_t n_text, const Policy *policy)
{
        _cleanup_(freep) char *formatted = NULL;
        Lines lines = {0};
        int r = lines_read(&lines, text, n_text, policy);

        if (r == 0)
                r = format_into(&lines, &formatted, policy);
        lines_deinit(&lines);
        if (r == 0)
                r = check(formatted, policy);
        if (r == 0)
                *ret_text = TAKE_PTR(formatted);
        return r;
}
