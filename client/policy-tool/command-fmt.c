/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fmt: documents in their canonical form, printed or written over the files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "input.h"
#include "output.h"
#include "report.h"
#include "write.h"

/* What becomes of a document in its canonical form. */
static ToolStatus deliver(const ToolOptions *options, const Input *input, const char *text)
{
        int is_equal = strlen(text) == input->source.n_text &&
                       memcmp(text, input->source.text, input->source.n_text) == 0;

        if (TOOL_GIVEN(options, TOOL_CHECK)) {
                if (is_equal)
                        return TOOL_FINE;
                output_text(stdout, input->source.label);
                putchar('\n');
                return TOOL_FOUND;
        }
        if (!TOOL_GIVEN(options, TOOL_WRITE)) {
                output_document(text);
                return TOOL_FINE;
        }
        return is_equal ? TOOL_FINE : write_document(input->source.label, text);
}

static ToolStatus format_input(const ToolOptions *options, const Input *input)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!input->policy) {
                report_faults(input);
                return TOOL_FOUND;
        }
        r = format_document(&text, input->source.text, input->source.n_text, input->policy);
        if (r == FORMAT_E_MEANING)
                return tool_trouble("%s would not mean the same in its canonical form; it is left "
                                    "as it is. Please report this.",
                                    input->source.label);
        if (r < 0)
                return tool_trouble("cannot format %s: %s.", input->source.label, strerror(-r));
        return deliver(options, input, text);
}

static ToolStatus check_files(const ToolOptions *options, char **files, size_t n)
{
        if (TOOL_GIVEN(options, TOOL_WRITE) && TOOL_GIVEN(options, TOOL_CHECK))
                return tool_usage("--write and --check exclude each other.");
        for (size_t i = 0; TOOL_GIVEN(options, TOOL_WRITE) && i < n; i++)
                if (strcmp(files[i], "-") == 0)
                        return tool_usage("Standard input cannot be written anew.");
        return TOOL_FINE;
}

ToolStatus command_fmt(const ToolOptions *options, char **files, size_t n)
{
        ToolStatus status = check_files(options, files, n), worst = TOOL_FINE;
        Inputs inputs = {0};

        if (status == TOOL_FINE)
                status = inputs_read(&inputs, files, n);
        if (status == TOOL_FINE)
                for (size_t i = 0; i < inputs.n; i++) {
                        status = format_input(options, &inputs.items[i]);
                        worst = status > worst ? status : worst;
                }
        inputs_deinit(&inputs);
        return status > worst ? status : worst;
}
