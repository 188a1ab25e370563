/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EventHub: see event.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "event/internal.h"
#include "util/array.h"
#include "util/log.h"
#include "util/pages.h"

int event_hub_new(EventHub **ret_hub, const EventHubConfig *config)
{
        _cleanup_(event_hub_freep) EventHub *hub = pages_new(sizeof(*hub));
        int r;

        if (!hub)
                return log_errno(-ENOMEM, "The event hub cannot be set up");
        hub->config = *config;
        hub->tallies = config->tallies ? config->tallies : &hub->own;
        sd_event_ref(hub->config.loop);
        r = summary_init(hub);
        if (r < 0)
                return log_errno(r, "The event hub cannot be set up");
        *ret_hub = TAKE_PTR(hub);
        return 0;
}

EventHub *event_hub_free(EventHub *hub)
{
        if (!hub)
                return NULL;
        while (hub->n_streams > 0)
                event_hub_drop(hub, hub->streams[hub->n_streams - 1]);
        for (size_t i = 0; i < EVENT_RECENT_MAX; i++)
                recent_deinit(&hub->recent[i]);
        rule_name_unref(hub->last_name);
        sd_event_source_disable_unref(hub->summary_timer);
        sd_event_unref(hub->config.loop);
        pages_free(hub, sizeof(*hub));
        return NULL;
}

void event_hub_listen(EventHub *hub, const EventListener *listener)
{
        hub->listener = listener;
}

Recent *event_hub_recent(EventHub *hub, uint64_t position)
{
        return &hub->recent[position % EVENT_RECENT_MAX];
}

uint64_t event_hub_oldest(const EventHub *hub)
{
        return hub->n_taken > EVENT_RECENT_MAX ? hub->n_taken - EVENT_RECENT_MAX : 0;
}

void event_hub_drop(EventHub *hub, Stream *stream)
{
        for (size_t i = 0; i < hub->n_streams; i++) {
                if (hub->streams[i] != stream)
                        continue;
                hub->streams[i] = hub->streams[--hub->n_streams];
                stream_free(stream);
                return;
        }
}

/* From the last to the first, since dropping one puts the last in its place. */
static void pump_all(EventHub *hub)
{
        for (size_t i = hub->n_streams; i > 0; i--)
                if (stream_pump(hub->streams[i - 1]) < 0)
                        event_hub_drop(hub, hub->streams[i - 1]);
}

void event_hub_tally(EventHub *hub, const struct tally *more)
{
        struct tallies *tallies = hub->tallies;
        uint64_t which = tallies->which & 1;
        struct tally tally = tallies->of[which];

        tally.taken += more->taken;
        tally.delivered += more->delivered;
        tally.suppressed += more->suppressed;
        for (size_t ring = 0; ring < ELEMENTS_OF(tally.last_seq); ring++)
                if (more->last_seq[ring])
                        tally.last_seq[ring] = more->last_seq[ring];
        tallies->of[which ^ 1] = tally;
        __atomic_store_n(&tallies->which, which ^ 1, __ATOMIC_SEQ_CST);
}

/* ---- taking events ---- */

static void make_room(EventHub *hub)
{
        uint64_t position = hub->n_taken - EVENT_RECENT_MAX;
        Recent *leaving;

        if (hub->n_taken < EVENT_RECENT_MAX)
                return;
        leaving = event_hub_recent(hub, position);
        for (size_t i = 0; i < hub->n_streams; i++)
                stream_let_go(hub->streams[i], leaving, position);
        recent_deinit(leaving);
}

static int is_wanted(const EventHub *hub, Recent *recent, uint64_t position)
{
        for (size_t i = 0; i < hub->n_streams; i++)
                if (stream_wants(hub->streams[i], recent, position))
                        return 1;
        return 0;
}

/* Returns 1 if somebody got it, 0 if nobody wants it, -1 if who wants it could not be told. */
static int tell_listener(EventHub *hub, Recent *recent)
{
        EventView view;
        int n;

        if (!hub->listener || hub->listener->n_readers == 0)
                return 0;
        if (recent_view(hub, recent, &view) < 0) {
                hub->listener->on_lost(hub->listener->userdata, recent->count);
                return -1;
        }
        n = hub->listener->on_event(hub->listener->userdata, &view);
        return n > 0 ? 1 : -1;
}

