/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy check: asserts on what the parser makes of a text. */
#pragma once

#include <stddef.h>

#include "policy/policy.h"

/* Parses and asserts on the result; returns the policy if that is 0. The caller owns both. */
Policy *parse(const char *text, size_t n, int expected, Diagnostics *diagnostics);

/* expected: "3:1 5:4w", which is line and column of each diagnostic, w for a warning. */
void assert_places(const Diagnostics *diagnostics, const char *expected);

/* Parses and asserts on places. The document is taken if no fault is expected. */
void assert_told(const char *text, const char *expected);
void assert_told_n(const char *text, size_t n, const char *expected);

/* The same for an entry of a section, which stands on line 3, in a document of version 6 or 7. */
void assert_entry_told(const char *section, const char *entry, const char *expected);

/* There is one diagnostic for the entry, and its hint holds the text. */
void assert_hint(const char *section, const char *entry, const char *hint);

/* Parses a document of one rule, which belongs to the policy. */
const Rule *one_rule(const char *section, const char *entry, Policy **ret_policy);

/* The same for a document of so many rules; returns the first. */
const Rule *first_rule(const char *text, size_t n_rules, Policy **ret_policy);
