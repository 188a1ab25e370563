/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policies, policy show: which policies are in force, and their text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

/* "97E176D00F46180A, …", "-" of what is not signed. Returns a new string or NULL. */
static char *signers_text(json_object *policy)
{
        size_t n = json_count(policy, "signers"), size;
        char *text = NULL;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        if (!json_truth(policy, "signed"))
                fputc('-', out);
        for (size_t i = 0; i < n; i++)
                fprintf(out, "%s%s", i > 0 ? ", " : "",
                        json_object_get_string(json_element(policy, "signers", i)));
        if (fclose(out) == 0)
                return text;
        free(text);
        return NULL;
}

static void add_signed(Table *table, json_object *policy)
{
        _cleanup_(freep) char *signers = signers_text(policy);
        uint64_t until = json_number(policy, "expires_usec");
        int is_over = until > 0 && until <= (uint64_t) time(NULL) * 1000000u;
        char expires[32];

        output_time(until, expires, sizeof(expires));
        table_add(table, COLOUR_NONE, signers ? signers : "?");
        table_add(table, is_over ? COLOUR_DOUBTFUL : COLOUR_NONE, expires);
}

static void add_policy(Table *table, json_object *policy, int with_signers)
{
        char changed[32], digest[17];

        output_time(json_number(policy, "changed_usec"), changed, sizeof(changed));
        snprintf(digest, sizeof(digest), "%s", json_text(policy, "digest"));
        table_add(table, COLOUR_NONE, json_text(policy, "name"));
        table_add_number(table, json_number(policy, "rules"));
        table_add_number(table, json_number(policy, "language_version"));
        table_add_number(table, json_number(policy, "generation"));
        table_add(table, COLOUR_NONE, changed);
        table_add(table, COLOUR_NONE, digest);
        if (with_signers)
                add_signed(table, policy);
}

static int is_any_signed(json_object *policies)
{
        for (size_t i = 0; i < json_object_array_length(policies); i++)
                if (json_truth(json_object_array_get_idx(policies, i), "signed"))
                        return 1;
        return 0;
}

static int print_policies(json_object *policies)
{
        static const char *const headings[] = {"POLICY",  "RULES",  "VERSION",   "GENERATION",
                                               "CHANGED", "DIGEST", "SIGNED BY", "EXPIRES"};
        int with_signers = is_any_signed(policies);
        _cleanup_(table_freep) Table *table =
                table_new(headings, ELEMENTS_OF(headings) - (with_signers ? 0 : 2));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(policies); i++)
                add_policy(table, json_object_array_get_idx(policies, i), with_signers);
        return table_print(table);
}

ExitStatus verb_policies(Client *client, char **arguments)
{
        static const Call call = {.attempt = "list the policies"};
        _cleanup_(json_object_putp) json_object *policies = NULL;
        ExitStatus status = query_policies(client, &call, &policies);

        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return query_print(client, &call, "policies", policies);
        if (print_policies(policies) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        return STATUS_DONE;
}

static ExitStatus read_document(Client *client, const Call *call, json_object *policy,
                                sd_bus_message **ret_reply, const char **ret_text)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status;
        int r;

        r = connection_message(client->connection, json_text(policy, "object"), POLICY_INTERFACE,
                               "GetDocument", &message);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "s", ret_text);
        if (r < 0)
                return failure_of_reply(client, call, r);
        *ret_reply = TAKE_PTR(reply);
        return STATUS_DONE;
}

ExitStatus verb_policy_show(Client *client, char **arguments)
{
        char attempt[128];
        const Call call = {.attempt = attempt, .action = "read-policy"};
        const Call listing = {.attempt = attempt};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) json_object *policy = NULL;
        const char *text;
        ExitStatus status;

        snprintf(attempt, sizeof(attempt), "show the policy %s", arguments[0]);
        status = query_policy(client, &listing, arguments[0], &policy);
        if (status == STATUS_DONE)
                status = read_document(client, &call, policy, &reply, &text);
        if (status != STATUS_DONE)
                return status;
        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                output_document(text);
                return STATUS_DONE;
        }
        if (json_add_text(policy, "document", text) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        output_json(policy);
        return STATUS_DONE;
}
