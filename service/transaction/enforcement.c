/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enforcement: see transaction.h. This room holds the object and the one way in which what is in
 * force changes; recover.c is the start, plan.c the look ahead, keep.c sees to it that it stays. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transaction/internal.h"
#include "util/log.h"

void proposal_deinit(Proposal *proposal)
{
        proposal->documents = document_set_free(proposal->documents);
        proposal->image = policy_image_free(proposal->image);
        numbering_deinit(&proposal->numbering);
}

/* ---- compiling ---- */

/* What is left of the last compilation is of use to one at a time: while this one pauses, another
 * starts from nothing. */
static int compile(Enforcement *enforcement, const DocumentSet *documents,
                   const CompilationRequest *request, const char *name, Diagnostics *diagnostics,
                   PolicyImage **ret_image)
{
        Compilation *compilation = TAKE_PTR(enforcement->compilation);
        int r;

        r = document_set_compile(documents, &compilation, request, name, diagnostics, ret_image);
        compilation_free(enforcement->compilation);
        enforcement->compilation = compilation;
        return r;
}

static int is_in_force(const Enforcement *enforcement, const DocumentSet *documents)
{
        uint8_t digest[DIGEST_SIZE];

        document_set_digest(documents, digest);
        return memcmp(digest, enforcement->digest, DIGEST_SIZE) == 0;
}

int enforcement_compile(Enforcement *enforcement, const DocumentSet *documents, Paths paths,
                        const char *name, Diagnostics *diagnostics, PolicyImage **ret_image)
{
        _cleanup_(numbering_deinit) Numbering numbering = {};
        CompilationRequest request = {
                .resolver = backend_resolver(enforcement->backend),
                .ask_anew = paths == PATHS_OF_ALL_RULES,
        };

        if (enforcement->numbering.n_rules > 0 && is_in_force(enforcement, documents)) {
                if (numbering_copy(&enforcement->numbering, &numbering) < 0)
                        return -ENOMEM;
                request.numbering = &numbering;
        }
        return compile(enforcement, documents, &request, name, diagnostics, ret_image);
}

const Compilation *enforcement_compilation(Enforcement *enforcement)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};

        /* What was compiled last is mostly that: then there is nothing to do. */
        if (enforcement_compile(enforcement, enforcement->documents, PATHS_OF_NEW_RULES, NULL,
                                &diagnostics, &image) != 0)
                return NULL;
        return enforcement->compilation;
}

static int compile_proposal(Enforcement *enforcement, Proposal *proposal, Paths paths,
                            Diagnostics *diagnostics)
{
        CompilationRequest request = {
                .resolver = backend_resolver(enforcement->backend),
                .ask_anew = paths == PATHS_OF_ALL_RULES,
                .numbering = &proposal->numbering,
        };

        if (proposal->numbering.n_rules == 0)
                return enforcement_compile(enforcement, proposal->documents, paths, NULL,
                                           diagnostics, &proposal->image);
        return compile(enforcement, proposal->documents, &request, NULL, diagnostics,
                       &proposal->image);
}

int proposal_compile(Enforcement *enforcement, Proposal *proposal, Paths paths)
{
        _cleanup_(diagnostics_deinit) Diagnostics faults = {};
        Numbering numbering;
        int r;

        r = compile_proposal(enforcement, proposal, paths, &faults);
        for (size_t i = 0; i < faults.n_items; i++)
                log_warning("What is to be in force cannot be compiled: %s",
                            faults.items[i].message);
        if (r != 0)
                return r;
        numbering_deinit(&proposal->numbering);
        numbering = (Numbering){
                .numbers = proposal->image->numbers,
                .n_numbers = proposal->image->n_numbers,
                .n_rules = proposal->image->n_rules,
        };
        return numbering_copy(&numbering, &proposal->numbering);
}

