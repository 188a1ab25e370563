/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image: goes through the rules of all documents, and has the tables made. */
#include "policy/image.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/compile.h"
#include "policy/digest.h"
#include "util/array.h"
#include "util/fiber.h"

int numbers_add(Numbers *numbers, uint32_t number)
{
        int r;

        r = ARRAY_RESERVE(numbers->items, numbers->n_allocated, numbers->n + 1);
        if (r < 0)
                return r;
        numbers->items[numbers->n++] = number;
        return 0;
}

/* ---- the compiler ---- */

static void compiler_free(Compiler *compiler)
{
        Pool *pools[] = {
                &compiler->clauses,    &compiler->rulesets, &compiler->subjects,
                &compiler->exes,       &compiler->exe_sets, &compiler->cgroup_paths,
                &compiler->cgroup_ids,
        };

        for (size_t i = 0; i < ELEMENTS_OF(pools); i++)
                pool_deinit(pools[i]);
        for (size_t i = 0; i < N_RULE_KINDS; i++)
                free(compiler->by_kind[i].items);
        names_deinit(&compiler->names);
        free(compiler->pins.items);
        free(compiler->rules);
        free(compiler);
}
DEFINE_CLEANUP(Compiler *, compiler_free);

static int init_pools(Compiler *compiler)
{
        const struct {
                Pool *pool;
                size_t size;
        } pools[] = {
                {&compiler->clauses, sizeof(struct clause)},
                {&compiler->rulesets, sizeof(struct ruleset)},
                {&compiler->subjects, sizeof(struct subject)},
                {&compiler->exes, 1},
                {&compiler->exe_sets, sizeof(uint32_t)},
                {&compiler->cgroup_paths, sizeof(struct cgroup_name)},
                {&compiler->cgroup_ids, sizeof(uint64_t)},
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTS_OF(pools) && r >= 0; i++)
                r = pool_init(pools[i].pool, pools[i].size);
        return r;
}

/* ---- rules ---- */

/* Returns whether the rule has not expired before this machine was started; with the second since
 * then at which it will. */
static int find_expiry(int64_t applied, uint64_t ttl, uint32_t *ret_expires)
{
        int64_t second;

        *ret_expires = 0;
        if (ttl == 0)
                return 1;
        if (__builtin_add_overflow(applied, ttl, &second) || second > UINT32_MAX)
                second = UINT32_MAX;
        *ret_expires = second > 0 ? (uint32_t) second : 0;
        return second > 0;
}

static int add_rule(Compiler *compiler, uint32_t document, uint32_t number, const Rule *rule)
{
        NumberedRule *numbered = &compiler->rules[number];
        int r;

        *numbered = (NumberedRule){.rule = rule, .document = document};
        if (!find_expiry(compiler->documents[document].applied, rule->options->ttl,
                         &numbered->expires))
                return 0;
        r = subjects_add(compiler, number);
        if (r >= 0)
                r = numbers_add(&compiler->by_kind[rule->kind], number);
        if (r >= 0 && rule->kind == RULE_FILE)
                r = files_add(compiler, number);
        return r;
}

static int add_documents(Compiler *compiler, size_t n_documents)
{
        uint32_t number = 0;
        int r;

        compiler->rules = calloc(compiler->image->n_rules, sizeof(*compiler->rules));
        if (!compiler->rules)
                return -ENOMEM;
        for (uint32_t i = 0; i < n_documents; i++) {
                const Policy *policy = compiler->documents[i].policy;

                for (size_t j = 0; j < policy_n_rules(policy); j++) {
                        fiber_pace();
                        r = add_rule(compiler, i, ++number, policy_rule(policy, j));
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* ---- the image ---- */

/* An array that grew has room to spare, and an image lives long. */
static void shrink(void *items, size_t n, size_t size)
{
        void *shorter = n > 0 ? realloc(*(void **) items, n * size) : NULL;

        if (shorter)
                *(void **) items = shorter;
}

#define SHRINK(array, n) shrink(&(array), (n), sizeof((array)[0]))

static int build_tables(Compiler *compiler)
{
        static int (*const rooms[])(Compiler *) = {
                trie_build, marks_build, pins_build, nets_build, keyed_build, cgroups_build,
        };
        PolicyImage *image = compiler->image;
        int r;

        for (size_t i = 0; i < ELEMENTS_OF(rooms); i++) {
                r = rooms[i](compiler);
                if (r < 0)
                        return r;
        }
        hooks_find(compiler);
        image->clauses = pool_take(&compiler->clauses, &image->n_clauses);
        image->rulesets = pool_take(&compiler->rulesets, &image->n_rulesets);
        image->subjects = pool_take(&compiler->subjects, &image->n_subjects);
        SHRINK(image->trie, image->n_trie);
        SHRINK(image->roots, image->n_roots);
        SHRINK(image->clauses, image->n_clauses);
        SHRINK(image->rulesets, image->n_rulesets);
        SHRINK(image->subjects, image->n_subjects);
        return 0;
}

static int compile(Compiler *compiler, size_t n_documents)
{
        int r;

        r = titles_add(compiler->image, compiler->documents, n_documents);
        if (r >= 0)
                r = init_pools(compiler);
        if (r >= 0)
                r = add_documents(compiler, n_documents);
        if (r >= 0)
                r = build_tables(compiler);
        return r;
}

int policy_image_compile(PolicyImage **ret_image, const Document *documents, size_t n_documents,
                         const Resolver *resolver, Diagnostics *diagnostics)
{
        _cleanup_(policy_image_freep) PolicyImage *image = calloc(1, sizeof(*image));
        _cleanup_(compiler_freep) Compiler *compiler = calloc(1, sizeof(*compiler));
        int r;

        if (!image || !compiler)
                return -ENOMEM;
        image->n_refs = 1;
        compiler->image = image;
        compiler->documents = documents;
        compiler->diagnostics = diagnostics;
        compiler->resolver = resolver;
        r = compile(compiler, n_documents);
        if (r < 0)
                return r;
        digest_documents(documents, n_documents, image->digest);
        *ret_image = TAKE_PTR(image);
        return 0;
}

PolicyImage *policy_image_ref(PolicyImage *image)
{
        if (image)
                image->n_refs++;
        return image;
}

PolicyImage *policy_image_free(PolicyImage *image)
{
        if (!image || --image->n_refs > 0)
                return NULL;
        free(image->trie);
        free(image->roots);
        free(image->pins);
        free(image->nets);
        free(image->port_classes);
        free(image->marks);
        free(image->comms);
        free(image->digests);
        free(image->cgroup_names);
        free(image->cgroup_ids);
        free(image->subjects);
        free(image->clauses);
        free(image->rulesets);
        free(image->rules);
        free(image);
        return NULL;
}
