/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locate: where a document's paths lead on this machine now. */
#pragma once

#include "backend/mounts.h"
#include "policy/image.h"

/* userdata of the two functions a Resolver holds. */
int locate_path(void *mounts, const char *path, Location *ret_location);
int has_cgroup(void *mounts, const char *path);
