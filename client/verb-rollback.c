/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rollback: the policies of an earlier generation, in force again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

typedef struct Rollback {
        uint64_t to;
        uint64_t before; /* the generation in force when it was asked for */
        char attempt[64];
        Call call;
} Rollback;

/* The latest generation whose policies are not those in force. Returns 0 if there is none. */
static uint64_t choose_generation(json_object *manager)
{
        const char *digest = json_text(manager, "digest");

        for (size_t i = json_count(manager, "generations"); i > 0; i--) {
                json_object *kept = json_element(manager, "generations", i - 1);

                if (strcmp(json_text(kept, "digest"), digest) != 0)
                        return json_number(kept, "generation");
        }
        return 0;
}

static ExitStatus read_argument(Client *client, const char *argument, Rollback *rollback)
{
        static const Call call = {.attempt = "find the generation to go back to"};
        _cleanup_(json_object_putp) json_object *manager = NULL;
        ExitStatus status;

        if (argument && options_read_number(argument, &rollback->to) < 0)
                return failure_of_usage("A generation is a number, not \"%s\".", argument);
        status = query_manager(client, &call, &manager);
        if (status != STATUS_DONE)
                return status;
        rollback->before = json_number(manager, "generation");
        if (!argument)
                rollback->to = choose_generation(manager);
        if (rollback->to == 0)
                return failure_say(client, STATUS_NO_SUCH_POLICY,
                                   "There is no generation to go back to; 'aegis-client history' "
                                   "lists those there were.");
        snprintf(rollback->attempt, sizeof(rollback->attempt), "go back to generation %" PRIu64,
                 rollback->to);
        rollback->call.attempt = rollback->attempt;
        return STATUS_DONE;
}

static ExitStatus send_rollback(Client *client, const Rollback *rollback, const char *member,
                                sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, member,
                                   &message);

        if (r >= 0)
                r = sd_bus_message_append(message, "tta{sv}", rollback->to, client->options.expect,
                                          0);
        if (r < 0)
                return failure_of_message(client, &rollback->call, r);
        return client_call(client, &rollback->call, message, ret_reply);
}

/* changes: NULL after it was done. */
static int print_json(const Rollback *rollback, int changed, uint64_t generation,
                      json_object *changes)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? json_add_number(object, "to", rollback->to) : -ENOMEM;

        if (r >= 0)
                r = json_add_truth(object, "changed", changed);
        if (r >= 0)
                r = json_add_number(object, "generation", generation);
        if (r >= 0 && changes)
                r = json_add(object, "changes", json_object_get(changes));
        if (r >= 0)
                output_json(object);
        return r;
}

static void print_plan(const Rollback *rollback, int changed, json_object *changes)
{
        changes_print(changes);
        printf(changed ? "These entries would change in going back to generation %" PRIu64 ".\n"
                       : "Nothing would change: the policies of generation %" PRIu64
                         " are in force.\n",
               rollback->to);
}

static ExitStatus plan_rollback(Client *client, Rollback *rollback)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) json_object *changes = NULL;
        ExitStatus status;
        int changed = 0, r;

        rollback->call.action = "plan";
        status = send_rollback(client, rollback, "PlanRollback", &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "b", &changed);
        if (r >= 0)
                r = changes_read(reply, &changes);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(rollback, changed, rollback->before, changes);
        else if (r >= 0)
                print_plan(rollback, changed, changes);
        if (r < 0)
                return failure_of_reply(client, &rollback->call, r);
        return changed ? STATUS_WOULD_CHANGE : STATUS_DONE;
}

static ExitStatus roll_back(Client *client, Rollback *rollback)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint64_t generation = 0;
        ExitStatus status;
        int r;

        rollback->call.action = "rollback";
        status = send_rollback(client, rollback, "Rollback", &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "t", &generation);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(rollback, generation != rollback->before, generation, NULL);
        else if (r >= 0)
                printf("The policies of generation %" PRIu64 " are in force: %sgeneration %" PRIu64
                       ".\n",
                       rollback->to, generation != rollback->before ? "" : "still ", generation);
        return r < 0 ? failure_of_reply(client, &rollback->call, r) : STATUS_DONE;
}

ExitStatus verb_rollback(Client *client, char **arguments)
{
        Rollback rollback = {0};
        ExitStatus status = read_argument(client, arguments[0], &rollback);

        if (status != STATUS_DONE)
                return status;
        return OPTION_GIVEN(&client->options, OPTION_CHECK) ? plan_rollback(client, &rollback)
                                                            : roll_back(client, &rollback);
}
