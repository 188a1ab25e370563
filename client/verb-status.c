/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* status: what is enforced, how strongly, and since when, on one screen. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "query.h"

static Colour colour_of_posture(const char *posture)
{
        if (strcmp(posture, "enforcing") == 0)
                return COLOUR_GOOD;
        if (strcmp(posture, "degraded") == 0 || strcmp(posture, "emergency") == 0)
                return COLOUR_BAD;
        return COLOUR_DOUBTFUL;
}

static void print_strings(json_object *object, const char *key, const char *between)
{
        for (size_t i = 0; i < json_count(object, key); i++) {
                json_object *element = json_element(object, key, i);

                if (i > 0)
                        fputs(between, stdout);
                output_text(stdout, json_object_is_type(element, json_type_string)
                                            ? json_object_get_string(element)
                                            : "-");
        }
}

/* A connection's name means nothing to a person. */
static void print_change(json_object *change)
{
        const char *origin = json_text(change, "origin");
        char when[32];

        output_time(json_number(change, "time_usec"), when, sizeof(when));
        if (json_number(change, "time_usec") == 0) {
                printf("Last change  none\n");
                return;
        }
        printf("Last change  %s by uid %" PRIu64, when, json_number(change, "uid"));
        if (*origin && *origin != ':') {
                fputs(", ", stdout);
                output_text(stdout, origin);
        }
        putchar('\n');
}

static void print_emergency(json_object *status)
{
        char when[32];

        if (json_number(status, "emergency_until_usec") == 0)
                return;
        output_time(json_number(status, "emergency_until_usec"), when, sizeof(when));
        printf("Emergency    %suntil %s; 'aegis-client emergency stop' ends it%s\n",
               colour_sequence(COLOUR_BAD), when, colour_sequence(COLOUR_NONE));
}

/* Its end by the clock of the machine that was asked may be past by ours. */
static void print_trial(json_object *status)
{
        uint64_t until = json_number(status, "confirm_until_usec"), now = (uint64_t) time(NULL);
        char when[32];

        if (json_number(status, "confirm_generation") == 0)
                return;
        output_time(until, when, sizeof(when));
        printf("On trial     %sgeneration %" PRIu64 " until %s, %" PRIu64
               " s left; 'aegis-client confirm' keeps it%s\n",
               colour_sequence(COLOUR_DOUBTFUL), json_number(status, "confirm_generation"), when,
               until / 1000000u > now ? until / 1000000u - now : 0, colour_sequence(COLOUR_NONE));
}

static void print_counts(json_object *status)
{
        json_object *hooks = json_object_object_get(status, "hooks");
        json_object *events = json_object_object_get(status, "events");

        printf("Policies     %zu%s", json_count(status, "policies"),
               json_count(status, "policies") > 0 ? ": " : "\n");
        print_strings(status, "policies", ", ");
        if (json_count(status, "policies") > 0)
                putchar('\n');
        printf("Hooks        %" PRIu64 " attached of %" PRIu64 ", %" PRIu64 " required",
               json_number(hooks, "attached"), json_number(hooks, "all"),
               json_number(hooks, "required"));
        if (json_number(hooks, "missing") > 0)
                printf(", %s%" PRIu64 " of these cannot deny%s", colour_sequence(COLOUR_BAD),
                       json_number(hooks, "missing"), colour_sequence(COLOUR_NONE));
        printf("\nEvents       %" PRIu64 ", %" PRIu64 " lost\n", json_number(events, "emitted"),
               json_number(events, "lost"));
}

static void print_status(json_object *status)
{
        const char *posture = json_text(status, "posture"), *digest = json_text(status, "digest");

        printf("Posture      %s", colour_sequence(colour_of_posture(posture)));
        output_text(stdout, posture);
        printf("%s\n", colour_sequence(COLOUR_NONE));
        if (json_count(status, "posture_reasons") > 0) {
                printf("             ");
                print_strings(status, "posture_reasons", "\n             ");
                putchar('\n');
        }
        printf("Mode         ");
        output_text(stdout, json_text(status, "mode"));
        printf("\nGeneration   %" PRIu64 "%s", json_number(status, "generation"),
               *digest ? ", digest " : "");
        output_text(stdout, digest);
        putchar('\n');
        print_emergency(status);
        print_trial(status);
        print_change(json_object_object_get(status, "last_change"));
        print_counts(status);
        printf("Service      aegisd ");
        output_text(stdout, json_text(status, "version"));
        printf(", API %" PRIu64 "\n", json_number(status, "api_version"));
}

ExitStatus verb_status(Client *client, char **arguments)
{
        static const Call call = {.attempt = "show the status"};
        _cleanup_(json_object_putp) json_object *object = NULL, *events = NULL;
        ExitStatus status = query_manager(client, &call, &object);

        if (status == STATUS_DONE)
                status = query_events(client, &call, &events);
        if (status != STATUS_DONE)
                return status;
        if (json_add(object, "events", TAKE_PTR(events)) < 0)
                return failure_of_reply(client, &call, -ENOMEM);
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                output_json(object);
        else
                print_status(object);
        return STATUS_DONE;
}
