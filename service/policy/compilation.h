/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compilation: what is kept from one compilation to the next, so that a change of a few rules costs
 * what these rules cost, and gives an image of which most is as it was: each rule, list, node …
 * that stays keeps its number. */
#pragma once

#include "policy/image.h"

typedef struct Compilation Compilation;

/* Which numbers the rules of some documents have. */
typedef struct Numbering {
        uint32_t *numbers; /* in the order in which the rules are written */
        size_t n_numbers;
        size_t n_rules; /* as of PolicyImage; 0: nothing is said */
} Numbering;
void numbering_deinit(Numbering *numbering);
int numbering_copy(const Numbering *numbering, Numbering *ret_copy); /* 0 or -ENOMEM */

typedef struct CompilationRequest {
        const Document *documents; /* as of policy_image_compile() */
        size_t n_documents;
        const Resolver *resolver;
        /* Where the paths of all rules lead is asked anew, not only those of rules that are new. */
        int ask_anew;
        /* The numbers that the rules must have, because they had them before; NULL: any. What is
         * not of these documents does not count. */
        const Numbering *numbering;
} CompilationRequest;

/* Compiles documents as policy_image_compile() does. If *compilation is not NULL and few rules are
 * others than in the run before, the image is that run's with these changes; if nothing differs, it
 * is that very image. *compilation is what the next run needs; after a failure it is NULL. The
 * image belongs to the caller, and holds good without the compilation. */
int compilation_run(Compilation **compilation, const CompilationRequest *request,
                    Diagnostics *diagnostics, PolicyImage **ret_image);

/* Gives back what is made again quickly, while no change is awaited. NULL-safe. */
void compilation_rest(Compilation *compilation);

Compilation *compilation_free(Compilation *compilation);

DEFINE_CLEANUP(Compilation *, compilation_free);
