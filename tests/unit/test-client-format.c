/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events in the formats of others: what is where, and that no text leaves its place. */
#include <glib.h>
#include <string.h>

#include "event-format.h"

#define EVENT                                                                                      \
        "{\"seq\":7,\"time_usec\":2000000,\"hook\":\"file_open\",\"verdict\":\"denied\","          \
        "\"generation\":3,\"policy\":\"web\",\"line\":3,\"rule\":\"deny_path /srv/x\","            \
        "\"id\":\"web:3\",\"pid\":42,\"ppid\":1,\"uid\":1000,\"comm\":\"cat\","                    \
        "\"path\":\"/srv/x\",\"access\":[\"read\",\"write\"]}"
#define SOCKET                                                                                     \
        "{\"seq\":8,\"time_usec\":1,\"hook\":\"socket_connect\",\"verdict\":\"audited\","          \
        "\"address\":\"10.0.0.1\",\"port\":25,\"protocol\":\"tcp\",\"operation\":\"connect\","     \
        "\"pid\":42,\"uid\":0,\"comm\":\"a\",\"reason\":\"none\",\"count\":5,\"first_seq\":2}"
#define BOOT UINT64_C(1700000000000000)

static json_object *at(json_object *object, const char *path)
{
        g_auto(GStrv) keys = g_strsplit(path, ".", -1);

        for (char **key = keys; *key; key++)
                if (!json_object_object_get_ex(object, *key, &object))
                        g_error("no %s in %s", *key, path);
        return object;
}

static void assert_text(json_object *object, const char *path, const char *text)
{
        g_assert_cmpstr(json_object_get_string(at(object, path)), ==, text);
}

static void test_ocsf_names_class_activity_and_disposition(void)
{
        json_object *event = json_tokener_parse(EVENT), *to = event_to_ocsf(event, BOOT, 0);

        assert_text(to, "metadata.version", "1.1.0");
        assert_text(to, "class_uid", "1001");
        assert_text(to, "category_uid", "1");
        assert_text(to, "activity_id", "3");
        assert_text(to, "type_uid", "100103");
        assert_text(to, "time", "1700000002000");
        assert_text(to, "action_id", "2");
        assert_text(to, "disposition_id", "2");
        assert_text(to, "actor.process.pid", "42");
        assert_text(to, "actor.process.user.uid", "1000");
        assert_text(to, "file.path", "/srv/x");
        assert_text(to, "file.name", "x");
        assert_text(to, "firewall_rule.uid", "web:3");
        assert_text(to, "unmapped.generation", "3");
        json_object_put(to);
        json_object_put(event);
        event = json_tokener_parse(SOCKET);
        to = event_to_ocsf(event, BOOT, 0);
        assert_text(to, "class_uid", "4001");
        assert_text(to, "type_uid", "400101");
        assert_text(to, "disposition_id", "17");
        assert_text(to, "dst_endpoint.ip", "10.0.0.1");
        assert_text(to, "dst_endpoint.port", "25");
        assert_text(to, "count", "5");
        json_object_put(to);
        json_object_put(event);
}

static void test_ecs_has_its_names_and_a_calendar(void)
{
        json_object *event = json_tokener_parse(EVENT), *to = event_to_ecs(event, BOOT, 0);

        assert_text(to, "@timestamp", "2023-11-14T22:13:22.000000Z");
        assert_text(to, "event.action", "file_open");
        assert_text(to, "event.outcome", "failure");
        assert_text(to, "event.sequence", "7");
        assert_text(to, "process.name", "cat");
        assert_text(to, "user.id", "1000");
        assert_text(to, "file.path", "/srv/x");
        assert_text(to, "rule.ruleset", "web");
        assert_text(to, "aegis.line", "3");
        json_object_put(to);
        json_object_put(event);
}

