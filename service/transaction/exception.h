/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exception: a rule that allows for a while what was denied, in a document of its own, which no
 * request can name: `exceptions`. */
#pragma once

#include "transaction/rule.h"

#define EXCEPTIONS_NAME "exceptions"

/* What adding the rule would do, if that allows what question asks; the rule has a ttl. Returns 0,
 * TRANSACTION_E_STILL_DENIED with the rule that denies it ("web:3: [deny] file:/srv"), another
 * TransactionError or a negative errno. */
int enforcement_plan_exception(Enforcement *enforcement, const SingleRule *rule,
                               const char *question, Plan **ret_plan, char **ret_denier);

/* What taking the rule away would do. Returns as enforcement_plan_rule(). */
int enforcement_plan_revocation(Enforcement *enforcement, const SingleRule *rule, Plan **ret_plan);

/* The i-th exception that has not ended, or NULL. *ret_left: seconds that are left of it. */
const Rule *enforcement_exception(const Enforcement *enforcement, size_t i, int64_t *ret_left);
