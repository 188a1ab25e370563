/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: what several rooms ask the service: the manager's properties, the objects there are. */
#pragma once

#include "client.h"
#include "reply.h"

extern const Field manager_fields[];
extern const Field policy_fields[];
extern const Field exception_fields[];
extern const Field events_fields[];

/* The manager's properties as one object. Says itself what went wrong. */
ExitStatus query_manager(Client *client, const Call *call, json_object **ret_manager);

/* The totals of events as one object. Says itself what went wrong. */
ExitStatus query_events(Client *client, const Call *call, json_object **ret_events);

/* All of a kind, sorted by name. Each says itself what went wrong. */
ExitStatus query_policies(Client *client, const Call *call, json_object **ret_policies);
ExitStatus query_hooks(Client *client, const Call *call, json_object **ret_hooks);
ExitStatus query_exceptions(Client *client, const Call *call, json_object **ret_exceptions);

/* What ListHooks answers. Returns 0 or a negative errno. */
int query_read_hooks(sd_bus_message *reply, json_object **ret_hooks);

/* A policy in force by its name; STATUS_NO_SUCH_POLICY if there is none. Says itself what went
 * wrong. */
ExitStatus query_policy(Client *client, const Call *call, const char *name,
                        json_object **ret_policy);

/* A hook by its name; STATUS_USAGE if there is none. Says itself what went wrong. */
ExitStatus query_hook(Client *client, const Call *call, const char *name, json_object **ret_hook);

/* Prints {"key":array}. */
ExitStatus query_print(const Client *client, const Call *call, const char *key, json_object *array);
