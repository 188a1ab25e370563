/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: see query.h. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "output.h"

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

const Field hook_fields[] = {
        {"Name", "name", "s"},           {"Symbol", "symbol", "s"},     {"Tier", "tier", "s"},
        {"Guarantee", "guarantee", "s"}, {"Attached", "attached", "b"}, {"Mode", "mode", "s"},
        {"Required", "required", "b"},   {"Reason", "reason", "s"},     {"Calls", "calls", "t"},
        {"Denials", "denials", "t"},     {"Audits", "audits", "t"},     {NULL, NULL, NULL},
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

static ExitStatus query_object(Client *client, const Call *call, const char *path,
                               const char *interface, sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, path, "org.freedesktop.DBus.Properties",
                               "GetAll", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", interface);
        if (r < 0)
                return failure_of_message(client, call, r);
        return client_call(client, call, message, ret_reply);
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

ExitStatus query_objects(Client *client, const Call *call, sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH,
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &message);
        if (r < 0)
                return failure_of_message(client, call, r);
        return client_call(client, call, message, ret_reply);
}

static const Field *fields_of(const char *interface)
{
        if (strcmp(interface, POLICY_INTERFACE) == 0)
                return policy_fields;
        if (strcmp(interface, HOOK_INTERFACE) == 0)
                return hook_fields;
        if (strcmp(interface, EXCEPTION_INTERFACE) == 0)
                return exception_fields;
        return events_fields;
}

ExitStatus query_list(Client *client, const Call *call, sd_bus_message *objects,
                      const char *interface, json_object **ret_array)
{
        int r = reply_read_objects(objects, interface, fields_of(interface), ret_array);

        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

/* The one of that name; it stays NULL if there is none. */
static ExitStatus find_named(Client *client, const Call *call, const char *interface,
                             const char *name, json_object **ret_object)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *objects = NULL;
        _cleanup_(json_object_putp) json_object *list = NULL;
        ExitStatus status = query_objects(client, call, &objects);

        if (status == STATUS_DONE)
                status = query_list(client, call, objects, interface, &list);
        if (status != STATUS_DONE)
                return status;
        for (size_t i = 0; !*ret_object && i < json_object_array_length(list); i++) {
                json_object *object = json_object_array_get_idx(list, i);

                if (strcmp(json_text(object, "name"), name) == 0)
                        *ret_object = json_object_get(object);
        }
        return STATUS_DONE;
}

ExitStatus query_policy(Client *client, const Call *call, const char *name,
                        json_object **ret_policy)
{
        ExitStatus status = find_named(client, call, POLICY_INTERFACE, name, ret_policy);

        if (status != STATUS_DONE || *ret_policy)
                return status;
        return failure_say(client, STATUS_NO_SUCH_POLICY,
                           "Cannot %s: no policy of that name is in force; 'aegis-client policies' "
                           "lists those that are.",
                           call->attempt);
}

ExitStatus query_hook(Client *client, const Call *call, const char *name, json_object **ret_hook)
{
        ExitStatus status = find_named(client, call, HOOK_INTERFACE, name, ret_hook);

        if (status != STATUS_DONE || *ret_hook)
                return status;
        return failure_say(client, STATUS_USAGE,
                           "Cannot %s: there is no such hook; 'aegis-client hooks' lists them.",
                           call->attempt);
}

ExitStatus query_print(const Client *client, const Call *call, const char *key, json_object *array)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || json_add(object, key, json_object_get(array)) < 0)
                return failure_of_reply(client, call, -ENOMEM);
        output_json(object);
        return STATUS_DONE;
}
