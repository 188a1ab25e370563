/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins: files that are known by number, whatever name they are opened by: those that a rule names
 * by number, and those with several names. What is denied at one name of a file is denied by all,
 * save for the exceptions that are made at that very name. An allowance that is no exception stays
 * where it is: or a link that somebody made to a name that is allowed would open what is denied. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"
#include "util/fiber.h"

int pins_add(Pins *pins, const Pin *pin)
{
        int r;

        r = ARRAY_RESERVE(pins->items, pins->n_allocated, pins->n + 1);
        if (r < 0)
                return r;
        pins->items[pins->n++] = *pin;
        return 0;
}

static const Rule *rule_of(const Compiler *compiler, const Pin *pin)
{
        return compiler->rules[pin->rule].rule;
}

/* Rules by number come before rules by name. */
static int compare_names(const Rule *a, const Rule *b)
{
        if (a->kind != b->kind)
                return a->kind == RULE_INODE ? -1 : 1;
        return a->kind == RULE_INODE ? 0 : strcmp(a->file.path, b->file.path);
}

static int compare_orders(const Compiler *compiler, const Pin *a, const Pin *b)
{
        uint32_t x = compiler->rules[a->rule].order, y = compiler->rules[b->rule].order;

        return (x > y) - (x < y);
}

static int compare_pins(const void *a, const void *b, void *compiler)
{
        const Pin *x = a, *y = b;
        int r = memcmp(&x->key, &y->key, sizeof(x->key));

        fiber_pace();
        if (r == 0)
                r = compare_names(rule_of(compiler, x), rule_of(compiler, y));
        return r != 0 ? r : compare_orders(compiler, x, y);
}

static int is_of_name(const Compiler *compiler, const Pin *a, const Pin *b)
{
        return memcmp(&a->key, &b->key, sizeof(a->key)) == 0 &&
               compare_names(rule_of(compiler, a), rule_of(compiler, b)) == 0;
}

/* ---- what is said at one name ---- */

static int is_for_anyone(const Compiler *compiler, const Saying *saying)
{
        const NumberedRule *numbered = &compiler->rules[saying->rule];

        return numbered->subject == 0 && numbered->expires == 0;
}

/* Sets aside what no denial stands behind, and access that is decided before. sayings: in order.
 * Returns how many are left; ret_excepts: whether any of them is no denial. */
static size_t keep_denials(const Compiler *compiler, Saying *sayings, size_t n,
                           uint32_t *ret_excepts)
{
        uint32_t decided = 0, denied = 0;
        size_t n_kept = n;

        for (size_t i = 0; i < n; i++) {
                sayings[i].access &= ~decided;
                if (is_for_anyone(compiler, &sayings[i]))
                        decided |= sayings[i].access;
        }
        *ret_excepts = 0;
        for (size_t i = n; i-- > 0;) {
                if (rule_is_earnest(compiler->rules[sayings[i].rule].rule))
                        denied |= sayings[i].access;
                else if (is_for_anyone(compiler, &sayings[i]))
                        sayings[i].access = 0;
                else
                        sayings[i].access &= denied;
                if (sayings[i].access == 0)
                        continue;
                *ret_excepts |= !rule_is_earnest(compiler->rules[sayings[i].rule].rule);
                sayings[--n_kept] = sayings[i];
        }
        memmove(sayings, sayings + n_kept, (n - n_kept) * sizeof(*sayings));
        return n - n_kept;
}

static uint32_t access_of(const Rule *rule)
{
        return rule->kind == RULE_INODE ? rule->inode.access : rule->file.access;
}

/* ---- one file ---- */

typedef struct Builder {
        Compiler *compiler;
        PinEntry *entry;
        Saying *sayings; /* of the file at hand */
        size_t n, n_allocated;
        int is_first; /* that counts, of the file */
} Builder;

/* Of two rules that count the one that holds for any generation of the file decides whether it is
 * looked at. */
static void merge_generation(Builder *builder, const Pin *pin)
{
        struct pin_value *value = &builder->entry->value;

        if (builder->is_first) {
                value->checked = pin->checked;
                value->generation = pin->generation;
        }
        builder->is_first = 0;
        if (!pin->checked || pin->generation != value->generation)
                value->checked = 0;
        if (!value->checked)
                value->generation = 0;
}

