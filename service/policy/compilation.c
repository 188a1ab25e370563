/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compilation: see compilation.h. Goes through the rules that are new or gone, and has the tables
 * made. What goes wrong in the middle is not repaired: all is compiled anew. */
#include "policy/compilation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/level.h"
#include "policy/run.h"
#include "util/array.h"
#include "util/fiber.h"

/* Of so many numbers it does not matter whether they are used. */
#define FLOOR 4096u

const Rule rule_gone = {.section = "", .entry = "", .options = &(const RuleOptions){}};

static void each_pool(Compiler *compiler, void (*function)(Pool *pool))
{
        Pool *pools[] = {
                &compiler->clauses,    &compiler->rulesets, &compiler->subjects,
                &compiler->exes,       &compiler->exe_sets, &compiler->cgroup_paths,
                &compiler->cgroup_ids,
        };

        for (size_t i = 0; i < ELEMENTS_OF(pools); i++)
                function(pools[i]);
}

static void compiler_deinit(Compiler *compiler)
{
        each_pool(compiler, pool_deinit);
        for (size_t i = 0; i < N_RULE_KINDS; i++)
                free(compiler->by_kind[i].items);
        names_deinit(&compiler->names);
        free(compiler->numbers_of_paths.items);
        free(compiler->numbers_of_ids.items);
        free(compiler->exe_is_used);
        free(compiler->pins.items);
        free(compiler->rules);
}

Compilation *compilation_free(Compilation *compilation)
{
        if (!compilation)
                return NULL;
        compiler_deinit(&compilation->compiler);
        held_free(compilation->held, compilation->n_held);
        policy_image_free(compilation->image);
        free(compilation);
        return NULL;
}

void compilation_rest(Compilation *compilation)
{
        if (compilation)
                each_pool(&compilation->compiler, pool_rest);
}

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

static int compilation_new(Compilation **ret_compilation)
{
        _cleanup_(compilation_freep) Compilation *compilation = calloc(1, sizeof(*compilation));
        Compiler *compiler;
        int r;

        if (!compilation)
                return -ENOMEM;
        compiler = &compilation->compiler;
        r = init_pools(compiler);
        if (r >= 0)
                r = ARRAY_RESERVE(compiler->rules, compiler->n_rules_allocated, 1);
        if (r < 0)
                return r;
        compiler->rules[compiler->n_rules++] = (NumberedRule){.rule = &rule_gone};
        *ret_compilation = TAKE_PTR(compilation);
        return 0;
}

/* ---- new rules ---- */

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

static int add_rule(Compiler *compiler, uint32_t number)
{
        NumberedRule *numbered = &compiler->rules[number];
        const Rule *rule = numbered->rule;

        compiler->kinds_changed |= 1u << rule->kind;
        compiler->exes_changed |= (rule->options->subject & SUBJECT_EXE) != 0;
        if (!find_expiry(compiler->documents[numbered->document].applied, rule->options->ttl,
                         &numbered->expires)) {
                numbered->has_expired = 1;
                return 0;
        }
        return subjects_add(compiler, number);
}

