/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Report: remarks about documents as a person reads them, with the line and a caret under the
 * place, or as JSON. */
#pragma once

#include "input.h"

typedef enum ReportForm {
        REPORT_TEXT,
        REPORT_JSON,
} ReportForm;

/* Prints to standard output. Returns 0 or -ENOMEM. */
int report_print(const Inputs *inputs, ReportForm form);

/* Prints the faults, and no warning, of one to standard error. */
void report_faults(const Input *input);
