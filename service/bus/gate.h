/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gate: the only way in. A method is one row: name, signatures, action, describe, run. The entry
 * points of the vtable are made from the rows, so that a method that names no action does not
 * compile and none can be reached past the gate.
 *
 * A call goes: who is it (asked of the bus) → does it come too often (bucket.h) → describe → polkit
 * → describe again → run. What is done for one call ends before the next begins, root's first (see
 * work.h). Between the question and the answer nothing is kept but the message and what the answer
 * is bound to: objects are looked up anew, and an answer to what is no longer the question is
 * AuthorizationStale. What is refused is on record (refusal.h). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>

#include "bus/bucket.h"
#include "bus/request.h"
#include "util/cleanup.h"

/* Questions that a person may be looking at. dbus-daemon allows 128 open calls to a connection:
 * without limits one user locks all others out. */
#define GATE_ASKING_PER_SENDER 1u
#define GATE_ASKING_PER_UID 4u
#define GATE_ASKING_MAX 32u
/* Checks that polkit answers by itself, in milliseconds; Can() of every action at once fits. */
#define GATE_CHECKING_PER_UID 16u
#define GATE_CHECKING_MAX 64u

typedef struct Method {
        const char *name;
        Action action;
        unsigned cost; /* tokens: see bucket.h */
        /* Reads the arguments of request->message into the request. Changes nothing. */
        int (*describe)(Request *request, sd_bus_error *error);
        /* Does what was described, and replies. */
        int (*run)(Request *request, sd_bus_error *error);
} Method;

/* A table is #define TABLE(ROW) ROW(Member, ACTION, ("s", name, …), ("b", changed, …), describe,
 * run) …, used twice: TABLE(GATE_ENTRY) makes the entry points, TABLE(GATE_ROW) the lines of the
 * vtable. No arguments: (NULL). The vtable's userdata is the BusServer. */
#define GATE_ENTRY(member, action_, in, out, describe_, run_)                                      \
        GATE_ENTRY_AT(BUCKET_METHOD, member, action_, describe_, run_)
/* The same of methods that give the service as much to do as reading all objects does. */
#define GATE_ENTRY_DEAR(member, action_, in, out, describe_, run_)                                 \
        GATE_ENTRY_AT(BUCKET_OBJECTS, member, action_, describe_, run_)
#define GATE_ENTRY_AT(cost_, member, action_, describe_, run_)                                     \
        static int enter_##member(sd_bus_message *m, void *userdata, sd_bus_error *error)          \
        {                                                                                          \
                static const Method method = {                                                     \
                        .name = #member,                                                           \
                        .action = ACTION_##action_,                                                \
                        .cost = cost_,                                                             \
                        .describe = describe_,                                                     \
                        .run = run_,                                                               \
                };                                                                                 \
                return gate_enter(userdata, &method, m, error);                                    \
        }
#define GATE_ROW(member, action_, in, out, describe_, run_)                                        \
        SD_BUS_METHOD_WITH_ARGS(#member, SD_BUS_ARGS in, SD_BUS_RESULT out, enter_##member,        \
                                SD_BUS_VTABLE_UNPRIVILEGED),

typedef struct Gate Gate;

/* One for each connection to the bus. timeout_usec: of a question. */
int gate_new(Gate **ret_gate, sd_bus *bus, uint64_t timeout_usec);

/* Drops all open calls; their questions are taken back. Not to be called from a method. */
Gate *gate_free(Gate *gate);

/* For GATE_ENTRY, and for what the bus library would answer before the gate. */
int gate_enter(BusServer *server, const Method *method, sd_bus_message *m, sd_bus_error *error);

/* Answers m with "yes", "no" or "challenge", once polkit has been asked, silently. Returns 0 or a
 * negative errno. */
int gate_probe(BusServer *server, Action action, sd_bus_message *m, sd_bus_error *error);

/* Whether a call is under way that has been cut into slices (see work.h): nothing else may change
 * what is in force meanwhile. */
int gate_is_busy(const Gate *gate);

/* The call that is being run now. */
typedef struct Running {
        const char *sender;
        const char *method;
        const Request *request; /* its uid and its action are the caller's and what was allowed */
} Running;

/* Returns 0, or -ENOENT if none is. */
int gate_running(const Gate *gate, Running *ret_running);

DEFINE_CLEANUP(Gate *, gate_free);
