/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seen: see seen.h. */
#include "seen.h"

#include <string.h>

static int has_ended(const char *error)
{
        return strcmp(error, SD_BUS_ERROR_NO_REPLY) == 0 ||
               strcmp(error, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
               strcmp(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0;
}

/* What the reply begins with, in a variant or not. */
static char *first_text(sd_bus_message *reply)
{
        const char *text = NULL, *contents = NULL;
        char type = 0;
        int flag;

        g_assert_cmpint(sd_bus_message_peek_type(reply, &type, &contents), >, 0);
        if (type == 'v')
                g_assert_cmpint(sd_bus_message_enter_container(reply, 'v', contents), >, 0);
        if (type == 'v' && contents[0] == 'b') {
                g_assert_cmpint(sd_bus_message_read(reply, "b", &flag), >, 0);
                return g_strdup(flag ? "yes" : "no");
        }
        g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >, 0);
        return g_strdup(text);
}

/* Sends m. Returns a new string: what the reply begins with, or "none" if it is an error; NULL if
 * the service has ended. */
static char *ask(Lab *lab, sd_bus_message *m)
{
        sd_bus_message *reply = lab_wait(lab, lab_send(m, SILENT));
        const char *error = lab_error(reply);
        char *text = has_ended(error) ? NULL : error[0] ? g_strdup("none") : first_text(reply);

        sd_bus_message_unref(reply);
        return text;
}

static char *get(Lab *lab, const char *path, const char *interface, const char *property)
{
        sd_bus_message *m = lab_message(lab->root, path, "org.freedesktop.DBus.Properties", "Get");

        g_assert_cmpint(sd_bus_message_append(m, "ss", interface, property), >=, 0);
        return ask(lab, m);
}

static char *get_document(Lab *lab, const char *path)
{
        return ask(lab, lab_message(lab->root, path, LAB_POLICY, "GetDocument"));
}

void seen_clear(Seen *seen)
{
        g_free(seen->documents);
        g_free(seen->digest);
        *seen = (Seen){};
}

Seen seen_look(Lab *lab)
{
        g_autofree char *mode = get(lab, LAB_ROOT, LAB_MANAGER, "Mode");
        g_autofree char *digest = get(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_autofree char *posture = get(lab, LAB_ROOT, LAB_MANAGER, "Posture");
        g_autofree char *web = get_document(lab, LAB_ROOT "/policy/web");
        g_autofree char *db = get_document(lab, LAB_ROOT "/policy/db");
        g_autofree char *is_signed = get(lab, LAB_ROOT "/policy/web", LAB_POLICY, "Signed");

        if (!mode || !digest || !posture || !web || !db || !is_signed)
                return (Seen){};
        return (Seen){.documents =
                              g_strdup_printf("%s %s\nweb: %s\ndb: %s\n", mode, digest, web, db),
                      .digest = g_strdup(digest),
                      .is_signed = strcmp(is_signed, "yes") == 0,
                      .is_in_order = strcmp(posture, "enforcing") == 0};
}

int seen_is_same(const Seen *a, const Seen *b)
{
        return strcmp(a->documents, b->documents) == 0;
}

Answer answer_wait(Lab *lab, Pending *pending)
{
        sd_bus_message *reply = lab_wait(lab, pending);
        const char *error = lab_error(reply);
        Answer answer = !error[0] ? ANSWER_DONE : has_ended(error) ? ANSWER_NONE : ANSWER_ERROR;

        sd_bus_message_unref(reply);
        return answer;
}
