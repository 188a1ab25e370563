/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetManagedObjects: the bus library answers it by itself, and it costs more than any other read.
 * So that nobody keeps the service busy with it, it goes through the gate first: what a caller asks
 * for is asked for anew by the service, of itself, once the caller has paid. */
#include <string.h>

#include "bus/bucket.h"
#include "bus/objects.h"
#include "util/cleanup.h"
#include "util/log.h"

#define INTERFACE "org.freedesktop.DBus.ObjectManager"
#define MEMBER "GetManagedObjects"

static int hand_on(sd_bus_message *call, sd_bus_message *answer)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (sd_bus_message_is_method_error(answer, NULL))
                return sd_bus_reply_method_error(call, sd_bus_message_get_error(answer));
        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_copy(reply, answer, 1);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error)
{
        int r = hand_on(userdata, answer);

        if (r < 0)
                log_errno(r, "Cannot hand the managed objects on");
        return 0;
}

static void forget_call(void *userdata)
{
        sd_bus_message_unref(userdata);
}

static int run_ask_ourselves(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = request->server->bus;
        sd_bus_slot *slot = NULL;
        const char *us;
        int r = sd_bus_get_unique_name(bus, &us);

        if (r >= 0)
                r = sd_bus_message_new_method_call(
                        bus, &m, us, sd_bus_message_get_path(request->message), INTERFACE, MEMBER);
        if (r >= 0)
                r = sd_bus_call_async(bus, &slot, m, on_answer, request->message, 0);
        if (r < 0)
                return r;
        sd_bus_message_ref(request->message);
        sd_bus_slot_set_destroy_callback(slot, forget_call);
        sd_bus_slot_set_floating(slot, 1);
        sd_bus_slot_unref(slot);
        return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        static const Method method = {
                .name = MEMBER,
                .action = ACTION_NONE,
                .cost = BUCKET_OBJECTS,
                .describe = describe_nothing,
                .run = run_ask_ourselves,
        };
        BusServer *server = userdata;
        const char *us, *sender = sd_bus_message_get_sender(m);

        if (!sd_bus_message_is_method_call(m, INTERFACE, MEMBER) || !sender ||
            sd_bus_get_unique_name(server->bus, &us) < 0 || strcmp(sender, us) == 0)
                return 0;
        return gate_enter(server, &method, m, error);
}

int managed_objects_add(BusServer *server)
{
        return sd_bus_add_filter(server->bus, NULL, on_message, server);
}
