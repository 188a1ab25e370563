/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PolicyImage: the records of all documents in force, as the kernel's maps take them.
 * Compiling is pure: where a path or a cgroup lies on this machine is asked of a Resolver. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/policy.h"

/* What one image may hold: ten times what the service is made for, and bounded before the kernel's
 * maps are. A name is one entry, and one more for each NAME_CHUNK bytes it is longer. */
#define RULES_MAX 1048576u
#define TRIE_ENTRIES_MAX 1048576u

/* A name inside one file system. */
typedef struct Place {
        uint32_t device; /* of the superblock, major << 20 | minor */
        char *path;      /* from the root of that file system: "/a/b", or "/" */
} Place;

/* Where an absolute path of a document leads now. */
typedef struct Location {
        Place name;      /* the name itself, links in its parents followed */
        Place target;    /* what it leads to if its last component is a symbolic link; else path is
                            NULL */
        uint32_t exists; /* the fields below are set: they speak of the file in the end */
        uint32_t n_links;
        uint32_t is_directory;
        uint64_t inode;
        uint32_t device; /* of the superblock */
        uint32_t inode_generation;
        uint32_t generation_known;
} Location;

void location_deinit(Location *location);

typedef struct Resolver {
        /* Fills location (whose strings the caller frees). path: of a rule, without wildcards or
         * the part before the first. Returns 0 or a negative errno. */
        int (*locate)(void *userdata, const char *path, Location *ret_location);
        /* Whether there is such a cgroup now (path: "/a/b", or a unit's name). Its rules hold once
         * it comes; only the person who wrote it is told. */
        int (*has_cgroup)(void *userdata, const char *path);
        void *userdata;
        /* Where many paths are asked for, what one led to may be remembered for the next: begin()
         * gives the userdata with which it is, until end(), or NULL when memory is short. Without
         * these two nothing is remembered. */
        void *(*begin)(void *userdata);
        void (*end)(void *userdata);
} Resolver;

/* One document of the set that is compiled together. */
typedef struct Document {
        const char *name;
        const char *text;
        size_t n_text;
        Policy *policy;
        int64_t applied;       /* seconds since boot (negative: before it): where a ttl begins */
        const uint8_t *digest; /* of the text; NULL: whoever needs it makes it */
} Document;

/* What a rule number in an event stands for. Number 0 is no rule. */
typedef struct ImageRule {
        const char *document; /* belongs to the image; "" if no rule has the number any longer */
        const Rule *rule;     /* of a policy that the image holds */
} ImageRule;

/* A document that the rules are of. */
typedef struct ImageDocument {
        const char *name;
        Policy *policy;
        size_t first; /* of its rules, in numbers */
} ImageDocument;

#define IMAGE_RULE_ID_SIZE 272u

/* As the rule says, or "<document>:<line>", which is put into the room. */
const char *image_rule_id(const ImageRule *rule, char room[IMAGE_RULE_ID_SIZE]);
/* "" if the rule says nothing. */
const char *image_rule_why(const ImageRule *rule);

typedef struct TrieEntry {
        struct trie_key key;
        struct trie_value value;
} TrieEntry;

typedef struct RootEntry {
        uint32_t device, zero; /* entries are compared as bytes */
        struct trie_value value;
} RootEntry;

typedef struct PinEntry {
        struct pin_key key;
        struct pin_value value;
} PinEntry;

typedef struct NetEntry {
        struct net_key key;
        uint32_t value; /* a list */
} NetEntry;

typedef struct MarkEntry {
        struct mark_key key;
        uint32_t value; /* 1 */
} MarkEntry;

typedef struct CommEntry {
        struct comm_key key;
        uint32_t value; /* a list */
} CommEntry;

typedef struct DigestEntry {
        struct digest_key key;
        uint32_t value; /* a list */
} DigestEntry;

typedef struct CgroupNameEntry {
        struct cgroup_name key;
        struct cgroup_numbers value;
} CgroupNameEntry;

/* Those a document names by number. */
typedef struct CgroupIdEntry {
        struct cgroup_key key;
        uint32_t value; /* 1 */
} CgroupIdEntry;

/* Immutable once compiled. Arrays are sorted by key, without doubles. orders[0], clauses[0],
 * subjects[0] and rulesets[0] stand for none. */
typedef struct PolicyImage {
        unsigned n_refs;
        uint8_t digest[DIGEST_SIZE]; /* of the documents: see digest_documents() */
        uint8_t places[DIGEST_SIZE]; /* of where paths lead, for policy_image_leads_as() alone */
        uint32_t flags;              /* IMAGE_… */
        uint64_t hooks;              /* HOOK_BIT of each hook the rules need */
        uint64_t hooks_accepted;     /* those of them that may be missing: no document insists */
        uint64_t hooks_in_audit;     /* those that must deny in audit mode too (mode=enforce) */
        TrieEntry *trie;
        size_t n_trie;
        RootEntry *roots;
        size_t n_roots;
        PinEntry *pins;
        size_t n_pins;
        NetEntry *nets; /* value: a list of clauses by 1 << NET_… */
        size_t n_nets;
        struct prefix prefixes[N_PREFIXES_MAX];
        uint32_t n_prefixes;
        uint16_t *port_classes; /* N_PORTS, or NULL without IMAGE_RANGES */
        MarkEntry *marks;
        size_t n_marks;
        CommEntry *comms;
        size_t n_comms;
        DigestEntry *digests;
        size_t n_digests;
        CgroupNameEntry *cgroup_names;
        size_t n_cgroup_names;
        CgroupIdEntry *cgroup_ids;
        size_t n_cgroup_ids;
        struct subject *subjects;
        size_t n_subjects;
        struct clause *clauses;
        size_t n_clauses;
        struct ruleset *rulesets;
        size_t n_rulesets;
        uint32_t default_list;
        uint32_t kernel_lists[N_KERNEL_OBJECTS];
        uint32_t *numbers; /* of the rules there are, as they are written */
        size_t n_numbers;
        uint32_t *orders; /* by number: where it is in numbers, from 1; 0: no rule has it */
        size_t n_rules;   /* number 0 counted */
        ImageDocument *documents;
        size_t n_documents;
        char *names; /* of the documents, one behind the other */
} PolicyImage;

/* number: below n_rules. */
ImageRule policy_image_rule(const PolicyImage *image, uint32_t number);

/* documents: sorted by name, names distinct. diagnostics: one per document, in their order;
 * compiling adds warnings (a cgroup that is not there). Returns 0, a negative errno (-E2BIG: more
 * than RULES_MAX, TRIE_ENTRIES_MAX, or a list longer than LIST_LENGTH_MAX). Errors of the resolver
 * are returned as they are, with a fault that tells the line. */
int policy_image_compile(PolicyImage **ret_image, const Document *documents, size_t n_documents,
                         const Resolver *resolver, Diagnostics *diagnostics);

/* Whether two images decide alike: all that the kernel is given is equal, digest and the words of
 * rules aside. */
int policy_image_decides_as(const PolicyImage *image, const PolicyImage *other);

/* Whether in two images of the same documents, with the same numbers of rules, all paths lead to
 * the same places. Then they decide alike, though lists and nodes may have other numbers: it
 * depends on what was compiled in between. */
int policy_image_leads_as(const PolicyImage *image, const PolicyImage *other);

/* One more holder; policy_image_free() drops one, and the image goes with the last. */
PolicyImage *policy_image_ref(PolicyImage *image);
PolicyImage *policy_image_free(PolicyImage *image);

DEFINE_CLEANUP(PolicyImage *, policy_image_free);
