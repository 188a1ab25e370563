/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several objects put in replies and signals. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/objects.h"
#include "bus/text.h"
#include "util/cleanup.h"
#include "util/log.h"

/* More lines than this nobody reads, and saying them would cost more than putting them in force.
 * What is left out is said in a last line. */
#define CHANGES_MAX 1000u
#define TEXT_MAX POLICY_LINE_MAX

static const char *const change_words[] = {
        [CHANGE_ADDED] = "added",
        [CHANGE_REMOVED] = "removed",
};

/* A bus ends the connection of whoever sends what is not UTF-8. */
int append_text(sd_bus_message *m, const char *text)
{
        _cleanup_(freep) char *valid = text_valid(text, TEXT_MAX);

        return valid ? sd_bus_message_append(m, "s", valid) : -ENOMEM;
}

int append_pair(sd_bus_message *m, const char *key, const char *text)
{
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "s");
        if (r >= 0)
                r = append_text(m, text);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int kernel_has_documents(const BusServer *server)
{
        BackendState state;

        backend_state(server->config.backend, &state);
        return state.generation > 0 &&
               memcmp(state.digest, enforcement_digest(server->config.enforcement), DIGEST_SIZE) ==
                       0;
}

int append_digest(sd_bus_message *m, const uint8_t digest[DIGEST_SIZE])
{
        char hex[DIGEST_HEX_SIZE];

        digest_format(digest, hex);
        return sd_bus_message_append(m, "s", hex);
}

static int append_change(sd_bus_message *m, const char *word, const char *section,
                         const char *entry)
{
        int r = sd_bus_message_open_container(m, 'r', "sss");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", word);
        if (r >= 0)
                r = append_text(m, section);
        if (r >= 0)
                r = append_text(m, entry);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_left_out(sd_bus_message *m, size_t n)
{
        char text[64];

        snprintf(text, sizeof(text), "%zu more changes", n);
        return append_change(m, "omitted", "", text);
}

int append_changes(sd_bus_message *m, const Plan *plan)
{
        size_t n = plan->n_changes > CHANGES_MAX ? CHANGES_MAX : plan->n_changes;
        int r = sd_bus_message_open_container(m, 'a', "(sss)");

        for (size_t i = 0; r >= 0 && i < n; i++) {
                const Change *change = &plan->changes[i];

                r = append_change(m, change_words[change->kind], change->section, change->entry);
        }
        if (r >= 0 && n < plan->n_changes)
                r = append_left_out(m, plan->n_changes - n);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_diagnostic(sd_bus_message *m, const Diagnostic *diagnostic)
{
        int r = sd_bus_message_open_container(m, 'r', "uuss");

        if (r >= 0)
                r = sd_bus_message_append(m, "uu", diagnostic->line, diagnostic->column);
        if (r >= 0)
                r = append_text(m, diagnostic->message);
        if (r >= 0)
                r = append_text(m, diagnostic->hint ? diagnostic->hint : "");
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_diagnostics(sd_bus_message *m, const Diagnostics *diagnostics)
{
        int r = sd_bus_message_open_container(m, 'a', "(uuss)");

        for (size_t i = 0; r >= 0 && i < diagnostics->n_items; i++)
                r = append_diagnostic(m, &diagnostics->items[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int describe_nothing(Request *request, sd_bus_error *error)
{
        return 0;
}

void emit_changed(BusServer *server, const char *path, const char *interface, char **names)
{
        int r;

        if (!server->bus || !names[0])
                return;
        r = sd_bus_emit_properties_changed_strv(server->bus, path, interface, names);
        if (r < 0 && r != -ENOTCONN)
                log_errno(r, "Cannot tell what changed at %s", path);
}
