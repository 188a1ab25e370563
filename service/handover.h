/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handover: descriptors that root opens before the service begins and that reach it through
 * systemd's store of descriptors, each under its name. */
#pragma once

#include "backend/backend.h"
#include "config.h"

/* As root: does what backend_hand_over() does for the user that the configuration names, and puts
 * the descriptors in the store. Returns 0 or a negative errno. */
int handover_give(const Config *config);

/* What is in the store so that it holds what is in force, where pins are gone. */
typedef struct HandoverKept {
        unsigned earlier;   /* groups of links of earlier services: one bit each */
        unsigned ours;      /* the group of this one */
        uint64_t n_changes; /* of what is in it; 0: nothing yet */
} HandoverKept;

/* As the service: what came out of the store; all 0 if nothing did. Returns 0 or a negative errno.
 */
int handover_take(BackendHanded *ret_handed, HandoverKept *ret_kept);

typedef enum HandoverKeep {
        HANDOVER_KEEP_ALL,
        HANDOVER_KEEP_OURS,
} HandoverKeep;

/* Puts the links of the backend in the store, if they are others than before; with
 * HANDOVER_KEEP_OURS those of earlier services go then. */
void handover_keep(HandoverKept *kept, const Backend *backend, HandoverKeep keep);
