/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics: what is counted, and how things stand, as OpenMetrics text (version 1.0.0). Nothing in
 * it but what properties tell everybody, and how often each line decided, by its number. Counters
 * and gauges alone, which the older text format has too. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "build-config.h"
#include "bus/metrics.h"
#include "transaction/exception.h"
#include "util/array.h"
#include "util/cleanup.h"

void metrics_head(FILE *out, MetricType type, const char *name, const char *help)
{
        fprintf(out, "# TYPE aegis_%s %s\n# HELP aegis_%s %s\n", name,
                type == METRIC_COUNTER ? "counter" : "gauge", name, help);
}

static void write_escaped(FILE *out, const char *value)
{
        for (; *value; value++) {
                if (*value == '\n')
                        fputs("\\n", out);
                else if (*value == '"' || *value == '\\')
                        fprintf(out, "\\%c", *value);
                else
                        fputc(*value, out);
        }
}

/* label may be NULL. name: of a sample; a counter's ends in _total. */
static void write_sample(FILE *out, const char *name, const char *label, const char *value,
                         uint64_t number)
{
        fprintf(out, "aegis_%s", name);
        if (label) {
                fprintf(out, "{%s=\"", label);
                write_escaped(out, value);
                fputs("\"}", out);
        }
        fprintf(out, " %" PRIu64 "\n", number);
}

void metrics_counter(FILE *out, const char *name, const char *help, uint64_t number)
{
        char sample[64];

        snprintf(sample, sizeof(sample), "%s_total", name);
        metrics_head(out, METRIC_COUNTER, name, help);
        write_sample(out, sample, NULL, NULL, number);
}

void metrics_gauge(FILE *out, const char *name, const char *help, uint64_t number)
{
        metrics_head(out, METRIC_GAUGE, name, help);
        write_sample(out, name, NULL, NULL, number);
}

/* ---- hooks ---- */

static uint64_t hook_calls(const HookStatus *status)
{
        return status->calls;
}

static uint64_t hook_denials(const HookStatus *status)
{
        return status->denials;
}

static uint64_t hook_audits(const HookStatus *status)
{
        return status->audits;
}

static uint64_t hook_attached(const HookStatus *status)
{
        return status->attached;
}

static uint64_t hook_required(const HookStatus *status)
{
        return status->required;
}

static const struct {
        MetricType type;
        const char *name, *sample, *help;
        uint64_t (*read)(const HookStatus *status);
} hook_metrics[] = {
        {METRIC_COUNTER, "hook_calls", "hook_calls_total", "How often the hook ran.", hook_calls},
        {METRIC_COUNTER, "hook_denials", "hook_denials_total", "How often the hook denied.",
         hook_denials},
        {METRIC_COUNTER, "hook_audits", "hook_audits_total",
         "How often the hook recorded what it would have denied.", hook_audits},
        {METRIC_GAUGE, "hook_attached", "hook_attached", "Whether the hook is attached.",
         hook_attached},
        {METRIC_GAUGE, "hook_required", "hook_required",
         "Whether a policy in force needs the hook.", hook_required},
};

/* Nothing unless the time is taken: a hook that never ran has none. */
static void write_times(FILE *out, const HookStatus hooks[N_HOOKS])
{
        int is_taken = 0;

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                is_taken |= hooks[hook].runs > 0;
        if (!is_taken)
                return;
        metrics_head(out, METRIC_COUNTER, "hook_runs", "Calls whose time was taken.");
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                write_sample(out, "hook_runs_total", "hook", hooks[hook].name, hooks[hook].runs);
        metrics_head(out, METRIC_COUNTER, "hook_run_seconds", "How long these took.");
        fputs("# UNIT aegis_hook_run_seconds seconds\n", out);
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                fprintf(out,
                        "aegis_hook_run_seconds_total{hook=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n",
                        hooks[hook].name, hooks[hook].run_ns / 1000000000,
                        hooks[hook].run_ns % 1000000000);
}

static void write_hooks(FILE *out, const Backend *backend)
{
        HookStatus hooks[N_HOOKS];

        backend_hooks(backend, hooks);
        for (size_t i = 0; i < ELEMENTS_OF(hook_metrics); i++) {
                metrics_head(out, hook_metrics[i].type, hook_metrics[i].name, hook_metrics[i].help);
                for (enum hook hook = 0; hook < N_HOOKS; hook++)
                        write_sample(out, hook_metrics[i].sample, "hook", hooks[hook].name,
                                     hook_metrics[i].read(&hooks[hook]));
        }
        write_times(out, hooks);
}

