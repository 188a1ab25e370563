/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* apply, plan: puts a document in force, or tells what that would change, like a diff. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "client.h"
#include "document.h"
#include "failure.h"
#include "output.h"
#include "remark.h"
#include "reply.h"

/* One document on its way. */
typedef struct Request {
        SourceDocument document;
        char *name;
        char attempt[128];
        Call call;
} Request;

/* What came back. */
typedef struct Outcome {
        int changed;
        uint64_t generation; /* of an apply */
        json_object *changes;
        json_object *remarks; /* of a plan */
} Outcome;

static void request_deinit(Request *request)
{
        source_document_deinit(&request->document);
        free(request->name);
}

static void outcome_deinit(Outcome *outcome)
{
        json_object_put(outcome->changes);
        json_object_put(outcome->remarks);
}

static ExitStatus say_unreadable(const Client *client, const char *path, int error)
{
        if (error == -EFBIG)
                return failure_say(client, STATUS_INVALID,
                                   "%s is larger than 8 MiB; split it into several policies.",
                                   path);
        return failure_say(client, STATUS_FAILED,
                           "Cannot read %s: %s; give a file that can be read, or - for standard "
                           "input.",
                           path, strerror(-error));
}

static ExitStatus check_document(const Client *client, const Request *request)
{
        Remark remark = {.message = "not UTF-8", .hint = "save it as UTF-8 text"};

        if (source_document_check(&request->document, &remark.line, &remark.column) == 0)
                return STATUS_DONE;
        source_document_point(&request->document, &remark, stderr);
        return failure_say(client, STATUS_INVALID,
                           "Cannot %s: it is not UTF-8 text (line %u, column %u); correct it and "
                           "try again.",
                           request->call.attempt, remark.line, remark.column);
}

static ExitStatus request_load(const Client *client, const char *path, const char *action,
                               Request *request)
{
        const char *given = client->options.name;
        int is_plan = strcmp(action, "plan") == 0, r;

        if (!given && strcmp(path, "-") == 0)
                return failure_of_usage("Standard input has no name; give one with --name.");
        request->name = given ? strdup(given) : source_document_name(path);
        if (!request->name)
                return failure_say(client, STATUS_FAILED, "Memory is short; try again.");
        snprintf(request->attempt, sizeof(request->attempt), "%s the policy %s",
                 is_plan ? "plan" : "apply", request->name);
        request->call = (Call){.attempt = request->attempt, .action = action};
        r = source_document_read(path, &request->document);
        if (r < 0)
                return say_unreadable(client, path, r);
        return check_document(client, request);
}

static ExitStatus say_refused(const Client *client, const Request *request,
                              const sd_bus_error *error)
{
        _cleanup_(json_object_putp) json_object *remarks = NULL;

        if (!sd_bus_error_has_name(error, ERROR_PREFIX "InvalidPolicy") || !error->message ||
            remarks_read(error->message, request->name, &remarks) < 0)
                return failure_of_call(client, &request->call, error);
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                remarks_print(remarks, &request->document, stderr);
        return failure_of_policy(client, &request->call, error, remarks);
}

static ExitStatus request_send(Client *client, const Request *request, const char *member,
                               sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, member,
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ssasta{sv}", request->name,
                                          request->document.text, 0, client->options.expect, 0);
        if (r < 0)
                return failure_of_message(client, &request->call, r);
        r = connection_call(client->connection, &request->call, message, &error, ret_reply);
        if (r < 0)
                status = say_refused(client, request, &error);
        sd_bus_error_free(&error);
        return status;
}

static int read_remarks(sd_bus_message *reply, json_object **ret_remarks)
{
        static const char *const keys[] = {"line", "column", "message", "hint"};
        int r = reply_read_rows(reply, "uuss", keys, ret_remarks);

        return r < 0 ? r : remarks_grade(*ret_remarks);
}

static int print_json(const Request *request, const Outcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? json_add_text(object, "name", request->name) : -ENOMEM;

        if (r >= 0)
                r = json_add_truth(object, "changed", outcome->changed);
        if (r >= 0 && !outcome->remarks)
                r = json_add_number(object, "generation", outcome->generation);
        if (r >= 0)
                r = json_add(object, "changes", json_object_get(outcome->changes));
        if (r >= 0 && outcome->remarks)
                r = json_add(object, "diagnostics", json_object_get(outcome->remarks));
        if (r < 0)
                return r;
        output_json(object);
        return 0;
}

static void print_plan(const Request *request, const Outcome *outcome)
{
        size_t n = json_object_array_length(outcome->changes);

        fflush(stdout);
        remarks_print(outcome->remarks, &request->document, stderr);
        changes_print(outcome->changes);
        if (!outcome->changed)
                fputs("Nothing would change: this is in force as ", stdout);
        else if (n == 0)
                fputs("The text would change, and no entry, of ", stdout);
        else
                fputs("These entries would change in ", stdout);
        output_text(stdout, request->name);
        fputs(".\n", stdout);
}

static ExitStatus run_plan(Client *client, const Request *request)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = request_send(client, request, "Plan", &reply);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "b", &outcome.changed);
        if (r >= 0)
                r = changes_read(reply, &outcome.changes);
        if (r >= 0)
                r = read_remarks(reply, &outcome.remarks);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(request, &outcome);
        else if (r >= 0)
                print_plan(request, &outcome);
        if (r < 0)
                return failure_of_reply(client, &request->call, r);
        return outcome.changed && OPTION_GIVEN(&client->options, OPTION_CHECK) ? STATUS_WOULD_CHANGE
                                                                               : STATUS_DONE;
}

static void print_apply(const Request *request, const Outcome *outcome)
{
        changes_print(outcome->changes);
        output_text(stdout, request->name);
        printf(outcome->changed ? " is in force: generation %" PRIu64 ".\n"
                                : " is in force as it stands here: still generation %" PRIu64 ".\n",
               outcome->generation);
}

static ExitStatus run_apply(Client *client, const Request *request)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = request_send(client, request, "Apply", &reply);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &outcome.changed, &outcome.generation);
        if (r >= 0)
                r = changes_read(reply, &outcome.changes);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(request, &outcome);
        else if (r >= 0)
                print_apply(request, &outcome);
        return r < 0 ? failure_of_reply(client, &request->call, r) : STATUS_DONE;
}

ExitStatus verb_plan(Client *client, char **arguments)
{
        _cleanup_(request_deinit) Request request = {0};
        ExitStatus status = request_load(client, arguments[0], "plan", &request);

        return status == STATUS_DONE ? run_plan(client, &request) : status;
}

ExitStatus verb_apply(Client *client, char **arguments)
{
        _cleanup_(request_deinit) Request request = {0};
        ExitStatus status;

        if (OPTION_GIVEN(&client->options, OPTION_CHECK))
                return verb_plan(client, arguments);
        status = request_load(client, arguments[0], "apply-policy", &request);
        return status == STATUS_DONE ? run_apply(client, &request) : status;
}
