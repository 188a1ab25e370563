/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pattern: see pattern.h. */
#include "policy/pattern.h"

#include <string.h>

size_t pattern_literal(const char *pattern, int has_wildcard)
{
        for (const char *star = strstr(pattern, "/*"); has_wildcard && star;
             star = strstr(star + 1, "/*"))
                if (star[2] == '/' || star[2] == '\0')
                        return (size_t) (star - pattern);
        return strlen(pattern);
}

static int is_root(const char *path)
{
        return path[0] == '\0' || strcmp(path, "/") == 0;
}

int pattern_covers(const char *pattern, const char *path, int has_wildcard, int below)
{
        while (!is_root(pattern)) {
                size_t n = strcspn(pattern + 1, "/") + 1, n_path;

                if (is_root(path) || path[0] != '/')
                        return 0;
                n_path = strcspn(path + 1, "/") + 1;
                if (!(has_wildcard && n == 2 && pattern[1] == '*') &&
                    (n != n_path || memcmp(pattern, path, n) != 0))
                        return 0;
                pattern += n;
                path += n_path;
        }
        return below || is_root(path);
}
