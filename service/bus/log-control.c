/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LogControl1: org.freedesktop's interface to what is logged, at its path; systemctl(1) uses it.
 * Its properties are the only ones that can be set. polkit is not asked: they are root's alone, as
 * the bus policy says and the setters see for themselves. */
#include <errno.h>

#include "bus/objects.h"
#include "util/log.h"

#define PATH "/org/freedesktop/LogControl1"
#define INTERFACE "org.freedesktop.LogControl1"
#define IDENTIFIER "aegisd" /* as in syslog */

static int get_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", log_level_to_string(log_max_level()));
}

static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", log_target_to_string(log_target()));
}

static int get_identifier(sd_bus *bus, const char *path, const char *interface,
                          const char *property, sd_bus_message *reply, void *userdata,
                          sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", IDENTIFIER);
}

/* The bus is asked who it is, and waited for: it lets nobody but root come as far as here. */
static int must_be_root(sd_bus_message *message, sd_bus_error *error)
{
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0 || uid != 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                        "only root sets what is logged");
        return 0;
}

static int read_word(sd_bus_message *value, const char **ret_word, sd_bus_error *error)
{
        int r = must_be_root(value, error);

        return r < 0 ? r : sd_bus_message_read(value, "s", ret_word);
}

static int set_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *value, void *userdata, sd_bus_error *error)
{
        const char *word;
        int level, r = read_word(value, &word, error);

        if (r < 0)
                return r;
        if (log_level_from_string(word, &level) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "a level is emerg, alert, crit, err, warning, notice, info "
                                        "or debug");
        log_set_max_level(level);
        log_notice("The level of what is logged is now %s", log_level_to_string(level));
        return 0;
}

static int set_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *value, void *userdata, sd_bus_error *error)
{
        LogTarget target;
        const char *word;
        int r = read_word(value, &word, error);

        if (r < 0)
                return r;
        if (log_target_from_string(word, &target) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "a target is auto, console or journal");
        log_set_target(target);
        return 0;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_target, set_target, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END,
};

int log_control_add(BusServer *server)
{
        return sd_bus_add_object_vtable(server->bus, NULL, PATH, INTERFACE, vtable, NULL);
}
