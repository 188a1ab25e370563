/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager, changing back: a set of documents that was in force put in force again, one that is on
 * trial kept, and the kernel let go of. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "util/cleanup.h"

/* ---- PlanRollback, Rollback ---- */

static int read_rollback(Request *request, uint64_t *ret_to, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "t", ret_to);

        if (r >= 0)
                r = request_read_expect(request, error);
        return r < 0 ? r : request_read_options(request, error);
}

int describe_plan_rollback(Request *request, sd_bus_error *error)
{
        uint64_t to = 0;
        int r = read_rollback(request, &to, error);

        if (r < 0)
                return r;
        r = enforcement_plan_rollback(request->server->config.enforcement, to, &request->plan);
        if (r != 0)
                return error_set_transaction(error, r, request->plan);
        r = request_detail(request, "name", "%s", request->plan->name);
        return r < 0 ? r : request_detail(request, "to", "%" PRIu64, to);
}

int run_plan_rollback(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = sd_bus_message_append(reply, "b", request->plan->changed);
        if (r >= 0)
                r = append_changes(reply, request->plan);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int describe_rollback(Request *request, sd_bus_error *error)
{
        int r = describe_plan_rollback(request, error);

        if (r >= 0)
                r = request_detail_counts(request);
        return r < 0 ? r : request_bind(request, request->plan->generation, request->plan->digest);
}

int run_rollback(Request *request, sd_bus_error *error)
{
        uint64_t generation = 0;
        int r = manager_commit(request, &generation, error);

        return r < 0 ? r : sd_bus_reply_method_return(request->message, "t", generation);
}

/* ---- Confirm ---- */

/* polkit's message is that of Apply: nothing changes but that it stays. */
static int describe_trial(Request *request, uint64_t generation)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        int r = request_detail(request, "name", "generation %" PRIu64 ", for good", generation);

        if (r >= 0)
                r = request_detail(request, "signed", "as it was");
        if (r >= 0)
                r = request_detail(request, "added", "0");
        if (r >= 0)
                r = request_detail(request, "removed", "0");
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    enforcement_digest(enforcement));
}

int describe_confirm(Request *request, sd_bus_error *error)
{
        uint64_t generation = 0;
        TrialStatus trial;
        int r = sd_bus_message_read(request->message, "t", &generation);

        if (r < 0)
                return r;
        if (!enforcement_trial(request->server->config.enforcement, &trial) ||
            (generation != EXPECT_ANY && generation != trial.generation))
                return error_set_transaction(error, TRANSACTION_E_NO_TRIAL, NULL);
        return describe_trial(request, trial.generation);
}

int run_confirm(Request *request, sd_bus_error *error)
{
        char name[40];
        TrialStatus trial;
        int r;

        enforcement_trial(request->server->config.enforcement, &trial);
        snprintf(name, sizeof(name), "generation %" PRIu64, trial.generation);
        r = enforcement_confirm(request->server->config.enforcement, trial.generation);
        if (r != 0)
                return error_set_transaction(error, r, NULL);
        manager_note(request->server, name);
        return sd_bus_reply_method_return(request->message, "");
}

/* ---- Release ---- */

int describe_release(Request *request, sd_bus_error *error)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        int r = request_read_options(request, error);

        if (r >= 0)
                r = request_detail(request, "change", "release everything");
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    enforcement_digest(enforcement));
}

int run_release(Request *request, sd_bus_error *error)
{
        char by[32];
        int r;

        snprintf(by, sizeof(by), "uid %u", (unsigned) request->uid);
        r = enforcement_release(request->server->config.enforcement, by);
        if (r != 0)
                return error_set_transaction(error, r, NULL);
        manager_note(request->server, "");
        return sd_bus_reply_method_return(request->message, "");
}
