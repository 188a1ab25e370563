/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rule add, rule remove: one rule more or less. rule list: the rules in force. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "document.h"
#include "failure.h"
#include "output.h"
#include "query.h"
#include "remark.h"

#define LABEL "entry" /* what the service calls it */

/* ---- add, remove ---- */

typedef struct RuleRequest {
        const char *member, *section;
        char *entry;
        char attempt[128];
        Call call;
} RuleRequest;

static void request_deinit(RuleRequest *request)
{
        free(request->entry);
}

/* A shell has cut the entry into words. */
static char *join_words(char **words)
{
        size_t n = 1;
        char *joined, *end;

        for (char **word = words; *word; word++)
                n += strlen(*word) + 1;
        joined = malloc(n);
        if (!joined)
                return NULL;
        end = stpcpy(joined, words[0]);
        for (char **word = words + 1; *word; word++)
                end = stpcpy(stpcpy(end, " "), *word);
        return joined;
}

/* What the service will ask for, for most rules: it knows all of them. */
static const char *action_of(const RuleRequest *request, int is_check)
{
        int is_add = strcmp(request->member, "AddRule") == 0;

        if (is_check)
                return "plan";
        if (strncmp(request->section, "allow", strlen("allow")) == 0)
                return is_add ? "weaken" : "manage-rules";
        return is_add && strcmp(request->section, "audit") != 0 ? "manage-rules" : "weaken";
}

static ExitStatus request_fill(const Client *client, const char *member, char **arguments,
                               RuleRequest *request)
{
        request->member = member;
        request->section = arguments[0];
        request->entry = join_words(arguments + 1);
        if (!request->entry)
                return failure_say(client, STATUS_FAILED, "Memory is short; try again.");
        snprintf(request->attempt, sizeof(request->attempt), "%s the rule [%s] %s",
                 strcmp(member, "AddRule") == 0 ? "add" : "remove", request->section,
                 request->entry);
        request->call = (Call){
                .attempt = request->attempt,
                .action = action_of(request, OPTION_GIVEN(&client->options, OPTION_CHECK)),
        };
        return STATUS_DONE;
}

static int append_options(sd_bus_message *message, const Options *options)
{
        int r = sd_bus_message_open_container(message, 'a', "{sv}");

        if (r >= 0 && OPTION_GIVEN(options, OPTION_TTL))
                r = sd_bus_message_append(message, "{sv}", "ttl-usec", "t", options->ttl_usec);
        if (r >= 0 && OPTION_GIVEN(options, OPTION_EXPECT))
                r = sd_bus_message_append(message, "{sv}", "expect", "t", options->expect);
        if (r >= 0 && OPTION_GIVEN(options, OPTION_CHECK))
                r = sd_bus_message_append(message, "{sv}", "check", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static ExitStatus say_refused(const Client *client, const RuleRequest *request,
                              const sd_bus_error *error)
{
        const SourceDocument document = {
                .label = (char *) LABEL, .text = request->entry, .n_text = strlen(request->entry)};
        _cleanup_(json_object_putp) json_object *remarks = NULL;

        if (!sd_bus_error_has_name(error, ERROR_PREFIX "InvalidPolicy") || !error->message ||
            remarks_read(error->message, LABEL, &remarks) < 0)
                return failure_of_call(client, &request->call, error);
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                remarks_print(remarks, &document, stderr);
        return failure_of_policy(client, &request->call, error, remarks);
}

static ExitStatus request_send(Client *client, const RuleRequest *request,
                               sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, request->member,
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", request->section, request->entry);
        if (r >= 0)
                r = append_options(message, &client->options);
        if (r < 0)
                return failure_of_message(client, &request->call, r);
        r = connection_call(client->connection, &request->call, message, &error, ret_reply);
        if (r < 0)
                status = say_refused(client, request, &error);
        sd_bus_error_free(&error);
        return status;
}

static int print_json(const RuleRequest *request, int changed, uint64_t generation)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || json_add_text(object, "section", request->section) < 0 ||
            json_add_text(object, "entry", request->entry) < 0 ||
            json_add_truth(object, "changed", changed) < 0 ||
            json_add_number(object, "generation", generation) < 0)
                return -ENOMEM;
        output_json(object);
        return 0;
}

static void print_rule(const RuleRequest *request)
{
        putchar('[');
        output_text(stdout, request->section);
        fputs("] ", stdout);
        output_text(stdout, request->entry);
}

/* The one line that changes. */
static void print_change(const Client *client, const RuleRequest *request)
{
        int is_add = strcmp(request->member, "AddRule") == 0;

        if (OPTION_GIVEN(&client->options, OPTION_DIFF))
                puts("--- runtime in force\n+++ runtime");
        printf("%s%c ", colour_sequence(is_add ? COLOUR_GOOD : COLOUR_BAD), is_add ? '+' : '-');
        print_rule(request);
        printf("%s\n", colour_sequence(COLOUR_NONE));
}

static void print_check(const Client *client, const RuleRequest *request, int changed)
{
        if (changed) {
                print_change(client, request);
                return;
        }
        print_rule(request);
        puts(" is in force: nothing would change.");
}

