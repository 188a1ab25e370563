/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a document that is not in force would have decided about what happened. */
#include <string.h>

#include "backend-twin.h"
#include "blocked.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define DIRECTORY LAB_ROOT "/events"

static Pending *simulate(sd_bus *bus, const char *name, const char *document, uint64_t since)
{
        sd_bus_message *m = lab_message(bus, DIRECTORY, LAB_EVENTS, "Simulate");

        g_assert_cmpint(sd_bus_message_append(m, "sstua{sv}", name, document, since, 0, 0), >=, 0);
        return lab_send(m, SILENT);
}

/* One event: "WOULD POLICY LINE RULE", as far as it is told. */
static void read_event(sd_bus_message *reply, GString *told)
{
        const char *key, *type, *text;
        uint32_t line;

        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                g_assert_cmpint(sd_bus_message_read(reply, "s", &key), >, 0);
                sd_bus_message_peek_type(reply, NULL, &type);
                if (!g_str_has_prefix(key, "would")) {
                        sd_bus_message_skip(reply, "v");
                } else if (strcmp(type, "u") == 0) {
                        sd_bus_message_read(reply, "v", "u", &line);
                        g_string_append_printf(told, " %u", line);
                } else {
                        sd_bus_message_read(reply, "v", "s", &text);
                        g_string_append_printf(told, "%s%s", told->len > 0 ? " " : "", text);
                }
                sd_bus_message_exit_container(reply);
        }
        g_string_append_c(told, ';');
}

static char *told(Lab *lab, Pending *pending)
{
        sd_bus_message *reply = lab_wait(lab, pending);
        GString *all = g_string_new(NULL);

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "a{sv}"), >, 0);
        while (sd_bus_message_enter_container(reply, 'a', "{sv}") > 0) {
                read_event(reply, all);
                sd_bus_message_exit_container(reply);
        }
        sd_bus_message_unref(reply);
        return g_string_free(all, FALSE);
}

static void expect(Lab *lab, const char *name, const char *document, const char *wanted)
{
        g_autofree char *found = told(lab, simulate(lab->root, name, document, 0));

        g_assert_cmpstr(found, ==, wanted);
}

static void test_each_event_is_decided_as_it_would_be(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        expect(lab, "web", DOCUMENT, "denied web 3 deny_path /srv/one;");
        expect(lab, "web", "version=1\n[deny_path]\n/srv/two\n", "allowed;");
        expect(lab, "web", "version=7\n[audit]\nfile:/srv/\n", "audited web 3 audit file:/srv/;");
        /* Beside what is in force, by the subject that the event tells. */
        expect(lab, "db", "version=7\n[allow]\nfile:/srv/one uid=1000 exe=/usr/bin/program9\n",
               "allowed db 3 allow file:/srv/one uid=1000 exe=/usr/bin/program9;");
        expect(lab, "db", "version=7\n[allow]\nfile:/srv/one exe=/usr/bin/other\n",
               "denied web 3 deny_path /srv/one;");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_what_cannot_be_told_is_unknown(Lab *lab)
{
        struct event event = blocked_event();

        lab_must_apply(lab, "web", DOCUMENT);
        event.flags = EVENT_PATH_CUT;
        blocked_inject(event);
        event = blocked_event();
        event.flags = EVENT_SELF;
        blocked_inject(event);
        expect(lab, "web", DOCUMENT, "unknown; unknown;");
}

static void test_what_is_older_is_left_out(Lab *lab)
{
        g_autofree char *found = NULL;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        found = told(lab, simulate(lab->root, "web", DOCUMENT,
                                   (uint64_t) g_get_real_time() + 60000000u));
        g_assert_cmpstr(found, ==, "");
}

static void test_a_faulty_document_is_refused_with_its_faults(Lab *lab)
{
        g_autofree char *message =
                lab_expect(lab, simulate(lab->root, "web", "version=1\n[deny_path]\nno\n", 0),
                           "org.aegis.Enforcer.Error.InvalidPolicy");

        g_assert_nonnull(strstr(message, "3:1"));
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(each_event_is_decided_as_it_would_be),
                TEST(what_cannot_be_told_is_unknown),
                TEST(what_is_older_is_left_out),
                TEST(a_faulty_document_is_refused_with_its_faults),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
