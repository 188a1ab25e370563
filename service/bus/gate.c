/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gate: see gate.h. A Call lives from the message's arrival to its reply. Whatever ends it early
 * (the caller is gone, the bus is gone) frees it, and with it every slot that could still call
 * back. */
#include "bus/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/caller.h"
#include "auth/polkit.h"
#include "bus/bucket.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "event/message-id.h"
#include "bus/work.h"
#include "util/cleanup.h"
#include "util/log.h"

typedef struct Call Call;

/* Describes or runs; what it returns is what call_perform() ends the call with. */
typedef int (*CallStep)(Call *call, sd_bus_error *error);

struct Call {
        Gate *gate;
        Call *previous, *next;
        BusServer *server;
        const Method *method; /* NULL: a probe */
        Action action;
        sd_bus_message *message;
        const char *sender; /* belongs to the message */
        uid_t uid;
        CallStep step;
        int is_performing, is_gone; /* the caller left meanwhile: nobody waits for the reply */
        int asking;                 /* polkit has the question */
        PolkitInteraction interaction;
        Binding binding;
        char name[TEXT_PROMPT_MAX + 1]; /* what it is about, for the record */
        sd_bus_slot *vanished;
        CallerQuery *query;
        PolkitCheck *check;
};

struct Gate {
        sd_bus *bus;
        Work *work;
        uint64_t timeout_usec;
        Buckets buckets;
        Call *calls;
        const Call *running;
        const Request *request; /* of that call */
};

static void link_call(Gate *gate, Call *call)
{
        call->gate = gate;
        call->next = gate->calls;
        if (gate->calls)
                gate->calls->previous = call;
        gate->calls = call;
}

static Call *call_free(Call *call)
{
        if (!call)
                return NULL;
        if (call->is_performing) {
                call->is_gone = 1;
                return NULL;
        }
        if (call->gate)
                work_drop(call->gate->work, call);
        if (call->next)
                call->next->previous = call->previous;
        if (call->previous)
                call->previous->next = call->next;
        else if (call->gate)
                call->gate->calls = call->next;
        polkit_check_free(call->check);
        caller_query_free(call->query);
        sd_bus_slot_unref(call->vanished);
        sd_bus_message_unref(call->message);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(Call *, call_free);

static uint64_t clock_usec(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* ---- the end of a call ---- */

/* Each decision is on record; that of a yes is told by whatever it changes. */
static void call_record(const Call *call, RefusalReason reason)
{
        Refusal refusal = {
                .uid = call->uid,
                .method = call->method->name,
                .action = call->action,
                .reason = reason,
                .usec = clock_usec(CLOCK_REALTIME),
                .generation = enforcement_generation(call->server->config.enforcement),
        };
        HistoryEntry entry;

        snprintf(refusal.origin, sizeof(refusal.origin), "%s", call->sender);
        snprintf(refusal.name, sizeof(refusal.name), "%s", call->name);
        if (refusals_add(&call->server->refusals, &refusal) < 0) {
                log_warning("Memory is short: a refusal is not in the history");
                return;
        }
        entry = refusals_get(&call->server->refusals, call->server->refusals.n - 1);
        history_log(&entry, MESSAGE_ID_REFUSAL);
}

static void call_refuse(Call *call, const sd_bus_error *error)
{
        int r = sd_bus_reply_method_error(call->message, error);

        if (r < 0)
                log_errno(r, "Cannot reply to %s", call->sender);
        call_free(call);
}

static void call_refuse_as(Call *call, const char *name, const char *message)
{
        sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, message);

        log_info("%s of %s (uid %u): %s", call->method ? call->method->name : "Can", call->sender,
                 (unsigned) call->uid, message);
        call_refuse(call, &error);
}

static void call_fail(Call *call, int r, sd_bus_error *error)
{
        if (!sd_bus_error_is_set(error))
                sd_bus_error_set_errno(error, r);
        call_refuse(call, error);
        sd_bus_error_free(error);
}

static void call_answer_probe(Call *call, const char *answer)
{
        int r = sd_bus_reply_method_return(call->message, "s", answer);

        if (r < 0)
                log_errno(r, "Cannot reply to %s", call->sender);
        call_free(call);
}

/* ---- describe and run ---- */

static int describe(Request *request, const Method *method, sd_bus_error *error)
{
        int r = sd_bus_message_rewind(request->message, 1);

        if (r < 0)
                return r;
        request->action = method->action;
        r = method->describe(request, error);
        /* What a variant holds is not in the signature, which the bus library has compared. */
        if (r == -ENXIO && !sd_bus_error_is_set(error))
                r = sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                     "a value is not of the type that it must be");
        return r;
}

