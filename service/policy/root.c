/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root: see root.h. */
#include "policy/root.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "policy/fields.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define PACKED_SIZE (2u + KEY_ID_SIZE + PUBLIC_KEY_SIZE)
#define ROLES_SIZE 32u
#define PACKED_TEXT_SIZE 56u /* in base64, without a NUL */

_Static_assert(sodium_base64_ENCODED_LEN(PACKED_SIZE, BASE64) == PACKED_TEXT_SIZE + 1, "base64");

static const char *const role_names[N_ROLES] = {
        [ROLE_ROOT] = "root",
        [ROLE_POLICY] = "policy",
        [ROLE_RECOVERY] = "recovery",
};

const char *role_to_string(Role role)
{
        return (unsigned) role < N_ROLES ? role_names[role] : "";
}

const char *root_told(RootError error)
{
        switch (error) {
        case ROOT_E_FORMAT:
                return "it is no root, or contradicts itself";
        case ROOT_E_SEQ:
                return "it is not the next of the chain";
        case ROOT_E_REVOKED:
                return "it forgets a key that was revoked";
        case ROOT_E_SIGNATURE:
                return "a signature is not in minisign's format, or is not of this file";
        case ROOT_E_OWN:
                return "fewer of its own root keys have signed it than it asks for";
        case ROOT_E_BEFORE:
                return "fewer of the keys of the root before have signed it than that asks for";
        }
        return "it is believed";
}

/* ---- parsing ---- */

/* The one spelling of 42 bytes, of which the first two say what they are. */
static int parse_key(const char *text, PublicKey *ret_key)
{
        char line[PACKED_TEXT_SIZE + 1];
        uint8_t bytes[PACKED_SIZE];
        Lines lines = {line, sizeof(line)};

        memcpy(line, text, PACKED_TEXT_SIZE);
        line[PACKED_TEXT_SIZE] = '\n';
        if (lines_take_bytes(&lines, bytes, sizeof(bytes)) != 0 ||
            memcmp(bytes, ALGORITHM_KEY, 2) != 0)
                return ROOT_E_FORMAT;
        memcpy(ret_key->id, bytes + 2, KEY_ID_SIZE);
        memcpy(ret_key->key, bytes + 2 + KEY_ID_SIZE, PUBLIC_KEY_SIZE);
        return 0;
}

static void format_roles(unsigned roles, char ret_text[ROLES_SIZE])
{
        size_t n = 0;

        ret_text[0] = '\0';
        for (unsigned role = 0; role < N_ROLES; role++)
                if (roles & 1u << role)
                        n += (size_t) snprintf(ret_text + n, ROLES_SIZE - n, "%s%s",
                                               n > 0 ? "," : "", role_names[role]);
}

/* In their order, each once: of the few spellings that there are it is one. */
static int parse_roles(const char *text, size_t n, unsigned *ret_roles)
{
        char known[ROLES_SIZE];

        for (unsigned roles = 1; roles < 1u << N_ROLES; roles++) {
                format_roles(roles, known);
                if (strlen(known) != n || memcmp(known, text, n) != 0)
                        continue;
                *ret_roles = roles;
                return 0;
        }
        return ROOT_E_FORMAT;
}

static int same_key(const PublicKey *a, const PublicKey *b)
{
        return memcmp(a->key, b->key, PUBLIC_KEY_SIZE) == 0;
}

static int is_revoked(const Root *root, const PublicKey *key)
{
        for (size_t i = 0; i < root->n_revoked; i++)
                if (same_key(&root->revoked[i], key))
                        return 1;
        return 0;
}

/* An id leads to one key: a signature is tried with that alone. */
static int is_known(const Root *root, const PublicKey *key)
{
        for (size_t i = 0; i < root->n_keys; i++)
                if (same_key(&root->keys[i].key, key) ||
                    memcmp(root->keys[i].key.id, key->id, KEY_ID_SIZE) == 0)
                        return 1;
        return 0;
}

static int take_keys(Lines *lines, Root *root)
{
        const char *text = NULL;
        size_t n = 0;

        while (field_take(lines, "key", &text, &n) == 0) {
                RootKey key = {};

                if (root->n_keys == ROOT_KEYS_MAX || n < PACKED_TEXT_SIZE + 1 ||
                    text[PACKED_TEXT_SIZE] != ' ' || parse_key(text, &key.key) != 0 ||
                    parse_roles(text + PACKED_TEXT_SIZE + 1, n - PACKED_TEXT_SIZE - 1,
                                &key.roles) != 0 ||
                    is_known(root, &key.key))
                        return ROOT_E_FORMAT;
                root->keys[root->n_keys++] = key;
        }
        return 0;
}

static int take_revoked(Lines *lines, Root *root)
{
        const char *text = NULL;
        size_t n = 0;

        while (field_take(lines, "revoked", &text, &n) == 0) {
                PublicKey key;

                if (root->n_revoked == ROOT_REVOKED_MAX || n != PACKED_TEXT_SIZE ||
                    parse_key(text, &key) != 0 || is_known(root, &key) || is_revoked(root, &key))
                        return ROOT_E_FORMAT;
                root->revoked[root->n_revoked++] = key;
        }
        return 0;
}

