/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hook: one object for each place of decision in the kernel, there from start to end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/objects.h"
#include "util/array.h"
#include "util/cleanup.h"

#define PATH_SIZE 128

static HookStatus status_of(const HookObject *object)
{
        HookStatus status;

        backend_hook(object->server->config.backend, object->hook, &status);
        return status;
}

static void path_of(const HookObject *object, char ret_path[PATH_SIZE])
{
        snprintf(ret_path, PATH_SIZE, ROOT_PATH "/hook/%s", status_of(object).name);
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

static const char *const names[] = {
        [PROPERTY_NAME] = "Name",         [PROPERTY_SYMBOL] = "Symbol",
        [PROPERTY_TIER] = "Tier",         [PROPERTY_GUARANTEE] = "Guarantee",
        [PROPERTY_ATTACHED] = "Attached", [PROPERTY_MODE] = "Mode",
        [PROPERTY_REQUIRED] = "Required", [PROPERTY_REASON] = "Reason",
        [PROPERTY_CALLS] = "Calls",       [PROPERTY_DENIALS] = "Denials",
        [PROPERTY_AUDITS] = "Audits",
};

static int append(const HookObject *object, Property property, sd_bus_message *reply)
{
        HookStatus status = status_of(object);

        switch (property) {
        case PROPERTY_NAME:
                return sd_bus_message_append(reply, "s", status.name);
        case PROPERTY_SYMBOL:
                return sd_bus_message_append(reply, "s", status.symbol);
        case PROPERTY_TIER:
                return sd_bus_message_append(reply, "s", tier_to_string(status.tier));
        case PROPERTY_GUARANTEE:
                return sd_bus_message_append(reply, "s", guarantee_to_string(status.guarantee));
        case PROPERTY_ATTACHED:
                return sd_bus_message_append(reply, "b", status.attached);
        case PROPERTY_MODE:
                return sd_bus_message_append(
                        reply, "s",
                        mode_to_string(enforcement_mode(object->server->config.enforcement)));
        case PROPERTY_REQUIRED:
                return sd_bus_message_append(reply, "b", status.required);
        case PROPERTY_REASON:
                return sd_bus_message_append(reply, "s", status.reason);
        case PROPERTY_CALLS:
                return sd_bus_message_append(reply, "t", status.calls);
        case PROPERTY_DENIALS:
                return sd_bus_message_append(reply, "t", status.denials);
        case PROPERTY_AUDITS:
                return sd_bus_message_append(reply, "t", status.audits);
        }
        return -ENOENT;
}

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        for (Property i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(names[i], property) == 0)
                        return append(userdata, i, reply);
        return -ENOENT;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
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

int hook_objects_add(BusServer *server)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                HookObject *object = &server->hooks[hook];
                char path[PATH_SIZE];
                int r;

                path_of(object, path);
                r = sd_bus_add_object_vtable(server->bus, NULL, path, HOOK_INTERFACE, vtable,
                                             object);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- telling ---- */

static void emit_difference(HookObject *object, const ToldHook *then, const ToldHook *now)
{
        char *changed[ELEMENTS_OF(names)] = {NULL};
        char path[PATH_SIZE];
        size_t n = 0;

        if (then->tier != now->tier)
                changed[n++] = (char *) names[PROPERTY_TIER];
        if (then->guarantee != now->guarantee)
                changed[n++] = (char *) names[PROPERTY_GUARANTEE];
        if (then->attached != now->attached)
                changed[n++] = (char *) names[PROPERTY_ATTACHED];
        if (then->mode != now->mode)
                changed[n++] = (char *) names[PROPERTY_MODE];
        if (then->required != now->required)
                changed[n++] = (char *) names[PROPERTY_REQUIRED];
        if (!then->reason || strcmp(then->reason, now->reason) != 0)
                changed[n++] = (char *) names[PROPERTY_REASON];
        path_of(object, path);
        emit_changed(object->server, path, HOOK_INTERFACE, changed);
}

static int tell(HookObject *object)
{
        HookStatus status = status_of(object);
        ToldHook then = object->told;
        ToldHook now = {
                .tier = status.tier,
                .guarantee = status.guarantee,
                .attached = status.attached,
                .required = status.required,
                .mode = enforcement_mode(object->server->config.enforcement),
                .reason = strdup(status.reason),
        };

        if (!now.reason)
                return -ENOMEM;
        emit_difference(object, &then, &now);
        object->told = now;
        free(then.reason);
        return 0;
}

int hook_objects_tell(BusServer *server)
{
        int r = 0;

        for (enum hook hook = 0; r >= 0 && hook < N_HOOKS; hook++)
                r = tell(&server->hooks[hook]);
        return r;
}

void hook_objects_deinit(BusServer *server)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                free(server->hooks[hook].told.reason);
                server->hooks[hook].told = (ToldHook){0};
        }
}
