/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lock-out: each need is asked of the image as the kernel would ask it, for root. What is only
 * recorded locks nobody out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint.h"
#include "util/array.h"

#define LOSSES_TOLD 3u /* a rule for / has them all */

/* A need that a rule denies. */
typedef struct Loss {
        uint32_t rule;  /* number in the image */
        uint32_t order; /* in which they were found: the table has the worst first */
        const char *loss;
        const char *what; /* the path, or "" */
} Loss;

typedef struct Lockout {
        const PolicyImage *image;
        const Resolver *resolver;
        const Document *documents;
        size_t n_documents;
        Diagnostics *diagnostics;
        Loss *losses;
        size_t n_losses, n_allocated;
} Lockout;

static int lose(Lockout *lockout, uint32_t rule, const char *loss, const char *what)
{
        if (ARRAY_RESERVE(lockout->losses, lockout->n_allocated, lockout->n_losses + 1) < 0)
                return -ENOMEM;
        lockout->losses[lockout->n_losses] = (Loss){rule, (uint32_t) lockout->n_losses, loss, what};
        lockout->n_losses++;
        return 0;
}

static int is_denial(const struct clause *clause)
{
        return clause && clause->verdict == CLAUSE_DENY && !(clause->flags & CLAUSE_RECORD);
}

/* Whether the clause is of [default]: what no rule names, and may not be there at all. */
static int is_default(const PolicyImage *image, const struct clause *clause)
{
        uint32_t number = (uint32_t) (clause - image->clauses);

        for (uint32_t i = image->default_list; i > 0 && i < image->n_clauses; i++) {
                if (i == number)
                        return 1;
                if (image->clauses[i].flags & CLAUSE_LAST)
                        break;
        }
        return 0;
}

/* ---- files ---- */

/* The file that a path leads to. */
static const Place *place_in_the_end(const Location *location)
{
        return location->target.path ? &location->target : &location->name;
}

/* The first clause that denies a part of the access, or NULL. */
static const struct clause *find_denial(const PolicyImage *image, const Asker *asker,
                                        const Place *place, uint32_t access)
{
        for (uint32_t bit = 1; bit <= ACCESS_ALL; bit <<= 1) {
                const FileQuestion question = {.name = place, .access = bit};
                const struct clause *clause;

                if (!(access & bit))
                        continue;
                clause = image_ask_file(image, asker, &question);
                if (is_denial(clause))
                        return clause;
        }
        return NULL;
}

/* A file that stands in one of several places is lost when a rule names one of them, or when the
 * default denies them all. A machine that is there tells which is meant. */
static int ask_need(Lockout *lockout, const Need *need, const Asker *asker)
{
        const struct clause *by_default = NULL;
        size_t n_asked = 0, n_by_default = 0;

        for (size_t i = 0; i < NEED_PATHS_MAX && need->paths[i]; i++) {
                const struct clause *clause;
                Location location = {};
                int r;

                r = lockout->resolver->locate(lockout->resolver->userdata, need->paths[i],
                                              &location);
                if (r < 0)
                        return r;
                clause = find_denial(lockout->image, asker, place_in_the_end(&location),
                                     need->access);
                location_deinit(&location);
                n_asked++;
                if (!clause)
                        continue;
                if (!is_default(lockout->image, clause))
                        return lose(lockout, clause->rule, need->loss, need->paths[i]);
                by_default = clause;
                n_by_default++;
        }
        return by_default && n_by_default == n_asked
                       ? lose(lockout, by_default->rule, need->loss, need->paths[0])
                       : 0;
}

/* exe may be NULL. */
static int locate_exe(const Lockout *lockout, const char *exe, Location *ret_location)
{
        *ret_location = (Location){};
        return exe ? lockout->resolver->locate(lockout->resolver->userdata, exe, ret_location) : 0;
}

