/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy reference: see policy-reference.h. */
#include "policy-reference.h"

#include <stdlib.h>
#include <string.h>

#include "reference-place.h"

/* ---- the rules ---- */

/* A rule that fits, and how specific its object is; of two the lower numbers decide, in this order.
 */
typedef struct Candidate {
        const Rule *rule; /* NULL: none */
        uint64_t specific[3];
        uint32_t conditions; /* more decide */
        uint32_t number;
} Candidate;

typedef struct Question {
        const Reading *reading;
        const Who *who;
        const What *what;
        const char **number_names; /* by rule: see number_name() */
} Question;

typedef struct Cursor {
        const Reading *reading;
        size_t document, i;
        uint32_t number;
        const Rule *rule;
} Cursor;

/* Goes to the next rule of all documents that did not expire before the machine was started. */
static int next_rule(Cursor *cursor)
{
        while (cursor->document < cursor->reading->n_documents) {
                const Document *document = &cursor->reading->documents[cursor->document];

                if (cursor->i == policy_n_rules(document->policy)) {
                        cursor->document++;
                        cursor->i = 0;
                        continue;
                }
                cursor->rule = policy_rule(document->policy, cursor->i++);
                cursor->number++;
                if (!reference_is_expired(document, cursor->rule, 0))
                        return 1;
        }
        return 0;
}

static const Document *document_of(const Cursor *cursor)
{
        return &cursor->reading->documents[cursor->document];
}

static uint32_t n_conditions(const Rule *rule)
{
        return (uint32_t) __builtin_popcount(rule->options->subject);
}

static int verdict_order(RuleVerdict verdict)
{
        return verdict == RULE_ALLOW ? 0 : verdict == RULE_DENY ? 1 : 2;
}

static int is_before(const Candidate *a, const Candidate *b)
{
        for (size_t i = 0; i < sizeof(a->specific) / sizeof(a->specific[0]); i++)
                if (a->specific[i] != b->specific[i])
                        return a->specific[i] < b->specific[i];
        if (a->conditions != b->conditions)
                return a->conditions > b->conditions;
        if (a->rule->verdict != b->rule->verdict)
                return verdict_order(a->rule->verdict) < verdict_order(b->rule->verdict);
        return a->number < b->number;
}

/* ---- who ---- */

static int has_group(const Who *who, uint32_t gid)
{
        for (size_t i = 0; i < who->n_groups; i++)
                if (who->groups[i] == gid)
                        return 1;
        return who->gid == gid;
}

int reference_is_in_cgroup(const char *cgroup, const char *path)
{
        size_t n = strlen(path);

        if (!cgroup)
                return 0;
        if (strcmp(path, "/") == 0)
                return 1;
        if (path[0] == '/')
                return strncmp(cgroup, path, n) == 0 && (cgroup[n] == '/' || cgroup[n] == '\0');
        for (const char *slash = strchr(cgroup, '/'); slash; slash = strchr(slash + 1, '/'))
                if (strncmp(slash + 1, path, n) == 0 && (slash[n + 1] == '/' || !slash[n + 1]))
                        return 1;
        return 0;
}

static int is_in(const Who *who, const char *path, uint64_t id)
{
        if (path)
                return reference_is_in_cgroup(who->cgroup, path);
        for (size_t i = 0; i < who->n_cgroup_ids; i++)
                if (who->cgroup_ids[i] == id)
                        return 1;
        return 0;
}

static int is_program(const Question *question, const RuleOptions *options)
{
        Pattern patterns[2];
        size_t n = reference_locate(question->reading->resolver, options->exe, 1, patterns);
        int found = 0;

        for (size_t i = 0; i < n; i++) {
                Match match = reference_match(&patterns[i], &question->who->exe);

                found |= match.is_equal || (match.is_below && options->exe_below);
                reference_pattern_deinit(&patterns[i]);
        }
        return found;
}

static int fits(const Question *question, const Rule *rule)
{
        const RuleOptions *options = rule->options;
        const Who *who = question->who;

        if (options->subject & SUBJECT_UID && who->uid != options->uid)
                return 0;
        if (options->subject & SUBJECT_GID && !has_group(who, options->gid))
                return 0;
        if (options->subject & SUBJECT_VERIFIED && !who->is_verified)
                return 0;
        if (options->subject & SUBJECT_CGROUP && !is_in(who, options->cgroup, options->cgroup_id))
                return 0;
        return !(options->subject & SUBJECT_EXE) || is_program(question, options);
}

static int is_exempt(const Question *question)
{
        Cursor cursor = {.reading = question->reading};

        while (next_rule(&cursor))
                if (cursor.rule->kind == RULE_ALLOW_CGROUP &&
                    is_in(question->who, cursor.rule->cgroup.path, cursor.rule->cgroup.id))
                        return 1;
        return 0;
}

/* ---- what: each looks whether a rule is about it, and says how specifically ---- */

