/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Order: rules that never decide, since another decides before; or that change nothing, since
 * nothing denies what they allow. Sorting brings together what must be compared, so that a hundred
 * thousand rules are no more work than their number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/meaning.h"
#include "policy/pattern.h"
#include "util/array.h"
#include "util/fiber.h"

/* A rule of the set. */
typedef struct Member {
        const Rule *rule;
        size_t document, number; /* in its document */
} Member;

/* What is denied, or recorded, at a place. */
typedef struct Denied {
        Place place;
        uint32_t own, below; /* access */
} Denied;

typedef struct Order {
        const Document *documents;
        const Resolver *resolver;
        Diagnostics *diagnostics;
        Member *members;
        size_t n_members;
        Denied *denied; /* by place */
        size_t n_denied, n_denied_allocated;
        const Rule **wild; /* denials whose path has a * */
        size_t n_wild, n_wild_allocated;
        const char **unbound; /* allow_cgroup, by path */
        size_t n_unbound, n_unbound_allocated;
        uint32_t denied_by_default, denied_files, denied_operations;
} Order;

#define warn(order, member, hint, ...)                                                             \
        diagnostics_add(&(order)->diagnostics[(member)->document], SEVERITY_WARNING,               \
                        (member)->rule->line, (member)->rule->column, (hint), __VA_ARGS__)

/* "line 4", or "line 4 of web" for a rule of another document. */
typedef struct PlaceName {
        char text[POLICY_NAME_MAX + 32];
} PlaceName;

static PlaceName place_of(const Order *order, const Member *member, const Member *reader)
{
        PlaceName name;

        if (member->document == reader->document)
                snprintf(name.text, sizeof(name.text), "line %u", member->rule->line);
        else
                snprintf(name.text, sizeof(name.text), "line %u of %s", member->rule->line,
                         order->documents[member->document].name);
        return name;
}

/* ---- which decides first ---- */

static int rank_of(RuleVerdict verdict)
{
        switch (verdict) {
        case RULE_ALLOW:
                return 0;
        case RULE_DENY:
                return 1;
        case RULE_AUDIT:
                return 2;
        }
        return 3;
}

static int compare_sides(const Member *a, const Member *b)
{
        int r = rule_compare_objects(a->rule, b->rule);

        return r != 0 ? r : rule_compare_subjects(a->rule, b->rule);
}

static int compare_members(const void *a, const void *b)
{
        const Member *x = a, *y = b;
        int r = compare_sides(x, y);

        fiber_pace();
        if (r == 0)
                r = rank_of(x->rule->verdict) - rank_of(y->rule->verdict);
        if (r == 0)
                r = (x->document > y->document) - (x->document < y->document);
        return r != 0 ? r : (x->number > y->number) - (x->number < y->number);
}

/* decider: the first of those that leave nothing. */
static void tell_shadowed(const Order *order, const Member *member, const Member *decider)
{
        PlaceName place = place_of(order, decider, member);

        /* the parser has seen those of one document */
        if (rule_compare(member->rule, decider->rule) == 0) {
                if (member->document != decider->document)
                        warn(order, member, "remove one of the two", "%s says this already",
                             place.text);
                return;
        }
        if (member->rule->verdict == decider->rule->verdict)
                warn(order, member, "remove one of the two",
                     "this never decides anything: %s decides first, and says the same of it",
                     place.text);
        else
                warn(order, member, "remove one of the two",
                     "this never decides anything: %s decides first, and %s it", place.text,
                     decider->rule->verdict == RULE_ALLOW ? "allows" : "denies");
}

/* Rules about one object and one subject, in the order in which they decide. */
static void check_side(const Order *order, const Member *members, size_t n)
{
        uint32_t decided = 0;

        for (size_t i = 0; i < n; i++) {
                uint32_t access = rule_access(members[i].rule);
                size_t first = 0;

                if (decided != 0 && (access & ~decided) == 0) {
                        while (members[first].rule->options->ttl > 0 ||
                               !(rule_access(members[first].rule) & access))
                                first++;
                        tell_shadowed(order, &members[i], &members[first]);
                }
                if (members[i].rule->options->ttl == 0)
                        decided |= access;
        }
}

