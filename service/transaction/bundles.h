/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles: the signed documents in force, as they were signed, in `bundles/NAME.bundle`: they can
 * be verified again, whatever becomes of the record. A new one is written aside, as NAME.next,
 * before it is put in force. Each file, numbers little-endian: "AEGBUNDL"  u32 version  u32 n  n
 * times, and for the text: u32 length  then the signatures and the text, in that order. What is
 * read is believed for its signatures alone. */
#pragma once

#include <stddef.h>

#include "policy/bundle.h"
#include "util/cleanup.h"

/* Positive result: there is a file, and it is not of that form. */
#define BUNDLES_E_DAMAGED 1

typedef struct Bundles Bundles;

/* A signed document: what signatures are over, and those. Owns its texts. */
typedef struct SignedText {
        char *text;
        size_t n_text;
        SignatureText items[SIGNATURES_MAX];
        SignatureTexts signatures; /* leads to items */
        char *room;                /* of all of it */
} SignedText;

/* Copies. Returns 0, -E2BIG for more than SIGNATURES_MAX or for too large a one, or -ENOMEM. */
int signed_text_new(SignedText **ret_text, const char *text, size_t n_text,
                    const SignatureTexts *signatures);
SignedText *signed_text_free(SignedText *text);

/* state: the directory, to be open as long. Returns 0 or a negative errno. */
int bundles_new(Bundles **ret_bundles, int state);
Bundles *bundles_free(Bundles *bundles);

/* What is stored of that name. Returns 0, -ENOENT, BUNDLES_E_DAMAGED or another negative errno. */
int bundles_read(Bundles *bundles, const char *name, SignedText **ret_text);

/* The same of what was written aside. */
int bundles_read_next(Bundles *bundles, const char *name, SignedText **ret_text);

/* Durably. Returns 0 or a negative errno; what is stored of that name stays. */
int bundles_write_next(Bundles *bundles, const char *name, const SignedText *text);

/* What was written aside takes the place of what is stored, which is kept as NAME.previous,
 * durably; or goes. Does nothing if there is none. Return 0 or a negative errno. */
int bundles_publish(Bundles *bundles, const char *name);
int bundles_discard(Bundles *bundles, const char *name);

/* What is stored of that name goes, and the one before it takes its place, if there is one. Returns
 * 0, also if there is none, or a negative errno. */
int bundles_go_back(Bundles *bundles, const char *name);

typedef enum BundleFile {
        BUNDLE_STORED,
        BUNDLE_NEXT,
        BUNDLE_PREVIOUS,
} BundleFile;

/* Names of all that there are of a kind, sorted: a NULL-terminated array of new strings. Returns 0
 * or a negative errno. */
int bundles_names(Bundles *bundles, BundleFile file, char ***ret_names);
void bundles_names_free(char **names);

/* For whoever tests it: the form alone. Returns 0, BUNDLES_E_DAMAGED or -ENOMEM. */
int signed_text_decode(const void *data, size_t n, SignedText **ret_text);

DEFINE_CLEANUP(SignedText *, signed_text_free);
DEFINE_CLEANUP(Bundles *, bundles_free);
DEFINE_CLEANUP(char **, bundles_names_free);
