/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* confirm: what was applied on trial stays. */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

static ExitStatus choose_generation(Client *client, const char *argument, uint64_t *ret_generation)
{
        static const Call call = {.attempt = "find what is on trial"};
        _cleanup_(json_object_putp) json_object *manager = NULL;
        ExitStatus status;

        if (argument && options_read_number(argument, ret_generation) < 0)
                return failure_of_usage("A generation is a number, not \"%s\".", argument);
        if (argument)
                return client_connect(client);
        status = query_manager(client, &call, &manager);
        if (status != STATUS_DONE)
                return status;
        *ret_generation = json_number(manager, "confirm_generation");
        if (*ret_generation == 0)
                return failure_say(client, STATUS_NO_SUCH_POLICY,
                                   "Nothing is on trial; 'aegis-client history' tells whether it "
                                   "was taken back.");
        return STATUS_DONE;
}

static ExitStatus print_outcome(Client *client, uint64_t generation)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                printf("Generation %" PRIu64 " stays.\n", generation);
                return STATUS_DONE;
        }
        object = json_object_new_object();
        if (!object || json_add_number(object, "generation", generation) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(object);
        return STATUS_DONE;
}

ExitStatus verb_confirm(Client *client, char **arguments)
{
        char attempt[64];
        const Call call = {.attempt = attempt, .action = "apply-policy"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        uint64_t generation = 0;
        ExitStatus status = choose_generation(client, arguments[0], &generation);
        int r;

        if (status != STATUS_DONE)
                return status;
        snprintf(attempt, sizeof(attempt), "confirm generation %" PRIu64, generation);
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Confirm",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "t", generation);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        return status == STATUS_DONE ? print_outcome(client, generation) : status;
}
