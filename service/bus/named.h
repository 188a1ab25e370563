/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named: kinds of objects with one for each thing that has a name and comes and goes: policies,
 * exceptions. Objects are not kept: a path is looked up in what is in force each time, so that none
 * can outlive what it stands for. */
#pragma once

#include <stddef.h>

#include "bus/objects.h"

typedef struct NamedKind {
        const char *prefix; /* of the paths */
        const char *interface;
        /* The i-th, from 0; NULL behind the last. */
        const char *(*name)(const BusServer *server, size_t i);
} NamedKind;

extern const NamedKind policy_kind; /* in policy-object.c */

/* All names, copied; NULL-terminated. Returns NULL when memory is short. */
char **named_list(const BusServer *server, const NamedKind *kind);
void names_free(char **names);

/* The path of the i-th, as ManagedKind wants it. */
int named_path(const BusServer *server, const NamedKind *kind, size_t i, char **ret_path);
/* All paths, for the bus library. Returns 0 or a negative errno. */
int named_enumerate(const BusServer *server, const NamedKind *kind, char ***ret_nodes);

/* One of that name has come, or gone. */
typedef int (*NamedEmit)(sd_bus *bus, const char *path, const char *interface, ...);
void named_tell(BusServer *server, const NamedKind *kind, const char *name, NamedEmit emit);
