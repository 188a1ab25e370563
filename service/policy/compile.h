/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compile: what the rooms of the compiler share. run.c finds out which rules are new and which
 * are gone (by match.c) and numbers them; compilation.c calls one room after the other: titles.c
 * (how rules are named), subjects.c and cgroups.c (whom they are about), files.c (where their paths
 * lie), names.c, trie.c, edits.c, level.c, ways.c and marks.c (names in file systems), pins.c
 * (files by number), nets.c (addresses), keyed.c (programs, the kernel, defaults), hooks.c (what
 * must be attached). All of them make lists of clauses, by lists.c.
 *
 * Numbers that were given once stay: of rules, lists, rulesets, subjects, nodes … What the image
 * before holds and no change is about is copied. A first compilation is one in which all is new. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"
#include "policy/pool.h"

#define N_RULE_KINDS (RULE_ALLOW_CGROUP + 1)

/* ---- rules by number ---- */

typedef struct NumberedRule {
        const Rule *rule;           /* &rule_gone if the number is not used any longer */
        uint32_t order;             /* of all rules as they are written, from 1; 0: gone */
        uint32_t document : 16;     /* index in documents */
        uint32_t n_conditions : 15; /* that the subject must meet */
        uint32_t has_expired : 1;   /* before this machine was started: it is nowhere else */
        uint32_t subject;           /* index in subjects */
        uint32_t expires;           /* as in struct clause */
} NumberedRule;

_Static_assert(sizeof(NumberedRule) == 24, "a large policy has many");

extern const Rule rule_gone;

typedef struct Numbers {
        uint32_t *items;
        size_t n, n_allocated;
} Numbers;

/* Returns 0 or -ENOMEM. */
int numbers_add(Numbers *numbers, uint32_t number);
void numbers_fit(Numbers *numbers); /* gives back all room to spare */

/* ---- names in file systems ---- */

/* A name that a rule, or the exe= of one, is about. key: the path with each slash replaced by the
 * length of the name after it, "" for the root; a component * is a name of one byte, a slash.
 * strcmp() then puts the names of one directory side by side. */
#define KEY_WILDCARD "\1/" /* no name has a slash in it */

typedef struct Name {
        const char *key; /* in a block of the names */
        uint32_t device;
        uint32_t number : 28; /* of a rule, or of an exe */
        uint32_t is_exe : 1;
        uint32_t below : 1;
        uint32_t is_new : 1; /* since the image before; likewise: */
        uint32_t is_gone : 1;
} Name;

/* Keys stand close together: a million small allocations would take four times their room. */
typedef struct KeyBlock KeyBlock;

typedef struct Names {
        Name *items;
        size_t n, n_allocated;
        size_t n_sorted;  /* those behind came since names_merge() */
        KeyBlock *blocks; /* the one being filled comes first */
        size_t n_room;    /* bytes left in it */
        size_t n_keys;    /* bytes of keys, those of names that are gone too */
        size_t n_packed;  /* … when there were no others */
        int have_wildcards;
        Numbers changed, gone; /* indices, ascending, from names_list_changes() to names_settle() */
} Names;

/* rest: what follows the place, "" or components of which those that are "*" stand for any name.
 * Takes device from place and the rest from name. Returns 0, -ENOMEM, or -EINVAL for a path that is
 * not absolute and clean. */
int names_add(Names *names, const Place *place, const char *rest, const Name *name);

/* Sorts those that were added in among the others, as new ones; one that is both gone and new is
 * neither. Returns 0 or -ENOMEM. */
int names_merge(Names *names);

/* Lists those that are new or gone. Returns 0 or -ENOMEM. */
int names_list_changes(Names *names);

/* Forgets those that are gone, and what is new. Their keys go when they are many. */
void names_settle(Names *names);
void names_deinit(Names *names);

/* ---- files by number ---- */

typedef struct Pin {
        struct pin_key key;
        uint32_t rule, generation, checked;
} Pin;

