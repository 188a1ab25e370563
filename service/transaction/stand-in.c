/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stand-in: see stand-in.h. */
#include "transaction/stand-in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "policy/apart.h"
#include "transaction/internal.h"
#include "transaction/marker.h"
#include "transaction/recover.h"
#include "util/file.h"
#include "util/log.h"

/* ---- was there something? ---- */

static int has_file(const Enforcement *enforcement, const char *name)
{
        return faccessat(store_directory(enforcement->store), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int enforcement_was_recorded(const Enforcement *enforcement)
{
        return enforcement_n_kept(enforcement) > 0 || history_size(enforcement->history) > 0 ||
               has_file(enforcement, "state.damaged") ||
               has_file(enforcement, "state.previous.damaged") ||
               (enforcement->marker_directory && marker_is_set(enforcement->marker_directory));
}

/* ---- what was signed ---- */

static int put_document(StoreRecord *record, const Loaded *loaded)
{
        const Loaded *there = document_set_find(record->documents, loaded->document.name);
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        DocumentSet *grown = NULL;
        int r;

        if (there && memcmp(there->digest, loaded->digest, DIGEST_SIZE) == 0)
                return 0;
        r = entry_new(&entry, &loaded->document, loaded->generation, loaded->changed_usec);
        if (r == 0)
                r = document_set_with(record->documents, entry, &grown);
        if (r != 0)
                return r;
        document_set_free(record->documents);
        record->documents = grown;
        numbering_deinit(&record->numbering);
        record->numbering = (Numbering){};
        return 0;
}

int recover_signed(Enforcement *enforcement, StoreRecord *record)
{
        _cleanup_(document_set_freep) DocumentSet *stored = NULL;
        int r = trust_stored(enforcement->trust, record->generation, &stored);

        for (size_t i = 0; r == 0 && i < document_set_size(stored); i++)
                r = put_document(record, document_set_get(stored, i));
        if (r != 0 && r != -ENOMEM)
                log_warning("Not all that was signed could be brought back");
        return r == -ENOMEM ? r : 0;
}

/* All that is left. Returns 0, 1 if there is none, or a negative errno. */
static int stand_in_signed(Enforcement *enforcement, const char *was, uint64_t generation)
{
        _cleanup_(store_record_deinit) StoreRecord record = {.generation = generation};
        int r = document_set_new(&record.documents);

        if (r == 0)
                r = recover_signed(enforcement, &record);
        if (r < 0)
                return r;
        if (document_set_size(record.documents) == 0)
                return 1;
        trouble_add(&enforcement->trouble, TROUBLE_START,
                    "The record of what was in force is %s: documents that were signed have been "
                    "verified again and are in force, and no others; apply those that are missing",
                    was);
        return recover_settle(enforcement, &record, RECOVER_AND_RECORD);
}

/* ---- an older generation ---- */

/* The youngest that is whole; what is damaged is forgotten on the way, so this ends. */
static int find_kept(Enforcement *enforcement, StoreRecord *ret_record)
{
        int r = GENERATIONS_E_NONE;

        while (r == GENERATIONS_E_NONE && enforcement_n_kept(enforcement) > 0) {
                size_t last = enforcement_n_kept(enforcement) - 1;

                r = generations_read(enforcement->generations,
                                     enforcement_kept(enforcement, last).generation, ret_record);
        }
        return r;
}

static int stand_in_kept(Enforcement *enforcement, const char *was, StoreRecord *record)
{
        int r = recover_signed(enforcement, record);

        if (r < 0)
                return r;
        trouble_add(&enforcement->trouble, TROUBLE_START,
                    "The record of what was in force is %s: generation %llu, the last that could "
                    "be read, is used; check that the documents are those you want",
                    was, (unsigned long long) record->generation);
        return recover_settle(enforcement, record, RECOVER_AND_RECORD);
}

/* ---- the baseline ---- */

static int read_baseline(const char *file, Entry **ret_entry)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        _cleanup_(freep) char *text = NULL;
        Document document = {.name = BASELINE_NAME};
        size_t n = 0;
        int r = file_read(AT_FDCWD, file, POLICY_SIZE_MAX, &text, &n);

        if (r == 0)
                r = policy_parse_apart(&policy, text, n, &diagnostics);
        if (r != 0)
                return r < 0 ? r : -EBADMSG;
        document.text = text;
        document.n_text = n;
        document.policy = policy;
        return entry_new(ret_entry, &document, 1, plan_now_usec());
}

static int baseline_new(const Enforcement *enforcement, DocumentSet **ret_documents)
{
        _cleanup_(document_set_freep) DocumentSet *none = NULL;
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        int r = enforcement->baseline_file ? read_baseline(enforcement->baseline_file, &entry)
                                           : -ENOENT;

        if (r == 0)
                r = document_set_new(&none);
        return r < 0 ? r : document_set_with(none, entry, ret_documents);
}

/* A disk that takes no record must not keep the kernel without rules. */
static int enact(Enforcement *enforcement, Proposal *proposal)
{
        int r = enforcement_enact(enforcement, proposal);

        return r < 0 ? enforcement_enact_recorded(enforcement, proposal) : r;
}

static int stand_in_baseline(Enforcement *enforcement, uint64_t generation)
{
        _cleanup_(proposal_deinit) Proposal proposal = {.generation = generation};
        int r = baseline_new(enforcement, &proposal.documents);

        if (r == 0)
                r = proposal_compile(enforcement, &proposal, PATHS_OF_ALL_RULES);
        if (r == 0)
                r = enact(enforcement, &proposal);
        return r;
}

void enforcement_tell_baseline(Enforcement *enforcement)
{
        _cleanup_(document_set_freep) DocumentSet *baseline = NULL;
        uint8_t digest[DIGEST_SIZE];

        if (!enforcement_find(enforcement, BASELINE_NAME) ||
            baseline_new(enforcement, &baseline) != 0)
                return;
        document_set_digest(baseline, digest);
        if (memcmp(digest, enforcement->digest, DIGEST_SIZE) == 0)
                trouble_add(&enforcement->trouble, TROUBLE_START,
                            "Only the packaged baseline is in force, in the place of documents "
                            "that were lost: apply yours again, and remove \"" BASELINE_NAME
                            "\" when they are there");
}

/* ---- both ---- */

int enforcement_stand_in(Enforcement *enforcement, const char *was)
{
        _cleanup_(store_record_deinit) StoreRecord record = {};
        /* Above those, too, that turn out to be damaged. */
        uint64_t generation = enforcement_next_generation(enforcement);
        int r = find_kept(enforcement, &record);

        if (r == 0)
                return stand_in_kept(enforcement, was, &record);
        if (r < 0)
                return r;
        r = stand_in_signed(enforcement, was, generation);
        if (r <= 0)
                return r;
        r = stand_in_baseline(enforcement, generation);
        if (r == -ENOMEM)
                return r;
        if (r == 0)
                trouble_add(&enforcement->trouble, TROUBLE_START,
                            "The record of what was in force is %s, and nothing else tells it",
                            was);
        else
                trouble_add(&enforcement->trouble, TROUBLE_START,
                            "The record of what was in force is %s, and the packaged baseline "
                            "cannot be put in its place: nothing is enforced until documents are "
                            "applied again",
                            was);
        return 0;
}
