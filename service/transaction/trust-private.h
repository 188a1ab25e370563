/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust, from inside: what trust.c finds out and trust-told.c tells. */
#pragma once

#include "transaction/floors.h"
#include "transaction/roots.h"
#include "transaction/trust.h"

/* What has been found out of a document in force. */
typedef struct Known {
        char name[POLICY_NAME_MAX + 1];
        uint8_t digest[DIGEST_SIZE]; /* of the document's text */
        SignedStatus status;
} Known;

struct Trust {
        TrustConfig config;
        Floors *floors;
        Bundles *bundles;
        Roots *roots;
        Trouble *trouble;
        uint64_t root_seq; /* by which known was found */
        Known known[DOCUMENTS_MAX];
        size_t n_known;
        char *told; /* what trust_review() told last */
};

/* Seconds since 1970. A clock that was set back makes nothing valid again. */
uint64_t trust_now(const Trust *trust);