typedef struct Pins {
        Pin *items;
        size_t n, n_allocated;
} Pins;

/* Returns 0 or -ENOMEM. */
int pins_add(Pins *pins, const Pin *pin);

/* ---- where paths lead ---- */

typedef struct PlacesSum {
        uint64_t halves[2];
} PlacesSum;

/* ---- lists ---- */

/* A list on its way. decided: access about which a clause that fits anyone, for good, has spoken.
 */
typedef struct Draft {
        struct clause clauses[LIST_LENGTH_MAX];
        size_t n;
        uint32_t decided;
} Draft;

/* ---- all that a compilation has in hand ---- */

typedef struct Compiler {
        /* Of one run. */
        PolicyImage *image;
        const PolicyImage *before; /* the image that is amended; NULL: all is new */
        const Document *documents;
        Diagnostics *diagnostics; /* one per document */
        const Resolver *resolver;
        uint32_t kinds_changed; /* 1 << kind, of rules that are new or gone */
        int cgroups_changed, pins_changed, exes_changed;
        uint32_t last_list, n_last_list;
        Draft draft;
        Numbers by_kind[N_RULE_KINDS]; /* those that have not expired, in order; not RULE_FILE */

        /* Kept from one run to the next. */
        NumberedRule *rules; /* by number; 0 is none */
        size_t n_rules, n_rules_allocated;
        Numbers in_order; /* the rules there are, as they are written: the numbers of the image */
        Names names;
        Pins pins;
        PlacesSum places; /* of the names */
        uint32_t n_nodes; /* numbers given, from 1 */
        size_t n_steps;   /* taken in making what stands in the trie */
        Pool clauses;     /* a list is a run */
        Pool rulesets;
        Pool subjects;
        Pool exes;            /* strings; an exe's number is its run's */
        uint8_t *exe_is_used; /* by number; as of the last exes_find() */
        size_t n_exes, n_exes_used;
        Pool exe_sets;     /* of uint32_t, ascending; a set's number is its run's */
        Pool cgroup_paths; /* of struct cgroup_name */
        Pool cgroup_ids;   /* of uint64_t: those of subjects */
        Numbers numbers_of_paths, numbers_of_ids; /* as subjects, by run; 0: none */
        uint32_t n_cgroup_numbers;
} Compiler;

/* About the rule of that number. */
#define compile_fault(compiler, number, hint, ...)                                                 \
        diagnostics_add(compile_diagnostics((compiler), (number)), SEVERITY_FAULT,                 \
                        (compiler)->rules[number].rule->line,                                      \
                        (compiler)->rules[number].rule->column, (hint), __VA_ARGS__)
#define compile_warning(compiler, number, hint, ...)                                               \
        diagnostics_add(compile_diagnostics((compiler), (number)), SEVERITY_WARNING,               \
                        (compiler)->rules[number].rule->line,                                      \
                        (compiler)->rules[number].rule->column, (hint), __VA_ARGS__)

static inline Diagnostics *compile_diagnostics(const Compiler *compiler, uint32_t number)
{
        return &compiler->diagnostics[compiler->rules[number].document];
}

/* What a rule says at one key of a table. rank: the lower is the more specific. */
typedef struct Saying {
        uint32_t rank;
        uint32_t rule;
        uint32_t access;
} Saying;

/* Puts sayings in the order in which they decide. */
void sayings_sort(const Compiler *compiler, Saying *sayings, size_t n);

/* Whether the rule denies, and does not record alone. */
int rule_is_earnest(const Rule *rule);

/* To be called before the lists of another object are made: what number a list has must not depend
 * on the object before. */
static inline void lists_begin(Compiler *compiler)
{
        compiler->n_last_list = 0;
}

/* Puts sayings in the order in which they decide, and inherited (a list, or 0) behind them; leaves
 * out what can never be reached. Returns 0, -ENOMEM, or -E2BIG with a fault. */
