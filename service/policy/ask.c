/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask: see ask.h. Each step is the one that bpf/ takes, with bsearch() for a look-up in a map. */
#include "policy/ask.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

#define COMPARE_WITH(type)                                                                         \
        static int compare_##type(const void *key, const void *entry)                              \
        {                                                                                          \
                return memcmp(key, entry, sizeof(struct type));                                    \
        }
COMPARE_WITH(trie_key)
COMPARE_WITH(net_key)
COMPARE_WITH(comm_key)
COMPARE_WITH(digest_key)
COMPARE_WITH(pin_key)

/* Every entry begins with its key. The keys have no padding, so that their bytes order them. */
#define FIND(items, n, lookup, type)                                                               \
        ((n) > 0 ? bsearch((lookup), (items), (n), sizeof((items)[0]), compare_##type) : NULL)

/* ---- subjects ---- */

static int cgroup_is_below(const char *cgroup, const char *name)
{
        size_t n = strnlen(name, CGROUP_PATH_SIZE);

        if (name[0] == '/')
                return n == 1 ||
                       (strncmp(cgroup, name, n) == 0 && (cgroup[n] == '/' || cgroup[n] == '\0'));
        while ((cgroup = strchr(cgroup, '/'))) {
                cgroup++;
                if (strncmp(cgroup, name, n) == 0 && (cgroup[n] == '/' || cgroup[n] == '\0'))
                        return 1;
        }
        return 0;
}

int asker_is_in_cgroup(const Asker *asker, const char *path, uint64_t id)
{
        if (path)
                return asker->cgroup && cgroup_is_below(asker->cgroup, path);
        for (size_t i = 0; i < asker->n_cgroup_ids; i++)
                if (asker->cgroup_ids[i] == id)
                        return 1;
        return 0;
}

/* Whether the asker's cgroup, or one above it, has the number. */
static int has_number(const PolicyImage *image, const Asker *asker, uint32_t number)
{
        for (size_t i = 0; i < image->n_cgroup_names; i++) {
                const CgroupNameEntry *entry = &image->cgroup_names[i];

                if ((entry->value.subject == number || entry->value.unbound == number) &&
                    asker_is_in_cgroup(asker, entry->key.path, 0))
                        return 1;
        }
        for (size_t i = 0; i < image->n_cgroup_ids; i++)
                if (image->cgroup_ids[i].key.number == number &&
                    asker_is_in_cgroup(asker, NULL, image->cgroup_ids[i].key.id))
                        return 1;
        return 0;
}

int image_leaves_unbound(const PolicyImage *image, const Asker *asker)
{
        return has_number(image, asker, CGROUP_UNBOUND);
}

static int has_group(const Asker *asker, uint32_t gid)
{
        for (size_t i = 0; i < asker->n_groups; i++)
                if (asker->groups[i] == gid)
                        return 1;
        return asker->gid == gid;
}

static int has_mark(const PolicyImage *image, uint32_t set, uint32_t exe)
{
        for (size_t i = 0; set > 0 && i < image->n_marks; i++)
                if (image->marks[i].key.set == set && image->marks[i].key.exe == exe)
                        return 1;
        return 0;
}

/* ---- names ---- */

/* What holds at a name: of its own, or inherited. */
typedef struct Held {
        uint32_t list, marks;
} Held;

static const struct trie_value *find_chunk(const PolicyImage *image, uint32_t node,
                                           const char *name, size_t n, unsigned chunk)
{
        struct trie_key key = {.node = node, .length = (uint16_t) n, .chunk = (uint16_t) chunk};
        size_t at = (size_t) chunk * NAME_CHUNK;
        const TrieEntry *entry;

        memcpy(key.name, name + at, n - at < NAME_CHUNK ? n - at : NAME_CHUNK);
        entry = FIND(image->trie, image->n_trie, &key, trie_key);
        return entry ? &entry->value : NULL;
}

/* The child of that name, or the one for every name without an entry. */
static const struct trie_value *find_child(const PolicyImage *image, uint32_t node,
                                           const char *name, size_t n)
{
        static const struct trie_key any = {.length = 0};
        const struct trie_value *value = NULL;
        struct trie_key key = any;
        const TrieEntry *entry;
        uint32_t at = node;

        for (unsigned chunk = 0; (size_t) chunk * NAME_CHUNK < n; chunk++) {
                value = find_chunk(image, at, name, n, chunk);
                if (!value)
                        break;
                at = value->node;
        }
        if (value)
                return value;
        key.node = node;
        entry = FIND(image->trie, image->n_trie, &key, trie_key);
        return entry ? &entry->value : NULL;
}

static const struct trie_value *find_root(const PolicyImage *image, uint32_t device)
{
        for (size_t i = 0; i < image->n_roots; i++)
                if (image->roots[i].device == device)
                        return &image->roots[i].value;
        return NULL;
}

static Held find_held(const PolicyImage *image, const Place *name)
{
        const struct trie_value *value = find_root(image, name->device);
        const struct ruleset *ruleset;
        const char *at = name->path;
        int is_inherited = 0;

        if (!value)
                return (Held){};
        for (at += strspn(at, "/"); *at != '\0'; at += strspn(at, "/")) {
                size_t n = strcspn(at, "/");
                const struct trie_value *child =
                        value->node == NODE_OFF ? NULL : find_child(image, value->node, at, n);

                is_inherited = !child;
                if (!child)
                        break;
                value = child;
                at += n;
        }
        ruleset = &image->rulesets[value->ruleset];
        return is_inherited ? (Held){ruleset->below, ruleset->below_marks}
                            : (Held){ruleset->own, ruleset->own_marks};
}

/* ---- clauses ---- */

static int subject_fits(const PolicyImage *image, const Asker *asker, uint32_t number)
{
        const struct subject *subject = &image->subjects[number];

        if (number == 0)
                return 1;
        if ((subject->flags & SUBJECT_UID) && subject->uid != asker->uid)
                return 0;
        if ((subject->flags & SUBJECT_GID) && !has_group(asker, subject->gid))
                return 0;
        if ((subject->flags & SUBJECT_VERIFIED) && !asker->is_verified)
                return 0;
        if ((subject->flags & SUBJECT_CGROUP) && !has_number(image, asker, subject->cgroup))
                return 0;
        return !(subject->flags & SUBJECT_EXE) ||
               (asker->exe && has_mark(image, find_held(image, asker->exe).marks, subject->exe));
}

/* The first clause of the list that is about the access, fits the asker and has not expired. */
static const struct clause *ask_list(const PolicyImage *image, const Asker *asker, uint32_t list,
                                     uint32_t access)
{
        for (uint32_t i = list; list > 0 && i < image->n_clauses; i++) {
                const struct clause *clause = &image->clauses[i];

                if ((clause->access & access) &&
                    (clause->expires == 0 || asker->now < (int64_t) clause->expires) &&
                    subject_fits(image, asker, clause->subject))
                        return clause;
                if (clause->flags & CLAUSE_LAST)
                        break;
        }
        return NULL;
}

/* ---- files ---- */

static uint32_t digest_list(const PolicyImage *image, const FileQuestion *question)
{
        const DigestEntry *entry = question->digest ? FIND(image->digests, image->n_digests,
                                                           question->digest, digest_key)
                                                    : NULL;

        return entry ? entry->value : 0;
}

static uint32_t comm_list(const PolicyImage *image, const FileQuestion *question)
{
        const char *slash = strrchr(question->name->path, '/'), *comm = question->comm;
        struct comm_key key = {};
        const CommEntry *entry;

        if (!comm)
                comm = slash ? slash + 1 : question->name->path;
        memcpy(key.name, comm, strnlen(comm, sizeof(key.name) - 1));
        entry = FIND(image->comms, image->n_comms, &key, comm_key);
        return entry ? entry->value : 0;
}

static uint32_t pin_list(const PolicyImage *image, const FileQuestion *question)
{
        const struct pin_key key = {.inode = question->inode, .device = question->name->device};
        const PinEntry *entry;

        if (question->inode == 0 || !((image->flags & IMAGE_PIN_ALL) ||
                                      ((image->flags & IMAGE_PIN_LINKS) && question->has_links)))
                return 0;
        entry = FIND(image->pins, image->n_pins, &key, pin_key);
        return entry ? image->rulesets[entry->value.ruleset].own : 0;
}

const struct clause *image_ask_file(const PolicyImage *image, const Asker *asker,
                                    const FileQuestion *question)
{
        int is_run = question->access == ACCESS_EXEC;
        const uint32_t lists[] = {
                is_run ? digest_list(image, question) : 0,
                is_run ? comm_list(image, question) : 0,
                pin_list(image, question),
                find_held(image, question->name).list,
                image->default_list,
        };
        const struct clause *clause = NULL;

        for (size_t i = 0; !clause && i < ELEMENTS_OF(lists); i++)
                clause = ask_list(image, asker, lists[i], question->access);
        return clause;
}

/* ---- addresses ---- */

static const struct clause *ask_key(const PolicyImage *image, const Asker *asker,
                                    const struct net_key *key, enum net_operation operation)
{
        const NetEntry *entry = FIND(image->nets, image->n_nets, key, net_key);

        return entry ? ask_list(image, asker, entry->value, 1u << operation) : NULL;
}

/* The most specific port first, and each with its protocol before any protocol. */
static const struct clause *ask_prefix(const PolicyImage *image, const Asker *asker,
                                       const NetQuestion *question, const struct prefix *prefix)
{
        uint16_t class = image->port_classes ? image->port_classes[question->port] : 0;
        const uint16_t ports[] = {
                [PORT_ANY] = 0, [PORT_EXACT] = question->port, [PORT_CLASS] = class};
        static const uint8_t kinds[] = {PORT_EXACT, PORT_CLASS, PORT_ANY};
        const struct clause *clause = NULL;
        struct net_key key = {.prefix = (uint8_t) prefix->length};

        memcpy(key.address, question->address, sizeof(key.address));
        key.address[0] &= prefix->mask[0];
        key.address[1] &= prefix->mask[1];
        for (size_t i = 0; !clause && i < 2 * sizeof(kinds); i++) {
                key.kind = kinds[i / 2];
                key.port = ports[key.kind];
                key.protocol = i % 2 == 0 ? question->protocol : 0;
                if (key.kind == PORT_CLASS && class == 0)
                        continue;
                clause = ask_key(image, asker, &key, question->operation);
        }
        return clause;
}

const struct clause *image_ask_net(const PolicyImage *image, const Asker *asker,
                                   const NetQuestion *question)
{
        const struct clause *clause = NULL;

        for (uint32_t i = 0; !clause && i < image->n_prefixes; i++)
                clause = ask_prefix(image, asker, question, &image->prefixes[i]);
        return clause;
}

const struct clause *image_ask_kernel(const PolicyImage *image, const Asker *asker,
                                      enum kernel_object object)
{
        return ask_list(image, asker, image->kernel_lists[object], ACCESS_ANY);
}
