/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sound: what holds for every rule that the parser makes, and what all who read rules rely on. */
#pragma once

#include "policy/policy.h"

/* Whether all that policy.h says of a rule is so. Its strings end in NUL, its options are there. */
int rule_is_sound(const Rule *rule);
