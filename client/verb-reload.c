/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reload: what the files of the policy directory say is put in force. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "reply.h"

typedef struct Outcome {
        int changed;
        uint64_t generation;
        json_object *policies, *refused;
} Outcome;

static void outcome_deinit(Outcome *outcome)
{
        json_object_put(outcome->policies);
        json_object_put(outcome->refused);
}

static int read_outcome(sd_bus_message *reply, Outcome *outcome)
{
        static const char *const keys[] = {"file", "line", "message"};
        int r = sd_bus_message_read(reply, "bt", &outcome->changed, &outcome->generation);

        if (r >= 0)
                r = reply_read_value(reply, &outcome->policies);
        if (r >= 0 && !json_object_is_type(outcome->policies, json_type_array))
                r = -EBADMSG;
        return r < 0 ? r : reply_read_rows(reply, "sus", keys, &outcome->refused);
}

/* "FILE:LINE: message", as compilers have it. */
static void print_refused(json_object *refused)
{
        for (size_t i = 0; i < json_object_array_length(refused); i++) {
                json_object *fault = json_object_array_get_idx(refused, i);

                output_text(stderr, json_text(fault, "file"));
                if (json_number(fault, "line") > 0)
                        fprintf(stderr, ":%" PRIu64, json_number(fault, "line"));
                fputs(": ", stderr);
                output_text(stderr, json_text(fault, "message"));
                fputc('\n', stderr);
        }
}

static void print_outcome(const Client *client, const Outcome *outcome)
{
        int is_check = OPTION_GIVEN(&client->options, OPTION_CHECK);

        for (size_t i = 0; i < json_object_array_length(outcome->policies); i++) {
                output_text(stdout, json_object_get_string(
                                            json_object_array_get_idx(outcome->policies, i)));
                puts(is_check ? " would be put in force as its file has it."
                              : " is in force as its file has it.");
        }
        printf(outcome->changed && !is_check ? "Generation %" PRIu64 " is in force.\n"
                                             : "Generation %" PRIu64 " stays in force.\n",
               outcome->generation);
        fflush(stdout);
        print_refused(outcome->refused);
}

static int print_json(const Outcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? json_add_truth(object, "changed", outcome->changed) : -ENOMEM;

        if (r >= 0)
                r = json_add_number(object, "generation", outcome->generation);
        if (r >= 0)
                r = json_add(object, "policies", json_object_get(outcome->policies));
        if (r >= 0)
                r = json_add(object, "refused", json_object_get(outcome->refused));
        if (r >= 0)
                output_json(object);
        return r;
}

static int fill_message(const Client *client, sd_bus_message **ret_message)
{
        int r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Reload",
                                   ret_message);

        if (r < 0 || !OPTION_GIVEN(&client->options, OPTION_CHECK))
                return r < 0 ? r : sd_bus_message_append(*ret_message, "a{sv}", 0);
        return sd_bus_message_append(*ret_message, "a{sv}", 1, "check", "b", 1);
}

static ExitStatus status_of(const Client *client, const Outcome *outcome)
{
        if (json_object_array_length(outcome->refused) > 0)
                return STATUS_INVALID;
        return outcome->changed && OPTION_GIVEN(&client->options, OPTION_CHECK)
                       ? STATUS_WOULD_CHANGE
                       : STATUS_DONE;
}

ExitStatus verb_reload(Client *client, char **arguments)
{
        const Call call = {.attempt = "load the policies anew",
                           .action = OPTION_GIVEN(&client->options, OPTION_CHECK) ? "plan"
                                                                                  : "reload"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = fill_message(client, &message);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = read_outcome(reply, &outcome);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(&outcome);
        else if (r >= 0)
                print_outcome(client, &outcome);
        return r < 0 ? failure_of_reply(client, &call, r) : status_of(client, &outcome);
}
