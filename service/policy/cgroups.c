/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups: those that rules name, by path, by unit or by id, and their numbers. A cgroup may free
 * its processes of every rule and be the subject of some, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"
#include "util/cleanup.h"

static int warn_if_missing(Compiler *compiler, uint32_t number, const char *path)
{
        int r = compiler->resolver->has_cgroup(compiler->resolver->userdata, path);

        if (r < 0)
                compile_fault(compiler, number, "", "whether %s is there cannot be told: %s", path,
                              strerror(-r));
        else if (r == 0)
                compile_warning(compiler, number, "",
                                "there is no cgroup %s now: this line holds once it is made", path);
        return r < 0 ? r : 0;
}

/* ---- numbers ---- */

/* The number of a path or an id as a subject, by its run in a pool; a new one if it had none. */
static int number_of_run(Compiler *compiler, Numbers *numbers, uint32_t run, uint32_t *ret_number)
{
        while (numbers->n <= run) {
                int r = numbers_add(numbers, 0);

                if (r < 0)
                        return r;
        }
        if (numbers->items[run] == 0)
                numbers->items[run] = CGROUP_UNBOUND + ++compiler->n_cgroup_numbers;
        *ret_number = numbers->items[run];
        return 0;
}

static int find_path(Compiler *compiler, uint32_t number, const char *path, uint32_t *ret_run)
{
        struct cgroup_name name = {};
        size_t n = strlen(path);

        if (n >= sizeof(name.path)) {
                compile_fault(compiler, number, "name a cgroup above it",
                              "the cgroup's path is longer than %zu bytes", sizeof(name.path) - 1);
                return -E2BIG;
        }
        memcpy(name.path, path, n);
        return pool_add(&compiler->cgroup_paths, &name, 1, ret_run);
}

int cgroups_add_subject(Compiler *compiler, uint32_t number, uint32_t *ret_cgroup)
{
        const RuleOptions *options = compiler->rules[number].rule->options;
        uint32_t run;
        int r;

        compiler->cgroups_changed = 1;
        if (!options->cgroup) {
                r = pool_add(&compiler->cgroup_ids, &options->cgroup_id, 1, &run);
                return r < 0 ? r
                             : number_of_run(compiler, &compiler->numbers_of_ids, run, ret_cgroup);
        }
        r = find_path(compiler, number, options->cgroup, &run);
        return r < 0 ? r : number_of_run(compiler, &compiler->numbers_of_paths, run, ret_cgroup);
}

/* ---- the tables ---- */

typedef struct Builder {
        Compiler *compiler;
        Numbers entries; /* of paths, by run: 1 + an index in cgroup_names; 0: none yet */
        size_t n_names_allocated, n_ids_allocated;
} Builder;

static void builder_deinit(Builder *builder)
{
        free(builder->entries.items);
}

static int add_name(Builder *builder, uint32_t number, uint32_t run)
{
        Compiler *compiler = builder->compiler;
        const struct cgroup_name *names = compiler->cgroup_paths.items;
        PolicyImage *image = compiler->image;
        int r;

        r = ARRAY_RESERVE(image->cgroup_names, builder->n_names_allocated,
                          image->n_cgroup_names + 1);
        if (r < 0)
                return r;
        image->cgroup_names[image->n_cgroup_names++] = (CgroupNameEntry){.key = names[run]};
        builder->entries.items[run] = (uint32_t) image->n_cgroup_names;
        return warn_if_missing(compiler, number, names[run].path);
}

/* Finds the entry of a path, which a rule names. */
static int use_path(Builder *builder, uint32_t number, const char *path,
                    struct cgroup_numbers **ret_numbers)
{
        uint32_t run;
        int r;

        r = find_path(builder->compiler, number, path, &run);
        while (r >= 0 && builder->entries.n <= run)
                r = numbers_add(&builder->entries, 0);
        if (r >= 0 && builder->entries.items[run] == 0)
                r = add_name(builder, number, run);
        if (r < 0)
                return r;
        *ret_numbers =
                &builder->compiler->image->cgroup_names[builder->entries.items[run] - 1].value;
        return 0;
}

