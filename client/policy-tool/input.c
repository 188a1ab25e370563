/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: see input.h. */
#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_stdin(const char *file)
{
        return strcmp(file, "-") == 0;
}

static ToolStatus input_read(Input *input, const char *file)
{
        int r = source_document_read(file, &input->source);

        if (r == -EFBIG)
                return tool_trouble("%s is larger than %u MiB; split it.", file,
                                    DOCUMENT_SIZE_MAX >> 20);
        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        input->name = is_stdin(file) ? strdup("stdin") : source_document_name(file);
        if (!input->name)
                return tool_trouble("memory is short.");
        r = policy_parse(&input->policy, input->source.text, input->source.n_text,
                         &input->diagnostics);
        if (r < 0)
                return tool_trouble("cannot parse %s: %s.", file, strerror(-r));
        return TOOL_FINE;
}

ToolStatus inputs_read(Inputs *inputs, char **files, size_t n)
{
        size_t n_stdin = 0;

        for (size_t i = 0; i < n; i++)
                n_stdin += (size_t) is_stdin(files[i]);
        if (n_stdin > 1)
                return tool_usage("Standard input can be read only once.");
        inputs->items = calloc(n, sizeof(inputs->items[0]));
        if (!inputs->items)
                return tool_trouble("memory is short.");
        for (inputs->n = 0; inputs->n < n; inputs->n++) {
                ToolStatus status = input_read(&inputs->items[inputs->n], files[inputs->n]);

                if (status != TOOL_FINE) {
                        inputs->n++;
                        return status;
                }
        }
        return TOOL_FINE;
}

void inputs_deinit(Inputs *inputs)
{
        for (size_t i = 0; i < inputs->n; i++) {
                source_document_deinit(&inputs->items[i].source);
                free(inputs->items[i].name);
                policy_unref(inputs->items[i].policy);
                diagnostics_deinit(&inputs->items[i].diagnostics);
        }
        free(inputs->items);
        *inputs = (Inputs){0};
}

size_t inputs_count_faults(const Inputs *inputs)
{
        size_t n = 0;

        for (size_t i = 0; i < inputs->n; i++)
                n += inputs->items[i].diagnostics.n_faults;
        return n;
}

/* The document's own name comes before its file's. */
static const char *policy_name_of(const Input *input)
{
        const char *name = policy_header_name(input->policy);

        return name ? name : input->name;
}

/* By name, and as given where names are equal. */
static int compare_names(const void *a, const void *b)
{
        const Input *x = *(Input *const *) a, *y = *(Input *const *) b;
        int r = strcmp(policy_name_of(x), policy_name_of(y));

        return r != 0 ? r : (x > y) - (x < y);
}

/* Whether another document has the name already. */
static int is_taken(const DocumentSet *set, Input *input)
{
        const Input *other = set->n > 0 ? set->inputs[set->n - 1] : NULL;

        if (!other || strcmp(policy_name_of(other), policy_name_of(input)) != 0)
                return 0;
        diagnostics_add(&input->diagnostics, SEVERITY_FAULT, 0, 0, "give one of them another name",
                        "%s has the name %s, too: applied, one would replace the other",
                        other->source.label, policy_name_of(input));
        return 1;
}

static void add_document(DocumentSet *set, Input *input)
{
        if (is_taken(set, input))
                return;
        set->documents[set->n] = (Document){
                .name = policy_name_of(input),
                .text = input->source.text,
                .n_text = input->source.n_text,
                .policy = input->policy,
        };
        set->diagnostics[set->n] = input->diagnostics;
        set->inputs[set->n++] = input;
}

int document_set_begin(DocumentSet *set, Inputs *inputs)
{
        _cleanup_(freep) Input **sorted = calloc(inputs->n + 1, sizeof(*sorted));
        size_t n = 0;

        set->documents = calloc(inputs->n + 1, sizeof(*set->documents));
        set->inputs = calloc(inputs->n + 1, sizeof(*set->inputs));
        set->diagnostics = calloc(inputs->n + 1, sizeof(*set->diagnostics));
        if (!sorted || !set->documents || !set->inputs || !set->diagnostics)
                return -ENOMEM;
        for (size_t i = 0; i < inputs->n; i++)
                if (inputs->items[i].policy)
                        sorted[n++] = &inputs->items[i];
        qsort(sorted, n, sizeof(*sorted), compare_names);
        for (size_t i = 0; i < n; i++)
                add_document(set, sorted[i]);
        return 0;
}

void document_set_end(DocumentSet *set)
{
        for (size_t i = 0; i < set->n; i++) {
                diagnostics_sort(&set->diagnostics[i]);
                set->inputs[i]->diagnostics = set->diagnostics[i];
        }
        free(set->documents);
        free(set->inputs);
        free(set->diagnostics);
        *set = (DocumentSet){0};
}
