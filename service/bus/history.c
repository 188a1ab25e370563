/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* History: the Manager's method that tells who changed what. */
#include "bus/objects.h"
#include "transaction/history.h"
#include "util/cleanup.h"

int describe_history(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "tu", &request->since_usec, &request->limit);

        return r < 0 ? r : request_detail(request, "name", "*");
}

static int append_entry(sd_bus_message *m, const HistoryEntry *entry)
{
        const char *texts[] = {entry->origin, entry->what, entry->name, entry->authorization};
        int r = sd_bus_message_open_container(m, 'r', "ttussss");

        if (r >= 0)
                r = sd_bus_message_append(m, "ttu", entry->usec, entry->generation, entry->uid);
        for (size_t i = 0; r >= 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
                r = append_text(m, texts[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The first of the entries that are wanted: of those since then, the last so many. */
static size_t find_first(const History *history, uint64_t since_usec, uint32_t limit)
{
        size_t n = history_size(history), first = n;

        while (first > 0 && (limit == 0 || n - first < limit) &&
               history_get(history, first - 1).usec >= since_usec)
                first--;
        return first;
}

int run_history(Request *request, sd_bus_error *error)
{
        const History *history = enforcement_history(request->server->config.enforcement);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ttussss)");
        for (size_t i = find_first(history, request->since_usec, request->limit);
             r >= 0 && i < history_size(history); i++) {
                HistoryEntry entry = history_get(history, i);

                r = append_entry(reply, &entry);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
