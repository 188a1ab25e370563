/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rulesets: what holds at a node. Many nodes share one: a directory's rule is inherited by all that
 * is named below it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

/* A rule has a name and perhaps where it leads to, each perhaps a root, and perhaps a pin. */
_Static_assert(1 + TRIE_ENTRIES_MAX + 3 * RULES_MAX <= N_RULESETS_MAX,
               "every ruleset has a number");

int rulesets_add(Rulesets *rulesets, uint32_t own, uint32_t below, uint32_t *ret_number)
{
        int r;

        if (own == 0 && below == 0) {
                *ret_number = 0;
                return 0;
        }
        r = ARRAY_RESERVE(rulesets->items, rulesets->n_allocated, rulesets->n + 2);
        if (r < 0)
                return r;
        if (rulesets->n == 0)
                rulesets->items[rulesets->n++] = (struct ruleset){};
        *ret_number = (uint32_t) rulesets->n;
        rulesets->items[rulesets->n++] = (struct ruleset){
                .own_access = own ? ACCESS_ALL : 0,
                .own_rule = own,
                .below_access = below ? ACCESS_ALL : 0,
                .below_rule = below,
        };
        return 0;
}

static int compare_contents(const Rulesets *rulesets, uint32_t a, uint32_t b)
{
        return memcmp(&rulesets->items[a], &rulesets->items[b], sizeof(rulesets->items[0]));
}

static int compare_numbers(const void *a, const void *b, void *rulesets)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
        int r = compare_contents(rulesets, x, y);

        return r != 0 ? r : (x > y) - (x < y);
}

/* Fills firsts with the lowest number of an equal ruleset, for each number. */
static int find_firsts(const Rulesets *rulesets, uint32_t *firsts)
{
        _cleanup_(freep) uint32_t *sorted = calloc(rulesets->n, sizeof(*sorted));
        uint32_t first = 0;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < rulesets->n; i++)
                sorted[i] = (uint32_t) i;
        qsort_r(sorted, rulesets->n, sizeof(*sorted), compare_numbers, (void *) rulesets);
        for (size_t i = 0; i < rulesets->n; i++) {
                if (i == 0 || compare_contents(rulesets, first, sorted[i]) != 0)
                        first = sorted[i];
                firsts[sorted[i]] = first;
        }
        return 0;
}

/* Closes up what is doubled. numbers: the firsts on entry, the new numbers in the end. The empty
 * ruleset comes first and keeps the number 0. */
static void close_up(Rulesets *rulesets, uint32_t *numbers)
{
        size_t n = 0;

        for (size_t i = 0; i < rulesets->n; i++) {
                if (numbers[i] < i) {
                        numbers[i] = numbers[numbers[i]];
                        continue;
                }
                rulesets->items[n] = rulesets->items[i];
                numbers[i] = (uint32_t) n++;
        }
        rulesets->n = n;
}

int rulesets_share(Rulesets *rulesets, PolicyImage *image)
{
        _cleanup_(freep) uint32_t *numbers = NULL;
        int r;

        if (rulesets->n == 0) {
                image->rulesets = calloc(1, sizeof(*image->rulesets));
                image->n_rulesets = 1;
                return image->rulesets ? 0 : -ENOMEM;
        }
        numbers = calloc(rulesets->n, sizeof(*numbers));
        if (!numbers)
                return -ENOMEM;
        r = find_firsts(rulesets, numbers);
        if (r < 0)
                return r;
        close_up(rulesets, numbers);
        image->rulesets = rulesets->items;
        image->n_rulesets = rulesets->n;
        *rulesets = (Rulesets){};
        for (size_t i = 0; i < image->n_trie; i++)
                image->trie[i].value.ruleset = numbers[image->trie[i].value.ruleset];
        for (size_t i = 0; i < image->n_roots; i++)
                image->roots[i].value.ruleset = numbers[image->roots[i].value.ruleset];
        for (size_t i = 0; i < image->n_pins; i++)
                image->pins[i].value.ruleset = numbers[image->pins[i].value.ruleset];
        return 0;
}
