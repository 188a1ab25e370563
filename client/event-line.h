/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event line: an event as people read it. */
#pragma once

#include "json.h"

/* boot_usec: when the machine began, by the calendar. Prints no line end. */
void event_print(json_object *event, uint64_t boot_usec);
