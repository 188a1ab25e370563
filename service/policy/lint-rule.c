/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule: what a single rule says that its author may have meant otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/text.h"
#include "util/array.h"

#define warn(rule, diagnostics, hint, ...)                                                         \
        diagnostics_add((diagnostics), SEVERITY_WARNING, (rule)->line, (rule)->column, (hint),     \
                        __VA_ARGS__)

/* ---- cgroups ---- */

static const char *const unit_endings[] = {".service", ".scope",  ".slice",
                                           ".mount",   ".socket", ".swap"};

static int is_unit(const char *name, size_t n)
{
        for (size_t i = 0; i < ELEMENTS_OF(unit_endings); i++) {
                size_t n_ending = strlen(unit_endings[i]);

                if (n > n_ending && memcmp(name + n - n_ending, unit_endings[i], n_ending) == 0)
                        return 1;
        }
        return 0;
}

#define ENDING_MAX 16u /* longer ones are no slip of the pen */

/* How many letters must be put in, left out or exchanged to make b of a: Levenshtein's distance, by
 * rows. */
static unsigned distance(const char *a, size_t n_a, const char *b)
{
        unsigned row[ENDING_MAX + 1];
        size_t n_b = strlen(b);

        for (size_t j = 0; j <= n_b; j++)
                row[j] = (unsigned) j;
        for (size_t i = 1; i <= n_a; i++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned) i;
                for (size_t j = 1; j <= n_b; j++) {
                        unsigned above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

                        if (above + 1 < best)
                                best = above + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        row[j] = best;
                        diagonal = above;
                }
        }
        return row[n_b];
}

static const char *meant_ending(const char *name, size_t n)
{
        const char *dot = memrchr(name, '.', n);
        size_t n_ending = dot ? (size_t) (name + n - dot) : 0;

        if (n_ending < 3 || n_ending > ENDING_MAX)
                return NULL;
        for (size_t i = 0; i < ELEMENTS_OF(unit_endings); i++)
                if (distance(dot, n_ending, unit_endings[i]) <= 2)
                        return unit_endings[i];
        return NULL;
}

static void check_component(const Rule *rule, const char *name, size_t n, Diagnostics *diagnostics)
{
        const char *ending = is_unit(name, n) ? NULL : meant_ending(name, n);
        char hint[64];

        if (!ending)
                return;
        snprintf(hint, sizeof(hint), "write %s, if that is meant", ending);
        warn(rule, diagnostics, hint, "\"%s\" does not end as a unit's name does",
             quoted(name, n).text);
}

/* Below these there is nothing but units, and what units make for themselves. */
static void check_slice(const Rule *rule, const char *cgroup, Diagnostics *diagnostics)
{
        static const char *const slices[] = {"/system.slice/", "/user.slice/"};

        for (size_t i = 0; i < ELEMENTS_OF(slices); i++) {
                size_t n = strlen(slices[i]), n_name;

                if (strncmp(cgroup, slices[i], n) != 0)
                        continue;
                n_name = strcspn(cgroup + n, "/");
                if (!is_unit(cgroup + n, n_name) && !meant_ending(cgroup + n, n_name))
                        warn(rule, diagnostics, "write the whole name, as nginx.service",
                             "\"%s\" is no unit's name: nothing runs in such a cgroup",
                             quoted(cgroup + n, n_name).text);
        }
}

/* systemd puts services and scopes into slices. */
static void check_root(const Rule *rule, const char *cgroup, Diagnostics *diagnostics)
{
        static const char service[] = ".service";
        size_t n = strlen(cgroup);
        char hint[128];

        if (strchr(cgroup + 1, '/') || n <= sizeof(service) ||
            strcmp(cgroup + n - strlen(service), service) != 0)
                return;
        snprintf(hint, sizeof(hint), "write /system.slice%s", quoted(cgroup, n).text);
        warn(rule, diagnostics, hint, "a service does not lie at the root of the cgroups");
}

static void check_cgroup(const Rule *rule, const char *cgroup, Diagnostics *diagnostics)
{
        for (const char *at = cgroup; *at != '\0';) {
                size_t n;

                at += strspn(at, "/");
                n = strcspn(at, "/");
                check_component(rule, at, n, diagnostics);
                at += n;
        }
        if (cgroup[0] != '/')
                return;
        check_slice(rule, cgroup, diagnostics);
        check_root(rule, cgroup, diagnostics);
}

/* ---- options ---- */

#define TTL_SHORT 10u
#define TTL_LONG (366u * 24 * 3600)

static void check_options(const Rule *rule, Diagnostics *diagnostics)
{
        const RuleOptions *options = rule->options;

        if (options->ttl > 0 && options->ttl < TTL_SHORT)
                warn(rule, diagnostics, "write ttl=10s or more",
                     "the rule ends before anyone could see what it does");
        if (options->ttl > TTL_LONG)
                warn(rule, diagnostics, "leave ttl= out if the rule is for good",
                     "the rule outlives the year");
        if (rule->verdict != RULE_DENY && options->mode != RULE_MODE_SERVICE)
                warn(rule, diagnostics, "remove mode=",
                     "mode= is about denials: here it changes "
                     "nothing");
        if (options->signal > SIGNAL_NONE &&
            (rule->verdict != RULE_DENY || options->mode == RULE_MODE_AUDIT))
                warn(rule, diagnostics, "remove it",
                     "a signal follows a denial, and nothing is "
                     "denied here");
}

/* ---- wildcards ---- */

/* Directories in which names are looked up all the time. */
static const char *const busy[] = {"/",          "/usr",  "/usr/bin", "/usr/sbin", "/usr/lib",
                                   "/usr/share", "/bin",  "/sbin",    "/lib",      "/lib64",
                                   "/etc",       "/proc", "/tmp",     "/dev",      "/var"};

static void check_wildcard(const Rule *rule, Diagnostics *diagnostics)
{
        const char *path = rule->file.path, *star = strstr(path, "/*");
        size_t n = star > path ? (size_t) (star - path) : 1;

        for (size_t i = 0; star && i < ELEMENTS_OF(busy); i++)
                if (strlen(busy[i]) == n && memcmp(busy[i], path, n) == 0)
                        warn(rule, diagnostics, "name the directories that are meant",
                             "* stands for every name in %s: each access to one takes a look more",
                             busy[i]);
}

void lint_rule(const Rule *rule, Diagnostics *diagnostics)
{
        if (rule->kind == RULE_ALLOW_CGROUP && rule->cgroup.path)
                check_cgroup(rule, rule->cgroup.path, diagnostics);
        if ((rule->options->subject & SUBJECT_CGROUP) && rule->options->cgroup)
                check_cgroup(rule, rule->options->cgroup, diagnostics);
        check_options(rule, diagnostics);
        if (rule->kind == RULE_FILE && rule->file.has_wildcard)
                check_wildcard(rule, diagnostics);
}
