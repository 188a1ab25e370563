/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plan: what a request would do, found out without doing it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/apart.h"
#include "policy/fields.h"
#include "transaction/exception.h"
#include "transaction/internal.h"
#include "util/array.h"
#include "util/log.h"

Plan *plan_free(Plan *plan)
{
        if (!plan)
                return NULL;
        free(plan->changes);
        for (size_t i = 0; i < plan->n_compared; i++)
                policy_unref(plan->compared[i]);
        free(plan->compared);
        diagnostics_deinit(&plan->diagnostics);
        policy_unref(plan->policy);
        document_set_free(plan->whole);
        signed_document_free(plan->is_signed);
        free(plan->reason);
        free(plan->name);
        free(plan->text);
        free(plan);
        return NULL;
}

/* ---- the difference ---- */

typedef struct RuleList {
        const Rule **rules;
        size_t n_rules;
} RuleList;

static void rule_list_deinit(RuleList *list)
{
        free(list->rules);
}

static int rule_compare(const Rule *a, const Rule *b)
{
        int r = a->section == b->section ? 0 : strcmp(a->section, b->section);

        return r != 0 ? r : strcmp(a->entry, b->entry);
}

static int rule_compare_pointers(const void *a, const void *b)
{
        return rule_compare(*(const Rule *const *) a, *(const Rule *const *) b);
}

static int is_in_order(const RuleList *list)
{
        for (size_t i = 1; i < list->n_rules; i++)
                if (rule_compare(list->rules[i - 1], list->rules[i]) > 0)
                        return 0;
        return 1;
}

/* An entry is listed once, however many rules it gives. Long documents are mostly written by
 * programs, and in order. */
static int rule_list_init(RuleList *list, const Policy *policy)
{
        size_t n = policy ? policy_n_rules(policy) : 0;

        list->rules = calloc(n + 1, sizeof(list->rules[0]));
        if (!list->rules)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (i == 0 || policy_rule(policy, i)->line != policy_rule(policy, i - 1)->line)
                        list->rules[list->n_rules++] = policy_rule(policy, i);
        if (!is_in_order(list))
                qsort(list->rules, list->n_rules, sizeof(list->rules[0]), rule_compare_pointers);
        return 0;
}

static void plan_add_change(Plan *plan, ChangeKind kind, const Rule *rule)
{
        plan->changes[plan->n_changes++] =
                (Change){.kind = kind, .section = rule->section, .entry = rule->entry};
}

/* Walks both sorted lists at once; what only one of them has is a change. */
static void plan_merge(Plan *plan, const RuleList *before, const RuleList *after)
{
        for (size_t b = 0, a = 0; b < before->n_rules || a < after->n_rules;) {
                int order;

                if (b == before->n_rules)
                        order = 1;
                else if (a == after->n_rules)
                        order = -1;
                else
                        order = rule_compare(before->rules[b], after->rules[a]);
                if (order < 0)
                        plan_add_change(plan, CHANGE_REMOVED, before->rules[b]);
                else if (order > 0)
                        plan_add_change(plan, CHANGE_ADDED, after->rules[a]);
                b += order <= 0;
                a += order >= 0;
        }
}

/* The lines of the difference are theirs. */
static int plan_hold(Plan *plan, Policy *before, Policy *after)
{
        Policy **compared =
                reallocarray(plan->compared, plan->n_compared + 2, sizeof(plan->compared[0]));

        if (!compared)
                return -ENOMEM;
        plan->compared = compared;
        compared[plan->n_compared++] = policy_ref(before);
        compared[plan->n_compared++] = policy_ref(after);
        return 0;
}

int plan_compare(Plan *plan, Policy *before, Policy *after)
{
        _cleanup_(rule_list_deinit) RuleList old = {}, new = {};
        Change *changes;
        int r;

        r = rule_list_init(&old, before);
        if (r < 0)
                return r;
        r = rule_list_init(&new, after);
        if (r < 0)
                return r;
        changes = reallocarray(plan->changes, plan->n_changes + old.n_rules + new.n_rules + 1,
                               sizeof(plan->changes[0]));
        if (!changes)
                return -ENOMEM;
        plan->changes = changes;
        r = plan_hold(plan, before, after);
        if (r < 0)
                return r;
        plan_merge(plan, &old, &new);
        return 0;
}

/* ---- planning ---- */

Plan *plan_new(const Enforcement *enforcement, const char *name)
{
        Plan *plan = calloc(1, sizeof(*plan));

        if (!plan)
                return NULL;
        plan->generation = enforcement->generation;
        plan->name = strdup(name);
        if (!plan->name)
                return plan_free(plan);
        memcpy(plan->digest, enforcement->digest, DIGEST_SIZE);
        memcpy(plan->bound, enforcement->digest, DIGEST_SIZE);
        return plan;
}

