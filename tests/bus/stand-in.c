/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stand-in: see stand-in.h. */
#include "stand-in.h"

#include <pwd.h>
#include <string.h>

#define POLKIT "org.freedesktop.PolicyKit1"

void stand_in_answer(StandIn *polkit, StandInAnswer how)
{
        sd_bus_message *m = polkit->question;
        int r = 0;

        switch (how) {
        case STAND_IN_HOLD:
                break;
        case STAND_IN_YES:
        case STAND_IN_NO:
        case STAND_IN_CHALLENGE:
                r = sd_bus_reply_method_return(m, "(bba{ss})", how == STAND_IN_YES,
                                               how == STAND_IN_CHALLENGE, 0);
                break;
        case STAND_IN_GARBAGE:
                r = sd_bus_reply_method_return(m, "b", 1);
                break;
        case STAND_IN_ERROR:
                r = sd_bus_reply_method_errorf(m, POLKIT ".Error.Failed", "!");
                break;
        }
        g_assert_cmpint(r, >=, 0);
}

static int on_check(sd_bus_message *m, StandIn *polkit)
{
        const char *id;

        g_assert_cmpint(sd_bus_message_skip(m, "(sa{sv})sa{ss}u"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(m, "s", &id), >=, 0);
        sd_bus_message_unref(polkit->question);
        g_free(polkit->id);
        polkit->question = sd_bus_message_ref(m);
        polkit->id = g_strdup(id);
        polkit->asked = 1;
        polkit->n_asked++;
        stand_in_answer(polkit, polkit->how);
        return 1;
}

static int on_cancel(sd_bus_message *m, StandIn *polkit)
{
        const char *id;

        g_assert_cmpint(sd_bus_message_read(m, "s", &id), >=, 0);
        g_free(polkit->cancelled);
        polkit->cancelled = g_strdup(id);
        polkit->is_cancelled = 1;
        polkit->n_cancelled++;
        return sd_bus_reply_method_return(m, "");
}

/* Not by a vtable: that would keep us from answering nonsense. */
static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        if (sd_bus_message_is_method_call(m, POLKIT ".Authority", "CheckAuthorization"))
                return on_check(m, userdata);
        if (sd_bus_message_is_method_call(m, POLKIT ".Authority", "CancelCheckAuthorization"))
                return on_cancel(m, userdata);
        return 0;
}

StandIn *stand_in_new(Lab *lab, StandInAnswer how)
{
        StandIn *polkit = g_new0(StandIn, 1);
        const struct passwd *user = getpwnam("polkitd");

        g_assert_nonnull(user); /* the bus lets nobody else have the name */
        lab_stop_polkit(lab);
        polkit->lab = lab;
        polkit->how = how;
        polkit->bus = lab_connect(lab, user->pw_uid);
        g_assert_cmpint(sd_bus_add_object(polkit->bus, NULL,
                                          "/org/freedesktop/PolicyKit1/Authority", on_call, polkit),
                        >=, 0);
        g_assert_cmpint(sd_bus_request_name(polkit->bus, POLKIT, 0), >=, 0);
        return polkit;
}

void stand_in_free(StandIn *polkit)
{
        Lab *lab = polkit->lab;

        sd_bus_message_unref(polkit->question);
        lab_disconnect(polkit->bus);
        g_free(polkit->id);
        g_free(polkit->cancelled);
        g_free(polkit);
        lab_start_polkit(lab);
}

void stand_in_wait(StandIn *polkit)
{
        lab_until(polkit->lab, &polkit->asked);
        polkit->asked = 0;
}

/* ---- what a question says ---- */

typedef struct Said {
        const char *kind, *key, *subject, *action;
} Said;

static Said said(StandIn *polkit)
{
        Said said;

        g_assert_cmpint(sd_bus_message_rewind(polkit->question, 1), >=, 0);
        g_assert_cmpint(sd_bus_message_read(polkit->question, "(sa{sv})s", &said.kind, 1, &said.key,
                                            "s", &said.subject, &said.action),
                        >=, 0);
        g_assert_cmpstr(said.kind, ==, "system-bus-name");
        g_assert_cmpstr(said.key, ==, "name");
        return said;
}

const char *stand_in_action(StandIn *polkit)
{
        return said(polkit).action;
}

const char *stand_in_subject(StandIn *polkit)
{
        return said(polkit).subject;
}

char *stand_in_detail(StandIn *polkit, const char *wanted)
{
        sd_bus_message *m = polkit->question;
        const char *key, *value;
        char *found = NULL;

        said(polkit);
        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{ss}"), >, 0);
        while (sd_bus_message_read(m, "{ss}", &key, &value) > 0)
                if (!found && strcmp(key, wanted) == 0)
                        found = g_strdup(value);
        return found;
}

uint32_t stand_in_flags(StandIn *polkit)
{
        uint32_t flags;

        said(polkit);
        g_assert_cmpint(sd_bus_message_skip(polkit->question, "a{ss}"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(polkit->question, "u", &flags), >=, 0);
        return flags;
}
