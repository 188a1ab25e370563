/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths, as all entries and options have them. */
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"

/* Where a path's component begins and how long it is. */
typedef struct Component {
        size_t at, n;
} Component;

static Component next_component(const Entry *value, size_t at)
{
        size_t n = 0;

        while (at < value->n && value->text[at] == '/')
                at++;
        while (at + n < value->n && value->text[at + n] != '/')
                n++;
        return (Component){at, n};
}

/* Notes what stars the component has. */
static int stars_check(const Entry *value, Component component, CleanPath *path)
{
        const char *name = value->text + component.at;
        const char *star = memchr(name, '*', component.n);
        size_t at;

        if (!star) {
                if (component.n == 1 && name[0] == '\0')
                        path->has_star_component = 1;
                return 0;
        }
        if (component.n == 1) {
                path->has_wildcard = 1;
                return 0;
        }
        at = component.at + (size_t) (star - name);
        if (component.n == 2 && name[0] == '*' && name[1] == '*')
                entry_fault(value, at, "end the path in a slash: that is all below, at any depth",
                            "there is no pattern **");
        else
                entry_fault(value, at,
                            "write a component * for any name, or between quotes \\* for the "
                            "character",
                            "* stands for a whole name: there are no patterns within one");
        return POLICY_E_SYNTAX;
}

static int component_check(const Entry *value, Component component)
{
        const char *name = value->text + component.at;

        if (component.n > NAME_MAX) {
                entry_fault(value, component.at, "", "the name is longer than %u bytes", NAME_MAX);
                return POLICY_E_SYNTAX;
        }
        if ((component.n == 1 && name[0] == '.') ||
            (component.n == 2 && memcmp(name, "..", 2) == 0)) {
                entry_fault(value, component.at, "write the path without it",
                            "a path has no \"%.*s\" in it", (int) component.n, name);
                return POLICY_E_SYNTAX;
        }
        return 0;
}

/* into: as long as the value and a NUL, and may be the value itself: what is written never
 * overtakes what is read. */
static void component_copy(char *into, const char *name, size_t n)
{
        for (size_t i = 0; i < n; i++)
                into[i] = name[i] ? name[i] : '*';
}

/* Copies the path's components, one slash before each; "/" if there is none. Returns the end, or
 * NULL with the faults added. */
static char *path_clean(const Entry *value, PathStars stars, char *into, CleanPath *path)
{
        Component component = next_component(value, 0);
        char *end = into;
        int r = 0;

        while (component.n > 0) {
                size_t next = component.at + component.n;

                if (component_check(value, component) != 0)
                        r = POLICY_E_SYNTAX;
                if (stars == PATH_STARS_WILD && stars_check(value, component, path) != 0)
                        r = POLICY_E_SYNTAX;
                *end++ = '/';
                component_copy(end, value->text + component.at, component.n);
                end += component.n;
                component = next_component(value, next);
        }
        if (end == into)
                *end++ = '/';
        *end++ = '\0';
        return r == 0 ? end : NULL;
}

static int path_check_begin(const Entry *value)
{
        char hint[128];

        if (value->n > 0 && value->text[0] == '/')
                return 0;
        snprintf(hint, sizeof(hint), "write /%s, or the path that is meant",
                 quoted(value->text, value->n).text);
        if (value->n == 0)
                entry_fault(value, 0, "write one that begins with /", "there is no path");
        else if (value->text[0] == '~')
                entry_fault(value, 0, "write the home directory's path, as /home/name",
                            "~ stands for nothing here");
        else
                entry_fault(value, 0, hint, "the path does not begin with a slash");
        return POLICY_E_SYNTAX;
}

static int stars_check_all(const Entry *value, const CleanPath *path)
{
        if (!path->has_wildcard || !path->has_star_component)
                return 0;
        entry_fault(value, 0, "write one rule without the one or the other",
                    "one * of the path stands for any name, another for itself");
        return POLICY_E_SYNTAX;
}

int path_read(const Entry *value, PathStars stars, CleanPath *ret_path)
{
        CleanPath path = {};
        char *into, *end;
        int r = path_check_begin(value);

        if (r != 0)
                return r;
        path.ends_in_slash = value->text[value->n - 1] == '/';
        into = value->is_copy ? (char *) value->text : *value->room;
        end = path_clean(value, stars, into, &path);
        if (!end || stars_check_all(value, &path) != 0)
                return POLICY_E_SYNTAX;
        if (end - into > PATH_MAX) {
                entry_fault(value, PATH_MAX - 1, "", "the path is longer than %u bytes",
                            PATH_MAX - 1);
                return POLICY_E_SYNTAX;
        }
        path.path = into;
        /* Most paths are clean as they stand and need no copy. */
        if (!value->is_copy && strcmp(into, value->text) == 0)
                path.path = value->text;
        else if (!value->is_copy)
                *value->room = end;
        *ret_path = path;
        return 0;
}
