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

/* The documents as they would be in force together. */
typedef struct DocumentSet {
        Document *documents;      /* sorted by name */
        Input **inputs;           /* where each came from */
        Diagnostics *diagnostics; /* those of the inputs, lent until document_set_end() */
        size_t n;
} DocumentSet;

/* Those with faults are left out; two of one name are a fault of the later one. Returns 0 or
 * -ENOMEM. */
int document_set_begin(DocumentSet *set, Inputs *inputs);
void document_set_end(DocumentSet *set);
