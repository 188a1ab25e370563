/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust: see trust.h. */
#include "transaction/trust.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "policy/apart.h"
#include "policy/fields.h"
#include "transaction/internal.h"
#include "transaction/trust-private.h"
#include "util/log.h"
#include "util/pages.h"

SignedDocument *signed_document_free(SignedDocument *document)
{
        if (!document)
                return NULL;
        signed_text_free(document->text);
        free(document);
        return NULL;
}

int trust_requires(const Trust *trust)
{
        return trust->config.requires_signature;
}

uint64_t trust_now(const Trust *trust)
{
        uint64_t now = plan_now_usec() / 1000000u;
        uint64_t least = floors_get(trust->floors, FLOOR_TIME).number;

        if (least < AEGIS_TIME_EPOCH)
                least = AEGIS_TIME_EPOCH;
        return now > least ? now : least;
}

void signers_format(const Signers *signers, char ret_text[SIGNERS_SIZE])
{
        size_t n = 0;

        ret_text[0] = '\0';
        for (size_t i = 0; i < signers->n_ids; i++) {
                char id[KEY_ID_HEX_SIZE];

                key_id_format(signers->ids[i], id);
                n += (size_t) snprintf(ret_text + n, SIGNERS_SIZE - n, "%s%s", i > 0 ? ", " : "",
                                       id);
        }
}

/* ---- admission ---- */

static int translate(int error)
{
        switch ((BundleError) error) {
        case BUNDLE_E_SIGNATURE:
        case BUNDLE_E_LEGACY:
        case BUNDLE_E_WRONG:
        case BUNDLE_E_THRESHOLD:
        case BUNDLE_E_HEADER:
        case BUNDLE_E_NAME:
        case BUNDLE_E_SCOPE:
        case BUNDLE_E_JUMP:
                return TRANSACTION_E_SIGNATURE;
        case BUNDLE_E_OLD:
        case BUNDLE_E_OTHER:
                return TRANSACTION_E_ROLLBACK;
        case BUNDLE_E_FUTURE:
        case BUNDLE_E_EXPIRED:
        case BUNDLE_E_ROOT_EXPIRED:
                return TRANSACTION_E_EXPIRED;
        }
        return 0;
}

static void explain(const Bundle *bundle, int error, const BundleTerms *terms,
                    char ret_reason[TRUST_REASON_SIZE])
{
        const char *told = bundle_told((BundleError) error);
        char expires[FIELD_TIME_SIZE], now[FIELD_TIME_SIZE];

        field_time_format(bundle->header.expires, expires);
        field_time_format(terms->now, now);
        if (error == BUNDLE_E_OLD || error == BUNDLE_E_OTHER || error == BUNDLE_E_JUMP)
                snprintf(ret_reason, TRUST_REASON_SIZE,
                         "%s (its seq is %" PRIu64 ", the highest so far %" PRIu64 ")", told,
                         bundle->header.seq, terms->floor);
        else if (error == BUNDLE_E_EXPIRED || error == BUNDLE_E_FUTURE)
                snprintf(ret_reason, TRUST_REASON_SIZE, "%s (it expires %s, and it is %s here)",
                         told, expires, now);
        else
                snprintf(ret_reason, TRUST_REASON_SIZE, "%s", told);
}

static int admit(const Trust *trust, const Root *root, const char *name, const Bundle *bundle,
                 char ret_reason[TRUST_REASON_SIZE])
{
        const Floor floor = floors_get(trust->floors, name);
        BundleTerms terms = {.name = name,
                             .machine = trust->config.machine ? trust->config.machine : "",
                             .now = trust_now(trust),
                             .floor = floor.number};
        int r;

        memcpy(terms.digest, floor.digest, DIGEST_SIZE);
        r = bundle_admit(bundle, root, &terms);
        if (r != 0)
                explain(bundle, r, &terms, ret_reason);
        return translate(r);
}

