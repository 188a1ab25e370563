/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* apply, plan, diff: puts a document in force, or tells what that would change. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidate.h"
#include "changes.h"
#include "client.h"
#include "failure.h"
#include "output.h"
#include "remark.h"
#include "reply.h"

static const Doing plan_doing = {"plan", "plan"};
static const Doing apply_doing = {"apply", "apply-policy"};

/* What came back. */
typedef struct Outcome {
        int changed;
        uint64_t generation; /* of an apply */
        json_object *changes;
        json_object *remarks; /* of a plan */
} Outcome;

static void outcome_deinit(Outcome *outcome)
{
        json_object_put(outcome->changes);
        json_object_put(outcome->remarks);
}

/* It was found to be text as it was read: the library need not look at each character again. */
static int append_text(sd_bus_message *message, const SourceDocument *document)
{
        char *room;
        int r = sd_bus_message_append_string_space(message, document->n_text, &room);

        if (r >= 0)
                memcpy(room, document->text, document->n_text);
        return r;
}

static int fill_message(const Client *client, const Candidate *candidate, const char *member,
                        sd_bus_message **ret_message)
{
        int r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, member,
                                   ret_message);

        if (r >= 0)
                r = sd_bus_message_append(*ret_message, "s", candidate->name);
        if (r >= 0)
                r = append_text(*ret_message, &candidate->document);
        if (r >= 0)
                r = candidate_append_signatures(candidate, *ret_message);
        if (r >= 0)
                r = sd_bus_message_append(*ret_message, "t", client->options.expect);
        if (r < 0)
                return r;
        if (strcmp(member, "Apply") == 0 && OPTION_GIVEN(&client->options, OPTION_CONFIRM_TIMEOUT))
                return sd_bus_message_append(*ret_message, "a{sv}", 1, "confirm-timeout-usec", "t",
                                             client->options.confirm_usec);
        return sd_bus_message_append(*ret_message, "a{sv}", 0);
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

static int fill_json(const Candidate *candidate, const Outcome *outcome, json_object *object)
{
        int r = json_add_text(object, "name", candidate->name);

        if (r >= 0)
                r = json_add_truth(object, "changed", outcome->changed);
        if (r >= 0 && outcome->generation > 0)
                r = json_add_number(object, "generation", outcome->generation);
        if (r >= 0)
                r = json_add(object, "changes", json_object_get(outcome->changes));
        return r < 0 ? r : json_add(object, "diagnostics", json_object_get(outcome->remarks));
}

static int print_json(const Candidate *candidate, const Outcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? fill_json(candidate, outcome, object) : -ENOMEM;

        if (r >= 0)
                output_json(object);
        return r;
}

static void print_diff(const Candidate *candidate, const Outcome *outcome)
{
        char before[128];

        snprintf(before, sizeof(before), "%s in force", candidate->name);
        changes_print_diff(outcome->changes, before, candidate->document.label);
}

/* The changes, in the form that was asked for. */
static void print_changes(const Client *client, const Candidate *candidate, const Outcome *outcome)
{
        if (OPTION_GIVEN(&client->options, OPTION_DIFF))
                print_diff(candidate, outcome);
        else
                changes_print(outcome->changes);
}

static void print_plan(const Client *client, const Candidate *candidate, const Outcome *outcome)
{
        size_t n = json_object_array_length(outcome->changes);

        fflush(stdout);
        if (!OPTION_GIVEN(&client->options, OPTION_QUIET))
                remarks_print(outcome->remarks, &candidate->document, stderr);
        print_changes(client, candidate, outcome);
        if (!outcome->changed)
                fputs("Nothing would change: this is in force as ", stdout);
        else if (n == 0)
                fputs("The text would change, and no entry, of ", stdout);
        else
                fputs("These entries would change in ", stdout);
        output_text(stdout, candidate->name);
        fputs(".\n", stdout);
}

static ExitStatus run_plan(Client *client, const Candidate *candidate)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = candidate_send(client, candidate, fill_message, "Plan", &reply);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = read_outcome(reply, &outcome);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(candidate, &outcome);
        else if (r >= 0)
                print_plan(client, candidate, &outcome);
        if (r < 0)
                return failure_of_reply(client, &candidate->call, r);
        return outcome.changed && OPTION_GIVEN(&client->options, OPTION_CHECK) ? STATUS_WOULD_CHANGE
                                                                               : STATUS_DONE;
}

