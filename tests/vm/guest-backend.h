/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest backend: what tests of the data plane stand on, the backend of this process and the
 * documents it is given. This process is never denied: let a child act. All of it asserts. */
#pragma once

#include <glib.h>

#include "backend/backend.h"

extern Backend *backend;
extern uint64_t generation; /* of the last apply */
extern GArray *events;      /* of struct event, since take_events() began */

Backend *start_backend(void);

/* What waits in the rings, and nothing older, is in events afterwards. */
void take_events(void);
const struct event *last_event(void); /* of those */

/* text: a document; one without a header is of version 1. */
PolicyImage *compile(const char *text);
void apply_in_mode(const char *text, Mode mode);
void apply(const char *text); /* enforced */