static void print_outcome(const Client *client, const RuleRequest *request, int changed,
                          uint64_t generation)
{
        if (changed && OPTION_GIVEN(&client->options, OPTION_DIFF))
                print_change(client, request);
        print_rule(request);
        if (strcmp(request->member, "AddRule") != 0)
                printf(" is removed: generation %" PRIu64 ".\n", generation);
        else
                printf(changed ? " is in force: generation %" PRIu64 ".\n"
                               : " was in force already: still generation %" PRIu64 ".\n",
                       generation);
}

static ExitStatus change_rule(Client *client, const char *member, char **arguments)
{
        _cleanup_(request_deinit) RuleRequest request = {0};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitStatus status = request_fill(client, member, arguments, &request);
        int is_check = OPTION_GIVEN(&client->options, OPTION_CHECK), changed, r;
        uint64_t generation;

        if (status == STATUS_DONE)
                status = request_send(client, &request, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &changed, &generation);
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(&request, changed, generation);
        else if (r >= 0 && is_check)
                print_check(client, &request, changed);
        else if (r >= 0)
                print_outcome(client, &request, changed, generation);
        if (r < 0)
                return failure_of_reply(client, &request.call, r);
        return is_check && changed ? STATUS_WOULD_CHANGE : STATUS_DONE;
}

ExitStatus verb_rule_add(Client *client, char **arguments)
{
        return change_rule(client, "AddRule", arguments);
}

ExitStatus verb_rule_remove(Client *client, char **arguments)
{
        return change_rule(client, "RemoveRule", arguments);
}

/* ---- list ---- */

#define PAGE 1000u      /* as many as the service gives at once */
#define PAGES_MAX 1100u /* more rules than a service can hold */
#define ATTEMPTS_MAX 3u /* while others change what is listed */

static ExitStatus read_page(Client *client, const Call *call, const char *policy, uint32_t offset,
                            json_object **ret_page)
{
        static const char *const keys[] = {"section", "entry", "id", "hits"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "ListRules",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "suu", policy, offset, PAGE);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_rows(reply, "ssst", keys, ret_page);
        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

static int move_rows(json_object *rules, json_object *page)
{
        for (size_t i = 0; i < json_object_array_length(page); i++) {
                json_object *row = json_object_array_get_idx(page, i);

                if (json_add(rules, NULL, json_object_get(row)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static ExitStatus read_pages(Client *client, const Call *call, const char *policy,
                             json_object *rules)
{
        for (uint32_t i = 0; i < PAGES_MAX; i++) {
                _cleanup_(json_object_putp) json_object *page = NULL;
                ExitStatus status = read_page(client, call, policy, i * PAGE, &page);

                if (status != STATUS_DONE)
                        return status;
                if (move_rows(rules, page) < 0)
                        return failure_of_reply(client, call, -ENOMEM);
                if (json_object_array_length(page) < PAGE)
                        return STATUS_DONE;
        }
        return failure_of_reply(client, call, -EBADMSG);
}

static ExitStatus read_generation(Client *client, const Call *call, uint64_t *ret_generation)
{
        const Call look = {.attempt = call->attempt};
        _cleanup_(json_object_putp) json_object *manager = NULL;
        ExitStatus status = query_manager(client, &look, &manager);

        if (status == STATUS_DONE)
                *ret_generation = json_number(manager, "generation");
        return status;
}

/* Pages of two generations are no list. */
static ExitStatus read_rules(Client *client, const Call *call, const char *policy,
                             json_object **ret_rules)
{
        for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
                _cleanup_(json_object_putp) json_object *rules = json_object_new_array();
                uint64_t before = 0, after = 0;
                ExitStatus status = read_generation(client, call, &before);

                if (!rules)
                        return failure_of_reply(client, call, -ENOMEM);
                if (status == STATUS_DONE)
                        status = read_pages(client, call, policy, rules);
                if (status == STATUS_DONE)
                        status = read_generation(client, call, &after);
                if (status != STATUS_DONE)
                        return status;
                if (before != after)
                        continue;
                *ret_rules = TAKE_PTR(rules);
                return STATUS_DONE;
        }
        return failure_say(client, STATUS_TRY_AGAIN,
                           "Cannot %s: what is in force changes all the while; try again in a "
                           "moment.",
                           call->attempt);
}

static int print_rules(json_object *rules)
{
        static const char *const headings[] = {"RULE", "SECTION", "ENTRY", "HITS"};
        _cleanup_(table_freep) Table *table = table_new(headings, ELEMENTS_OF(headings));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(rules); i++) {
                json_object *rule = json_object_array_get_idx(rules, i);

                table_add(table, COLOUR_NONE, json_text(rule, "id"));
                table_add(table, COLOUR_NONE, json_text(rule, "section"));
                table_add(table, COLOUR_NONE, json_text(rule, "entry"));
                table_add_number(table, json_number(rule, "hits"));
        }
        return table_print(table);
}

ExitStatus verb_rule_list(Client *client, char **arguments)
{
        char attempt[128] = "list the rules";
        const Call call = {.attempt = attempt, .action = "read-policy"};
        _cleanup_(json_object_putp) json_object *rules = NULL;
        ExitStatus status;

        if (arguments[0])
                snprintf(attempt, sizeof(attempt), "list the rules of %s", arguments[0]);
        status = read_rules(client, &call, arguments[0] ? arguments[0] : "", &rules);
        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return query_print(client, &call, "rules", rules);
        return print_rules(rules) < 0 ? failure_of_reply(client, &call, -ENOMEM) : STATUS_DONE;
}
