/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pattern: a path of a rule, whose components "*" stand for any name. */
#pragma once

#include <stddef.h>

/* Length of the part before the first component "*"; its slash counts to what follows. */
size_t pattern_literal(const char *pattern, int has_wildcard);

/* Whether the pattern is the path or, with below, a directory above it. Both are absolute and
 * clean; "" and "/" are the root. */
int pattern_covers(const char *pattern, const char *path, int has_wildcard, int below);
