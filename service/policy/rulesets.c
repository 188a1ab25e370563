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

/* A ruleset on its way to its shared number. */
typedef struct Shared {
        struct ruleset ruleset;
        uint32_t old;
} Shared;

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

static int compare_shared(const void *a, const void *b)
{
        const Shared *x = a, *y = b;
        int r = memcmp(&x->ruleset, &y->ruleset, sizeof(x->ruleset));

        return r != 0 ? r : (x->old > y->old) - (x->old < y->old);
}

static Shared *sort_rulesets(const Rulesets *rulesets)
{
        Shared *sorted = calloc(rulesets->n, sizeof(*sorted));

        if (!sorted)
                return NULL;
        for (size_t i = 0; i < rulesets->n; i++)
                sorted[i] = (Shared){rulesets->items[i], (uint32_t) i};
        qsort(sorted, rulesets->n, sizeof(*sorted), compare_shared);
        return sorted;
}

/* Fills numbers with the new number of each old one, and the image with one of each. The empty
 * ruleset sorts first and keeps the number 0. */
static int number_rulesets(const Rulesets *rulesets, PolicyImage *image, uint32_t *numbers)
{
        _cleanup_(freep) Shared *sorted = sort_rulesets(rulesets);
        size_t n = 0;

        if (!sorted)
                return -ENOMEM;
        image->rulesets = calloc(rulesets->n, sizeof(*image->rulesets));
        if (!image->rulesets)
                return -ENOMEM;
        for (size_t i = 0; i < rulesets->n; i++) {
                if (i == 0 || memcmp(&sorted[i].ruleset, &sorted[i - 1].ruleset,
                                     sizeof(sorted[i].ruleset)) != 0)
                        image->rulesets[n++] = sorted[i].ruleset;
                numbers[sorted[i].old] = (uint32_t) n - 1;
        }
        image->n_rulesets = n;
        return 0;
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
        r = number_rulesets(rulesets, image, numbers);
        if (r < 0)
                return r;
        for (size_t i = 0; i < image->n_trie; i++)
                image->trie[i].value.ruleset = numbers[image->trie[i].value.ruleset];
        for (size_t i = 0; i < image->n_roots; i++)
                image->roots[i].value.ruleset = numbers[image->roots[i].value.ruleset];
        for (size_t i = 0; i < image->n_pins; i++)
                image->pins[i].value.ruleset = numbers[image->pins[i].value.ruleset];
        return 0;
}
