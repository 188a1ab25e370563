/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: where a reader asks what was decided, or opens a stream of what is. */
#include <errno.h>
#include <string.h>

#include "bus/objects.h"
#include "util/cleanup.h"

static int describe_open(Request *request, sd_bus_error *error)
{
        return request_read_filter(request, error);
}

static int run_open(Request *request, sd_bus_error *error)
{
        _cleanup_(closep) int fd = -1;
        uint64_t seq = 0;
        int r = event_hub_open(request->server->config.hub, request->uid, &request->filter, &fd,
                               &seq);

        if (r == -EMFILE)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "as many streams are open as may be");
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(request->message, "ht", fd, seq);
}

/* ---- Query ---- */

static int describe_query(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "tt", &request->since_usec,
                                    &request->until_usec);

        if (r >= 0)
                r = request_read_filter(request, error);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "u", &request->limit);
        if (r < 0)
                return r;
        if (request->limit > EVENT_RECENT_MAX)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "the limit is at most %u; 0 is the same",
                                         EVENT_RECENT_MAX);
        return 0;
}

typedef struct QueryReply {
        sd_bus_message *reply;
        EventPlus plus;
} QueryReply;

static int answer_event(void *userdata, const EventView *view)
{
        const QueryReply *answer = userdata;

        return append_event(answer->reply, view, &answer->plus);
}

static int answer_archived(void *userdata, const char *text, uint64_t realtime_usec)
{
        const QueryReply *answer = userdata;

        return append_told(answer->reply, text, realtime_usec);
}

static int count_event(void *userdata, const EventView *view)
{
        ++*(size_t *) userdata;
        return 0;
}

/* What is no longer remembered, and may be in the journal. */
static int answer_from_journal(Request *request, const EventQuery *query, QueryReply *answer)
{
        EventHub *hub = request->server->config.hub;
        EventArchiveQuery archived = {
                .filter = &request->filter,
                .since_usec = request->since_usec,
                .until_usec = request->until_usec,
        };
        size_t n = 0;
        int r;

        if (!event_hub_has_journal(hub))
                return 0;
        r = event_hub_query(hub, query, count_event, &n);
        if (r < 0)
                return r;
        archived.limit = query->limit - n;
        archived.before_seq = event_hub_oldest_seq(hub);
        return event_archive_query(&archived, answer_archived, answer);
}

static int run_query(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint64_t boot_usec = events_boot_usec();
        /* The end of a microsecond is in it. */
        uint64_t until_ns = events_since_boot_ns(request->until_usec, boot_usec);
        const EventQuery query = {
                .filter = &request->filter,
                .since_ns = events_since_boot_ns(request->since_usec, boot_usec),
                .until_ns = until_ns < UINT64_MAX - 999 ? until_ns + 999 : UINT64_MAX,
                .limit = request->limit ? request->limit : EVENT_RECENT_MAX,
        };
        int r = sd_bus_message_new_method_return(request->message, &reply);
        QueryReply answer;

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        answer = (QueryReply){reply, {.boot_usec = boot_usec}};
        if (r >= 0)
                r = answer_from_journal(request, &query, &answer);
        if (r == -EXFULL)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "too much of the journal would have to be read: ask for "
                                        "less time, or for what is easier to find than a path");
        if (r >= 0)
                r = event_hub_query(request->server->config.hub, &query, answer_event, &answer);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* ---- properties ---- */

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const BusServer *server = userdata;
        EventTotals totals;

        event_hub_totals(server->config.hub, &totals);
        if (strcmp(property, "Delivered") == 0)
                return sd_bus_message_append(reply, "t", totals.delivered);
        if (strcmp(property, "Suppressed") == 0)
                return sd_bus_message_append(reply, "t", totals.suppressed);
        if (strcmp(property, "Lost") == 0)
                return sd_bus_message_append(reply, "t", totals.lost);
        return sd_bus_message_append(reply, "t",
                                     totals.delivered + totals.suppressed + totals.lost);
}

#define METHODS(ROW)                                                                               \
        ROW(Open, READ_EVENTS, ("a{sv}", filter), ("h", stream, "t", seq), describe_open,          \
            run_open)                                                                              \
        ROW(Query, READ_EVENTS, ("t", since, "t", until, "a{sv}", filter, "u", limit),             \
            ("aa{sv}", events), describe_query, run_query)                                         \
        ROW(Simulate, READ_EVENTS,                                                                 \
            ("s", name, "s", document, "t", since, "u", limit, "a{sv}", options),                  \
            ("aa{sv}", events), describe_simulate, run_simulate)                                   \
        ROW(Subscribe, READ_EVENTS, (NULL), (NULL), describe_nothing, run_subscribe)               \
        ROW(Unsubscribe, READ_EVENTS, (NULL), (NULL), describe_nothing, run_unsubscribe)           \
        ROW(AllowFor, ALLOW_TEMPORARILY, ("t", event_seq, "t", ttl_usec, "a{sv}", options),        \
            ("o", exception), describe_allow_for, run_allow_for)

METHODS(GATE_ENTRY)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("a{sv}", event), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Summary",
                                SD_BUS_ARGS("t", first, "t", last, "a{st}", counts, "t", lost), 0),
        SD_BUS_PROPERTY("Emitted", "t", get, 0, 0),
        SD_BUS_PROPERTY("Delivered", "t", get, 0, 0),
        SD_BUS_PROPERTY("Suppressed", "t", get, 0, 0),
        SD_BUS_PROPERTY("Lost", "t", get, 0, 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

static int path_at(const BusServer *server, size_t i, char **ret_path)
{
        if (i > 0)
                return 0;
        *ret_path = strdup(EVENTS_PATH);
        return *ret_path ? 1 : -ENOMEM;
}

const ManagedKind managed_events = {EVENTS_INTERFACE, vtable, path_at};

int events_object_add(BusServer *server)
{
        return sd_bus_add_object_vtable(server->bus, NULL, EVENTS_PATH, EVENTS_INTERFACE, vtable,
                                        server);
}