uint64_t enforcement_next_generation(const Enforcement *enforcement)
{
        uint64_t newest = enforcement->generation;
        BackendState state;

        backend_state(enforcement->backend, &state);
        if (state.generation > newest)
                newest = state.generation;
        for (size_t i = 0; i < enforcement_n_kept(enforcement); i++)
                if (enforcement_kept(enforcement, i).generation > newest)
                        newest = enforcement_kept(enforcement, i).generation;
        for (size_t i = 0; i < history_size(enforcement->history); i++)
                if (history_get(enforcement->history, i).generation > newest)
                        newest = history_get(enforcement->history, i).generation;
        /* EXPECT_ANY must never be a generation: rather stay than wrap. */
        return newest < EXPECT_ANY - 1 ? newest + 1 : newest;
}

static void naming_deinit(Naming *naming)
{
        naming->image = policy_image_free(naming->image);
}

/* The image that was in force goes on naming events that are still on their way. */
static void take_image(Enforcement *enforcement, Proposal *proposal)
{
        if (!proposal->image) {
                enforcement->current.last = proposal->generation;
                return;
        }
        naming_deinit(&enforcement->previous);
        enforcement->previous = enforcement->current;
        enforcement->current = (Naming){.image = TAKE_PTR(proposal->image),
                                        .first = proposal->generation,
                                        .last = proposal->generation};
}

/* Where only the mode changes, rules keep their numbers. */
static void take_numbering(Enforcement *enforcement, Proposal *proposal)
{
        if (!proposal->image && proposal->numbering.n_rules == 0)
                return;
        numbering_deinit(&enforcement->numbering);
        enforcement->numbering = proposal->numbering;
        proposal->numbering = (Numbering){};
}

void enforcement_take(Enforcement *enforcement, Proposal *proposal)
{
        take_numbering(enforcement, proposal);
        take_image(enforcement, proposal);
        document_set_free(enforcement->documents);
        enforcement->documents = TAKE_PTR(proposal->documents);
        document_set_digest(enforcement->documents, enforcement->digest);
        enforcement->generation = proposal->generation;
        enforcement->mode = proposal->mode;
        enforcement->audited = proposal->audited;
        enforcement->documents_unknown = 0;
        trouble_clear(&enforcement->trouble, TROUBLE_POLICY);
}

int enforcement_translate(int error)
{
        if (error == 0 || error == -ENOMEM)
                return error;
        return error == BACKEND_E_GUARANTEE ? TRANSACTION_E_GUARANTEE : TRANSACTION_E_KERNEL;
}

static int enact_in_kernel(Enforcement *enforcement, const Proposal *proposal)
{
        Backend *backend = enforcement->backend;
        int r;

        if (!proposal->image)
                return backend_set_mode(backend, proposal->mode, proposal->audited,
                                        proposal->generation);
        enforcement_note_fill(enforcement);
        r = backend_prepare(backend, proposal->image, proposal->mode, proposal->audited,
                            proposal->generation);
        if (r != 0) {
                backend_abort(backend);
                return r;
        }
        backend_commit(backend);
        return 0;
}

/* STORE_NEXT may hold what is in force: it must have its name before another takes its place. */
static int publish_before(Enforcement *enforcement)
{
        if (enforcement->unpublished)
                enforcement_publish(enforcement);
        return enforcement->unpublished ? -EIO : 0;
}

static int record_next(Enforcement *enforcement, const Proposal *proposal)
{
        StoreRecord record = {.documents = proposal->documents,
                              .numbering = proposal->image ? proposal->numbering
                                                           : enforcement->numbering,
                              .mode = proposal->mode,
                              .audited = proposal->audited,
                              .generation = proposal->generation};

        return store_write_next(enforcement->store, &record);
}

/* A document may hold only where the kernel appraises the files it runs. */
static int lacks_appraisal(const Enforcement *enforcement, const Proposal *proposal)
{
        BackendFacts facts;

        backend_facts(enforcement->backend, &facts);
        if (facts.appraises || proposal->mode != MODE_ENFORCE)
                return 0;
        for (size_t i = 0; i < document_set_size(proposal->documents); i++) {
                const Policy *policy = document_set_get(proposal->documents, i)->document.policy;

                if (policy_wants_ima_appraisal(policy) && !policy_accepts_missing(policy))
                        return 1;
        }
        return 0;
}

