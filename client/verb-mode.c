/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mode: whether what a policy denies is denied, or only recorded. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

typedef struct ModeOutcome {
        const char *mode;
        int changed;
        uint64_t generation;
} ModeOutcome;

static ExitStatus show_mode(Client *client)
{
        static const Call call = {.attempt = "show the mode"};
        _cleanup_(json_object_putp) json_object *manager = NULL, *shown = NULL;
        ExitStatus status = query_manager(client, &call, &manager);

        if (status != STATUS_DONE)
                return status;
        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                output_text(stdout, json_text(manager, "mode"));
                putchar('\n');
                return STATUS_DONE;
        }
        shown = json_object_new_object();
        if (!shown || json_add_text(shown, "mode", json_text(manager, "mode")) < 0 ||
            json_add_number(shown, "generation", json_number(manager, "generation")) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        output_json(shown);
        return STATUS_DONE;
}

static ExitStatus print_outcome(Client *client, const ModeOutcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                printf(outcome->changed ? "The mode is now %s: generation %" PRIu64 ".\n"
                                        : "The mode was %s already: still generation %" PRIu64
                                          ".\n",
                       outcome->mode, outcome->generation);
                return STATUS_DONE;
        }
        object = json_object_new_object();
        if (!object || json_add_text(object, "mode", outcome->mode) < 0 ||
            json_add_truth(object, "changed", outcome->changed) < 0 ||
            json_add_number(object, "generation", outcome->generation) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(object);
        return STATUS_DONE;
}

static ExitStatus set_mode(Client *client, const Call *call, const char *mode)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ModeOutcome outcome = {.mode = mode};
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "SetMode",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "sa{sv}", mode, 0);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &outcome.changed, &outcome.generation);
        if (r < 0)
                return failure_of_reply(client, call, r);
        return print_outcome(client, &outcome);
}

ExitStatus verb_mode(Client *client, char **arguments)
{
        static const Call enforce = {.attempt = "set the mode to enforce", .action = "strengthen"};
        static const Call audit = {.attempt = "set the mode to audit", .action = "weaken"};

        if (!arguments[0])
                return show_mode(client);
        if (strcmp(arguments[0], "enforce") == 0)
                return set_mode(client, &enforce, arguments[0]);
        if (strcmp(arguments[0], "audit") == 0)
                return set_mode(client, &audit, arguments[0]);
        return failure_of_usage("The mode is enforce or audit, not \"%s\".", arguments[0]);
}
