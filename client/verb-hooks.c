/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hooks: each place of decision in the kernel, what it can promise and what it did. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

static Colour colour_of_guarantee(json_object *hook)
{
        if (strcmp(json_text(hook, "guarantee"), "deny") == 0)
                return COLOUR_GOOD;
        return json_truth(hook, "required") ? COLOUR_BAD : COLOUR_DOUBTFUL;
}

static void add_hook(Table *table, json_object *hook)
{
        table_add(table, COLOUR_NONE, json_text(hook, "name"));
        table_add(table, COLOUR_NONE, json_text(hook, "tier"));
        table_add(table, COLOUR_NONE, json_text(hook, "mode"));
        table_add(table, colour_of_guarantee(hook), json_text(hook, "guarantee"));
        table_add(table, COLOUR_NONE, json_truth(hook, "required") ? "yes" : "no");
        table_add_number(table, json_number(hook, "calls"));
        table_add_number(table, json_number(hook, "denials"));
        table_add_number(table, json_number(hook, "audits"));
}

/* Below the table, whole: what is to be mended. Neighbours with one reason share a line. */
static void print_reasons(json_object *hooks)
{
        const char *last = "";

        for (size_t i = 0; i < json_object_array_length(hooks); i++) {
                json_object *hook = json_object_array_get_idx(hooks, i);
                const char *reason = json_text(hook, "reason");

                if (*reason && strcmp(reason, last) == 0) {
                        fputs(", ", stdout);
                } else {
                        fputs(*last ? "\n" : "", stdout);
                        output_text(stdout, reason);
                        fputs(*reason ? ": " : "", stdout);
                }
                output_text(stdout, *reason ? json_text(hook, "name") : "");
                last = reason;
        }
        fputs(*last ? "\n" : "", stdout);
}

static int print_hooks(json_object *hooks)
{
        static const char *const headings[] = {"HOOK",   "TIER",  "MODE",   "GUARANTEE",
                                               "NEEDED", "CALLS", "DENIED", "AUDITED"};
        _cleanup_(table_freep) Table *table = table_new(headings, ELEMENTS_OF(headings));
        int r;

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(hooks); i++)
                add_hook(table, json_object_array_get_idx(hooks, i));
        r = table_print(table);
        if (r >= 0)
                print_reasons(hooks);
        return r;
}

ExitStatus verb_hooks(Client *client, char **arguments)
{
        static const Call call = {.attempt = "list the hooks"};
        _cleanup_(json_object_putp) json_object *hooks = NULL;
        ExitStatus status = query_hooks(client, &call, &hooks);

        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return query_print(client, &call, "hooks", hooks);
        if (print_hooks(hooks) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        return STATUS_DONE;
}
