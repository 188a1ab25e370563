/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocked: see blocked.h. */
#include "blocked.h"

#include <string.h>
#include <time.h>

#include "backend-twin.h"

struct event blocked_event(void)
{
        static const char names[] = "one\0srv";
        struct timespec now = {};
        struct event event = {.generation = 1,
                              .rule = 1,
                              .hook = HOOK_FILE_OPEN,
                              .verdict = VERDICT_DENIED,
                              .uid = LAB_USER,
                              .gid = 100,
                              .pid = 42,
                              .comm = "program9",
                              .cgroup = 7,
                              .exe_device = 8u << 20 | 1u,
                              .exe_inode = 9,
                              .access = ACCESS_READ,
                              .device = 8u << 20 | 1u,
                              .inode = 5,
                              .path_length = sizeof(names)};

        clock_gettime(CLOCK_BOOTTIME, &now);
        event.time_ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
        memcpy(event.path, names, sizeof(names));
        return event;
}

void blocked_inject(struct event event)
{
        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
}

Pending *blocked_allow(sd_bus *bus, uint64_t seq, uint64_t ttl_usec, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT "/events", LAB_EVENTS, "AllowFor");

        g_assert_cmpint(sd_bus_message_append(m, "tta{sv}", seq, ttl_usec, 0), >=, 0);
        return lab_send(m, interaction);
}

char *blocked_must_allow(Lab *lab, uint64_t seq)
{
        sd_bus_message *reply = lab_wait(lab, blocked_allow(lab->root, seq, 60000000, SILENT));
        const char *path;
        char *copy;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "o", &path), >, 0);
        copy = g_strdup(path);
        sd_bus_message_unref(reply);
        return copy;
}
