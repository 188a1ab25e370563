/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: what was decided, told to whoever asked for it. A record from the kernel's ring gets the
 * name of its rule, becomes one JSON object, and goes to every open stream. What a stream could not
 * take is counted and told in the stream itself. emitted = delivered + suppressed + lost, always.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "abi.h"
#include "policy/image.h"
#include "util/cleanup.h"
#include "util/journal.h"

/* What a reader wants; all that are set must match. Strings: NULL for any. */
typedef struct EventFilter {
        char *policy;
        char *rule; /* its id */
        char *hook;
        char *comm;
        char *path;       /* it, or what is below it, as events tell paths */
        uint32_t verdict; /* 0: any, else VERDICT_… */
        uint32_t uid;     /* UINT32_MAX: any */
        uint32_t pid;     /* 0: any */
        /* UINT64_MAX: any. A stream is sent recent events from this number on first; UINT64_MAX:
         * none. */
        uint64_t since_seq;
} EventFilter;
void event_filter_deinit(EventFilter *filter);

/* Names the rule of an event of a generation. Returns NULL if that image is gone. */
typedef const ImageRule *(*EventNameFunc)(void *userdata, uint64_t generation, uint32_t rule);
/* As backend_visible_path(). */
typedef char *(*EventPathFunc)(void *userdata, uint32_t device, const char *path);

typedef struct EventHubConfig {
        sd_event *loop;
        EventNameFunc name_rule;
        EventPathFunc visible_path;
        void *userdata;
        Journal *journal;        /* or NULL */
        struct tallies *tallies; /* where it is kept what became of events; NULL: in the hub */
        uint64_t delivered, suppressed; /* before these began */
        unsigned journal_rate;          /* events that are written into it in a second; 0: none */
} EventHubConfig;

#define EVENT_STREAMS_MAX 64u /* open at once, in all */
#define EVENT_STREAMS_PER_UID 16u
#define EVENT_RECENT_MAX 1024u /* kept in memory for since_seq */

typedef struct EventHub EventHub;

int event_hub_new(EventHub **ret_hub, const EventHubConfig *config);
EventHub *event_hub_free(EventHub *hub);

/* Takes one record from the ring. */
void event_hub_take(EventHub *hub, const struct event *event);

/* An event that is remembered. All of it belongs to the hub, until the next is taken. */
typedef struct EventView {
        const struct event *event; /* as long as its path is */
        const ImageRule *rule;     /* NULL: no rule is known */
        const char *text;          /* as streams have it */
} EventView;

/* Which of those that are remembered: of all that fit, the last so many. */
typedef struct EventQuery {
        const EventFilter *filter;
        uint64_t since_ns, until_ns; /* since boot, both included */
        size_t limit;
} EventQuery;

typedef int (*EventViewFunc)(void *userdata, const EventView *view);

/* Calls function for each, the oldest first, until it returns a negative errno. Returns what it
 * returned last, or 0. */
int event_hub_query(EventHub *hub, const EventQuery *query, EventViewFunc function, void *userdata);

/* Returns 0, -ENOENT if no event of that number is remembered, or -ENOMEM. */
int event_hub_find(EventHub *hub, uint64_t seq, EventView *ret_view);

/* Which of those in the journal: of all that fit, the last so many. */
typedef struct EventArchiveQuery {
        const EventFilter *filter;
        uint64_t since_usec, until_usec; /* CLOCK_REALTIME, both included */
        uint64_t before_seq;             /* of this boot no others: event_hub_oldest_seq() */
        size_t limit;
} EventArchiveQuery;

/* text: as streams have it. */
typedef int (*EventTextFunc)(void *userdata, const char *text, uint64_t realtime_usec);

/* Calls function for each, the oldest first, until it returns a negative errno. Where there is no
 * journal of this unit there is none. Returns what it returned last, 0, -EXFULL (to find them more
 * would have to be read than is), or -ENOMEM. */
int event_archive_query(const EventArchiveQuery *query, EventTextFunc function, void *userdata);

int event_hub_has_journal(const EventHub *hub);

/* The lowest number of an event that is remembered; UINT64_MAX: none is. */
uint64_t event_hub_oldest_seq(EventHub *hub);

/* What happened in about a second. */
typedef struct EventSummary {
        uint64_t first, last; /* numbers of events; 0 and 0: all were lost */
        uint64_t denied[N_HOOKS], audited[N_HOOKS];
        uint64_t lost; /* in the kernel */
} EventSummary;

/* One who is told as things happen. */
typedef struct EventListener {
        size_t n_readers; /* 0: on_event and on_lost are not called */
        /* Returns how many readers got it, or -1 if none could. */
        int (*on_event)(void *userdata, const EventView *view);
        void (*on_lost)(void *userdata, uint64_t n); /* in the kernel */
        /* At most once a second, and when something happened. */
        void (*on_summary)(void *userdata, const EventSummary *summary);
        void *userdata;
} EventListener;

/* listener must stay until it is taken away with NULL. */
void event_hub_listen(EventHub *hub, const EventListener *listener);

/* Opens a SOCK_SEQPACKET stream for a reader of that uid; ret_seq is the number of the last event
 * before it. The caller owns the descriptor. Takes the filter's strings. Returns 0, -EMFILE
 * (limits) or another negative errno. */
int event_hub_open(EventHub *hub, uint32_t uid, EventFilter *filter, int *ret_fd,
                   uint64_t *ret_seq);

/* lost_in_kernel: backend_event_counters().lost, told to streams as {"lost":n} when it grows. */
void event_hub_note_lost(EventHub *hub, uint64_t lost_in_kernel);

/* An event counts once: delivered if some reader (stream, subscriber or journal) got it, suppressed
 * if none wanted it (the journal wants no more than its rate), lost if those who wanted it could
 * not take it. */
typedef struct EventTotals {
        uint64_t delivered, suppressed, lost;
} EventTotals;
void event_hub_totals(const EventHub *hub, EventTotals *ret_totals);

/* One JSON object, without a line end. rule may be NULL; path is the visible path, may be NULL.
 * Returns a new string or NULL when memory is short. */
char *event_format(const struct event *event, const ImageRule *rule, const char *path);

/* Turns the names of an event (object first, up to the root) into "/a/b". Bytes that are not UTF-8
 * or are control characters become \xNN. Returns a new string or NULL. */
char *event_path(const struct event *event);

DEFINE_CLEANUP(EventHub *, event_hub_free);
