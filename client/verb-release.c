/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* release: the kernel is let go of; the policies stay on disk. */
#include <stdio.h>

#include "client.h"
#include "failure.h"
#include "output.h"

static ExitStatus print_outcome(Client *client)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                printf("Nothing is enforced now. 'aegis-client mode enforce', any change of a "
                       "policy,\nor the next start of the service puts the policies in force "
                       "again.\n");
                return STATUS_DONE;
        }
        object = json_object_new_object();
        if (!object || json_add_truth(object, "released", 1) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(object);
        return STATUS_DONE;
}

ExitStatus verb_release(Client *client, char **arguments)
{
        static const Call call = {.attempt = "release everything", .action = "weaken"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Release",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a{sv}", 0);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        return status == STATUS_DONE ? print_outcome(client) : status;
}
