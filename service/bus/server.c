/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BusServer: see server.h. A connection is made, filled with objects and only then given the name.
 * When it is lost, everything that hangs on it is dropped from a timer (never from inside one of
 * its own callbacks), and the next is made. */
#include "bus/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-id128.h>

#include "bus/objects.h"
#include "util/cleanup.h"
#include "util/log.h"

/* The bus is named here and not taken from the environment. */
#define BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define POLKIT_TIMEOUT_USEC (120 * 1000 * 1000ull)
#define RETRY_FIRST_USEC (200 * 1000ull)
#define RETRY_LAST_USEC (10 * 1000 * 1000ull)

static int schedule(BusServer *server, uint64_t usec);

static void disconnect(BusServer *server)
{
        server->gate = gate_free(server->gate);
        subscribers_drop(server);
        server->bus = sd_bus_close_unref(server->bus);
}

/* ---- the name ---- */

static int read_name_reply(sd_bus_message *reply)
{
        uint32_t result;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL))
                return -sd_bus_message_get_errno(reply);
        r = sd_bus_message_read(reply, "u", &result);
        if (r < 0)
                return r;
        /* RequestName: 1 owner, 4 owner already; 2 queued, 3 exists. */
        return result == 1 || result == 4 ? 0 : -EEXIST;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        BusServer *server = userdata;
        int r = read_name_reply(reply);

        if (r == 0)
                server->retry_usec = RETRY_FIRST_USEC;
        else if (r != -EEXIST && r != -EACCES && r != -EPERM)
                return 0; /* the bus went away in between: on_disconnected() sees to it */
        if (server->config.on_name)
                server->config.on_name(server->config.userdata, r == -EPERM ? -EACCES : r);
        return 0;
}

/* ---- the connection ---- */

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        BusServer *server = userdata;

        log_warning("The bus is gone; what is in force stays in force, connecting again");
        return schedule(server, server->retry_usec);
}

static int add_objects(BusServer *server)
{
        int r = sd_bus_add_object_manager(server->bus, NULL, ROOT_PATH);

        if (r >= 0)
                r = manager_object_add(server);
        if (r >= 0)
                r = policy_objects_add(server);
        if (r >= 0)
                r = hook_objects_add(server);
        if (r >= 0)
                r = exception_objects_add(server);
        if (r >= 0)
                r = events_object_add(server);
        return r < 0 ? r : log_control_add(server);
}

static int start(BusServer *server)
{
        int r = sd_bus_set_address(server->bus, BUS_ADDRESS);

        if (r >= 0)
                r = sd_bus_set_bus_client(server->bus, 1);
        if (r >= 0)
                r = sd_bus_start(server->bus);
        if (r >= 0)
                r = sd_bus_attach_event(server->bus, server->config.loop, SD_EVENT_PRIORITY_NORMAL);
        return r;
}

static int fill(BusServer *server)
{
        int r = sd_bus_match_signal_async(
                server->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, server);

        if (r >= 0)
                r = gate_new(&server->gate, server->bus, server->config.polkit_timeout_usec);
        if (r >= 0)
                r = add_objects(server);
        if (r >= 0)
                r = managed_objects_add(server);
        return r < 0 ? r
                     : sd_bus_request_name_async(server->bus, NULL, BUS_NAME, 0, on_name, server);
}

static int connect_to_bus(BusServer *server)
{
        int r = sd_bus_new(&server->bus);

        if (r >= 0)
                r = start(server);
        if (r >= 0)
                r = fill(server);
        return r;
}

static void tell_absent(BusServer *server)
{
        log_debug("The bus is not there yet");
        if (server->config.on_absent)
                server->config.on_absent(server->config.userdata);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        BusServer *server = userdata;
        int r;

        disconnect(server);
        r = connect_to_bus(server);
        if (r >= 0)
                return 0;
        if (r == -ENOENT || r == -ECONNREFUSED)
                tell_absent(server);
        else
                log_errno(r, "Cannot serve the bus, trying again");
        disconnect(server);
        return schedule(server, server->retry_usec);
}

static int schedule(BusServer *server, uint64_t usec)
{
        server->retry = sd_event_source_disable_unref(server->retry);
        if (usec > 0)
                server->retry_usec = usec * 2 < RETRY_LAST_USEC ? usec * 2 : RETRY_LAST_USEC;
        return sd_event_add_time_relative(server->config.loop, &server->retry, CLOCK_MONOTONIC,
                                          usec, 0, on_retry, server);
}

/* ---- life ---- */

static int tell_all(BusServer *server)
{
        int r = hook_objects_tell(server);

        if (r >= 0)
                r = policy_objects_tell(server);
        if (r >= 0)
                r = exception_objects_tell(server);
        return r < 0 ? r : manager_state_tell(server);
}

static int make_epoch(BusServer *server)
{
        sd_id128_t id;
        int r = sd_id128_randomize(&id);

        if (r >= 0)
                sd_id128_to_string(id, server->epoch);
        return r;
}

int bus_server_new(BusServer **ret_server, const BusServerConfig *config)
{
        _cleanup_(bus_server_freep) BusServer *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;
        server->config = *config;
        if (server->config.polkit_timeout_usec == 0)
                server->config.polkit_timeout_usec = POLKIT_TIMEOUT_USEC;
        server->retry_usec = RETRY_FIRST_USEC;
        subscribers_init(server);
        r = make_epoch(server);
        if (r >= 0)
                r = tell_all(server);
        if (r >= 0)
                r = schedule(server, 0);
        if (r < 0)
                return log_errno(r, "Cannot serve the bus");
        *ret_server = TAKE_PTR(server);
        return 0;
}

BusServer *bus_server_free(BusServer *server)
{
        if (!server)
                return NULL;
        sd_event_source_disable_unref(server->retry);
        if (server->bus && sd_bus_is_ready(server->bus) > 0)
                sd_bus_flush(server->bus); /* the last replies and signals */
        disconnect(server);
        event_hub_listen(server->config.hub, NULL);
        manager_state_deinit(server);
        policy_objects_deinit(server);
        exception_objects_deinit(server);
        hook_objects_deinit(server);
        refusals_deinit(&server->refusals);
        free(server);
        return NULL;
}

int bus_server_is_busy(const BusServer *server)
{
        return server && gate_is_busy(server->gate);
}

void bus_server_refresh(BusServer *server)
{
        int r = server ? tell_all(server) : 0;

        if (r < 0)
                log_errno(r, "Cannot tell what changed");
}

void bus_server_changed(BusServer *server, EnforcementChange change)
{
        /* What kind of change it was is found by comparing; only that there was one counts here. */
        bus_server_refresh(server);
}
