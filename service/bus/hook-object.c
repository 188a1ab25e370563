/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hook: one object for each place of decision in the kernel, there from start to end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PREFIX ROOT_PATH "/hook/"
#define PATH_SIZE 128

static HookStatus status_of(const BusServer *server, enum hook hook)
{
        HookStatus status;

        backend_hook(server->config.backend, hook, &status);
        return status;
}

static void path_of(enum hook hook, char ret_path[PATH_SIZE])
{
        snprintf(ret_path, PATH_SIZE, PREFIX "%s", hook_to_string(hook));
}

/* Paths on the bus are of hooks alone. */
static enum hook hook_of(const char *path)
{
        enum hook hook = 0;

        while (hook < N_HOOKS - 1 && strcmp(hook_to_string(hook), path + strlen(PREFIX)) != 0)
                hook++;
        return hook;
}

/* As it is judged there: its own, or that of all. */
static Mode mode_of(const BusServer *server, const HookStatus *status)
{
        return status->mode == MODE_AUDIT ? MODE_AUDIT
                                          : enforcement_mode(server->config.enforcement);
}

/* ---- SetMode ---- */

static int describe_set_mode(Request *request, sd_bus_error *error)
{
        int r = request_read_mode(request, error);

        request->hook = hook_to_string(hook_of(sd_bus_message_get_path(request->message)));
        if (r >= 0)
                r = request_detail(request, "hook", "%s", request->hook);
        return r < 0 ? r
                     : request_detail(request, "change", "mode %s of the hook %s",
                                      mode_to_string(request->mode), request->hook);
}

static int run_set_mode(Request *request, sd_bus_error *error)
{
        enum hook hook = hook_of(sd_bus_message_get_path(request->message));
        uint64_t generation = 0;
        int changed = 0;
        int r = enforcement_set_hook_mode(request->server->config.enforcement, hook, request->mode,
                                          &changed, &generation);

        if (r != 0)
                return error_set_transaction(error, r, NULL);
        return sd_bus_reply_method_return(request->message, "bt", changed, generation);
}

/* ---- properties ---- */

typedef enum Property {
        PROPERTY_NAME,
        PROPERTY_SYMBOL,
        PROPERTY_TIER,
        PROPERTY_GUARANTEE,
        PROPERTY_ATTACHED,
        PROPERTY_MODE,
        PROPERTY_REQUIRED,
        PROPERTY_REASON,
        PROPERTY_CALLS,
        PROPERTY_DENIALS,
        PROPERTY_AUDITS,
} Property;

static const struct {
        const char *name, *type;
} properties[] = {
        [PROPERTY_NAME] = {"Name", "s"},         [PROPERTY_SYMBOL] = {"Symbol", "s"},
        [PROPERTY_TIER] = {"Tier", "s"},         [PROPERTY_GUARANTEE] = {"Guarantee", "s"},
        [PROPERTY_ATTACHED] = {"Attached", "b"}, [PROPERTY_MODE] = {"Mode", "s"},
        [PROPERTY_REQUIRED] = {"Required", "b"}, [PROPERTY_REASON] = {"Reason", "s"},
        [PROPERTY_CALLS] = {"Calls", "t"},       [PROPERTY_DENIALS] = {"Denials", "t"},
        [PROPERTY_AUDITS] = {"Audits", "t"},
};

static int append(const BusServer *server, const HookStatus *status, Property property,
                  sd_bus_message *reply)
{
        switch (property) {
        case PROPERTY_NAME:
                return sd_bus_message_append(reply, "s", status->name);
        case PROPERTY_SYMBOL:
                return sd_bus_message_append(reply, "s", status->symbol);
        case PROPERTY_TIER:
                return sd_bus_message_append(reply, "s", tier_to_string(status->tier));
        case PROPERTY_GUARANTEE:
                return sd_bus_message_append(reply, "s", guarantee_to_string(status->guarantee));
        case PROPERTY_ATTACHED:
                return sd_bus_message_append(reply, "b", status->attached);
        case PROPERTY_MODE:
                return sd_bus_message_append(reply, "s", mode_to_string(mode_of(server, status)));
        case PROPERTY_REQUIRED:
                return sd_bus_message_append(reply, "b", status->required);
        case PROPERTY_REASON:
                return sd_bus_message_append(reply, "s", status->reason);
        case PROPERTY_CALLS:
                return sd_bus_message_append(reply, "t", status->calls);
        case PROPERTY_DENIALS:
                return sd_bus_message_append(reply, "t", status->denials);
        case PROPERTY_AUDITS:
                return sd_bus_message_append(reply, "t", status->audits);
        }
        return -ENOENT;
}

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        HookStatus status = status_of(userdata, hook_of(path));

        for (Property i = 0; i < ELEMENTS_OF(properties); i++)
                if (strcmp(properties[i].name, property) == 0)
                        return append(userdata, &status, i, reply);
        return -ENOENT;
}

#define METHODS(ROW)                                                                               \
        ROW(SetMode, WEAKEN, ("s", mode, "a{sv}", options), ("b", changed, "t", generation),       \
            describe_set_mode, run_set_mode)

