/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Simulate, a method of Events: what a document would have decided about the events that are
 * remembered, were it in force with the others. Each is asked about as Explain is asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "util/cleanup.h"
#include "util/fiber.h"

static int read_arguments(Request *request, const char **ret_name, SignatureText *ret_document,
                          sd_bus_error *error)
{
        int r = request_read_name(request, ret_name, error);

        if (r >= 0)
                r = request_read_document(request, &ret_document->text, &ret_document->n, error);
        if (r >= 0)
                r = sd_bus_message_read(request->message, "tu", &request->since_usec,
                                        &request->limit);
        if (r >= 0)
                r = request_read_simulate_options(request, error);
        return r;
}

int describe_simulate(Request *request, sd_bus_error *error)
{
        const char *name = NULL;
        SignatureText document = {};
        int r = read_arguments(request, &name, &document, error);

        if (r < 0)
                return r;
        if (request->limit > EVENT_RECENT_MAX)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "the limit is at most %u; 0 is the same",
                                         EVENT_RECENT_MAX);
        return request_make_plan(request, name, &document, error);
}

/* Meanwhile more may happen, and the oldest be forgotten: events are kept by number. */
typedef struct Simulation {
        const BusServer *server;
        PolicyImage *image;
        uint64_t boot_usec;
        size_t n;
        uint64_t seqs[EVENT_RECENT_MAX];
} Simulation;

static Simulation *simulation_free(Simulation *simulation)
{
        policy_image_free(simulation->image);
        free(simulation);
        return NULL;
}
DEFINE_CLEANUP(Simulation *, simulation_free);

static int note_event(void *userdata, const EventView *view)
{
        Simulation *simulation = userdata;

        if (simulation->n < EVENT_RECENT_MAX)
                simulation->seqs[simulation->n++] = view->event->seq;
        return 0;
}

/* ---- one event ---- */

/* Returns 0, 1 if it cannot be asked, or a negative errno. */
static int write_question(const Simulation *simulation, const EventView *view, char **ret_question)
{
        _cleanup_(event_names_deinit) EventNames names = {};
        int r = event_names_find(simulation->server->config.backend, view->event, &names);

        if (r < 0)
                return r;
        return exception_question(
                view->event,
                &(ExceptionNames){.path = names.path, .exe = names.exe, .cgroup = names.cgroup},
                ret_question);
}

static int strength(const char *verdict)
{
        if (strcmp(verdict, "denied") == 0)
                return 2;
        return strcmp(verdict, "audited") == 0;
}

/* Of several kinds of access the one that is denied counts. */
static void choose(const Simulation *simulation, const Question *question, Would *would)
{
        Mode mode = enforcement_mode(simulation->server->config.enforcement);
        Answer answers[ANSWERS_MAX];
        size_t n = question_ask(question, simulation->image, answers);

        for (size_t i = 0; i < n; i++) {
                const char *verdict = verdict_of_answer(&answers[i], mode);
                const struct clause *clause = answers[i].clause;

                if (would->verdict && strength(verdict) <= strength(would->verdict))
                        continue;
                would->verdict = verdict;
                would->rule =
                        clause ? policy_image_rule(simulation->image, clause->rule) : (ImageRule){};
        }
}

static int decide(const Simulation *simulation, const char *text, Would *would)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        Question question = {};
        struct timespec now = {};
        int r;

        clock_gettime(CLOCK_BOOTTIME, &now);
        r = question_read(&question, text, strlen(text),
                          backend_resolver(simulation->server->config.backend), now.tv_sec,
                          &diagnostics);
        if (r == 0)
                choose(simulation, &question, would);
        question_deinit(&question);
        return r < 0 ? r : 0;
}

/* What was found belongs to the hub until others had their turn. */
static int simulate_event(const Simulation *simulation, uint64_t seq, sd_bus_message *reply)
{
        EventHub *hub = simulation->server->config.hub;
        _cleanup_(freep) char *text = NULL;
        Would would = {};
        const EventPlus plus = {.boot_usec = simulation->boot_usec, .would = &would};
        EventView view;
        int r = event_hub_find(hub, seq, &view);

        if (r >= 0)
                r = write_question(simulation, &view, &text);
        if (r == 0)
                r = decide(simulation, text, &would);
        if (r >= 0)
                r = event_hub_find(hub, seq, &view);
        if (r >= 0)
                r = append_event(reply, &view, &plus);
        return r == -ENOENT ? 0 : r;
}

/* ---- the whole ---- */

static int collect(Simulation *simulation, const Request *request)
{
        const EventFilter all = {.uid = UINT32_MAX, .since_seq = UINT64_MAX};
        const EventQuery query = {
                .filter = &all,
                .since_ns = events_since_boot_ns(request->since_usec, simulation->boot_usec),
                .until_ns = UINT64_MAX,
                .limit = request->limit ? request->limit : EVENT_RECENT_MAX,
        };

        return event_hub_query(request->server->config.hub, &query, note_event, simulation);
}

static int append_all(const Simulation *simulation, sd_bus_message *reply)
{
        int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

        for (size_t i = 0; r >= 0 && i < simulation->n; i++) {
                fiber_pace();
                r = simulate_event(simulation, simulation->seqs[i], reply);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int run_simulate(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(simulation_freep) Simulation *simulation = calloc(1, sizeof(*simulation));
        int r;

        if (!simulation)
                return -ENOMEM;
        simulation->server = request->server;
        simulation->boot_usec = events_boot_usec();
        r = enforcement_plan_image(request->server->config.enforcement, request->plan,
                                   &simulation->image);
        if (r != 0)
                return error_set_transaction(error, r, request->plan);
        r = collect(simulation, request);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = append_all(simulation, reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
