/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of events: see text.c. */
#pragma once

#include <stddef.h>

#include "event/event.h"

/* The same text with bytes that are not UTF-8, or are control characters, as \xNN. Returns a new
 * string or NULL. */
char *event_text(const char *text, size_t n);
