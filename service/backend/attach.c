/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach: a hook is attached when a rule needs it, believed when it has denied a canary, pinned
 * then, and released when no rule needs it any longer. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/guard.h"
#include "backend/private.h"
#include "util/cleanup.h"
#include "util/log.h"

#define ANSWER_TRIES 10
#define ANSWER_NSEC 5000000 /* where softirqs run in a thread, a hook answers a little later */

#define NSEC_PER_SEC 1000000000u

static const char UNTRIED[] =
        "attached, and not seen to deny: the service itself cannot do what it "
        "is about, or not on this machine";

static int has_answered(const Backend *backend)
{
        return __atomic_load_n(&backend->hot->canary_answered, __ATOMIC_SEQ_CST) != 0;
}

static int comes_to_answer(const Backend *backend)
{
        const struct timespec pause = {.tv_nsec = ANSWER_NSEC};

        for (int i = 0; i < ANSWER_TRIES && !has_answered(backend); i++)
                nanosleep(&pause, NULL);
        return has_answered(backend);
}

/* Of several programs at a hook one is meant. */
static uint32_t asked_as(const Program *program)
{
        switch (program->role) {
        case PROGRAM_GUARD:
                return program->hook | CANARY_GUARD;
        case PROGRAM_TIER:
                return program->hook | CANARY_TIER;
        case PROGRAM_RULES:
        case PROGRAM_HELPER:
                break;
        }
        return program->hook;
}

/* The word says that a canary is out; the programs of this loading deny us, and only us. */
static CanaryResult send_canary(Backend *backend, const Program *program)
{
        struct hot *hot = backend->hot;
        CanaryResult result;

        hot->canary_hook = asked_as(program);
        hot->canary_load = program->loaded_as;
        hot->canary_tgid = (uint32_t) getpid();
        hot->canary_answered = 0;
        word_store(backend, word_now(backend) | WORD_CANARY);
        result = canary_try(&backend->canary, program->hook);
        if (result == CANARY_DENIED && !comes_to_answer(backend))
                result = CANARY_PASSED;
        word_store(backend, word_now(backend) & ~WORD_CANARY);
        hot->canary_tgid = 0;
        return result;
}

/* Returns NULL, or why it is not to be believed. *ret_note: what is to be said of it, or "". */
static const char *prove(Backend *backend, const Program *program, const char **ret_note)
{
        if (canary_set_up(&backend->canary) < 0)
                return "the canary's files cannot be made";
        switch (send_canary(backend, program)) {
        case CANARY_DENIED:
                *ret_note = "";
                return NULL;
        case CANARY_UNTRIED:
                *ret_note = UNTRIED;
                return NULL;
        case CANARY_PASSED:
                break;
        }
        return "it was attached and did not deny a canary";
}

/* Who handed a program over keeps it where it is: it denies nothing while nothing is in force. */
static int is_handed(const Backend *backend, const Program *program)
{
        return backend->sysctl_handed && program->hook == HOOK_SYSCTL;
}

static void detach(Backend *backend, Program *program)
{
        if (program->fd)
                sysctl_detach(program);
        unpin_link(backend, program->name);
        bpf_link__destroy(program->link);
        program->link = NULL;
        judge_detach(backend, program);
        program_forget_times(program);
        backend->n_changes++;
}

/* Returns NULL, or why not. */
static const char *pin(Backend *backend, Program *program)
{
        if (judge_pin(backend, program) == 0 &&
            pin_link(backend, program->link, program->name) == 0) {
                backend->n_changes++;
                return NULL;
        }
        /* The pin of that name may hold the program of an earlier loading, which goes on. */
        bpf_link__destroy(program->link);
        program->link = NULL;
        return "its link could not be pinned";
}

