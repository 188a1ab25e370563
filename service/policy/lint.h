/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lint: doubts about documents that are valid: what locks people out, what can never decide, what
 * its author may have meant otherwise. Pure, as the parser is: where paths lie is asked of a
 * Resolver. */
#pragma once

#include "policy/ask.h"
#include "policy/image.h"

/* documents: sorted by name, names distinct, as they would be in force together. diagnostics: one
 * per document, in their order; warnings are added. What compiling has to say is added too. Returns
 * 0 or a negative errno, those of policy_image_compile() among them. */
int policy_lint(const Document *documents, size_t n_documents, const Resolver *resolver,
                Diagnostics *diagnostics);

/* ---- what a machine needs, to be mended ---- */

#define NEED_PATHS_MAX 6u

/* An access without which people are locked out, or nothing starts. */
typedef struct Need {
        const char *loss; /* what is lost with it: "nobody can log in" */
        uint32_t access;  /* ACCESS_… */
        /* the file, in the places where systems have it; NULL ends them */
        const char *paths[NEED_PATHS_MAX];
        const char *exe;    /* who needs it, as root; NULL: any program */
        const char *cgroup; /* NULL: any */
} Need;

typedef struct NetNeed {
        const char *loss;
        NetQuestion question;
        const char *exe, *cgroup;
} NetNeed;

extern const Need needs[];
extern const size_t n_needs;
extern const NetNeed net_needs[];
extern const size_t n_net_needs;

/* ---- the rooms of lint ---- */

/* lint-lockout.c: warns of each rule that denies what is needed. Returns 0 or a negative errno. */
int lint_lockout(const PolicyImage *image, const Document *documents, size_t n_documents,
                 const Resolver *resolver, Diagnostics *diagnostics);

/* lint-order.c: rules that another decides before, and allowances of what nothing denies. Returns 0
 * or a negative errno. */
int lint_order(const Document *documents, size_t n_documents, const Resolver *resolver,
               Diagnostics *diagnostics);

/* lint-rule.c: what a rule alone makes doubtful. */
void lint_rule(const Rule *rule, Diagnostics *diagnostics);