/* What is to be put in force is on disk; from here on it either is in force or never was. */
static int switch_over(Enforcement *enforcement, Proposal *proposal)
{
        int r;

        if (lacks_appraisal(enforcement, proposal))
                return TRANSACTION_E_GUARANTEE;
        r = enact_in_kernel(enforcement, proposal);
        if (r < 0)
                log_errno(r, "The kernel did not take generation %llu",
                          (unsigned long long) proposal->generation);
        if (r != 0)
                return enforcement_translate(r);
        enforcement_take(enforcement, proposal);
        enforcement->in_force = 1;
        enforcement->released = 0;
        trouble_clear(&enforcement->trouble, TROUBLE_KERNEL);
        return 0;
}

int enforcement_enact(Enforcement *enforcement, Proposal *proposal)
{
        int r;

        r = publish_before(enforcement);
        if (r < 0)
                return r;
        r = record_next(enforcement, proposal);
        if (r == 0)
                r = switch_over(enforcement, proposal);
        if (r != 0) {
                enforcement->compilation = compilation_free(enforcement->compilation);
                store_discard_next(enforcement->store);
                return r;
        }
        enforcement_publish(enforcement);
        backend_settle(enforcement->backend);
        return 0;
}

int enforcement_enact_recorded(Enforcement *enforcement, Proposal *proposal)
{
        int r = switch_over(enforcement, proposal);

        if (r == 0)
                backend_settle(enforcement->backend);
        return r;
}

/* ---- life ---- */

int enforcement_new(Enforcement **ret_enforcement, const EnforcementConfig *config)
{
        _cleanup_(enforcement_freep) Enforcement *enforcement = calloc(1, sizeof(*enforcement));
        int r;

        if (!enforcement)
                return log_errno(-ENOMEM, "The enforcement cannot be set up");
        enforcement->backend = config->backend;
        enforcement->marker_directory = config->marker_directory;
        enforcement->baseline_file = config->baseline_file;
        enforcement->folder.path = config->policy_directory;
        r = digest_init();
        if (r < 0)
                return log_errno(r, "libsodium cannot be used");
        r = document_set_new(&enforcement->documents);
        if (r < 0)
                return log_errno(r, "The enforcement cannot be set up");
        document_set_digest(enforcement->documents, enforcement->digest);
        r = store_open(&enforcement->store, config->state_directory);
        if (r < 0)
                return r;
        r = history_new(&enforcement->history, store_directory(enforcement->store));
        if (r >= 0)
                r = generations_new(&enforcement->generations, store_directory(enforcement->store));
        if (r < 0)
                return log_errno(r, "The enforcement cannot be set up");
        r = trust_new(&enforcement->trust, &config->trust, store_directory(enforcement->store),
                      enforcement->backend, &enforcement->trouble);
        if (r < 0)
                return log_errno(r, "What is signed cannot be found out");
        r = enforcement_recover(enforcement);
        if (r < 0)
                return log_errno(r, "What was in force cannot be restored");
        if (!enforcement->documents_unknown)
                r = trust_begin(enforcement->trust, enforcement->documents);
        if (r < 0)
                return log_errno(r, "What is signed cannot be found out");
        enforcement_keep_found(enforcement);
        enforcement_find_trial(enforcement);
        enforcement_find_emergency(enforcement);
        enforcement_note_record(enforcement);
        r = folder_begin(enforcement);
        if (r < 0)
                return log_errno(r, "The policy directory cannot be read");
        /* Nobody is told of what is found at start. */
        enforcement->on_change = config->on_change;
        enforcement->userdata = config->userdata;
        *ret_enforcement = TAKE_PTR(enforcement);
        return 0;
}

Enforcement *enforcement_free(Enforcement *enforcement)
{
        if (!enforcement)
                return NULL;
        naming_deinit(&enforcement->current);
        naming_deinit(&enforcement->previous);
        numbering_deinit(&enforcement->numbering);
        compilation_free(enforcement->compilation);
        policy_unref(enforcement->reading.policy);
        document_set_free(enforcement->documents);
        folder_deinit(&enforcement->folder);
        generations_free(enforcement->generations);
        history_free(enforcement->history);
        trust_free(enforcement->trust);
        store_close(enforcement->store);
        free(enforcement);
        return NULL;
}

