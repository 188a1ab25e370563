/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Titles: what the rules are called in events and answers. The strings of those that are new, or
 * stand in another line than before, are in one piece of memory; those of others stay where they
 * are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/fiber.h"

#define LINE_DIGITS 10

/* So many texts, and so many bytes that may be of no use, do not matter. */
#define N_TEXTS_MAX 32u
#define TEXT_FLOOR ((size_t) 64 * 1024)

static char nothing[] = "";
static const ImageRule no_title = {nothing, 0, nothing, nothing, nothing, nothing};

static size_t title_size(const Document *document, const Rule *rule)
{
        const RuleOptions *options = rule->options;
        size_t n_id = options->id ? strlen(options->id) : strlen(document->name) + 1 + LINE_DIGITS;

        return strlen(rule->section) + strlen(rule->entry) + n_id +
               (options->why ? strlen(options->why) : 0) + 4;
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

/* ---- texts ---- */

struct TitleText {
        unsigned n_refs;
        size_t size;
        char text[];
};

void title_texts_free(PolicyImage *image)
{
        for (size_t i = 0; i < image->n_texts; i++)
                if (--image->texts[i]->n_refs == 0)
                        free(image->texts[i]);
        free(image->texts);
}

/* Of the strings that are shared few enough must be in use: the first text had all of them once. */
static int is_worn(const PolicyImage *before)
{
        size_t size = 0;

        for (size_t i = 0; i < before->n_texts; i++)
                size += before->texts[i]->size;
        return before->n_texts >= N_TEXTS_MAX || size > 2 * before->texts[0]->size + TEXT_FLOOR;
}

static void share_texts(PolicyImage *image, const PolicyImage *before)
{
        for (size_t i = 0; i < before->n_texts; i++) {
                image->texts[i] = before->texts[i];
                image->texts[i]->n_refs++;
        }
        image->n_texts = before->n_texts;
        memcpy(image->rules, before->rules, before->n_rules * sizeof(image->rules[0]));
}

/* ---- all of them ---- */

static int is_there(const PolicyImage *image, uint32_t number, const Rule *rule)
{
        return image->rules[number].line == rule->line;
}

/* At most what titles_put() puts. */
static size_t text_size(const Compiler *compiler, size_t n_documents)
{
        const PolicyImage *image = compiler->image;
        size_t n_text = 0, n = 0;

        for (size_t i = 0; i < n_documents; i++) {
                const Document *document = &compiler->documents[i];

                n_text += strlen(document->name) + 1;
                for (size_t j = 0; j < policy_n_rules(document->policy); j++) {
                        const Rule *rule = policy_rule(document->policy, j);

                        if (!is_there(image, image->numbers[n++], rule))
                                n_text += title_size(document, rule);
                }
        }
        return n_text;
}

static void titles_put(const Compiler *compiler, char *end, size_t n_documents)
{
        PolicyImage *image = compiler->image;
        const ImageRule *before = &no_title;
        size_t n = 0;

        for (size_t i = 0; i < n_documents; i++) {
                const Document *document = &compiler->documents[i];
                char *name = text_put(&end, document->name);

                for (size_t j = 0; j < policy_n_rules(document->policy); j++) {
                        const Rule *rule = policy_rule(document->policy, j);
                        ImageRule *title = &image->rules[image->numbers[n++]];

                        fiber_pace();
                        if (!is_there(image, image->numbers[n - 1], rule)) {
                                title->document = name;
                                title_put(&end, rule, before, title);
                        }
                        before = title;
                }
        }
}

static int add_text(Compiler *compiler, size_t n_documents)
{
        size_t n = text_size(compiler, n_documents);
        PolicyImage *image = compiler->image;
        TitleText *text = malloc(sizeof(*text) + n);

        if (!text)
                return -ENOMEM;
        text->n_refs = 1;
        text->size = n;
        image->texts[image->n_texts++] = text;
        titles_put(compiler, text->text, n_documents);
        return 0;
}

int titles_add(Compiler *compiler, size_t n_documents)
{
        const Numbers *numbers = &compiler->in_order;
        const PolicyImage *before = compiler->before;
        PolicyImage *image = compiler->image;
        size_t n = compiler->n_rules;

        image->numbers = copy_items(numbers->items, numbers->n, sizeof(numbers->items[0]));
        image->rules = calloc(n, sizeof(*image->rules));
        image->texts = calloc(N_TEXTS_MAX + 1, sizeof(*image->texts));
        if (!image->rules || !image->texts || (numbers->n > 0 && !image->numbers))
                return -ENOMEM;
        image->n_numbers = numbers->n;
        image->n_rules = n;
        if (before && !is_worn(before))
                share_texts(image, before);
        for (size_t i = 0; i < n; i++)
                if (compiler->rules[i].order == 0)
                        image->rules[i] = no_title;
        return add_text(compiler, n_documents);
}
