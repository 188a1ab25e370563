/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Question: who would do what, written as an entry of version 7 is: the object, access=, and of the
 * subject uid=, gid=, exe=, cgroup=, identity=. What is not said of the subject is root's, and of a
 * program and a cgroup that no rule names. */
#pragma once

#include "policy/ask.h"
#include "policy/policy.h"

typedef struct Question {
        Policy *policy;
        const Rule *rule;   /* what was asked, as a rule */
        Location path, exe; /* where they lie now; no such thing: the name's path is NULL */
        uint64_t cgroup_id;
        Asker asker;
} Question;

/* n: bytes of entry. now: seconds since boot. Returns 0, POLICY_E_SYNTAX with the faults (their
 * columns are those of the entry), or a negative errno. question_deinit() is right in each case. */
int question_read(Question *question, const char *entry, size_t n, const Resolver *resolver,
                  int64_t now, Diagnostics *diagnostics);
void question_deinit(Question *question);

/* One kind of access that was asked about, and what decides it. */
typedef struct Answer {
        const char *access;          /* "read", "connect", "ptrace"; "exec" for what is no file */
        uint32_t bits;               /* ACCESS_…, or one enum net_operation as 1 << NET_… */
        const struct clause *clause; /* belongs to the image; NULL: no rule does */
        int is_unbound;              /* no rule binds the asker's cgroup */
} Answer;

#define ANSWERS_MAX 8u

/* Returns how many. */
size_t question_ask(const Question *question, const PolicyImage *image,
                    Answer ret_answers[ANSWERS_MAX]);

/* What the clause is of: ret_rule, filled; NULL if no rule decides. */
const ImageRule *answer_rule(const Answer *answer, const PolicyImage *image, ImageRule *ret_rule);

/* Where the file lies that an access is about: a link is followed, but by what is done to the name.
 */
const Place *question_place(const Question *question, uint32_t bits);