/* ---- what is in force ---- */

uint64_t enforcement_generation(const Enforcement *enforcement)
{
        return enforcement->generation;
}

const uint8_t *enforcement_digest(const Enforcement *enforcement)
{
        return enforcement->digest;
}

Mode enforcement_mode(const Enforcement *enforcement)
{
        return enforcement->mode;
}

size_t enforcement_n_documents(const Enforcement *enforcement)
{
        return document_set_size(enforcement->documents);
}

const Loaded *enforcement_document(const Enforcement *enforcement, size_t i)
{
        return document_set_get(enforcement->documents, i);
}

const Loaded *enforcement_find(const Enforcement *enforcement, const char *name)
{
        return document_set_find(enforcement->documents, name);
}

const PolicyImage *enforcement_image(const Enforcement *enforcement)
{
        return enforcement->current.image;
}

History *enforcement_history(const Enforcement *enforcement)
{
        return enforcement->history;
}

const char *const *enforcement_trouble(const Enforcement *enforcement)
{
        return trouble_sentences(&enforcement->trouble);
}

static int naming_covers(const Naming *naming, uint64_t generation, uint32_t rule)
{
        return naming->image && generation >= naming->first && generation <= naming->last &&
               rule != RULE_NONE && rule < naming->image->n_rules;
}

/* A number that was of a rule once, and is not of any in this image, names nothing. */
static const ImageRule *name_rule(Naming *naming, uint32_t rule)
{
        naming->told = policy_image_rule(naming->image, rule);
        return naming->told.document[0] != '\0' ? &naming->told : NULL;
}

const ImageRule *enforcement_name_rule(Enforcement *enforcement, uint64_t generation, uint32_t rule)
{
        if (naming_covers(&enforcement->current, generation, rule))
                return name_rule(&enforcement->current, rule);
        if (naming_covers(&enforcement->previous, generation, rule))
                return name_rule(&enforcement->previous, rule);
        return NULL;
}

/* ---- changes ---- */

void enforcement_tell(const Enforcement *enforcement, EnforcementChange change)
{
        if (enforcement->on_change)
                enforcement->on_change(enforcement->userdata, change);
}

/* The set as planned, if it is still what the authorization was given for. */
static int propose_plan(Enforcement *enforcement, const Plan *plan, Proposal *proposal)
{
        uint8_t digest[DIGEST_SIZE];
        int r;

        r = plan_realize(plan, enforcement->documents, proposal->generation, &proposal->documents);
        if (r != 0)
                return r;
        document_set_digest(proposal->documents, digest);
        if (memcmp(digest, plan->digest, DIGEST_SIZE) != 0)
                return TRANSACTION_E_STALE;
        return proposal_compile(enforcement, proposal, PATHS_OF_NEW_RULES);
}

/* What was signed is kept before it is in force: a floor never is below what has been. */
static int enact_signed(Enforcement *enforcement, const Plan *plan, Proposal *proposal)
{
        int r = plan->is_signed ? trust_prepare(enforcement->trust, plan->is_signed) : 0;

        if (r != 0)
                return r;
        r = enforcement_enact(enforcement, proposal);
        if (plan->is_signed && r == 0)
                trust_settle(enforcement->trust, plan->is_signed);
        else if (plan->is_signed)
                trust_abandon(enforcement->trust, plan->is_signed);
        if (r == 0)
                trust_follow(enforcement->trust, enforcement->documents);
        return r;
}

