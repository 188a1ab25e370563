/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Titles: what the rules are called in events and answers. The strings stand behind the array, in
 * one piece of memory with it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/fiber.h"

#define LINE_DIGITS 10

static size_t title_size(const Document *document, const Rule *rule)
{
        const RuleOptions *options = rule->options;
        size_t n_id = options->id ? strlen(options->id) : strlen(document->name) + 1 + LINE_DIGITS;

        return strlen(rule->section) + strlen(rule->entry) + n_id +
               (options->why ? strlen(options->why) : 0) + 4;
}

/* At most what titles_put() puts. */
static size_t text_size(const Document *documents, size_t n_documents)
{
        size_t n = 1;

        for (size_t i = 0; i < n_documents; i++) {
                n += strlen(documents[i].name) + 1;
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++)
                        n += title_size(&documents[i], policy_rule(documents[i].policy, j));
        }
        return n;
}

static char *text_put(char **end, const char *text)
{
        char *begin = *end;

        *end = stpcpy(begin, text) + 1;
        return begin;
}

/* There is one a rule: sprintf() would be half of what titles cost. */
static void decimal_put(char **end, uint32_t number)
{
        char digits[LINE_DIGITS];
        size_t n = 0;

        do {
                digits[n++] = (char) ('0' + number % 10);
                number /= 10;
        } while (number > 0);
        while (n > 0)
                *(*end)++ = digits[--n];
        *(*end)++ = '\0';
}

static char *id_put(char **end, const ImageRule *title, const RuleOptions *options)
{
        char *begin = *end;

        if (options->id)
                return text_put(end, options->id);
        *end = stpcpy(begin, title->document);
        *(*end)++ = ':';
        decimal_put(end, title->line);
        return begin;
}

/* Rules of one section stand together, and so do those of one entry: they share what is equal. */
static char *shared_put(char **end, char *before, const char *text)
{
        return strcmp(before, text) == 0 ? before : text_put(end, text);
}

static void title_put(char **end, const Rule *rule, const ImageRule *before, ImageRule *title)
{
        const char *why = rule->options->why ? rule->options->why : "";

        title->line = rule->line;
        title->section = shared_put(end, before->section, rule->section);
        title->entry = shared_put(end, before->entry, rule->entry);
        title->id = id_put(end, title, rule->options);
        title->why = shared_put(end, before->why, why);
}

static void titles_put(const Compiler *compiler, char *end, size_t n_documents)
{
        PolicyImage *image = compiler->image;
        ImageRule none, *before = &none;
        char *nothing = text_put(&end, "");
        size_t n = 0;

        none = (ImageRule){nothing, 0, nothing, nothing, nothing, nothing};
        for (size_t i = 0; i < image->n_rules; i++)
                image->rules[i] = none;
        for (size_t i = 0; i < n_documents; i++) {
                const Document *document = &compiler->documents[i];
                char *name = text_put(&end, document->name);

                for (size_t j = 0; j < policy_n_rules(document->policy); j++) {
                        ImageRule *title = &image->rules[image->numbers[n++]];

                        fiber_pace();
                        title->document = name;
                        title_put(&end, policy_rule(document->policy, j), before, title);
                        before = title;
                }
        }
}

int titles_add(Compiler *compiler, size_t n_documents)
{
        const Numbers *numbers = &compiler->in_order;
        size_t n = compiler->n_rules, n_text = text_size(compiler->documents, n_documents);
        PolicyImage *image = compiler->image;

        image->numbers = copy_items(numbers->items, numbers->n, sizeof(numbers->items[0]));
        image->rules = malloc(n * sizeof(*image->rules) + n_text);
        if (!image->rules || (numbers->n > 0 && !image->numbers))
                return -ENOMEM;
        image->n_numbers = numbers->n;
        image->n_rules = n;
        titles_put(compiler, (char *) (image->rules + n), n_documents);
        return 0;
}