int trust_admit(Trust *trust, const char *name, const char *text, size_t n,
                const SignatureTexts *signatures, SignedDocument **ret_document,
                char ret_reason[TRUST_REASON_SIZE])
{
        _cleanup_(signed_document_freep) SignedDocument *document = calloc(1, sizeof(*document));
        const Root *root;
        int r;

        if (!document)
                return -ENOMEM;
        roots_refresh(trust->roots);
        root = roots_current(trust->roots);
        if (!root) {
                snprintf(ret_reason, TRUST_REASON_SIZE, "no root says whose signatures count: %s",
                         roots_trouble(trust->roots)[0]
                                 ? roots_trouble(trust->roots)
                                 : "put root.1 and its signatures into TrustDirectory");
                return TRANSACTION_E_SIGNATURE;
        }
        r = bundle_verify(root, text, n, signatures, &document->bundle);
        if (r != 0) {
                snprintf(ret_reason, TRUST_REASON_SIZE, "%s", bundle_told((BundleError) r));
                return translate(r);
        }
        r = admit(trust, root, name, &document->bundle, ret_reason);
        if (r == 0)
                r = signed_text_new(&document->text, text, n, signatures);
        if (r == 0)
                *ret_document = TAKE_PTR(document);
        return r;
}

/* ---- putting in force ---- */

int trust_prepare(Trust *trust, const SignedDocument *document)
{
        const BundleHeader *header = &document->bundle.header;
        const Floor floor = floors_get(trust->floors, header->name);
        uint64_t now = trust_now(trust);
        int r;

        if (header->seq < floor.number ||
            (header->seq == floor.number &&
             memcmp(document->bundle.digest, floor.digest, DIGEST_SIZE) != 0))
                return TRANSACTION_E_ROLLBACK;
        r = bundles_write_next(trust->bundles, header->name, document->text);
        if (r >= 0)
                r = floors_raise(trust->floors, header->name, header->seq, document->bundle.digest);
        /* It has not expired: so a clock that is wrong cannot shut out more than it. */
        if (r >= 0)
                r = floors_raise(trust->floors, FLOOR_TIME,
                                 now > header->issued ? now : header->issued, NULL);
        if (r < 0)
                bundles_discard(trust->bundles, header->name);
        return r;
}

static void forget(Trust *trust, const char *name)
{
        for (size_t i = 0; i < trust->n_known; i++)
                if (strcmp(trust->known[i].name, name) == 0)
                        trust->known[i--] = trust->known[--trust->n_known];
}

void trust_settle(Trust *trust, const SignedDocument *document)
{
        bundles_publish(trust->bundles, document->bundle.header.name);
        forget(trust, document->bundle.header.name);
}

void trust_abandon(Trust *trust, const SignedDocument *document)
{
        bundles_discard(trust->bundles, document->bundle.header.name);
}

/* ---- what is stored ---- */

/* Verifies what is stored of that name, whatever the time is. Returns 0 and its document as a new
 * string; 1 if it is not to be believed; -ENOENT or another negative errno. */
static int read_stored(Trust *trust, const char *name, Bundle *ret_bundle, char **ret_text,
                       size_t *ret_n)
{
        const Root *root = roots_current(trust->roots);
        _cleanup_(signed_text_freep) SignedText *stored = NULL;
        Bundle bundle;
        int r = bundles_read(trust->bundles, name, &stored);

        if (r != 0)
                return r;
        if (!root ||
            bundle_verify(root, stored->text, stored->n_text, &stored->signatures, &bundle) != 0 ||
            strcmp(bundle.header.name, name) != 0)
                return 1;
        *ret_text = bundle_document(&bundle.header, stored->text, stored->n_text, ret_n);
        if (!*ret_text)
                return -ENOMEM;
        *ret_bundle = bundle;
        return 0;
}

static int is_below_floor(const Trust *trust, const Bundle *bundle)
{
        return bundle->header.seq < floors_get(trust->floors, bundle->header.name).number;
}

