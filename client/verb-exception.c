/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* allow: for a while, what an event says was denied. exceptions: those there are, and their end. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

#define FOR_USEC (10u * 60u * 1000000u)

/* ---- allow ---- */

static ExitStatus read_seq(const char *text, uint64_t *ret_seq)
{
        char *end;

        errno = 0;
        *ret_seq = strtoull(text, &end, 10);
        if (!isdigit((unsigned char) text[0]) || errno != 0 || *end)
                return failure_of_usage("The first word of a line of 'aegis-client events' is the "
                                        "number of the event, not \"%s\".",
                                        text);
        return STATUS_DONE;
}

static ExitStatus ask_for(Client *client, const Call *call, uint64_t seq,
                          sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        ExitStatus status = client_connect(client);
        uint64_t usec =
                OPTION_GIVEN(&client->options, OPTION_FOR) ? client->options.for_usec : FOR_USEC;
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, EVENTS_PATH, EVENTS_INTERFACE, "AllowFor",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "tta{sv}", seq, usec, 0);
        return r < 0 ? failure_of_message(client, call, r)
                     : client_call(client, call, message, ret_reply);
}

static json_object *find(json_object *exceptions, const char *key, const char *value)
{
        for (size_t i = 0; i < json_object_array_length(exceptions); i++) {
                json_object *exception = json_object_array_get_idx(exceptions, i);

                if (strcmp(json_text(exception, key), value) == 0)
                        return exception;
        }
        return NULL;
}

static void print_made(json_object *exception)
{
        char when[32];

        output_time(json_number(exception, "until_usec"), when, sizeof(when));
        output_text(stdout, json_text(exception, "allows"));
        fputs(" is allowed to ", stdout);
        output_text(stdout, json_text(exception, "to"));
        printf(" until %s; to end it now: aegis-client exceptions revoke ", when);
        output_text(stdout, json_text(exception, "name"));
        putchar('\n');
}

ExitStatus verb_allow(Client *client, char **arguments)
{
        char attempt[64];
        const Call call = {.attempt = attempt, .action = "allow-temporarily"};
        const Call look = {.attempt = "read the exceptions"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) json_object *exceptions = NULL;
        json_object *made = NULL;
        const char *path = "";
        uint64_t seq = 0;
        ExitStatus status = read_seq(arguments[0], &seq);

        snprintf(attempt, sizeof(attempt), "allow what event %" PRIu64 " denied", seq);
        if (status == STATUS_DONE)
                status = ask_for(client, &call, seq, &reply);
        if (status != STATUS_DONE)
                return status;
        if (sd_bus_message_read(reply, "o", &path) < 0)
                return failure_of_reply(client, &call, -EBADMSG);
        status = query_exceptions(client, &look, &exceptions);
        if (status == STATUS_DONE)
                made = find(exceptions, "object", path);
        if (made && OPTION_GIVEN(&client->options, OPTION_JSON))
                output_json(made);
        else if (made)
                print_made(made);
        return status;
}

/* ---- exceptions ---- */

static void add_left(Table *table, json_object *exception)
{
        uint64_t until = json_number(exception, "until_usec") / 1000000u;
        uint64_t now = (uint64_t) time(NULL), left = until > now ? until - now : 0;
        char text[32];

        snprintf(text, sizeof(text), "%" PRIu64 ":%02u:%02u", left / 3600,
                 (unsigned) (left / 60 % 60), (unsigned) (left % 60));
        table_add(table, COLOUR_NONE, text);
}

static int print_exceptions(json_object *exceptions)
{
        static const char *const headings[] = {"EXCEPTION", "LEFT", "OBJECT", "FOR", "BY"};
        _cleanup_(table_freep) Table *table = table_new(headings, ELEMENTS_OF(headings));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(exceptions); i++) {
                json_object *exception = json_object_array_get_idx(exceptions, i);

                table_add(table, COLOUR_NONE, json_text(exception, "name"));
                add_left(table, exception);
                table_add(table, COLOUR_NONE, json_text(exception, "allows"));
                table_add(table, COLOUR_NONE, json_text(exception, "to"));
                table_add_number(table, json_number(exception, "uid"));
        }
        return table_print(table);
}

ExitStatus verb_exceptions(Client *client, char **arguments)
{
        static const Call call = {.attempt = "read the exceptions"};
        _cleanup_(json_object_putp) json_object *exceptions = NULL;
        ExitStatus status = query_exceptions(client, &call, &exceptions);

        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return query_print(client, &call, "exceptions", exceptions);
        return print_exceptions(exceptions) < 0 ? failure_of_reply(client, &call, -ENOMEM)
                                                : STATUS_DONE;
}

ExitStatus verb_exceptions_revoke(Client *client, char **arguments)
{
        static const Call call = {.attempt = "end the exception", .action = "strengthen"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *exceptions = NULL;
        json_object *exception = NULL;
        ExitStatus status = query_exceptions(client, &call, &exceptions);
        int r;

        if (status != STATUS_DONE)
                return status;
        exception = find(exceptions, "name", arguments[0]);
        if (!exception)
                return failure_say(client, STATUS_NO_SUCH_POLICY,
                                   "Cannot end the exception: there is none of that name, or it "
                                   "has ended; 'aegis-client exceptions' lists those there are.");
        r = connection_message(client->connection, json_text(exception, "object"),
                               EXCEPTION_INTERFACE, "Revoke", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a{sv}", 0);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status == STATUS_DONE && OPTION_GIVEN(&client->options, OPTION_JSON))
                output_json(exception);
        return status;
}
