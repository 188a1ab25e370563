/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery: at start, the record on disk and what the kernel has are brought together. What the
 * kernel has and the record confirms is adopted without being touched; a switch that was made but
 * not recorded is recorded; otherwise the record is put in force. Where none can be believed,
 * the kernel keeps what it has; where it has nothing, something stands in (stand-in.c): a lost file
 * must not open the machine. */
#include <errno.h>
#include <string.h>

#include "transaction/recover.h"
#include "transaction/stand-in.h"
#include "util/log.h"

/* A record that was read, or what came in its way. */
typedef struct Found {
        StoreRecord record;
        int result; /* of store_read() */
} Found;

static void found_deinit(Found *found)
{
        store_record_deinit(&found->record);
}

static int find(Enforcement *enforcement, StoreFile file, Found *ret_found)
{
        int r = store_read(enforcement->store, file, &ret_found->record);

        ret_found->result = r;
        return r == -ENOENT || r > 0 ? 0 : r;
}

static int kernel_has(const Enforcement *enforcement, const StoreRecord *record)
{
        uint8_t digest[DIGEST_SIZE];
        BackendState state;

        backend_state(enforcement->backend, &state);
        if (!state.adopted || state.generation != record->generation ||
            state.mode != record->mode || state.audited != record->audited)
                return 0;
        document_set_digest(record->documents, digest);
        return memcmp(digest, state.digest, DIGEST_SIZE) == 0;
}

/* An image of no document is none: it is what a release leaves, and must not pass for what was in
 * force before. */
static int kernel_has_some(const Enforcement *enforcement)
{
        uint8_t nothing[DIGEST_SIZE];
        BackendState state;

        backend_state(enforcement->backend, &state);
        digest_documents(NULL, 0, nothing);
        return state.adopted && memcmp(state.digest, nothing, DIGEST_SIZE) != 0;
}

static void propose_record(StoreRecord *record, Proposal *proposal)
{
        proposal->documents = TAKE_PTR(record->documents);
        proposal->numbering = record->numbering;
        record->numbering = (Numbering){};
        proposal->mode = record->mode;
        proposal->audited = record->audited;
        proposal->generation = record->generation;
}

/* The kernel goes on; the image is compiled only so that rules have names. */
static int adopt(Enforcement *enforcement, StoreRecord *record)
{
        _cleanup_(proposal_deinit) Proposal proposal = {};
        int r;

        propose_record(record, &proposal);
        r = proposal_compile(enforcement, &proposal, PATHS_OF_ALL_RULES);
        if (r == -ENOMEM)
                return r;
        if (r == 0)
                backend_recognize(enforcement->backend, proposal.image);
        enforcement_take(enforcement, &proposal);
        enforcement->in_force = 1;
        if (r != 0)
                trouble_add(&enforcement->trouble, TROUBLE_POLICY,
                            "The rules in force cannot be named: their documents do not compile");
        log_info("Generation %llu was in force and stays so",
                 (unsigned long long) enforcement->generation);
        return 0;
}

/* Puts the record in force, under a new number if the kernel has had its number or a later one. */
static int impose(Enforcement *enforcement, StoreRecord *record, int must_record)
{
        _cleanup_(proposal_deinit) Proposal proposal = {};
        BackendState state;
        int r;

        backend_state(enforcement->backend, &state);
        propose_record(record, &proposal);
        if (state.generation >= proposal.generation) {
                enforcement->generation = proposal.generation;
                proposal.generation = enforcement_next_generation(enforcement);
                must_record = 1;
        }
        r = proposal_compile(enforcement, &proposal, PATHS_OF_ALL_RULES);
        if (r == 0)
                r = must_record ? enforcement_enact(enforcement, &proposal)
                                : enforcement_enact_recorded(enforcement, &proposal);
        if (r == -ENOMEM)
                return r;
        if (r == 0) {
                log_info("Generation %llu is in force",
                         (unsigned long long) enforcement->generation);
                return 0;
        }
        enforcement_take(enforcement, &proposal);
        enforcement_explain(enforcement, r);
        return 0;
}

