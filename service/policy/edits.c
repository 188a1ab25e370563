/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Edits: see edits.h. */
#include "policy/edits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/fiber.h"

void edits_deinit(Edits *edits)
{
        free(edits->added);
        free(edits->gone.items);
        free(edits->stack.items);
        *edits = (Edits){};
}

/* ---- the trie before ---- */

static int compare_entries(const void *a, const void *b)
{
        fiber_pace();
        return memcmp(&((const TrieEntry *) a)->key, &((const TrieEntry *) b)->key,
                      sizeof(struct trie_key));
}

/* Returns the first entry from low on that does not come before key. */
static size_t find_place(const Edits *edits, size_t low, const struct trie_key *key)
{
        size_t high = edits->before ? edits->before->n_trie : 0;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (memcmp(&edits->before->trie[middle].key, key, sizeof(*key)) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int is_at(const Edits *edits, size_t place, const struct trie_key *key)
{
        return edits->before && place < edits->before->n_trie &&
               memcmp(&edits->before->trie[place].key, key, sizeof(*key)) == 0;
}

const TrieEntry *edits_find(const Edits *edits, const struct trie_key *key)
{
        size_t place = find_place(edits, 0, key);

        return is_at(edits, place, key) ? &edits->before->trie[place] : NULL;
}

void edits_find_children(const Edits *edits, uint32_t node, size_t *ret_begin, size_t *ret_end)
{
        struct trie_key key = {.node = node};

        *ret_begin = find_place(edits, 0, &key);
        memset(&key, 0xff, sizeof(key));
        key.node = node;
        *ret_end = find_place(edits, *ret_begin, &key);
}

/* ---- what goes ---- */

int edits_drop(Edits *edits, const TrieEntry *entry)
{
        return numbers_add(&edits->gone, (uint32_t) (entry - edits->before->trie));
}

static int is_last_chunk(const struct trie_key *key)
{
        return (key->chunk + 1u) * NAME_CHUNK >= key->length;
}

/* The chunks of a name go together. */
static int drop_node(Edits *edits, uint32_t node, int all_below)
{
        size_t begin, end;
        int r = 0;

        edits_find_children(edits, node, &begin, &end);
        for (size_t i = begin; i < end && r >= 0; i++) {
                const TrieEntry *entry = &edits->before->trie[i];

                fiber_pace();
                r = edits_drop(edits, entry);
                if (r >= 0 && entry->value.node != NODE_OFF &&
                    (all_below || !is_last_chunk(&entry->key)))
                        r = numbers_add(&edits->stack, entry->value.node);
        }
        return r;
}

static int drop_nodes(Edits *edits, uint32_t node, int all_below)
{
        int r;

        edits->stack.n = 0;
        if (node == NODE_OFF)
                return 0;
        r = drop_node(edits, node, all_below);
        while (edits->stack.n > 0 && r >= 0)
                r = drop_node(edits, edits->stack.items[--edits->stack.n], all_below);
        return r;
}

int edits_drop_children(Edits *edits, uint32_t node)
{
        return drop_nodes(edits, node, 0);
}

int edits_drop_below(Edits *edits, uint32_t node)
{
        return drop_nodes(edits, node, 1);
}

/* ---- the trie after ---- */

static int compare_numbers(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

typedef struct Merger {
        const Edits *edits;
        TrieEntry *entries;
        size_t n;
        size_t at, gone; /* the next entry of the trie before, and of those that go */
} Merger;

/* Copies the entries before the one at end but for those that go. */
static void copy_until(Merger *merger, size_t end)
{
        const Numbers *gone = &merger->edits->gone;

        while (merger->at < end) {
                size_t next = end, n;

                while (merger->gone < gone->n && gone->items[merger->gone] < merger->at)
                        merger->gone++;
                if (merger->gone < gone->n && gone->items[merger->gone] < end)
                        next = gone->items[merger->gone];
                n = next - merger->at;
                memcpy(merger->entries + merger->n, merger->edits->before->trie + merger->at,
                       n * sizeof(merger->entries[0]));
                merger->n += n;
                merger->at = next < end ? next + 1 : end;
        }
}

static void merge(Merger *merger)
{
        const Edits *edits = merger->edits;

        for (size_t i = 0; i < edits->n_added; i++) {
                size_t place = find_place(edits, merger->at, &edits->added[i].key);

                fiber_pace();
                copy_until(merger, place);
                if (is_at(edits, place, &edits->added[i].key))
                        merger->at = place + 1;
                merger->entries[merger->n++] = edits->added[i];
        }
        copy_until(merger, edits->before->n_trie);
}

static void take_added(Edits *edits, PolicyImage *image)
{
        image->n_trie = edits->n_added;
        image->trie = TAKE_PTR(edits->added);
        edits->n_added = edits->n_allocated = 0;
}

int edits_apply(Edits *edits, PolicyImage *image)
{
        Merger merger = {.edits = edits};

        if (edits->n_added > 0)
                qsort(edits->added, edits->n_added, sizeof(edits->added[0]), compare_entries);
        if (!edits->before || edits->before->n_trie == 0) {
                take_added(edits, image);
                return 0;
        }
        if (edits->gone.n > 0)
                qsort(edits->gone.items, edits->gone.n, sizeof(edits->gone.items[0]),
                      compare_numbers);
        merger.entries = reallocarray(NULL, edits->before->n_trie + edits->n_added,
                                      sizeof(merger.entries[0]));
        if (!merger.entries)
                return -ENOMEM;
        merge(&merger);
        image->trie = merger.entries;
        image->n_trie = merger.n;
        return merger.n > TRIE_ENTRIES_MAX ? -E2BIG : 0;
}
