/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written is what docs/event.schema.json says, whatever the event. */
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "backend/decode.h"
#include "event-fixture.h"
#include "schema.h"

static json_object *schema;

static int fits(const char *text)
{
        json_object *value = json_tokener_parse(text);
        int r;

        g_assert_nonnull(value);
        r = schema_fits(schema, schema, value);
        json_object_put(value);
        return r;
}

/* Any bytes, as they would come out of the ring. */
static struct event random_event(void)
{
        uint8_t bytes[sizeof(struct event)];
        struct event event;

        do {
                for (size_t i = 0; i < sizeof(bytes); i++)
                        bytes[i] = (uint8_t) g_test_rand_int();
                memcpy(&event, bytes, sizeof(event));
                event.hook = (uint16_t) g_test_rand_int_range(0, N_HOOKS);
                event.signal = g_test_rand_int_range(0, 2) ? SIGKILL : 0;
                event.first_seq = g_test_rand_int_range(0, 2) ? event.first_seq | 1 : 0;
                event.digest_algorithm %= 3;
                event.count |= 1;
                event.path_length %= EVENT_PATH_ROOM + 1;
                memcpy(bytes, &event, sizeof(event));
        } while (event_decode(bytes, sizeof(bytes), &event) < 0);
        return event;
}

static void test_a_record_has_no_path_that_is_longer_than_itself(void)
{
        struct event event = {.path_length = 9, .path = "name\0srv"}, told;

        g_assert_cmpint(event_decode(&event, EVENT_NET_SIZE + 9, &told), ==, 0);
        g_assert_cmpuint(told.path_length, ==, 9);
        g_assert_cmpmem(told.path, 9, "name\0srv", 9);
        g_assert_cmpint(event_decode(&event, EVENT_NET_SIZE + 8, &told), ==, 0);
        g_assert_cmpuint(told.path_length, ==, 0);
        g_assert_cmpint(event_decode(&event, EVENT_NET_SIZE, &told), ==, 0);
        g_assert_cmpuint(told.path_length, ==, 0);
}

/* The record is some bytes longer than its path, for its alignment. */
static void test_a_path_is_not_longer_than_its_room(void)
{
        struct event event = {.path_length = EVENT_PATH_ROOM}, told;

        g_assert_cmpint(event_decode(&event, sizeof(event), &told), ==, 0);
        g_assert_cmpuint(told.path_length, ==, EVENT_PATH_ROOM);
        event.path_length = EVENT_PATH_ROOM + 1;
        g_assert_cmpint(event_decode(&event, sizeof(event), &told), ==, 0);
        g_assert_cmpuint(told.path_length, ==, 0);
}

static void test_any_event_is_as_the_schema_says(void)
{
        GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        json_object *event_schema = NULL, *properties = NULL;

        for (int i = 0; i < 20000; i++) {
                struct event event = random_event();
                _cleanup_(freep) char *text =
                        event_format(&event, i % 2 ? &rule_shadow : NULL, NULL);
                json_object *value = json_tokener_parse(text);

                if (!schema_fits(schema, schema, value))
                        g_error("not as the schema says: %s", text);
                json_object_object_foreach(value, key, unused)
                {
                        (void) unused;
                        g_hash_table_add(seen, g_strdup(key));
                }
                json_object_put(value);
        }
        /* Nothing stands in the schema that is never written; "why" is the rule's. */
        json_object_object_get_ex(schema, "$defs", &event_schema);
        json_object_object_get_ex(event_schema, "event", &event_schema);
        json_object_object_get_ex(event_schema, "properties", &properties);
        json_object_object_foreach(properties, key, unused)
        {
                (void) unused;
                if (!g_str_equal(key, "why") && !g_hash_table_contains(seen, key))
                        g_error("%s is never written", key);
        }
        g_hash_table_unref(seen);
}

static void test_the_schema_takes_nothing_else(void)
{
        struct event event = file_event(3);
        _cleanup_(freep) char *text = event_format(&event, &rule_shadow, "/etc/shadow");
        json_object *value = json_tokener_parse(text);

        g_assert_true(fits("{\"lost\":3}"));
        g_assert_false(fits("{\"lost\":0}"));
        g_assert_false(fits("{\"lost\":\"3\"}"));
        g_assert_false(fits("{}"));
        g_assert_false(fits("[]"));
        g_assert_true(schema_fits(schema, schema, value));
        json_object_object_add(value, "lost", json_object_new_int(1));
        g_assert_false(schema_fits(schema, schema, value));
        json_object_object_del(value, "lost");
        json_object_object_add(value, "verdict", json_object_new_string("allowed"));
        g_assert_false(schema_fits(schema, schema, value));
        json_object_object_add(value, "verdict", json_object_new_string("denied"));
        json_object_object_del(value, "seq");
        g_assert_false(schema_fits(schema, schema, value));
        json_object_put(value);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        schema = json_object_from_file(SOURCE_ROOT "/docs/event.schema.json");
        g_assert_nonnull(schema);
        g_test_add_func("/event/schema/a_record_has_no_path_that_is_longer_than_itself",
                        test_a_record_has_no_path_that_is_longer_than_itself);
        g_test_add_func("/event/schema/a_path_is_not_longer_than_its_room",
                        test_a_path_is_not_longer_than_its_room);
        g_test_add_func("/event/schema/any_event_is_as_the_schema_says",
                        test_any_event_is_as_the_schema_says);
        g_test_add_func("/event/schema/the_schema_takes_nothing_else",
                        test_the_schema_takes_nothing_else);
        r = g_test_run();
        json_object_put(schema);
        return r;
}
