/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stand-in: has polkit's name on the bus and gives answers that the real one seldom gives: none,
 * late, a wrong one. From stand_in_new() to stand_in_free() the real one is away. */
#pragma once

#include "lab.h"

typedef enum StandInAnswer {
        STAND_IN_HOLD, /* until stand_in_answer() */
        STAND_IN_YES,
        STAND_IN_NO,
        STAND_IN_CHALLENGE,
        STAND_IN_GARBAGE, /* of another type */
        STAND_IN_ERROR,
} StandInAnswer;

typedef struct StandIn {
        Lab *lab;
        sd_bus *bus;
        StandInAnswer how;
        /* Of the last question. */
        sd_bus_message *question;
        char *id, *cancelled;
        int asked, is_cancelled;
        unsigned n_asked, n_cancelled;
} StandIn;

StandIn *stand_in_new(Lab *lab, StandInAnswer how);
void stand_in_free(StandIn *polkit);

void stand_in_wait(StandIn *polkit); /* for one more question */
void stand_in_answer(StandIn *polkit, StandInAnswer how);

/* What the last question says. The caller frees a detail; NULL if there is none. */
char *stand_in_detail(StandIn *polkit, const char *key);
const char *stand_in_action(StandIn *polkit);
const char *stand_in_subject(StandIn *polkit);
uint32_t stand_in_flags(StandIn *polkit);