/* Whoever was killed between counting an event and giving its room in the ring back leaves it to
 * the next, who tells it again and does not count it. */
static int was_counted(EventHub *hub, const struct event *event, size_t ring)
{
        const struct tally *tally = &hub->tallies->of[hub->tallies->which & 1];

        return !hub->has_begun[ring] && event->seq != 0 && event->seq == tally->last_seq[ring];
}

static void count(EventHub *hub, const struct event *event, Recent *recent, int told)
{
        size_t ring = event->verdict == VERDICT_AUDITED;
        struct tally more = {.taken = recent->count};

        if (was_counted(hub, event, ring)) {
                recent->counted = 1;
                more = (struct tally){};
        } else if (told > 0) {
                recent->counted = 1;
                more.delivered = recent->count;
        } else if (told == 0 && !is_wanted(hub, recent, hub->n_taken)) {
                recent->counted = 1;
                more.suppressed = recent->count;
        }
        more.last_seq[ring] = event->seq;
        hub->has_begun[ring] = 1;
        event_hub_tally(hub, &more);
}

void event_hub_take(EventHub *hub, const struct event *event)
{
        Recent *recent;
        int told, written;

        make_room(hub);
        recent = event_hub_recent(hub, hub->n_taken);
        recent_fill(hub, event, recent);
        told = tell_listener(hub, recent);
        written = hub_journal_tell(hub, recent);
        count(hub, event, recent, told > 0 || written > 0 ? 1 : told < 0 || written < 0 ? -1 : 0);
        summary_count(hub, event);
        hub->n_taken++;
        if (event->seq > hub->last_seq)
                hub->last_seq = event->seq;
        pump_all(hub);
}

void event_hub_note_lost(EventHub *hub, uint64_t lost_in_kernel)
{
        uint64_t more = 0;

        /* What was lost before this service began is told to none of its readers. */
        if (hub->has_kernel_mark && lost_in_kernel > hub->kernel_mark)
                more = lost_in_kernel - hub->kernel_mark;
        if (!hub->has_kernel_mark && hub->config.tallies)
                hub->n_lost_in_kernel = lost_in_kernel;
        hub->has_kernel_mark = 1;
        hub->kernel_mark = lost_in_kernel;
        if (more == 0)
                return;
        hub->n_lost_in_kernel += more;
        summary_count_lost(hub, more);
        if (hub->listener && hub->listener->n_readers > 0)
                hub->listener->on_lost(hub->listener->userdata, more);
        for (size_t i = 0; i < hub->n_streams; i++)
                hub->streams[i]->lost += more;
        pump_all(hub);
}

void event_hub_totals(const EventHub *hub, EventTotals *ret_totals)
{
        const struct tally *tally = &hub->tallies->of[hub->tallies->which & 1];

        *ret_totals = (EventTotals){
                .delivered = tally->delivered + hub->config.delivered,
                .suppressed = tally->suppressed + hub->config.suppressed,
                .lost = tally->taken - tally->delivered - tally->suppressed + hub->n_lost_in_kernel,
        };
}

/* ---- streams ---- */

static int is_at_limit(const EventHub *hub, uint32_t uid)
{
        unsigned n_of_uid = 0;

        for (size_t i = 0; i < hub->n_streams; i++)
                n_of_uid += hub->streams[i]->uid == uid;
        return hub->n_streams >= EVENT_STREAMS_MAX || n_of_uid >= EVENT_STREAMS_PER_UID;
}

int event_hub_open(EventHub *hub, uint32_t uid, EventFilter *filter, int *ret_fd, uint64_t *ret_seq)
{
        _cleanup_(closep) int ours = -1, theirs = -1;
        Stream *stream = NULL;
        int ends[2], r;

        if (is_at_limit(hub, uid))
                return -EMFILE;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
                return log_errno(-errno, "An event stream cannot be opened");
        ours = ends[0];
        theirs = ends[1];
        r = stream_new(&stream, hub, ours, filter);
        if (r < 0)
                return log_errno(r, "An event stream cannot be opened");
        TAKE_FD(ours);
        stream->uid = uid;
        hub->streams[hub->n_streams++] = stream;
        stream_pump(stream);
        *ret_fd = TAKE_FD(theirs);
        *ret_seq = hub->last_seq;
        return 0;
}