static int add_id(Builder *builder, uint64_t id, uint32_t cgroup)
{
        PolicyImage *image = builder->compiler->image;
        int r;

        r = ARRAY_RESERVE(image->cgroup_ids, builder->n_ids_allocated, image->n_cgroup_ids + 1);
        if (r < 0)
                return r;
        image->cgroup_ids[image->n_cgroup_ids++] =
                (CgroupIdEntry){.key = {.id = id, .number = cgroup}, .value = 1};
        return 0;
}

static int use_subject(Builder *builder, uint32_t number)
{
        const NumberedRule *numbered = &builder->compiler->rules[number];
        const struct subject *subjects = builder->compiler->subjects.items;
        const RuleOptions *options = numbered->rule->options;
        uint32_t cgroup = subjects[numbered->subject].cgroup;
        struct cgroup_numbers *numbers;
        int r;

        if (cgroup == 0)
                return 0;
        if (!options->cgroup)
                return add_id(builder, options->cgroup_id, cgroup);
        r = use_path(builder, number, options->cgroup, &numbers);
        if (r >= 0)
                numbers->subject = cgroup;
        return r;
}

static int use_rule(Builder *builder, uint32_t number)
{
        const NumberedRule *numbered = &builder->compiler->rules[number];
        const Rule *rule = numbered->rule;
        struct cgroup_numbers *numbers;
        int r;

        if (numbered->has_expired)
                return 0;
        if (rule->kind != RULE_ALLOW_CGROUP)
                return use_subject(builder, number);
        if (!rule->cgroup.path)
                return add_id(builder, rule->cgroup.id, CGROUP_UNBOUND);
        r = use_path(builder, number, rule->cgroup.path, &numbers);
        if (r >= 0)
                numbers->unbound = CGROUP_UNBOUND;
        return r;
}

static int compare_names(const void *a, const void *b)
{
        return memcmp(&((const CgroupNameEntry *) a)->key, &((const CgroupNameEntry *) b)->key,
                      sizeof(struct cgroup_name));
}

static int compare_ids(const void *a, const void *b)
{
        return memcmp(&((const CgroupIdEntry *) a)->key, &((const CgroupIdEntry *) b)->key,
                      sizeof(struct cgroup_key));
}

static void sort_ids(PolicyImage *image)
{
        size_t n = 0;

        if (image->n_cgroup_ids == 0)
                return;
        qsort(image->cgroup_ids, image->n_cgroup_ids, sizeof(image->cgroup_ids[0]), compare_ids);
        for (size_t i = 0; i < image->n_cgroup_ids; i++)
                if (n == 0 || compare_ids(&image->cgroup_ids[n - 1], &image->cgroup_ids[i]) != 0)
                        image->cgroup_ids[n++] = image->cgroup_ids[i];
        image->n_cgroup_ids = n;
}

/* Where none is named by path, nobody has to be told which are not there. */
static int are_as_before(const Compiler *compiler)
{
        return !kind_changed(compiler, RULE_ALLOW_CGROUP) && !compiler->cgroups_changed &&
               compiler->before->n_cgroup_names == 0;
}

int cgroups_build(Compiler *compiler)
{
        _cleanup_(builder_deinit) Builder builder = {.compiler = compiler};
        PolicyImage *image = compiler->image;
        int r;

        if (are_as_before(compiler))
                return COPY_BEFORE(compiler, cgroup_ids, n_cgroup_ids);
        for (size_t i = 0; i < compiler->in_order.n; i++) {
                r = use_rule(&builder, compiler->in_order.items[i]);
                if (r < 0)
                        return r;
        }
        if (image->n_cgroup_names > 0)
                qsort(image->cgroup_names, image->n_cgroup_names, sizeof(image->cgroup_names[0]),
                      compare_names);
        sort_ids(image);
        return 0;
}