/* Is it what the kernel has? Then nothing is left to do but, perhaps, to write it down. */
int recover_settle(Enforcement *enforcement, StoreRecord *record, RecoverHow how)
{
        int r;

        if (!kernel_has(enforcement, record))
                return impose(enforcement, record, how == RECOVER_AND_RECORD);
        if (how == RECOVER_AND_RECORD) {
                r = store_write_next(enforcement->store, record);
                if (r < 0)
                        return r;
        }
        r = adopt(enforcement, record);
        if (r == 0 && how == RECOVER_AND_RECORD)
                enforcement_publish(enforcement);
        return r;
}

/* No record says what the kernel has. */
static void stand_still(Enforcement *enforcement, const char *was)
{
        BackendState state;

        backend_state(enforcement->backend, &state);
        enforcement->in_force = 1;
        enforcement->documents_unknown = 1;
        enforcement->generation = state.generation;
        enforcement->mode = state.mode;
        enforcement->audited = state.audited;
        memcpy(enforcement->digest, state.digest, DIGEST_SIZE);
        trouble_add(&enforcement->trouble, TROUBLE_START,
                    "The record of what is in force is %s: the kernel goes on enforcing generation "
                    "%llu, whose documents are not known here; the next document that is applied "
                    "takes the place of all of them",
                    was, (unsigned long long) state.generation);
}

static int recover_without(Enforcement *enforcement, int is_damaged)
{
        const char *was = is_damaged ? "damaged" : "missing";

        if (kernel_has_some(enforcement)) {
                stand_still(enforcement, was);
                return 0;
        }
        enforcement->in_force = 1;
        if (!is_damaged && !enforcement_was_recorded(enforcement))
                return 0; /* the first start */
        return enforcement_stand_in(enforcement, was);
}

static int recover_previous(Enforcement *enforcement, const Found *state)
{
        _cleanup_(found_deinit) Found previous = {};
        int r;

        r = find(enforcement, STORE_PREVIOUS, &previous);
        if (r < 0)
                return r;
        if (state->result == STORE_E_DAMAGED)
                store_set_aside(enforcement->store, STORE_STATE);
        if (previous.result == STORE_E_DAMAGED)
                store_set_aside(enforcement->store, STORE_PREVIOUS);
        /* What the kernel has is younger than the record before: a damaged file must not turn it
         * back. */
        if (previous.result != 0 ||
            (kernel_has_some(enforcement) && !kernel_has(enforcement, &previous.record)))
                return recover_without(enforcement, state->result == STORE_E_DAMAGED ||
                                                            previous.result == STORE_E_DAMAGED);
        if (!kernel_has(enforcement, &previous.record)) {
                r = recover_signed(enforcement, &previous.record);
                if (r < 0)
                        return r;
        }
        trouble_add(
                &enforcement->trouble, TROUBLE_START,
                "The record of what was in force is %s: the one before it, of generation %llu, is "
                "used; check that the documents are those you want",
                state->result == STORE_E_DAMAGED ? "damaged (kept as state.damaged)" : "missing",
                (unsigned long long) previous.record.generation);
        return recover_settle(enforcement, &previous.record, RECOVER_AND_RECORD);
}

static int recover(Enforcement *enforcement)
{
        _cleanup_(found_deinit) Found next = {}, state = {};
        int r;

        r = find(enforcement, STORE_NEXT, &next);
        if (r < 0)
                return r;
        if (next.result == 0 && kernel_has(enforcement, &next.record)) {
                r = adopt(enforcement, &next.record);
                if (r == 0)
                        enforcement_publish(enforcement);
                return r;
        }
        /* It was never in force, or this machine has been switched off since: nobody was promised
         * it. */
        if (next.result != -ENOENT)
                store_discard_next(enforcement->store);
        r = find(enforcement, STORE_STATE, &state);
        if (r < 0)
                return r;
        if (state.result == 0)
                return recover_settle(enforcement, &state.record, RECOVER_RECORDED);
        return recover_previous(enforcement, &state);
}

int enforcement_recover(Enforcement *enforcement)
{
        int r = recover(enforcement);

        if (r < 0)
                return r;
        enforcement_tell_baseline(enforcement);
        /* An older version may have recorded it. */
        if (enforcement->generation > 0)
                enforcement_mark(enforcement);
        return 0;
}
