/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lint: see lint.h. */
#include "policy/lint.h"

#include <errno.h>

#include "util/fiber.h"

static size_t count_faults(const Diagnostics *diagnostics, size_t n)
{
        size_t n_faults = 0;

        for (size_t i = 0; i < n; i++)
                n_faults += diagnostics[i].n_faults;
        return n_faults;
}

static int lint_image(const Document *documents, size_t n_documents, const Resolver *resolver,
                      Diagnostics *diagnostics)
{
        size_t n_faults = count_faults(diagnostics, n_documents);
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        r = policy_image_compile(&image, documents, n_documents, resolver, diagnostics);
        if (r < 0 && r != -ENOMEM && count_faults(diagnostics, n_documents) > n_faults)
                return 0;
        if (r < 0)
                return r;
        return lint_lockout(image, documents, n_documents, resolver, diagnostics);
}

int policy_lint(const Document *documents, size_t n_documents, const Resolver *resolver,
                Diagnostics *diagnostics)
{
        int r = lint_image(documents, n_documents, resolver, diagnostics);

        if (r == 0)
                r = lint_order(documents, n_documents, resolver, diagnostics);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_documents; i++)
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++) {
                        fiber_pace();
                        lint_rule(policy_rule(documents[i].policy, j), &diagnostics[i]);
                }
        return 0;
}
