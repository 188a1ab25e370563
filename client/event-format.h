/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event formats: a record of the stream as other systems want it. docs/event.schema.json is the
 * record itself. */
#pragma once

#include <stdint.h>

#include "json.h"

typedef enum EventFormat {
        EVENT_TEXT,
        EVENT_JSON, /* as the service wrote it */
        EVENT_OCSF, /* 1.1: File System, Process, Network or Kernel Activity */
        EVENT_ECS,  /* 8.11 */
        EVENT_CEF,  /* version 0 */
} EventFormat;

int event_format_from_string(const char *text, EventFormat *ret_format); /* 0 or -EINVAL */

/* boot_usec: when the machine of the event began, by the calendar; now_usec: for records that have
 * no time. Each returns a new object or string, or NULL when memory is short. All that the record
 * says beyond what the format has names for is in "unmapped" or "aegis", as it is. */
json_object *event_to_ocsf(json_object *event, uint64_t boot_usec, uint64_t now_usec);
json_object *event_to_ecs(json_object *event, uint64_t boot_usec, uint64_t now_usec);
char *event_to_cef(json_object *event, uint64_t boot_usec, uint64_t now_usec);
