/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mode: whether what a policy denies is denied, or only recorded: everywhere, or at one hook. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

/* What has a mode: the service, or one hook of it. */
typedef struct ModeOf {
        char attempt[128];
        Call call;
        json_object *properties; /* as they are now; NULL: not asked for */
        const char *path, *interface;
} ModeOf;

static void mode_of_deinit(ModeOf *of)
{
        json_object_put(of->properties);
}

typedef struct ModeOutcome {
        const char *mode;
        int changed;
        uint64_t generation;
} ModeOutcome;

/* "the mode", "the mode of the hook file_open" */
static void print_subject(const Client *client, const char *begin)
{
        fputs(begin, stdout);
        if (client->options.hook)
                fputs(" of the hook ", stdout);
        output_text(stdout, client->options.hook ? client->options.hook : "");
}

static ExitStatus find_hook(Client *client, ModeOf *of)
{
        ExitStatus status = query_hook(client, &of->call, client->options.hook, &of->properties);

        of->path = status == STATUS_DONE ? json_text(of->properties, "object") : "";
        of->interface = HOOK_INTERFACE;
        return status;
}

static ExitStatus find(Client *client, const char *mode, ModeOf *of)
{
        const char *hook = client->options.hook;

        snprintf(of->attempt, sizeof(of->attempt), "%s the mode%s%s%s%s", mode ? "set" : "show",
                 hook ? " of the hook " : "", hook ? hook : "", mode ? " to " : "",
                 mode ? mode : "");
        of->call = (Call){.attempt = of->attempt};
        if (hook)
                return find_hook(client, of);
        of->path = SERVICE_PATH;
        of->interface = MANAGER_INTERFACE;
        if (mode && !(client->options.given & (OPTION_BIT(OPTION_CHECK) | OPTION_BIT(OPTION_DIFF))))
                return client_connect(client);
        return query_manager(client, &of->call, &of->properties);
}

static int fill_json(const Client *client, json_object *object, const ModeOutcome *outcome)
{
        int r = client->options.hook ? json_add_text(object, "hook", client->options.hook) : 0;

        if (r >= 0)
                r = json_add_text(object, "mode", outcome->mode);
        if (r >= 0 && outcome->changed >= 0)
                r = json_add_truth(object, "changed", outcome->changed);
        if (r >= 0 && (outcome->generation > 0 || !client->options.hook))
                r = json_add_number(object, "generation", outcome->generation);
        return r;
}

static ExitStatus print_json(const Client *client, const ModeOutcome *outcome)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || fill_json(client, object, outcome) < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Memory is short; what was asked is done.");
        output_json(object);
        return STATUS_DONE;
}

static ExitStatus show_mode(const Client *client, const ModeOf *of)
{
        ModeOutcome outcome = {.mode = json_text(of->properties, "mode"),
                               .changed = -1,
                               .generation = json_number(of->properties, "generation")};

        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return print_json(client, &outcome);
        output_text(stdout, outcome.mode);
        putchar('\n');
        return STATUS_DONE;
}

static void print_diff(const ModeOf *of, const char *mode)
{
        printf("--- mode in force\n+++ mode\n%s- ", colour_sequence(COLOUR_BAD));
        output_text(stdout, json_text(of->properties, "mode"));
        printf("%s\n%s+ %s%s\n", colour_sequence(COLOUR_NONE), colour_sequence(COLOUR_GOOD), mode,
               colour_sequence(COLOUR_NONE));
}

/* Whether it would be another mode. */
static ExitStatus check_mode(const Client *client, const ModeOf *of, const char *mode)
{
        ModeOutcome outcome = {.mode = mode,
                               .changed = strcmp(json_text(of->properties, "mode"), mode) != 0,
                               .generation = json_number(of->properties, "generation")};
        ExitStatus status = STATUS_DONE;

        if (OPTION_GIVEN(&client->options, OPTION_JSON)) {
                status = print_json(client, &outcome);
        } else {
                if (outcome.changed && OPTION_GIVEN(&client->options, OPTION_DIFF))
                        print_diff(of, mode);
                print_subject(client, "The mode");
                printf(outcome.changed ? " would be %s.\n" : " is %s already.\n", mode);
        }
        return status == STATUS_DONE && outcome.changed ? STATUS_WOULD_CHANGE : status;
}

static ExitStatus print_outcome(const Client *client, const ModeOf *of, const ModeOutcome *outcome)
{
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return print_json(client, outcome);
        if (outcome->changed && OPTION_GIVEN(&client->options, OPTION_DIFF))
                print_diff(of, outcome->mode);
        print_subject(client, "The mode");
        printf(outcome->changed ? " is now %s: generation %" PRIu64 ".\n"
                                : " was %s already: still generation %" PRIu64 ".\n",
               outcome->mode, outcome->generation);
        return STATUS_DONE;
}

static ExitStatus set_mode(Client *client, const ModeOf *of, const char *mode)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ModeOutcome outcome = {.mode = mode};
        ExitStatus status;
        int r;

        r = connection_message(client->connection, of->path, of->interface, "SetMode", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "sa{sv}", mode, 0);
        if (r < 0)
                return failure_of_message(client, &of->call, r);
        status = client_call(client, &of->call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "bt", &outcome.changed, &outcome.generation);
        if (r < 0)
                return failure_of_reply(client, &of->call, r);
        return print_outcome(client, of, &outcome);
}

ExitStatus verb_mode(Client *client, char **arguments)
{
        _cleanup_(mode_of_deinit) ModeOf of = {.path = NULL};
        const char *mode = arguments[0];
        ExitStatus status;

        if (mode && strcmp(mode, "enforce") != 0 && strcmp(mode, "audit") != 0)
                return failure_of_usage("The mode is enforce or audit, not \"%s\".", mode);
        status = find(client, mode, &of);
        if (status != STATUS_DONE)
                return status;
        if (!mode)
                return show_mode(client, &of);
        if (OPTION_GIVEN(&client->options, OPTION_CHECK))
                return check_mode(client, &of, mode);
        of.call.action = strcmp(mode, "enforce") == 0 ? "strengthen" : "weaken";
        return set_mode(client, &of, mode);
}
