/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule text: a rule as version 7 writes it. */
#pragma once

#include "policy/policy.h"

/* The line that gives this rule, in the one spelling that is preferred: "file:/srv/ uid=33". What
 * the document said of it besides (its line, its own spelling) is not in it. Returns 0 or -ENOMEM.
 */
int rule_to_text(const Rule *rule, char **ret_text);

/* The section of version 7 that the line belongs to: "deny", "allow", "audit" or "default". */
const char *rule_section(const Rule *rule);
