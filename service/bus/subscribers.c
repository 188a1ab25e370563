/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscribers: who is sent each event as a signal of its own, and the summary that all may hear.
 * Nothing here waits: what a subscriber is sent is bounded by the second and by what the bus has
 * not yet taken from us, and what is beyond is counted and told with the next event. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/caller.h"
#include "bus/objects.h"
#include "util/cleanup.h"
#include "util/log.h"

#define SUBSCRIBERS_PER_UID 4u
#define EVENTS_PER_SECOND 256u /* to each; who wants all of a flood opens a stream */
#define UNSENT_MAX 4096u       /* messages that wait for the bus */
#define USEC_PER_SEC 1000000u

struct Subscriber {
        BusServer *server;
        char *name; /* unique on the bus */
        uid_t uid;
        sd_bus_slot *vanished;
        CallerQuery *query; /* whether it was gone before we watched */
        uint64_t lost;      /* not yet told */
        uint64_t second_usec;
        unsigned n_in_second;
};

static Subscriber *subscriber_free(Subscriber *subscriber)
{
        if (!subscriber)
                return NULL;
        caller_query_free(subscriber->query);
        sd_bus_slot_unref(subscriber->vanished);
        free(subscriber->name);
        free(subscriber);
        return NULL;
}
DEFINE_CLEANUP(Subscriber *, subscriber_free);

/* ---- coming and going ---- */

static void drop(BusServer *server, const char *name)
{
        size_t *n = &server->listener.n_readers;

        for (size_t i = 0; i < *n; i++) {
                if (strcmp(server->subscribers[i]->name, name) != 0)
                        continue;
                subscriber_free(server->subscribers[i]);
                server->subscribers[i] = server->subscribers[--*n];
                return;
        }
}

static int on_vanished(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const Subscriber *subscriber = userdata;
        const char *name, *old_owner, *new_owner;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 ||
            new_owner[0] == '\0')
                drop(subscriber->server, subscriber->name);
        return 0;
}

/* Without the match nobody would tell us: then there is no subscription. */
static int on_watching(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const Subscriber *subscriber = userdata;

        if (sd_bus_message_is_method_error(m, NULL))
                drop(subscriber->server, subscriber->name);
        return 0;
}

static void on_still_there(void *userdata, int result, uid_t uid)
{
        Subscriber *subscriber = userdata;

        subscriber->query = caller_query_free(subscriber->query);
        if (result < 0)
                drop(subscriber->server, subscriber->name);
}

/* sd_bus_track would wait for the bus; see call_watch() in gate.c. */
static int watch(Subscriber *subscriber)
{
        sd_bus *bus = subscriber->server->bus;
        char match[512];
        int n = snprintf(match, sizeof(match),
                         "type='signal',sender='org.freedesktop.DBus',"
                         "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                         "member='NameOwnerChanged',arg0='%s'",
                         subscriber->name);
        int r;

        if (n < 0 || (size_t) n >= sizeof(match))
                return -EINVAL;
        r = sd_bus_add_match_async(bus, &subscriber->vanished, match, on_vanished, on_watching,
                                   subscriber);
        if (r < 0)
                return r;
        return caller_query_new(&subscriber->query, bus, subscriber->name, on_still_there,
                                subscriber);
}

static const Subscriber *find(const BusServer *server, const char *name)
{
        for (size_t i = 0; i < server->listener.n_readers; i++)
                if (strcmp(server->subscribers[i]->name, name) == 0)
                        return server->subscribers[i];
        return NULL;
}

static int is_at_limit(const BusServer *server, uid_t uid)
{
        size_t n = server->listener.n_readers;
        unsigned n_of_uid = 0;

        for (size_t i = 0; i < n; i++)
                n_of_uid += server->subscribers[i]->uid == uid;
        return n >= SUBSCRIBERS_MAX || n_of_uid >= SUBSCRIBERS_PER_UID;
}

static int subscribe(BusServer *server, const char *name, uid_t uid)
{
        _cleanup_(subscriber_freep) Subscriber *subscriber = calloc(1, sizeof(*subscriber));
        int r;

        if (!subscriber)
                return -ENOMEM;
        subscriber->server = server;
        subscriber->uid = uid;
        subscriber->name = strdup(name);
        if (!subscriber->name)
                return -ENOMEM;
        r = watch(subscriber);
        if (r < 0)
                return r;
        server->subscribers[server->listener.n_readers++] = TAKE_PTR(subscriber);
        return 0;
}

