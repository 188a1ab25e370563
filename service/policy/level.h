/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Level: one place of the trie as it is made: the ways that lead through it, and what is said
 * there.
 */
#pragma once

#include "policy/compile.h"

/* What making a trie may cost: a way looked at, or something said. Rules with * can make much of
 * few lines. */
#define N_STEPS_MAX (8u * TRIE_ENTRIES_MAX)

/* Names side by side whose keys are equal in the first bytes. */
typedef struct Way {
        uint32_t at, end;          /* what is not followed yet */
        uint32_t stars, stars_end; /* those of them that go on with a component * */
        uint32_t offset;           /* bytes that are equal */
} Way;

/* A place on the stack. Its ways stand by how specific they are: a name before *, and of two ways
 * the one whose last component is a name. */
typedef struct Level {
        size_t first_way, n_ways;
        size_t entry;  /* in image->trie; for the root in image->roots */
        uint32_t node; /* NODE_OFF until a child is named */
        uint32_t own, below, own_marks, below_marks;
        uint32_t lengths;
        uint32_t has_wildcard; /* a child for every other name is to come */
        uint32_t is_hard;      /* a denial in earnest is named below */
        const char *child;     /* the last one named; NULL at first */
        /* Where each of its chunks but the last leads to: names of one length that begin alike
         * share them. */
        uint32_t chunk_nodes[NAME_CHUNKS];
} Level;

typedef struct Builder {
        Compiler *compiler;
        size_t n_trie_allocated, n_roots_allocated;
        Level *levels;
        size_t n_levels, n_levels_allocated;
        Way *ways;
        size_t n_ways, n_ways_allocated;
        Saying *sayings; /* at the place at hand */
        size_t n_sayings, n_sayings_allocated;
        Numbers exes, exes_below; /* that are marked there */
        uint32_t *denials;        /* in earnest, among the names before each */
        uint32_t n_nodes;         /* numbers given, from 1 */
        size_t n_steps;
} Builder;

void builder_deinit(Builder *builder);

/* Returns -E2BIG, with a fault that names the rule at hand. */
int builder_is_full(const Builder *builder);

/* A component of a key: its length and its bytes. */
static inline size_t component_length(const char *component)
{
        return (unsigned char) component[0];
}

/* ---- ways.c ---- */

/* Adds a way, skip bytes further. Returns 0 or -ENOMEM. */
int ways_add(Builder *builder, const Way *way, uint32_t skip);

/* Finds which of the names go on with a component *. */
void ways_find_stars(const Builder *builder, Way *way);

/* The next name that any way of the level goes on with, or NULL. */
const char *ways_next(Builder *builder, const Level *level);

/* Adds those ways that go on with name (NULL: none) and uses them up, then those that go on with
 * any. Returns 0 or -ENOMEM. */
int ways_follow(Builder *builder, const Level *level, const char *name);

/* ---- level.c ---- */

/* Takes what is said of this very place from its ways. Returns 0 or a negative errno. */
int level_enter(Builder *builder, Level *level);
