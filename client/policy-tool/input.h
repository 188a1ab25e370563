/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: the documents of the command line, read and parsed. */
#pragma once

#include "document.h"
#include "policy/image.h"
#include "tool.h"

typedef struct Input {
        SourceDocument source;
        char *name;     /* the policy's, as the file's name suggests */
        Policy *policy; /* NULL if the document has faults */
        Diagnostics diagnostics;
} Input;

typedef struct Inputs {
        Input *items;
        size_t n;
} Inputs;

/* Reads and parses each file; faults are in the diagnostics. Returns TOOL_FINE, or TOOL_TROUBLE
 * having said which file could not be read. */
ToolStatus inputs_read(Inputs *inputs, char **files, size_t n);
void inputs_deinit(Inputs *inputs);

/* Faults in all of them. */
size_t inputs_count_faults(const Inputs *inputs);

/* The documents as one set, sorted by name; those with faults are left out. Two of one name are a
 * fault of the later one. The array is the caller's, what it points to the inputs'. ret_inputs[i]
 * is the input that document i came from; NULL where nobody asks. Returns 0 or -ENOMEM. */
int inputs_as_documents(Inputs *inputs, Document **ret_documents, size_t *ret_n,
                        Input ***ret_inputs);
