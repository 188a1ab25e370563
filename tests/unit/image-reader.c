/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image reader: see image-reader.h. */
#include "image-reader.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- who ---- */

typedef struct Question {
        const PolicyImage *image;
        const Who *who;
        uint32_t access;
        uint32_t marks; /* of the program */
} Question;

static int has_mark(const Question *question, uint32_t exe)
{
        for (size_t i = 0; i < question->image->n_marks; i++) {
                const struct mark_key *key = &question->image->marks[i].key;

                if (key->set == question->marks && key->exe == exe)
                        return question->image->marks[i].value;
        }
        return 0;
}

static int has_group(const Who *who, uint32_t gid)
{
        for (size_t i = 0; i < who->n_groups; i++)
                if (who->groups[i] == gid)
                        return 1;
        return who->gid == gid;
}

static int has_number(const PolicyImage *image, const Who *who, uint32_t number)
{
        for (size_t i = 0; i < image->n_cgroup_names; i++) {
                const CgroupNameEntry *entry = &image->cgroup_names[i];

                if ((entry->value.subject == number || entry->value.unbound == number) &&
                    reference_is_in_cgroup(who->cgroup, entry->key.path))
                        return 1;
        }
        for (size_t i = 0; i < image->n_cgroup_ids; i++)
                for (size_t j = 0; j < who->n_cgroup_ids; j++)
                        if (image->cgroup_ids[i].key.id == who->cgroup_ids[j] &&
                            image->cgroup_ids[i].key.number == number)
                                return 1;
        return 0;
}

static int fits(const Question *question, const struct subject *subject)
{
        const Who *who = question->who;

        if (subject->flags & SUBJECT_EXE && !has_mark(question, subject->exe))
                return 0;
        if (subject->flags & SUBJECT_UID && who->uid != subject->uid)
                return 0;
        if (subject->flags & SUBJECT_GID && !has_group(who, subject->gid))
                return 0;
        if (subject->flags & SUBJECT_CGROUP && !has_number(question->image, who, subject->cgroup))
                return 0;
        return !(subject->flags & SUBJECT_VERIFIED) || who->is_verified;
}

/* ---- lists ---- */

/* The clause that decides, or NULL. */
static const struct clause *ask_list(const Question *question, uint32_t list)
{
        const struct clause *clause = &question->image->clauses[list];

        if (list == 0)
                return NULL;
        for (;; clause++) {
                if (clause->access & question->access &&
                    (clause->expires == 0 || clause->expires > question->who->now) &&
                    fits(question, &question->image->subjects[clause->subject]))
                        return clause;
                if (clause->flags & CLAUSE_LAST)
                        return NULL;
        }
}

/* ---- files ---- */

const PinEntry *image_find_pin(const PolicyImage *image, uint32_t device, uint64_t inode)
{
        for (size_t i = 0; i < image->n_pins; i++)
                if (image->pins[i].key.device == device && image->pins[i].key.inode == inode)
                        return &image->pins[i];
        return NULL;
}

static uint32_t pin_list(const PolicyImage *image, const What *what)
{
        const PinEntry *pin;

        if (!(image->flags & IMAGE_PIN_ALL) &&
            !(image->flags & IMAGE_PIN_LINKS && what->file.has_links))
                return 0;
        pin = image_find_pin(image, what->file.name.device, what->file.inode);
        return pin && what->file.inode ? image->rulesets[pin->value.ruleset].own : 0;
}

static uint32_t digest_list(const PolicyImage *image, const struct digest_key *key)
{
        for (size_t i = 0; i < image->n_digests; i++)
                if (memcmp(&image->digests[i].key, key, sizeof(*key)) == 0)
                        return image->digests[i].value;
        return 0;
}

static uint32_t comm_list(const PolicyImage *image, const char *comm)
{
        for (size_t i = 0; comm && i < image->n_comms; i++)
                if (strncmp(image->comms[i].key.name, comm, 15) == 0)
                        return image->comms[i].value;
        return 0;
}

static const struct clause *ask_file(const Question *question, const What *what)
{
        const PolicyImage *image = question->image;
        int is_run = what->access == ACCESS_EXEC;
        uint32_t lists[] = {
                is_run ? digest_list(image, &what->file.digest) : 0,
                is_run ? comm_list(image, what->file.comm) : 0,
                pin_list(image, what),
                image->flags & IMAGE_FILES ? image_place(image, &what->file.name).list : 0,
                image->default_list,
        };
        const struct clause *clause = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(lists) && !clause; i++)
                clause = ask_list(question, lists[i]);
        return clause;
}

/* ---- addresses ---- */

static int compare_nets(const void *key, const void *entry)
{
        return memcmp(key, entry, sizeof(struct net_key));
}

static uint32_t net_list(const PolicyImage *image, const struct net_key *key)
{
        const NetEntry *entry =
                bsearch(key, image->nets, image->n_nets, sizeof(*entry), compare_nets);

        return entry ? entry->value : 0;
}

static const struct clause *ask_prefix(const Question *question, const What *what,
                                       const struct prefix *prefix)
{
        const uint16_t *classes = question->image->port_classes;
        uint16_t ports[] = {
                [PORT_ANY] = 0,
                [PORT_EXACT] = what->net.port,
                [PORT_CLASS] = classes ? classes[what->net.port] : 0,
        };
        static const uint8_t kinds[] = {PORT_EXACT, PORT_CLASS, PORT_ANY};
        uint64_t address[2];

        memcpy(address, what->net.address, sizeof(address));
        for (size_t i = 0; i < 2 * G_N_ELEMENTS(kinds); i++) {
                uint8_t kind = kinds[i / 2];
                uint16_t protocol = i % 2 == 0 ? what->net.protocol : 0;
                struct net_key key = {
                        .address = {address[0] & prefix->mask[0], address[1] & prefix->mask[1]},
                        .port = ports[kind],
                        .protocol = protocol,
                        .prefix = (uint8_t) prefix->length,
                        .kind = kind,
                };
                const struct clause *clause;

                if (!(prefix->shapes & SHAPE(kind, i % 2 == 0)) ||
                    (kind == PORT_CLASS && ports[kind] == 0))
                        continue;
                clause = ask_list(question, net_list(question->image, &key));
                if (clause)
                        return clause;
        }
        return NULL;
}

static const struct clause *ask_net(const Question *question, const What *what)
{
        const struct clause *clause = NULL;

        for (uint32_t i = 0; i < question->image->n_prefixes && !clause; i++)
                clause = ask_prefix(question, what, &question->image->prefixes[i]);
        return clause;
}

/* ---- all ---- */

static const struct clause *ask(const Question *question, const What *what)
{
        switch (what->kind) {
        case WHAT_FILE:
                return ask_file(question, what);
        case WHAT_NET:
                return ask_net(question, what);
        case WHAT_KERNEL:
                return ask_list(question, question->image->kernel_lists[what->kernel]);
        }
        return NULL;
}

Verdict image_decide(const PolicyImage *image, const Who *who, const What *what)
{
        Question question = {.image = image, .who = who, .access = what->access};
        const struct clause *clause;

        if (has_number(image, who, CGROUP_UNBOUND))
                return (Verdict){.is_exempt = 1};
        if (image->flags & IMAGE_EXES && who->exe.path)
                question.marks = image_place(image, &who->exe).marks;
        clause = ask(&question, what);
        if (!clause)
                return (Verdict){};
        return (Verdict){
                .rule = clause->rule,
                .verdict = clause->verdict,
                .flags = clause->flags & (uint8_t) ~CLAUSE_LAST,
                .signal = clause->signal,
        };
}
