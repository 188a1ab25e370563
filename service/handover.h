/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handover: descriptors that root opens before the service begins and that reach it through
 * systemd's store of descriptors, each under its name. */
#pragma once

#include "backend/backend.h"
#include "config.h"

/* As root: does what backend_hand_over() does for the user that the configuration names, and puts
 * the descriptors in the store. Returns 0 or a negative errno. */
int handover_give(const Config *config);

/* As the service: what came out of the store; all 0 if nothing did. Returns 0 or a negative errno.
 */
int handover_take(BackendHanded *ret_handed);