static Request call_request(const Call *call)
{
        return (Request){.server = call->server, .message = call->message, .uid = call->uid};
}

static int is_same(const Call *call, const Request *request)
{
        return call->action == request->action &&
               call->binding.generation == request->binding.generation &&
               memcmp(call->binding.digest, request->binding.digest, DIGEST_SIZE) == 0;
}

static int stale(const Call *call, sd_bus_error *error)
{
        call_record(call, REFUSED_AS_STALE);
        sd_bus_error_free(error);
        return sd_bus_error_set(error, ERROR_AUTHORIZATION_STALE,
                                "what is in force changed while the question was open; "
                                "look at the plan again");
}

static int run(Call *call, Request *request, sd_bus_error *error)
{
        int r;

        call->gate->running = call;
        call->gate->request = request;
        r = call->method->run(request, error);
        call->gate->running = NULL;
        call->gate->request = NULL;
        return r;
}

/* The answer was yes: to what was described then. Is it still the same? */
static int step_run_anew(Call *call, sd_bus_error *error)
{
        Request request = call_request(call);
        int r = describe(&request, call->method, error);

        if (r < 0 && sd_bus_error_has_name(error, ERROR_GENERATION_MISMATCH))
                r = stale(call, error);
        else if (r >= 0 && !is_same(call, &request))
                r = stale(call, error);
        if (r >= 0)
                r = run(call, &request, error);
        request_deinit(&request);
        return r;
}

/* Where nobody stands between them, describe and run are one step. */
static int step_run(Call *call, sd_bus_error *error)
{
        Request request = call_request(call);
        int r = describe(&request, call->method, error);

        if (r >= 0)
                r = run(call, &request, error);
        request_deinit(&request);
        return r;
}

/* ---- one after the other ---- */

static void call_perform(void *userdata)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        Call *call = userdata;
        int r;

        call->is_performing = 1;
        r = call->step(call, &error);
        call->is_performing = 0;
        if (call->is_gone || (r >= 0 && !call->asking)) {
                sd_bus_error_free(&error);
                call_free(call);
        } else if (r < 0) {
                call_fail(call, r, &error);
        }
}

/* The administrator does not wait behind others, but for what has begun. */
static void call_schedule(Call *call, CallStep step)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        call->step = step;
        r = work_add(call->gate->work, call->uid == 0 ? WORK_FIRST : WORK_LAST, call_perform, call);
        if (r < 0)
                call_fail(call, r, &error);
}

/* ---- polkit ---- */

typedef struct Open {
        unsigned of_sender, of_uid, all;
} Open;

static Open count_open(const Gate *gate, const Call *call)
{
        Open open = {0};

        for (const Call *other = gate->calls; other; other = other->next) {
                if (!other->asking || other->interaction != call->interaction)
                        continue;
                open.all++;
                open.of_uid += other->uid == call->uid;
                open.of_sender += strcmp(other->sender, call->sender) == 0;
        }
        return open;
}

static int may_ask(const Gate *gate, const Call *call)
{
        Open open = count_open(gate, call);

        switch (call->interaction) {
        case POLKIT_MAY_ASK:
                return open.of_sender < GATE_ASKING_PER_SENDER &&
                       open.of_uid < GATE_ASKING_PER_UID && open.all < GATE_ASKING_MAX;
        case POLKIT_SILENT:
                return open.of_uid < GATE_CHECKING_PER_UID && open.all < GATE_CHECKING_MAX;
        }
        return 0;
}

