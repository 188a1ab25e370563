/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Meaning: rules compared by what they say, wherever and however they are written. Each function
 * returns a number below, above or equal to 0 as strcmp() does. */
#pragma once

#include "policy/policy.h"

/* What they are about: kind, and name, address, object … but neither access nor subject. */
int rule_compare_objects(const Rule *a, const Rule *b);

/* Whom they are about. */
int rule_compare_subjects(const Rule *a, const Rule *b);

/* Which kinds of access they are about: ACCESS_…, 1 << NET_…; ~0 where there is but one. */
uint32_t rule_access(const Rule *rule);

/* All of it: object, subject, verdict, access, and every option. 0: the same in other words. */
int rule_compare(const Rule *a, const Rule *b);

/* How many conditions the subject must meet: of two rules about one object the one with more
 * decides. */
unsigned rule_n_conditions(const Rule *rule);

/* Whether policy_runtime_deps() makes a difference: it is about verified identities, and a rule
 * asks for one. */
int policy_deps_matter(const Policy *policy);

/* Puts the rules of a policy that nobody else has yet in an order that is the same however the
 * document was ordered: by object, subject and verdict. Where these are equal the document's order
 * decides, and stays. Returns 0 or -ENOMEM. */
int policy_sort_rules(Policy *policy);
