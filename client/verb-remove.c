/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remove: takes a policy out of force. What that would change is what an empty document of its name
 * would. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "changes.h"
#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

#define EMPTY "version=7\n"

typedef struct Removal {
        const char *name;
        char attempt[128];
        Call call;
        int changed;
        uint64_t generation;
        json_object *changes; /* NULL: not asked for */
} Removal;

static void removal_deinit(Removal *removal)
{
        json_object_put(removal->changes);
}

static ExitStatus plan_removal(Client *client, Removal *removal)
{
        const Call call = {.attempt = removal->attempt, .action = "plan"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *policy = NULL;
        ExitStatus status = query_policy(client, &call, removal->name, &policy);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Plan",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ssasta{sv}", removal->name, EMPTY, 0,
                                          client->options.expect, 0);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_skip(reply, "b");
        if (r >= 0)
                r = changes_read(reply, &removal->changes);
        removal->changed = 1;
        return r < 0 ? failure_of_reply(client, &call, r) : STATUS_DONE;
}

static ExitStatus run_removal(Client *client, Removal *removal)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status;
        int r;

        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Remove",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "sta{sv}", removal->name, client->options.expect,
                                          0);
        if (r < 0)
                return failure_of_message(client, &removal->call, r);
        status = client_call(client, &removal->call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &removal->changed, &removal->generation);
        return r < 0 ? failure_of_reply(client, &removal->call, r) : STATUS_DONE;
}

static int print_json(const Removal *removal)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? json_add_text(object, "name", removal->name) : -ENOMEM;

        if (r >= 0)
                r = json_add_truth(object, "changed", removal->changed);
        if (r >= 0 && removal->generation > 0)
                r = json_add_number(object, "generation", removal->generation);
        if (r >= 0 && removal->changes)
                r = json_add(object, "changes", json_object_get(removal->changes));
        if (r >= 0)
                output_json(object);
        return r;
}

static void print_outcome(const Client *client, const Removal *removal)
{
        char before[128];

        snprintf(before, sizeof(before), "%s in force", removal->name);
        if (OPTION_GIVEN(&client->options, OPTION_DIFF))
                changes_print_diff(removal->changes, before, "/dev/null");
        else if (removal->changes)
                changes_print(removal->changes);
        output_text(stdout, removal->name);
        if (OPTION_GIVEN(&client->options, OPTION_CHECK))
                puts(" would be removed.");
        else
                printf(removal->changed ? " is removed: generation %" PRIu64 ".\n"
                                        : " was not in force: still generation %" PRIu64 ".\n",
                       removal->generation);
}

ExitStatus verb_remove(Client *client, char **arguments)
{
        _cleanup_(removal_deinit) Removal removal = {.name = arguments[0]};
        int is_check = OPTION_GIVEN(&client->options, OPTION_CHECK), r = 0;
        ExitStatus status = client_connect(client);

        snprintf(removal.attempt, sizeof(removal.attempt), "remove the policy %s", removal.name);
        removal.call = (Call){.attempt = removal.attempt, .action = "remove-policy"};
        if (status == STATUS_DONE && (is_check || OPTION_GIVEN(&client->options, OPTION_DIFF)))
                status = plan_removal(client, &removal);
        if (status == STATUS_DONE && !is_check)
                status = run_removal(client, &removal);
        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(&removal);
        else
                print_outcome(client, &removal);
        if (r < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        return is_check ? STATUS_WOULD_CHANGE : STATUS_DONE;
}