/* ---- events ---- */

static void write_events(FILE *out, const EventHub *hub, const Backend *backend)
{
        EventTotals totals;
        EventCounters rings;

        event_hub_totals(hub, &totals);
        metrics_counter(out, "events_emitted", "Events in all.",
                        totals.delivered + totals.suppressed + totals.lost);
        metrics_counter(out, "events_delivered", "Events that a reader got.", totals.delivered);
        metrics_counter(out, "events_suppressed", "Events that no reader wanted.",
                        totals.suppressed);
        metrics_counter(out, "events_lost", "Events that were lost to all who wanted them.",
                        totals.lost);
        backend_event_counters(backend, &rings);
        metrics_counter(out, "ring_records", "Records that the kernel had for the service.",
                        rings.emitted);
        metrics_counter(out, "ring_lost", "Records that found no room in their ring.", rings.lost);
}

/* ---- what is in force ---- */

static void write_rules(FILE *out, const Enforcement *enforcement)
{
        size_t n = enforcement_n_documents(enforcement);

        metrics_gauge(out, "policies", "How many policies are in force.", n);
        metrics_head(out, METRIC_GAUGE, "rules", "How many rules a policy in force has.");
        for (size_t i = 0; i < n; i++) {
                const Document *document = &enforcement_document(enforcement, i)->document;

                write_sample(out, "rules", "policy", document->name,
                             policy_n_rules(document->policy));
        }
}

/* One of each is 1. */
static void write_states(FILE *out, const BusServer *server, Posture current)
{
        static const Mode modes[] = {MODE_ENFORCE, MODE_AUDIT};
        Mode mode = enforcement_mode(server->config.enforcement);

        metrics_head(out, METRIC_GAUGE, "mode", "The mode of the service.");
        for (size_t i = 0; i < ELEMENTS_OF(modes); i++)
                write_sample(out, "mode", "mode", mode_to_string(modes[i]), modes[i] == mode);
        metrics_head(out, METRIC_GAUGE, "posture", "What the service can stand for.");
        for (Posture posture = 0; posture < N_POSTURES; posture++)
                write_sample(out, "posture", "posture", posture_to_string(posture),
                             posture == current);
}

static uint64_t count_exceptions(const Enforcement *enforcement)
{
        const Loaded *loaded = enforcement_find(enforcement, EXCEPTIONS_NAME);

        return loaded ? policy_n_rules(loaded->document.policy) : 0;
}

static void write_temporary(FILE *out, const Enforcement *enforcement)
{
        EmergencyStatus emergency;

        metrics_gauge(out, "exceptions", "What is allowed for a while.",
                      count_exceptions(enforcement));
        metrics_gauge(out, "emergency",
                      "Whether verdicts are recorded and not enforced for a while.",
                      enforcement_emergency(enforcement, &emergency) != 0);
        metrics_gauge(out, "drift", "Whether what is enforced is not what the record on disk says.",
                      enforcement_drift(enforcement) != 0);
}

static int write_metrics(FILE *out, const BusServer *server, Posture posture)
{
        const Enforcement *enforcement = server->config.enforcement;
        int r;

        metrics_head(out, METRIC_GAUGE, "build_info", "The version of the service.");
        write_sample(out, "build_info", "version", AEGIS_VERSION, 1);
        metrics_gauge(out, "generation", "The number of what is in force.",
                      enforcement_generation(enforcement));
        write_states(out, server, posture);
        write_rules(out, enforcement);
        write_temporary(out, enforcement);
        metrics_write_trust(out, enforcement);
        write_hooks(out, server->config.backend);
        write_events(out, server->config.hub, server->config.backend);
        r = metrics_write_hits(out, server);
        fputs("# EOF\n", out);
        return r;
}

static int format_metrics(const BusServer *server, Posture posture, char **ret_text)
{
        _cleanup_(freep) char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        int r, failed;

        if (!out)
                return -ENOMEM;
        r = write_metrics(out, server, posture);
        failed = ferror(out);
        if (fclose(out) != 0 || failed)
                return -ENOMEM;
        if (r >= 0)
                *ret_text = TAKE_PTR(text);
        return r;
}

int run_get_metrics(Request *request, sd_bus_error *error)
{
        _cleanup_(freep) char *text = NULL;
        PostureReport report;
        int r = manager_judge(request->server, &report);

        if (r < 0)
                return r;
        r = format_metrics(request->server, report.posture, &text);
        posture_report_deinit(&report);
        return r < 0 ? r : sd_bus_reply_method_return(request->message, "s", text);
}
