/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FolderReport: what came of going through the policy directory, for whoever asked for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transaction/internal.h"

void folder_report_deinit(FolderReport *report)
{
        for (size_t i = 0; i < report->n_names; i++)
                free(report->names[i]);
        for (size_t i = 0; i < report->n_faults; i++) {
                free(report->faults[i].file);
                free(report->faults[i].message);
        }
        free(report->faults);
        *report = (FolderReport){0};
}

int folder_report_name(FolderReport *report, const char *name)
{
        if (report->n_names == DOCUMENTS_MAX)
                return 0;
        report->names[report->n_names] = strdup(name);
        return report->names[report->n_names++] ? 0 : -ENOMEM;
}

int folder_report_fault(FolderReport *report, const char *directory, const char *file,
                        const FolderFault *fault)
{
        FolderFault *faults, copy = {.line = fault->line};

        if (report->n_faults == FOLDER_FAULTS_MAX)
                return 0;
        faults = reallocarray(report->faults, report->n_faults + 1, sizeof(*faults));
        if (!faults)
                return -ENOMEM;
        report->faults = faults;
        if (asprintf(&copy.file, "%s%s%s", directory, file ? "/" : "", file ? file : "") < 0)
                copy.file = NULL;
        copy.message = strdup(fault->message);
        faults[report->n_faults++] = copy;
        return copy.file && copy.message ? 0 : -ENOMEM;
}
