/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager: owns every object of the service and wires them together. It has no logic of its own. */
#pragma once

#include "config.h"
#include "util/cleanup.h"

typedef struct Manager Manager;

/* Brings up, in this order: what enforces, what is enforced, who is told, who may ask. config must
 * outlive the manager. Returns 0 or a negative errno, logged. */
int manager_new(Manager **ret_manager, const Config *config);

/* Runs until SIGTERM or SIGINT, or until the bus refuses us the name. Returns 0 or a negative
 * errno. */
int manager_run(Manager *manager);

/* What is enforced stays enforced. */
Manager *manager_free(Manager *manager);

DEFINE_CLEANUP(Manager *, manager_free);
