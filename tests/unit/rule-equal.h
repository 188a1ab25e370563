/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule equal: whether two rules mean the same, field by field; what the document says of them
 * (line, section, spelling) does not count. */
#pragma once

#include "policy/policy.h"

int rule_equal(const Rule *a, const Rule *b);

/* The document of version 7 that has this rule alone, by its text. The caller frees it; NULL when
 * memory is short. */
char *rule_document(const Rule *rule);
