/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager, the policy directory: what its files say is put in force, as SIGHUP has it, with an
 * answer. Who is asked is told which policies it is about, and the answer holds for the files as
 * they are then. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "util/cleanup.h"

/* "db, web"; a new string, or NULL when memory is short. */
static char *join_names(const FolderReport *report)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        if (!out)
                return NULL;
        for (size_t i = 0; i < report->n_names; i++)
                fprintf(out, "%s%s", i > 0 ? ", " : "", report->names[i]);
        if (fclose(out) == 0)
                return text;
        free(text);
        return NULL;
}

static int look(Request *request, sd_bus_error *error)
{
        int r;

        request->folder = calloc(1, sizeof(*request->folder));
        if (!request->folder)
                return -ENOMEM;
        r = enforcement_look_at_folder(request->server->config.enforcement, request->folder);
        return r == 0 ? 0 : error_set_transaction(error, r, NULL);
}

static int refuse_on_trial(const Request *request, sd_bus_error *error)
{
        TrialStatus trial;

        if (request->is_check || request->folder->n_names == 0 ||
            !enforcement_trial(request->server->config.enforcement, &trial))
                return 0;
        return error_set_transaction(error, TRANSACTION_E_ON_TRIAL, NULL);
}

int describe_reload(Request *request, sd_bus_error *error)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        _cleanup_(freep) char *names = NULL;
        int r = request_read_reload_options(request, error);

        if (r >= 0)
                r = look(request, error);
        if (r >= 0)
                r = refuse_on_trial(request, error);
        if (r < 0)
                return r;
        if (request->is_check)
                request->action = ACTION_PLAN;
        names = join_names(request->folder);
        if (!names)
                return -ENOMEM;
        r = request_detail_text(request, request->is_check ? "name" : "names", names);
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    request->folder->digest);
}

/* ---- the answer ---- */

static int append_faults(sd_bus_message *reply, const FolderReport *report)
{
        int r = sd_bus_message_open_container(reply, 'a', "(sus)");

        for (size_t i = 0; r >= 0 && i < report->n_faults; i++) {
                const FolderFault *fault = &report->faults[i];

                r = sd_bus_message_open_container(reply, 'r', "sus");
                if (r >= 0)
                        r = append_text(reply, fault->file);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "u", fault->line);
                if (r >= 0)
                        r = append_text(reply, fault->message);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_names(sd_bus_message *reply, const FolderReport *report)
{
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < report->n_names; i++)
                r = sd_bus_message_append(reply, "s", report->names[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int answer(const Request *request, const FolderReport *report)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = sd_bus_message_append(
                        reply, "bt", report->n_names > 0,
                        enforcement_generation(request->server->config.enforcement));
        if (r >= 0)
                r = append_names(reply, report);
        if (r >= 0)
                r = append_faults(reply, report);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int run_reload(Request *request, sd_bus_error *error)
{
        _cleanup_(folder_report_deinit) FolderReport report = {};
        int r;

        if (request->is_check)
                return answer(request, request->folder);
        r = enforcement_load_folder(request->server->config.enforcement, &report);
        bus_server_refresh(request->server);
        return r == 0 ? answer(request, &report) : error_set_transaction(error, r, NULL);
}
