/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-policy against any document: its canonical form means the same and is its own, version 7
 * says what an older version said, and lint takes it. */
#include <string.h>

#include "convert.h"
#include "format.h"
#include "fuzz.h"
#include "policy/lint.h"
#include "policy/plain.h"

static Policy *parse(const char *text, size_t n)
{
        Diagnostics diagnostics = {0};
        Policy *policy = NULL;

        HOLDS(policy_parse(&policy, text, n, &diagnostics) >= 0);
        diagnostics_deinit(&diagnostics);
        return policy;
}

static void check_format(const char *text, size_t n, const Policy *policy)
{
        char *once = NULL, *twice = NULL;
        Policy *again;

        HOLDS(format_document(&once, text, n, policy) == 0);
        again = parse(once, strlen(once));
        HOLDS(again && policies_are_equal(policy, again));
        HOLDS(format_document(&twice, once, strlen(once), again) == 0);
        HOLDS(strcmp(once, twice) == 0);
        policy_unref(again);
        free(once);
        free(twice);
}

/* Returns how many faults there are only when all is compiled. */
static size_t check_lint(const char *text, size_t n, Policy *policy)
{
        const Document document = {.name = "doc", .text = text, .n_text = n, .policy = policy};
        const Resolver resolver = plain_resolver();
        Diagnostics diagnostics = {0};
        size_t n_faults;

        HOLDS(policy_lint(&document, 1, &resolver, &diagnostics) == 0);
        n_faults = diagnostics.n_faults;
        diagnostics_deinit(&diagnostics);
        return n_faults;
}

static void check_convert(const char *text, size_t n, const Policy *policy)
{
        char *converted = NULL;
        Policy *after;

        HOLDS(convert_document(&converted, text, n, policy) == 0);
        after = parse(converted, strlen(converted));
        HOLDS(after && policy_version(after) == 7);
        check_format(converted, strlen(converted), after);
        policy_unref(after);
        free(converted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        Policy *policy = parse(text, size);
        size_t n_faults;

        if (!policy)
                return 0;
        n_faults = check_lint(text, size, policy);
        check_format(text, size, policy);
        if (n_faults == 0 && policy_version(policy) < 7)
                check_convert(text, size, policy);
        policy_unref(policy);
        return 0;
}
