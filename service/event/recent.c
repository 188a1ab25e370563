/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recent: an event as it is kept, in the room it takes. It is put into words when somebody wants to
 * read it, and not before: most never are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/internal.h"

/* ---- how its rule was called ---- */

static const char *put(char **at, const char *text)
{
        char *copy = *at;

        if (!text)
                return NULL;
        *at = stpcpy(copy, text) + 1;
        return copy;
}

static size_t size_of(const char *text)
{
        return text ? strlen(text) + 1 : 0;
}

static RuleName *rule_name_new(uint64_t generation, uint32_t number, const ImageRule *rule)
{
        const Rule *said = rule->rule;
        size_t n = size_of(rule->document) + size_of(said->section) + size_of(said->entry) +
                   size_of(said->options->id) + size_of(said->options->why);
        RuleName *name = malloc(sizeof(*name) + n);
        char *at;

        if (!name)
                return NULL;
        at = name->strings;
        *name = (RuleName){.n_refs = 1, .generation = generation, .number = number};
        name->rule = (ImageRule){put(&at, rule->document), &name->said};
        name->options.id = put(&at, said->options->id);
        name->options.why = put(&at, said->options->why);
        name->said = (Rule){
                .line = said->line,
                .section = put(&at, said->section),
                .entry = put(&at, said->entry),
                .options = &name->options,
        };
        return name;
}

static RuleName *rule_name_ref(RuleName *name)
{
        name->n_refs++;
        return name;
}

RuleName *rule_name_unref(RuleName *name)
{
        if (name && --name->n_refs == 0)
                free(name);
        return NULL;
}

/* Returns 0, with NULL if the rule is not known, or -ENOMEM. The events of a flood share a name. */
static int find_name(EventHub *hub, const struct event *event, RuleName **ret_name)
{
        const ImageRule *rule = NULL;
        RuleName *last = hub->last_name;

        *ret_name = NULL;
        if (event->rule == RULE_NONE || !hub->config.name_rule)
                return 0;
        if (!last || last->generation != event->generation || last->number != event->rule) {
                rule = hub->config.name_rule(hub->config.userdata, event->generation, event->rule);
                if (!rule)
                        return 0;
                last = rule_name_new(event->generation, event->rule, rule);
                if (!last)
                        return -ENOMEM;
                rule_name_unref(hub->last_name);
                hub->last_name = last;
        }
        *ret_name = rule_name_ref(last);
        return 0;
}

/* ---- the event ---- */

void recent_fill(EventHub *hub, const struct event *event, Recent *recent)
{
        size_t n = EVENT_NET_SIZE + event->path_length;

        *recent = (Recent){.seq = event->seq,
                           .count = event->count ? event->count : 1,
                           .uid = event->uid,
                           .hook = event->hook,
                           .verdict = event->verdict};
        if (find_name(hub, event, &recent->name) < 0)
                return;
        recent->event = malloc(n);
        if (recent->event)
                memcpy(recent->event, event, n);
        else
                recent->name = rule_name_unref(recent->name);
}

void recent_deinit(Recent *recent)
{
        free(recent->event);
        free(recent->path);
        free(recent->text);
        rule_name_unref(recent->name);
        *recent = (Recent){};
}

static char *make_path(const EventHub *hub, const struct event *event)
{
        _cleanup_(freep) char *path = NULL;
        char *visible = NULL;

        if (event_kind(event) == EVENT_OF_SOCKET ||
            (event_kind(event) == EVENT_OF_KERNEL && event->path_length == 0))
                return NULL;
        path = event_path(event);
        if (path && hub->config.visible_path && !(event->flags & (EVENT_PATH_CUT | EVENT_UNPLACED)))
                visible = hub->config.visible_path(hub->config.userdata, event->device, path);
        return visible ? visible : TAKE_PTR(path);
}

const char *recent_path(const EventHub *hub, Recent *recent)
{
        if (!recent->path && recent->event)
                recent->path = make_path(hub, recent->event);
        return recent->path;
}

const char *recent_text(const EventHub *hub, Recent *recent)
{
        if (recent->text || !recent->event)
                return recent->text;
        recent->text = event_format(recent->event, recent->name ? &recent->name->rule : NULL,
                                    recent_path(hub, recent));
        recent->n_text = recent->text ? strlen(recent->text) : 0;
        return recent->text;
}

int recent_view(const EventHub *hub, Recent *recent, EventView *ret_view)
{
        const char *text = recent_text(hub, recent);

        if (!text)
                return -ENOMEM;
        *ret_view = (EventView){.event = recent->event,
                                .rule = recent->name ? &recent->name->rule : NULL,
                                .text = text};
        return 0;
}
