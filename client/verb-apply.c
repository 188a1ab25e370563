/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* apply, plan, diff: puts a document in force, or tells what that would change. */
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

static int fill_message(const Client *client, const Request *request, const char *member,
                        sd_bus_message **ret_message)
{
        int r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, member,
                                   ret_message);

        if (r >= 0)
                r = sd_bus_message_append(*ret_message, "ssast", request->name,
                                          request->document.text, 0, client->options.expect);
        if (r < 0)
                return r;
        if (strcmp(member, "Apply") == 0 && OPTION_GIVEN(&client->options, OPTION_CONFIRM_TIMEOUT))
                return sd_bus_message_append(*ret_message, "a{sv}", 1, "confirm-timeout-usec", "t",
                                             client->options.confirm_usec);
        return sd_bus_message_append(*ret_message, "a{sv}", 0);
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
        r = fill_message(client, request, member, &message);
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

/* Of a plan. */
static int read_outcome(sd_bus_message *reply, Outcome *outcome)
{
        int r = sd_bus_message_read(reply, "b", &outcome->changed);

        if (r >= 0)
                r = changes_read(reply, &outcome->changes);
        return r < 0 ? r : read_remarks(reply, &outcome->remarks);
}

static int fill_json(const Request *request, const Outcome *outcome, json_object *object)
{
        int r = json_add_text(object, "name", request->name);

        if (r >= 0)
                r = json_add_truth(object, "changed", outcome->changed);
        if (r >= 0 && outcome->generation > 0)
                r = json_add_number(object, "generation", outcome->generation);
        if (r >= 0)
                r = json_add(object, "changes", json_object_get(outcome->changes));
        return r < 0 ? r : json_add(object, "diagnostics", json_object_get(outcome->remarks));
}

static int print_json(const Request *request, const Outcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? fill_json(request, outcome, object) : -ENOMEM;

        if (r >= 0)
                output_json(object);
        return r;
}

static void print_diff(const Request *request, const Outcome *outcome)
{
        char before[128];

        snprintf(before, sizeof(before), "%s in force", request->name);
        changes_print_diff(outcome->changes, before, request->document.label);
}

/* The changes, in the form that was asked for. */
static void print_changes(const Client *client, const Request *request, const Outcome *outcome)
{
        if (OPTION_GIVEN(&client->options, OPTION_DIFF))
                print_diff(request, outcome);
        else
                changes_print(outcome->changes);
}

static void print_plan(const Client *client, const Request *request, const Outcome *outcome)
{
        size_t n = json_object_array_length(outcome->changes);

        fflush(stdout);
        if (!OPTION_GIVEN(&client->options, OPTION_QUIET))
                remarks_print(outcome->remarks, &request->document, stderr);
        print_changes(client, request, outcome);
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
        r = read_outcome(reply, &outcome);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(request, &outcome);
        else if (r >= 0)
                print_plan(client, request, &outcome);
        if (r < 0)
                return failure_of_reply(client, &request->call, r);
        return outcome.changed && OPTION_GIVEN(&client->options, OPTION_CHECK) ? STATUS_WOULD_CHANGE
                                                                               : STATUS_DONE;
}

/* A plan first, for its warnings. Nobody is asked for it: without leave for it there are none, and
 * what else goes wrong is told by what follows. */
static void look_for_remarks(Client *client, const Request *request, Outcome *outcome)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        const Call call = {.attempt = "look through the policy"};
        Outcome plan = {0};
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = fill_message(client, request, "Plan", &message);

        if (r >= 0)
                r = connection_call(client->connection, &call, message, &error, &reply);
        if (r >= 0 && read_outcome(reply, &plan) >= 0) {
                json_object_put(outcome->remarks);
                outcome->remarks = json_object_get(plan.remarks);
        }
        outcome_deinit(&plan);
        sd_bus_error_free(&error);
}

/* Returns -ENOMEM, or 0. */
static int begin_apply(Client *client, const Request *request, Outcome *outcome)
{
        outcome->remarks = json_object_new_array();
        if (!outcome->remarks)
                return -ENOMEM;
        if (OPTION_GIVEN(&client->options, OPTION_QUIET))
                return 0;
        look_for_remarks(client, request, outcome);
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                remarks_print(outcome->remarks, &request->document, stderr);
        return 0;
}

