/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parcel: what parsing a document gave, in one piece of memory without pointers. The one that opens
 * it believes nothing: a policy that comes out is as sound as one that policy_parse() made, if not
 * the one that the document means. */
#pragma once

#include <stddef.h>

#include "policy/policy.h"

/* How many bytes the parcel of that document may need. */
size_t parcel_size_max(const char *text, size_t n_text);

/* room: zeros, as aligned as any type. result: of policy_parse(), 0 or POLICY_E_SYNTAX; policy:
 * NULL unless it is 0. Returns 0 or -E2BIG. */
int parcel_fill(void *room, size_t n_room, int result, const Policy *policy,
                const Diagnostics *diagnostics);

/* Adds what was found to the diagnostics. Returns as policy_parse(), or -EBADMSG if no parser would
 * have made that parcel; diagnostics may have grown then. */
int parcel_open(const void *room, size_t n_room, Policy **ret_policy, Diagnostics *diagnostics);