static void answer_probe(Call *call, PolkitAnswer answer)
{
        switch (answer) {
        case POLKIT_YES:
                return call_answer_probe(call, "yes");
        case POLKIT_NO:
                return call_answer_probe(call, "no");
        case POLKIT_CHALLENGE:
                return call_answer_probe(call, "challenge");
        case POLKIT_UNAVAILABLE:
                return call_refuse_as(call, ERROR_AUTHORIZATION_UNAVAILABLE,
                                      "polkit is not there to be asked");
        }
}

static void answer_method(Call *call, PolkitAnswer answer)
{
        if (answer != POLKIT_YES)
                call_record(call, REFUSED_BY_POLKIT);
        switch (answer) {
        case POLKIT_YES:
                log_info("%s of %s (uid %u): allowed by polkit, %s", call->method->name,
                         call->sender, (unsigned) call->uid, action_id(call->action));
                return call_schedule(call, step_run_anew);
        case POLKIT_NO:
                return call_refuse_as(call, SD_BUS_ERROR_ACCESS_DENIED, "polkit does not allow it");
        case POLKIT_CHALLENGE:
                if (call->interaction == POLKIT_SILENT)
                        return call_refuse_as(call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                              "somebody must authenticate, and this call does not "
                                              "allow to ask");
                return call_refuse_as(call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                      "somebody must authenticate, and there is no agent to ask");
        case POLKIT_UNAVAILABLE:
                return call_refuse_as(call, ERROR_AUTHORIZATION_UNAVAILABLE,
                                      "polkit is not there to be asked; only root is let in");
        }
}

static void on_answer(void *userdata, PolkitAnswer answer)
{
        Call *call = userdata;

        call->check = polkit_check_free(call->check);
        call->asking = 0;
        if (call->method)
                answer_method(call, answer);
        else
                answer_probe(call, answer);
}

static void call_name(Call *call, const Request *request)
{
        for (size_t i = 0; i < request->n_details; i++)
                if (strcmp(request->details[i].key, "name") == 0)
                        snprintf(call->name, sizeof(call->name), "%s", request->details[i].value);
}

static int call_ask(Call *call, const Request *request)
{
        PolkitQuestion question = {
                .subject = call->sender,
                .action = call->action,
                .details = request->details,
                .n_details = request->n_details,
                .interaction = call->interaction,
                .timeout_usec = call->gate->timeout_usec,
        };
        int r = polkit_check_new(&call->check, call->gate->bus, &question, on_answer, call);

        return r < 0 ? log_errno(r, "Cannot ask polkit") : 0;
}

/* ---- the caller ---- */

static int step_ask(Call *call, sd_bus_error *error)
{
        Request request = call_request(call);
        int r = 0;

        request.action = call->action;
        if (call->method)
                r = describe(&request, call->method, error);
        if (r >= 0 && !call->is_gone) {
                call->action = request.action;
                call->binding = request.binding;
                call_name(call, &request);
                r = call_ask(call, &request);
        }
        request_deinit(&request);
        return r;
}

/* root is never refused; who asks what polkit would say has paid for the method that asks. */
static int call_pay(Call *call)
{
        if (call->uid == 0 || !call->method)
                return 0;
        return buckets_take(&call->gate->buckets, call->uid, call->method->cost,
                            clock_usec(CLOCK_MONOTONIC));
}

static void on_caller(void *userdata, int result, uid_t uid)
{
        static const sd_bus_error too_often = SD_BUS_ERROR_MAKE_CONST(
                SD_BUS_ERROR_LIMITS_EXCEEDED, "calls come too often; wait a second");
        Call *call = userdata;

        call->query = caller_query_free(call->query);
        if (result == -ENXIO) {
                call_free(call);
                return;
        }
        if (result < 0)
                return call_refuse_as(call, SD_BUS_ERROR_ACCESS_DENIED,
                                      "the bus does not say who is calling");
        call->uid = uid;
        if (call_pay(call) < 0)
                return call_refuse(call, &too_often);
        if (call->method && (uid == 0 || call->method->action == ACTION_NONE))
                return call_schedule(call, step_run);
        if (uid == 0)
                return call_answer_probe(call, "yes");
        if (!may_ask(call->gate, call))
                return call_refuse_as(call, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                      "as many questions are open as may be");
        call->asking = 1; /* from here on: what waits to be described counts as well */
        call_schedule(call, step_ask);
}