/* A plan first, for its warnings. Nobody is asked for it: without leave for it there are none, and
 * what else goes wrong is told by what follows. */
static void look_for_remarks(Client *client, const Candidate *candidate, Outcome *outcome)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        const Call call = {.attempt = "look through the policy"};
        Outcome plan = {0};
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = fill_message(client, candidate, "Plan", &message);

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
static int begin_apply(Client *client, const Candidate *candidate, Outcome *outcome)
{
        outcome->remarks = json_object_new_array();
        if (!outcome->remarks)
                return -ENOMEM;
        if (OPTION_GIVEN(&client->options, OPTION_QUIET))
                return 0;
        look_for_remarks(client, candidate, outcome);
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                remarks_print(outcome->remarks, &candidate->document, stderr);
        return 0;
}

static void print_apply(const Client *client, const Candidate *candidate, const Outcome *outcome)
{
        print_changes(client, candidate, outcome);
        output_text(stdout, candidate->name);
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

static ExitStatus run_apply(Client *client, const Candidate *candidate)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = begin_apply(client, candidate, &outcome);
        if (r < 0)
                return failure_of_reply(client, &candidate->call, r);
        status = candidate_send(client, candidate, fill_message, "Apply", &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &outcome.changed, &outcome.generation);
        if (r >= 0)
                r = changes_read(reply, &outcome.changes);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON)) {
                r = print_json(candidate, &outcome);
        } else if (r >= 0) {
                print_apply(client, candidate, &outcome);
                print_trial(client, &outcome);
        }
        return r < 0 ? failure_of_reply(client, &candidate->call, r) : STATUS_DONE;
}

ExitStatus verb_plan(Client *client, char **arguments)
{
        _cleanup_(candidate_deinit) Candidate candidate = {0};
        ExitStatus status = candidate_load(client, arguments[0], &plan_doing, &candidate);

        return status == STATUS_DONE ? run_plan(client, &candidate) : status;
}

ExitStatus verb_apply(Client *client, char **arguments)
{
        _cleanup_(candidate_deinit) Candidate candidate = {0};
        ExitStatus status;

        if (OPTION_GIVEN(&client->options, OPTION_CHECK))
                return verb_plan(client, arguments);
        status = candidate_load(client, arguments[0], &apply_doing, &candidate);
        return status == STATUS_DONE ? run_apply(client, &candidate) : status;
}

/* ---- diff ---- */

/* What the files would change, for --json. */
typedef struct Differences {
        json_object *policies;
        int changed;
} Differences;

static int add_difference(const Candidate *candidate, const Outcome *outcome,
                          Differences *differences)
{
        json_object *object = json_object_new_object();

        if (!object || fill_json(candidate, outcome, object) < 0) {
                json_object_put(object);
                return -ENOMEM;
        }
        return json_add(differences->policies, NULL, object);
}

/* A text may differ that says the same. */
static void print_difference(const Client *client, const Candidate *candidate,
                             const Outcome *outcome)
{
        fflush(stdout);
        if (!OPTION_GIVEN(&client->options, OPTION_QUIET))
                remarks_print(outcome->remarks, &candidate->document, stderr);
        print_diff(candidate, outcome);
        if (!outcome->changed || json_object_array_length(outcome->changes) > 0)
                return;
        fputs("The text differs, and no entry, of ", stdout);
        output_text(stdout, candidate->name);
        fputs(".\n", stdout);
}

static ExitStatus compare(Client *client, const char *path, Differences *differences)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(candidate_deinit) Candidate candidate = {0};
        _cleanup_(outcome_deinit) Outcome outcome = {0};
        ExitStatus status = candidate_load(client, path, &plan_doing, &candidate);
        int r;

        if (status == STATUS_DONE)
                status = candidate_send(client, &candidate, fill_message, "Plan", &reply);
        if (status != STATUS_DONE)
                return status;
        r = read_outcome(reply, &outcome);
        differences->changed |= outcome.changed;
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = add_difference(&candidate, &outcome, differences);
        else if (r >= 0)
                print_difference(client, &candidate, &outcome);
        return r < 0 ? failure_of_reply(client, &candidate.call, r) : STATUS_DONE;
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