static int commit_plan(Enforcement *enforcement, const Plan *plan)
{
        _cleanup_(proposal_deinit) Proposal proposal = {
                .mode = enforcement->mode,
                .audited = enforcement->audited,
                .generation = enforcement_next_generation(enforcement),
        };
        int r;

        r = propose_plan(enforcement, plan, &proposal);
        if (r < 0)
                return log_errno(r, "The change of %s cannot be made", plan->name);
        if (r > 0)
                return r;
        if (plan->confirm_usec > 0)
                r = enforcement_begin_trial(enforcement, plan, proposal.generation);
        if (r == 0)
                r = enact_signed(enforcement, plan, &proposal);
        if (r != 0) {
                if (plan->confirm_usec > 0)
                        enforcement_end_trial(enforcement);
                return r;
        }
        if (plan->whole)
                enforcement_end_trial(enforcement);
        if (!enforcement->own_deed.what) /* by someone */
                trouble_clear(&enforcement->trouble, TROUBLE_START);
        enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
        return 0;
}

int enforcement_commit(Enforcement *enforcement, const Plan *plan, uint64_t expect,
                       uint64_t *ret_generation)
{
        int r;

        if (expect != EXPECT_ANY && expect != enforcement->generation)
                return TRANSACTION_E_GENERATION;
        if (plan->generation != enforcement->generation)
                return TRANSACTION_E_STALE;
        if (plan->changed) {
                if (enforcement->trial.generation != 0 && !plan->whole)
                        return TRANSACTION_E_ON_TRIAL;
                r = commit_plan(enforcement, plan);
                if (r != 0)
                        return r;
        }
        *ret_generation = enforcement->generation;
        return 0;
}

/* While the kernel has what is wanted, one store changes the mode. Else all is given to it again.
 */
static int propose_mode(Enforcement *enforcement, Proposal *proposal)
{
        int r;

        r = document_set_copy(enforcement->documents, &proposal->documents);
        if (r < 0)
                return r;
        if (enforcement->in_force && enforcement->generation > 0)
                return 0;
        return proposal_compile(enforcement, proposal, PATHS_OF_ALL_RULES);
}

static int change_modes(Enforcement *enforcement, Mode mode, uint64_t audited)
{
        _cleanup_(proposal_deinit) Proposal proposal = {
                .mode = mode,
                .audited = audited,
                .generation = enforcement_next_generation(enforcement),
        };
        int r;

        r = propose_mode(enforcement, &proposal);
        if (r < 0)
                return log_errno(r, "The mode cannot be changed");
        if (r > 0)
                return r;
        return enforcement_enact(enforcement, &proposal);
}

/* Nothing is known of what the kernel has, so nothing can be recorded; the switch itself works. */
static int change_modes_unrecorded(Enforcement *enforcement, Mode mode, uint64_t audited)
{
        uint64_t generation = enforcement_next_generation(enforcement);
        int r;

        r = backend_set_mode(enforcement->backend, mode, audited, generation);
        if (r != 0)
                return enforcement_translate(r);
        enforcement->mode = mode;
        enforcement->audited = audited;
        enforcement->generation = generation;
        return 0;
}

static int set_modes(Enforcement *enforcement, Mode mode, uint64_t audited, int *ret_changed,
                     uint64_t *ret_generation)
{
        int changed = mode != enforcement->mode || audited != enforcement->audited ||
                      enforcement->released;
        int r = 0;

        if (changed && enforcement->documents_unknown)
                r = change_modes_unrecorded(enforcement, mode, audited);
        else if (changed)
                r = change_modes(enforcement, mode, audited);
        if (r != 0)
                return r;
        *ret_changed = changed;
        *ret_generation = enforcement->generation;
        if (changed)
                enforcement_tell(enforcement, ENFORCEMENT_MODE);
        return 0;
}

int enforcement_set_mode(Enforcement *enforcement, Mode mode, int *ret_changed,
                         uint64_t *ret_generation)
{
        return set_modes(enforcement, mode, enforcement->audited, ret_changed, ret_generation);
}

int enforcement_set_hook_mode(Enforcement *enforcement, enum hook hook, Mode mode, int *ret_changed,
                              uint64_t *ret_generation)
{
        uint64_t audited = enforcement->audited & ~HOOK_BIT(hook);

        if (mode == MODE_AUDIT)
                audited |= HOOK_BIT(hook);
        return set_modes(enforcement, enforcement->mode, audited, ret_changed, ret_generation);
}
