/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* convert: a document of versions 1 to 6 in version 7. */
#include <string.h>

#include "convert.h"
#include "format.h"
#include "input.h"
#include "output.h"
#include "report.h"
#include "write.h"

static ToolStatus convert_input(const ToolOptions *options, const Input *input)
{
        const char *output = options->arguments[TOOL_OUTPUT];
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!input->policy) {
                report_faults(input);
                return TOOL_FOUND;
        }
        r = policy_version(input->policy) == 7
                    ? format_document(&text, input->source.text, input->source.n_text,
                                      input->policy)
                    : convert_document(&text, input->source.text, input->source.n_text,
                                       input->policy);
        if (r < 0)
                return tool_trouble("cannot convert %s: %s.", input->source.label, strerror(-r));
        if (r > 0) {
                tool_trouble("%s is not converted: the result is not proven to mean the same.",
                             input->source.label);
                return TOOL_FOUND;
        }
        if (output)
                return write_document(output, text);
        output_document(text);
        return TOOL_FINE;
}

ToolStatus command_convert(const ToolOptions *options, char **files, size_t n)
{
        Inputs inputs = {0};
        ToolStatus status = inputs_read(&inputs, files, n);

        if (status == TOOL_FINE)
                status = convert_input(options, &inputs.items[0]);
        inputs_deinit(&inputs);
        return status;
}
