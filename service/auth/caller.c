/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caller: see caller.h. */
#include "auth/caller.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define DRIVER_TIMEOUT_USEC (25 * 1000 * 1000ull)

struct CallerQuery {
        sd_bus_slot *slot;
        CallerFunc func;
        void *userdata;
};
DEFINE_CLEANUP(CallerQuery *, caller_query_free);

static int read_uid(sd_bus_message *reply, uid_t *ret_uid)
{
        uint32_t uid;
        int r;

        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return -ENXIO;
        if (sd_bus_message_is_method_error(reply, NULL))
                return -sd_bus_message_get_errno(reply);
        r = sd_bus_message_read(reply, "u", &uid);
        if (r < 0)
                return r;
        if (uid == (uint32_t) -1)
                return -EBADMSG;
        *ret_uid = uid;
        return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        CallerQuery *query = userdata;
        uid_t uid = (uid_t) -1;
        int r = read_uid(reply, &uid);

        query->func(query->userdata, r, uid);
        return 0;
}

int caller_query_new(CallerQuery **ret_query, sd_bus *bus, const char *unique_name, CallerFunc func,
                     void *userdata)
{
        _cleanup_(caller_query_freep) CallerQuery *query = calloc(1, sizeof(*query));
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!query)
                return -ENOMEM;
        query->func = func;
        query->userdata = userdata;
        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "GetConnectionUnixUser");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", unique_name);
        if (r < 0)
                return r;
        r = sd_bus_call_async(bus, &query->slot, m, on_reply, query, DRIVER_TIMEOUT_USEC);
        if (r < 0)
                return r;
        *ret_query = TAKE_PTR(query);
        return 0;
}

CallerQuery *caller_query_free(CallerQuery *query)
{
        if (!query)
                return NULL;
        sd_bus_slot_unref(query->slot);
        free(query);
        return NULL;
}
