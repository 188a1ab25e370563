/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Status: what the backend has, and what it has counted, in the words of its header. */
#include "backend/guard.h"
#include "backend/private.h"

static uint64_t hooks_required(const Backend *backend)
{
        uint64_t hooks;

        if (!backend->hot)
                return 0;
        hooks = header_in_force(backend)->hooks;
        return hooks ? hooks | hooks_guarded(backend) : 0;
}

static void add_account(const struct account *account, enum hook hook, HookStatus *status)
{
        for (size_t i = 0; i < N_CALL_LANES; i++)
                status->calls += account->lanes[i].calls[hook];
        status->denials += account->counters.denials[hook];
        status->audits += account->counters.audits[hook];
}

static void add_counters(const Backend *backend, enum hook hook, HookStatus *status)
{
        if (!backend->hot)
                return;
        add_account(backend->account, hook, status);
        for (size_t i = 0; i < backend->n_past; i++)
                add_account(backend->past[i], hook, status);
}

/* Of one program; what cannot be told adds nothing. */
static void add_times(const Program *program, HookStatus *status)
{
        struct bpf_prog_info info = {};
        uint32_t n = sizeof(info);

        if (program->timed_fd <= 0 || bpf_obj_get_info_by_fd(program->timed_fd, &info, &n) < 0)
                return;
        status->run_ns += info.run_time_ns;
        status->runs += info.run_cnt;
}

/* HOOK_BIT of each. */
typedef struct HookSets {
        uint64_t attached, required, audited;
} HookSets;

static HookSets hook_sets(const Backend *backend)
{
        return (HookSets){
                .attached = hooks_attached(backend),
                .required = hooks_required(backend),
                .audited = backend->hot ? header_in_force(backend)->hooks_audited : 0,
        };
}

static void tell_hook(const Backend *backend, const HookSets *sets, enum hook hook,
                      HookStatus *ret_status)
{
        const HookState *state = &backend->hooks[hook];
        int attached = (sets->attached & HOOK_BIT(hook)) != 0;

        *ret_status = (HookStatus){
                .name = hook_to_string(hook),
                .symbol = state->fits ? state->symbol : "",
                .tier = attached ? backend->tier : TIER_NONE,
                .guarantee = attached ? GUARANTEE_DENY : GUARANTEE_NONE,
                .attached = attached,
                .required = (sets->required & HOOK_BIT(hook)) != 0,
                .mode = sets->audited & HOOK_BIT(hook) ? MODE_AUDIT : MODE_ENFORCE,
                .reason = state->reason,
        };
        add_counters(backend, hook, ret_status);
        for (size_t i = 0; backend->times_fd >= 0 && i < backend->n_programs; i++)
                if (backend->programs[i].hook == hook)
                        add_times(&backend->programs[i], ret_status);
}

void backend_hook(const Backend *backend, enum hook hook, HookStatus *ret_status)
{
        HookSets sets = hook_sets(backend);

        tell_hook(backend, &sets, hook, ret_status);
}

void backend_hooks(const Backend *backend, HookStatus ret_hooks[N_HOOKS])
{
        HookSets sets = hook_sets(backend);

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                tell_hook(backend, &sets, hook, &ret_hooks[hook]);
}

uint64_t backend_holders(const Backend *backend, int ret_fds[BACKEND_HOLDERS_MAX], size_t *ret_n)
{
        size_t n = 0;

        for (size_t i = 0; i < backend->n_programs && n + 1 < BACKEND_HOLDERS_MAX; i++) {
                if (backend->programs[i].link)
                        ret_fds[n++] = bpf_link__fd(backend->programs[i].link);
                if (backend->programs[i].ask_fd)
                        ret_fds[n++] = backend->programs[i].ask_fd;
        }
        *ret_n = n;
        return backend->n_changes;
}

int backend_floors_fd(const Backend *backend)
{
        return backend->floors_fd;
}

void backend_facts(const Backend *backend, BackendFacts *ret_facts)
{
        *ret_facts = (BackendFacts){
                .kernel = backend->probe.kernel,
                .lsm_list = backend->probe.lsm_list,
                .has_btf = backend->probe.has_btf,
                .has_bpf_lsm = backend->probe.has_bpf_lsm,
                .appraises = backend->probe.appraises,
                .missing = backend->probe.missing,
                .remedy = backend->probe.remedy,
                .unguarded = guard_reason(backend),
        };
}
