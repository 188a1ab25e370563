/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format: a document in its canonical form. What it means stays as it is, and is compared. */
#pragma once

#include <stddef.h>

#include "lines.h"
#include "policy/policy.h"

#define FORMAT_E_MEANING 1 /* the result would not say the same: a defect of this program */

/* policy: what the text was parsed to. Returns 0 with a new string, a negative errno, or
 * FORMAT_E_MEANING. */
int format_document(char **ret_text, const char *text, size_t n_text, const Policy *policy);

/* Puts lines in order: the header's keys, one blank line where there are several, one before each
 * section and none behind it. Returns 0 or -ENOMEM. */
int format_lines(Lines *lines);

/* Whether two policies say the same, rule by rule, in the same order. */
int policies_are_equal(const Policy *a, const Policy *b);
