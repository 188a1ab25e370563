/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups: those that rules name, by path, by unit or by id, and their numbers. A cgroup may free
 * its processes of every rule and be the subject of some, too. */
#include <errno.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

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

static int new_name(Compiler *compiler, uint32_t number, const struct cgroup_name *name)
{
        PolicyImage *image = compiler->image;
        int r;

        r = ARRAY_RESERVE(image->cgroup_names, compiler->n_cgroup_names_allocated,
                          image->n_cgroup_names + 1);
        if (r < 0)
                return r;
        image->cgroup_names[image->n_cgroup_names++] = (CgroupNameEntry){.key = *name};
        return warn_if_missing(compiler, number, name->path);
}

/* The path's numbers, none as yet if it is new. Run 0 of the paths stands for none. */
static int find_name(Compiler *compiler, uint32_t number, const char *path,
                     struct cgroup_numbers **ret_numbers)
{
        struct cgroup_name name = {};
        size_t n = strlen(path);
        uint32_t run;
        int r;

        if (n >= sizeof(name.path)) {
                compile_fault(compiler, number, "name a cgroup above it",
                              "the cgroup's path is longer than %zu bytes", sizeof(name.path) - 1);
                return -E2BIG;
        }
        memcpy(name.path, path, n);
        r = pool_add(&compiler->cgroup_paths, &name, 1, &run);
        if (r >= 0 && run > compiler->image->n_cgroup_names)
                r = new_name(compiler, number, &name);
        if (r < 0)
                return r;
        *ret_numbers = &compiler->image->cgroup_names[run - 1].value;
        return 0;
}

static uint32_t number_new(Compiler *compiler)
{
        return CGROUP_UNBOUND + ++compiler->n_cgroup_numbers;
}

static int add_id(Compiler *compiler, uint64_t id, uint32_t cgroup)
{
        PolicyImage *image = compiler->image;
        int r;

        r = ARRAY_RESERVE(image->cgroup_ids, compiler->n_cgroup_ids_allocated,
                          image->n_cgroup_ids + 1);
        if (r < 0)
                return r;
        image->cgroup_ids[image->n_cgroup_ids++] =
                (CgroupIdEntry){.key = {.id = id, .number = cgroup}, .value = 1};
        return 0;
}

/* Those of subjects come first, in the order of their runs. */
static int number_of_id(Compiler *compiler, uint64_t id, uint32_t *ret_cgroup)
{
        PolicyImage *image = compiler->image;
        uint32_t run;
        int r;

        r = pool_add(&compiler->cgroup_ids, &id, 1, &run);
        if (r >= 0 && run > image->n_cgroup_ids)
                r = add_id(compiler, id, number_new(compiler));
        if (r < 0)
                return r;
        *ret_cgroup = image->cgroup_ids[run - 1].key.number;
        return 0;
}

int cgroups_add_subject(Compiler *compiler, uint32_t number, uint32_t *ret_cgroup)
{
        const RuleOptions *options = compiler->rules[number].rule->options;
        struct cgroup_numbers *numbers;
        int r;

        if (!options->cgroup)
                return number_of_id(compiler, options->cgroup_id, ret_cgroup);
        r = find_name(compiler, number, options->cgroup, &numbers);
        if (r < 0)
                return r;
        if (numbers->subject == 0)
                numbers->subject = number_new(compiler);
        *ret_cgroup = numbers->subject;
        return 0;
}

/* ---- the tables ---- */

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

static int free_processes(Compiler *compiler, uint32_t number)
{
        const Rule *rule = compiler->rules[number].rule;
        struct cgroup_numbers *numbers;
        int r;

        if (!rule->cgroup.path)
                return add_id(compiler, rule->cgroup.id, CGROUP_UNBOUND);
        r = find_name(compiler, number, rule->cgroup.path, &numbers);
        if (r >= 0)
                numbers->unbound = CGROUP_UNBOUND;
        return r;
}

int cgroups_build(Compiler *compiler)
{
        const Numbers *rules = &compiler->by_kind[RULE_ALLOW_CGROUP];
        PolicyImage *image = compiler->image;
        int r;

        for (size_t i = 0; i < rules->n; i++) {
                r = free_processes(compiler, rules->items[i]);
                if (r < 0)
                        return r;
        }
        if (image->n_cgroup_names > 0)
                qsort(image->cgroup_names, image->n_cgroup_names, sizeof(image->cgroup_names[0]),
                      compare_names);
        sort_ids(image);
        return 0;
}
