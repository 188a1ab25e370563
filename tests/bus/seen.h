/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seen: what a service says and answers that may end at any moment. */
#pragma once

#include "lab.h"

/* What it says is in force. Of documents there are web and db. */
typedef struct Seen {
        char *documents; /* the mode, the digest and all of them; NULL: it has ended */
        char *digest;
        int is_signed; /* web is */
        int is_in_order;
} Seen;
Seen seen_look(Lab *lab);
int seen_is_same(const Seen *a, const Seen *b); /* in what is in force */
void seen_clear(Seen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

typedef enum Answer {
        ANSWER_DONE,
        ANSWER_ERROR,
        ANSWER_NONE, /* it ended before */
} Answer;
Answer answer_wait(Lab *lab, Pending *pending);