static void check_sides(const Order *order)
{
        size_t n;

        for (size_t i = 0; i < order->n_members; i += n) {
                n = 1;
                while (i + n < order->n_members &&
                       compare_sides(&order->members[i], &order->members[i + n]) == 0)
                        n++;
                check_side(order, &order->members[i], n);
        }
}

/* ---- cgroups that no rule binds ---- */

static int compare_strings(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int is_unbound(const Order *order, const char *name)
{
        return order->n_unbound > 0 && bsearch(&name, order->unbound, order->n_unbound,
                                               sizeof(*order->unbound), compare_strings) != NULL;
}

/* Whether the cgroup or one above it is freed, by its path or by a unit's name. */
static int cgroup_is_unbound(const Order *order, const char *cgroup)
{
        _cleanup_(freep) char *path = strdup(cgroup);

        for (char *slash; path && *path != '\0'; *slash = '\0') {
                slash = strrchr(path, '/');
                if (is_unbound(order, path) || (slash && is_unbound(order, slash + 1)))
                        return 1;
                if (!slash)
                        break;
        }
        return 0;
}

static void check_cgroup(const Order *order, const Member *member)
{
        const RuleOptions *options = member->rule->options;

        if ((options->subject & SUBJECT_CGROUP) && options->cgroup &&
            cgroup_is_unbound(order, options->cgroup))
                warn(order, member, "remove one of the two",
                     "no rule binds a process in this cgroup: allow_cgroup names it, or one above "
                     "it");
}

/* ---- allowances ---- */

static int compare_denied(const void *a, const void *b)
{
        const Denied *x = a, *y = b;

        if (x->place.device != y->place.device)
                return x->place.device < y->place.device ? -1 : 1;
        return strcmp(x->place.path, y->place.path);
}

static void merge_denied(Order *order)
{
        size_t n = 0;

        if (order->n_denied > 0)
                qsort(order->denied, order->n_denied, sizeof(*order->denied), compare_denied);
        for (size_t i = 0; i < order->n_denied; i++) {
                Denied *last = n > 0 ? &order->denied[n - 1] : NULL;

                if (!last || compare_denied(last, &order->denied[i]) != 0) {
                        order->denied[n++] = order->denied[i];
                        continue;
                }
                last->own |= order->denied[i].own;
                last->below |= order->denied[i].below;
                free(order->denied[i].place.path);
        }
        order->n_denied = n;
}

/* path: cut on the way up. */
static uint32_t denied_at(const Order *order, uint32_t device, char *path)
{
        const Denied key = {.place = {device, path}};
        uint32_t access = 0;

        for (int is_above = 0;; is_above = 1) {
                const Denied *denied = order->n_denied == 0
                                               ? NULL
                                               : bsearch(&key, order->denied, order->n_denied,
                                                         sizeof(*order->denied), compare_denied);
                char *slash = strrchr(path, '/');

                if (denied)
                        access |= denied->below | (is_above ? 0 : denied->own);
                if (path[1] == '\0' || !slash)
                        return access;
                slash[slash == path] = '\0';
        }
}

#define WILD_MAX 1000u /* beyond it nothing is said of allowances */

static uint32_t denied_by_patterns(const Order *order, const char *path)
{
        uint32_t access = 0;

        for (size_t i = 0; i < order->n_wild; i++)
                if (pattern_covers(order->wild[i]->file.path, path, 1, 1))
                        access |= order->wild[i]->file.access;
        return access;
}

static int check_allowed_file(const Order *order, const Member *member)
{
        const Rule *rule = member->rule;
        Location location = {};
        uint32_t denied;
        int r;

        if (rule->file.has_wildcard || order->n_wild > WILD_MAX)
                return 0;
        r = order->resolver->locate(order->resolver->userdata, rule->file.path, &location);
        if (r < 0)
                return r;
        denied = order->denied_by_default | denied_by_patterns(order, rule->file.path) |
                 denied_at(order, location.name.device, location.name.path);
        location_deinit(&location);
        if (!(denied & rule->file.access))
                warn(order, member, "remove it, or deny what it is to be an exception of",
                     "this changes nothing: nothing denies what it allows");
        return 0;
}

static int check_allowed(const Order *order, const Member *member)
{
        int is_idle = 0;

        if (member->rule->verdict != RULE_ALLOW)
                return 0;
        switch (member->rule->kind) {
        case RULE_FILE:
                return check_allowed_file(order, member);
        case RULE_NET:
                is_idle = !(member->rule->net.operations & order->denied_operations);
                break;
        case RULE_COMM:
        case RULE_DIGEST:
                is_idle = !((order->denied_files | order->denied_by_default) & ACCESS_EXEC);
                break;
        case RULE_INODE:
        case RULE_KERNEL:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                break;
        }
        if (is_idle)
                warn(order, member, "remove it, or deny what it is to be an exception of",
                     "this changes nothing: nothing denies what it allows");
        return 0;
}

/* ---- collecting ---- */

static int add_denied_file(Order *order, const Rule *rule)
{
        Location location = {};
        uint32_t access = rule->file.access;
        int r;

        order->denied_files |= access;
        if (rule->file.has_wildcard) {
                if (ARRAY_RESERVE(order->wild, order->n_wild_allocated, order->n_wild + 1) < 0)
                        return -ENOMEM;
                order->wild[order->n_wild++] = rule;
                return 0;
        }
        if (ARRAY_RESERVE(order->denied, order->n_denied_allocated, order->n_denied + 1) < 0)
                return -ENOMEM;
        r = order->resolver->locate(order->resolver->userdata, rule->file.path, &location);
        if (r < 0)
                return r;
        order->denied[order->n_denied++] = (Denied){
                .place = {location.name.device, TAKE_PTR(location.name.path)},
                .own = access,
                .below = rule->file.below ? access : 0,
        };
        location_deinit(&location);
        return 0;
}

static int add_rule(Order *order, const Rule *rule)
{
        if (rule->kind == RULE_ALLOW_CGROUP && rule->cgroup.path) {
                if (ARRAY_RESERVE(order->unbound, order->n_unbound_allocated,
                                  order->n_unbound + 1) < 0)
                        return -ENOMEM;
                order->unbound[order->n_unbound++] = rule->cgroup.path;
        }
        if (rule->verdict == RULE_ALLOW)
                return 0;
        if (rule->kind == RULE_DEFAULT)
                order->denied_by_default |= rule->def.access;
        if (rule->kind == RULE_NET)
                order->denied_operations |= rule->net.operations;
        return rule->kind == RULE_FILE ? add_denied_file(order, rule) : 0;
}

static int collect(Order *order, size_t n_documents)
{
        size_t n = 0;

        for (size_t i = 0; i < n_documents; i++)
                n += policy_n_rules(order->documents[i].policy);
        order->members = calloc(n + 1, sizeof(*order->members));
        if (!order->members)
                return -ENOMEM;
        for (size_t i = 0; i < n_documents; i++)
                for (size_t j = 0; j < policy_n_rules(order->documents[i].policy); j++) {
                        const Rule *rule = policy_rule(order->documents[i].policy, j);
                        int r = add_rule(order, rule);

                        fiber_pace();
                        if (r < 0)
                                return r;
                        order->members[order->n_members++] = (Member){rule, i, j};
                }
        merge_denied(order);
        if (order->n_unbound > 0)
                qsort(order->unbound, order->n_unbound, sizeof(*order->unbound), compare_strings);
        if (n > 0)
                qsort(order->members, n, sizeof(*order->members), compare_members);
        return 0;
}

static void order_deinit(Order *order)
{
        for (size_t i = 0; i < order->n_denied; i++)
                free(order->denied[i].place.path);
        free(order->denied);
        free(order->members);
        free(order->wild);
        free(order->unbound);
}

static int check_members(const Order *order)
{
        check_sides(order);
        for (size_t i = 0; i < order->n_members; i++) {
                int r = check_allowed(order, &order->members[i]);

                fiber_pace();
                if (r < 0)
                        return r;
                check_cgroup(order, &order->members[i]);
        }
        return 0;
}

int lint_order(const Document *documents, size_t n_documents, const Resolver *resolver,
               Diagnostics *diagnostics)
{
        Order order = {.documents = documents, .resolver = resolver, .diagnostics = diagnostics};
        int r = collect(&order, n_documents);

        if (r == 0)
                r = check_members(&order);
        order_deinit(&order);
        return r;
}
