/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reference place: see reference-place.h. */
#include "reference-place.h"

#include <stdlib.h>
#include <string.h>

/* Cuts off the next component. Returns its length, 0 at the end. */
static size_t next_component(const char **path, const char **ret_name)
{
        size_t n;

        *path += strspn(*path, "/");
        n = strcspn(*path, "/");
        *ret_name = *path;
        *path += n;
        return n;
}

static const char *first_star(const char *path)
{
        const char *end = path, *name;
        size_t n;

        while ((n = next_component(&end, &name)) > 0)
                if (n == 1 && name[0] == '*')
                        return name;
        return NULL;
}

int reference_has_star(const char *path, uint32_t has_wildcard)
{
        return has_wildcard && first_star(path);
}

size_t reference_locate(const Resolver *resolver, const char *path, uint32_t has_wildcard,
                        Pattern patterns[2])
{
        const char *star = has_wildcard ? first_star(path) : NULL;
        const char *rest = star ? star - 1 : path + strlen(path);
        char *head = star && rest == path ? strdup("/") : strndup(path, (size_t) (rest - path));
        Location location = {};
        size_t n = 0;

        if (resolver->locate(resolver->userdata, head, &location) == 0) {
                patterns[n++] = (Pattern){location.name, rest};
                if (location.target.path)
                        patterns[n++] = (Pattern){location.target, rest};
        }
        free(head);
        return n;
}

void reference_pattern_deinit(Pattern *pattern)
{
        free(pattern->place.path);
}

/* On the way through a pattern. */
typedef struct Walk {
        const Pattern *pattern;
        const char *at;
        int is_rest;
} Walk;

static size_t walk_next(Walk *walk, const char **ret_name, int *ret_is_star)
{
        size_t n = next_component(&walk->at, ret_name);

        if (n == 0 && !walk->is_rest) {
                walk->is_rest = 1;
                walk->at = walk->pattern->rest;
                n = next_component(&walk->at, ret_name);
        }
        *ret_is_star = walk->is_rest && n == 1 && (*ret_name)[0] == '*';
        return n;
}

Match reference_match(const Pattern *pattern, const Place *place)
{
        Walk walk = {.pattern = pattern, .at = pattern->place.path};
        const char *path = place->path, *name, *own;
        Match match = {};
        int is_star, is_above = 0;
        size_t n, n_own;

        if (!path || place->device != pattern->place.device)
                return match;
        while ((n = walk_next(&walk, &name, &is_star)) > 0) {
                match.stars |= is_star ? 1ull << match.depth : 0;
                match.depth++;
                if (is_above)
                        continue;
                n_own = next_component(&path, &own);
                if (n_own == 0)
                        is_above = 1;
                else if (!is_star && (n != n_own || memcmp(name, own, n) != 0))
                        return (Match){};
        }
        match.is_above = is_above;
        match.is_below = !is_above && next_component(&path, &own) > 0;
        match.is_equal = !is_above && !match.is_below;
        return match;
}

int reference_is_expired(const Document *document, const Rule *rule, int64_t now)
{
        __int128 end = (__int128) document->applied + rule->options->ttl;

        return rule->options->ttl > 0 && end <= now;
}