static int add_stored(Trust *trust, const char *name, uint64_t generation, DocumentSet **documents)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        _cleanup_(freep) char *text = NULL;
        Document document = {.name = name};
        uint8_t digest[DIGEST_SIZE];
        DocumentSet *with = NULL;
        Bundle bundle;
        size_t n = 0;
        int r = read_stored(trust, name, &bundle, &text, &n);

        if (r == -ENOMEM)
                return r;
        if (r != 0 || is_below_floor(trust, &bundle)) {
                log_warning("The stored bundle %s is not believed", name);
                return 0;
        }
        r = policy_parse_apart(&policy, text, n, &diagnostics);
        if (r != 0)
                return r < 0 ? r : 0;
        digest_bytes(text, n, digest);
        document.text = text;
        document.n_text = n;
        document.policy = policy;
        document.digest = digest;
        r = entry_new(&entry, &document, generation, plan_now_usec());
        if (r == 0)
                r = document_set_with(*documents, entry, &with);
        if (r != 0)
                return r < 0 ? r : 0;
        document_set_free(*documents);
        *documents = with;
        return 0;
}

int trust_stored(Trust *trust, uint64_t generation, DocumentSet **ret_documents)
{
        _cleanup_(bundles_names_freep) char **names = NULL;
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;
        int r = bundles_names(trust->bundles, BUNDLE_STORED, &names);

        if (r == 0)
                r = document_set_new(&documents);
        for (char **name = names; r == 0 && *name; name++)
                r = add_stored(trust, *name, generation, &documents);
        if (r == 0)
                *ret_documents = TAKE_PTR(documents);
        return r;
}

/* ---- what is in force ---- */

static const Known *find_known(const Trust *trust, const Loaded *loaded)
{
        for (size_t i = 0; i < trust->n_known; i++)
                if (strcmp(trust->known[i].name, loaded->document.name) == 0 &&
                    memcmp(trust->known[i].digest, loaded->digest, DIGEST_SIZE) == 0)
                        return &trust->known[i];
        return NULL;
}

static SignedStatus status_of(const Trust *trust, const Bundle *bundle)
{
        return (SignedStatus){.is_signed = 1,
                              .seq = bundle->header.seq,
                              .root_seq = trust->root_seq,
                              .issued = bundle->header.issued,
                              .expires = bundle->header.expires,
                              .signers = bundle->signers};
}

/* Returns 0 or a negative errno: it cannot be told now. */
static int find_out(Trust *trust, const Loaded *loaded, Known *ret_known)
{
        _cleanup_(freep) char *text = NULL;
        Known known = {};
        Bundle bundle = {};
        size_t n = 0;
        int r;

        snprintf(known.name, sizeof(known.name), "%s", loaded->document.name);
        memcpy(known.digest, loaded->digest, DIGEST_SIZE);
        r = read_stored(trust, known.name, &bundle, &text, &n);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == 0 && n == loaded->document.n_text && memcmp(text, loaded->document.text, n) == 0)
                known.status = status_of(trust, &bundle);
        *ret_known = known;
        return 0;
}

/* What was found out holds for as long as the root does. */
static int know(Trust *trust, const Loaded *loaded, Known *ret_known)
{
        const Root *root = roots_current(trust->roots);
        const uint64_t seq = root ? root->seq : 0;
        const Known *known;
        int r;

        if (seq != trust->root_seq)
                trust->n_known = 0;
        trust->root_seq = seq;
        known = find_known(trust, loaded);
        if (known) {
                *ret_known = *known;
                return 0;
        }
        forget(trust, loaded->document.name);
        if (trust->n_known == DOCUMENTS_MAX)
                trust->n_known = 0; /* of names that are gone */
        r = find_out(trust, loaded, ret_known);
        if (r == 0)
                trust->known[trust->n_known++] = *ret_known;
        return r;
}

int trust_status(Trust *trust, const Loaded *loaded, SignedStatus *ret_status)
{
        Known known = {};
        int r = know(trust, loaded, &known);

        if (r >= 0)
                *ret_status = known.status;
        return r;
}

int trust_is_signed(Trust *trust, const Loaded *loaded)
{
        SignedStatus status = {};
        int r = trust_status(trust, loaded, &status);

        return r < 0 ? r : status.is_signed;
}

/* ---- beside what is in force ---- */

/* Twice: what is in force may be what was signed before. */
static void follow(Trust *trust, const Loaded *loaded, const char *name)
{
        for (int i = 0; i < 2; i++) {
                if (loaded && trust_is_signed(trust, loaded) != 0)
                        return; /* also if that cannot be told now */
                bundles_go_back(trust->bundles, name);
                forget(trust, name);
        }
}

