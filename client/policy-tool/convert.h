/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convert: a document of versions 1 to 6 in the spelling of version 7. */
#pragma once

#include <stddef.h>

#include "policy/policy.h"

#define CONVERT_E_MEANING 1 /* the result is not proven to mean the same; there is none */

/* policy: what the text was parsed to. Comments stay near their rules. Returns 0 with a new string,
 * a negative errno, or CONVERT_E_MEANING. */
int convert_document(char **ret_text, const char *text, size_t n_text, const Policy *policy);
