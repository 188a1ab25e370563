/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polkit: see polkit.h. The interface is that of polkit's own documentation
 * (org.freedesktop.PolicyKit1.Authority); calls are made by hand since its library brings a main
 * loop. */
#include "auth/polkit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-id128.h>

#include "util/cleanup.h"
#include "util/log.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define FLAG_ALLOW_USER_INTERACTION 1u
#define ID_SIZE 64

struct PolkitCheck {
        sd_bus *bus;
        sd_bus_slot *slot;
        PolkitFunc func;
        void *userdata;
        int answered;
        char id[ID_SIZE];
};
DEFINE_CLEANUP(PolkitCheck *, polkit_check_free);

/* An id must never come again on this bus, not even after a restart: polkit would take it for a
 * double and answer with an error. */
static int make_id(char ret_id[ID_SIZE])
{
        sd_id128_t id;
        int r = sd_id128_randomize(&id);

        if (r < 0)
                return r;
        snprintf(ret_id, ID_SIZE, "aegis-%s", SD_ID128_TO_STRING(id));
        return 0;
}

static PolkitAnswer answer_of_error(sd_bus_message *reply)
{
        const char *name = sd_bus_message_get_error(reply)->name;

        if (strcmp(name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
            strcmp(name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0 ||
            strncmp(name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0)
                return POLKIT_UNAVAILABLE;
        log_warning("polkit gave no answer (%s), which counts as a no", name);
        return POLKIT_NO;
}

static PolkitAnswer answer_of_reply(sd_bus_message *reply)
{
        int authorized, challenge;

        if (sd_bus_message_is_method_error(reply, NULL))
                return answer_of_error(reply);
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0) {
                log_warning("polkit's answer cannot be read, which counts as a no");
                return POLKIT_NO;
        }
        if (authorized)
                return POLKIT_YES;
        return challenge ? POLKIT_CHALLENGE : POLKIT_NO;
}

static void take_back(PolkitCheck *check)
{
        /* No reply is wanted, so none can be awaited: this must do its best on a dying bus as well.
         */
        (void) sd_bus_call_method_async(check->bus, NULL, POLKIT_NAME, POLKIT_PATH,
                                        POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL,
                                        "s", check->id);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        PolkitCheck *check = userdata;

        /* A time-out is sd-bus' own doing; polkit still has the question. */
        check->answered = !sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) &&
                          !sd_bus_message_is_method_error(reply, SD_BUS_ERROR_TIMEOUT);
        check->func(check->userdata, answer_of_reply(reply));
        return 0;
}

static int append_details(sd_bus_message *m, const PolkitQuestion *question)
{
        int r = sd_bus_message_open_container(m, 'a', "{ss}");

        for (size_t i = 0; r >= 0 && i < question->n_details; i++)
                r = sd_bus_message_append(m, "{ss}", question->details[i].key,
                                          question->details[i].value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int build(sd_bus *bus, const PolkitQuestion *question, const char *id,
                 sd_bus_message **ret_m)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint32_t flags = question->interaction == POLKIT_MAY_ASK ? FLAG_ALLOW_USER_INTERACTION : 0;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  question->subject, action_id(question->action));
        if (r < 0)
                return r;
        r = append_details(m, question);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "us", flags, id);
        if (r < 0)
                return r;
        *ret_m = TAKE_PTR(m);
        return 0;
}

int polkit_check_new(PolkitCheck **ret_check, sd_bus *bus, const PolkitQuestion *question,
                     PolkitFunc func, void *userdata)
{
        _cleanup_(polkit_check_freep) PolkitCheck *check = calloc(1, sizeof(*check));
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!check)
                return -ENOMEM;
        check->bus = sd_bus_ref(bus);
        check->answered = 1; /* nothing to take back yet */
        check->func = func;
        check->userdata = userdata;
        r = make_id(check->id);
        if (r < 0)
                return r;
        r = build(bus, question, check->id, &m);
        if (r < 0)
                return r;
        r = sd_bus_call_async(bus, &check->slot, m, on_reply, check, question->timeout_usec);
        if (r < 0)
                return r;
        check->answered = 0;
        *ret_check = TAKE_PTR(check);
        return 0;
}

PolkitCheck *polkit_check_free(PolkitCheck *check)
{
        if (!check)
                return NULL;
        if (!check->answered)
                take_back(check);
        sd_bus_slot_unref(check->slot);
        sd_bus_unref(check->bus);
        free(check);
        return NULL;
}