/* What is stored must not come back when the record is lost, once something else is in force. */
void trust_follow(Trust *trust, const DocumentSet *documents)
{
        _cleanup_(bundles_names_freep) char **names = NULL;
        int r = bundles_names(trust->bundles, BUNDLE_STORED, &names);

        if (r < 0)
                log_errno(r, "Which bundles are stored is not known");
        for (char **name = names; name && *name; name++)
                follow(trust, document_set_find(documents, *name), *name);
        trust_review(trust, documents);
}

/* Whether what was written aside is what is in force. Returns 1, 0 or a negative errno. */
static int next_is_in_force(Trust *trust, const Loaded *loaded)
{
        _cleanup_(signed_text_freep) SignedText *next = NULL;
        _cleanup_(freep) char *text = NULL;
        BundleHeader header;
        size_t n = 0;
        int r = bundles_read_next(trust->bundles, loaded->document.name, &next);

        if (r < 0)
                return r;
        if (r > 0 || bundle_header_parse(next->text, next->n_text, &header) != 0)
                return 0;
        text = bundle_document(&header, next->text, next->n_text, &n);
        if (!text)
                return -ENOMEM;
        return n == loaded->document.n_text && memcmp(text, loaded->document.text, n) == 0;
}

/* Cut off between two steps: what is in force says which of the two it was. */
static int settle_next(Trust *trust, const DocumentSet *documents, const char *name)
{
        const Loaded *loaded = document_set_find(documents, name);
        int r = loaded ? next_is_in_force(trust, loaded) : 0;

        if (r > 0)
                bundles_publish(trust->bundles, name);
        else if (r == 0)
                bundles_discard(trust->bundles, name);
        return r < 0 ? r : 0;
}

int trust_begin(Trust *trust, const DocumentSet *documents)
{
        _cleanup_(bundles_names_freep) char **names = NULL;
        int r = bundles_names(trust->bundles, BUNDLE_NEXT, &names);

        for (char **name = names; r == 0 && *name; name++)
                r = settle_next(trust, documents, *name);
        if (r == 0)
                trust_review(trust, documents);
        return r;
}

/* ---- life ---- */

static int find_floor(Trust *trust, const char *name)
{
        _cleanup_(freep) char *text = NULL;
        Bundle bundle;
        size_t n = 0;
        int r = read_stored(trust, name, &bundle, &text, &n);

        if (r == 0)
                floors_find(trust->floors, name, bundle.header.seq, bundle.digest);
        return r == -ENOMEM ? r : 0;
}

/* The floor is the highest that anything knows of. */
static int find_floors(Trust *trust)
{
        _cleanup_(bundles_names_freep) char **names = NULL;
        int r = bundles_names(trust->bundles, BUNDLE_STORED, &names);

        if (r < 0)
                return r;
        for (char **name = names; r == 0 && *name; name++)
                r = find_floor(trust, *name);
        return r;
}

int trust_new(Trust **ret_trust, const TrustConfig *config, int state, Backend *backend,
              Trouble *trouble)
{
        _cleanup_(trust_freep) Trust *trust = pages_new(sizeof(*trust));
        int r;

        if (!trust)
                return -ENOMEM;
        trust->config = *config;
        trust->trouble = trouble;
        r = floors_new(&trust->floors, state, backend, trouble);
        if (r >= 0)
                r = bundles_new(&trust->bundles, state);
        if (r >= 0)
                r = roots_new(&trust->roots, config->directory, state, trust->floors);
        if (r >= 0)
                r = find_floors(trust);
        if (r < 0)
                return r;
        floors_keep(trust->floors);
        *ret_trust = TAKE_PTR(trust);
        return 0;
}

Trust *trust_free(Trust *trust)
{
        if (!trust)
                return NULL;
        roots_free(trust->roots);
        bundles_free(trust->bundles);
        floors_free(trust->floors);
        free(trust->told);
        pages_free(trust, sizeof(*trust));
        return NULL;
}
