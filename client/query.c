/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: see query.h. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "output.h"

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define POLICY_PREFIX SERVICE_PATH "/policy"

const Field manager_fields[] = {
        {"Version", "version", "s"},
        {"ApiVersion", "api_version", "u"},
        {"Features", "features", "as"},
        {"Epoch", "epoch", "s"},
        {"Mode", "mode", "s"},
        {"Posture", "posture", "s"},
        {"PostureReasons", "posture_reasons", "as"},
        {"Generation", "generation", "t"},
        {"Digest", "digest", "s"},
        {"LastChange", "last_change", "(ttus)"},
        {"ConfirmGeneration", "confirm_generation", "t"},
        {"ConfirmUntilUSec", "confirm_until_usec", "t"},
        {"EmergencyUntilUSec", "emergency_until_usec", "t"},
        {"Drift", "drift", "b"},
        {"Generations", "generations", "a(ts)"},
        {"Policies", "policies", "as"},
        {"Hooks", "hooks", "a{su}"},
        {NULL, NULL, NULL},
};

const Field policy_fields[] = {
        {"Name", "name", "s"},
        {"LanguageVersion", "language_version", "u"},
        {"Digest", "digest", "s"},
        {"Generation", "generation", "t"},
        {"ChangedUSec", "changed_usec", "t"},
        {"Rules", "rules", "u"},
        {"Signed", "signed", "b"},
        {"Signers", "signers", "as"},
        {"Seq", "seq", "t"},
        {"RootSeq", "root_seq", "t"},
        {"IssuedUSec", "issued_usec", "t"},
        {"ExpiresUSec", "expires_usec", "t"},
        {NULL, NULL, NULL},
};

const Field exception_fields[] = {
        {"Id", "name", "s"},
        {"Event", "event", "t"},
        {"Uid", "uid", "u"},
        {"Object", "allows", "s"},
        {"Subject", "to", "s"},
        {"Rule", "rule", "s"},
        {"UntilUSec", "until_usec", "t"},
        {NULL, NULL, NULL},
};

const Field events_fields[] = {
        {"Emitted", "emitted", "t"},
        {"Delivered", "delivered", "t"},
        {"Suppressed", "suppressed", "t"},
        {"Lost", "lost", "t"},
        {NULL, NULL, NULL},
};

/* LastChange comes as a structure; by names it can grow. */
static int name_last_change(json_object *manager)
{
        static const char *const keys[] = {"time_usec", "generation", "uid", "origin"};
        _cleanup_(json_object_putp) json_object *named = NULL;

        if (json_count(manager, "last_change") != ELEMENTS_OF(keys))
                return 0;
        named = json_object_new_object();
        if (!named)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS_OF(keys); i++) {
                json_object *element = json_element(manager, "last_change", i);

                if (json_add(named, keys[i], json_object_get(element)) < 0)
                        return -ENOMEM;
        }
        return json_add(manager, "last_change", TAKE_PTR(named));
}

static int name_generations(json_object *manager)
{
        for (size_t i = 0; i < json_count(manager, "generations"); i++) {
                json_object *kept = json_element(manager, "generations", i);
                _cleanup_(json_object_putp) json_object *named = json_object_new_object();

                if (!named ||
                    json_add(named, "generation",
                             json_object_get(json_object_array_get_idx(kept, 0))) < 0 ||
                    json_add(named, "digest", json_object_get(json_object_array_get_idx(kept, 1))) <
                            0 ||
                    json_object_array_put_idx(json_object_object_get(manager, "generations"), i,
                                              json_object_get(named)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static ExitStatus make_get_all(Client *client, const Call *call, const char *path,
                               const char *interface, sd_bus_message **ret_message)
{
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, path, PROPERTIES_INTERFACE, "GetAll",
                               ret_message);
        if (r >= 0)
                r = sd_bus_message_append(*ret_message, "s", interface);
        return r < 0 ? failure_of_message(client, call, r) : STATUS_DONE;
}

static ExitStatus query_object(Client *client, const Call *call, const char *path,
                               const char *interface, sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        ExitStatus status = make_get_all(client, call, path, interface, &message);

        return status == STATUS_DONE ? client_call(client, call, message, ret_reply) : status;
}

ExitStatus query_events(Client *client, const Call *call, json_object **ret_events)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitStatus status = query_object(client, call, EVENTS_PATH, EVENTS_INTERFACE, &reply);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = reply_read_properties(reply, events_fields, ret_events);
        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

ExitStatus query_manager(Client *client, const Call *call, json_object **ret_manager)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) json_object *manager = NULL;
        ExitStatus status = query_object(client, call, SERVICE_PATH, MANAGER_INTERFACE, &reply);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = reply_read_properties(reply, manager_fields, &manager);
        if (r >= 0)
                r = name_last_change(manager);
        if (r >= 0)
                r = name_generations(manager);
        if (r < 0)
                return failure_of_reply(client, call, r);
        *ret_manager = TAKE_PTR(manager);
        return STATUS_DONE;
}

ExitStatus query_exceptions(Client *client, const Call *call, json_object **ret_exceptions)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH,
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &message);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_objects(reply, EXCEPTION_INTERFACE, exception_fields, ret_exceptions);
        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

