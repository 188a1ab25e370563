/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Posture: one word for how well the policy in force is enforced, and the reasons for it. It never
 * claims more than what is attached. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "util/cleanup.h"

typedef enum Posture {
        POSTURE_ENFORCING,        /* every hook that the policy needs denies */
        POSTURE_ENFORCING_PARTLY, /* some can only record */
        POSTURE_AUDIT,            /* nothing is denied, by intent */
        POSTURE_DEGRADED,         /* something is not as it should be */
        POSTURE_EMERGENCY,        /* nothing is denied for a while */
} Posture;
#define N_POSTURES (POSTURE_EMERGENCY + 1)

const char *posture_to_string(Posture posture);

typedef struct PostureFacts {
        Tier tier;
        Mode mode;
        uint64_t generation; /* 0: no policy in force */
        const HookStatus *hooks;
        size_t n_hooks;
        const char *const *trouble; /* sentences, NULL-terminated */
        const char *missing;        /* for a stronger tier; "" */
        const char *emergency;      /* why one was declared; NULL: none is on */
        const char *unguarded;      /* why the service does not protect itself; "" */
} PostureFacts;

#define POSTURE_REASONS_MAX 64u

typedef struct PostureReport {
        Posture posture;
        char **reasons; /* NULL-terminated, at most POSTURE_REASONS_MAX */
        size_t n_reasons;
} PostureReport;

/* Returns 0 or -ENOMEM. */
int posture_judge(const PostureFacts *facts, PostureReport *ret_report);

int posture_report_equal(const PostureReport *a, const PostureReport *b);
void posture_report_deinit(PostureReport *report);
