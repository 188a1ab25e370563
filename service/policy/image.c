/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image: goes through the rules of all documents, asks where each lies, and has the tables made. */
#include "policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/digest.h"
#include "util/array.h"

/* Rules about files need all of these: a name is made, changed and lost in many ways. */
#define FILE_HOOKS                                                                                 \
        (HOOK_BIT(HOOK_FILE_OPEN) | HOOK_BIT(HOOK_INODE_CREATE) | HOOK_BIT(HOOK_INODE_LINK) |      \
         HOOK_BIT(HOOK_INODE_MKDIR) | HOOK_BIT(HOOK_INODE_MKNOD) |                                 \
         HOOK_BIT(HOOK_INODE_REMOVE_ACL) | HOOK_BIT(HOOK_INODE_REMOVEXATTR) |                      \
         HOOK_BIT(HOOK_INODE_RENAME) | HOOK_BIT(HOOK_INODE_RMDIR) | HOOK_BIT(HOOK_INODE_SET_ACL) | \
         HOOK_BIT(HOOK_INODE_SETATTR) | HOOK_BIT(HOOK_INODE_SETXATTR) |                            \
         HOOK_BIT(HOOK_INODE_SYMLINK) | HOOK_BIT(HOOK_INODE_UNLINK))

/* Rules about addresses need those of their operations. */
#define NET_HOOKS                                                                                  \
        (HOOK_BIT(HOOK_SOCKET_BIND) | HOOK_BIT(HOOK_SOCKET_CONNECT) | HOOK_BIT(HOOK_SOCKET_SENDMSG))

_Static_assert((FILE_HOOKS ^ NET_HOOKS) == HOOK_BIT(N_HOOKS) - 1,
               "each hook is in one list: rules would not be enforced at one that is in none");

typedef struct Compiler {
        PolicyImage *image;
        const Resolver *resolver;
        Names names;
        Pins pins;
        Nets nets;
        size_t n_cgroups_allocated;
        Rulesets rulesets;
} Compiler;

/* A rule with its number, and where to speak about it. */
typedef struct Numbered {
        const Rule *rule;
        uint32_t number;
        Diagnostics *diagnostics;
} Numbered;

void location_deinit(Location *location)
{
        free(location->name.path);
        free(location->target.path);
        *location = (Location){};
}

static void compiler_deinit(Compiler *compiler)
{
        names_deinit(&compiler->names);
        free(compiler->pins.items);
        free(compiler->nets.items);
        free(compiler->rulesets.items);
}

/* ---- the names of rules ---- */

/* At most what name_rules() puts. */
static size_t text_size(const Document *documents, size_t n_documents)
{
        size_t n = 1;

        for (size_t i = 0; i < n_documents; i++) {
                n += strlen(documents[i].name) + 1;
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++) {
                        const Rule *rule = policy_rule(documents[i].policy, j);

                        n += strlen(rule->section) + strlen(rule->entry) + 2;
                }
        }
        return n;
}

static char *text_put(char **end, const char *text)
{
        char *begin = *end;

        *end = stpcpy(begin, text) + 1;
        return begin;
}

static void name_rules(ImageRule *rules, char *end, const Document *documents, size_t n_documents)
{
        char *none = text_put(&end, ""), *section = none;
        size_t n = 0;

        rules[n++] = (ImageRule){.document = none, .section = none, .entry = none};
        for (size_t i = 0; i < n_documents; i++) {
                char *document = text_put(&end, documents[i].name);

                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++) {
                        const Rule *rule = policy_rule(documents[i].policy, j);

                        /* Rules of one section stand together, and share its name. */
                        if (strcmp(section, rule->section) != 0)
                                section = text_put(&end, rule->section);
                        rules[n++] = (ImageRule){
                                .document = document,
                                .line = rule->line,
                                .section = section,
                                .entry = text_put(&end, rule->entry),
                        };
                }
        }
}

