/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor: what is found out about a machine, one finding at a time: what it is, why it matters, and
 * the command that mends it. */
#pragma once

#include "client.h"
#include "json.h"

typedef enum Severity {
        SEVERITY_OK,
        SEVERITY_NOTE,    /* some rules would not hold, or it is so on purpose */
        SEVERITY_PROBLEM, /* what is to be enforced is not, or would not be */
} Severity;

/* Texts are of one sentence each, without its end. */
typedef struct Finding {
        const char *check; /* its name, for programs; stays the same */
        Severity severity;
        const char *what;
        const char *why, *mend; /* "" if all is well */
} Finding;

typedef struct Diagnosis {
        json_object *findings; /* an array */
        Severity worst;
        int failed; /* memory was short */
} Diagnosis;

void diagnosis_add(Diagnosis *diagnosis, const Finding *finding);

/* What can be seen of the machine that this program runs on: kernel, modules, files. */
void doctor_look_at_machine(Diagnosis *diagnosis);

/* What those on the bus say: polkit, systemd, and the service, if it runs. */
void doctor_ask_bus(Diagnosis *diagnosis, Connection *connection);