static int find_files(Compiler *compiler, const Numbers *numbers)
{
        for (size_t i = 0; i < numbers->n; i++) {
                const NumberedRule *numbered = &compiler->rules[numbers->items[i]];
                int r;

                if (numbered->rule->kind != RULE_FILE || numbered->has_expired)
                        continue;
                fiber_pace();
                r = files_add(compiler, numbers->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_rules(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;

        for (size_t i = 0; i < run->added.n; i++) {
                int r;

                fiber_pace();
                r = add_rule(compiler, run->added.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The names there are are gone until they are found again. */
static void forget_files(Compiler *compiler)
{
        Names *names = &compiler->names;

        compiler->pins.n = 0;
        compiler->pins_changed = 1;
        compiler->cgroups_changed = compiler->exes_changed = 1;
        free(compiler->exe_is_used);
        compiler->exe_is_used = NULL;
        compiler->n_exes = 0;
        for (size_t i = 0; i < names->n; i++)
                names->items[i].is_gone = 1;
}

static void add_demands(Demands *sum, const Demands *demands)
{
        sum->hooks |= demands->hooks;
        sum->in_audit |= demands->in_audit;
        sum->insisted |= demands->insisted;
        sum->flags |= demands->flags;
        for (size_t i = 0; i < N_RULE_KINDS; i++)
                sum->n_of_kind[i] += demands->n_of_kind[i];
}

/* Of documents that are as they were it is known. */
static void find_demands(Run *run)
{
        const Compiler *compiler = &run->compilation->compiler;

        for (size_t i = 0; i < run->request->n_documents; i++) {
                const Policy *policy = run->request->documents[i].policy;
                Held *held = &run->held[i];

                if (!held->is_known)
                        demands_find(compiler, policy, held->first, policy_n_rules(policy),
                                     &held->demands);
                held->is_known = 1;
                add_demands(&run->demands, &held->demands);
        }
}

/* So that each array is as large as it must be at once. */
static int make_room_by_kind(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        int r = 0;

        for (size_t i = 0; i < N_RULE_KINDS && r >= 0; i++) {
                Numbers *numbers = &compiler->by_kind[i];

                numbers->n = 0;
                if (i != RULE_FILE)
                        r = ARRAY_RESERVE(numbers->items, numbers->n_allocated,
                                          run->demands.n_of_kind[i]);
        }
        return r;
}

static int has_names_alone(const Held *held)
{
        return held->demands.n_of_kind[RULE_FILE] == policy_n_rules(held->policy);
}

/* Names are by far the most, and have an order of their own. */
static int sort_by_kind(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        int r = make_room_by_kind(run);

        for (size_t i = 0; i < run->request->n_documents && r >= 0; i++) {
                const Held *held = &run->held[i];
                size_t n = has_names_alone(held) ? 0 : policy_n_rules(held->policy);

                for (size_t j = 0; j < n; j++) {
                        uint32_t number = compiler->in_order.items[held->first + j];
                        const NumberedRule *numbered = &compiler->rules[number];
                        Numbers *numbers = &compiler->by_kind[numbered->rule->kind];

                        if (!numbered->has_expired && numbered->rule->kind != RULE_FILE)
                                numbers->items[numbers->n++] = number;
                }
        }
        return r;
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

static int copy_pools(Compiler *compiler)
{
        PolicyImage *image = compiler->image;

        image->n_clauses = compiler->clauses.n;
        image->n_rulesets = compiler->rulesets.n;
        image->n_subjects = compiler->subjects.n;
        image->clauses =
                copy_items(compiler->clauses.items, image->n_clauses, sizeof(image->clauses[0]));
        image->rulesets =
                copy_items(compiler->rulesets.items, image->n_rulesets, sizeof(image->rulesets[0]));
        image->subjects =
                copy_items(compiler->subjects.items, image->n_subjects, sizeof(image->subjects[0]));
        return image->clauses && image->rulesets && image->subjects ? 0 : -ENOMEM;
}

static int build_tables(Compiler *compiler, const Demands *demands)
{
        static int (*const rooms[])(Compiler *) = {
                trie_build, marks_build, pins_build, nets_build, keyed_build, cgroups_build,
        };

        for (size_t i = 0; i < ELEMENTS_OF(rooms); i++) {
                int r = rooms[i](compiler);

                if (r < 0)
                        return r;
        }
        hooks_find(compiler, demands);
        SHRINK(compiler->image->trie, compiler->image->n_trie);
        SHRINK(compiler->image->roots, compiler->image->n_roots);
        return copy_pools(compiler);
}

static int find_all_files(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        int r;

        r = find_files(compiler, run->request->ask_anew ? &compiler->in_order : &run->added);
        return r < 0 ? r : exes_find(compiler);
}

/* Many paths are near each other, and what they share is looked up once. */
static int locate_all(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        const Resolver *resolver = run->request->resolver;
        Resolver remembering = *resolver;
        int r;

        if (!resolver->begin)
                return find_all_files(run);
        remembering.userdata = resolver->begin(resolver->userdata);
        if (!remembering.userdata)
                return -ENOMEM;
        compiler->resolver = &remembering;
        r = find_all_files(run);
        compiler->resolver = resolver;
        resolver->end(remembering.userdata);
        return r;
}

static int collect(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        int r;

        if (run->request->ask_anew)
                forget_files(compiler);
        r = add_rules(run);
        if (r < 0)
                return r;
        find_demands(run);
        r = sort_by_kind(run);
        if (r >= 0)
                r = locate_all(run);
        if (r >= 0)
                r = names_merge(&compiler->names);
        if (r >= 0)
                r = names_list_changes(&compiler->names);
        return r;
}

static int make_image(Run *run)
{
        Compiler *compiler = &run->compilation->compiler;
        const CompilationRequest *request = run->request;
        int r;

        r = collect(run);
        if (r >= 0)
                r = titles_add(compiler, request->n_documents);
        if (r >= 0)
                r = build_tables(compiler, &run->demands);
        if (r < 0)
                return r;
        places_find(compiler);
        names_settle(&compiler->names);
        digest_documents(request->documents, request->n_documents, compiler->image->digest);
        return 0;
}

/* ---- one run ---- */

/* Whether what is left of rules and lists that are gone is too much, or so much changes that
 * nothing is won. What a first compilation may cost is never passed by small steps: it must work
 * after the next start, too. */
static int is_worn(const Run *run)
{
        const Compilation *compilation = run->compilation;
        const Compiler *compiler = &compilation->compiler;
        size_t n = compiler->in_order.n, n_changed = run->added.n + run->n_gone;

        return n_changed > n / 4 + FLOOR / 16 || compiler->n_rules > 2 * n + FLOOR ||
               compiler->clauses.n > 2 * compilation->n_clauses + FLOOR ||
               compiler->rulesets.n > 2 * compilation->n_rulesets + FLOOR ||
               compiler->exe_sets.n > 2 * compilation->n_sets + FLOOR ||
               compiler->n_nodes > 2 * compilation->n_nodes + FLOOR ||
               compiler->n_steps > N_STEPS_MAX / 2;
}

static void remember_size(Compilation *compilation)
{
        const Compiler *compiler = &compilation->compiler;

        compilation->n_clauses = compiler->clauses.n;
        compilation->n_rulesets = compiler->rulesets.n;
        compilation->n_sets = compiler->exe_sets.n;
        compilation->n_nodes = compiler->n_nodes;
}

/* Both have the same, and neither changes it. */
static void share_with_image(Compilation *compilation)
{
        Compiler *compiler = &compilation->compiler;
        const PolicyImage *image = compilation->image;

        pool_share(&compiler->clauses, image->clauses);
        pool_share(&compiler->rulesets, image->rulesets);
        pool_share(&compiler->subjects, image->subjects);
        compiler->in_order = (Numbers){.items = image->numbers, .n = image->n_numbers};
}

/* What is kept lives long. */
static void fit_arrays(Compiler *compiler)
{
        ARRAY_FIT(compiler->rules, compiler->n_rules_allocated, compiler->n_rules);
        for (size_t i = 0; i < N_RULE_KINDS; i++) {
                free(compiler->by_kind[i].items);
                compiler->by_kind[i] = (Numbers){};
        }
        ARRAY_FIT(compiler->pins.items, compiler->pins.n_allocated, compiler->pins.n);
}

static void take_image(Run *run, PolicyImage *image)
{
        Compilation *compilation = run->compilation;
        PolicyImage *before = compilation->image;

        compilation->image = image;
        share_with_image(compilation);
        fit_arrays(&compilation->compiler);
        policy_image_free(before);
        held_free(compilation->held, compilation->n_held);
        compilation->held = TAKE_PTR(run->held);
        compilation->n_held = run->request->n_documents;
}

static int run_on(Compilation *compilation, const CompilationRequest *request,
                  Diagnostics *diagnostics)
{
        _cleanup_(run_deinit) Run run = {.compilation = compilation, .request = request};
        _cleanup_(policy_image_freep) PolicyImage *image = policy_image_new();
        Compiler *compiler = &compilation->compiler;
        int r;

        if (!image)
                return -ENOMEM;
        compiler->image = image;
        compiler->before = compilation->image;
        compiler->documents = request->documents;
        compiler->diagnostics = diagnostics;
        compiler->resolver = request->resolver;
        compiler->kinds_changed = 0;
        compiler->cgroups_changed = compiler->pins_changed = compiler->exes_changed = 0;
        r = run_place_documents(&run);
        if (r >= 0 && compiler->before && is_worn(&run))
                r = -ESTALE;
        if (r >= 0)
                r = make_image(&run);
        if (r < 0)
                return r;
        if (!compiler->before)
                remember_size(compilation);
        take_image(&run, TAKE_PTR(image));
        return 0;
}

/* ---- one after the other ---- */

static int is_as_held(const Compilation *compilation, const CompilationRequest *request)
{
        if (request->n_documents != compilation->n_held)
                return 0;
        for (size_t i = 0; i < compilation->n_held; i++) {
                const Document *document = &request->documents[i];
                const Held *held = &compilation->held[i];

                if (strcmp(document->name, held->name) != 0 || document->policy != held->policy ||
                    (document->applied != held->applied && held->has_ttl))
                        return 0;
        }
        return 1;
}

/* Remarks of a run that may come to nothing. */
typedef struct Remarks {
        Diagnostics *items; /* one a document */
        size_t n;
} Remarks;

static void remarks_deinit(Remarks *remarks)
{
        for (size_t i = 0; remarks->items && i < remarks->n; i++)
                diagnostics_deinit(&remarks->items[i]);
        free(remarks->items);
}

static void remarks_report(const Remarks *remarks, Diagnostics *diagnostics)
{
        for (size_t i = 0; i < remarks->n; i++) {
                for (size_t j = 0; j < remarks->items[i].n_items; j++) {
                        const Diagnostic *item = &remarks->items[i].items[j];

                        diagnostics_add(&diagnostics[i], item->severity, item->line, item->column,
                                        item->hint, "%s", item->message);
                }
        }
}

/* Whether the rules have the numbers that they must have. */
static int is_as_numbered(const PolicyImage *image, const Numbering *numbering)
{
        return !numbering ||
               (image->n_numbers == numbering->n_numbers && image->n_rules == numbering->n_rules &&
                (image->n_numbers == 0 ||
                 memcmp(image->numbers, numbering->numbers,
                        image->n_numbers * sizeof(image->numbers[0])) == 0));
}

/* An image that differs from the one before in nothing is that one. */
static void prefer_before(Compilation *compilation, PolicyImage *before)
{
        if (!policy_image_decides_as(before, compilation->image))
                return;
        policy_image_free(compilation->image);
        compilation->image = policy_image_ref(before);
        share_with_image(compilation);
}

static int amend(Compilation *compilation, const CompilationRequest *request,
                 Diagnostics *diagnostics)
{
        _cleanup_(remarks_deinit) Remarks remarks = {.n = request->n_documents};
        _cleanup_(policy_image_freep) PolicyImage *before = policy_image_ref(compilation->image);
        int is_held = is_as_held(compilation, request), r;

        if (is_held && !request->ask_anew)
                return is_as_numbered(before, request->numbering) ? 0 : -ESTALE;
        remarks.items = calloc(remarks.n + 1, sizeof(remarks.items[0]));
        if (!remarks.items)
                return -ENOMEM;
        r = run_on(compilation, request, remarks.items);
        if (r < 0)
                return r;
        if (!is_as_numbered(compilation->image, request->numbering))
                return -ESTALE;
        remarks_report(&remarks, diagnostics);
        if (is_held)
                prefer_before(compilation, before);
        return 0;
}

static int compile_all(Compilation **ret_compilation, const CompilationRequest *request,
                       Diagnostics *diagnostics)
{
        _cleanup_(compilation_freep) Compilation *compilation = NULL;
        int r;

        r = compilation_new(&compilation);
        if (r >= 0)
                r = run_on(compilation, request, diagnostics);
        if (r < 0)
                return r;
        *ret_compilation = TAKE_PTR(compilation);
        return 0;
}

int compilation_run(Compilation **compilation, const CompilationRequest *request,
                    Diagnostics *diagnostics, PolicyImage **ret_image)
{
        _cleanup_(compilation_freep) Compilation *taken = TAKE_PTR(*compilation);
        int r = taken ? amend(taken, request, diagnostics) : -ESTALE;

        if (r < 0 && r != -ENOMEM) {
                taken = compilation_free(taken);
                r = compile_all(&taken, request, diagnostics);
        }
        if (r < 0)
                return r;
        *ret_image = policy_image_ref(taken->image);
        *compilation = TAKE_PTR(taken);
        return 0;
}

/* ---- numbers ---- */

void numbering_deinit(Numbering *numbering)
{
        free(numbering->numbers);
        *numbering = (Numbering){};
}

int numbering_copy(const Numbering *numbering, Numbering *ret_copy)
{
        Numbering copy = *numbering;

        copy.numbers = copy_items(numbering->numbers, copy.n_numbers, sizeof(copy.numbers[0]));
        if (copy.n_numbers > 0 && !copy.numbers)
                return -ENOMEM;
        *ret_copy = copy;
        return 0;
}