/* The strings stand behind the array, in one piece of memory with it. */
static int add_rules(PolicyImage *image, const Document *documents, size_t n_documents)
{
        size_t n = 1, n_text = text_size(documents, n_documents);

        for (size_t i = 0; i < n_documents; i++)
                n += policy_n_rules(documents[i].policy);
        if (n > RULES_MAX)
                return -E2BIG;
        image->rules = malloc(n * sizeof(*image->rules) + n_text);
        if (!image->rules)
                return -ENOMEM;
        image->n_rules = n;
        name_rules(image->rules, (char *) (image->rules + n), documents, n_documents);
        return 0;
}

/* ---- rules, by kind ---- */

static int add_linked(Compiler *compiler, const Location *location, uint32_t number)
{
        Pin pin = {
                .key = {.inode = location->inode, .device = location->device},
                .rule = number,
                .generation = location->inode_generation,
                .checked = location->generation_known != 0,
        };

        if (!location->exists || location->is_directory || location->n_links < 2)
                return 0;
        compiler->image->flags |= IMAGE_PIN_LINKS;
        return pins_add(&compiler->pins, &pin);
}

static int tell_failure(const Numbered *numbered, int error)
{
        const Rule *rule = numbered->rule;

        diagnostics_add(numbered->diagnostics, SEVERITY_FAULT, rule->line, rule->column, "",
                        "where this leads cannot be told: %s", strerror(-error));
        return error;
}

static int add_names(Compiler *compiler, const Numbered *numbered, Location *location)
{
        uint32_t below = numbered->rule->file.below;
        int r;

        r = names_add(&compiler->names, &location->name, numbered->number, below);
        if (r < 0 || !location->target.path)
                return r;
        return names_add(&compiler->names, &location->target, numbered->number, below);
}

static int add_file(Compiler *compiler, const Numbered *numbered)
{
        _cleanup_(location_deinit) Location location = {};
        const Resolver *resolver = compiler->resolver;
        int r;

        r = resolver->locate(resolver->userdata, numbered->rule->file.path, &location);
        if (r >= 0)
                r = add_names(compiler, numbered, &location);
        if (r < 0)
                return tell_failure(numbered, r);
        return add_linked(compiler, &location, numbered->number);
}

static int add_inode(Compiler *compiler, const Numbered *numbered)
{
        Pin pin = {
                .key = {.inode = numbered->rule->inode.inode,
                        .device = numbered->rule->inode.device},
                .rule = numbered->number,
        };

        compiler->image->flags |= IMAGE_PIN_ALL;
        return pins_add(&compiler->pins, &pin);
}

static int add_cgroup(Compiler *compiler, const Numbered *numbered)
{
        PolicyImage *image = compiler->image;
        const Rule *rule = numbered->rule;
        uint64_t id = rule->cgroup.id;
        int r;

        if (rule->cgroup.path) {
                id = 0;
                r = compiler->resolver->find_cgroup(compiler->resolver->userdata, rule->cgroup.path,
                                                    &id);
                if (r < 0 && r != -ENOENT)
                        return tell_failure(numbered, r);
        }
        /* No cgroup has the id 0, and a program in the kernel sees it where there is none. */
        if (id == 0) {
                diagnostics_add(numbered->diagnostics, SEVERITY_WARNING, rule->line, rule->column,
                                "apply again once it is there",
                                "there is no such cgroup now: nothing is allowed by this line");
                return 0;
        }
        r = ARRAY_RESERVE(image->cgroups, compiler->n_cgroups_allocated, image->n_cgroups + 1);
        if (r < 0)
                return r;
        image->cgroups[image->n_cgroups++] = id;
        return 0;
}

static int add_rule(Compiler *compiler, const Numbered *numbered)
{
        switch (numbered->rule->kind) {
        case RULE_DENY_PATH:
                return add_file(compiler, numbered);
        case RULE_DENY_INODE:
                return add_inode(compiler, numbered);
        case RULE_DENY_NET:
                return nets_add(&compiler->nets, numbered->rule, numbered->number);
        case RULE_ALLOW_CGROUP:
                return add_cgroup(compiler, numbered);
        }
        return -EINVAL;
}

