/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Edits: what becomes of the entries of the trie before. */
#pragma once

#include "policy/compile.h"

typedef struct Edits {
        const PolicyImage *before; /* NULL: there is none */
        TrieEntry *added;          /* one with the key of an old one takes its place */
        size_t n_added, n_allocated;
        Numbers gone;  /* in the trie before, doubles among them */
        Numbers stack; /* of nodes whose children are to go */
} Edits;

void edits_deinit(Edits *edits);

/* Returns an entry of the trie before, or NULL. node: NODE_OFF has none. */
const TrieEntry *edits_find(const Edits *edits, const struct trie_key *key);

/* The entries of a node before: the first, and the one behind the last. */
void edits_find_children(const Edits *edits, uint32_t node, size_t *ret_begin, size_t *ret_end);

/* Each returns 0 or -ENOMEM. */
int edits_drop(Edits *edits, const TrieEntry *entry);
int edits_drop_children(Edits *edits, uint32_t node); /* but not what is below them */
int edits_drop_below(Edits *edits, uint32_t node);

/* Makes the trie of the image and uses up the edits. Returns 0, -ENOMEM, or -E2BIG if it has more
 * than TRIE_ENTRIES_MAX. */
int edits_apply(Edits *edits, PolicyImage *image);