static void print_apply(const Client *client, const Request *request, const Outcome *outcome)
{
        print_changes(client, request, outcome);
        output_text(stdout, request->name);
        printf(outcome->changed ? " is in force: generation %" PRIu64 ".\n"
                                : " is in force as it stands here: still generation %" PRIu64 ".\n",
               outcome->generation);
}

/* What is equal is in force already, and goes by no trial. */
static void print_trial(const Client *client, const Outcome *outcome)
{
        if (outcome->changed && OPTION_GIVEN(&client->options, OPTION_CONFIRM_TIMEOUT))
                printf("It is on trial for %" PRIu64 " seconds: 'aegis-client confirm' keeps it.\n",
                       client->options.confirm_usec / 1000000u);
}

static ExitStatus run_apply(Client *client, const Request *request)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = begin_apply(client, request, &outcome);
        if (r < 0)
                return failure_of_reply(client, &request->call, r);
        status = request_send(client, request, "Apply", &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &outcome.changed, &outcome.generation);
        if (r >= 0)
                r = changes_read(reply, &outcome.changes);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON)) {
                r = print_json(request, &outcome);
        } else if (r >= 0) {
                print_apply(client, request, &outcome);
                print_trial(client, &outcome);
        }
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

/* ---- diff ---- */

/* What the files would change, for --json. */
typedef struct Differences {
        json_object *policies;
        int changed;
} Differences;

static int add_difference(const Request *request, const Outcome *outcome, Differences *differences)
{
        json_object *object = json_object_new_object();

        if (!object || fill_json(request, outcome, object) < 0) {
                json_object_put(object);
                return -ENOMEM;
        }
        return json_add(differences->policies, NULL, object);
}

/* A text may differ that says the same. */
static void print_difference(const Client *client, const Request *request, const Outcome *outcome)
{
        fflush(stdout);
        if (!OPTION_GIVEN(&client->options, OPTION_QUIET))
                remarks_print(outcome->remarks, &request->document, stderr);
        print_diff(request, outcome);
        if (!outcome->changed || json_object_array_length(outcome->changes) > 0)
                return;
        fputs("The text differs, and no entry, of ", stdout);
        output_text(stdout, request->name);
        fputs(".\n", stdout);
}

static ExitStatus compare(Client *client, const char *path, Differences *differences)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(request_deinit) Request request = {0};
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = request_load(client, path, "plan", &request);
        int r;

        if (status == STATUS_DONE)
                status = request_send(client, &request, "Plan", &reply);
        if (status != STATUS_DONE)
                return status;
        r = read_outcome(reply, &outcome);
        differences->changed |= outcome.changed;
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = add_difference(&request, &outcome, differences);
        else if (r >= 0)
                print_difference(client, &request, &outcome);
        return r < 0 ? failure_of_reply(client, &request.call, r) : STATUS_DONE;
}

static ExitStatus print_differences(const Client *client, const Differences *differences)
{
        static const Call call = {.attempt = "print the differences"};
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || json_add_truth(object, "changed", differences->changed) < 0 ||
            json_add(object, "policies", json_object_get(differences->policies)) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        output_json(object);
        return STATUS_DONE;
}

ExitStatus verb_diff(Client *client, char **arguments)
{
        static const Call call = {.attempt = "compare policies"};
        Differences differences = {.policies = json_object_new_array()};
        ExitStatus status = STATUS_DONE;

        client->is_diff = 1;
        if (client->options.name && arguments[1])
                status = failure_of_usage("--name is for one file.");
        else if (!differences.policies)
                status = failure_of_reply(client, &call, -ENOMEM);
        for (char **path = arguments; status == STATUS_DONE && *path; path++)
                status = compare(client, *path, &differences);
        if (status == STATUS_DONE && OPTION_GIVEN(&client->options, OPTION_JSON))
                status = print_differences(client, &differences);
        json_object_put(differences.policies);
        if (status != STATUS_DONE)
                return status;
        return differences.changed ? STATUS_DIFFERENT : STATUS_DONE;
}
