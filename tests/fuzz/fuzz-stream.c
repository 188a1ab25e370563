/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A packet of an event stream as the client reads it, of the service or of anybody: whatever is in
 * it, each format of it is made of whole lines, and JSON where it should be. */
#include <string.h>

#include "event-format.h"
#include "fuzz.h"

#define BOOT_USEC UINT64_C(1700000000000000)
#define RECORD_DEPTH_MAX 8

static void check_json(json_object *object)
{
        const char *text;

        HOLDS(object != NULL);
        text = json_object_to_json_string(object);
        HOLDS(strchr(text, '\n') == NULL);
        json_object_put(object);
}

static void check_cef(char *line)
{
        HOLDS(line != NULL);
        HOLDS(strncmp(line, "CEF:0|", strlen("CEF:0|")) == 0);
        for (const unsigned char *at = (const unsigned char *) line; *at; at++)
                HOLDS(*at >= 0x20 && *at != 0x7f);
        free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        json_tokener *tokener = json_tokener_new_ex(RECORD_DEPTH_MAX);
        json_object *record;

        HOLDS(tokener != NULL);
        record = json_tokener_parse_ex(tokener, (const char *) data, (int) size);
        json_tokener_free(tokener);
        if (json_object_is_type(record, json_type_object)) {
                check_json(event_to_ocsf(record, BOOT_USEC, BOOT_USEC));
                check_json(event_to_ecs(record, BOOT_USEC, BOOT_USEC));
                check_cef(event_to_cef(record, BOOT_USEC, BOOT_USEC));
        }
        json_object_put(record);
        return 0;
}
