/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What listeners have been told about the documents in force: which came, changed, went. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/named.h"
#include "util/cleanup.h"
#include "util/log.h"

static void told_free(ToldPolicy *policies, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(policies[i].name);
        free(policies);
}

static int told_make(const Enforcement *enforcement, const Loaded *loaded, ToldPolicy *ret_told)
{
        ToldPolicy told = {
                .name = strdup(loaded->document.name),
                .version = policy_version(loaded->document.policy),
                .generation = loaded->generation,
                .changed_usec = loaded->changed_usec,
                .n_rules = policy_n_rules(loaded->document.policy),
        };

        if (!told.name)
                return -ENOMEM;
        memcpy(told.digest, loaded->digest, DIGEST_SIZE);
        enforcement_signed(enforcement, loaded, &told.status);
        *ret_told = told;
        return 0;
}

static int told_make_all(const Enforcement *enforcement, ToldPolicy **ret_policies, size_t *ret_n)
{
        size_t n = enforcement_n_documents(enforcement);
        ToldPolicy *policies = calloc(n + 1, sizeof(*policies));

        if (!policies)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = told_make(enforcement, enforcement_document(enforcement, i), &policies[i]);

                if (r < 0) {
                        told_free(policies, i);
                        return r;
                }
        }
        *ret_policies = policies;
        *ret_n = n;
        return 0;
}

static int signers_equal(const Signers *a, const Signers *b)
{
        return a->n_ids == b->n_ids && memcmp(a->ids, b->ids, a->n_ids * KEY_ID_SIZE) == 0;
}

static void name_signed(const SignedStatus *then, const SignedStatus *now, char **names, size_t n)
{
        if (then->is_signed != now->is_signed)
                names[n++] = (char *) "Signed";
        if (!signers_equal(&then->signers, &now->signers))
                names[n++] = (char *) "Signers";
        if (then->seq != now->seq)
                names[n++] = (char *) "Seq";
        if (then->root_seq != now->root_seq)
                names[n++] = (char *) "RootSeq";
        if (then->issued != now->issued)
                names[n++] = (char *) "IssuedUSec";
        if (then->expires != now->expires)
                names[n++] = (char *) "ExpiresUSec";
}

static void emit_difference(BusServer *server, const ToldPolicy *then, const ToldPolicy *now)
{
        _cleanup_(freep) char *path = NULL;
        char *names[12] = {NULL};
        size_t n = 0;

        if (then->version != now->version)
                names[n++] = (char *) "LanguageVersion";
        if (memcmp(then->digest, now->digest, DIGEST_SIZE) != 0)
                names[n++] = (char *) "Digest";
        if (then->generation != now->generation)
                names[n++] = (char *) "Generation";
        if (then->changed_usec != now->changed_usec)
                names[n++] = (char *) "ChangedUSec";
        if (then->n_rules != now->n_rules)
                names[n++] = (char *) "Rules";
        name_signed(&then->status, &now->status, names, n);
        if (sd_bus_path_encode(policy_kind.prefix, now->name, &path) >= 0)
                emit_changed(server, path, POLICY_INTERFACE, names);
}

/* Both are sorted by name. */
static void emit_differences(BusServer *server, const ToldPolicy *now, size_t n_now)
{
        const ToldPolicy *then = server->policies;
        size_t i = 0, j = 0;

        while (i < server->n_policies || j < n_now) {
                int order = i == server->n_policies ? 1
                            : j == n_now            ? -1
                                                    : strcmp(then[i].name, now[j].name);

                if (order < 0)
                        named_tell(server, &policy_kind, then[i++].name,
                                   sd_bus_emit_interfaces_removed);
                else if (order > 0)
                        named_tell(server, &policy_kind, now[j++].name,
                                   sd_bus_emit_interfaces_added);
                else
                        emit_difference(server, &then[i++], &now[j++]);
        }
}

int policy_objects_tell(BusServer *server)
{
        ToldPolicy *now;
        size_t n_now;
        int r = told_make_all(server->config.enforcement, &now, &n_now);

        if (r < 0)
                return r;
        emit_differences(server, now, n_now);
        told_free(server->policies, server->n_policies);
        server->policies = now;
        server->n_policies = n_now;
        return 0;
}

void policy_objects_deinit(BusServer *server)
{
        told_free(server->policies, server->n_policies);
        server->policies = NULL;
        server->n_policies = 0;
}
