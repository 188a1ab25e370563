/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of events stand on: see event-fixture.h. */
#include "event-fixture.h"

#include <glib.h>
#include <string.h>

static const RuleOptions said_nothing;
static const Rule deny_shadow = {
        .line = 7, .section = "deny_path", .entry = "/etc/shadow", .options = &said_nothing};
const ImageRule rule_shadow = {"base", &deny_shadow};

void put_names(struct event *event, const char *names, size_t n)
{
        memcpy(event->path, names, n);
        event->path_length = (uint32_t) n;
}

struct event file_event(uint64_t seq)
{
        struct event event = {
                .seq = seq,
                .time_ns = 5000000,
                .generation = 3,
                .rule = 1,
                .hook = HOOK_FILE_OPEN,
                .verdict = VERDICT_DENIED,
                .pid = 42,
                .ppid = 1,
                .uid = 1000,
                .gid = 100,
                .loginuid = 1000,
                .start_ns = 77000,
                .cgroup = UINT64_MAX - 1,
                .exe_inode = 9,
                .exe_device = 8u << 20 | 1u,
                .comm = "cat",
                .access = ACCESS_READ | ACCESS_WRITE,
                .device = 259u << 20 | 2u,
                .inode = 1234,
        };

        put_names(&event, "shadow\0etc", sizeof("shadow\0etc"));
        return event;
}

const char *text_of(json_object *object, const char *key)
{
        json_object *value = NULL;

        return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
                                                              : NULL;
}

uint64_t number_of(json_object *object, const char *key)
{
        json_object *value = NULL;

        g_assert_true(json_object_object_get_ex(object, key, &value));
        g_assert_true(json_object_is_type(value, json_type_int));
        return json_object_get_uint64(value);
}
