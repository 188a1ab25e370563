/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service has counted: see guest-counts.h. */
#include "guest-counts.h"

#include <glib.h>
#include <json-c/json.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.aegis.Enforcer"

static sd_bus *open_bus(void)
{
        static sd_bus *bus;

        if (bus)
                return bus;
        g_assert_cmpint(sd_bus_open_system(&bus), >=, 0);
        /* A new service proves its hooks before it answers. */
        sd_bus_set_method_call_timeout(bus, 300 * G_USEC_PER_SEC);
        return bus;
}

static char *said_by_client(const char *const *arguments)
{
        g_autofree char *err = NULL;
        char *out = NULL;
        int status;

        g_assert_true(g_spawn_sync("/", (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   &out, &err, &status, NULL));
        g_assert_cmpstr(err, ==, "");
        g_assert_cmpint(status, ==, 0);
        return out;
}
#define client_says(...) said_by_client((const char *[]){"aegis-client", __VA_ARGS__, NULL})

uint64_t total(const char *name)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t value = 0;

        g_assert_cmpint(sd_bus_get_property_trivial(open_bus(), NAME, "/org/aegis/Enforcer/events",
                                                    NAME ".Events", name, &error, 't', &value),
                        >=, 0);
        return value;
}

uint64_t verdicts(void)
{
        g_autofree char *text = client_says("hooks", "--json");
        json_object *hooks = json_tokener_parse(text), *list = NULL;
        uint64_t n = 0;

        g_assert_true(json_object_object_get_ex(hooks, "hooks", &list));
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *hook = json_object_array_get_idx(list, i);

                n += json_object_get_uint64(json_object_object_get(hook, "denials"));
                n += json_object_get_uint64(json_object_object_get(hook, "audits"));
        }
        json_object_put(hooks);
        return n;
}

uint64_t hits_of(const char *entry)
{
        g_autofree char *text = client_says("rule", "list", "--json");
        json_object *rules = json_tokener_parse(text), *list = NULL;
        uint64_t hits = UINT64_MAX;

        g_assert_true(json_object_object_get_ex(rules, "rules", &list));
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *rule = json_object_array_get_idx(list, i);

                if (strcmp(json_object_get_string(json_object_object_get(rule, "entry")), entry) ==
                    0)
                        hits = json_object_get_uint64(json_object_object_get(rule, "hits"));
        }
        json_object_put(rules);
        return hits;
}

uint64_t records(void)
{
        g_autofree char *text = client_says("metrics");
        const char *sample = strstr(text, "\naegis_ring_records_total ");

        g_assert_nonnull(sample);
        return g_ascii_strtoull(strchr(sample, ' '), NULL, 10);
}

/* Repetitions are told a second after the first, at the latest. Nothing but this process knows when
 * that has been read. */
void assert_all_accounted(void)
{
        uint64_t n = verdicts(), emitted = 0;

        for (int i = 0; i < 3000; i++) {
                emitted = total("Emitted");
                if (emitted == n)
                        break;
                g_usleep(10000);
        }
        g_assert_cmpuint(emitted, ==, n);
        g_assert_cmpuint(total("Delivered") + total("Suppressed") + total("Lost"), ==, n);
        g_assert_cmpuint(verdicts(), ==, n);
}
