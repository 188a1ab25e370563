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

void titles_free(PolicyImage *image)
{
        for (size_t i = 0; i < image->n_policies; i++)
                policy_unref(image->policies[i]);
        free(image->policies);
        free(image->names);
        free(image->rules);
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
        const Numbers *numbers = &compiler->in_order;

        image->numbers = copy_items(numbers->items, numbers->n, sizeof(numbers->items[0]));
        image->rules = calloc(compiler->n_rules, sizeof(image->rules[0]));
        image->policies = calloc(n_documents + 1, sizeof(image->policies[0]));
        image->names = malloc(names_size(compiler, n_documents) + 1);
        if (!image->rules || !image->policies || !image->names ||
            (numbers->n > 0 && !image->numbers))
                return -ENOMEM;
        image->n_numbers = numbers->n;
        image->n_rules = compiler->n_rules;
        return 0;
}

int titles_add(Compiler *compiler, size_t n_documents)
{
        PolicyImage *image = compiler->image;
        const uint32_t *number = compiler->in_order.items;
        char *end;
        int r;

        r = allocate(compiler, n_documents);
        if (r < 0)
                return r;
        end = image->names;
        for (size_t i = 0; i < compiler->n_rules; i++)
                image->rules[i] = (ImageRule){"", &rule_gone};
        for (size_t i = 0; i < n_documents; i++) {
                const Document *document = &compiler->documents[i];
                const char *name = end;

                end = stpcpy(end, document->name) + 1;
                image->policies[image->n_policies++] = policy_ref(document->policy);
                for (size_t j = 0; j < policy_n_rules(document->policy); j++)
                        image->rules[*number++] =
                                (ImageRule){name, policy_rule(document->policy, j)};
        }
        return 0;
}
