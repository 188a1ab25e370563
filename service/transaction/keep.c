/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keep: what was put in force stays in force, and goes on meaning what its documents say. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "transaction/internal.h"
#include "util/log.h"

/* At most so many calls of enforcement_check() pass between two attempts. */
#define WAITS_MAX 32u

#define LOOK_SHARE 100u

static const char *why(int error)
{
        switch (error) {
        case TRANSACTION_E_GUARANTEE:
                return "a hook it needs cannot deny on this machine, or files are not appraised as "
                       "it wants";
        case TRANSACTION_E_INVALID_POLICY:
                return "a path in it cannot be followed";
        case TRANSACTION_E_TOO_LARGE:
                return "its documents are too large together";
        default:
                return error < 0 ? strerror(-error) : "the kernel did not take it";
        }
}

void enforcement_explain(Enforcement *enforcement, int error)
{
        trouble_clear(&enforcement->trouble, TROUBLE_KERNEL);
        trouble_add(&enforcement->trouble, TROUBLE_KERNEL, "Generation %llu is not in force: %s",
                    (unsigned long long) enforcement->generation, why(error));
}

static int kernel_agrees(const Enforcement *enforcement)
{
        BackendState state;

        backend_state(enforcement->backend, &state);
        if (state.generation != enforcement->generation)
                return 0;
        if (state.generation == 0)
                return 1;
        return state.mode == enforcement->mode && state.audited == enforcement->audited &&
               memcmp(state.digest, enforcement->digest, DIGEST_SIZE) == 0;
}

/* Attempts grow rarer: compiling a large set again and again would be a burden of its own. */
static int is_time_to_try(Enforcement *enforcement)
{
        if (enforcement->n_waits > 0) {
                enforcement->n_waits--;
                return 0;
        }
        if (enforcement->n_tries < WAITS_MAX)
                enforcement->n_tries = enforcement->n_tries * 2 + 1;
        enforcement->n_waits = enforcement->n_tries;
        return 1;
}

static int try_again(Enforcement *enforcement)
{
        _cleanup_(proposal_deinit) Proposal proposal = {
                .mode = enforcement->mode,
                .audited = enforcement->audited,
                .generation = enforcement_next_generation(enforcement),
        };
        int r;

        r = document_set_copy(enforcement->documents, &proposal.documents);
        if (r < 0)
                return r;
        r = proposal_compile(enforcement, &proposal, PATHS_OF_ALL_RULES);
        if (r != 0)
                return r;
        return enforcement_enact(enforcement, &proposal);
}

static int restore(Enforcement *enforcement)
{
        int r;

        if (!is_time_to_try(enforcement))
                return 1;
        r = try_again(enforcement);
        if (r != 0) {
                enforcement_explain(enforcement, r);
                return r == -ENOMEM ? r : 1;
        }
        enforcement->n_tries = enforcement->n_waits = 0;
        log_notice("Generation %llu is in force again",
                   (unsigned long long) enforcement->generation);
        enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
        return 0;
}

/* ---- where paths lead ---- */

static uint64_t monotonic_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

/* A large set is looked up anew so much more rarely than it takes. */
static int is_time_to_look(Enforcement *enforcement, uint64_t now)
{
        return now >= enforcement->look_again_usec;
}

static int compile_anew(Enforcement *enforcement, PolicyImage **ret_image)
{
        _cleanup_(proposal_deinit) Proposal proposal = {};
        uint64_t began = monotonic_usec(), ended;
        int r;

        r = document_set_copy(enforcement->documents, &proposal.documents);
        if (r == 0)
                r = proposal_compile(enforcement, &proposal, PATHS_OF_ALL_RULES);
        ended = monotonic_usec();
        enforcement->look_again_usec = ended + (ended - began) * LOOK_SHARE;
        if (r == 0)
                *ret_image = TAKE_PTR(proposal.image);
        return r;
}

/* The same documents, and so the same generation: rules keep their numbers. */
static int put_anew(Enforcement *enforcement, PolicyImage *image)
{
        Backend *backend = enforcement->backend;
        int r;

        enforcement_note_fill(enforcement);
        r = backend_prepare(backend, image, enforcement->mode, enforcement->audited,
                            enforcement->generation);
        if (r != 0) {
                backend_abort(backend);
                return enforcement_translate(r);
        }
        backend_commit(backend);
        return 0;
}

/* ---- rest ---- */

/* Events of what was in force before have all been told by then. */
#define REST_USEC 60000000u

void enforcement_note_fill(Enforcement *enforcement)
{
        enforcement->filled_usec = monotonic_usec();
        enforcement->has_rested = 0;
}

void enforcement_rest(Enforcement *enforcement)
{
        enforcement->has_rested = 1;
        enforcement->previous.image = policy_image_free(enforcement->previous.image);
        compilation_rest(enforcement->compilation);
        backend_rest(enforcement->backend);
}

static void rest_if_quiet(Enforcement *enforcement)
{
        if (!enforcement->has_rested && monotonic_usec() - enforcement->filled_usec > REST_USEC)
                enforcement_rest(enforcement);
}

/* ---- following ---- */

static int follow(Enforcement *enforcement)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        r = compile_anew(enforcement, &image);
        if (r != 0)
                return r;
        if (plan_means_the_same(enforcement->current.image, image))
                return 0;
        r = put_anew(enforcement, image);
        if (r != 0)
                return r;
        policy_image_free(enforcement->current.image);
        enforcement->current.image = TAKE_PTR(image);
        log_notice("Paths lead elsewhere than they did: the rules of generation %llu follow them",
                   (unsigned long long) enforcement->generation);
        backend_settle(enforcement->backend);
        return 0;
}

int enforcement_follow_paths(Enforcement *enforcement)
{
        int r;

        if (!enforcement->in_force || enforcement->documents_unknown ||
            document_set_size(enforcement->documents) == 0 ||
            !is_time_to_look(enforcement, monotonic_usec()))
                return 0;
        r = follow(enforcement);
        trouble_clear(&enforcement->trouble, TROUBLE_PATHS);
        if (r != 0)
                trouble_add(&enforcement->trouble, TROUBLE_PATHS,
                            "Paths may lead elsewhere than they did, and the rules could not "
                            "follow them");
        return r == -ENOMEM ? r : 0;
}

int enforcement_check(Enforcement *enforcement)
{
        enforcement->reading.policy = policy_unref(enforcement->reading.policy);
        if (enforcement->unpublished)
                enforcement_publish(enforcement);
        enforcement_check_record(enforcement);
        folder_check(enforcement);
        enforcement_hold_emergency(enforcement);
        trust_review(enforcement->trust, enforcement->documents);
        rest_if_quiet(enforcement);
        if (enforcement->released)
                return 1;
        if (enforcement->in_force && kernel_agrees(enforcement))
                return enforcement_follow_paths(enforcement);
        if (enforcement->documents_unknown)
                return 1;
        if (enforcement->in_force) {
                enforcement->in_force = 0;
                trouble_add(&enforcement->trouble, TROUBLE_KERNEL,
                            "The kernel no longer has what was put in force");
                enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
        }
        return restore(enforcement);
}