/* ---- hooks ---- */

int query_read_hooks(sd_bus_message *reply, json_object **ret_hooks)
{
        static const char *const keys[] = {"name",     "symbol",  "tier",     "guarantee",
                                           "attached", "mode",    "required", "reason",
                                           "calls",    "denials", "audits",   "object"};
        int r = reply_read_rows(reply, "ssssbsbsttto", keys, ret_hooks);

        if (r < 0)
                return r;
        json_sort_by_name(*ret_hooks);
        return 0;
}

ExitStatus query_hooks(Client *client, const Call *call, json_object **ret_hooks)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "ListHooks",
                               &message);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = query_read_hooks(reply, ret_hooks);
        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

ExitStatus query_hook(Client *client, const Call *call, const char *name, json_object **ret_hook)
{
        _cleanup_(json_object_putp) json_object *hooks = NULL;
        ExitStatus status = query_hooks(client, call, &hooks);

        if (status != STATUS_DONE)
                return status;
        for (size_t i = 0; i < json_object_array_length(hooks); i++) {
                json_object *hook = json_object_array_get_idx(hooks, i);

                if (strcmp(json_text(hook, "name"), name) == 0) {
                        *ret_hook = json_object_get(hook);
                        return STATUS_DONE;
                }
        }
        return failure_say(client, STATUS_USAGE,
                           "Cannot %s: there is no such hook; 'aegis-client hooks' lists them.",
                           call->attempt);
}

/* ---- policies ---- */

/* Reads an object that may not be there: *ret_reply stays NULL then. */
static ExitStatus query_if_there(Client *client, const Call *call, sd_bus_message *message,
                                 sd_bus_message **ret_reply)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ExitStatus status = STATUS_DONE;
        int r = connection_call(client->connection, call, message, &error, ret_reply);

        if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                status = failure_of_call(client, call, &error);
        sd_bus_error_free(&error);
        return status;
}

/* *ret_policy stays NULL if none of that name is in force. */
static ExitStatus find_policy(Client *client, const Call *call, const char *name,
                              json_object **ret_policy)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *policy = NULL;
        _cleanup_(freep) char *path = NULL;
        ExitStatus status;
        int r = sd_bus_path_encode(POLICY_PREFIX, name, &path);

        if (r < 0)
                return failure_of_message(client, call, r);
        status = make_get_all(client, call, path, POLICY_INTERFACE, &message);
        if (status == STATUS_DONE)
                status = query_if_there(client, call, message, &reply);
        if (status != STATUS_DONE || !reply)
                return status;
        r = reply_read_properties(reply, policy_fields, &policy);
        if (r >= 0)
                r = json_add_text(policy, "object", path);
        if (r < 0)
                return failure_of_reply(client, call, r);
        *ret_policy = TAKE_PTR(policy);
        return STATUS_DONE;
}

ExitStatus query_policy(Client *client, const Call *call, const char *name,
                        json_object **ret_policy)
{
        ExitStatus status = find_policy(client, call, name, ret_policy);

        if (status != STATUS_DONE || *ret_policy)
                return status;
        return failure_say(client, STATUS_NO_SUCH_POLICY,
                           "Cannot %s: no policy of that name is in force; 'aegis-client policies' "
                           "lists those that are.",
                           call->attempt);
}

static ExitStatus query_policy_names(Client *client, const Call *call, json_object **ret_names)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, PROPERTIES_INTERFACE, "Get",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", MANAGER_INTERFACE, "Policies");
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, "as");
        if (r >= 0)
                r = reply_read_value(reply, ret_names);
        return r < 0 ? failure_of_reply(client, call, r == -ENXIO ? -EBADMSG : r) : STATUS_DONE;
}

/* One that goes meanwhile is left out. */
ExitStatus query_policies(Client *client, const Call *call, json_object **ret_policies)
{
        _cleanup_(json_object_putp) json_object *names = NULL;
        _cleanup_(json_object_putp) json_object *policies = json_object_new_array();
        ExitStatus status = policies ? query_policy_names(client, call, &names)
                                     : failure_of_reply(client, call, -ENOMEM);

        for (size_t i = 0; status == STATUS_DONE && i < json_object_array_length(names); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(names, i));
                json_object *policy = NULL;

                status = find_policy(client, call, name, &policy);
                if (policy && json_add(policies, NULL, policy) < 0)
                        status = failure_of_reply(client, call, -ENOMEM);
        }
        if (status != STATUS_DONE)
                return status;
        json_sort_by_name(policies);
        *ret_policies = TAKE_PTR(policies);
        return STATUS_DONE;
}

ExitStatus query_print(const Client *client, const Call *call, const char *key, json_object *array)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || json_add(object, key, json_object_get(array)) < 0)
                return failure_of_reply(client, call, -ENOMEM);
        output_json(object);
        return STATUS_DONE;
}
