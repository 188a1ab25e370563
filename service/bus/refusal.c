/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refusals: see refusal.h. */
#include "bus/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static int is_alike(const Refusal *a, const Refusal *b)
{
        return a->uid == b->uid && a->action == b->action && a->reason == b->reason &&
               strcmp(a->method, b->method) == 0;
}

/* Takes line i out of the list. */
static Refusal *steal(Refusals *refusals, size_t i)
{
        Refusal *line = refusals->lines[i];

        refusals->n--;
        memmove(&refusals->lines[i], &refusals->lines[i + 1],
                (refusals->n - i) * sizeof(refusals->lines[0]));
        return line;
}

/* The line that counts this one too; else the oldest if there is no room; else NULL. */
static Refusal *steal_room(Refusals *refusals, const Refusal *refusal)
{
        for (size_t i = 0; i < refusals->n; i++)
                if (is_alike(refusals->lines[i], refusal))
                        return steal(refusals, i);
        return refusals->n == REFUSALS_MAX ? steal(refusals, 0) : NULL;
}

static void word(Refusal *line)
{
        const char *what = line->reason == REFUSED_AS_STALE ? "refused as stale" : "refused";

        if (line->n == 1)
                snprintf(line->authorization, sizeof(line->authorization), "%s: %s", what,
                         action_id(line->action));
        else
                snprintf(line->authorization, sizeof(line->authorization), "%s %u times: %s", what,
                         line->n, action_id(line->action));
}

int refusals_add(Refusals *refusals, const Refusal *refusal)
{
        Refusal *line = steal_room(refusals, refusal);
        unsigned n = line && is_alike(line, refusal) ? line->n : 0;

        if (!line)
                line = malloc(sizeof(*line));
        if (!line)
                return -ENOMEM;
        *line = *refusal;
        line->n = n + 1;
        word(line);
        refusals->lines[refusals->n++] = line;
        return 0;
}

HistoryEntry refusals_get(const Refusals *refusals, size_t i)
{
        const Refusal *line = refusals->lines[i];

        return (HistoryEntry){
                .usec = line->usec,
                .generation = line->generation,
                .uid = line->uid,
                .origin = line->origin,
                .what = line->method,
                .name = line->name,
                .authorization = line->authorization,
        };
}

void refusals_deinit(Refusals *refusals)
{
        while (refusals->n > 0)
                free(refusals->lines[--refusals->n]);
}
