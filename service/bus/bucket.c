/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buckets: see bucket.h. */
#include "bus/bucket.h"

#include <errno.h>

#include "util/array.h"

/* That of the uid. Where it has none it gets the fullest with what is in it: were it full, those
 * with many uids could call as often as they like. */
static Bucket *find(Buckets *buckets, uid_t uid)
{
        Bucket *fullest = &buckets->buckets[0];

        for (size_t i = 0; i < ELEMENTS_OF(buckets->buckets); i++) {
                Bucket *bucket = &buckets->buckets[i];

                if (bucket->uid == uid)
                        return bucket;
                if (bucket->paid_until < fullest->paid_until)
                        fullest = bucket;
        }
        fullest->uid = uid;
        return fullest;
}

int buckets_take(Buckets *buckets, uid_t uid, unsigned n_tokens, uint64_t now_usec)
{
        Bucket *bucket = find(buckets, uid);
        uint64_t from = bucket->paid_until > now_usec ? bucket->paid_until : now_usec;
        uint64_t until = from + (uint64_t) n_tokens * BUCKET_TOKEN_USEC;

        if (until > now_usec + (uint64_t) BUCKET_TOKENS * BUCKET_TOKEN_USEC)
                return -EDQUOT;
        bucket->paid_until = until;
        return 0;
}
