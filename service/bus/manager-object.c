/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager: the service itself at the root path: its state, and every way to change what is
 * enforced. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "util/cleanup.h"

/* ---- Plan, Apply ---- */

static int read_plan(Request *request, int (*read_options)(Request *, sd_bus_error *),
                     sd_bus_error *error)
{
        const char *name = NULL;
        SignatureText document = {};
        int r = request_read_name(request, &name, error);

        if (r >= 0)
                r = request_read_document(request, &document.text, &document.n, error);
        if (r >= 0)
                r = request_read_signatures(request, error);
        if (r >= 0)
                r = request_read_expect(request, error);
        if (r >= 0)
                r = read_options(request, error);
        if (r >= 0)
                r = request_make_plan(request, name, &document, error);
        return r < 0 ? r : request_detail(request, "name", "%s", name);
}

static int detail_signers(Request *request)
{
        _cleanup_(freep) char *signers = plan_signers(request->plan);

        return signers ? request_detail_text(request, "signed", signers) : -ENOMEM;
}

static int describe_plan(Request *request, sd_bus_error *error)
{
        return read_plan(request, request_read_options, error);
}

static int run_plan(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = sd_bus_message_append(reply, "b", request->plan->changed);
        if (r >= 0)
                r = append_changes(reply, request->plan);
        if (r >= 0)
                r = append_diagnostics(reply, &request->plan->diagnostics);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int describe_apply(Request *request, sd_bus_error *error)
{
        int r = read_plan(request, request_read_apply_options, error);

        if (r >= 0)
                r = request_refuse_on_trial(request, error);
        if (r < 0)
                return r;
        request->plan->confirm_usec = request->confirm_usec;
        r = detail_signers(request);
        if (r >= 0)
                r = request_detail_counts(request);
        return r < 0 ? r : request_bind(request, request->plan->generation, request->plan->digest);
}

int manager_commit(Request *request, uint64_t *ret_generation, sd_bus_error *error)
{
        int r = enforcement_commit(request->server->config.enforcement, request->plan,
                                   request->expect, ret_generation);

        return r == 0 ? 0 : error_set_transaction(error, r, request->plan);
}

static int run_apply(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint64_t generation = 0;
        int r = manager_commit(request, &generation, error);

        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "bt", request->plan->changed, generation);
        if (r >= 0)
                r = append_changes(reply, request->plan);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* ---- Remove ---- */

static int describe_remove(Request *request, sd_bus_error *error)
{
        const char *name = NULL;
        int r = request_read_name(request, &name, error);

        if (r >= 0)
                r = request_read_expect(request, error);
        if (r >= 0)
                r = request_read_options(request, error);
        if (r < 0)
                return r;
        r = enforcement_plan_removal(request->server->config.enforcement, name, &request->plan);
        if (r != 0)
                return error_set_transaction(error, r, NULL);
        r = request_refuse_on_trial(request, error);
        if (r >= 0)
                r = request_detail(request, "name", "%s", name);
        if (r >= 0)
                r = request_detail_counts(request);
        return r < 0 ? r : request_bind(request, request->plan->generation, request->plan->digest);
}

static int run_remove(Request *request, sd_bus_error *error)
{
        uint64_t generation = 0;
        int r = manager_commit(request, &generation, error);

        if (r < 0)
                return r;
        return sd_bus_reply_method_return(request->message, "bt", request->plan->changed,
                                          generation);
}

/* ---- SetMode ---- */

static int describe_set_mode(Request *request, sd_bus_error *error)
{
        int r = request_read_mode(request, error);

        return r < 0 ? r
                     : request_detail(request, "change", "mode %s", mode_to_string(request->mode));
}

static int run_set_mode(Request *request, sd_bus_error *error)
{
        uint64_t generation = 0;
        int changed = 0;
        int r = enforcement_set_mode(request->server->config.enforcement, request->mode, &changed,
                                     &generation);

        if (r != 0)
                return error_set_transaction(error, r, NULL);
        return sd_bus_reply_method_return(request->message, "bt", changed, generation);
}

/* ---- Can, GetCapabilities ---- */

static int run_can(Request *request, sd_bus_error *error)
{
        const char *name;
        Action action;
        int r = sd_bus_message_read(request->message, "s", &name);

        if (r < 0)
                return r;
        if (action_from_name(name, &action) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "no such action; polkit lists them: pkaction");
        return gate_probe(request->server, action, request->message, error);
}

static int append_facts(sd_bus_message *reply, const Backend *backend)
{
        BackendFacts facts;

        backend_facts(backend, &facts);
        return sd_bus_message_append(
                reply, "a{sv}", 11, "kernel", "s", facts.kernel, "lsm-list", "s", facts.lsm_list,
                "btf", "b", facts.has_btf, "bpf-lsm", "b", facts.has_bpf_lsm, "tier", "s",
                tier_to_string(backend_tier(backend)), "missing", "s", facts.missing, "remedy", "s",
                facts.remedy, "unguarded", "s", facts.unguarded, "language-version-max", "u",
                POLICY_VERSION_MAX, "document-size-max", "t", (uint64_t) POLICY_SIZE_MAX,
                "documents-max", "u", DOCUMENTS_MAX);
}

static int run_get_capabilities(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(request->message, &reply);

        if (r >= 0)
                r = append_facts(reply, request->server->config.backend);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

#define METHODS(ROW)                                                                               \
        ROW(Plan, PLAN,                                                                            \
            ("s", name, "s", document, "as", signatures, "t", expect, "a{sv}", options),           \
            ("b", changed, "a(sss)", changes, "a(uuss)", diagnostics), describe_plan, run_plan)    \
        ROW(Apply, APPLY_POLICY,                                                                   \
            ("s", name, "s", document, "as", signatures, "t", expect, "a{sv}", options),           \
            ("b", changed, "t", generation, "a(sss)", changes), describe_apply, run_apply)         \
        ROW(Remove, REMOVE_POLICY, ("s", name, "t", expect, "a{sv}", options),                     \
            ("b", changed, "t", generation), describe_remove, run_remove)                          \
        ROW(PlanRollback, PLAN, ("t", to, "t", expect, "a{sv}", options),                          \
            ("b", changed, "a(sss)", changes), describe_plan_rollback, run_plan_rollback)          \
        ROW(Rollback, ROLLBACK, ("t", to, "t", expect, "a{sv}", options), ("t", generation),       \
            describe_rollback, run_rollback)                                                       \
        ROW(Confirm, APPLY_POLICY, ("t", generation), (NULL), describe_confirm, run_confirm)       \
        ROW(AddRule, WEAKEN, ("s", section, "s", entry, "a{sv}", options),                         \
            ("b", changed, "t", generation), describe_add_rule, run_rule)                          \
        ROW(RemoveRule, WEAKEN, ("s", section, "s", entry, "a{sv}", options),                      \
            ("b", changed, "t", generation), describe_remove_rule, run_rule)                       \
        ROW(ListRules, READ_POLICY, ("s", policy, "u", offset, "u", limit), ("a(ssst)", rules),    \
            describe_list_rules, run_list_rules)                                                   \
        ROW(SetMode, WEAKEN, ("s", mode, "a{sv}", options), ("b", changed, "t", generation),       \
            describe_set_mode, run_set_mode)                                                       \
        ROW(EmergencyStart, EMERGENCY, ("s", reason, "t", ttl), (NULL), describe_emergency_start,  \
            run_emergency_start)                                                                   \
        ROW(EmergencyStop, EMERGENCY, (NULL), (NULL), describe_emergency_stop, run_emergency_stop) \
        ROW(Release, WEAKEN, ("a{sv}", options), (NULL), describe_release, run_release)            \
        ROW(Explain, READ_POLICY, ("a{sv}", question), ("a{sv}", answer), describe_explain,        \
            run_explain)                                                                           \
        ROW(History, READ_POLICY, ("t", since, "u", limit), ("a(ttussss)", changes),               \
            describe_history, run_history)                                                         \
        ROW(Can, NONE, ("s", action), ("s", answer), describe_nothing, run_can)                    \
        ROW(ListHooks, NONE, (NULL), ("a(ssssbsbsttto)", hooks), describe_nothing, run_list_hooks) \
        ROW(GetCapabilities, NONE, (NULL), ("a{sv}", capabilities), describe_nothing,              \
            run_get_capabilities)

#define DEAR_METHODS(ROW)                                                                          \
        ROW(Reload, RELOAD, ("a{sv}", options),                                                    \
            ("b", changed, "t", generation, "as", policies, "a(sus)", refused), describe_reload,   \
            run_reload)                                                                            \
        ROW(GetMetrics, NONE, (NULL), ("s", metrics), describe_nothing, run_get_metrics)

METHODS(GATE_ENTRY)
DEAR_METHODS(GATE_ENTRY_DEAR)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        DEAR_METHODS(GATE_ROW)
        SD_BUS_PROPERTY("Version", "s", manager_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ApiVersion", "u", manager_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Features", "as", manager_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Epoch", "s", manager_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Mode", "s", manager_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Posture", "s", manager_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PostureReasons", "as", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Generation", "t", manager_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Digest", "s", manager_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("LastChange", "(ttus)", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ConfirmGeneration", "t", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ConfirmUntilUSec", "t", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("EmergencyUntilUSec", "t", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Drift", "b", manager_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Generations", "a(ts)", manager_get, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Policies", "as", manager_get, 0, 0),
        SD_BUS_PROPERTY("Hooks", "a{su}", manager_get, 0, 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

int manager_object_add(BusServer *server)
{
        return sd_bus_add_object_vtable(server->bus, NULL, ROOT_PATH, MANAGER_INTERFACE, vtable,
                                        server);
}
