/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: where the paths of rules lie on this machine, which is asked of the resolver. A path with
 * components * is located by the part before the first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/pattern.h"

void location_deinit(Location *location)
{
        free(location->name.path);
        free(location->target.path);
        *location = (Location){};
}

/* A path of a rule, or of its exe=. n: how much of it is literal. */
typedef struct Path {
        const char *text;
        size_t n;
        uint32_t rule;
} Path;

static int locate(Compiler *compiler, const Path *path, Location *ret_location)
{
        const Resolver *resolver = compiler->resolver;
        _cleanup_(freep) char *head = NULL;

        if (path->text[path->n] == '\0')
                return resolver->locate(resolver->userdata, path->text, ret_location);
        head = path->n > 0 ? strndup(path->text, path->n) : strdup("/");
        if (!head)
                return -ENOMEM;
        return resolver->locate(resolver->userdata, head, ret_location);
}

/* The name itself, and where it leads to if it is a link. */
static int add_names(Compiler *compiler, const Location *location, const char *rest,
                     const Name *name)
{
        int r;

        r = names_add(&compiler->names, &location->name, rest, name);
        if (r < 0 || !location->target.path)
                return r;
        return names_add(&compiler->names, &location->target, rest, name);
}

static int add_path(Compiler *compiler, const Path *path, const Name *name, Location *ret_location)
{
        int r;

        r = locate(compiler, path, ret_location);
        if (r >= 0)
                r = add_names(compiler, ret_location, path->text + path->n, name);
        if (r < 0)
                compile_fault(compiler, path->rule, "", "where %.*s leads cannot be told: %s",
                              (int) path->n, path->text, strerror(-r));
        return r;
}

/* A file with other names is known by its number, too. */
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
        compiler->pins_changed = 1;
        return pins_add(&compiler->pins, &pin);
}

int files_add(Compiler *compiler, uint32_t number)
{
        const Rule *rule = compiler->rules[number].rule;
        _cleanup_(location_deinit) Location location = {};
        Path path = {
                .text = rule->file.path,
                .n = pattern_literal(rule->file.path, rule->file.has_wildcard),
                .rule = number,
        };
        Name name = {.number = number, .below = rule->file.below != 0};
        int r;

        r = add_path(compiler, &path, &name, &location);
        if (r < 0 || path.text[path.n] != '\0')
                return r;
        return add_linked(compiler, &location, number);
}

int files_add_exe(Compiler *compiler, uint32_t number, uint32_t exe)
{
        const RuleOptions *options = compiler->rules[number].rule->options;
        _cleanup_(location_deinit) Location location = {};
        Path path = {
                .text = options->exe,
                .n = pattern_literal(options->exe, 1),
                .rule = number,
        };
        Name name = {.number = exe, .is_exe = 1, .below = options->exe_below != 0};

        return add_path(compiler, &path, &name, &location);
}
