/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archive: events in the journal, read back. Only what journald says came from this very unit is
 * believed: anybody can write fields that begin with AEGIS_. The newest are looked at first, so
 * many at most. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>

#include "backend/backend.h"
#include "event/internal.h"
#include "event/message-id.h"
#include "util/fiber.h"
#include "util/log.h"

#define LOOK_MAX 65536u        /* entries */
#define FIELD_MAX (32u * 1024) /* bytes of one */

typedef struct Found {
        char *text;
        uint64_t realtime_usec;
} Found;

typedef struct Search {
        sd_journal *journal;
        const EventArchiveQuery *query;
        sd_id128_t boot;
        Found *found; /* the newest first */
        size_t n_found;
} Search;

static void search_deinit(Search *search)
{
        for (size_t i = 0; i < search->n_found; i++)
                free(search->found[i].text);
        free(search->found);
        sd_journal_close(search->journal);
}

/* ---- what is looked for ---- */

static int match(sd_journal *journal, const char *key, const char *value)
{
        char text[1024];
        int n;

        if (!value)
                return 0;
        n = snprintf(text, sizeof(text), "%s=%s", key, value);
        if (n < 0 || (size_t) n >= sizeof(text))
                return -E2BIG;
        return sd_journal_add_match(journal, text, (size_t) n);
}

static int match_number(sd_journal *journal, const char *key, uint64_t number)
{
        char text[24];

        snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
        return match(journal, key, text);
}

static int match_filter(sd_journal *journal, const EventFilter *filter)
{
        int r = match(journal, "AEGIS_POLICY", filter->policy);

        if (r >= 0)
                r = match(journal, "AEGIS_ID", filter->rule);
        if (r >= 0)
                r = match(journal, "AEGIS_HOOK", filter->hook);
        if (r >= 0)
                r = match(journal, "AEGIS_COMM", filter->comm);
        if (r >= 0 && filter->verdict != 0)
                r = match(journal, "AEGIS_VERDICT",
                          filter->verdict == VERDICT_DENIED ? "denied" : "audited");
        if (r >= 0 && filter->uid != UINT32_MAX)
                r = match_number(journal, "AEGIS_UID", filter->uid);
        if (r >= 0 && filter->pid != 0)
                r = match_number(journal, "AEGIS_PID", filter->pid);
        return r;
}

/* Returns 0, -ENXIO if this process is no unit or nothing is wanted, or another negative errno. */
static int search_init(Search *search)
{
        const EventArchiveQuery *query = search->query;
        _cleanup_(freep) char *unit = NULL;
        int r = sd_pid_get_unit(0, &unit);

        if (r < 0 || query->limit == 0)
                return -ENXIO;
        search->found = calloc(query->limit, sizeof(*search->found));
        if (!search->found)
                return -ENOMEM;
        r = sd_id128_get_boot(&search->boot);
        if (r >= 0)
                r = sd_journal_open(&search->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = sd_journal_set_data_threshold(search->journal, FIELD_MAX);
        if (r >= 0)
                r = match(search->journal, "_SYSTEMD_UNIT", unit);
        if (r >= 0)
                r = match(search->journal, "MESSAGE_ID", MESSAGE_ID_EVENT);
        if (r >= 0)
                r = match_filter(search->journal, query->filter);
        return r < 0 ? r : sd_journal_seek_tail(search->journal);
}

/* ---- one entry ---- */

/* A new string, or NULL. */
static char *read_field(sd_journal *journal, const char *key)
{
        const void *data;
        size_t n, n_key = strlen(key) + 1;

        if (sd_journal_get_data(journal, key, &data, &n) < 0 || n < n_key || n >= FIELD_MAX)
                return NULL;
        return strndup((const char *) data + n_key, n - n_key);
}

static uint64_t read_number(sd_journal *journal, const char *key)
{
        _cleanup_(freep) char *text = read_field(journal, key);

        return text ? strtoull(text, NULL, 10) : 0;
}

static int path_fits(sd_journal *journal, const char *top)
{
        _cleanup_(freep) char *path = top ? read_field(journal, "AEGIS_PATH") : NULL;

        return !top || path_is_below(path, top);
}

/* What is remembered in memory, or has a number that is not asked for, is not told from here. */
static int number_fits(const Search *search)
{
        const EventArchiveQuery *query = search->query;
        uint64_t seq = read_number(search->journal, "AEGIS_SEQ");
        sd_id128_t boot;
        int is_now = sd_journal_get_monotonic_usec(search->journal, &(uint64_t){0}, &boot) >= 0 &&
                     sd_id128_equal(boot, search->boot);

        if (is_now && seq >= query->before_seq)
                return 0;
        return query->filter->since_seq == UINT64_MAX ||
               (is_now && seq >= query->filter->since_seq);
}

static int is_object(const char *text)
{
        json_object *object = text ? json_tokener_parse(text) : NULL;
        int r = json_object_is_type(object, json_type_object);

        json_object_put(object);
        return r;
}

static void look(Search *search)
{
        const EventArchiveQuery *query = search->query;
        uint64_t usec = read_number(search->journal, "AEGIS_REALTIME_USEC");
        char *text;

        if (usec < query->since_usec || usec > query->until_usec || !number_fits(search) ||
            !path_fits(search->journal, query->filter->path))
                return;
        text = read_field(search->journal, "AEGIS_EVENT");
        if (is_object(text))
                search->found[search->n_found++] = (Found){text, usec};
        else
                free(text);
}

/* An event comes into the journal when it has happened, never before. Returns 0, -EXFULL if there
 * is more than is looked at, or another negative errno. */
static int find(Search *search)
{
        const EventArchiveQuery *query = search->query;
        uint64_t usec;

        for (unsigned n = 0; search->n_found < query->limit; n++) {
                int r = sd_journal_previous(search->journal);

                if (r <= 0)
                        return r;
                if (n >= LOOK_MAX)
                        return -EXFULL;
                r = sd_journal_get_realtime_usec(search->journal, &usec);
                if (r < 0)
                        return r;
                if (usec < query->since_usec)
                        return 0;
                look(search);
                fiber_pace();
        }
        return 0;
}

int event_archive_query(const EventArchiveQuery *query, EventTextFunc function, void *userdata)
{
        _cleanup_(search_deinit) Search search = {.query = query};
        int r = search_init(&search);

        if (r >= 0)
                r = find(&search);
        if (r == -ENXIO)
                return 0;
        if (r < 0 && r != -EXFULL && r != -ENOMEM) {
                log_errno(r, "The journal cannot be read");
                r = 0;
        }
        for (size_t i = search.n_found; r >= 0 && i > 0; i--)
                r = function(userdata, search.found[i - 1].text, search.found[i - 1].realtime_usec);
        return r;
}

int event_hub_has_journal(const EventHub *hub)
{
        return hub->config.journal && hub->config.journal_rate > 0;
}

uint64_t event_hub_oldest_seq(EventHub *hub)
{
        uint64_t oldest = event_hub_oldest(hub), seq = UINT64_MAX;

        for (uint64_t at = oldest; at < hub->n_taken; at++)
                if (event_hub_recent(hub, at)->seq < seq)
                        seq = event_hub_recent(hub, at)->seq;
        return seq;
}