METHODS(GATE_ENTRY)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        SD_BUS_PROPERTY("Name", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Symbol", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Tier", "s", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Guarantee", "s", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Attached", "b", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Mode", "s", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Required", "b", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Reason", "s", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Calls", "t", get, 0, 0),
        SD_BUS_PROPERTY("Denials", "t", get, 0, 0),
        SD_BUS_PROPERTY("Audits", "t", get, 0, 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

static int path_at(const BusServer *server, size_t i, char **ret_path)
{
        char path[PATH_SIZE];

        if (i >= N_HOOKS)
                return 0;
        path_of((enum hook) i, path);
        *ret_path = strdup(path);
        return *ret_path ? 1 : -ENOMEM;
}

const ManagedKind managed_hooks = {HOOK_INTERFACE, vtable, path_at};

int hook_objects_add(BusServer *server)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                char path[PATH_SIZE];
                int r;

                path_of(hook, path);
                r = sd_bus_add_object_vtable(server->bus, NULL, path, HOOK_INTERFACE, vtable,
                                             server);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- all at once ---- */

static int append_row(const BusServer *server, enum hook hook, const HookStatus *status,
                      sd_bus_message *reply)
{
        char path[PATH_SIZE];
        int r = sd_bus_message_open_container(reply, 'r', "ssssbsbsttto");

        for (Property i = 0; i < ELEMENTS_OF(properties) && r >= 0; i++)
                r = append(server, status, i, reply);
        path_of(hook, path);
        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 'o', path);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int run_list_hooks(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        HookStatus hooks[N_HOOKS];
        int r = sd_bus_message_new_method_return(request->message, &reply);

        backend_hooks(request->server->config.backend, hooks);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssbsbsttto)");
        for (enum hook hook = 0; hook < N_HOOKS && r >= 0; hook++)
                r = append_row(request->server, hook, &hooks[hook], reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(request->server->bus, reply, NULL);
}

/* ---- telling ---- */

#define PROPERTY_BIT(property) (1u << (property))

static uint32_t difference(const ToldHook *then, const ToldHook *now)
{
        return (then->tier != now->tier ? PROPERTY_BIT(PROPERTY_TIER) : 0) |
               (then->guarantee != now->guarantee ? PROPERTY_BIT(PROPERTY_GUARANTEE) : 0) |
               (then->attached != now->attached ? PROPERTY_BIT(PROPERTY_ATTACHED) : 0) |
               (then->mode != now->mode ? PROPERTY_BIT(PROPERTY_MODE) : 0) |
               (then->required != now->required ? PROPERTY_BIT(PROPERTY_REQUIRED) : 0) |
               (!then->reason || strcmp(then->reason, now->reason) != 0
                        ? PROPERTY_BIT(PROPERTY_REASON)
                        : 0);
}

static int append_entry(const BusServer *server, const HookStatus *status, Property property,
                        sd_bus_message *m)
{
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', properties[property].name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', properties[property].type);
        if (r >= 0)
                r = append(server, status, property, m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* By hand: the bus library would ask for each value by its name, and a change of the mode changes
 * all hooks. */
static int emit(const BusServer *server, const HookStatus *status, const char *path,
                uint32_t changed)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_signal(server->bus, &m, path, "org.freedesktop.DBus.Properties",
                                          "PropertiesChanged");

        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', HOOK_INTERFACE);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (Property i = 0; i < ELEMENTS_OF(properties) && r >= 0; i++)
                if (changed & PROPERTY_BIT(i))
                        r = append_entry(server, status, i, m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "as", 0);
        return r < 0 ? r : sd_bus_send(server->bus, m, NULL);
}

static void emit_difference(const BusServer *server, enum hook hook, const HookStatus *status,
                            uint32_t changed)
{
        char path[PATH_SIZE];
        int r;

        if (!changed || !server->bus)
                return;
        path_of(hook, path);
        r = emit(server, status, path, changed);
        if (r < 0 && r != -ENOTCONN)
                log_errno(r, "Cannot tell what changed at %s", path);
}

static int tell(BusServer *server, enum hook hook, const HookStatus *status)
{
        ToldHook then = server->hooks[hook];
        ToldHook now = {
                .tier = status->tier,
                .guarantee = status->guarantee,
                .attached = status->attached,
                .required = status->required,
                .mode = mode_of(server, status),
                .reason = strdup(status->reason),
        };

        if (!now.reason)
                return -ENOMEM;
        emit_difference(server, hook, status, difference(&then, &now));
        server->hooks[hook] = now;
        free(then.reason);
        return 0;
}

int hook_objects_tell(BusServer *server)
{
        HookStatus hooks[N_HOOKS];
        int r = 0;

        backend_hooks(server->config.backend, hooks);
        for (enum hook hook = 0; r >= 0 && hook < N_HOOKS; hook++)
                r = tell(server, hook, &hooks[hook]);
        return r;
}

void hook_objects_deinit(BusServer *server)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                free(server->hooks[hook].reason);
                server->hooks[hook] = (ToldHook){0};
        }
}
