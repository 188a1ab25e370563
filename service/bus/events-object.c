/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: where a reader opens a stream of what was decided. */
#include <errno.h>
#include <string.h>

#include "bus/objects.h"
#include "util/cleanup.h"

#define PATH ROOT_PATH "/events"

static int describe_open(Request *request, sd_bus_error *error)
{
        return request_read_filter(request, error);
}

static int run_open(Request *request, sd_bus_error *error)
{
        _cleanup_(closep) int fd = -1;
        uint64_t seq = 0;
        int r = event_hub_open(request->server->config.hub, request->uid, &request->filter, &fd,
                               &seq);

        if (r == -EMFILE)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "as many streams are open as may be");
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(request->message, "ht", fd, seq);
}

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const BusServer *server = userdata;
        EventTotals totals;

        event_hub_totals(server->config.hub, &totals);
        if (strcmp(property, "Delivered") == 0)
                return sd_bus_message_append(reply, "t", totals.delivered);
        if (strcmp(property, "Suppressed") == 0)
                return sd_bus_message_append(reply, "t", totals.suppressed);
        if (strcmp(property, "Lost") == 0)
                return sd_bus_message_append(reply, "t", totals.lost);
        return sd_bus_message_append(reply, "t",
                                     totals.delivered + totals.suppressed + totals.lost);
}

#define METHODS(ROW)                                                                               \
        ROW(Open, READ_EVENTS, ("a{sv}", filter), ("h", stream, "t", seq), describe_open, run_open)

METHODS(GATE_ENTRY)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        SD_BUS_PROPERTY("Emitted", "t", get, 0, 0),
        SD_BUS_PROPERTY("Delivered", "t", get, 0, 0),
        SD_BUS_PROPERTY("Suppressed", "t", get, 0, 0),
        SD_BUS_PROPERTY("Lost", "t", get, 0, 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

int events_object_add(BusServer *server)
{
        return sd_bus_add_object_vtable(server->bus, NULL, PATH, EVENTS_INTERFACE, vtable, server);
}