/* What a helper learns of from now on, it knows nothing of before. */
static void begin_helping(Backend *backend, const Program *program)
{
        struct timespec now = {};

        if (strcmp(program->name, "rename_end") == 0)
                backend->renames->ended = backend->renames->begun;
        if (strcmp(program->name, "identity_fork") != 0)
                return;
        clock_gettime(CLOCK_BOOTTIME, &now);
        __atomic_store_n(backend->doubted_ns,
                         (uint64_t) now.tv_sec * NSEC_PER_SEC + (uint64_t) now.tv_nsec,
                         __ATOMIC_SEQ_CST);
}

static const char *attach_helper(Backend *backend, Program *program, struct bpf_program *loaded)
{
        int is_new = !is_pinned(backend, program->name);

        program->link = program->hook == N_HOOKS ? bpf_program__attach(loaded)
                                                 : bpf_program__attach_trace(loaded);
        if (!program->link)
                return "the kernel refused to attach it";
        if (is_new)
                begin_helping(backend, program);
        return pin(backend, program);
}

/* Of programs, all or those attached: hooks that have one of rules, or a guard and can have no
 * more. */
typedef struct HooksByRole {
        uint64_t ruled, guarded_alone;
} HooksByRole;

static HooksByRole hooks_by_role(const Backend *backend, int only_attached)
{
        uint64_t ruled = 0, attached = 0, guarded = 0;

        for (size_t i = 0; i < backend->n_programs; i++) {
                const Program *program = &backend->programs[i];
                uint64_t bit = HOOK_BIT(program->hook);

                if (program->role == PROGRAM_RULES)
                        ruled |= bit;
                if (only_attached && !program_is_attached(program))
                        continue;
                if (program->role == PROGRAM_RULES)
                        attached |= bit;
                else if (program->role == PROGRAM_GUARD)
                        guarded |= bit;
        }
        return (HooksByRole){.ruled = attached, .guarded_alone = guarded & ~ruled};
}

/* Whether the state of the hook is that of the program. */
static int stands_for_hook(const Backend *backend, const Program *program)
{
        return program->role == PROGRAM_RULES ||
               (program->role == PROGRAM_GUARD &&
                (hooks_by_role(backend, 0).guarded_alone & HOOK_BIT(program->hook)) != 0);
}

int is_proven(Backend *backend, const Program *program)
{
        const char *note = "", *reason = prove(backend, program, &note);

        if (reason || *note)
                return 0;
        if (stands_for_hook(backend, program))
                backend->hooks[program->hook].reason = note;
        return 1;
}

/* That of another loading goes on until this one is believed. */
static const char *attach_to_sysctl(Backend *backend, Program *program, struct bpf_program *loaded)
{
        const char *reason, *note = "";

        if (sysctl_attach(program, loaded) < 0)
                return "the kernel refused to attach it";
        reason = prove(backend, program, &note);
        if (reason)
                sysctl_detach(program);
        else
                backend->hooks[program->hook].reason = note;
        return reason;
}

static const char *attach_to_hook(Backend *backend, Program *program, struct bpf_program *loaded)
{
        const char *reason, *note = "";

        if (program->hook == HOOK_SYSCTL)
                return attach_to_sysctl(backend, program, loaded);
        if (judge_attach(backend, program, loaded) < 0)
                return "the kernel does not put what decides into it";
        program->link = bpf_program__attach_trace(loaded);
        if (!program->link)
                return "the kernel refused to attach it";
        reason = prove(backend, program, &note);
        if (reason) {
                bpf_link__destroy(program->link);
                program->link = NULL;
                return reason;
        }
        reason = pin(backend, program);
        if (!reason && stands_for_hook(backend, program))
                backend->hooks[program->hook].reason = note;
        return reason;
}

int is_needed(const Program *program, const Needs *needs)
{
        switch (program->role) {
        case PROGRAM_RULES:
                return (needs->hooks & HOOK_BIT(program->hook)) != 0;
        case PROGRAM_GUARD:
                return needs->guard;
        case PROGRAM_HELPER:
                return helper_is_needed(program, needs->hooks, needs->flags);
        case PROGRAM_TIER:
                return needs->tier;
        }
        return 0;
}

