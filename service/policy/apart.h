/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apart: parsing in a confined child, for documents from people who may mean harm. A parser that
 * was led astray can harm no one: what it gives is checked, and shown to whoever approves it. */
#pragma once

#include <stddef.h>

#include "policy/policy.h"

/* As policy_parse(), which it calls; a document that ends the child, or keeps it busy for a minute,
 * is refused with a fault that says so. Returns other errors of confined_run() too. */
int policy_parse_apart(Policy **ret_policy, const char *text, size_t n_text,
                       Diagnostics *diagnostics);
