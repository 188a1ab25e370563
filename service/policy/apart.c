/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apart: see apart.h. */
#include "policy/apart.h"

#include <errno.h>

#include "policy/parcel.h"
#include "util/confined.h"

#define WAIT_MSEC 60000u
#define MEMORY_BASE ((size_t) 16 * 1024 * 1024)

typedef struct Source {
        const char *text;
        size_t n;
} Source;

/* In the child: nothing is given back, for it ends. */
static int parse(void *userdata, void *room, size_t n_room)
{
        const Source *source = userdata;
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r = policy_parse(&policy, source->text, source->n, &diagnostics);

        return r < 0 ? r : parcel_fill(room, n_room, r, policy, &diagnostics);
}

static int refuse(Diagnostics *diagnostics, const char *what)
{
        diagnostics_add(diagnostics, SEVERITY_FAULT, 0, 0,
                        "that is a defect of the service: report it with the document",
                        "reading this document %s; it is not taken", what);
        return POLICY_E_SYNTAX;
}

int policy_parse_apart(Policy **ret_policy, const char *text, size_t n_text,
                       Diagnostics *diagnostics)
{
        Source source = {text, n_text};
        ConfinedWork work = {.function = parse, .userdata = &source, .msec = WAIT_MSEC};
        void *room;
        int r;

        if (n_text > POLICY_SIZE_MAX)
                return POLICY_E_TOO_LARGE;
        work.n_room = parcel_size_max(text, n_text);
        work.n_memory = MEMORY_BASE + 4 * work.n_room;
        r = confined_run(&work, &room);
        if (r == 0) {
                r = parcel_open(room, work.n_room, ret_policy, diagnostics);
                confined_free(room, work.n_room);
        }
        switch (r) {
        case -EFAULT:
                return refuse(diagnostics, "ended the parser");
        case -ETIME:
                return refuse(diagnostics, "takes the parser too long");
        case -EBADMSG:
                return refuse(diagnostics, "led the parser astray");
        }
        return r;
}
