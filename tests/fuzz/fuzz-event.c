/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event as the ring has it, or as nothing that we wrote would: what is taken is told as one line
 * of JSON, in UTF-8, whatever the names in it are. */
#include <json-c/json.h>
#include <string.h>

#include "backend/decode.h"
#include "event/event.h"
#include "fuzz.h"
#include "policy/text.h"

static void check_text(const char *text)
{
        json_object *object;
        size_t at;

        HOLDS(text != NULL);
        HOLDS(text_check(text, strlen(text), &at) == TEXT_FINE);
        object = json_tokener_parse(text);
        HOLDS(json_object_is_type(object, json_type_object));
        json_object_put(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const RuleOptions options;
        static const Rule said = {
                .line = 7, .section = "deny", .entry = "file:/etc/shadow", .options = &options};
        static const ImageRule rule = {"base", &said};
        struct event event;
        char *path, *text;

        if (event_decode(data, size, &event) < 0)
                return 0;
        HOLDS(event.path_length <= EVENT_PATH_ROOM);
        HOLDS(memchr(event.comm, '\0', EVENT_COMM_SIZE) != NULL);
        path = event_path(&event);
        text = event_format(&event, event.rule ? &rule : NULL, path);
        check_text(text);
        free(text);
        free(path);
        return 0;
}