static int on_vanished(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *name, *old_owner, *new_owner;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 ||
            new_owner[0] == '\0')
                call_free(userdata);
        return 0;
}

static int on_watching(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        if (sd_bus_message_is_method_error(m, NULL))
                call_refuse_as(userdata, SD_BUS_ERROR_ACCESS_DENIED,
                               "the bus does not tell when the caller is gone");
        return 0;
}

/* sd_bus_track would wait for the bus. Here the match goes out before the caller's uid is asked
 * for, so that a caller who left earlier is found by that question, and one who leaves later by the
 * match. */
static int call_watch(Call *call)
{
        char match[512];
        int n = snprintf(match, sizeof(match),
                         "type='signal',sender='org.freedesktop.DBus',"
                         "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                         "member='NameOwnerChanged',arg0='%s'",
                         call->sender);

        if (n < 0 || (size_t) n >= sizeof(match))
                return -EINVAL;
        return sd_bus_add_match_async(call->gate->bus, &call->vanished, match, on_vanished,
                                      on_watching, call);
}

static int call_new(Call **ret_call, BusServer *server, const Method *method, sd_bus_message *m)
{
        Call *call = calloc(1, sizeof(*call));

        if (!call)
                return -ENOMEM;
        call->server = server;
        call->method = method;
        call->uid = (uid_t) -1;
        call->message = sd_bus_message_ref(m);
        call->sender = sd_bus_message_get_sender(m);
        call->interaction = method && sd_bus_message_get_allow_interactive_authorization(m) > 0
                                    ? POLKIT_MAY_ASK
                                    : POLKIT_SILENT;
        link_call(server->gate, call);
        *ret_call = call;
        return 0;
}

static int gate_begin(BusServer *server, const Method *method, Action action, sd_bus_message *m)
{
        _cleanup_(call_freep) Call *call = NULL;
        int r = call_new(&call, server, method, m);

        if (r < 0)
                return r;
        call->action = action;
        if (!call->sender || call->sender[0] != ':')
                return -EACCES;
        r = action == ACTION_NONE ? 0 : call_watch(call); /* no question will be open */
        if (r < 0)
                return r;
        r = caller_query_new(&call->query, server->gate->bus, call->sender, on_caller, call);
        if (r < 0)
                return r;
        TAKE_PTR(call);
        return 1;
}

int gate_enter(BusServer *server, const Method *method, sd_bus_message *m, sd_bus_error *error)
{
        return gate_begin(server, method, method->action, m);
}

int gate_probe(BusServer *server, Action action, sd_bus_message *m, sd_bus_error *error)
{
        return gate_begin(server, NULL, action, m);
}

int gate_running(const Gate *gate, Running *ret_running)
{
        if (!gate || !gate->running)
                return -ENOENT;
        *ret_running = (Running){
                .sender = gate->running->sender,
                .method = gate->running->method->name,
                .request = gate->request,
        };
        return 0;
}

int gate_is_busy(const Gate *gate)
{
        return gate && work_is_under_way(gate->work);
}

int gate_new(Gate **ret_gate, sd_bus *bus, uint64_t timeout_usec)
{
        _cleanup_(gate_freep) Gate *gate = calloc(1, sizeof(*gate));
        int r;

        if (!gate)
                return -ENOMEM;
        gate->bus = sd_bus_ref(bus);
        gate->timeout_usec = timeout_usec;
        r = work_new(&gate->work, sd_bus_get_event(bus));
        if (r < 0)
                return r;
        *ret_gate = TAKE_PTR(gate);
        return 0;
}

Gate *gate_free(Gate *gate)
{
        if (!gate)
                return NULL;
        gate->work = work_free(gate->work);
        while (gate->calls)
                call_free(gate->calls);
        sd_bus_unref(gate->bus);
        free(gate);
        return NULL;
}
