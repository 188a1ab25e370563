/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Summary: how much happened, without saying what: once a second at most, and never without cause.
 */
#include <string.h>

#include "event/internal.h"
#include "util/log.h"

#define SUMMARY_USEC 1000000u

static int on_second(sd_event_source *source, uint64_t now, void *userdata)
{
        EventHub *hub = userdata;
        EventSummary summary = hub->summary;

        hub->summary = (EventSummary){};
        hub->has_summary = 0;
        hub_journal_tell_missed(hub);
        if (hub->listener)
                hub->listener->on_summary(hub->listener->userdata, &summary);
        return 0;
}

int summary_init(EventHub *hub)
{
        int r = sd_event_add_time_relative(hub->config.loop, &hub->summary_timer, CLOCK_MONOTONIC,
                                           SUMMARY_USEC, 0, on_second, hub);

        return r < 0 ? r : sd_event_source_set_enabled(hub->summary_timer, SD_EVENT_OFF);
}

/* The second begins with the first event in it. */
static void begin(EventHub *hub)
{
        int r;

        if (hub->has_summary)
                return;
        hub->has_summary = 1;
        r = sd_event_source_set_time_relative(hub->summary_timer, SUMMARY_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(hub->summary_timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_errno(r, "What happened cannot be summed up");
}

void summary_count(EventHub *hub, const struct event *event)
{
        EventSummary *summary = &hub->summary;
        uint64_t n = event->count ? event->count : 1;

        begin(hub);
        if (summary->first == 0)
                summary->first = event->seq;
        if (event->seq > summary->last)
                summary->last = event->seq;
        if (event->hook >= N_HOOKS)
                return;
        if (event->verdict == VERDICT_DENIED)
                summary->denied[event->hook] += n;
        else
                summary->audited[event->hook] += n;
}

void summary_count_lost(EventHub *hub, uint64_t n)
{
        begin(hub);
        hub->summary.lost += n;
}
