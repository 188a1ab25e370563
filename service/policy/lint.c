/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lint: see lint.h. */
#include "policy/lint.h"

int policy_lint(const Document *documents, size_t n_documents, const Resolver *resolver,
                Diagnostics *diagnostics)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        r = policy_image_compile(&image, documents, n_documents, resolver, diagnostics);
        if (r < 0)
                return r;
        r = lint_lockout(image, documents, n_documents, resolver, diagnostics);
        if (r < 0)
                return r;
        r = lint_order(documents, n_documents, resolver, diagnostics);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_documents; i++)
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++)
                        lint_rule(policy_rule(documents[i].policy, j), &diagnostics[i]);
        return 0;
}
