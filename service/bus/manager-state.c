/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's properties, and what of them listeners have been told. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "build-config.h"
#include "bus/objects.h"
#include "event/message-id.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/log.h"

int manager_judge(const BusServer *server, PostureReport *ret_report)
{
        HookStatus hooks[N_HOOKS];
        BackendFacts backend;
        EmergencyStatus emergency;
        PostureFacts facts = {
                .tier = backend_tier(server->config.backend),
                .mode = enforcement_mode(server->config.enforcement),
                .generation = enforcement_generation(server->config.enforcement),
                .hooks = hooks,
                .n_hooks = N_HOOKS,
                .trouble = enforcement_trouble(server->config.enforcement),
        };

        backend_facts(server->config.backend, &backend);
        facts.missing = backend.missing;
        facts.unguarded = backend.unguarded;
        if (enforcement_emergency(server->config.enforcement, &emergency))
                facts.emergency = emergency.reason;
        backend_hooks(server->config.backend, hooks);
        return posture_judge(&facts, ret_report);
}

/* ---- properties ---- */

static int append_version(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "s", AEGIS_VERSION);
}

static int append_api_version(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "u", API_VERSION);
}

static int append_features(const BusServer *server, sd_bus_message *reply)
{
        Tier tier = backend_tier(server->config.backend);

        if (tier == TIER_NONE)
                return sd_bus_message_append(reply, "as", 0);
        return sd_bus_message_append(reply, "as", 3, tier_to_string(tier), "files", "network");
}

static int append_epoch(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "s", server->epoch);
}

static int append_mode(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "s",
                                     mode_to_string(enforcement_mode(server->config.enforcement)));
}

static int append_posture(const BusServer *server, sd_bus_message *reply)
{
        PostureReport report;
        int r = manager_judge(server, &report);

        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "s", posture_to_string(report.posture));
        posture_report_deinit(&report);
        return r;
}

static int append_posture_reasons(const BusServer *server, sd_bus_message *reply)
{
        PostureReport report;
        int r = manager_judge(server, &report);

        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(reply, report.reasons);
        posture_report_deinit(&report);
        return r;
}

static int append_generation(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t",
                                     enforcement_generation(server->config.enforcement));
}

static int append_digest_in_force(const BusServer *server, sd_bus_message *reply)
{
        if (enforcement_generation(server->config.enforcement) == 0)
                return sd_bus_message_append(reply, "s", "");
        return append_digest(reply, enforcement_digest(server->config.enforcement));
}

static int append_last_change(const BusServer *server, sd_bus_message *reply)
{
        const LastChange *last = &server->last_change;

        return sd_bus_message_append(reply, "(ttus)", last->usec, last->generation, last->uid,
                                     last->origin ? last->origin : "");
}

static int append_confirm_generation(const BusServer *server, sd_bus_message *reply)
{
        TrialStatus trial;

        enforcement_trial(server->config.enforcement, &trial);
        return sd_bus_message_append(reply, "t", trial.generation);
}

static int append_confirm_until(const BusServer *server, sd_bus_message *reply)
{
        TrialStatus trial;

        enforcement_trial(server->config.enforcement, &trial);
        return sd_bus_message_append(reply, "t", trial.until_usec);
}

static uint64_t emergency_until(const BusServer *server)
{
        EmergencyStatus emergency;

        enforcement_emergency(server->config.enforcement, &emergency);
        return emergency.until_usec;
}

static int append_emergency_until(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", emergency_until(server));
}

static int append_drift(const BusServer *server, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "b", enforcement_drift(server->config.enforcement));
}

