/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events in the journal: the fields of the JSON object as fields AEGIS_…, and the object itself, by
 * which Query finds it again. Nothing here waits. So many a second are written; how many were not,
 * because of that or because journald does not read, is counted and told in the journal too. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "event/internal.h"
#include "event/message-id.h"
#include "util/log.h"

#define USEC_PER_SEC 1000000u
#define BURST_SEC 10u /* what was not used so long may be used at once */
#define KEY_SIZE 64

static void put_text(JournalEntry *entry, const char *key, const char *text)
{
        journal_put(entry, key, text, strlen(text));
}

static void put_number(JournalEntry *entry, const char *key, uint64_t number)
{
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, number);
        put_text(entry, key, text);
}

static void begin_entry(JournalEntry *entry, const char *id, int level)
{
        entry->n = 0;
        entry->is_full = 0;
        put_text(entry, "MESSAGE_ID", id);
        put_number(entry, "PRIORITY", (uint64_t) level);
        put_text(entry, "SYSLOG_IDENTIFIER", "aegisd");
}

/* ---- fields ---- */

/* "exe", "inode" become AEGIS_EXE_INODE. Returns whether it is short enough for journald. */
static int make_key(char ret_key[KEY_SIZE], const char *parent, const char *key)
{
        if (snprintf(ret_key, KEY_SIZE, "%s_%s", parent, key) >= KEY_SIZE)
                return 0;
        for (char *at = ret_key; *at; at++)
                if (*at >= 'a' && *at <= 'z')
                        *at = (char) (*at - 'a' + 'A');
        return 1;
}

/* A field may stand in an entry more than once. */
static void put_list(JournalEntry *entry, const char *key, json_object *list)
{
        for (size_t i = 0; i < json_object_array_length(list); i++)
                put_text(entry, key, json_object_get_string(json_object_array_get_idx(list, i)));
}

/* Of one level: what is deeper is in AEGIS_EVENT alone. */
static void put_inner(JournalEntry *entry, const char *key, json_object *object)
{
        json_object_object_foreach(object, name, value)
        {
                char inner_key[KEY_SIZE];

                make_key(inner_key, key, name);
                put_text(entry, inner_key, json_object_get_string(value));
        }
}

static void put_value(JournalEntry *entry, const char *key, json_object *value)
{
        if (json_object_is_type(value, json_type_array))
                put_list(entry, key, value);
        else if (json_object_is_type(value, json_type_object))
                put_inner(entry, key, value);
        else
                put_text(entry, key, json_object_get_string(value));
}

static const char *text_in(json_object *object, const char *key)
{
        json_object *value = NULL;

        return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static void put_message(JournalEntry *entry, json_object *object)
{
        const char *what = text_in(object, "path"), *rule = text_in(object, "rule");
        char message[4096];

        if (!*what)
                what = text_in(object, "address");
        snprintf(message, sizeof(message), "%s %s%s%s by %s[%s] uid %s; %s%s%s",
                 text_in(object, "verdict"), text_in(object, "hook"), *what ? " " : "", what,
                 text_in(object, "comm"), text_in(object, "pid"), text_in(object, "uid"),
                 text_in(object, "policy"), *rule ? ": " : "",
                 *rule ? rule : text_in(object, "reason"));
        put_text(entry, "MESSAGE", message);
}

/* When this machine began, by the calendar as it is now. */
static uint64_t boot_usec(void)
{
        struct timespec calendar, since_boot;

        clock_gettime(CLOCK_REALTIME, &calendar);
        clock_gettime(CLOCK_BOOTTIME, &since_boot);
        return (uint64_t) (calendar.tv_sec - since_boot.tv_sec) * USEC_PER_SEC +
               (uint64_t) ((calendar.tv_nsec - since_boot.tv_nsec) / 1000);
}

static void fill_entry(JournalEntry *entry, const struct event *event, json_object *object,
                       const char *text)
{
        begin_entry(entry, MESSAGE_ID_EVENT,
                    event->verdict == VERDICT_DENIED ? LOG_WARNING : LOG_NOTICE);
        put_message(entry, object);
        json_object_object_foreach(object, key, value)
        {
                char full_key[KEY_SIZE];

                if (make_key(full_key, "AEGIS", key))
                        put_value(entry, full_key, value);
        }
        put_number(entry, "AEGIS_REALTIME_USEC", boot_usec() + event->time_ns / 1000);
        put_text(entry, "AEGIS_EVENT", text);
}

/* ---- how much ---- */

static int may_write(EventHub *hub)
{
        uint64_t now = 0, from, until;
        struct timespec clock;

        clock_gettime(CLOCK_MONOTONIC, &clock);
        now = (uint64_t) clock.tv_sec * USEC_PER_SEC + (uint64_t) clock.tv_nsec / 1000;
        from = hub->journal_paid_until > now ? hub->journal_paid_until : now;
        until = from + USEC_PER_SEC / hub->config.journal_rate;
        if (until > now + BURST_SEC * USEC_PER_SEC)
                return 0;
        hub->journal_paid_until = until;
        return 1;
}

void hub_journal_tell_missed(EventHub *hub)
{
        JournalEntry entry;
        char message[128];

        if (hub->n_unwritten == 0)
                return;
        begin_entry(&entry, MESSAGE_ID_MISSED, LOG_WARNING);
        snprintf(message, sizeof(message), "%" PRIu64 " events are not in the journal",
                 hub->n_unwritten);
        put_text(&entry, "MESSAGE", message);
        put_number(&entry, "AEGIS_MISSED", hub->n_unwritten);
        if (journal_send(hub->config.journal, &entry) == 0)
                hub->n_unwritten = 0;
}

static void json_object_freep(json_object **object)
{
        json_object_put(*object);
}

/* Returns 0 or a negative errno. */
static int write_event(EventHub *hub, Recent *recent)
{
        _cleanup_(json_object_freep) json_object *object = NULL;
        const char *text = recent_text(hub, recent);
        JournalEntry entry;

        object = text ? json_tokener_parse(text) : NULL;
        if (!object)
                return -ENOMEM;
        fill_entry(&entry, recent->event, object, text);
        return journal_send(hub->config.journal, &entry);
}

/* Another that is not written makes no difference to the one that tells how many there were, so
 * that the missing are told before the next that is. */
int hub_journal_tell(EventHub *hub, Recent *recent)
{
        int r;

        if (!hub->config.journal || hub->config.journal_rate == 0)
                return 0;
        if (!may_write(hub)) {
                hub->n_unwritten++;
                return 0;
        }
        hub_journal_tell_missed(hub);
        r = write_event(hub, recent);
        if (r == -ENOENT || r == -ECONNREFUSED) /* there is no journal */
                return 0;
        if (r < 0)
                hub->n_unwritten++;
        return r < 0 ? -1 : 1;
}
