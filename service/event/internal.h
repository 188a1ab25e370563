/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rooms of event/ share. Included by nobody else.
 *
 * The recent events are the one queue of all streams: a stream is a place in it, and is fed from
 * there as fast as its reader takes. What leaves the queue before the reader came that far is lost
 * to that stream, and it is told how many. */
#pragma once

#include "event/event.h"

/* How a rule was called when it decided. */
typedef struct RuleName {
        unsigned n_refs;
        uint64_t generation;
        uint32_t number;
        ImageRule rule; /* of what follows */
        Rule said;
        RuleOptions options;
        char strings[];
} RuleName;
RuleName *rule_name_unref(RuleName *name);

/* One event, and what filters ask about. */
typedef struct Recent {
        struct event *event; /* as long as its path is; NULL: memory was short */
        RuleName *name;      /* NULL: no rule is known */
        char *path;          /* as it is told; NULL: nobody has wanted it yet, or it has none */
        char *text;          /* NULL: nobody has wanted it yet */
        size_t n_text;
        uint64_t seq;
        uint32_t uid;
        uint16_t hook;
        uint8_t verdict;
        uint8_t counted; /* it is among the delivered or the suppressed, or need not be */
        uint64_t count;  /* of accesses that it is of */
} Recent;

typedef struct Stream {
        EventHub *hub;
        int fd;
        uint32_t uid;
        EventFilter filter;
        uint64_t position;      /* of the next event to look at */
        uint64_t replay_before; /* events before this position must satisfy since_seq */
        uint64_t lost;          /* not yet told */
        sd_event_source *watch;
} Stream;

struct EventHub {
        EventHubConfig config;
        const EventListener *listener; /* or NULL */
        EventSummary summary;          /* of what happened since the last was told */
        sd_event_source *summary_timer;
        int has_summary;
        Recent recent[EVENT_RECENT_MAX];
        RuleName *last_name; /* of the last event that had one */
        uint64_t n_taken;    /* also the position of the next event */
        uint64_t last_seq;
        struct tallies own, *tallies; /* what became of events; see event_hub_tally() */
        uint8_t has_begun[2];         /* of denials and audits one was taken since the start */
        uint64_t n_lost_in_kernel, kernel_mark;
        int has_kernel_mark;
        uint64_t journal_paid_until; /* CLOCK_MONOTONIC: all that may be written till then has been
                                      */
        uint64_t n_unwritten;        /* events that are not in the journal, which is not yet told */
        Stream *streams[EVENT_STREAMS_MAX];
        size_t n_streams;
};

typedef enum EventKind {
        EVENT_OF_FILE,
        EVENT_OF_SOCKET,
        EVENT_OF_KERNEL, /* or of a process, or of the service */
} EventKind;
EventKind event_kind(const struct event *event);

void recent_fill(EventHub *hub, const struct event *event, Recent *recent);
void recent_deinit(Recent *recent);
/* It in words, which belong to it; NULL when memory is short. */
const char *recent_text(const EventHub *hub, Recent *recent);

/* The path it is about, likewise; NULL if it is about none. */
const char *recent_path(const EventHub *hub, Recent *recent);

/* Whether a filter lets it through, whatever its number is. */
int recent_fits(const EventHub *hub, Recent *recent, const EventFilter *filter);
/* Whether it is top or below it; path may be NULL. */
int path_is_below(const char *path, const char *top);
/* Gives filter's strings away. */
EventFilter event_filter_take(EventFilter *filter);

/* The same and all else, for those outside. Returns 0 or -ENOMEM. */
int recent_view(const EventHub *hub, Recent *recent, EventView *ret_view);

/* How many were taken, delivered, suppressed: added to what there is, all at once. */
void event_hub_tally(EventHub *hub, const struct tally *more);

/* The event at a position that is still kept. */
Recent *event_hub_recent(EventHub *hub, uint64_t position);
/* The position of the oldest event that is still kept. */
uint64_t event_hub_oldest(const EventHub *hub);

/* fd: a new socket, taken on success. Strings of filter are taken on success. Returns 0 or a
 * negative errno. */
int stream_new(Stream **ret_stream, EventHub *hub, int fd, EventFilter *filter);
Stream *stream_free(Stream *stream);
int stream_wants(const Stream *stream, Recent *recent, uint64_t position);

/* Sends what the reader has room for. Returns 0, or a negative errno when the reader is gone. */
int stream_pump(Stream *stream);

/* The oldest event is about to leave the queue. */
void stream_let_go(Stream *stream, Recent *recent, uint64_t position);

/* journal.c. Returns 1 if the journal has it, 0 if it is not wanted there, -1 if it could not be
 * written. */
int hub_journal_tell(EventHub *hub, Recent *recent);
void hub_journal_tell_missed(EventHub *hub);

/* See summary.c. */
int summary_init(EventHub *hub);
void summary_count(EventHub *hub, const struct event *event);
void summary_count_lost(EventHub *hub, uint64_t n);

/* Takes a stream off the hub and frees it. */
void event_hub_drop(EventHub *hub, Stream *stream);

DEFINE_CLEANUP(Stream *, stream_free);