static int match_name(const Question *question, const Rule *rule, Candidate *candidate)
{
        Pattern patterns[2];
        size_t n;
        int found = 0;

        if (rule->kind != RULE_FILE || !(rule->file.access & question->what->access))
                return 0;
        n = reference_locate(question->reading->resolver, rule->file.path, rule->file.has_wildcard,
                             patterns);
        for (size_t i = 0; i < n; i++) {
                Match match = reference_match(&patterns[i], &question->what->file.name);
                Candidate other = *candidate;

                other.specific[0] = UINT64_MAX - match.depth;
                other.specific[1] = match.stars;
                other.specific[2] = rule->file.below;
                if ((match.is_equal || (match.is_below && rule->file.below)) &&
                    (!found || is_before(&other, candidate))) {
                        *candidate = other;
                        found = 1;
                }
                reference_pattern_deinit(&patterns[i]);
        }
        return found;
}

static int match_digest(const Question *question, const Rule *rule, Candidate *candidate)
{
        return rule->kind == RULE_DIGEST && question->what->access == ACCESS_EXEC &&
               memcmp(&rule->digest, &question->what->file.digest, sizeof(rule->digest)) == 0;
}

static int match_comm(const Question *question, const Rule *rule, Candidate *candidate)
{
        return rule->kind == RULE_COMM && question->what->access == ACCESS_EXEC &&
               question->what->file.comm && strncmp(rule->comm, question->what->file.comm, 15) == 0;
}

static int match_default(const Question *question, const Rule *rule, Candidate *candidate)
{
        return rule->kind == RULE_DEFAULT && (rule->def.access & question->what->access);
}

static int match_kernel(const Question *question, const Rule *rule, Candidate *candidate)
{
        return rule->kind == RULE_KERNEL && rule->kernel == question->what->kernel;
}

static int has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if ((address[i / 8] ^ prefix[i / 8]) & 0x80 >> i % 8)
                        return 0;
        return 1;
}

/* The longest prefix; a port, a range, any; and each with a protocol before any protocol. */
static int match_net(const Question *question, const Rule *rule, Candidate *candidate)
{
        const What *what = question->what;
        int is_any = rule->net.first_port == 0 && rule->net.last_port == 0;

        if (rule->kind != RULE_NET || !(rule->net.operations & what->access) ||
            !has_prefix(what->net.address, rule->net.address, rule->net.prefix) ||
            (rule->net.protocol && rule->net.protocol != what->net.protocol) ||
            (!is_any &&
             (what->net.port < rule->net.first_port || what->net.port > rule->net.last_port)))
                return 0;
        candidate->specific[0] = 128u - rule->net.prefix;
        candidate->specific[1] = is_any ? 2 : rule->net.first_port != rule->net.last_port;
        candidate->specific[2] = rule->net.protocol == 0;
        return 1;
}

/* ---- files by number ---- */

/* The name by which a rule is about the file with the number that is asked about: its path, or ""
 * if it says the number itself; NULL if it is not about it, or is so by no number. */
static const char *number_name(const Question *question, const Rule *rule)
{
        const What *what = question->what;
        Location location = {};
        int is_it;

        if (what->file.inode == 0)
                return NULL;
        if (rule->kind == RULE_INODE)
                return rule->inode.inode == what->file.inode &&
                                       rule->inode.device == what->file.name.device
                               ? ""
                               : NULL;
        if (rule->kind != RULE_FILE || !what->file.has_links ||
            reference_has_star(rule->file.path, rule->file.has_wildcard) ||
            question->reading->resolver->locate(question->reading->resolver->userdata,
                                                rule->file.path, &location) < 0)
                return NULL;
        is_it = location.exists && !location.is_directory && location.n_links > 1 &&
                location.inode == what->file.inode && location.device == what->file.name.device;
        location_deinit(&location);
        return is_it ? rule->file.path : NULL;
}

static uint32_t access_of(const Rule *rule)
{
        return rule->kind == RULE_INODE ? rule->inode.access : rule->file.access;
}

static int is_earnest(const Rule *rule)
{
        return rule->verdict == RULE_DENY && rule->options->mode != RULE_MODE_AUDIT;
}

static int is_for_anyone(const Rule *rule)
{
        return rule->options->subject == 0 && rule->options->ttl == 0;
}

static Candidate plain_candidate(const Rule *rule, uint32_t number)
{
        return (Candidate){.rule = rule, .number = number, .conditions = n_conditions(rule)};
}

/* Whether somebody is told of this access before the rule is. */
static int is_shadowed(const Question *question, const Candidate *candidate, const char *name,
                       uint32_t access)
{
        Cursor cursor = {.reading = question->reading};

        while (next_rule(&cursor)) {
                Candidate other = plain_candidate(cursor.rule, cursor.number);
                const char *other_name = question->number_names[cursor.number];

                if (other_name && strcmp(name, other_name) == 0 && is_before(&other, candidate) &&
                    is_for_anyone(other.rule) && access_of(other.rule) & access)
                        return 1;
        }
        return 0;
}

