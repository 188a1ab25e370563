/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event as a message has it. Its one form is the JSON of the streams (event/format.c); here that
 * becomes a{sv}, so that no field is in one and not in the other. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "bus/objects.h"
#include "util/cleanup.h"

static void json_object_putp(json_object **object)
{
        json_object_put(*object);
}

uint64_t events_boot_usec(void)
{
        struct timespec calendar, since_boot;

        clock_gettime(CLOCK_REALTIME, &calendar);
        clock_gettime(CLOCK_BOOTTIME, &since_boot);
        return (uint64_t) (calendar.tv_sec - since_boot.tv_sec) * 1000000u +
               (uint64_t) ((calendar.tv_nsec - since_boot.tv_nsec) / 1000);
}

uint64_t events_since_boot_ns(uint64_t usec, uint64_t boot_usec)
{
        uint64_t ns;

        if (usec <= boot_usec)
                return 0;
        return __builtin_mul_overflow(usec - boot_usec, (uint64_t) 1000, &ns) ? UINT64_MAX : ns;
}

static int append_list(sd_bus_message *m, json_object *list)
{
        size_t n = json_object_array_length(list);
        int r = sd_bus_message_open_container(m, 'v', "as");

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_text(m, json_object_get_string(json_object_array_get_idx(list, i)));
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_fields(sd_bus_message *m, json_object *object);

static int append_object(sd_bus_message *m, json_object *object)
{
        int r = sd_bus_message_open_container(m, 'v', "a{sv}");

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_fields(m, object);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_string(sd_bus_message *m, json_object *string)
{
        int r = sd_bus_message_open_container(m, 'v', "s");

        if (r >= 0)
                r = append_text(m, json_object_get_string(string));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, json_object *value)
{
        switch (json_object_get_type(value)) {
        case json_type_int:
                return sd_bus_message_append(m, "v", "t", json_object_get_uint64(value));
        case json_type_string:
                return append_string(m, value);
        case json_type_array:
                return append_list(m, value);
        case json_type_object:
                return append_object(m, value);
        case json_type_boolean:
                return sd_bus_message_append(m, "v", "b", json_object_get_boolean(value));
        case json_type_null:
        case json_type_double:
                break;
        }
        return -EBADMSG; /* event/format.c makes none of these */
}

static int append_fields(sd_bus_message *m, json_object *object)
{
        int r = 0;

        json_object_object_foreach(object, key, value)
        {
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", key);
                if (r >= 0)
                        r = append_value(m, value);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r;
}

static int append_would(sd_bus_message *m, const Would *would)
{
        const ImageRule *rule = &would->rule;
        const Rule *said = rule->rule;
        _cleanup_(freep) char *text = NULL;
        int r = append_pair(m, "would", would->verdict ? would->verdict : "unknown");

        if (r < 0 || !said)
                return r;
        if (asprintf(&text, "%s%s%s", said->section, said->entry[0] ? " " : "", said->entry) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        r = append_pair(m, "would_policy", rule->document);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "would_line", "u", said->line);
        return r < 0 ? r : append_pair(m, "would_rule", text);
}

int append_told(sd_bus_message *m, const char *text, uint64_t realtime_usec)
{
        _cleanup_(json_object_putp) json_object *object = json_tokener_parse(text);
        int r;

        if (!object)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_fields(m, object);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "realtime_usec", "t", realtime_usec);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_event(sd_bus_message *m, const EventView *view, const EventPlus *plus)
{
        _cleanup_(json_object_putp) json_object *object = json_tokener_parse(view->text);
        int r;

        if (!object)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_fields(m, object);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "realtime_usec", "t",
                                          plus->boot_usec + view->event->time_ns / 1000);
        if (r >= 0 && plus->lost > 0)
                r = sd_bus_message_append(m, "{sv}", "lost", "t", plus->lost);
        if (r >= 0 && plus->would)
                r = append_would(m, plus->would);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
