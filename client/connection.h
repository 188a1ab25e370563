/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection: the way to the service, here or on another machine, and one call over it: with
 * polkit's question asked on the terminal and, when it takes long, a word about what is awaited. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/cleanup.h"

#define SERVICE_NAME "org.aegis.Enforcer"
#define SERVICE_PATH "/org/aegis/Enforcer"
#define EVENTS_PATH SERVICE_PATH "/events"
#define MANAGER_INTERFACE SERVICE_NAME ".Manager"
#define POLICY_INTERFACE SERVICE_NAME ".Policy"
#define HOOK_INTERFACE SERVICE_NAME ".Hook"
#define EXCEPTION_INTERFACE SERVICE_NAME ".Exception"
#define EVENTS_INTERFACE SERVICE_NAME ".Events"
#define ERROR_PREFIX SERVICE_NAME ".Error."
#define ACTION_PREFIX "org.aegis.enforcer."

/* The service gives polkit, and so a person with a password, 120 s. Wait longer than that. */
#define CALL_GATED_USEC (180u * 1000000ull)
#define CALL_PLAIN_USEC (25u * 1000000ull)
#define CALL_QUIET_USEC (2u * 1000000ull) /* longer than this: say what is awaited … */
#define CALL_DOT_USEC (1u * 1000000ull)   /* … and that it still is */

typedef enum Transport {
        TRANSPORT_LOCAL,
        TRANSPORT_HOST,    /* by ssh */
        TRANSPORT_MACHINE, /* a local container */
} Transport;

typedef enum Asking {
        ASKING_ALLOWED,
        ASKING_FORBIDDEN,
} Asking;

/* One call, as a person sees it. */
typedef struct Call {
        const char *attempt; /* completes "Cannot …" and "Waiting for the service to …" */
        const char *action;  /* the polkit action without its prefix; NULL: not gated */
} Call;

typedef struct Connection Connection;

/* where: the host or machine; NULL for TRANSPORT_LOCAL. Returns 0 or a negative errno. */
int connection_open(Connection **ret_connection, Transport transport, const char *where,
                    Asking asking);
Connection *connection_close(Connection *connection);

/* What a call is sent to. */
typedef struct Address {
        const char *service, *path, *interface, *member;
} Address;
int connection_message_to(Connection *connection, const Address *address,
                          sd_bus_message **ret_message);

/* A call to the service, to be filled. Returns 0 or a negative errno. */
int connection_message(Connection *connection, const char *path, const char *interface,
                       const char *member, sd_bus_message **ret_message);

/* Sends message and waits for the answer. Returns 0, or a negative errno with *ret_error set. */
int connection_call(Connection *connection, const Call *call, sd_bus_message *message,
                    sd_bus_error *ret_error, sd_bus_message **ret_reply);

DEFINE_CLEANUP(Connection *, connection_close);