/* It knows nothing of what these rules ask. */
static int is_outdated(const Program *program, const Needs *needs)
{
        return program_is_attached(program) && program_is_built(program) &&
               needs->flags & IMAGE_BUILT_FOR & ~program->built_for;
}

/* Returns how many. */
static size_t list_missing(const Backend *backend, const Needs *needs, ProgramSet *ret_set)
{
        size_t n = 0;

        for (size_t i = 0; i < backend->n_programs; i++) {
                const Program *program = &backend->programs[i];

                ret_set->has[i] = is_needed(program, needs) &&
                                  (!program_is_attached(program) || is_outdated(program, needs));
                n += ret_set->has[i];
        }
        return n;
}

static uint64_t hooks_outdated(const Backend *backend, const Needs *needs)
{
        uint64_t hooks = 0;

        for (size_t i = 0; i < backend->n_programs; i++)
                if (is_needed(&backend->programs[i], needs) &&
                    is_outdated(&backend->programs[i], needs))
                        hooks |= HOOK_BIT(backend->programs[i].hook);
        return hooks;
}

/* A hook whose helper is missing would not hold what is promised of it. */
static uint64_t hooks_harmed(const Program *program, const Needs *needs)
{
        switch (program->role) {
        case PROGRAM_RULES:
                return HOOK_BIT(program->hook);
        case PROGRAM_GUARD:
        case PROGRAM_TIER:
                return 0;
        case PROGRAM_HELPER:
                return helper_hooks(program, needs->hooks);
        }
        return 0;
}

static void tell_harm(Backend *backend, const Program *program, const char *reason)
{
        if (program_is_attached(program) || !stands_for_hook(backend, program)) {
                log_warning("The program %s is not attached%s: %s", program->name,
                            program_is_attached(program) ? " anew" : "", reason);
                return;
        }
        backend->hooks[program->hook].reason = reason;
        __atomic_and_fetch(&backend->account->counters.seen, ~HOOK_BIT(program->hook),
                           __ATOMIC_SEQ_CST);
        log_warning("Hook %s is not attached: %s", hook_to_string(program->hook), reason);
}

typedef enum AttachTurn {
        TURN_HELPERS,
        TURN_HOOKS,
        TURN_HELPERS_AT_HOOKS,
        N_ATTACH_TURNS,
} AttachTurn;

/* Helpers come first; but of several programs at one function the kernel runs first what was
 * attached last, and a helper there has something to find out for the others. */
static AttachTurn turn_of(const Program *program)
{
        if (program->role != PROGRAM_HELPER)
                return TURN_HOOKS;
        return program->target_id ? TURN_HELPERS_AT_HOOKS : TURN_HELPERS;
}

/* To get it from its link takes CAP_SYS_ADMIN. */
static void keep_for_times(const Backend *backend, Program *program,
                           const struct bpf_program *loaded)
{
        program_forget_times(program);
        if (backend->takes_times && program->link)
                program->timed_fd = fcntl(bpf_program__fd(loaded), F_DUPFD_CLOEXEC, 3);
}

/* One that is attached already goes on until the other is believed. Returns NULL, or why not. */
static const char *attach_one(Backend *backend, Program *program, AttachTurn turn,
                              struct bpf_program *loaded)
{
        Program before = *program;
        const char *reason;

        program->link = NULL;
        program->ask_fd = 0;
        program->loaded_as = backend->load_id;
        reason = turn == TURN_HOOKS ? attach_to_hook(backend, program, loaded)
                                    : attach_helper(backend, program, loaded);
        if (reason) {
                judge_detach(backend, program);
                program->link = before.link;
                program->ask_fd = before.ask_fd;
                program->loaded_as = before.loaded_as;
                return reason;
        }
        bpf_link__destroy(before.link);
        judge_detach(backend, &before);
        program->built_for = backend->built_for;
        keep_for_times(backend, program, loaded);
        return NULL;
}