static void test_cef_is_a_head_and_an_extension(void)
{
        json_object *event = json_tokener_parse(EVENT);
        char *line = event_to_cef(event, BOOT, 0);

        g_assert_true(g_str_has_prefix(line, "CEF:0|Aegis|Aegis Enforcer|"));
        g_assert_nonnull(strstr(line, "|file_open|denied|6|rt=1700000002000 externalId=7 "));
        g_assert_nonnull(strstr(line, " spid=42 suid=1000 filePath=/srv/x "));
        g_assert_nonnull(strstr(line, " cs2Label=rule cs2=deny_path /srv/x "));
        g_assert_nonnull(strstr(line, " cs4Label=access cs4=read,write"));
        g_free(line);
        json_object_put(event);
}

static void test_what_was_lost_is_told_in_each_format(void)
{
        json_object *event = json_tokener_parse("{\"lost\":12}");
        json_object *ocsf = event_to_ocsf(event, BOOT, 5000), *ecs = event_to_ecs(event, BOOT, 0);
        char *line = event_to_cef(event, BOOT, 5000);

        assert_text(ocsf, "class_uid", "0");
        assert_text(ocsf, "unmapped.lost", "12");
        assert_text(ecs, "event.kind", "pipeline_error");
        assert_text(ecs, "aegis.lost", "12");
        g_assert_nonnull(strstr(line, "|lost|events were lost here|5|rt=5 cnt=12"));
        g_free(line);
        json_object_put(ocsf);
        json_object_put(ecs);
        json_object_put(event);
}

/* ---- hostile bytes ---- */

static char *hostile(void)
{
        static const char *const pieces[] = {"|", "=",   "\\", "\n",       "\r",       "\x1b[2J",
                                             "a", " ",   "\"", "\xc2\x9b", "\xc3\xa9", "cs1=x",
                                             "=", "\\=", "\t", "\\|",      "\x7f"};
        GString *text = g_string_new(NULL);

        for (int n = g_test_rand_int_range(0, 12); n > 0; n--)
                g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        return g_string_free(text, FALSE);
}

/* Splits as a reader of the format does: at what is not escaped. */
static GPtrArray *split_head(const char *line, const char **ret_extension)
{
        GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
        const char *begin = line;

        for (; *line && fields->len < 7; line++) {
                if (*line == '\\' && line[1])
                        line++;
                else if (*line == '|') {
                        g_ptr_array_add(fields, g_strndup(begin, (gsize) (line - begin)));
                        begin = line + 1;
                }
        }
        *ret_extension = begin;
        return fields;
}

/* How many = in the extension are not escaped: one a key. */
static unsigned count_keys(const char *extension)
{
        unsigned n = 0;

        for (; *extension; extension++) {
                if (*extension == '\\') {
                        g_assert_true(extension[1] == '\\' || extension[1] == '=');
                        extension++;
                } else {
                        n += *extension == '=';
                }
        }
        return n;
}

static void test_no_text_leaves_its_place(void)
{
        for (int i = 0; i < 20000; i++) {
                json_object *event = json_tokener_parse(EVENT), *to;
                g_autofree char *text = hostile(), *hook = hostile();
                g_autoptr(GPtrArray) head = NULL;
                const char *extension;
                char *line;

                json_object_object_add(event, "path", json_object_new_string(text));
                json_object_object_add(event, "hook", json_object_new_string(hook));
                line = event_to_cef(event, BOOT, 0);
                for (const char *c = line; *c; c++)
                        g_assert_true((unsigned char) *c >= 0x20 && *c != 0x7f);
                head = split_head(line, &extension);
                g_assert_cmpuint(head->len, ==, 7);
                g_assert_cmpstr(head->pdata[5], ==, "denied");
                g_assert_cmpstr(head->pdata[6], ==, "6");
                g_assert_cmpuint(count_keys(extension), ==, 15 + (*text != '\0'));
                g_free(line);
                to = event_to_ecs(event, BOOT, 0);
                if (*text)
                        assert_text(to, "file.path", text);
                json_object_put(to);
                json_object_put(event);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function) g_test_add_func("/client/format/" #function, function)
        TEST(test_ocsf_names_class_activity_and_disposition);
        TEST(test_ecs_has_its_names_and_a_calendar);
        TEST(test_cef_is_a_head_and_an_extension);
        TEST(test_what_was_lost_is_told_in_each_format);
        TEST(test_no_text_leaves_its_place);
        return g_test_run();
}
