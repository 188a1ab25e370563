/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust: whether a signed document may be put in force, and which of those in force are signed.
 * What was signed is kept beside the record, so that it can be verified again. */
#pragma once

#include "policy/bundle.h"
#include "transaction/bundles.h"
#include "transaction/set.h"
#include "transaction/transaction.h"
#include "transaction/trouble.h"

typedef struct Trust Trust;

#define TRUST_REASON_SIZE 400u

/* A document that was signed, and admitted. */
struct SignedDocument {
        Bundle bundle;
        SignedText *text;
};

/* Finds floors, stored bundles and the root that is believed. state: the directory, to be open as
 * long; so are the config's strings. Trouble is told there, of the kinds START and TRUST. Returns 0
 * or a negative errno; digest_init() must have succeeded before. */
int trust_new(Trust **ret_trust, const TrustConfig *config, int state, Backend *backend,
              Trouble *trouble);
Trust *trust_free(Trust *trust);

/* Whether what documents say is the signers' word alone. */
int trust_requires(const Trust *trust);

/* Verifies, in the order of docs/policy-language.md. Returns 0, TRANSACTION_E_SIGNATURE, _EXPIRED,
 * _ROLLBACK or a negative errno; ret_reason is a sentence for the errors. */
int trust_admit(Trust *trust, const char *name, const char *text, size_t n,
                const SignatureTexts *signatures, SignedDocument **ret_document,
                char ret_reason[TRUST_REASON_SIZE]);

/* Before it is put in force: raises the floors and keeps what was signed, durably. Returns 0,
 * TRANSACTION_E_ROLLBACK (a later one has come between) or a negative errno. */
int trust_prepare(Trust *trust, const SignedDocument *document);
/* It is in force; or it is not, and what was kept goes. The floors stay. */
void trust_settle(Trust *trust, const SignedDocument *document);
void trust_abandon(Trust *trust, const SignedDocument *document);

/* Whether it is what was signed by keys that count, whatever the time is: 1, 0, or a negative errno
 * if that cannot be told now. */
int trust_is_signed(Trust *trust, const Loaded *loaded);

/* The same, with what was signed: see enforcement_signed(). */
int trust_status(Trust *trust, const Loaded *loaded, SignedStatus *ret_status);

/* At start, once it is known what is in force: ends what was cut off. Returns 0 or a negative
 * errno. */
int trust_begin(Trust *trust, const DocumentSet *documents);

/* When other documents are in force: forgets what was signed and is not in force any longer. */
void trust_follow(Trust *trust, const DocumentSet *documents);

/* From time to time: tells what has expired, or should be signed and is not. The two above do that
 * too. In trust-told.c. */
void trust_review(Trust *trust, const DocumentSet *documents);

/* The stored bundles that keys which count have signed and that are not below their floors, as
 * documents: what can be believed when the record of what was in force cannot. generation: which
 * they are to carry. Returns 0, also if there is none, or a negative errno. */
int trust_stored(Trust *trust, uint64_t generation, DocumentSet **ret_documents);

/* "97E176D00F46180A, …": who signed. */
#define SIGNERS_SIZE (SIGNATURES_MAX * (KEY_ID_HEX_SIZE + 1) + 1)
void signers_format(const Signers *signers, char ret_text[SIGNERS_SIZE]);

SignedDocument *signed_document_free(SignedDocument *document);

DEFINE_CLEANUP(SignedDocument *, signed_document_free);
DEFINE_CLEANUP(Trust *, trust_free);