/* Returns the hooks that are harmed. */
static uint64_t attach_set(Backend *backend, const Needs *needs, const ProgramSet *set,
                           const struct bpf_object *object)
{
        uint64_t harmed = 0;

        for (AttachTurn turn = 0; turn < N_ATTACH_TURNS; turn++)
                for (size_t i = 0; i < backend->n_programs; i++) {
                        Program *program = &backend->programs[i];
                        struct bpf_program *loaded;
                        const char *reason;

                        if (!set->has[i] || turn_of(program) != turn)
                                continue;
                        loaded = bpf_object__find_program_by_name(object, program->name);
                        reason = attach_one(backend, program, turn, loaded);
                        if (!reason)
                                continue;
                        harmed |= hooks_harmed(program, needs);
                        tell_harm(backend, program, reason);
                }
        return harmed;
}

/* Loads what is in the set, tells of what the kernel did not take, and attaches the rest. Returns
 * the hooks that are harmed. */
static uint64_t install(Backend *backend, const Needs *needs, ProgramSet *set)
{
        const ProgramSet wanted = *set;
        struct bpf_object *object = NULL;
        uint64_t harmed = 0;
        int r;

        r = programs_load(backend, set, &object);
        if (r < 0)
                *set = (ProgramSet){};
        for (size_t i = 0; i < backend->n_programs; i++) {
                if (!wanted.has[i] || set->has[i])
                        continue;
                harmed |= hooks_harmed(&backend->programs[i], needs);
                tell_harm(backend, &backend->programs[i], "the kernel does not take its program");
        }
        if (!object)
                return harmed;
        harmed |= attach_set(backend, needs, set, object);
        bpf_object__close(object);
        return harmed;
}

void attach_prover(Backend *backend, const struct bpf_object *object)
{
        const Needs needs = {.tier = 1};
        ProgramSet set = {};

        for (size_t i = 0; i < backend->n_programs; i++)
                set.has[i] = backend->programs[i].role == PROGRAM_TIER;
        attach_set(backend, &needs, &set, object);
}

uint64_t hooks_of_this_kernel(const Backend *backend, uint64_t hooks)
{
        const KernelFunction *functions = backend->tier == TIER_FMOD_RET
                                                  ? backend->functions.security
                                                  : backend->functions.lsm;

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (hook_is_newer(hook) && !functions[hook].id)
                        hooks &= ~HOOK_BIT(hook);
        return hooks;
}

uint64_t hooks_attached(const Backend *backend)
{
        HooksByRole hooks = hooks_by_role(backend, 1);

        return hooks.ruled | hooks.guarded_alone;
}

uint64_t hooks_guarded(const Backend *backend)
{
        return guard_is_on(backend) ? hooks_by_role(backend, 0).guarded_alone : 0;
}

uint64_t attach_hooks(Backend *backend, const Needs *needs)
{
        ProgramSet set = {};
        uint64_t harmed = 0;

        if (list_missing(backend, needs, &set)) {
                /* What is in force is asked too until the switch; and what was, may be again. */
                backend->built_for |=
                        (needs->flags | header_in_force(backend)->flags) & IMAGE_BUILT_FOR;
                harmed = install(backend, needs, &set);
        }
        return (needs->hooks & ~hooks_attached(backend)) | harmed | hooks_outdated(backend, needs);
}

void release_hooks(Backend *backend, const Needs *needs)
{
        for (size_t i = 0; i < backend->n_programs; i++) {
                Program *program = &backend->programs[i];

                if (!program_is_attached(program) || is_needed(program, needs) ||
                    is_handed(backend, program))
                        continue;
                detach(backend, program);
                if (stands_for_hook(backend, program))
                        backend->hooks[program->hook].reason = REASON_NOT_NEEDED;
        }
}
