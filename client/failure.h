/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failure: what went wrong, said to a person (what happened first, what to do last) and, with
 * --json, to a program; and the exit status that goes with it. */
#pragma once

#include <json-c/json.h>

#include "client.h"

/* A call that the service or the bus did not fulfil. */
ExitStatus failure_of_call(const Client *client, const Call *call, const sd_bus_error *error);

/* A document that the service refused. remarks: what remarks_read() found in the error, shown
 * already. */
ExitStatus failure_of_policy(const Client *client, const Call *call, const sd_bus_error *error,
                             json_object *remarks);

/* A call that could not be put together: an argument that D-Bus does not carry, too little memory.
 */
ExitStatus failure_of_message(const Client *client, const Call *call, int error);

/* The exit status alone. */
ExitStatus failure_status(const char *error_name);

/* A failure of this program's own: one sentence. */
ExitStatus failure_say(const Client *client, ExitStatus status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A wrong command line. */
ExitStatus failure_of_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An answer whose types are not those of the API this program was made for, or too little memory.
 */
ExitStatus failure_of_reply(const Client *client, const Call *call, int error);
