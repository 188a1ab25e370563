/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* history: who changed what, and by whose leave. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

static void add_who(Table *table, json_object *change)
{
        const struct passwd *user = getpwuid((uid_t) json_number(change, "uid"));

        if (!*json_text(change, "what"))
                table_add(table, COLOUR_NONE, json_text(change, "origin"));
        else if (user)
                table_add(table, COLOUR_NONE, user->pw_name);
        else
                table_add_number(table, json_number(change, "uid"));
}

static void add_change(Table *table, json_object *change)
{
        char when[32];

        output_time(json_number(change, "usec"), when, sizeof(when));
        table_add(table, COLOUR_NONE, when);
        table_add_number(table, json_number(change, "generation"));
        table_add(table, COLOUR_NONE, json_truth(change, "kept") ? "yes" : "no");
        add_who(table, change);
        table_add(table, COLOUR_NONE, json_text(change, "what"));
        table_add(table, COLOUR_NONE, json_text(change, "name"));
        table_add(table, COLOUR_NONE, json_text(change, "authorization"));
}

static int is_kept(json_object *manager, uint64_t generation)
{
        for (size_t i = 0; i < json_count(manager, "generations"); i++)
                if (json_number(json_element(manager, "generations", i), "generation") ==
                    generation)
                        return 1;
        return 0;
}

static int mark_kept(json_object *changes, json_object *manager)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < json_object_array_length(changes); i++) {
                json_object *change = json_object_array_get_idx(changes, i);

                r = json_add_truth(change, "kept",
                                   is_kept(manager, json_number(change, "generation")));
        }
        return r;
}

static int print_changes(json_object *changes)
{
        static const char *const headings[] = {"TIME", "GENERATION", "KEPT",         "WHO",
                                               "WHAT", "NAME",       "AUTHORIZATION"};
        _cleanup_(table_freep) Table *table = table_new(headings, ELEMENTS_OF(headings));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(changes); i++)
                add_change(table, json_object_array_get_idx(changes, i));
        return table_print(table);
}

ExitStatus verb_history(Client *client, char **arguments)
{
        static const Call call = {.attempt = "tell who changed what"};
        static const char *const keys[] = {"usec", "generation", "uid",          "origin",
                                           "what", "name",       "authorization"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *changes = NULL, *manager = NULL;
        ExitStatus status = query_manager(client, &call, &manager);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "History",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "tu", (uint64_t) 0, (uint32_t) 0);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_rows(reply, "ttussss", keys, &changes);
        if (r >= 0)
                r = mark_kept(changes, manager);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                return query_print(client, &call, "changes", changes);
        if (r >= 0)
                r = print_changes(changes);
        return r < 0 ? failure_of_reply(client, &call, r) : STATUS_DONE;
}
