/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run: one compilation, and what is kept of it for the next. */
#pragma once

#include "policy/compilation.h"
#include "policy/compile.h"

/* A document as it was compiled. */
typedef struct Held {
        char *name;
        Policy *policy;
        int64_t applied;
        size_t first; /* of its rules, in order */
        int has_ttl;  /* some rule holds for a time */
        int is_known; /* what it demands: */
        Demands demands;
} Held;

struct Compilation {
        Compiler compiler;
        Held *held;
        size_t n_held;
        PolicyImage *image; /* the last one made */
        /* After all was new. */
        size_t n_clauses, n_rulesets, n_sets;
        uint32_t n_nodes;
};

void held_free(Held *held, size_t n);

typedef struct Run {
        Compilation *compilation;
        const CompilationRequest *request;
        const Numbering *numbering; /* of a first compilation that is told how to number, or NULL */
        Held *held;                 /* of this run */
        Numbers in_order;
        size_t n_as_before; /* so many of these, in documents that come first, stay as they are */
        Numbers added;
        size_t n_gone;
        Demands demands; /* of all documents */
} Run;

void run_deinit(Run *run);

/* Finds out which rules of the documents are new and which of those before are gone; gives each new
 * one its number, and puts all in order. Returns 0, -ENOMEM or -E2BIG. */
int run_place_documents(Run *run);
