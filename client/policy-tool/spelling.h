/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spelling: an entry of versions 1 to 6 in the one way that fmt writes it. */
#pragma once

#include "policy/policy.h"

/* rule: the first that the entry gives. Returns 0 with a new string, or -ENOMEM. */
int spell_entry(const Rule *rule, char **ret_text);
