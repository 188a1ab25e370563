/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* simulate: what a document would have decided about what happened, were it in force. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "candidate.h"
#include "event-line.h"
#include "failure.h"
#include "output.h"
#include "reply.h"

#define DAY_USEC (24ull * 3600 * 1000000)

/* What was counted. */
typedef struct Tally {
        uint64_t n_events, n_otherwise, n_unknown;
} Tally;

static int is_otherwise(json_object *event)
{
        const char *would = json_text(event, "would");

        return strcmp(would, "unknown") != 0 && strcmp(would, json_text(event, "verdict")) != 0;
}

static Tally tally_of(json_object *events)
{
        Tally tally = {.n_events = json_object_array_length(events)};

        for (size_t i = 0; i < tally.n_events; i++) {
                json_object *event = json_object_array_get_idx(events, i);

                tally.n_otherwise += is_otherwise(event);
                tally.n_unknown += strcmp(json_text(event, "would"), "unknown") == 0;
        }
        return tally;
}

/* Those alone that would come out otherwise. */
static void print_event(json_object *event)
{
        const char *would = json_text(event, "would");
        Colour colour = strcmp(would, "denied") == 0    ? COLOUR_BAD
                        : strcmp(would, "audited") == 0 ? COLOUR_DOUBTFUL
                                                        : COLOUR_GOOD;

        event_print(event, json_number(event, "realtime_usec") - json_number(event, "time_usec"));
        printf("\n    would be %s", colour_sequence(colour));
        output_text(stdout, would);
        fputs(colour_sequence(COLOUR_NONE), stdout);
        if (*json_text(event, "would_policy")) {
                fputs(" by ", stdout);
                output_text(stdout, json_text(event, "would_policy"));
                printf(":%" PRIu64 ": ", json_number(event, "would_line"));
                output_text(stdout, json_text(event, "would_rule"));
        } else {
                fputs(": no rule decides it", stdout);
        }
        putchar('\n');
}

static void print_all(json_object *events)
{
        Tally tally = tally_of(events);

        for (size_t i = 0; i < tally.n_events; i++) {
                json_object *event = json_object_array_get_idx(events, i);

                if (is_otherwise(event))
                        print_event(event);
        }
        printf("%" PRIu64 " events, %" PRIu64 " would be decided otherwise", tally.n_events,
               tally.n_otherwise);
        if (tally.n_unknown > 0)
                printf(", of %" PRIu64 " it cannot be told", tally.n_unknown);
        fputs(".\n", stdout);
}

static int print_json(json_object *events)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        Tally tally = tally_of(events);
        int r = object ? json_add_number(object, "otherwise", tally.n_otherwise) : -ENOMEM;

        if (r >= 0)
                r = json_add_number(object, "unknown", tally.n_unknown);
        if (r >= 0)
                r = json_add(object, "events", json_object_get(events));
        if (r >= 0)
                output_json(object);
        return r;
}

static int append_options(const Candidate *candidate, sd_bus_message *message)
{
        int r = sd_bus_message_open_container(message, 'a', "{sv}");

        if (r < 0 || candidate->n_signatures == 0)
                return r < 0 ? r : sd_bus_message_close_container(message);
        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", "signatures");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "as");
        if (r >= 0)
                r = candidate_append_signatures(candidate, message);
        for (unsigned i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(message);
        return r;
}

static int fill_message(const Client *client, const Candidate *candidate, const char *member,
                        sd_bus_message **ret_message)
{
        uint64_t now = (uint64_t) time(NULL) * 1000000u;
        uint64_t age =
                OPTION_GIVEN(&client->options, OPTION_FOR) ? client->options.for_usec : DAY_USEC;
        int r = connection_message(client->connection, EVENTS_PATH, EVENTS_INTERFACE, member,
                                   ret_message);

        if (r >= 0)
                r = sd_bus_message_append(*ret_message, "sstu", candidate->name,
                                          candidate->document.text, now > age ? now - age : 0, 0);
        return r < 0 ? r : append_options(candidate, *ret_message);
}

ExitStatus verb_simulate(Client *client, char **arguments)
{
        static const Doing doing = {"simulate", "read-events"};
        _cleanup_(candidate_deinit) Candidate candidate = {0};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_putp) json_object *events = NULL;
        ExitStatus status = candidate_load(client, arguments[0], &doing, &candidate);
        int r;

        if (status == STATUS_DONE)
                status = candidate_send(client, &candidate, fill_message, "Simulate", &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_value(reply, &events);
        if (r >= 0 && !json_object_is_type(events, json_type_array))
                r = -EBADMSG;
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                r = print_json(events);
        else if (r >= 0)
                print_all(events);
        return r < 0 ? failure_of_reply(client, &candidate.call, r) : STATUS_DONE;
}