static int add_documents(Compiler *compiler, const Document *documents, size_t n_documents,
                         Diagnostics *diagnostics)
{
        uint32_t number = 0;
        int r;

        for (size_t i = 0; i < n_documents; i++) {
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++) {
                        Numbered numbered = {
                                .rule = policy_rule(documents[i].policy, j),
                                .number = ++number,
                                .diagnostics = &diagnostics[i],
                        };

                        r = add_rule(compiler, &numbered);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* ---- the image ---- */

static int compare_ids(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return (x > y) - (x < y);
}

static void sort_cgroups(PolicyImage *image)
{
        size_t n = 0;

        if (image->n_cgroups == 0)
                return;
        qsort(image->cgroups, image->n_cgroups, sizeof(image->cgroups[0]), compare_ids);
        for (size_t i = 0; i < image->n_cgroups; i++)
                if (n == 0 || image->cgroups[n - 1] != image->cgroups[i])
                        image->cgroups[n++] = image->cgroups[i];
        image->n_cgroups = n;
}

/* A hook that no rule needs is not attached, and costs nothing. */
static void set_needs(PolicyImage *image)
{
        static const enum hook net_hooks[N_NET_OPERATIONS] = {
                [NET_CONNECT] = HOOK_SOCKET_CONNECT,
                [NET_BIND] = HOOK_SOCKET_BIND,
                [NET_SEND] = HOOK_SOCKET_SENDMSG,
        };

        image->flags |= image->n_roots > 0 ? IMAGE_FILES : 0;
        image->flags |= image->n_nets > 0 ? IMAGE_NET : 0;
        image->flags |= image->n_cgroups > 0 ? IMAGE_CGROUPS : 0;
        if (image->n_roots > 0 || image->n_pins > 0)
                image->hooks |= FILE_HOOKS;
        for (size_t i = 0; i < image->n_nets; i++)
                for (unsigned j = 0; j < N_NET_OPERATIONS; j++)
                        if (image->nets[i].value.rule[j] > 0)
                                image->hooks |= HOOK_BIT(net_hooks[j]);
}

static int build_tables(Compiler *compiler)
{
        PolicyImage *image = compiler->image;
        int r;

        r = trie_build(image, &compiler->names, &compiler->rulesets);
        if (r < 0)
                return r;
        r = pins_build(image, &compiler->pins, &compiler->rulesets);
        if (r < 0)
                return r;
        r = rulesets_share(&compiler->rulesets, image);
        if (r < 0)
                return r;
        nets_build(image, &compiler->nets);
        sort_cgroups(image);
        set_needs(image);
        return 0;
}

int policy_image_compile(PolicyImage **ret_image, const Document *documents, size_t n_documents,
                         const Resolver *resolver, Diagnostics *diagnostics)
{
        _cleanup_(policy_image_freep) PolicyImage *image = calloc(1, sizeof(*image));
        _cleanup_(compiler_deinit) Compiler compiler = {.image = image, .resolver = resolver};
        int r;

        if (!image)
                return -ENOMEM;
        r = add_rules(image, documents, n_documents);
        if (r < 0)
                return r;
        r = add_documents(&compiler, documents, n_documents, diagnostics);
        if (r < 0)
                return r;
        r = build_tables(&compiler);
        if (r < 0)
                return r;
        digest_documents(documents, n_documents, image->digest);
        *ret_image = TAKE_PTR(image);
        return 0;
}

PolicyImage *policy_image_free(PolicyImage *image)
{
        if (!image)
                return NULL;
        free(image->trie);
        free(image->roots);
        free(image->pins);
        free(image->nets);
        free(image->cgroups);
        free(image->rulesets);
        free(image->rules);
        free(image);
        return NULL;
}
