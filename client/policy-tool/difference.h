/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Difference: which rules two policies do not share. How they are ordered, spelled or commented
 * makes none; nor does the version of the language. */
#pragma once

#include <stddef.h>

#include "policy/policy.h"

/* before is NULL for a rule that was added, after for one that was removed; both are there if the
 * object has another rule now. They belong to the policies. */
typedef struct Change {
        const Rule *before, *after;
} Change;

typedef struct Changes {
        Change *items;
        size_t n;
} Changes;

/* Returns 0 or -ENOMEM. */
int changes_find(Changes *ret_changes, const Policy *before, const Policy *after);
void changes_deinit(Changes *changes);
