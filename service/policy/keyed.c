/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keyed: rules whose object is a key and nothing more: names and digests of programs, parts of the
 * kernel, and what no other rule decides. All of one key become one list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"
#include "util/fiber.h"

typedef int (*CompareRules)(const Rule *a, const Rule *b);

static int compare_comms(const Rule *a, const Rule *b)
{
        return strcmp(a->comm, b->comm);
}

static int compare_digests(const Rule *a, const Rule *b)
{
        return memcmp(&a->digest, &b->digest, sizeof(a->digest));
}

static int compare_objects(const Rule *a, const Rule *b)
{
        return (a->kernel > b->kernel) - (a->kernel < b->kernel);
}

static int compare_defaults(const Rule *a, const Rule *b)
{
        return 0;
}

/* ---- by key ---- */

/* What is done with the list of a key, of which rule is one. */
typedef void (*UseList)(PolicyImage *image, const Rule *rule, uint32_t list);

static void use_comm(PolicyImage *image, const Rule *rule, uint32_t list)
{
        CommEntry *entry = &image->comms[image->n_comms++];

        *entry = (CommEntry){.value = list};
        memcpy(entry->key.name, rule->comm, strnlen(rule->comm, sizeof(entry->key.name) - 1));
        image->flags |= IMAGE_COMMS;
}

static void use_digest(PolicyImage *image, const Rule *rule, uint32_t list)
{
        image->digests[image->n_digests++] = (DigestEntry){.key = rule->digest, .value = list};
        image->flags |=
                rule->digest.algorithm == DIGEST_VERITY_SHA256 ? IMAGE_VERITY : IMAGE_SHA256;
}

static void use_object(PolicyImage *image, const Rule *rule, uint32_t list)
{
        image->kernel_lists[rule->kernel] = list;
}

static void use_default(PolicyImage *image, const Rule *rule, uint32_t list)
{
        image->default_list = list;
        image->flags |= IMAGE_DEFAULT;
}

typedef struct Keyed {
        RuleKind kind;
        CompareRules compare;
        UseList use;
} Keyed;

static const Keyed tables[] = {
        {RULE_COMM, compare_comms, use_comm},
        {RULE_DIGEST, compare_digests, use_digest},
        {RULE_KERNEL, compare_objects, use_object},
        {RULE_DEFAULT, compare_defaults, use_default},
};

/* Of a rule of one of these kinds. */
static uint32_t access_of(const Rule *rule)
{
        if (rule->kind == RULE_KERNEL)
                return ACCESS_ANY;
        return rule->kind == RULE_DEFAULT ? rule->def.access : ACCESS_EXEC;
}

/* ---- sorting ---- */

typedef struct Order {
        const Compiler *compiler;
        CompareRules compare;
} Order;

static const Rule *rule_of(const Compiler *compiler, uint32_t number)
{
        return compiler->rules[number].rule;
}

static int compare_numbers(const void *a, const void *b, void *order)
{
        const Compiler *compiler = ((const Order *) order)->compiler;
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
        int r = ((const Order *) order)->compare(rule_of(compiler, x), rule_of(compiler, y));

        fiber_pace();
        return r != 0 ? r : (x > y) - (x < y);
}

/* numbers: all rules of one key. */
static int add_key(Compiler *compiler, const Keyed *table, const uint32_t *numbers, size_t n)
{
        _cleanup_(freep) Saying *sayings = calloc(n, sizeof(*sayings));
        uint32_t list;
        int r;

        if (!sayings)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sayings[i] = (Saying){.rule = numbers[i],
                                      .access = access_of(rule_of(compiler, numbers[i]))};
        lists_begin(compiler);
        r = lists_make(compiler, sayings, n, 0, &list);
        if (r >= 0)
                table->use(compiler->image, rule_of(compiler, numbers[0]), list);
        return r;
}

static int build_table(Compiler *compiler, const Keyed *table)
{
        const Numbers *rules = &compiler->by_kind[table->kind];
        Order order = {compiler, table->compare};
        int r;

        if (rules->n == 0)
                return 0;
        qsort_r(rules->items, rules->n, sizeof(rules->items[0]), compare_numbers, &order);
        for (size_t i = 0, n; i < rules->n; i += n) {
                for (n = 1; i + n < rules->n; n++)
                        if (table->compare(rule_of(compiler, rules->items[i]),
                                           rule_of(compiler, rules->items[i + n])) != 0)
                                break;
                fiber_pace();
                r = add_key(compiler, table, rules->items + i, n);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What no change is about is as it was. */
static int keep_table(Compiler *compiler, RuleKind kind)
{
        const PolicyImage *before = compiler->before;
        PolicyImage *image = compiler->image;

        switch (kind) {
        case RULE_COMM:
                image->flags |= before->flags & IMAGE_COMMS;
                return COPY_BEFORE(compiler, comms, n_comms);
        case RULE_DIGEST:
                image->flags |= before->flags & (IMAGE_SHA256 | IMAGE_VERITY);
                return COPY_BEFORE(compiler, digests, n_digests);
        case RULE_KERNEL:
                memcpy(image->kernel_lists, before->kernel_lists, sizeof(image->kernel_lists));
                return 0;
        case RULE_DEFAULT:
                image->flags |= before->flags & IMAGE_DEFAULT;
                image->default_list = before->default_list;
                return 0;
        default:
                return -EINVAL;
        }
}

static int make_room(Compiler *compiler)
{
        PolicyImage *image = compiler->image;
        size_t n_comms = compiler->by_kind[RULE_COMM].n;
        size_t n_digests = compiler->by_kind[RULE_DIGEST].n;

        if (n_comms > 0 && kind_changed(compiler, RULE_COMM)) {
                image->comms = calloc(n_comms, sizeof(*image->comms));
                if (!image->comms)
                        return -ENOMEM;
        }
        if (n_digests > 0 && kind_changed(compiler, RULE_DIGEST)) {
                image->digests = calloc(n_digests, sizeof(*image->digests));
                if (!image->digests)
                        return -ENOMEM;
        }
        return 0;
}

int keyed_build(Compiler *compiler)
{
        int r = make_room(compiler);

        for (size_t i = 0; i < ELEMENTS_OF(tables) && r >= 0; i++)
                r = kind_changed(compiler, tables[i].kind) ? build_table(compiler, &tables[i])
                                                           : keep_table(compiler, tables[i].kind);
        return r;
}
