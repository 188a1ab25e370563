/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A root, with one signature behind it after a line of "%". What is read can be met, no key is
 * there twice or both revoked and not; and one that nobody signed is not believed. */
#include <string.h>

#include "fuzz.h"
#include "policy/digest.h"
#include "policy/root.h"

static int same(const PublicKey *a, const PublicKey *b)
{
        return memcmp(a->key, b->key, PUBLIC_KEY_SIZE) == 0;
}

static void check_keys(const Root *root)
{
        for (size_t i = 0; i < root->n_keys; i++) {
                HOLDS(root->keys[i].roles > 0 && root->keys[i].roles < 1u << N_ROLES);
                for (size_t k = 0; k < i; k++)
                        HOLDS(!same(&root->keys[i].key, &root->keys[k].key));
                for (size_t k = 0; k < root->n_revoked; k++)
                        HOLDS(!same(&root->keys[i].key, &root->revoked[k]));
        }
}

static void check_thresholds(const Root *root)
{
        for (unsigned role = 0; role < N_ROLES; role++) {
                size_t n = 0;

                for (size_t i = 0; i < root->n_keys; i++)
                        n += (root->keys[i].roles & 1u << role) != 0;
                HOLDS(root->thresholds[role] <= n);
                HOLDS(root->thresholds[role] > 0 || (role == ROLE_RECOVERY && n == 0));
        }
}

static const char *find_end(const char *text, size_t size)
{
        static const char mark[] = "\n%\n";

        return memmem(text, size, mark, strlen(mark));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data, *end = find_end(text, size);
        size_t n = end ? (size_t) (end + 1 - text) : size;
        SignatureText item = {text + n, size - n};
        SignatureTexts signatures = {&item, 0};
        Root root, next;

        if (end) {
                item = (SignatureText){end + 3, size - n - 2};
                signatures.n = 1;
        }
        if (digest_init() < 0 || root_parse(text, n, &root) != 0)
                return 0;
        HOLDS(root.seq > 0 && root.expires > root.issued);
        HOLDS(root.n_keys <= ROOT_KEYS_MAX && root.n_revoked <= ROOT_REVOKED_MAX);
        check_keys(&root);
        check_thresholds(&root);
        if (!end)
                HOLDS(root_accept(NULL, text, n, &signatures, &next) == ROOT_E_OWN);
        HOLDS(root_accept(&root, text, n, &signatures, &next) != 0); /* it does not follow itself */
        return 0;
}
