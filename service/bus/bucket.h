/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buckets: how often a user may call. Each call takes tokens out of the bucket of its uid, which
 * fills again with time; whoever finds it empty is refused until it has. No memory grows with the
 * number of users. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define BUCKET_TOKENS 2000u    /* in a full one */
#define BUCKET_TOKEN_USEC 1000 /* one more after this: 1000 a second */
#define BUCKET_USERS 64u

/* What a call takes: 200 methods at once and 100 a second, or ten times as many reads that need no
 * more than an answer; all objects 20 times at once and ten times a second. */
#define BUCKET_METHOD 10u
#define BUCKET_READ 1u
#define BUCKET_OBJECTS 100u /* all objects with all their properties */

typedef struct Bucket {
        uid_t uid;
        uint64_t paid_until; /* CLOCK_MONOTONIC: full from then on */
} Bucket;

/* All zero: all are full. */
typedef struct Buckets {
        Bucket buckets[BUCKET_USERS];
} Buckets;

/* Returns 0 or -EDQUOT. */
int buckets_take(Buckets *buckets, uid_t uid, unsigned n_tokens, uint64_t now_usec);
