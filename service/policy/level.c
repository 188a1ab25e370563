/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Level: what is said at a place of the trie: by rules about the name itself, by rules about it and
 * all below, and by what is inherited. */
#include "policy/level.h"

#include <errno.h>
#include <stdlib.h>

#include "util/array.h"

#define N_LOOKS 16u /* see has_denial() */

void builder_deinit(Builder *builder)
{
        free(builder->levels);
        free(builder->ways);
        free(builder->sayings);
        free(builder->exes.items);
        free(builder->exes_below.items);
        free(builder->n_denials);
        edits_deinit(&builder->edits);
        *builder = (Builder){};
}

/* ---- of many names at once ---- */

/* Returns how many of the numbers are below a bound. */
static size_t n_below(const Numbers *numbers, uint32_t bound)
{
        size_t low = 0, high = numbers->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (numbers->items[middle] < bound)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

uint32_t next_changed(const Builder *builder, uint32_t begin, uint32_t end)
{
        const Numbers *changed = &builder->compiler->names.changed;
        size_t i = n_below(changed, begin);

        return i < changed->n && changed->items[i] < end ? changed->items[i] : end;
}

int has_changed(const Builder *builder, uint32_t begin, uint32_t end)
{
        return next_changed(builder, begin, end) < end;
}

int is_there(const Builder *builder, uint32_t begin, uint32_t end)
{
        const Numbers *gone = &builder->compiler->names.gone;

        if (gone->n == 0)
                return begin < end;
        return n_below(gone, end) - n_below(gone, begin) < end - begin;
}

static int is_denial(const Compiler *compiler, uint32_t i)
{
        const Name *name = &compiler->names.items[i];

        return !name->is_gone && !name->is_exe &&
               rule_is_earnest(compiler->rules[name->number].rule);
}

/* When memory is short they stay uncounted. */
static void count_denials(Builder *builder)
{
        const Compiler *compiler = builder->compiler;
        uint32_t n = 0;

        builder->n_denials = calloc(compiler->names.n + 1, sizeof(builder->n_denials[0]));
        for (uint32_t i = 0; builder->n_denials && i < compiler->names.n; i++) {
                builder->n_denials[i] = n;
                n += (uint32_t) is_denial(compiler, i);
        }
        if (builder->n_denials)
                builder->n_denials[compiler->names.n] = n;
}

/* Mostly one of the next few denies; they are counted once that is not so. */
int has_denial(Builder *builder, uint32_t begin, uint32_t end)
{
        for (uint32_t i = begin; i < end; i++) {
                if (is_denial(builder->compiler, i))
                        return 1;
                if (i - begin < N_LOOKS)
                        continue;
                if (!builder->n_denials)
                        count_denials(builder);
                if (builder->n_denials)
                        return builder->n_denials[begin] < builder->n_denials[end];
        }
        return 0;
}

/* ---- what stands at the place ---- */

/* A rule about the name itself is more specific than one about it and all below. */
static int add_saying(Builder *builder, const Name *name, size_t way)
{
        int r;

        r = ARRAY_RESERVE(builder->sayings, builder->n_sayings_allocated, builder->n_sayings + 1);
        if (r < 0)
                return r;
        builder->sayings[builder->n_sayings++] = (Saying){
                .rank = (uint32_t) way * 2 + name->below,
                .rule = name->number,
                .access = builder->compiler->rules[name->number].rule->file.access,
        };
        return 0;
}

static int add_exe(Builder *builder, const Name *name)
{
        int r;

        r = numbers_add(&builder->exes, name->number);
        if (r < 0 || !name->below)
                return r;
        return numbers_add(&builder->exes_below, name->number);
}

/* The names that end here stand first in each way. */
static int collect(Builder *builder, const Level *level)
{
        const Name *names = builder->compiler->names.items;
        int r = 0;

        builder->n_sayings = builder->exes.n = builder->exes_below.n = 0;
        for (size_t i = 0; i < level->n_ways; i++) {
                Way *way = &builder->ways[level->first_way + i];

                for (; way->at < way->end && r >= 0; way->at++) {
                        const Name *name = &names[way->at];

                        if (name->key[way->offset] != '\0')
                                break;
                        builder->compiler->n_steps++;
                        if (name->is_gone)
                                continue;
                        r = name->is_exe ? add_exe(builder, name) : add_saying(builder, name, i);
                }
        }
        return r;
}

/* ---- lists ---- */

static void keep_those_below(Builder *builder)
{
        size_t n = 0;

        for (size_t i = 0; i < builder->n_sayings; i++)
                if (builder->sayings[i].rank & 1)
                        builder->sayings[n++] = builder->sayings[i];
        builder->n_sayings = n;
}

/* The names that are left in its ways are those of what is below. Returns whether there are any. */
static int look_below(Builder *builder, Level *level)
{
        int found = 0;

        for (size_t i = 0; i < level->n_ways; i++) {
                const Way *way = &builder->ways[level->first_way + i];

                found |= is_there(builder, way->at, way->end);
                if (!level->is_hard)
                        level->is_hard = has_denial(builder, way->at, way->end);
        }
        return found;
}

static int make_lists(Builder *builder, Level *level)
{
        Compiler *compiler = builder->compiler;
        uint32_t inherited = level->below;
        int r;

        if (builder->n_sayings == 0)
                return 0;
        lists_begin(compiler);
        r = lists_make(compiler, builder->sayings, builder->n_sayings, inherited, &level->own);
        if (r < 0)
                return r;
        keep_those_below(builder);
        return lists_make(compiler, builder->sayings, builder->n_sayings, inherited, &level->below);
}

/* ---- marks ---- */

static int compare_numbers(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

/* Adds inherited, a set, to exes, and finds the number of the whole. */
static int make_set(Builder *builder, Numbers *exes, uint32_t inherited, uint32_t *ret_set)
{
        Compiler *compiler = builder->compiler;
        const Pool *sets = &compiler->exe_sets;
        size_t n = 0;
        int r = 0;

        if (exes->n == 0) {
                *ret_set = inherited;
                return 0;
        }
        for (uint32_t i = 0; inherited > 0 && i < pool_run_length(sets, inherited) && r >= 0; i++)
                r = numbers_add(exes, ((uint32_t *) sets->items)[sets->runs[inherited].first + i]);
        if (r < 0)
                return r;
        qsort(exes->items, exes->n, sizeof(exes->items[0]), compare_numbers);
        for (size_t i = 0; i < exes->n; i++)
                if (n == 0 || exes->items[n - 1] != exes->items[i])
                        exes->items[n++] = exes->items[i];
        r = pool_add(&compiler->exe_sets, exes->items, n, ret_set);
        return r >= 0 && compiler->exe_sets.n > TRIE_ENTRIES_MAX ? builder_is_full(builder) : r;
}

static int make_marks(Builder *builder, Level *level)
{
        uint32_t inherited = level->below_marks;
        int r;

        r = make_set(builder, &builder->exes, inherited, &level->own_marks);
        if (r < 0)
                return r;
        return make_set(builder, &builder->exes_below, inherited, &level->below_marks);
}

/* ---- what is as it was ---- */

static void compare_inheritance(const Builder *builder, Level *level)
{
        const struct ruleset *rulesets = builder->compiler->rulesets.items, *old;

        if (!level->old)
                return;
        old = &rulesets[level->old->ruleset];
        level->is_same = old->below == level->below && old->below_marks == level->below_marks;
}

static int stars_changed(const Builder *builder, const Level *level)
{
        for (size_t i = 0; i < level->n_ways; i++) {
                const Way *way = &builder->ways[level->first_way + i];

                if (has_changed(builder, way->stars, way->stars_end))
                        return 1;
        }
        return 0;
}

static int is_whole(const Builder *builder, const Level *level)
{
        return !level->old || !level->is_same || level->old->node != level->node ||
               stars_changed(builder, level);
}

/* A place that has a node keeps its number, but for what the number itself says. */
static uint32_t node_of(Builder *builder, const Level *level)
{
        const struct trie_value *old = level->old;
        uint32_t node = old && old->node != NODE_OFF ? old->node & ~NODE_SOFT
                                                     : ++builder->compiler->n_nodes;

        return node | (level->is_hard ? 0 : NODE_SOFT);
}

/* ---- all of it ---- */

static void find_wildcards(Builder *builder, Level *level)
{
        for (size_t i = 0; i < level->n_ways; i++) {
                Way *way = &builder->ways[level->first_way + i];

                way->stars = way->stars_end = way->end;
                if (!builder->compiler->names.have_wildcards)
                        continue;
                ways_find_stars(builder, way);
                level->has_wildcard |= way->stars < way->stars_end;
        }
}

static int make_ruleset(Builder *builder, Level *level)
{
        struct ruleset ruleset;
        int r;

        r = make_lists(builder, level);
        if (r >= 0)
                r = make_marks(builder, level);
        if (r < 0)
                return r;
        ruleset = (struct ruleset){level->own, level->below, level->own_marks, level->below_marks};
        return rulesets_add(builder->compiler, &ruleset, &level->ruleset);
}

/* Where only some children are looked at, the others would have been, too, in a first compilation.
 */
static void count_steps(Builder *builder, const Level *level)
{
        size_t begin, end;

        if (level->is_whole || level->n_ways < 2)
                return;
        edits_find_children(&builder->edits, level->node, &begin, &end);
        builder->compiler->n_steps += level->n_ways * (end - begin);
}

int level_enter(Builder *builder, Level *level)
{
        int r;

        r = collect(builder, level);
        if (r >= 0)
                r = make_ruleset(builder, level);
        if (r < 0)
                return r;
        if (!look_below(builder, level))
                return level->old ? edits_drop_below(&builder->edits, level->old->node) : 0;
        find_wildcards(builder, level);
        compare_inheritance(builder, level);
        level->node = node_of(builder, level);
        level->is_whole = (uint32_t) is_whole(builder, level);
        count_steps(builder, level);
        if (!level->is_whole || !level->old)
                return 0;
        return edits_drop_children(&builder->edits, level->old->node);
}

/* ---- who it was ---- */

static uint32_t rule_of_exe(const Compiler *compiler, uint32_t exe)
{
        const struct subject *subjects = compiler->subjects.items;

        for (uint32_t i = 1; i < compiler->n_rules; i++)
                if (subjects[compiler->rules[i].subject].exe == exe)
                        return i;
        return 1;
}

/* The name at hand is where the way that was followed last has come to. */
static uint32_t rule_at_hand(const Builder *builder)
{
        const Compiler *compiler = builder->compiler;
        const Name *name = compiler->names.items;

        if (builder->n_ways > 0) {
                const Way *way = &builder->ways[builder->n_ways - 1];

                name += way->at < way->end ? way->at : way->end - 1;
        }
        return name->is_exe ? rule_of_exe(compiler, name->number) : name->number;
}

int builder_is_full(const Builder *builder)
{
        if (builder->compiler->before) /* a first compilation will tell */
                return -E2BIG;
        compile_fault(builder->compiler, rule_at_hand(builder),
                      "name directories, not all that is in them; use fewer *",
                      "with this rule the names of all rules are more than %u steps",
                      TRIE_ENTRIES_MAX);
        return -E2BIG;
}
