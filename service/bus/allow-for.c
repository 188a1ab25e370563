/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AllowFor, a method of Events: for a while, what an event says was denied is allowed: that object
 * to that program and user. The event is the service's own memory of it: nothing of what is allowed
 * comes from the caller but the number and the time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "event/exception.h"
#include "transaction/exception.h"
#include "util/cleanup.h"

#define USEC_PER_SEC 1000000u
#define TTL_MAX_USEC (7ull * 24 * 3600 * USEC_PER_SEC)

/* What is known of the event, by name. */
typedef struct Blocked {
        struct event event;
        EventNames names;
        char id[EXCEPTION_NAME_SIZE];
} Blocked;

static void blocked_deinit(Blocked *blocked)
{
        event_names_deinit(&blocked->names);
}

static int no_such_event(sd_bus_error *error, const char *why)
{
        return sd_bus_error_set(error, ERROR_NO_SUCH_EVENT, why);
}

static int find_event(const Request *request, uint64_t seq, Blocked *blocked, sd_bus_error *error)
{
        EventView view;
        int r = event_hub_find(request->server->config.hub, seq, &view);

        if (r == -ENOENT)
                return no_such_event(error, "no event of that number is remembered");
        if (r < 0)
                return r;
        if (view.event->verdict != VERDICT_DENIED)
                return no_such_event(error, "that event was no denial");
        memcpy(&blocked->event, view.event, EVENT_NET_SIZE + view.event->path_length);
        return exception_name(blocked->id, &blocked->event, request->uid);
}

static int name_event(const Request *request, Blocked *blocked, sd_bus_error *error)
{
        const Backend *backend = request->server->config.backend;
        const struct event *event = &blocked->event;
        const char *refusal = exception_refusal(event);
        int r;

        if (refusal)
                return sd_bus_error_set(error, ERROR_NOT_EXCEPTABLE, refusal);
        r = event_names_find(backend, event, &blocked->names);
        if (r < 0)
                return r;
        if (!blocked->names.exe)
                return sd_bus_error_set(error, ERROR_NOT_EXCEPTABLE,
                                        "where its program lies is not found any more; while it "
                                        "runs it is");
        return 0;
}

/* ---- the first way that does it ---- */

/* Returns 0 with rule and plan in the request, a TransactionError, or a negative errno. */
static int try_way(Request *request, const char *entry, const char *question, char **ret_denier)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        int r = single_rule_new(&request->rule, "allow", entry, request->ttl_usec, &diagnostics);

        if (r == 0)
                r = enforcement_plan_exception(request->server->config.enforcement, request->rule,
                                               question, &request->plan, ret_denier);
        if (r != 0)
                request->rule = single_rule_free(request->rule);
        return r;
}

static int refuse(sd_bus_error *error, int r, const char *denier)
{
        if (r == TRANSACTION_E_STILL_DENIED && denier)
                return sd_bus_error_setf(error, ERROR_NOT_EXCEPTABLE,
                                         "a rule that no exception comes before denies it: %s",
                                         denier);
        if (r == TRANSACTION_E_INVALID_POLICY)
                return sd_bus_error_set(error, ERROR_NOT_EXCEPTABLE, "no rule can say just this");
        return error_set_transaction(error, r, NULL);
}

static int plan(Request *request, const Blocked *blocked, sd_bus_error *error)
{
        const ExceptionNames names = {.path = blocked->names.path,
                                      .exe = blocked->names.exe,
                                      .cgroup = blocked->names.cgroup,
                                      .id = blocked->id};
        _cleanup_(freep) char *denier = NULL;
        int r = TRANSACTION_E_INVALID_POLICY;

        for (unsigned way = 0;; way++) {
                _cleanup_(freep) char *entry = NULL, *question = NULL, *told = NULL;
                int left = exception_way(&blocked->event, &names, way, &entry, &question);

                if (left < 0)
                        return left;
                if (left > 0)
                        return refuse(error, r, denier);
                r = try_way(request, entry, question, &told);
                if (r == 0)
                        return 0;
                if (r != TRANSACTION_E_STILL_DENIED && r != TRANSACTION_E_INVALID_POLICY)
                        return refuse(error, r, NULL);
                if (told && !denier)
                        denier = TAKE_PTR(told);
                r = denier ? TRANSACTION_E_STILL_DENIED : r;
        }
}

/* ---- the method ---- */

static int read_arguments(Request *request, uint64_t *ret_seq, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "tt", ret_seq, &request->ttl_usec);

        if (r >= 0)
                r = request_read_options(request, error);
        if (r < 0)
                return r;
        if (request->ttl_usec == 0 || request->ttl_usec > TTL_MAX_USEC)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "an exception is for a time, of a week at most");
        request->expect = EXPECT_ANY;
        return 0;
}

static int detail(Request *request, const Blocked *blocked)
{
        uint64_t seconds = (request->ttl_usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
        int r = request_detail_text(request, "entry", single_rule_text(request->rule));

        if (r >= 0)
                r = request_detail_text(request, "program", blocked->names.exe);
        if (r >= 0)
                r = request_detail(request, "uid", "%u", blocked->event.uid);
        if (r >= 0)
                r = request_detail(request, "time", "%" PRIu64 " s", seconds);
        return r < 0 ? r
                     : request_bind(request,
                                    enforcement_generation(request->server->config.enforcement),
                                    request->plan->bound);
}

int describe_allow_for(Request *request, sd_bus_error *error)
{
        _cleanup_(blocked_deinit) Blocked blocked = {};
        uint64_t seq;
        int r = read_arguments(request, &seq, error);

        if (r >= 0)
                r = find_event(request, seq, &blocked, error);
        if (r >= 0)
                r = name_event(request, &blocked, error);
        if (r >= 0)
                r = plan(request, &blocked, error);
        if (r < 0)
                return r;
        memcpy(request->exception, blocked.id, sizeof(request->exception));
        r = request_refuse_on_trial(request, error);
        return r < 0 ? r : detail(request, &blocked);
}

int run_allow_for(Request *request, sd_bus_error *error)
{
        _cleanup_(freep) char *path = NULL;
        uint64_t generation = 0;
        int r = manager_commit(request, &generation, error);

        if (r >= 0)
                r = exception_path_on_bus(request->exception, &path);
        return r < 0 ? r : sd_bus_reply_method_return(request->message, "o", path);
}
