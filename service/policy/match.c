/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Match: which rules of a document stay as another takes its place. Lines that come, go or change
 * here and there are found; of what is written in another order than before only a part is. */
#include <string.h>

#include "policy/compile.h"
#include "policy/meaning.h"
#include "util/fiber.h"

/* So many rules are looked ahead for the next that stays. */
#define REACH 16u

typedef struct Match {
        const Policy *before, *after;
        int is_same_time;
        size_t n_before, n_after; /* what is not matched yet ends here */
        uint32_t *stays;
} Match;

/* The line may be another; when it was applied counts where a rule holds for a time. */
static int is_same(const Match *match, size_t i, size_t j)
{
        const Rule *a = policy_rule(match->before, i), *b = policy_rule(match->after, j);

        if (a->options->ttl != 0 && !match->is_same_time)
                return 0;
        if (a == b)
                return 1;
        return strcmp(a->entry, b->entry) == 0 && strcmp(a->section, b->section) == 0 &&
               rule_compare(a, b) == 0;
}

static void match_ends(Match *match)
{
        while (match->n_before > 0 && match->n_after > 0 &&
               is_same(match, match->n_before - 1, match->n_after - 1)) {
                fiber_pace();
                match->n_before--;
                match->n_after--;
                match->stays[match->n_after] = (uint32_t) match->n_before + 1;
        }
}

/* Moves on to the nearest two that are the same. Returns whether there are any within reach. */
static int find_next(const Match *match, size_t *i, size_t *j)
{
        for (size_t sum = 1; sum <= REACH; sum++) {
                for (size_t a = 0; a <= sum; a++) {
                        size_t next_i = *i + a, next_j = *j + sum - a;

                        if (next_i >= match->n_before || next_j >= match->n_after ||
                            !is_same(match, next_i, next_j))
                                continue;
                        *i = next_i;
                        *j = next_j;
                        return 1;
                }
        }
        return 0;
}

void rules_match(const Policy *before, const Policy *after, int is_same_time, uint32_t *ret_stays)
{
        Match match = {
                .before = before,
                .after = after,
                .is_same_time = is_same_time,
                .n_before = policy_n_rules(before),
                .n_after = policy_n_rules(after),
                .stays = ret_stays,
        };
        size_t i = 0, j = 0;

        match_ends(&match);
        while (i < match.n_before && j < match.n_after) {
                fiber_pace();
                if (!is_same(&match, i, j) && !find_next(&match, &i, &j))
                        return;
                match.stays[j++] = (uint32_t) ++i;
        }
}
