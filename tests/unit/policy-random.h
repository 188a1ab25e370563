/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy random: policies of all kinds of rules, and questions that meet them often. GLib's random
 * numbers: run with --seed to see the same again. */
#pragma once

#include "policy-reference.h"

/* Which rules there are beside those about names. */
typedef struct RandomKinds {
        int wildcards, subjects, others;
} RandomKinds;

typedef struct RandomPolicy RandomPolicy;
struct RandomPolicy {
        Reading reading;
        Document documents[3];
        Resolver resolver;
        RandomKinds kinds;
        void *memory; /* a GPtrArray of all that the rules point to */
};

typedef struct RandomQuestion {
        Who who;
        What what;
        uint32_t groups[2];
        uint64_t cgroup_ids[3];
        char *path, *exe, *cgroup;
} RandomQuestion;

RandomPolicy *random_policy_new(const RandomKinds *kinds);
PolicyImage *random_policy_compile(const RandomPolicy *policy);
/* Changes some lines, or a document, or when it was applied. */
void random_policy_change(RandomPolicy *policy);
/* Paths lead elsewhere from now on. */
void random_policy_move_paths(RandomPolicy *policy);
void random_policy_print(const RandomPolicy *policy);
void random_policy_free(RandomPolicy *policy);

RandomQuestion *random_question_new(const RandomPolicy *policy);
void random_question_print(const RandomQuestion *question);
void random_question_free(RandomQuestion *question);