Policy *remembered_reading(const Enforcement *enforcement, const uint8_t digest[DIGEST_SIZE])
{
        const Reading *reading = &enforcement->reading;

        return reading->policy && memcmp(reading->digest, digest, DIGEST_SIZE) == 0
                       ? policy_ref(reading->policy)
                       : NULL;
}

void remember_reading(Enforcement *enforcement, Policy *policy, const uint8_t digest[DIGEST_SIZE])
{
        Reading *reading = &enforcement->reading;

        policy_unref(reading->policy);
        reading->policy = policy_ref(policy);
        memcpy(reading->digest, digest, DIGEST_SIZE);
}

static int plan_read_document(Plan *plan, const Enforcement *enforcement, const char *text,
                              size_t n_text)
{
        int r;

        plan->text = malloc(n_text + 1);
        if (!plan->text)
                return -ENOMEM;
        if (n_text > 0)
                memcpy(plan->text, text, n_text);
        plan->text[n_text] = '\0';
        plan->n_text = n_text;
        digest_bytes(plan->text, n_text, plan->document_digest);
        plan->policy = remembered_reading(enforcement, plan->document_digest);
        if (plan->policy)
                return 0;
        r = policy_parse_apart(&plan->policy, plan->text, n_text, &plan->diagnostics);
        if (r == POLICY_E_TOO_LARGE)
                return TRANSACTION_E_TOO_LARGE;
        return r > 0 ? TRANSACTION_E_INVALID_POLICY : r;
}

static int is_equal(const Plan *plan, const Loaded *loaded)
{
        return loaded && loaded->document.n_text == plan->n_text &&
               memcmp(loaded->document.text, plan->text, plan->n_text) == 0;
}

uint64_t plan_now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

int plan_realize(const Plan *plan, const DocumentSet *documents, uint64_t generation,
                 DocumentSet **ret_documents)
{
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        Document document = {.name = plan->name,
                             .text = plan->text,
                             .n_text = plan->n_text,
                             .policy = plan->policy,
                             .digest = plan->document_digest};
        int r;

        if (plan->whole)
                return document_set_restore(plan->whole, documents, generation, ret_documents);
        if (plan->removal)
                return document_set_without(documents, plan->name, ret_documents);
        /* An equal document is the one that is there, with the time at which it was applied. */
        if (is_equal(plan, document_set_find(documents, plan->name)))
                return document_set_copy(documents, ret_documents);
        r = entry_new(&entry, &document, generation,
                      plan->changed_usec ? plan->changed_usec : plan_now_usec());
        if (r < 0)
                return r;
        if (plan->changed_usec)
                entry_apply_at(entry, plan->applied);
        return document_set_with(documents, entry, ret_documents);
}

/* What is wrong with it should be known before anyone is asked. */
int plan_try(Plan *plan, Enforcement *enforcement, Paths paths, PolicyImage **ret_image)
{
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        r = plan_realize(plan, enforcement->documents, enforcement->generation, &documents);
        if (r != 0)
                return r;
        document_set_digest(documents, plan->digest);
        memcpy(plan->bound, plan->digest, DIGEST_SIZE);
        r = enforcement_compile(enforcement, documents, paths, plan->name, &plan->diagnostics,
                                &image);
        if (r == 0)
                *ret_image = TAKE_PTR(image);
        return r;
}

int enforcement_plan_image(Enforcement *enforcement, const Plan *plan, PolicyImage **ret_image)
{
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        int r;

        if (!plan->changed) {
                *ret_image = enforcement->current.image
                                     ? policy_image_ref(enforcement->current.image)
                                     : NULL;
                return 0;
        }
        r = plan_realize(plan, enforcement->documents, enforcement->generation, &documents);
        if (r == 0)
                r = enforcement_compile(enforcement, documents, PATHS_OF_NEW_RULES, plan->name,
                                        &diagnostics, ret_image);
        return r;
}

int plan_means_the_same(const PolicyImage *before, const PolicyImage *after)
{
        return before && policy_image_leads_as(before, after);
}

int plan_document(Plan *plan, Enforcement *enforcement, const char *text, size_t n_text)
{
        const Loaded *loaded = document_set_find(enforcement->documents, plan->name);
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        r = plan_read_document(plan, enforcement, text, n_text);
        if (r != 0)
                return r;
        r = plan_try(plan, enforcement,
                     is_equal(plan, loaded) ? PATHS_OF_ALL_RULES : PATHS_OF_NEW_RULES, &image);
        if (r != 0)
                return r;
        if (plan->diagnostics.n_items == 0 && plan->diagnostics.n_dropped == 0)
                remember_reading(enforcement, plan->policy, plan->document_digest);
        plan->changed = !is_equal(plan, loaded) || enforcement->released ||
                        !plan_means_the_same(enforcement->current.image, image);
        return plan_compare(plan, loaded ? loaded->document.policy : NULL, plan->policy);
}