static int take_thresholds(Lines *lines, Root *root)
{
        for (unsigned role = 0; role < N_ROLES; role++) {
                char key[32];

                snprintf(key, sizeof(key), "threshold-%s", role_names[role]);
                if (field_take_number(lines, key, SIGNATURES_MAX, &root->thresholds[role]) != 0)
                        return ROOT_E_FORMAT;
        }
        return 0;
}

static size_t n_keys_of(const Root *root, Role role)
{
        size_t n = 0;

        for (size_t i = 0; i < root->n_keys; i++)
                n += (root->keys[i].roles & 1u << role) != 0;
        return n;
}

/* What nobody could ever meet, and what needs nobody, is a mistake; recovery may be nobody's. */
static int can_be_met(const Root *root)
{
        for (unsigned role = 0; role < N_ROLES; role++) {
                size_t n = n_keys_of(root, (Role) role);

                if (root->thresholds[role] > n)
                        return 0;
                if (root->thresholds[role] == 0 && (role != ROLE_RECOVERY || n > 0))
                        return 0;
        }
        return 1;
}

int root_parse(const char *text, size_t n, Root *ret_root)
{
        Root root = {};
        Lines lines = {text, n};

        if (n > ROOT_SIZE_MAX || field_take_is(&lines, "root", "1") != 0 ||
            field_take_number(&lines, "seq", SEQ_MAX, &root.seq) != 0 || root.seq == 0 ||
            field_take_time(&lines, "issued", &root.issued) != 0 ||
            field_take_time(&lines, "expires", &root.expires) != 0 || root.expires <= root.issued ||
            take_thresholds(&lines, &root) != 0 || take_keys(&lines, &root) != 0 ||
            take_revoked(&lines, &root) != 0 || lines.n != 0 || !can_be_met(&root))
                return ROOT_E_FORMAT;
        *ret_root = root;
        return 0;
}

/* ---- who signed ---- */

static void count_signer(const RootKey *key, Signers *signers)
{
        memcpy(signers->ids[signers->n_ids++], key->key.id, KEY_ID_SIZE);
        for (unsigned role = 0; role < N_ROLES; role++)
                signers->n[role] += (key->roles & 1u << role) != 0;
}

static int is_counted(const Signers *signers, const RootKey *key)
{
        for (size_t i = 0; i < signers->n_ids; i++)
                if (memcmp(signers->ids[i], key->key.id, KEY_ID_SIZE) == 0)
                        return 1;
        return 0;
}

/* NULL: of nobody who counts, or who has been counted. */
static const RootKey *find_signer(const Root *root, const Root *later, const Signature *signature,
                                  const Signers *signers)
{
        for (size_t i = 0; i < root->n_keys; i++) {
                const RootKey *key = &root->keys[i];

                if (memcmp(key->key.id, signature->id, KEY_ID_SIZE) != 0)
                        continue;
                return (later && is_revoked(later, &key->key)) || is_counted(signers, key) ? NULL
                                                                                           : key;
        }
        return NULL;
}

int root_signers(const Root *root, const Root *later, const SignatureTexts *signatures,
                 const void *bytes, size_t n, Signers *ret_signers)
{
        Signers signers = {};

        if (signatures->n > SIGNATURES_MAX)
                return SIGNATURE_E_FORMAT;
        for (size_t i = 0; i < signatures->n; i++) {
                const SignatureText *text = &signatures->items[i];
                const RootKey *key;
                Signature signature;
                int r = signature_parse(text->text, text->n, &signature);

                if (r != 0)
                        return r;
                key = find_signer(root, later, &signature, &signers);
                if (!key)
                        continue;
                r = signature_verify(&signature, &key->key, bytes, n);
                if (r != 0)
                        return r;
                count_signer(key, &signers);
        }
        *ret_signers = signers;
        return 0;
}

/* ---- the chain ---- */

static int remembers(const Root *root, const Root *before)
{
        for (size_t i = 0; i < before->n_revoked; i++)
                if (!is_revoked(root, &before->revoked[i]))
                        return 0;
        return 1;
}

static int has_enough(const Root *root, const Signers *signers, Role role)
{
        return root->thresholds[role] > 0 && signers->n[role] >= root->thresholds[role];
}

static int follows(const Root *before, const Root *root, const char *text, size_t n,
                   const SignatureTexts *signatures)
{
        Signers signers;

        if (root->seq != before->seq + 1)
                return ROOT_E_SEQ;
        if (!remembers(root, before))
                return ROOT_E_REVOKED;
        if (root_signers(before, root, signatures, text, n, &signers) != 0)
                return ROOT_E_SIGNATURE;
        return has_enough(before, &signers, ROLE_ROOT) ||
                               has_enough(before, &signers, ROLE_RECOVERY)
                       ? 0
                       : ROOT_E_BEFORE;
}

int root_accept(const Root *before, const char *text, size_t n, const SignatureTexts *signatures,
                Root *ret_root)
{
        Signers signers;
        Root root;
        int r;

        if (root_parse(text, n, &root) != 0)
                return ROOT_E_FORMAT;
        if (root_signers(&root, NULL, signatures, text, n, &signers) != 0)
                return ROOT_E_SIGNATURE;
        if (!has_enough(&root, &signers, ROLE_ROOT))
                return ROOT_E_OWN;
        r = before ? follows(before, &root, text, n, signatures) : 0;
        if (r == 0)
                *ret_root = root;
        return r;
}