static int append_generations(const BusServer *server, sd_bus_message *reply)
{
        const Enforcement *enforcement = server->config.enforcement;
        int r = sd_bus_message_open_container(reply, 'a', "(ts)");

        for (size_t i = 0; r >= 0 && i < enforcement_n_kept(enforcement); i++) {
                KeptGeneration kept = enforcement_kept(enforcement, i);
                char hex[DIGEST_HEX_SIZE];

                digest_format(kept.digest, hex);
                r = sd_bus_message_append(reply, "(ts)", kept.generation, hex);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_policies(const BusServer *server, sd_bus_message *reply)
{
        const Enforcement *enforcement = server->config.enforcement;
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < enforcement_n_documents(enforcement); i++)
                r = sd_bus_message_append(reply, "s",
                                          enforcement_document(enforcement, i)->document.name);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_hooks(const BusServer *server, sd_bus_message *reply)
{
        uint32_t attached = 0, denying = 0, required = 0, missing = 0;
        HookStatus hooks[N_HOOKS];

        backend_hooks(server->config.backend, hooks);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                int denies = hooks[hook].guarantee == GUARANTEE_DENY;

                attached += hooks[hook].attached != 0;
                denying += denies;
                required += hooks[hook].required != 0;
                missing += hooks[hook].required && !denies;
        }
        return sd_bus_message_append(reply, "a{su}", 5, "all", (uint32_t) N_HOOKS, "attached",
                                     attached, "denying", denying, "required", required, "missing",
                                     missing);
}

static const struct {
        const char *name;
        int (*append)(const BusServer *server, sd_bus_message *reply);
} properties[] = {
        {"Version", append_version},
        {"ApiVersion", append_api_version},
        {"Features", append_features},
        {"Epoch", append_epoch},
        {"Mode", append_mode},
        {"Posture", append_posture},
        {"PostureReasons", append_posture_reasons},
        {"Generation", append_generation},
        {"Digest", append_digest_in_force},
        {"LastChange", append_last_change},
        {"ConfirmGeneration", append_confirm_generation},
        {"ConfirmUntilUSec", append_confirm_until},
        {"EmergencyUntilUSec", append_emergency_until},
        {"Drift", append_drift},
        {"Generations", append_generations},
        {"Policies", append_policies},
        {"Hooks", append_hooks},
};

int manager_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        for (size_t i = 0; i < ELEMENTS_OF(properties); i++)
                if (strcmp(properties[i].name, property) == 0)
                        return properties[i].append(userdata, reply);
        return -ENOENT;
}

/* ---- telling ---- */

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static uint64_t latest_change(const Enforcement *enforcement)
{
        uint64_t latest = 0;

        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                uint64_t usec = enforcement_document(enforcement, i)->changed_usec;

                latest = usec > latest ? usec : latest;
        }
        return latest;
}

/* What was changed: the document, or the mode, of all or of a hook. */
static void name_change(const Request *request, char ret_name[HISTORY_TEXT_MAX])
{
        if (request->plan)
                snprintf(ret_name, HISTORY_TEXT_MAX, "%s", request->plan->name);
        else
                snprintf(ret_name, HISTORY_TEXT_MAX, "%s%s%s", request->hook ? request->hook : "",
                         request->hook ? " " : "", mode_to_string(request->mode));
}

static const char *authorization_of(const Request *request)
{
        const char *id = action_id(request->action);

        return request->uid == 0 || !id ? "root" : id;
}

void history_log(const HistoryEntry *entry, const char *message_id)
{
        const LogField fields[] = {
                LOG_TEXT("MESSAGE_ID", message_id),
                LOG_TEXT("AEGIS_CHANGE", entry->what),
                LOG_TEXT("AEGIS_NAME", entry->name),
                LOG_NUMBER("AEGIS_GENERATION", entry->generation),
                LOG_NUMBER("AEGIS_UID", entry->uid),
                LOG_TEXT("AEGIS_SENDER", entry->origin),
                LOG_TEXT("AEGIS_AUTHORIZATION", entry->authorization),
        };
        char message[2 * HISTORY_TEXT_MAX + 64];

        snprintf(message, sizeof(message), "%s%s%s by uid %u: generation %" PRIu64,
                 entry->what[0] ? entry->what : "Change", entry->name[0] ? " " : "", entry->name,
                 entry->uid, entry->generation);
        log_fields(LOG_NOTICE, message, fields, ELEMENTS_OF(fields));
}

static void add_to_history(const BusServer *server, const HistoryEntry *entry)
{
        history_log(entry, MESSAGE_ID_CHANGE);
        if (history_add(enforcement_history(server->config.enforcement), entry) < 0)
                log_warning("Memory is short: a change is not in the history");
}

