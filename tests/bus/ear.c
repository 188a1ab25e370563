/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ear: see ear.h. */
#include "ear.h"

#include <string.h>

static void hear_value(Ear *ear, sd_bus_message *m, const char *name)
{
        const char *text, *type;

        g_assert_cmpint(sd_bus_message_peek_type(m, NULL, &type), >, 0);
        if (strcmp(type, "s") != 0) {
                g_assert_cmpint(sd_bus_message_skip(m, "v"), >=, 0);
                return;
        }
        g_assert_cmpint(sd_bus_message_read(m, "v", "s", &text), >=, 0);
        g_string_append_printf(ear->values, "%s %s=%s\n", sd_bus_message_get_path(m), name, text);
}

static void hear_properties(Ear *ear, sd_bus_message *m)
{
        const char *name;

        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{sv}"), >, 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                g_assert_cmpint(sd_bus_message_read(m, "s", &name), >=, 0);
                g_string_append_printf(ear->heard, " %s", name);
                hear_value(ear, m, name);
                g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        }
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ear *ear = userdata;
        const char *member = sd_bus_message_get_member(m), *text;

        if (strcmp(member, "PropertiesChanged") == 0) {
                g_assert_cmpint(sd_bus_message_read(m, "s", &text), >=, 0);
                g_string_append_printf(ear->heard, "%s %s %s", sd_bus_message_get_path(m), member,
                                       text);
                hear_properties(ear, m);
        } else {
                g_assert_cmpint(sd_bus_message_read(m, "o", &text), >=, 0);
                g_string_append_printf(ear->heard, "%s %s", text, member);
        }
        g_string_append_c(ear->heard, '\n');
        return 0;
}

Ear ear_open(Lab *lab)
{
        Ear ear = {.bus = lab_connect(lab, LAB_USER),
                   .heard = g_string_new(NULL),
                   .values = g_string_new(NULL)};

        return ear;
}

void ear_listen(Ear *ear)
{
        g_assert_cmpint(sd_bus_add_match(ear->bus, NULL, "type='signal',sender='" LAB_NAME "'",
                                         on_signal, ear),
                        >=, 0);
}

void ear_settle(Lab *lab, Ear *ear)
{
        sd_bus_message *m = lab_message(ear->bus, LAB_ROOT, "org.freedesktop.DBus.Peer", "Ping");

        g_free(lab_expect(lab, lab_send(m, SILENT), NULL));
        while (sd_event_run(lab->loop, 0) > 0)
                ;
}

void ear_close(Ear *ear)
{
        lab_disconnect(ear->bus);
        g_string_free(ear->heard, TRUE);
        g_string_free(ear->values, TRUE);
}
