/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compile: what the rooms of the compiler share. image.c goes through the documents' rules; names.c
 * collects names, trie.c makes the trie of them; pins.c, nets.c and rulesets.c the rest. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"

/* ---- rulesets: numbered as they come, shared in the end ---- */

typedef struct Rulesets {
        struct ruleset *items; /* number 0 is none */
        size_t n, n_allocated;
} Rulesets;

/* own, below: rule numbers, 0 for none. Returns 0 or -ENOMEM. */
int rulesets_add(Rulesets *rulesets, uint32_t own, uint32_t below, uint32_t *ret_number);

/* Gives equal rulesets one number, in every table of the image, and the image its array. Returns 0
 * or -ENOMEM. */
int rulesets_share(Rulesets *rulesets, PolicyImage *image);

/* ---- names ---- */

/* One name with a rule. key: the path with each slash replaced by the length of the name after it,
 * "" for the root. strcmp() then orders by length and bytes of each component in turn, as the trie
 * does. */
typedef struct Name {
        const char *key; /* in a block of the names */
        uint32_t device;
        uint32_t rule : 31;
        uint32_t below : 1;
} Name;

/* Keys stand close together: a million small allocations would take four times their room. */
typedef struct KeyBlock KeyBlock;

typedef struct Names {
        Name *items;
        size_t n, n_allocated;
        KeyBlock *blocks; /* the one being filled comes first */
        size_t n_room;    /* bytes left in it */
} Names;

/* Returns 0, -ENOMEM, or -EINVAL for a path that is not absolute and clean. */
int names_add(Names *names, const Place *place, uint32_t rule, uint32_t below);
void names_deinit(Names *names);

/* Makes image->trie and image->roots, and uses up names. Returns 0, -E2BIG or -ENOMEM. */
int trie_build(PolicyImage *image, Names *names, Rulesets *rulesets);

/* ---- pins ---- */

typedef struct Pin {
        struct pin_key key;
        uint32_t rule, generation, checked;
} Pin;

typedef struct Pins {
        Pin *items;
        size_t n, n_allocated;
} Pins;

int pins_add(Pins *pins, const Pin *pin);

/* Makes image->pins. Returns 0 or a negative errno. */
int pins_build(PolicyImage *image, Pins *pins, Rulesets *rulesets);

/* ---- network ---- */

typedef struct Nets {
        NetEntry *items;
        size_t n, n_allocated;
} Nets;

int nets_add(Nets *nets, const Rule *rule, uint32_t number);

/* Makes image->nets and image->prefixes. */
void nets_build(PolicyImage *image, Nets *nets);
