/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Crosscheck: what sections of versions 1 to 6 mean to each other. There each section denied for
 * itself, and what one allowed was allowed by it alone; rules of one set are weighed against each
 * other instead. So an allowance that another section of the document would not have minded is
 * taken back here. Version 7 says what it means by its rules alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "util/fiber.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int is_of(const Rule *rule, const char *section)
{
        return strcmp(rule->section, section) == 0;
}

/* A rule that is taken back has no line until all are. */
static void take_back(Rule *rule)
{
        rule->line = 0;
}

static void drop_taken_back(Policy *policy)
{
        size_t n = 0;

        for (size_t i = 0; i < policy->n_rules; i++)
                if (policy->rules[i].line > 0)
                        policy->rules[n++] = policy->rules[i];
        policy->n_rules = n;
}

/* ---- flags ---- */

static void check_flags(const Policy *policy, Diagnostics *diagnostics)
{
        int has_protected = policy->protect_connect_line > 0, has_trusted = 0;

        if (policy->runtime_deps_line == 0 && policy->ima_fail_closed_line == 0)
                return;
        for (size_t i = 0; i < policy->n_rules; i++) {
                has_protected |= is_of(&policy->rules[i], "protect_path");
                has_trusted |= is_of(&policy->rules[i], "trusted_exec_hash");
        }
        if (policy->runtime_deps_line > 0 && !has_protected)
                diagnostics_add(diagnostics, SEVERITY_FAULT, policy->runtime_deps_line, 1,
                                "write [protect_connect], or a path under [protect_path]",
                                "[protect_runtime_deps] has nothing that it protects");
        if (policy->ima_fail_closed_line > 0 && !has_trusted)
                diagnostics_add(diagnostics, SEVERITY_FAULT, policy->ima_fail_closed_line, 1,
                                "write a digest under [trusted_exec_hash]",
                                "[ima_fail_closed] has no list of digests that it is about");
}

/* ---- digests ---- */

static int compare_digests(const void *a, const void *b)
{
        const Rule *x = *(const Rule *const *) a, *y = *(const Rule *const *) b;
        int r = memcmp(&x->digest, &y->digest, sizeof(x->digest));

        fiber_pace();
        return r != 0 ? r : COMPARE(x->line, y->line);
}

/* Which lists have one digest. */
typedef struct Lists {
        int denied, allowed, trusted;
} Lists;

static void note_list(Lists *lists, const Rule *rule)
{
        lists->denied |= is_of(rule, "deny_binary_hash");
        lists->allowed |= is_of(rule, "allow_binary_hash");
        lists->trusted |= is_of(rule, "trusted_exec_hash");
}

static void judge_digest(Rule *rule, const Lists *here, const Lists *anywhere,
                         Diagnostics *diagnostics)
{
        const char *message;

        if (rule->verdict != RULE_ALLOW)
                return;
        if (here->denied)
                message = "this digest is under [deny_binary_hash] too, and denied";
        else if (anywhere->allowed && anywhere->trusted && !(here->allowed && here->trusted))
                message = "of two lists of digests, both must have what may run: this is in one";
        else
                return;
        diagnostics_add(diagnostics, SEVERITY_WARNING, rule->line, rule->column,
                        here->denied ? "remove one of the two"
                                     : "write it under [allow_binary_hash] and [trusted_exec_hash]",
                        "%s", message);
        take_back(rule);
}

static int check_digests(Policy *policy, Diagnostics *diagnostics)
{
        _cleanup_(freep) Rule **sorted = NULL;
        Lists anywhere = {}, here;
        size_t n = 0, next;

        sorted = calloc(policy->n_rules, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_rules; i++) {
                if (policy->rules[i].kind != RULE_DIGEST)
                        continue;
                note_list(&anywhere, &policy->rules[i]);
                sorted[n++] = &policy->rules[i];
        }
        qsort(sorted, n, sizeof(*sorted), compare_digests);
        for (size_t i = 0; i < n; i = next) {
                here = (Lists){};
                for (next = i; next < n && memcmp(&sorted[next]->digest, &sorted[i]->digest,
                                                  sizeof(sorted[i]->digest)) == 0;
                     next++)
                        note_list(&here, sorted[next]);
                for (size_t k = i; k < next; k++)
                        judge_digest(sorted[k], &here, &anywhere, diagnostics);
        }
        return 0;
}