static int has_denial_behind(const Question *question, const Candidate *candidate, const char *name,
                             uint32_t access)
{
        Cursor cursor = {.reading = question->reading};

        while (next_rule(&cursor)) {
                Candidate other = plain_candidate(cursor.rule, cursor.number);
                const char *other_name = question->number_names[cursor.number];

                if (other_name && strcmp(name, other_name) == 0 && is_before(candidate, &other) &&
                    is_earnest(other.rule) && access_of(other.rule) & access &&
                    !is_shadowed(question, &other, name, access))
                        return 1;
        }
        return 0;
}

/* What is denied at one name of a file is denied at all; exceptions from that hold too. */
static int counts(const Question *question, const Candidate *candidate, const char *name,
                  uint32_t access)
{
        const Rule *rule = candidate->rule;

        if (!(access_of(rule) & access) || is_shadowed(question, candidate, name, access))
                return 0;
        return is_earnest(rule) ||
               (!is_for_anyone(rule) && has_denial_behind(question, candidate, name, access));
}

static int has_exceptions(const Question *question, const char *name)
{
        Cursor cursor = {.reading = question->reading};

        while (next_rule(&cursor)) {
                Candidate candidate = plain_candidate(cursor.rule, cursor.number);
                const char *other_name = question->number_names[cursor.number];

                if (!other_name || strcmp(name, other_name) != 0 || is_earnest(cursor.rule))
                        continue;
                for (uint32_t access = 1; access <= ACCESS_ALL; access <<= 1)
                        if (counts(question, &candidate, name, access))
                                return 1;
        }
        return 0;
}

/* A name without exceptions first. */
static int match_number(const Question *question, const Rule *rule, Candidate *candidate)
{
        const char *name = question->number_names[candidate->number];

        if (!name || !counts(question, candidate, name, question->what->access))
                return 0;
        candidate->specific[0] = (uint64_t) has_exceptions(question, name);
        return 1;
}

/* ---- who decides ---- */

typedef int (*MatchFunc)(const Question *question, const Rule *rule, Candidate *candidate);

static Candidate find_decider(const Question *question, MatchFunc match)
{
        Cursor cursor = {.reading = question->reading};
        Candidate best = {};

        while (next_rule(&cursor)) {
                Candidate candidate = plain_candidate(cursor.rule, cursor.number);

                if (match(question, cursor.rule, &candidate) && fits(question, cursor.rule) &&
                    !reference_is_expired(document_of(&cursor), cursor.rule, question->who->now) &&
                    (!best.rule || is_before(&candidate, &best)))
                        best = candidate;
        }
        return best;
}

static Verdict verdict_of(const Candidate *candidate)
{
        const RuleOptions *options = candidate->rule->options;
        Verdict verdict = {.rule = candidate->number};

        if (candidate->rule->verdict != RULE_DENY) {
                verdict.verdict =
                        candidate->rule->verdict == RULE_ALLOW ? CLAUSE_ALLOW : CLAUSE_AUDIT;
                return verdict;
        }
        verdict.verdict = CLAUSE_DENY;
        verdict.flags = options->mode == RULE_MODE_AUDIT     ? CLAUSE_RECORD
                        : options->mode == RULE_MODE_ENFORCE ? CLAUSE_ENFORCE
                                                             : 0;
        verdict.signal = (uint8_t) options->signal;
        return verdict;
}

static Verdict decide(const Question *question)
{
        /* The more specific object comes first. */
        static const MatchFunc orders[][6] = {
                [WHAT_FILE] = {match_digest, match_comm, match_number, match_name, match_default},
                [WHAT_NET] = {match_net},
                [WHAT_KERNEL] = {match_kernel},
        };

        if (is_exempt(question))
                return (Verdict){.is_exempt = 1};
        for (const MatchFunc *match = orders[question->what->kind]; *match; match++) {
                Candidate decider = find_decider(question, *match);

                if (decider.rule)
                        return verdict_of(&decider);
        }
        return (Verdict){};
}

Verdict reference_decide(const Reading *reading, const Who *who, const What *what)
{
        Question question = {.reading = reading, .who = who, .what = what};
        Cursor cursor = {.reading = reading};
        Verdict verdict;

        while (what->kind == WHAT_FILE && next_rule(&cursor)) {
                question.number_names =
                        realloc(question.number_names, (cursor.number + 1) * sizeof(char *));
                question.number_names[cursor.number] = number_name(&question, cursor.rule);
        }
        verdict = decide(&question);
        free(question.number_names);
        return verdict;
}

int reference_holds(const Reading *reading, const Place *directory)
{
        Cursor cursor = {.reading = reading};
        int found = 0;

        while (next_rule(&cursor)) {
                Pattern patterns[2];
                size_t n;

                if (cursor.rule->kind != RULE_FILE || !is_earnest(cursor.rule))
                        continue;
                n = reference_locate(reading->resolver, cursor.rule->file.path,
                                     cursor.rule->file.has_wildcard, patterns);
                for (size_t i = 0; i < n; i++) {
                        found |= reference_match(&patterns[i], directory).is_above;
                        reference_pattern_deinit(&patterns[i]);
                }
        }
        return found;
}
