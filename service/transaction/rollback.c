/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rollback: a set of documents that was in force is planned like any other change, and gets a
 * generation of its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "transaction/exception.h"
#include "transaction/internal.h"
#include "util/log.h"

size_t enforcement_n_kept(const Enforcement *enforcement)
{
        return generations_size(enforcement->generations);
}

KeptGeneration enforcement_kept(const Enforcement *enforcement, size_t i)
{
        return generations_get(enforcement->generations, i);
}

void enforcement_keep_found(Enforcement *enforcement)
{
        size_t n = enforcement_n_kept(enforcement);

        if (enforcement->generation == 0 || enforcement->documents_unknown ||
            enforcement->unpublished ||
            (n > 0 && enforcement_kept(enforcement, n - 1).generation >= enforcement->generation))
                return;
        generations_keep(enforcement->generations, STORE_STATE, enforcement->generation,
                         enforcement->digest);
}

static Policy *policy_of(const Loaded *loaded)
{
        return loaded ? loaded->document.policy : NULL;
}

/* Both sets are sorted by name. */
static int compare_sets(Plan *plan, const DocumentSet *before, const DocumentSet *after)
{
        for (size_t b = 0, a = 0;;) {
                const Loaded *old = document_set_get(before, b), *new = document_set_get(after, a);
                int order, r;

                if (!old && !new)
                        return 0;
                order = !old ? 1 : !new ? -1 : strcmp(old->document.name, new->document.name);
                r = plan_compare(plan, policy_of(order <= 0 ? old : NULL),
                                 policy_of(order >= 0 ? new : NULL));
                if (r < 0)
                        return r;
                b += order <= 0;
                a += order >= 0;
        }
}

static int read_set(Enforcement *enforcement, uint64_t generation, DocumentSet **ret_documents)
{
        _cleanup_(store_record_deinit) StoreRecord record = {};
        int r = generations_read(enforcement->generations, generation, &record);

        if (r == GENERATIONS_E_NONE)
                return TRANSACTION_E_NO_SUCH_GENERATION;
        if (r < 0)
                return log_errno(r, "Generation %" PRIu64 " cannot be read", generation);
        /* What was allowed for a time, or is no longer, is none of the past's business. */
        return document_set_keep(record.documents, enforcement->documents, EXCEPTIONS_NAME,
                                 ret_documents);
}

static int plan_set(Plan *plan, Enforcement *enforcement)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r = plan_try(plan, enforcement, PATHS_OF_NEW_RULES, &image);

        if (r != 0)
                return r;
        plan->changed = memcmp(plan->digest, enforcement->digest, DIGEST_SIZE) != 0 ||
                        enforcement->released ||
                        !plan_means_the_same(enforcement->current.image, image);
        return compare_sets(plan, enforcement->documents, plan->whole);
}

/* documents: NULL, to be read. */
static int plan_return(Enforcement *enforcement, uint64_t to, DocumentSet *documents,
                       Plan **ret_plan)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        char name[40];
        int r = 0;

        snprintf(name, sizeof(name), "generation %" PRIu64, to);
        plan = plan_new(enforcement, name);
        if (!plan) {
                document_set_free(documents);
                return log_errno(-ENOMEM, "Going back to %s cannot be planned", name);
        }
        plan->whole = documents;
        if (!documents)
                r = read_set(enforcement, to, &plan->whole);
        if (r != 0)
                return r;
        r = plan_set(plan, enforcement);
        if (r < 0)
                return log_errno(r, "Going back to %s cannot be planned", name);
        if (r == 0 || r == TRANSACTION_E_INVALID_POLICY)
                *ret_plan = TAKE_PTR(plan);
        return r;
}

int enforcement_plan_return(Enforcement *enforcement, uint64_t to, Plan **ret_plan)
{
        return plan_return(enforcement, to, NULL, ret_plan);
}

/* Who signed a newer document has taken the older one back. */
int enforcement_plan_rollback(Enforcement *enforcement, uint64_t to, Plan **ret_plan)
{
        if (trust_requires(enforcement->trust))
                return TRANSACTION_E_SIGNATURE_REQUIRED;
        return enforcement_plan_return(enforcement, to, ret_plan);
}

int enforcement_plan_nothing(Enforcement *enforcement, Plan **ret_plan)
{
        DocumentSet *none = NULL;
        int r = document_set_new(&none);

        return r < 0 ? r : plan_return(enforcement, 0, none, ret_plan);
}
