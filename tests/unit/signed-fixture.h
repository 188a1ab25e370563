/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of signed documents stand on: a fixture that believes a root. Keys: signer 0 is
 * the root's, 1 the policies', 2 recovery's and the policies'. */
#pragma once

#include "signer.h"
#include "transaction-fixture.h"

#define HOUR ((int64_t) 3600)

extern const char *const usual[]; /* the keys, as root_text() takes them */

/* Files in the folder of roots. */
void put_trust(Fixture *fixture, const char *name, const char *text);
void take_away(Fixture *fixture, const char *name);
/* root.N with its signatures, as root.N.minisig and root.N.B.minisig and so on. */
void put_root(Fixture *fixture, unsigned seq, const char *text, const char *signers);
void put_usual(Fixture *fixture, unsigned seq);

void believe(Fixture *fixture); /* from now on; restarts */
void set_up_trust(Fixture *fixture, gconstpointer data);
void tear_down_trust(Fixture *fixture, gconstpointer data); /* whether it believed or not */

/* A document to sign; times: seconds from now. A new string. */
char *document_text(const char *name, uint64_t seq, int64_t issued, int64_t expires,
                    const char *text);
Signed *web(uint64_t seq, const char *text); /* signed by 1, good for an hour */

Plan *plan_of(Fixture *fixture, const char *name, const Signed *what, int expected);
int commit_plan(Fixture *fixture, const Plan *plan);
void apply_signed(Fixture *fixture, const char *name, const Signed *what);
/* reason: what it must say. */
void refused(Fixture *fixture, const char *name, const Signed *what, int error, const char *reason);

int is_signed(Fixture *fixture, const char *name); /* is in force so */
int has_text(Fixture *fixture, const char *name, const char *part);
