/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compile: what the rooms of the compiler share. image.c numbers the rules and calls one room after
 * the other: titles.c (how rules are named), subjects.c and cgroups.c (whom they are about),
 * files.c (where their paths lie), names.c, trie.c, level.c, ways.c and marks.c (names in file
 * systems), pins.c (files by number), nets.c (addresses), keyed.c (programs, the kernel, defaults),
 * hooks.c (what must be attached). All of them make lists of clauses, by lists.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"
#include "policy/pool.h"

#define N_RULE_KINDS (RULE_ALLOW_CGROUP + 1)

/* ---- rules by number ---- */

typedef struct NumberedRule {
        const Rule *rule;
        uint32_t document;     /* index in documents */
        uint32_t subject;      /* index in subjects */
        uint32_t n_conditions; /* that the subject must meet */
        uint32_t expires;      /* as in struct clause */
} NumberedRule;

typedef struct Numbers {
        uint32_t *items;
        size_t n, n_allocated;
} Numbers;

/* Returns 0 or -ENOMEM. */
int numbers_add(Numbers *numbers, uint32_t number);

/* ---- names in file systems ---- */

/* A name that a rule, or the exe= of one, is about. key: the path with each slash replaced by the
 * length of the name after it, "" for the root; a component * is a name of one byte, a slash.
 * strcmp() then puts the names of one directory side by side. */
#define KEY_WILDCARD "\1/" /* no name has a slash in it */

typedef struct Name {
        const char *key; /* in a block of the names */
        uint32_t device;
        uint32_t number : 30; /* of a rule, or of an exe */
        uint32_t is_exe : 1;
        uint32_t below : 1;
} Name;

/* Keys stand close together: a million small allocations would take four times their room. */
typedef struct KeyBlock KeyBlock;

typedef struct Names {
        Name *items;
        size_t n, n_allocated;
        KeyBlock *blocks; /* the one being filled comes first */
        size_t n_room;    /* bytes left in it */
        int have_wildcards;
} Names;

/* rest: what follows the place, "" or components of which those that are "*" stand for any name.
 * Takes device from place and the rest from name. Returns 0, -ENOMEM, or -EINVAL for a path that is
 * not absolute and clean. */
int names_add(Names *names, const Place *place, const char *rest, const Name *name);
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
        PolicyImage *image;
        const Document *documents;
        Diagnostics *diagnostics; /* one per document */
        const Resolver *resolver;
        NumberedRule *rules;           /* by number; 0 is none */
        Numbers by_kind[N_RULE_KINDS]; /* those that have not expired, in order */
        Names names;
        Pins pins;
        Pool clauses; /* a list is a run */
        uint32_t last_list, n_last_list;
        Draft draft;
        Pool rulesets;
        Pool subjects;
        Pool exes;         /* strings; an exe's number is its run's */
        Pool exe_sets;     /* of uint32_t, ascending; a set's number is its run's */
        Pool cgroup_paths; /* of struct cgroup_name */
        Pool cgroup_ids;   /* of uint64_t: those of subjects */
        size_t n_cgroup_names_allocated, n_cgroup_ids_allocated;
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

/* Puts sayings in the order in which they decide, and inherited (a list, or 0) behind them; leaves
 * out what can never be reached. Returns 0, -ENOMEM, or -E2BIG with a fault. */
int lists_make(Compiler *compiler, Saying *sayings, size_t n, uint32_t inherited,
               uint32_t *ret_list);

/* Returns 0, -ENOMEM or -E2BIG. */
int rulesets_add(Compiler *compiler, const struct ruleset *ruleset, uint32_t *ret_number);

/* ---- the rooms, as image.c calls them; each returns 0 or a negative errno ---- */

/* titles.c: makes image->rules. */
int titles_add(PolicyImage *image, const Document *documents, size_t n_documents);

/* subjects.c: fills in the subject of a rule. */
int subjects_add(Compiler *compiler, uint32_t number);

/* cgroups.c: gives a cgroup its number as a subject; frees the processes of allow_cgroup. */
int cgroups_add_subject(Compiler *compiler, uint32_t number, uint32_t *ret_cgroup);
int cgroups_build(Compiler *compiler);

/* files.c: finds out where paths lie, and adds names and pins. */
int files_add(Compiler *compiler, uint32_t number);
int files_add_exe(Compiler *compiler, uint32_t number, uint32_t exe);

/* These make the tables of the image and use up what was collected. */
int trie_build(Compiler *compiler);  /* trie, roots */
int marks_build(Compiler *compiler); /* marks; after trie_build() */
int pins_build(Compiler *compiler);  /* pins */
int nets_build(Compiler *compiler);  /* nets, prefixes, port_classes */
int keyed_build(Compiler *compiler); /* comms, digests, kernel_lists, default_list */

/* nets.c: the hooks that a rule about addresses needs. */
uint64_t nets_hooks(const Rule *rule);

/* hooks.c: flags and hooks. */
void hooks_find(Compiler *compiler);