static void write_history(const BusServer *server, const Running *running)
{
        const LastChange *last = &server->last_change;
        const Request *request = running->request;
        OwnDeed deed = enforcement_own_deed(server->config.enforcement);
        char name[HISTORY_TEXT_MAX] = "";
        HistoryEntry entry = {
                .usec = last->usec,
                .generation = last->generation,
                .uid = last->uid,
                .origin = last->origin ? last->origin : "",
                .what = request     ? running->method
                        : deed.what ? deed.what
                                    : "",
                .name = deed.name ? deed.name : name,
                .authorization = request ? authorization_of(request) : "",
        };

        if (request && !deed.name)
                name_change(request, name);
        add_to_history(server, &entry);
}

void manager_note(BusServer *server, const char *name)
{
        Running running;
        HistoryEntry entry = {
                .usec = now_usec(),
                .generation = enforcement_generation(server->config.enforcement),
                .name = name,
        };

        if (gate_running(server->gate, &running) < 0)
                return;
        entry.uid = running.request->uid;
        entry.origin = running.sender;
        entry.what = running.method;
        entry.authorization = authorization_of(running.request);
        add_to_history(server, &entry);
}

/* Its time was over; whoever stops it is written down by manager_note(). */
static void note_end_of_emergency(const BusServer *server)
{
        Running running;
        HistoryEntry entry = {
                .usec = now_usec(),
                .generation = enforcement_generation(server->config.enforcement),
                .origin = "service",
                .what = "EmergencyEnd",
                .name = "",
                .authorization = "",
        };

        if (gate_running(server->gate, &running) < 0)
                add_to_history(server, &entry);
}

/* Who is behind the generation that is in force now: the call that is being run; else what was
 * found at the start, or the service itself. */
static void note_change(BusServer *server)
{
        LastChange *last = &server->last_change;
        int is_start = !last->origin;
        Running running = {.sender = is_start ? "start" : "service"};
        int is_call = gate_running(server->gate, &running) >= 0;

        last->generation = enforcement_generation(server->config.enforcement);
        last->usec = is_start && !is_call ? latest_change(server->config.enforcement) : now_usec();
        last->uid = is_call ? running.request->uid : 0;
        free(last->origin);
        last->origin = strdup(running.sender);
        if (is_call || !is_start)
                write_history(server, &running);
}

static void emit_difference(BusServer *server, const ToldManager *then, const ToldManager *now)
{
        char *names[16] = {NULL};
        size_t n = 0;

        if (then->mode != now->mode)
                names[n++] = (char *) "Mode";
        if (then->posture.posture != now->posture.posture)
                names[n++] = (char *) "Posture";
        if (!posture_report_equal(&then->posture, &now->posture))
                names[n++] = (char *) "PostureReasons";
        if (memcmp(then->digest, now->digest, DIGEST_SIZE) != 0)
                names[n++] = (char *) "Digest";
        if (then->generation != now->generation) {
                names[n++] = (char *) "Generation";
                names[n++] = (char *) "LastChange";
                names[n++] = (char *) "Generations";
        }
        if (then->trial.generation != now->trial.generation) {
                names[n++] = (char *) "ConfirmGeneration";
                names[n++] = (char *) "ConfirmUntilUSec";
        }
        if (then->emergency_until_usec != now->emergency_until_usec)
                names[n++] = (char *) "EmergencyUntilUSec";
        if (then->drift != now->drift)
                names[n++] = (char *) "Drift";
        emit_changed(server, ROOT_PATH, MANAGER_INTERFACE, names);
}

int manager_state_tell(BusServer *server)
{
        ToldManager now = {
                .mode = enforcement_mode(server->config.enforcement),
                .generation = enforcement_generation(server->config.enforcement),
                .emergency_until_usec = emergency_until(server),
                .drift = enforcement_drift(server->config.enforcement),
        };
        ToldManager then = server->manager;
        int r = manager_judge(server, &now.posture);

        if (r < 0)
                return r;
        enforcement_trial(server->config.enforcement, &now.trial);
        memcpy(now.digest, enforcement_digest(server->config.enforcement), DIGEST_SIZE);
        if (!server->last_change.origin || now.generation != then.generation)
                note_change(server);
        if (then.emergency_until_usec && !now.emergency_until_usec)
                note_end_of_emergency(server);
        server->manager = now;
        emit_difference(server, &then, &now);
        posture_report_deinit(&then.posture);
        return 0;
}

void manager_state_deinit(BusServer *server)
{
        posture_report_deinit(&server->manager.posture);
        free(server->last_change.origin);
        server->last_change = (LastChange){0};
}
