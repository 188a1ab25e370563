/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locate: where a document's paths lead on this machine now. */
#pragma once

#include "backend/parents.h"

typedef struct Locator {
        Mounts *mounts;
        Parents *parents; /* NULL: nothing is remembered from one path to the next */
} Locator;

/* What a Resolver holds; userdata is a Locator. */
int locate_path(void *locator, const char *path, Location *ret_location);
int has_cgroup(void *locator, const char *path);
void *locate_begin(void *locator);
void locate_end(void *locator);
