/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: which of the remembered events a reader wants. Streams ask the same of each event. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "event/internal.h"
#include "util/fiber.h"

/* ---- filters ---- */

void event_filter_deinit(EventFilter *filter)
{
        free(filter->policy);
        free(filter->rule);
        free(filter->hook);
        free(filter->comm);
        free(filter->path);
        *filter = (EventFilter){.uid = UINT32_MAX, .since_seq = UINT64_MAX};
}

EventFilter event_filter_take(EventFilter *filter)
{
        EventFilter taken = *filter;

        *filter = (EventFilter){.uid = UINT32_MAX, .since_seq = UINT64_MAX};
        return taken;
}

int path_is_below(const char *path, const char *top)
{
        size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);

        return path && strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int rule_fits(const Recent *recent, const EventFilter *filter)
{
        const ImageRule *rule = recent->name ? &recent->name->rule : NULL;
        char id[IMAGE_RULE_ID_SIZE];

        if (filter->policy && (!rule || strcmp(filter->policy, rule->document) != 0))
                return 0;
        return !filter->rule || (rule && strcmp(filter->rule, image_rule_id(rule, id)) == 0);
}

/* What there was no memory for may be anything: it counts as lost, not as unwanted. */
static int details_fit(const EventHub *hub, Recent *recent, const EventFilter *filter)
{
        const struct event *event = recent->event;

        if (!event)
                return 1;
        if (filter->pid != 0 && filter->pid != event->pid)
                return 0;
        if (filter->comm && strncmp(filter->comm, event->comm, EVENT_COMM_SIZE) != 0)
                return 0;
        if (!rule_fits(recent, filter))
                return 0;
        return !filter->path || path_is_below(recent_path(hub, recent), filter->path);
}

int recent_fits(const EventHub *hub, Recent *recent, const EventFilter *filter)
{
        if (filter->verdict != 0 && filter->verdict != recent->verdict)
                return 0;
        if (filter->uid != UINT32_MAX && filter->uid != recent->uid)
                return 0;
        if (filter->hook && strcmp(filter->hook, hook_to_string(recent->hook)) != 0)
                return 0;
        return details_fit(hub, recent, filter);
}

/* ---- looking ---- */

static int is_asked_for(const EventHub *hub, Recent *recent, const EventQuery *query)
{
        const EventFilter *filter = query->filter;

        if (!recent->event || recent->event->time_ns < query->since_ns ||
            recent->event->time_ns > query->until_ns)
                return 0;
        if (filter->since_seq != UINT64_MAX && recent->seq < filter->since_seq)
                return 0;
        return recent_fits(hub, recent, filter);
}

/* The position of the first that is told. */
static uint64_t find_first(EventHub *hub, const EventQuery *query, uint64_t end)
{
        uint64_t position = end, oldest = event_hub_oldest(hub), first = end;

        for (size_t n = 0; n < query->limit && position > oldest; position--) {
                if (!is_asked_for(hub, event_hub_recent(hub, position - 1), query))
                        continue;
                first = position - 1;
                n++;
        }
        return first;
}

/* While others are served in between, events may come, and the oldest leave. */
int event_hub_query(EventHub *hub, const EventQuery *query, EventViewFunc function, void *userdata)
{
        uint64_t end = hub->n_taken, oldest;
        int r = 0;

        for (uint64_t at = find_first(hub, query, end); r >= 0 && at < end; at++) {
                Recent *recent;
                EventView view;

                fiber_pace();
                oldest = event_hub_oldest(hub);
                at = at < oldest ? oldest : at;
                recent = event_hub_recent(hub, at);
                if (at >= end || !is_asked_for(hub, recent, query))
                        continue;
                r = recent_view(hub, recent, &view);
                if (r >= 0)
                        r = function(userdata, &view);
        }
        return r;
}

int event_hub_find(EventHub *hub, uint64_t seq, EventView *ret_view)
{
        for (uint64_t at = hub->n_taken; at > event_hub_oldest(hub); at--) {
                Recent *recent = event_hub_recent(hub, at - 1);

                if (recent->seq == seq && recent->event)
                        return recent_view(hub, recent, ret_view);
        }
        return -ENOENT;
}
