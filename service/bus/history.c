/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* History: the Manager's method that tells who changed what, and who was refused what. */
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

/* Changes and refusals, as one list in the order of time. */
typedef struct Told {
        const History *history;
        const Refusals *refusals;
        size_t n_changes, n_refusals; /* that are not yet looked at, from the end */
} Told;

static int next_is_refusal(const Told *told)
{
        if (told->n_changes == 0 || told->n_refusals == 0)
                return told->n_changes == 0;
        return refusals_get(told->refusals, told->n_refusals - 1).usec >
               history_get(told->history, told->n_changes - 1).usec;
}

static HistoryEntry step_back(Told *told)
{
        return next_is_refusal(told) ? refusals_get(told->refusals, --told->n_refusals)
                                     : history_get(told->history, --told->n_changes);
}

/* Goes back to the first entry that is wanted: of those since then, the last so many. */
static void find_first(Told *told, uint64_t since_usec, uint32_t limit)
{
        for (size_t n = 0; told->n_changes + told->n_refusals > 0 && (limit == 0 || n < limit);
             n++) {
                Told before = *told;

                if (step_back(told).usec < since_usec) {
                        *told = before;
                        return;
                }
        }
}

static HistoryEntry step_forward(Told *told)
{
        size_t n_changes = history_size(told->history);

        if (told->n_changes == n_changes ||
            (told->n_refusals < told->refusals->n &&
             refusals_get(told->refusals, told->n_refusals).usec <
                     history_get(told->history, told->n_changes).usec))
                return refusals_get(told->refusals, told->n_refusals++);
        return history_get(told->history, told->n_changes++);
}

static int append_entries(sd_bus_message *m, Told *told)
{
        int r = sd_bus_message_open_container(m, 'a', "(ttussss)");

        while (r >= 0 && told->n_changes + told->n_refusals <
                                 history_size(told->history) + told->refusals->n) {
                HistoryEntry entry = step_forward(told);

                r = append_entry(m, &entry);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int run_history(Request *request, sd_bus_error *error)
{
        const History *history = enforcement_history(request->server->config.enforcement);
        const Refusals *refusals = &request->server->refusals;
        Told told = {history, refusals, history_size(history), refusals->n};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        find_first(&told, request->since_usec, request->limit);
        if (r >= 0)
                r = append_entries(reply, &told);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
