/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root: whose signatures count, and for what. A chain of signed files root.1, root.2, …: each but
 * the first is believed because the one before says who may sign it.
 *
 *   root=1                        the format
 *   seq=2                         the number in the chain
 *   issued=2026-11-29T21:00:00Z
 *   expires=2028-11-29T21:00:00Z
 *   threshold-root=2              how many keys of a role must sign
 *   threshold-policy=1
 *   threshold-recovery=0          0: the role is nobody's
 *   key=RWQ… root,policy          a public key in base64, as minisign has it, and its roles
 *   revoked=RWR…                  a key that never counts again
 *
 * in this order, with as many lines key= and then revoked= as are needed, and nothing else. Keys
 * are told apart by their bytes, never by the ids that whoever made them chose. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/signature.h"

#define ROOT_SIZE_MAX (64u * 1024)
#define ROOT_KEYS_MAX 64u
#define ROOT_REVOKED_MAX 256u
#define SIGNATURES_MAX 16u /* of one document */

typedef enum Role {
        ROLE_ROOT,     /* signs the next root */
        ROLE_POLICY,   /* signs documents */
        ROLE_RECOVERY, /* signs the next root in place of root's keys, and what leaps far ahead */
} Role;
#define N_ROLES 3u

/* "root"; "" for what is none. */
const char *role_to_string(Role role);

typedef struct RootKey {
        PublicKey key;
        unsigned roles; /* 1 << Role */
} RootKey;

typedef struct Root {
        uint64_t seq;             /* from 1 */
        uint64_t issued, expires; /* seconds since 1970 */
        uint64_t thresholds[N_ROLES];
        RootKey keys[ROOT_KEYS_MAX];
        size_t n_keys;
        PublicKey revoked[ROOT_REVOKED_MAX];
        size_t n_revoked;
} Root;

/* Positive results. */
typedef enum RootError {
        ROOT_E_FORMAT = 1, /* not of the form above, or it contradicts itself */
        ROOT_E_SEQ,        /* not the next of the chain */
        ROOT_E_REVOKED,    /* it forgets a key that was revoked */
        ROOT_E_SIGNATURE,  /* a signature is not in its form, or not of these bytes */
        ROOT_E_OWN,        /* fewer of its own keys have signed than it asks for itself */
        ROOT_E_BEFORE,     /* fewer of the keys of the one before have signed than that asks for */
} RootError;

/* A sentence without a point. */
const char *root_told(RootError error);

/* Returns 0 or ROOT_E_FORMAT. */
int root_parse(const char *text, size_t n, Root *ret_root);

/* The text of a signature's file. */
typedef struct SignatureText {
        const char *text;
        size_t n;
} SignatureText;

typedef struct SignatureTexts {
        const SignatureText *items;
        size_t n;
} SignatureTexts;

/* Who signed: keys of a root, each counted once. */
typedef struct Signers {
        uint8_t ids[SIGNATURES_MAX][KEY_ID_SIZE];
        size_t n_ids;
        uint64_t n[N_ROLES];
} Signers;

/* Whose signatures of those bytes there are. One by a key that the root does not have, or that the
 * root `later` (or NULL) revokes, does not count. One that is not in its form, and one in the name
 * of a key that counts which did not make it, make all of it false. Returns 0 or a SignatureError;
 * digest_init() must have succeeded before. */
int root_signers(const Root *root, const Root *later, const SignatureTexts *signatures,
                 const void *bytes, size_t n, Signers *ret_signers);

/* Whether a root is to be believed: before is the one that is believed so far, or NULL if this is
 * the first. Returns 0 or a RootError. */
int root_accept(const Root *before, const char *text, size_t n, const SignatureTexts *signatures,
                Root *ret_root);
