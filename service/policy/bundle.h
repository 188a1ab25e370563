/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundle: a document that is signed. It begins with the header
 *
 *   bundle=1                      the format
 *   name=web                      the name it is applied under
 *   seq=7                         higher than that of the one before it
 *   issued=2026-11-29T21:00:00Z
 *   expires=2027-11-29T21:00:00Z
 *   scope=…                       one machine alone, by its machine-id; may be left out
 *
 * in this order, each line once, in one spelling; what follows is the document. The signatures are
 * over all of it, and looked at first. Pure: what depends on the machine and the time is given. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/digest.h"
#include "policy/policy.h"
#include "policy/root.h"

#define SCOPE_SIZE 33u /* of a machine-id with its NUL */
#define BUNDLE_JUMP_MAX 1000000u
#define BUNDLE_FUTURE_MAX (24u * 3600) /* seconds that clocks may differ */

typedef struct BundleHeader {
        char name[POLICY_NAME_MAX + 1];
        char scope[SCOPE_SIZE];   /* "": any machine */
        uint64_t seq;             /* from 1 */
        uint64_t issued, expires; /* seconds since 1970 */
        size_t n;                 /* its bytes */
} BundleHeader;

typedef struct Bundle {
        BundleHeader header;
        Signers signers;
        uint8_t digest[DIGEST_SIZE]; /* of all its bytes */
} Bundle;

/* Positive results. */
typedef enum BundleError {
        BUNDLE_E_SIGNATURE = 1, /* a signature is not in its form */
        BUNDLE_E_LEGACY,        /* one is of minisign's old kind */
        BUNDLE_E_WRONG,         /* one is not of these bytes */
        BUNDLE_E_THRESHOLD, /* fewer keys of the role policy have signed than the root asks for */
        BUNDLE_E_HEADER,    /* signed, but not of the form above */
        BUNDLE_E_NAME,      /* signed for another name */
        BUNDLE_E_SCOPE,     /* signed for another machine */
        BUNDLE_E_JUMP,      /* its seq leaps ahead, and recovery's keys have not signed */
        BUNDLE_E_OLD,       /* its seq is below the floor */
        BUNDLE_E_OTHER,     /* its seq is the floor, its bytes are others */
        BUNDLE_E_FUTURE,    /* issued later than this machine's clock can be late */
        BUNDLE_E_EXPIRED,
        BUNDLE_E_ROOT_EXPIRED,
} BundleError;

/* A sentence without a point: what is wrong, and what to do. */
const char *bundle_told(BundleError error);

/* Reads the header alone. Returns 0 or BUNDLE_E_HEADER. */
int bundle_header_parse(const char *text, size_t n, BundleHeader *ret_header);

/* Whether the keys that the root names for it have signed those bytes. Returns 0 or a BundleError
 * up to BUNDLE_E_HEADER. digest_init() must have succeeded before. */
int bundle_verify(const Root *root, const char *text, size_t n, const SignatureTexts *signatures,
                  Bundle *ret_bundle);

/* What a bundle must fit that is to be put in force. */
typedef struct BundleTerms {
        const char *name;
        const char *machine;         /* machine-id; "": not known */
        uint64_t now;                /* seconds since 1970 */
        uint64_t floor;              /* the highest seq of that name so far; 0: none */
        uint8_t digest[DIGEST_SIZE]; /* of the bundle that had it */
} BundleTerms;

/* Whether a bundle that was verified may be put in force now. Returns 0 or a BundleError from
 * BUNDLE_E_NAME on. */
int bundle_admit(const Bundle *bundle, const Root *root, const BundleTerms *terms);

/* The document of a bundle: its text with the header's lines as comments, so that lines keep their
 * numbers. Returns a new string of *ret_n bytes, or NULL when memory is short. */
char *bundle_document(const BundleHeader *header, const char *text, size_t n, size_t *ret_n);

/* Whether the text is a bundle of AegisBPF's. Its signature is over fields without separators, so
 * that one version can be made to look like another: it is never believed. */
int bundle_is_foreign(const char *text, size_t n);
