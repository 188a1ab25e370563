/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DocumentSet: the named documents of one generation, sorted by name. Immutable: a change makes a
 * new set, which shares the documents that stay as they are. */
#pragma once

#include "policy/compilation.h"
#include "transaction/transaction.h"
#include "util/cleanup.h"

/* What the store can hold in all: names, texts and their headers. */
#define DOCUMENTS_SIZE_MAX (64u * 1024 * 1024)

/* One document with everything it owns, shared by the sets it is in. */
typedef struct Entry Entry;

/* Copies name and text, takes a reference to policy. Returns 0 or -ENOMEM. */
int entry_new(Entry **ret_entry, const Document *document, uint64_t generation,
              uint64_t changed_usec);
Entry *entry_unref(Entry *entry);

/* Times in the document run from then on, in seconds since boot. Of an entry that nobody else has.
 */
void entry_apply_at(Entry *entry, int64_t applied);

int document_set_new(DocumentSet **ret_set); /* an empty one; 0 or -ENOMEM */
int document_set_copy(const DocumentSet *set, DocumentSet **ret_set); /* 0 or -ENOMEM */
DocumentSet *document_set_free(DocumentSet *set);

size_t document_set_size(const DocumentSet *set);
const Loaded *document_set_get(const DocumentSet *set, size_t i);
const Loaded *document_set_find(const DocumentSet *set, const char *name); /* or NULL */
void document_set_digest(const DocumentSet *set, uint8_t ret_digest[DIGEST_SIZE]);

/* The same set with entry in it, in the place of the one of its name if there is one. Returns 0,
 * TRANSACTION_E_TOO_MANY, TRANSACTION_E_TOO_LARGE or -ENOMEM. */
int document_set_with(const DocumentSet *set, Entry *entry, DocumentSet **ret_set);

/* The same set, but that the document of that name is the one of current, or is not there. Returns
 * 0, TRANSACTION_E_TOO_MANY, TRANSACTION_E_TOO_LARGE or -ENOMEM. */
int document_set_keep(const DocumentSet *set, const DocumentSet *current, const char *name,
                      DocumentSet **ret_set);

/* The same set without the document of that name. Returns 0, TRANSACTION_E_NO_SUCH_POLICY, -ENOMEM.
 */
int document_set_without(const DocumentSet *set, const char *name, DocumentSet **ret_set);

/* The documents of wanted, with the times at which they were applied then. Those that are in
 * current as they are stay that; the others carry generation. Returns 0 or -ENOMEM. */
int document_set_restore(const DocumentSet *wanted, const DocumentSet *current, uint64_t generation,
                         DocumentSet **ret_set);

/* Compiles the set, as compilation_run() does; the request says all but the documents. diagnostics
 * gets what is said of the document of that name (NULL: of none), and the faults of the others.
 * Returns 0, TRANSACTION_E_TOO_LARGE, TRANSACTION_E_INVALID_POLICY (a path cannot be followed on
 * this machine) or a negative errno. */
int document_set_compile(const DocumentSet *set, Compilation **compilation,
                         const CompilationRequest *request, const char *name,
                         Diagnostics *diagnostics, PolicyImage **ret_image);

DEFINE_CLEANUP(Entry *, entry_unref);
DEFINE_CLEANUP(DocumentSet *, document_set_free);
