/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polkit: puts one question to org.freedesktop.PolicyKit1 and brings the answer, without waiting.
 * Whatever is not a clear yes is not a yes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "auth/action.h"

typedef enum PolkitAnswer {
        POLKIT_YES,
        POLKIT_NO,
        POLKIT_CHALLENGE,   /* somebody would have to be asked, and was not */
        POLKIT_UNAVAILABLE, /* there is no polkit on this bus */
} PolkitAnswer;

typedef enum PolkitInteraction {
        POLKIT_SILENT,
        POLKIT_MAY_ASK, /* an agent may show a dialogue */
} PolkitInteraction;

/* A line of what the person who is asked gets to see. */
typedef struct PolkitDetail {
        const char *key;
        char *value;
} PolkitDetail;

typedef struct PolkitQuestion {
        const char *subject; /* unique name on the bus */
        Action action;
        const PolkitDetail *details;
        size_t n_details;
        PolkitInteraction interaction;
        uint64_t timeout_usec;
} PolkitQuestion;

typedef void (*PolkitFunc)(void *userdata, PolkitAnswer answer);

typedef struct PolkitCheck PolkitCheck;

/* func is called once, from the loop, unless the check is freed before; it may free it. Returns 0
 * or a negative errno. */
int polkit_check_new(PolkitCheck **ret_check, sd_bus *bus, const PolkitQuestion *question,
                     PolkitFunc func, void *userdata);

/* Takes the question back if it has not been answered: a dialogue that is open closes. */
PolkitCheck *polkit_check_free(PolkitCheck *check);