int lists_make(Compiler *compiler, Saying *sayings, size_t n, uint32_t inherited,
               uint32_t *ret_list);

/* Returns 0, -ENOMEM or -E2BIG. */
int rulesets_add(Compiler *compiler, const struct ruleset *ruleset, uint32_t *ret_number);

/* image.c: an empty image. Returns NULL when memory is short. */
PolicyImage *policy_image_new(void);

/* ---- what stays as it was ---- */

/* Returns a copy of n elements of that size (NULL for none), or NULL when memory is short. */
void *copy_items(const void *items, size_t n, size_t size);

/* Copies an array of the image before. Returns 0 or -ENOMEM. */
#define COPY_BEFORE(compiler, array, n)                                                            \
        ((compiler)->image->array = copy_items((compiler)->before->array, (compiler)->before->n,   \
                                               sizeof((compiler)->image->array[0])),               \
         (compiler)->image->n = (compiler)->before->n,                                             \
         (compiler)->image->n > 0 && !(compiler)->image->array ? -ENOMEM : 0)

static inline int kind_changed(const Compiler *compiler, RuleKind kind)
{
        return !compiler->before || compiler->kinds_changed & 1u << kind;
}

/* ---- which rules stay ---- */

/* match.c. ret_stays: for each rule of `after` 1 + the index of the rule of `before` that it is, or
 * 0 if it is new; ascending. is_same_time: both were applied at one time. */
void rules_match(const Policy *before, const Policy *after, int is_same_time, uint32_t *ret_stays);

/* ---- the rooms, as compilation.c calls them; each returns 0 or a negative errno ---- */

/* titles.c: makes image->orders and image->documents. */
int titles_add(Compiler *compiler, size_t n_documents);
void titles_free(PolicyImage *image);

/* subjects.c: fills in the subject of a rule. */
int subjects_add(Compiler *compiler, uint32_t number);

/* Finds out which programs rules name, adds the names of those that none named before, and marks as
 * gone those that none names any longer. */
int exes_find(Compiler *compiler);

/* cgroups.c: gives a cgroup its number as a subject; makes cgroup_names and cgroup_ids. */
int cgroups_add_subject(Compiler *compiler, uint32_t number, uint32_t *ret_cgroup);
int cgroups_build(Compiler *compiler);

/* files.c: finds out where paths lie, and adds names and pins. */
int files_add(Compiler *compiler, uint32_t number);
int files_add_exe(Compiler *compiler, uint32_t number, uint32_t exe);

/* pins.c: forgets the pins of rules that are gone. */
void pins_forget_gone(Compiler *compiler);

/* These make the tables of the image. */
int trie_build(Compiler *compiler);  /* trie, roots; from names_list_changes() */
int marks_build(Compiler *compiler); /* marks; after trie_build() */
int pins_build(Compiler *compiler);  /* pins; after pins_forget_gone() */
int nets_build(Compiler *compiler);  /* nets, prefixes, port_classes */
int keyed_build(Compiler *compiler); /* comms, digests, kernel_lists, default_list */

/* nets.c: the hooks that a rule about addresses needs. */
uint64_t nets_hooks(const Rule *rule);

/* hooks.c: what rules ask of the image and of the kernel; makes flags and hooks of it. */
typedef struct Demands {
        uint64_t hooks, in_audit, insisted; /* as of the image; those that must not be missing */
        uint32_t flags;                     /* IMAGE_… */
        uint32_t n_of_kind[N_RULE_KINDS];   /* rules that have not expired */
} Demands;
/* Of the document whose rules are those n in order, from first on. */
void demands_find(const Compiler *compiler, const Policy *policy, size_t first, size_t n,
                  Demands *ret_demands);
void hooks_find(Compiler *compiler, const Demands *demands);

/* places.c: image->places; after pins_build(), before names_settle(). */
void places_find(Compiler *compiler);
