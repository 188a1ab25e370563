/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups: which of those that exist an image speaks of. */
#pragma once

#include "policy/image.h"

/* How many cgroups with a number a slot has room for. */
#define N_CGROUPS_MAX 65536u

/* Puts those that exist and have a name in the image into the map of struct cgroup_key. Returns 0
 * or a negative errno. */
int cgroups_number(int map_fd, const PolicyImage *image);

/* Whether there is such a cgroup now. name: "/a/b", or a unit's name. Returns 0 or 1, or a negative
 * errno. */
int cgroups_have(const char *name);
