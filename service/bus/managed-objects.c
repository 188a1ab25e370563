/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetManagedObjects: answered here and not by the bus library, so that it goes through the gate: it
 * costs more than any other read, and nobody keeps the service busy with it. The answer is made of
 * the tables that the library has, too. */
#include <stdlib.h>
#include <string.h>

#include "bus/bucket.h"
#include "bus/objects.h"
#include "util/array.h"
#include "util/cleanup.h"

#define INTERFACE "org.freedesktop.DBus.ObjectManager"
#define MEMBER "GetManagedObjects"

typedef struct Object {
        const char *path;
        const ManagedKind *kind;
} Object;

static int append_property(BusServer *server, const Object *object, const sd_bus_vtable *row,
                           sd_bus_message *reply, sd_bus_error *error)
{
        const char *name = row->x.property.member;
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 's', name);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', row->x.property.signature);
        if (r >= 0)
                r = row->x.property.get(server->bus, object->path, object->kind->interface, name,
                                        reply, server, error);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_interface(BusServer *server, const Object *object, sd_bus_message *reply,
                            sd_bus_error *error)
{
        int r = sd_bus_message_append_basic(reply, 's', object->kind->interface);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (const sd_bus_vtable *row = object->kind->vtable;
             r >= 0 && row->type != _SD_BUS_VTABLE_END; row++)
                if (row->type == _SD_BUS_VTABLE_PROPERTY)
                        r = append_property(server, object, row, reply, error);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_object(BusServer *server, const Object *object, sd_bus_message *reply,
                         sd_bus_error *error)
{
        int r = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 'o', object->path);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'e', "sa{sv}");
        if (r >= 0)
                r = append_interface(server, object, reply, error);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_kind(BusServer *server, const ManagedKind *kind, sd_bus_message *reply,
                       sd_bus_error *error)
{
        int r = 1;

        for (size_t i = 0; r > 0; i++) {
                _cleanup_(freep) char *path = NULL;

                r = kind->path(server, i, &path);
                if (r > 0) {
                        const Object object = {path, kind};

                        r = append_object(server, &object, reply, error);
                        r = r < 0 ? r : 1;
                }
        }
        return r;
}

static int run_get_managed_objects(Request *request, sd_bus_error *error)
{
        static const ManagedKind *const kinds[] = {&managed_events, &managed_exceptions,
                                                   &managed_hooks, &managed_policies};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
        for (size_t i = 0; i < ELEMENTS_OF(kinds) && r >= 0; i++)
                r = append_kind(request->server, kinds[i], reply, error);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(request->server->bus, reply, NULL);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        static const Method method = {
                .name = MEMBER,
                .action = ACTION_NONE,
                .cost = BUCKET_OBJECTS,
                .describe = describe_nothing,
                .run = run_get_managed_objects,
        };
        BusServer *server = userdata;

        if (!sd_bus_message_is_method_call(m, INTERFACE, MEMBER) ||
            strcmp(sd_bus_message_get_path(m), ROOT_PATH) != 0)
                return 0;
        return gate_enter(server, &method, m, error);
}

int managed_objects_add(BusServer *server)
{
        return sd_bus_add_filter(server->bus, NULL, on_message, server);
}
