/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Level: one place of the trie as it is made: the ways that lead through it, and what is said
 * there. What stands below a place follows from the names in its ways and from what it inherits
 * alone: where both are what they were before, all of it stays.
 */
#pragma once

#include "policy/compile.h"
#include "policy/edits.h"

/* What making a trie may cost: a way looked at, or something said. Rules with * can make much of
 * few lines. */
#define N_STEPS_MAX (8u * TRIE_ENTRIES_MAX)

/* Names side by side whose keys are equal in the first bytes: those that are gone, too. */
typedef struct Way {
        uint32_t at, end;          /* what is not followed yet */
        uint32_t stars, stars_end; /* those of them that go on with a component * */
        uint32_t offset;           /* bytes that are equal */
} Way;

#define LENGTH_BITS 16
#define ANY_LENGTH LENGTH_BITS /* in place of a bit: all of them */

/* A node between the chunks of names, and how many that went on from it have gone. */
typedef struct ChunkGone {
        uint32_t node, n;
} ChunkGone;

/* A place on the stack. Its ways stand by how specific they are: a name before *, and of two ways
 * the one whose last component is a name. */
typedef struct Level {
        size_t first_way, n_ways;
        size_t entry;                 /* in edits.added; for the root in image->roots */
        const struct trie_value *old; /* what stood here before, or NULL */
        uint32_t node;                /* NODE_OFF: no name goes on below */
        uint32_t own, below, own_marks, below_marks, ruleset;
        uint32_t lengths;
        uint32_t has_wildcard; /* a child for every other name is to come */
        uint32_t is_hard;      /* a denial in earnest is named below */
        uint32_t is_same;      /* what is below inherits what it inherited before */
        uint32_t is_whole; /* all children are looked at, not only those that names changed of */
        const char *child; /* the last one named; NULL at first */
        /* Where each of its chunks but the last leads to: names of one length that begin alike
         * share them. */
        uint32_t chunk_nodes[NAME_CHUNKS];
        ChunkGone chunks_gone[NAME_CHUNKS];
        uint32_t n_gone[LENGTH_BITS + 1]; /* children that were not looked at for another reason */
} Level;

typedef struct Builder {
        Compiler *compiler;
        Edits edits;
        size_t n_roots_allocated;
        Level *levels;
        size_t n_levels, n_levels_allocated;
        Way *ways;
        size_t n_ways, n_ways_allocated;
        Saying *sayings; /* at the place at hand */
        size_t n_sayings, n_sayings_allocated;
        Numbers exes, exes_below; /* that are marked there */
        uint32_t *n_denials;      /* before each name, and before the end; NULL: not counted */
} Builder;

void builder_deinit(Builder *builder);

/* Returns -E2BIG, with a fault that names the rule at hand. */
int builder_is_full(const Builder *builder);

/* A component of a key: its length and its bytes. */
static inline size_t component_length(const char *component)
{
        return (unsigned char) component[0];
}

/* Of the names from begin to end: whether some are new or gone; the first of those, or end; whether
 * some are not gone; whether some of these deny in earnest. */
int has_changed(const Builder *builder, uint32_t begin, uint32_t end);
uint32_t next_changed(const Builder *builder, uint32_t begin, uint32_t end);
int is_there(const Builder *builder, uint32_t begin, uint32_t end);
int has_denial(Builder *builder, uint32_t begin, uint32_t end);

/* ---- ways.c ---- */

/* Adds a way, skip bytes further. Returns 0 or -ENOMEM. */
int ways_add(Builder *builder, const Way *way, uint32_t skip);

/* Finds which of the names go on with a component *. */
void ways_find_stars(const Builder *builder, Way *way);

/* The next name that any way of the level goes on with, or NULL. */
const char *ways_next(Builder *builder, const Level *level);

/* Adds those ways that go on with name (NULL: none) and uses them up, then those that go on with
 * any. ret_is_there: some name that is not gone goes on with name (NULL: with any). Returns 0 or
 * -ENOMEM. */
int ways_follow(Builder *builder, const Level *level, const char *name, int *ret_is_there);

/* ---- level.c ---- */

/* Takes what is said of this very place from its ways. Returns 0 or a negative errno. */
int level_enter(Builder *builder, Level *level);