/* What a list of digests allows is allowed whatever the program's name. */
static void warn_of_comms(const Policy *policy, Diagnostics *diagnostics)
{
        for (size_t i = 0; i < policy->n_rules; i++) {
                if (policy->rules[i].kind != RULE_COMM)
                        continue;
                diagnostics_add(diagnostics, SEVERITY_WARNING, policy->rules[i].line,
                                policy->rules[i].column, "",
                                "a program whose digest is allowed runs under this name too");
                return;
        }
}

/* ---- paths ---- */

/* So that what is below a path follows it at once. */
static int compare_paths(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        if (*a == *b)
                return 0;
        if (!*a || !*b)
                return *a ? 1 : -1;
        if (*a == '/' || *b == '/')
                return *a == '/' ? -1 : 1;
        return (unsigned char) *a < (unsigned char) *b ? -1 : 1;
}

/* Of one path the denial comes first. */
static int compare_files(const void *a, const void *b)
{
        const Rule *x = *(const Rule *const *) a, *y = *(const Rule *const *) b;
        int r = compare_paths(x->file.path, y->file.path);

        fiber_pace();
        return r != 0 ? r : COMPARE(x->verdict, y->verdict);
}

static int is_below(const char *path, const char *above)
{
        size_t n = strlen(above);

        if (n == 1)
                return 1;
        return strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static size_t collect_paths(Policy *policy, Rule **ret_rules)
{
        size_t n = 0;

        for (size_t i = 0; i < policy->n_rules; i++) {
                Rule *rule = &policy->rules[i];

                if (is_of(rule, "deny_path") ||
                    (is_of(rule, "protect_path") && rule->verdict == RULE_ALLOW))
                        ret_rules[n++] = rule;
        }
        return n;
}

/* What is denied to all is denied to verified programs too. */
static int check_paths(Policy *policy, Diagnostics *diagnostics)
{
        _cleanup_(freep) Rule **sorted = NULL;
        const Rule *denial = NULL;
        size_t n;

        sorted = calloc(policy->n_rules, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        n = collect_paths(policy, sorted);
        qsort(sorted, n, sizeof(*sorted), compare_files);
        for (size_t i = 0; i < n; i++) {
                if (denial && is_below(sorted[i]->file.path, denial->file.path)) {
                        if (sorted[i]->verdict != RULE_ALLOW)
                                continue;
                        diagnostics_add(
                                diagnostics, SEVERITY_WARNING, sorted[i]->line, sorted[i]->column,
                                "remove one of the two",
                                "[deny_path] denies it to all on line %u: verified programs "
                                "do not pass",
                                denial->line);
                        take_back(sorted[i]);
                } else if (sorted[i]->verdict == RULE_DENY) {
                        denial = sorted[i];
                }
        }
        return 0;
}

/* Where digests say what may run, a path lets no one run anything: its digest does. */
static void leave_running_to_digests(Policy *policy)
{
        for (size_t i = 0; i < policy->n_rules; i++)
                if (is_of(&policy->rules[i], "protect_path"))
                        policy->rules[i].file.access &= ~ACCESS_EXEC;
}

static int has_section(const Policy *policy, const char *section)
{
        for (size_t i = 0; i < policy->n_rules; i++)
                if (is_of(&policy->rules[i], section))
                        return 1;
        return 0;
}

int crosscheck(Policy *policy, Diagnostics *diagnostics)
{
        int r;

        check_flags(policy, diagnostics);
        if (policy->has_allow_list) {
                r = check_digests(policy, diagnostics);
                if (r < 0)
                        return r;
                warn_of_comms(policy, diagnostics);
        }
        if (has_section(policy, "protect_path")) {
                r = check_paths(policy, diagnostics);
                if (r < 0)
                        return r;
                if (policy->has_allow_list)
                        leave_running_to_digests(policy);
        }
        drop_taken_back(policy);
        return 0;
}
