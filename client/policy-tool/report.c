/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Report: see report.h. */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "output.h"
#include "text.h"

/* What is counted in all documents together. */
typedef struct Sum {
        size_t faults, warnings, dropped;
} Sum;

static Sum count(const Inputs *inputs)
{
        Sum sum = {0};

        for (size_t i = 0; i < inputs->n; i++) {
                const Diagnostics *diagnostics = &inputs->items[i].diagnostics;

                sum.faults += diagnostics->n_faults;
                sum.dropped += diagnostics->n_dropped;
                for (size_t j = 0; j < diagnostics->n_items; j++)
                        sum.warnings += diagnostics->items[j].severity == SEVERITY_WARNING;
        }
        return sum;
}

/* ---- for a person ---- */

static void print_item(const Input *input, const Diagnostic *item)
{
        const Remark remark = {
                .line = item->line,
                .column = item->column,
                .warning = item->severity == SEVERITY_WARNING,
                .message = item->message,
                .hint = item->hint,
        };

        fputs(colour_sequence(remark.warning ? COLOUR_DOUBTFUL : COLOUR_BAD), stdout);
        source_document_name_remark(&input->source, &remark, stdout);
        fputs(colour_sequence(COLOUR_NONE), stdout);
        source_document_show(&input->source, &remark, stdout);
}

static void print_sum(Sum sum)
{
        if (sum.dropped > 0)
                printf("and %zu more remarks\n", sum.dropped);
        if (sum.faults + sum.warnings > 0)
                printf("%zu fault%s, %zu warning%s\n", sum.faults, sum.faults == 1 ? "" : "s",
                       sum.warnings, sum.warnings == 1 ? "" : "s");
}

static void print_text(const Inputs *inputs)
{
        for (size_t i = 0; i < inputs->n; i++)
                for (size_t j = 0; j < inputs->items[i].diagnostics.n_items; j++)
                        print_item(&inputs->items[i], &inputs->items[i].diagnostics.items[j]);
        print_sum(count(inputs));
}

void report_faults(const Input *input)
{
        for (size_t i = 0; i < input->diagnostics.n_items; i++) {
                const Diagnostic *item = &input->diagnostics.items[i];
                const Remark remark = {
                        .line = item->line,
                        .column = item->column,
                        .message = item->message,
                        .hint = item->hint,
                };

                if (item->severity == SEVERITY_FAULT)
                        source_document_point(&input->source, &remark, stderr);
        }
}

/* ---- for a program ---- */

static int add_remark(json_object *remarks, const Diagnostic *item)
{
        json_object *remark = json_object_new_object();

        if (!remark || json_add(remarks, NULL, remark) < 0)
                return -ENOMEM;
        if (json_add_number(remark, "line", item->line) < 0 ||
            json_add_number(remark, "column", item->column) < 0 ||
            json_add_text(remark, "severity",
                          item->severity == SEVERITY_WARNING ? "warning" : "fault") < 0 ||
            json_add_text(remark, "message", item->message) < 0)
                return -ENOMEM;
        return json_add_text(remark, "hint", item->hint);
}

static int add_remarks(json_object *file, const Input *input)
{
        json_object *remarks = json_object_new_array();

        if (!remarks || json_add(file, "remarks", remarks) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < input->diagnostics.n_items; i++)
                if (add_remark(remarks, &input->diagnostics.items[i]) < 0)
                        return -ENOMEM;
        return json_add_number(file, "omitted", input->diagnostics.n_dropped);
}

static int add_file(json_object *files, const Input *input)
{
        _cleanup_(freep) char *label =
                text_escape(input->source.label, strlen(input->source.label));
        json_object *file = json_object_new_object();

        if (!label || !file || json_add(files, NULL, file) < 0)
                return -ENOMEM;
        if (json_add_text(file, "file", label) < 0 ||
            json_add_truth(file, "valid", input->policy != NULL) < 0 ||
            json_add_number(file, "version", input->policy ? policy_version(input->policy) : 0) <
                    0 ||
            json_add_number(file, "rules", input->policy ? policy_n_rules(input->policy) : 0) < 0)
                return -ENOMEM;
        return add_remarks(file, input);
}

static int print_json(const Inputs *inputs)
{
        _cleanup_(json_object_putp) json_object *report = json_object_new_object();
        json_object *files = json_object_new_array();
        Sum sum = count(inputs);

        if (!report || !files || json_add(report, "files", files) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < inputs->n; i++)
                if (add_file(files, &inputs->items[i]) < 0)
                        return -ENOMEM;
        if (json_add_number(report, "faults", sum.faults) < 0 ||
            json_add_number(report, "warnings", sum.warnings) < 0)
                return -ENOMEM;
        output_json(report);
        return 0;
}

int report_print(const Inputs *inputs, ReportForm form)
{
        switch (form) {
        case REPORT_TEXT:
                print_text(inputs);
                return 0;
        case REPORT_JSON:
                return print_json(inputs);
        }
        return 0;
}
