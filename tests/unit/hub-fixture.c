/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub-fixture.h"

#include <glib.h>
#include <string.h>

#include "event-fixture.h"

static const ImageRule *name_rule(void *userdata, uint64_t generation, uint32_t rule)
{
        Fixture *fixture = userdata;

        fixture->n_named++;
        return generation == 3 && rule == 1 && !fixture->is_forgetful ? &rule_shadow : NULL;
}

static char *visible_path(void *userdata, uint32_t device, const char *path)
{
        return g_strcmp0(path, "/etc/shadow") == 0 ? strdup("/mnt/etc/shadow") : NULL;
}

void set_up(Fixture *fixture, gconstpointer data)
{
        EventHubConfig config = {
                .name_rule = name_rule, .visible_path = visible_path, .userdata = fixture};

        g_assert_cmpint(sd_event_new(&fixture->loop), >=, 0);
        config.loop = fixture->loop;
        g_assert_cmpint(event_hub_new(&fixture->hub, &config), ==, 0);
}

void tear_down(Fixture *fixture, gconstpointer data)
{
        event_hub_free(fixture->hub);
        sd_event_unref(fixture->loop);
}

EventFilter anything(void)
{
        return (EventFilter){.uid = UINT32_MAX, .since_seq = UINT64_MAX};
}

void take(Fixture *fixture, uint64_t seq)
{
        struct event event = file_event(seq);

        event_hub_take(fixture->hub, &event);
}

void assert_totals(Fixture *fixture, uint64_t delivered, uint64_t suppressed, uint64_t lost)
{
        EventTotals totals;

        event_hub_totals(fixture->hub, &totals);
        g_assert_cmpuint(totals.delivered, ==, delivered);
        g_assert_cmpuint(totals.suppressed, ==, suppressed);
        g_assert_cmpuint(totals.lost, ==, lost);
}