/* pins: of one file by one name. What has no exceptions comes first. */
static int add_name(Builder *builder, const Pin *pins, size_t n)
{
        Compiler *compiler = builder->compiler;
        Saying *sayings;
        uint32_t excepts;

        if (ARRAY_RESERVE(builder->sayings, builder->n_allocated, builder->n + n) < 0)
                return -ENOMEM;
        sayings = builder->sayings + builder->n;
        for (size_t i = 0; i < n; i++)
                sayings[i] = (Saying){.rule = pins[i].rule,
                                      .access = access_of(rule_of(compiler, &pins[i]))};
        sayings_sort(compiler, sayings, n);
        n = keep_denials(compiler, sayings, n, &excepts);
        for (size_t i = 0; i < n; i++)
                sayings[i].rank = excepts;
        builder->n += n;
        if (n == 0)
                return 0;
        compiler->image->flags |=
                rule_of(compiler, pins)->kind == RULE_INODE ? IMAGE_PIN_ALL : IMAGE_PIN_LINKS;
        merge_generation(builder, pins);
        return 0;
}

/* pins: all of one file. */
static int add_file(Builder *builder, const Pin *pins, size_t n)
{
        Compiler *compiler = builder->compiler;
        struct ruleset ruleset = {};
        int r;

        builder->n = 0;
        builder->is_first = 1;
        *builder->entry = (PinEntry){.key = pins[0].key};
        for (size_t i = 0, n_name; i < n; i += n_name) {
                for (n_name = 1; i + n_name < n; n_name++)
                        if (!is_of_name(compiler, &pins[i], &pins[i + n_name]))
                                break;
                r = add_name(builder, pins + i, n_name);
                if (r < 0)
                        return r;
        }
        if (builder->n == 0)
                return 0;
        lists_begin(compiler);
        r = lists_make(compiler, builder->sayings, builder->n, 0, &ruleset.own);
        if (r < 0)
                return r;
        builder->entry++;
        return rulesets_add(compiler, &ruleset, &builder->entry[-1].value.ruleset);
}

/* ---- all ---- */

static int add_inodes(const Compiler *compiler, Pins *pins)
{
        const Numbers *rules = &compiler->by_kind[RULE_INODE];
        int r;

        for (size_t i = 0; i < rules->n; i++) {
                const Rule *rule = compiler->rules[rules->items[i]].rule;
                Pin pin = {
                        .key = {.inode = rule->inode.inode, .device = rule->inode.device},
                        .rule = rules->items[i],
                };

                r = pins_add(pins, &pin);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Files by name. */
static int add_linked(Compiler *compiler, Pins *pins)
{
        Pins *linked = &compiler->pins;
        int r;

        for (size_t i = 0; i < linked->n; i++) {
                r = pins_add(pins, &linked->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_files(Builder *builder, const Pins *pins)
{
        int r;

        for (size_t i = 0, n; i < pins->n; i += n) {
                for (n = 1; i + n < pins->n; n++)
                        if (memcmp(&pins->items[i].key, &pins->items[i + n].key,
                                   sizeof(pins->items[i].key)) != 0)
                                break;
                fiber_pace();
                r = add_file(builder, pins->items + i, n);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int build(Compiler *compiler, Pins *pins)
{
        PolicyImage *image = compiler->image;
        Builder builder = {.compiler = compiler};
        int r;

        r = add_linked(compiler, pins);
        if (r >= 0)
                r = add_inodes(compiler, pins);
        if (r < 0 || pins->n == 0)
                return r;
        image->pins = calloc(pins->n, sizeof(*image->pins));
        if (!image->pins)
                return -ENOMEM;
        qsort_r(pins->items, pins->n, sizeof(pins->items[0]), compare_pins, compiler);
        builder.entry = image->pins;
        r = add_files(&builder, pins);
        image->n_pins = (size_t) (builder.entry - image->pins);
        free(builder.sayings);
        return r;
}

int pins_build(Compiler *compiler)
{
        Pins pins = {};
        int r;

        if (!kind_changed(compiler, RULE_INODE) && !compiler->pins_changed) {
                compiler->image->flags |=
                        compiler->before->flags & (IMAGE_PIN_LINKS | IMAGE_PIN_ALL);
                return COPY_BEFORE(compiler, pins, n_pins);
        }
        r = build(compiler, &pins);
        free(pins.items);
        return r;
}

void pins_forget_gone(Compiler *compiler)
{
        Pins *pins = &compiler->pins;
        size_t n = 0;

        for (size_t i = 0; i < pins->n; i++)
                if (compiler->rules[pins->items[i].rule].order > 0)
                        pins->items[n++] = pins->items[i];
        compiler->pins_changed |= n < pins->n;
        pins->n = n;
}
