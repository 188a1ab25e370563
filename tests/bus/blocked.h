/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocked: an event that denied something, and an exception from it. Links the twin of the backend,
 * where programs are /usr/bin/programINODE and all paths are on one file system. */
#pragma once

#include "backend/backend.h"
#include "lab.h"

/* /srv/one is denied to be read to program 9 of LAB_USER, by rule 1. */
struct event blocked_event(void);
void blocked_inject(struct event event);

Pending *blocked_allow(sd_bus *bus, uint64_t seq, uint64_t ttl_usec, Interaction interaction);
/* As root, of what that event denied, for a minute. Returns the object's path. */
char *blocked_must_allow(Lab *lab, uint64_t seq);
