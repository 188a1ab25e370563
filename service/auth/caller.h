/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caller: who is behind a unique name on the bus, asked of the bus itself without waiting for it.
 * Never a pid: a process can become another program between the question and the answer. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>

/* result: 0, or a negative errno (-ENXIO: the caller is gone) and uid means nothing. */
typedef void (*CallerFunc)(void *userdata, int result, uid_t uid);

typedef struct CallerQuery CallerQuery;

/* Asks for the uid of a unique name. func is called once, from the loop, unless the query is freed
 * before; it may free it. Returns 0 or a negative errno. */
int caller_query_new(CallerQuery **ret_query, sd_bus *bus, const char *unique_name, CallerFunc func,
                     void *userdata);
CallerQuery *caller_query_free(CallerQuery *query);
