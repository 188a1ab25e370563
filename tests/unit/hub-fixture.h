/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the hub of events stand on: one in a loop of its own, which names the rule of
 * event-fixture.h and sees /etc/shadow as /mnt/etc/shadow. */
#pragma once

#include <glib.h>
#include <systemd/sd-event.h>

#include "event/event.h"

typedef struct Fixture {
        sd_event *loop;
        EventHub *hub;
        unsigned n_named;
        int is_forgetful; /* rules can no longer be named */
} Fixture;

void set_up(Fixture *fixture, gconstpointer data);
void tear_down(Fixture *fixture, gconstpointer data);

EventFilter anything(void);

/* An event of that number comes. */
void take(Fixture *fixture, uint64_t seq);

void assert_totals(Fixture *fixture, uint64_t delivered, uint64_t suppressed, uint64_t lost);