static int ask_needs(Lockout *lockout)
{
        for (size_t i = 0; i < n_needs; i++) {
                Asker asker = {.cgroup = needs[i].cgroup};
                Location exe;
                int r = locate_exe(lockout, needs[i].exe, &exe);

                if (r < 0)
                        return r;
                if (needs[i].exe)
                        asker.exe = place_in_the_end(&exe);
                if (!image_leaves_unbound(lockout->image, &asker))
                        r = ask_need(lockout, &needs[i], &asker);
                location_deinit(&exe);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- the rest ---- */

static int ask_net_needs(Lockout *lockout)
{
        for (size_t i = 0; i < n_net_needs; i++) {
                Asker asker = {.cgroup = net_needs[i].cgroup};
                const struct clause *clause = NULL;
                Location exe;
                int r = locate_exe(lockout, net_needs[i].exe, &exe);

                if (r < 0)
                        return r;
                if (net_needs[i].exe)
                        asker.exe = place_in_the_end(&exe);
                if (!image_leaves_unbound(lockout->image, &asker))
                        clause = image_ask_net(lockout->image, &asker, &net_needs[i].question);
                location_deinit(&exe);
                if (is_denial(clause))
                        r = lose(lockout, clause->rule, net_needs[i].loss, "");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int ask_mount(Lockout *lockout)
{
        const Asker root = {};
        const struct clause *clause = image_ask_kernel(lockout->image, &root, KERNEL_MOUNT);

        return is_denial(clause) ? lose(lockout, clause->rule,
                                        "units with a file system of their own (PrivateTmp= and "
                                        "the like) could not start",
                                        "")
                                 : 0;
}

/* ---- telling ---- */

static int compare_losses(const void *a, const void *b)
{
        const Loss *x = a, *y = b;

        if (x->rule != y->rule)
                return x->rule < y->rule ? -1 : 1;
        return x->order < y->order ? -1 : x->order > y->order;
}

static int is_told(const Loss *losses, size_t n, const char *loss)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(losses[i].loss, loss) == 0)
                        return 1;
        return 0;
}

/* Which different losses the n of one rule are, in words. */
static void put_losses(FILE *out, const Loss *losses, size_t n)
{
        size_t n_told = 0, n_more = 0;

        for (size_t i = 0; i < n; i++) {
                if (is_told(losses, i, losses[i].loss))
                        continue;
                if (n_told >= LOSSES_TOLD) {
                        n_more++;
                        continue;
                }
                fprintf(out, "%s%s%s%s", n_told > 0 ? "; " : "", losses[i].what,
                        *losses[i].what ? ": " : "", losses[i].loss);
                n_told++;
        }
        if (n_more > 0)
                fprintf(out, "; and %zu more of the kind", n_more);
}

/* Columns are the document's to know. */
static void tell(const Lockout *lockout, const ImageRule *rule, const char *losses)
{
        for (size_t i = 0; i < lockout->n_documents; i++) {
                if (strcmp(lockout->documents[i].name, rule->document) != 0)
                        continue;
                diagnostics_add(
                        &lockout->diagnostics[i], SEVERITY_WARNING, rule->rule->line,
                        rule->rule->column,
                        "try it in mode audit first, or allow it to the programs that need it",
                        "this can lock out: %s", losses);
        }
}

static int tell_losses(const Lockout *lockout, const Loss *losses, size_t n)
{
        _cleanup_(freep) char *text = NULL;
        const ImageRule rule = policy_image_rule(lockout->image, losses[0].rule);
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return -ENOMEM;
        put_losses(out, losses, n);
        if (fclose(out) != 0)
                return -ENOMEM;
        tell(lockout, &rule, text);
        return 0;
}

static int tell_all(Lockout *lockout)
{
        size_t n;
        int r;

        if (lockout->n_losses > 0)
                qsort(lockout->losses, lockout->n_losses, sizeof(lockout->losses[0]),
                      compare_losses);
        for (size_t i = 0; i < lockout->n_losses; i += n) {
                n = 1;
                while (i + n < lockout->n_losses &&
                       lockout->losses[i + n].rule == lockout->losses[i].rule)
                        n++;
                r = tell_losses(lockout, &lockout->losses[i], n);
                if (r < 0)
                        return r;
        }
        return 0;
}

int lint_lockout(const PolicyImage *image, const Document *documents, size_t n_documents,
                 const Resolver *resolver, Diagnostics *diagnostics)
{
        Lockout lockout = {
                .image = image,
                .resolver = resolver,
                .documents = documents,
                .n_documents = n_documents,
                .diagnostics = diagnostics,
        };
        int r = ask_needs(&lockout);

        if (r == 0)
                r = ask_net_needs(&lockout);
        if (r == 0)
                r = ask_mount(&lockout);
        if (r == 0)
                r = tell_all(&lockout);
        free(lockout.losses);
        return r;
}
