/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint: every fault, and every doubt that the documents raise on their own or together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "policy/lint.h"
#include "policy/plain.h"
#include "report.h"

static int lint_set(Inputs *inputs)
{
        const Resolver resolver = plain_resolver();
        DocumentSet set = {0};
        int r = document_set_begin(&set, inputs);

        if (r == 0)
                r = policy_lint(set.documents, set.n, &resolver, set.diagnostics);
        document_set_end(&set);
        return r;
}

static void check_names(Inputs *inputs)
{
        for (size_t i = 0; i < inputs->n; i++) {
                Input *input = &inputs->items[i];

                if (!policy_name_is_valid(input->name))
                        diagnostics_add(&input->diagnostics, SEVERITY_WARNING, 0, 0,
                                        "rename the file, or apply it with --name",
                                        "the file's name is not one that a policy can have");
        }
}

static size_t count_warnings(const Inputs *inputs)
{
        size_t n = 0;

        for (size_t i = 0; i < inputs->n; i++)
                n += inputs->items[i].diagnostics.n_items;
        return n;
}

static ToolStatus lint(const ToolOptions *options, Inputs *inputs)
{
        ReportForm form = TOOL_GIVEN(options, TOOL_JSON) ? REPORT_JSON : REPORT_TEXT;
        int r;

        check_names(inputs);
        r = lint_set(inputs);
        if (r == 0)
                r = report_print(inputs, form);
        if (r < 0)
                return tool_trouble("cannot look through the documents: %s.", strerror(-r));
        if (inputs_count_faults(inputs) > 0)
                return TOOL_FOUND;
        return TOOL_GIVEN(options, TOOL_STRICT) && count_warnings(inputs) > 0 ? TOOL_FOUND
                                                                              : TOOL_FINE;
}

ToolStatus command_lint(const ToolOptions *options, char **files, size_t n)
{
        Inputs inputs = {0};
        ToolStatus status = inputs_read(&inputs, files, n);

        if (status == TOOL_FINE)
                status = lint(options, &inputs);
        inputs_deinit(&inputs);
        return status;
}