int run_subscribe(Request *request, sd_bus_error *error)
{
        const char *name = sd_bus_message_get_sender(request->message);
        BusServer *server = request->server;
        int r = 0;

        if (!find(server, name)) {
                if (is_at_limit(server, request->uid))
                        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                "as many subscribe as may");
                r = subscribe(server, name, request->uid);
        }
        return r < 0 ? r : sd_bus_reply_method_return(request->message, NULL);
}

int run_unsubscribe(Request *request, sd_bus_error *error)
{
        drop(request->server, sd_bus_message_get_sender(request->message));
        return sd_bus_reply_method_return(request->message, NULL);
}

/* ---- telling ---- */

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

static int may_send(Subscriber *subscriber)
{
        uint64_t now = now_usec(), n_unsent = 0;

        if (now - subscriber->second_usec >= USEC_PER_SEC) {
                subscriber->second_usec = now;
                subscriber->n_in_second = 0;
        }
        if (sd_bus_get_n_queued_write(subscriber->server->bus, &n_unsent) < 0 ||
            n_unsent >= UNSENT_MAX)
                return 0;
        return subscriber->n_in_second++ < EVENTS_PER_SECOND;
}

static int send_event(const Subscriber *subscriber, const EventView *view)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const EventPlus plus = {.boot_usec = events_boot_usec(), .lost = subscriber->lost};
        sd_bus *bus = subscriber->server->bus;
        int r = sd_bus_message_new_signal(bus, &m, EVENTS_PATH, EVENTS_INTERFACE, "Event");

        if (r >= 0)
                r = append_event(m, view, &plus);
        if (r >= 0)
                r = sd_bus_message_set_destination(m, subscriber->name);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

static int on_event(void *userdata, const EventView *view)
{
        BusServer *server = userdata;
        int n_sent = 0;

        for (size_t i = 0; i < server->listener.n_readers; i++) {
                Subscriber *subscriber = server->subscribers[i];

                if (!may_send(subscriber) || send_event(subscriber, view) < 0) {
                        subscriber->lost++;
                        continue;
                }
                subscriber->lost = 0;
                n_sent++;
        }
        return n_sent > 0 ? n_sent : -1;
}

static void on_lost(void *userdata, uint64_t n)
{
        BusServer *server = userdata;

        for (size_t i = 0; i < server->listener.n_readers; i++)
                server->subscribers[i]->lost += n;
}

static int append_count(sd_bus_message *m, enum hook hook, const char *verdict, uint64_t count)
{
        char key[64];

        if (count == 0)
                return 0;
        snprintf(key, sizeof(key), "%s/%s", hook_to_string(hook), verdict);
        return sd_bus_message_append(m, "{st}", key, count);
}

static int send_summary(sd_bus *bus, const EventSummary *summary)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_signal(bus, &m, EVENTS_PATH, EVENTS_INTERFACE, "Summary");

        if (r >= 0)
                r = sd_bus_message_append(m, "tt", summary->first, summary->last);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{st}");
        for (enum hook hook = 0; r >= 0 && hook < N_HOOKS; hook++) {
                r = append_count(m, hook, "denied", summary->denied[hook]);
                if (r >= 0)
                        r = append_count(m, hook, "audited", summary->audited[hook]);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "t", summary->lost);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

static void on_summary(void *userdata, const EventSummary *summary)
{
        const BusServer *server = userdata;
        int r = server->bus ? send_summary(server->bus, summary) : 0;

        if (r < 0 && r != -ENOTCONN)
                log_errno(r, "Cannot tell what happened");
}

/* ---- life ---- */

void subscribers_init(BusServer *server)
{
        server->listener = (EventListener){.on_event = on_event,
                                           .on_lost = on_lost,
                                           .on_summary = on_summary,
                                           .userdata = server};
        event_hub_listen(server->config.hub, &server->listener);
}

void subscribers_drop(BusServer *server)
{
        while (server->listener.n_readers > 0)
                subscriber_free(server->subscribers[--server->listener.n_readers]);
}
