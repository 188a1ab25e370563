/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain: the rules that are about what was asked and did not decide it, also those that the
 * kernel was never given since another always decides first. */
#pragma once

#include "policy/compilation.h"
#include "policy/question.h"

typedef struct Loser {
        const Document *document;
        const Rule *rule; /* belongs to the document */
        const char *because;
} Loser;

#define LOSERS_MAX 64u

/* What may lose. */
typedef struct Candidate Candidate;
typedef struct Candidates {
        Candidate *items;
        size_t n, n_allocated;
} Candidates;

/* Of one question, for all its answers. compilation: the last one of these documents, which knows
 * where their paths led; NULL: the resolver is asked, path by path. Returns 0 or -ENOMEM. */
int explain_find(const Question *question, const Document *documents, size_t n_documents,
                 const Compilation *compilation, Candidates *candidates);
void candidates_deinit(Candidates *candidates);

/* winner: of the answer, or NULL. Returns 0 with the losers in the documents' order and how many
 * there are in all, LOSERS_MAX of them at most in the array; or a negative errno of the resolver.
 */
int explain_losers(const Question *question, const Answer *answer, const ImageRule *winner,
                   const Candidates *candidates, const Resolver *resolver,
                   Loser ret_losers[LOSERS_MAX], size_t *ret_n);
