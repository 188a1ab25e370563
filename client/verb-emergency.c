/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* emergency start, emergency stop: for a while nothing is denied, and all of it recorded. */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "failure.h"
#include "output.h"

static ExitStatus print_outcome(Client *client, uint64_t seconds)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON) && seconds > 0)
                printf("Nothing is denied for %" PRIu64
                       " seconds, and all of it recorded; 'aegis-client emergency stop' ends it.\n",
                       seconds);
        else if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                printf("What the policies deny is denied.\n");
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                return STATUS_DONE;
        object = json_object_new_object();
        if (!object || json_add_truth(object, "emergency", seconds > 0) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(object);
        return STATUS_DONE;
}

static ExitStatus send(Client *client, const Call *call, const char *member)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        uint64_t usec = client->options.for_usec;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, member,
                               &message);
        if (r >= 0 && usec > 0)
                r = sd_bus_message_append(message, "st", client->options.reason, usec);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        return status == STATUS_DONE ? print_outcome(client, usec / 1000000u) : status;
}

ExitStatus verb_emergency_start(Client *client, char **arguments)
{
        static const Call call = {.attempt = "declare an emergency", .action = "emergency"};

        if (!OPTION_GIVEN(&client->options, OPTION_REASON) || client->options.for_usec == 0)
                return failure_of_usage("Say for how long and why: --for=10m --reason=TEXT.");
        return send(client, &call, "EmergencyStart");
}

ExitStatus verb_emergency_stop(Client *client, char **arguments)
{
        static const Call call = {.attempt = "end the emergency", .action = "emergency"};

        return send(client, &call, "EmergencyStop");
}
