/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule: one rule at a time, put into or taken out of the document `runtime`, which comes with its
 * first rule and goes with its last. The rest of that document stays as it is, but for rules with a
 * ttl: they are written anew with what is left of it, so that they end when they were to end. */
#pragma once

#include "transaction/transaction.h"
#include "util/cleanup.h"

#define RUNTIME_NAME "runtime"

/* One rule as a request has it. Immutable. */
typedef struct SingleRule SingleRule;

/* section: of version 7, or one of versions 1 to 6 whose entry is one rule and nothing else; entry:
 * one line of it; ttl_usec: rounded up to seconds, 0 for none. Returns 0, a negative errno, or
 * TRANSACTION_E_INVALID_POLICY with the faults in diagnostics: their line is 1, their column one of
 * the entry; both are 0 where the section is at fault. */
int single_rule_new(SingleRule **ret_rule, const char *section, const char *entry,
                    uint64_t ttl_usec, Diagnostics *diagnostics);
SingleRule *single_rule_free(SingleRule *rule);

/* The same of a rule that is to go into `runtime`, or out of it. What is written there already is
 * not read again; and of what is to go there, the document with it is read, and remembered for the
 * plan. */
int enforcement_read_rule(Enforcement *enforcement, ChangeKind kind, const char *section,
                          const char *entry, uint64_t ttl_usec, Diagnostics *diagnostics,
                          SingleRule **ret_rule);

/* As version 7 has them, in the preferred spelling. */
const char *single_rule_section(const SingleRule *rule);
const char *single_rule_text(const SingleRule *rule);

/* Whether something may be allowed that was not, or go unrecorded, once the rule is added or
 * removed. What is recorded only is allowed: a rule to audit stands before a denial farther up. */
int single_rule_loosens(const SingleRule *rule, ChangeKind kind);

/* What adding or removing the rule would do; equal rules are those that differ in nothing but the
 * ttl. One that is there already and lasts as long stays: nothing changes then. ret_plan is set,
 * with diagnostics as above, also for TRANSACTION_E_INVALID_POLICY. Returns 0, a TransactionError
 * or a negative errno. */
int enforcement_plan_rule(Enforcement *enforcement, const SingleRule *rule, ChangeKind kind,
                          Plan **ret_plan);

/* The same for another document than `runtime`. */
int enforcement_plan_rule_of(Enforcement *enforcement, const char *name, const SingleRule *rule,
                             ChangeKind kind, Plan **ret_plan);

DEFINE_CLEANUP(SingleRule *, single_rule_free);
