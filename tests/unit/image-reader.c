/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image reader: see image-reader.h. */
#include "image-reader.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ask.h"

/* ---- names ---- */

static int compare_keys(const void *key, const void *entry)
{
        return memcmp(key, entry, sizeof(struct trie_key));
}

static const struct trie_value *find_key(const PolicyImage *image, const struct trie_key *key)
{
        const TrieEntry *entry = image->n_trie ? bsearch(key, image->trie, image->n_trie,
                                                         sizeof(*entry), compare_keys)
                                               : NULL;

        return entry ? &entry->value : NULL;
}

static const struct trie_value *find_name(const PolicyImage *image, uint32_t node, const char *name,
                                          size_t length)
{
        const struct trie_value *found = NULL;

        for (size_t at = 0; at < length; at += NAME_CHUNK) {
                struct trie_key key = {
                        .node = node,
                        .length = (uint16_t) length,
                        .chunk = (uint16_t) (at / NAME_CHUNK),
                };

                memcpy(key.name, name + at, MIN(length - at, NAME_CHUNK));
                found = find_key(image, &key);
                if (!found)
                        return NULL;
                node = found->node;
        }
        return found;
}

/* One step: the value of a child's name, else that of any other name, or NULL. */
static const struct trie_value *find_child(const PolicyImage *image, const struct trie_value *value,
                                           const char *name, size_t length)
{
        const struct trie_key any = {.node = value->node};
        const struct trie_value *found;

        if (value->node == NODE_OFF)
                return NULL;
        found = find_name(image, value->node, name, length);
        if (!found)
                found = find_key(image, &any);
        /* The mask spares look-ups; it must not hide a name. */
        if (found)
                g_assert_true(value->lengths & 1u << (length & 15));
        return found;
}

static const struct trie_value *find_root(const PolicyImage *image, uint32_t device)
{
        for (size_t i = 0; i < image->n_roots; i++)
                if (image->roots[i].device == device)
                        return &image->roots[i].value;
        return NULL;
}

ImagePlace image_place(const PolicyImage *image, const Place *place)
{
        const struct trie_value *value = find_root(image, place->device), *next;
        const char *name = place->path;
        const struct ruleset *ruleset;

        if (!value)
                return (ImagePlace){.node = NODE_OFF};
        for (name += strspn(name, "/"); *name; name += strspn(name, "/")) {
                size_t n = strcspn(name, "/");

                ruleset = &image->rulesets[value->ruleset];
                next = find_child(image, value, name, n);
                if (!next)
                        return (ImagePlace){.list = ruleset->below,
                                            .marks = ruleset->below_marks,
                                            .node = NODE_OFF};
                value = next;
                name += n;
        }
        ruleset = &image->rulesets[value->ruleset];
        return (ImagePlace){ruleset->own, ruleset->own_marks, value->node, 1};
}

const PinEntry *image_find_pin(const PolicyImage *image, uint32_t device, uint64_t inode)
{
        for (size_t i = 0; i < image->n_pins; i++)
                if (image->pins[i].key.device == device && image->pins[i].key.inode == inode)
                        return &image->pins[i];
        return NULL;
}

/* ---- questions ---- */

static const struct clause *ask_file(const PolicyImage *image, const Asker *asker, const What *what)
{
        FileQuestion question = {
                .name = &what->file.name,
                .inode = what->file.inode,
                .has_links = (int) what->file.has_links,
                .access = what->access,
                .comm = what->file.comm ? what->file.comm : "",
                .digest = what->file.digest.algorithm ? &what->file.digest : NULL,
        };

        return image_ask_file(image, asker, &question);
}

static const struct clause *ask_net(const PolicyImage *image, const Asker *asker, const What *what)
{
        NetQuestion question = {
                .port = what->net.port,
                .protocol = what->net.protocol,
                .operation = (enum net_operation) __builtin_ctz(what->access),
        };

        memcpy(question.address, what->net.address, sizeof(question.address));
        return image_ask_net(image, asker, &question);
}

static const struct clause *ask(const PolicyImage *image, const Asker *asker, const What *what)
{
        switch (what->kind) {
        case WHAT_FILE:
                return ask_file(image, asker, what);
        case WHAT_NET:
                return ask_net(image, asker, what);
        case WHAT_KERNEL:
                return image_ask_kernel(image, asker, what->kernel);
        }
        return NULL;
}

Verdict image_decide(const PolicyImage *image, const Who *who, const What *what)
{
        Asker asker = {
                .uid = who->uid,
                .gid = who->gid,
                .groups = who->groups,
                .n_groups = who->n_groups,
                .exe = who->exe.path ? &who->exe : NULL,
                .cgroup = who->cgroup,
                .cgroup_ids = who->cgroup_ids,
                .n_cgroup_ids = who->n_cgroup_ids,
                .is_verified = who->is_verified,
                .now = who->now,
        };
        const struct clause *clause;

        if (image_leaves_unbound(image, &asker))
                return (Verdict){.is_exempt = 1};
        clause = ask(image, &asker, what);
        if (!clause)
                return (Verdict){};
        return (Verdict){
                .rule = clause->rule,
                .verdict = clause->verdict,
                .flags = clause->flags & (uint8_t) ~CLAUSE_LAST,
                .signal = clause->signal,
        };
}
