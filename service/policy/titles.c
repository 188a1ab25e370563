/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Titles: what the rules are called in events and answers, by the policies they are of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"

const char *image_rule_id(const ImageRule *rule, char room[IMAGE_RULE_ID_SIZE])
{
        if (rule->rule->options->id)
                return rule->rule->options->id;
        snprintf(room, IMAGE_RULE_ID_SIZE, "%s:%u", rule->document, rule->rule->line);
        return room;
}

const char *image_rule_why(const ImageRule *rule)
{
        return rule->rule->options->why ? rule->rule->options->why : "";
}

/* Those without rules stand before the one that begins where they do. */
static const ImageDocument *document_of(const PolicyImage *image, size_t at)
{
        size_t low = 0, high = image->n_documents;

        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (image->documents[middle].first <= at)
                        low = middle;
                else
                        high = middle;
        }
        return &image->documents[low];
}

ImageRule policy_image_rule(const PolicyImage *image, uint32_t number)
{
        uint32_t order = image->orders[number];
        const ImageDocument *document;

        if (order == 0)
                return (ImageRule){"", &rule_gone};
        document = document_of(image, order - 1);
        return (ImageRule){document->name,
                           policy_rule(document->policy, order - 1 - document->first)};
}

void titles_free(PolicyImage *image)
{
        for (size_t i = 0; i < image->n_documents; i++)
                policy_unref(image->documents[i].policy);
        free(image->documents);
        free(image->names);
        free(image->numbers);
        free(image->orders);
}

static size_t names_size(const Compiler *compiler, size_t n_documents)
{
        size_t size = 0;

        for (size_t i = 0; i < n_documents; i++)
                size += strlen(compiler->documents[i].name) + 1;
        return size;
}

static int allocate(Compiler *compiler, size_t n_documents)
{
        PolicyImage *image = compiler->image;

        image->orders = calloc(compiler->n_rules, sizeof(image->orders[0]));
        image->documents = calloc(n_documents + 1, sizeof(image->documents[0]));
        image->names = malloc(names_size(compiler, n_documents) + 1);
        if (!image->orders || !image->documents || !image->names)
                return -ENOMEM;
        image->n_rules = compiler->n_rules;
        return 0;
}

int titles_add(Compiler *compiler, size_t n_documents)
{
        PolicyImage *image = compiler->image;
        size_t n_rules = 0;
        char *end;
        int r;

        r = allocate(compiler, n_documents);
        if (r < 0)
                return r;
        for (size_t i = 0; i < compiler->n_rules; i++)
                image->orders[i] = compiler->rules[i].order;
        end = image->names;
        for (size_t i = 0; i < n_documents; i++) {
                const Document *document = &compiler->documents[i];

                image->documents[image->n_documents++] =
                        (ImageDocument){end, policy_ref(document->policy), n_rules};
                end = stpcpy(end, document->name) + 1;
                n_rules += policy_n_rules(document->policy);
        }
        return 0;
}