static int check_name(const char *name)
{
        if (!policy_name_is_valid(name))
                return TRANSACTION_E_INVALID_NAME;
        return strcmp(name, EXCEPTIONS_NAME) == 0 ? TRANSACTION_E_RESERVED : 0;
}

/* Whether a plan that was refused has something to tell. */
static int tells_why(int error)
{
        return error == TRANSACTION_E_INVALID_POLICY || error == TRANSACTION_E_SIGNATURE ||
               error == TRANSACTION_E_EXPIRED || error == TRANSACTION_E_ROLLBACK;
}

/* Verified before anything is made of it. */
static int plan_signed(Plan *plan, Enforcement *enforcement, const SignatureText *document,
                       const SignatureTexts *signatures)
{
        char reason[TRUST_REASON_SIZE] = "";
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;
        int r = trust_admit(enforcement->trust, plan->name, document->text, document->n, signatures,
                            &plan->is_signed, reason);

        if (r != 0) {
                plan->reason = r > 0 ? strdup(reason) : NULL;
                return r > 0 && !plan->reason ? -ENOMEM : r;
        }
        text = bundle_document(&plan->is_signed->bundle.header, document->text, document->n, &n);
        return text ? plan_document(plan, enforcement, text, n) : -ENOMEM;
}

/* signatures: NULL of a document that has none. */
static int plan_any(Enforcement *enforcement, const char *name, const SignatureText *document,
                    const SignatureTexts *signatures, Plan **ret_plan)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = check_name(name);

        if (r == 0 && document->n > POLICY_SIZE_MAX)
                r = TRANSACTION_E_TOO_LARGE;
        if (r == 0 && !signatures && trust_requires(enforcement->trust))
                r = TRANSACTION_E_SIGNATURE_REQUIRED;
        if (r != 0)
                return r;
        plan = plan_new(enforcement, name);
        if (!plan)
                return log_errno(-ENOMEM, "The document %s cannot be planned", name);
        r = signatures ? plan_signed(plan, enforcement, document, signatures)
                       : plan_document(plan, enforcement, document->text, document->n);
        if (r < 0)
                return log_errno(r, "The document %s cannot be planned", name);
        if (r == 0 || tells_why(r))
                *ret_plan = TAKE_PTR(plan);
        return r;
}

int enforcement_plan(Enforcement *enforcement, const char *name, const char *text, size_t n_text,
                     Plan **ret_plan)
{
        const SignatureText document = {text, n_text};

        return plan_any(enforcement, name, &document, NULL, ret_plan);
}

int enforcement_plan_signed(Enforcement *enforcement, const char *name,
                            const SignatureText *document, const SignatureTexts *signatures,
                            Plan **ret_plan)
{
        return plan_any(enforcement, name, document, signatures, ret_plan);
}

char *plan_signers(const Plan *plan)
{
        char signers[SIGNERS_SIZE], expires[FIELD_TIME_SIZE], *text = NULL;
        const Bundle *bundle;

        if (!plan->is_signed)
                return strdup("not signed");
        bundle = &plan->is_signed->bundle;
        signers_format(&bundle->signers, signers);
        field_time_format(bundle->header.expires, expires);
        if (asprintf(&text, "signed by %s (seq %" PRIu64 ", expires %s)", signers,
                     bundle->header.seq, expires) < 0)
                return NULL;
        return text;
}

int plan_removal(Plan *plan, Enforcement *enforcement)
{
        const Loaded *loaded = document_set_find(enforcement->documents, plan->name);
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        int r;

        plan->removal = 1;
        plan->changed = 1;
        if (!loaded)
                return TRANSACTION_E_NO_SUCH_POLICY;
        r = plan_try(plan, enforcement, PATHS_OF_NEW_RULES, &image);
        if (r != 0)
                return r;
        return plan_compare(plan, loaded->document.policy, NULL);
}

/* What was signed is taken back by who signs, with a newer one that says less. */
static int refuse_to_remove_signed(Enforcement *enforcement, const char *name)
{
        const Loaded *loaded = document_set_find(enforcement->documents, name);
        int r = 0;

        if (loaded && trust_requires(enforcement->trust))
                r = trust_is_signed(enforcement->trust, loaded);
        return r > 0 ? TRANSACTION_E_SIGNATURE_REQUIRED : r;
}

int enforcement_plan_removal(Enforcement *enforcement, const char *name, Plan **ret_plan)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = check_name(name);
        if (r == 0)
                r = refuse_to_remove_signed(enforcement, name);
        if (r != 0)
                return r;
        plan = plan_new(enforcement, name);
        if (!plan)
                return log_errno(-ENOMEM, "The removal of %s cannot be planned", name);
        r = plan_removal(plan, enforcement);
        if (r < 0)
                return log_errno(r, "The removal of %s cannot be planned", name);
        if (r != 0)
                return r;
        *ret_plan = TAKE_PTR(plan);
        return 0;
}
