/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remove: takes a policy out of force. */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "failure.h"
#include "output.h"

static ExitStatus print_outcome(Client *client, const char *name, int changed, uint64_t generation)
{
        _cleanup_(json_object_putp) json_object *outcome = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                output_text(stdout, name);
                printf(changed ? " is removed: generation %" PRIu64 ".\n"
                               : " was not in force: still generation %" PRIu64 ".\n",
                       generation);
                return STATUS_DONE;
        }
        outcome = json_object_new_object();
        if (!outcome || json_add_text(outcome, "name", name) < 0 ||
            json_add_truth(outcome, "changed", changed) < 0 ||
            json_add_number(outcome, "generation", generation) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(outcome);
        return STATUS_DONE;
}

ExitStatus verb_remove(Client *client, char **arguments)
{
        char attempt[128];
        const Call call = {.attempt = attempt, .action = "remove-policy"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        uint64_t generation;
        int changed, r;

        if (status != STATUS_DONE)
                return status;
        snprintf(attempt, sizeof(attempt), "remove the policy %s", arguments[0]);
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Remove",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "sta{sv}", arguments[0], client->options.expect,
                                          0);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &changed, &generation);
        if (r < 0)
                return failure_of_reply(client, &call, r);
        return print_outcome(client, arguments[0], changed, generation);
}
