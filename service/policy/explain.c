/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain: see explain.h. Rules are read as a person would read them; the tables that were made of
 * them have forgotten who lost. Where paths lead is remembered by the compilation. */
#include "policy/explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/covers.h"
#include "policy/pattern.h"
#include "util/array.h"
#include "util/fiber.h"

/* ---- paths ---- */

static int place_fits(const Place *pattern, const char *rest, const Place *place, int below)
{
        size_t n = strcmp(pattern->path, "/") == 0 ? 0 : strlen(pattern->path);

        if (pattern->device != place->device ||
            !pattern_covers(pattern->path, place->path, 0, below || *rest != '\0'))
                return 0;
        return *rest == '\0' || pattern_covers(rest, place->path + n, 1, below);
}

/* A path of a rule: where it lies now. */
typedef struct Pattern {
        const char *path;
        int wild, below;
} Pattern;

/* Returns 1, 0 or a negative errno. */
static int pattern_fits(const Pattern *pattern, const Resolver *resolver, const Place *place)
{
        size_t n = pattern_literal(pattern->path, pattern->wild);
        const char *rest = pattern->path + n;
        _cleanup_(location_deinit) Location location = {0};
        _cleanup_(freep) char *head = n > 0 ? strndup(pattern->path, n) : strdup("/");
        int r;

        if (!head)
                return -ENOMEM;
        r = resolver->locate(resolver->userdata, head, &location);
        if (r < 0)
                return r;
        return place_fits(&location.name, rest, place, pattern->below) ||
               (location.target.path && place_fits(&location.target, rest, place, pattern->below));
}

/* ---- subjects ---- */

static int exe_fits(const RuleOptions *options, const Asker *asker, const Resolver *resolver)
{
        const Pattern pattern = {.path = options->exe, .wild = 1, .below = options->exe_below != 0};

        return asker->exe ? pattern_fits(&pattern, resolver, asker->exe) : 0;
}

/* Returns 1, 0 or a negative errno. */
static int subject_fits(const RuleOptions *options, const Asker *asker, const Resolver *resolver)
{
        if ((options->subject & SUBJECT_UID) && options->uid != asker->uid)
                return 0;
        if ((options->subject & SUBJECT_GID) && options->gid != asker->gid)
                return 0;
        if ((options->subject & SUBJECT_VERIFIED) && !asker->is_verified)
                return 0;
        if ((options->subject & SUBJECT_CGROUP) &&
            !asker_is_in_cgroup(asker, options->cgroup, options->cgroup_id))
                return 0;
        return options->subject & SUBJECT_EXE ? exe_fits(options, asker, resolver) : 1;
}

/* ---- objects ---- */

#define COVERS_NAME 1u
#define COVERS_TARGET 2u
#define COVERS_UNKNOWN 4u

/* A rule that is about what was asked, if it is about that access. */
struct Candidate {
        const Document *document;
        const Rule *rule;
        uint32_t covers; /* of a rule about names */
};

static int file_fits(const Candidate *candidate, const Question *question, uint32_t bits,
                     const Resolver *resolver)
{
        const Rule *rule = candidate->rule;
        const Place *place = question_place(question, bits);
        const Pattern pattern = {.path = rule->file.path,
                                 .wild = rule->file.has_wildcard,
                                 .below = rule->file.below};

        if (question->rule->kind != RULE_FILE || !(rule->file.access & bits))
                return 0;
        if (candidate->covers & COVERS_UNKNOWN)
                return pattern_fits(&pattern, resolver, place);
        return (candidate->covers &
                (place == &question->path.name ? COVERS_NAME : COVERS_TARGET)) != 0;
}

static int inode_fits(const Rule *rule, const Question *question, uint32_t bits)
{
        return question->rule->kind == RULE_FILE && (rule->inode.access & bits) &&
               question->path.exists && rule->inode.inode == question->path.inode &&
               rule->inode.device == question->path.device;
}

static int comm_fits(const Rule *rule, const Question *question, uint32_t bits)
{
        const char *slash, *name = NULL;

        if (question->rule->kind == RULE_COMM)
                name = question->rule->comm;
        else if (question->rule->kind == RULE_FILE && (bits & ACCESS_EXEC)) {
                slash = strrchr(question_place(question, bits)->path, '/');
                name = slash ? slash + 1 : NULL;
        }
        return name && strncmp(rule->comm, name, sizeof(((struct comm_key *) 0)->name) - 1) == 0;
}

static int net_fits(const Rule *rule, const Question *question, uint32_t bits)
{
        const Rule *asked = question->rule;
        uint16_t protocol = asked->net.protocol ? asked->net.protocol : IPPROTO_TCP;
        unsigned n = rule->net.prefix / 8, rest = rule->net.prefix % 8;

        if (asked->kind != RULE_NET || !(rule->net.operations & bits))
                return 0;
        if (rule->net.protocol && rule->net.protocol != protocol)
                return 0;
        if (rule->net.last_port && (asked->net.first_port < rule->net.first_port ||
                                    asked->net.first_port > rule->net.last_port))
                return 0;
        return memcmp(rule->net.address, asked->net.address, n) == 0 &&
               (rest == 0 || !((rule->net.address[n] ^ asked->net.address[n]) >> (8 - rest)));
}

/* Whether the rule is about what was asked, whoever asks. Returns 1, 0 or a negative errno. */
static int object_fits(const Candidate *candidate, const Question *question, uint32_t bits,
                       const Resolver *resolver)
{
        RuleKind asked = question->rule->kind;
        const Rule *rule = candidate->rule;

        switch (rule->kind) {
        case RULE_FILE:
                return file_fits(candidate, question, bits, resolver);
        case RULE_INODE:
                return inode_fits(rule, question, bits);
        case RULE_NET:
                return net_fits(rule, question, bits);
        case RULE_KERNEL:
                return asked == RULE_KERNEL && rule->kernel == question->rule->kernel;
        case RULE_COMM:
                return comm_fits(rule, question, bits);
        case RULE_DIGEST:
                return asked == RULE_DIGEST &&
                       memcmp(&rule->digest, &question->rule->digest, sizeof(rule->digest)) == 0;
        case RULE_DEFAULT:
                return asked != RULE_NET && asked != RULE_KERNEL && (rule->def.access & bits);
        case RULE_ALLOW_CGROUP:
                break;
        }
        return 0;
}

/* ---- candidates ---- */

/* covers: NULL if where paths lead is not known. Returns 0 or -ENOMEM. */
static int find_covers(const Question *question, const Compilation *compilation, size_t n,
                       uint8_t **ret_covers)
{
        _cleanup_(freep) uint8_t *covers = calloc(n + 1, sizeof(*covers));
        int r = 0;

        if (!covers)
                return -ENOMEM;
        if (compilation && compilation_n_rules(compilation) != n)
                compilation = NULL;
        if (!compilation)
                memset(covers, COVERS_UNKNOWN, n);
        else
                compilation_cover_expired(compilation, COVERS_UNKNOWN, covers);
        if (compilation && question->path.name.path)
                r = compilation_cover(compilation, &question->path.name, COVERS_NAME, covers);
        if (r == 0 && compilation && question->path.target.path)
                r = compilation_cover(compilation, &question->path.target, COVERS_TARGET, covers);
        if (r == 0)
                *ret_covers = TAKE_PTR(covers);
        return r;
}

static int may_fit(const Rule *rule, const Question *question, uint8_t covers)
{
        switch (rule->kind) {
        case RULE_FILE:
                return question->rule->kind == RULE_FILE && covers != 0;
        case RULE_NET:
                return net_fits(rule, question, ~0u);
        case RULE_INODE:
        case RULE_KERNEL:
        case RULE_COMM:
        case RULE_DIGEST:
        case RULE_DEFAULT:
                return 1;
        case RULE_ALLOW_CGROUP:
                return 0;
        }
        return 0;
}

static int add_candidate(Candidates *candidates, const Document *document, const Rule *rule,
                         uint8_t covers)
{
        int r = ARRAY_RESERVE(candidates->items, candidates->n_allocated, candidates->n + 1);

        if (r >= 0)
                candidates->items[candidates->n++] =
                        (Candidate){.document = document, .rule = rule, .covers = covers};
        return r;
}

int explain_find(const Question *question, const Document *documents, size_t n_documents,
                 const Compilation *compilation, Candidates *candidates)
{
        _cleanup_(freep) uint8_t *covers = NULL;
        size_t n = 0, at = 0;
        int r;

        for (size_t i = 0; i < n_documents; i++)
                n += policy_n_rules(documents[i].policy);
        r = find_covers(question, compilation, n, &covers);
        for (size_t i = 0; r >= 0 && i < n_documents; i++)
                for (size_t j = 0; r >= 0 && j < policy_n_rules(documents[i].policy); j++, at++) {
                        const Rule *rule = policy_rule(documents[i].policy, j);

                        if (may_fit(rule, question, covers[at]))
                                r = add_candidate(candidates, &documents[i], rule, covers[at]);
                }
        return r;
}

void candidates_deinit(Candidates *candidates)
{
        free(candidates->items);
        *candidates = (Candidates){};
}

/* ---- all of them ---- */

/* An entry that gave several rules is told once. */
static int is_entry_of(const Rule *rule, const Document *document, const ImageRule *winner)
{
        return winner && winner->rule->line == rule->line &&
               strcmp(winner->document, document->name) == 0;
}

static const char *reason(const Rule *rule, const Document *document, const Asker *asker, int fits,
                          int has_winner)
{
        uint64_t ttl = rule->options->ttl;

        if (!fits)
                return "it is about another subject";
        if (ttl > 0 && asker->now - document->applied >= (int64_t) ttl)
                return "it has expired";
        return has_winner ? "a rule that comes before it decides" : "it does not deny this";
}

/* Returns 1 with the loser, 0 if the rule is none, or a negative errno. */
static int consider(const Question *question, const Answer *answer, const ImageRule *winner,
                    const Candidate *candidate, const Resolver *resolver, Loser *ret_loser)
{
        const Document *document = candidate->document;
        const Rule *rule = candidate->rule;
        int r, fits;

        if (is_entry_of(rule, document, winner))
                return 0;
        r = object_fits(candidate, question, answer->bits, resolver);
        if (r <= 0)
                return r;
        fits = subject_fits(rule->options, &question->asker, resolver);
        if (fits < 0)
                return fits;
        *ret_loser = (Loser){
                .document = document,
                .rule = rule,
                .because = reason(rule, document, &question->asker, fits, winner != NULL),
        };
        return 1;
}

int explain_losers(const Question *question, const Answer *answer, const ImageRule *winner,
                   const Candidates *candidates, const Resolver *resolver,
                   Loser ret_losers[LOSERS_MAX], size_t *ret_n)
{
        size_t n = 0;

        for (size_t i = 0; i < candidates->n; i++) {
                Loser loser;
                int r = consider(question, answer, winner, &candidates->items[i], resolver, &loser);

                fiber_pace();
                if (r < 0)
                        return r;
                if (r > 0 && n < LOSERS_MAX)
                        ret_losers[n] = loser;
                n += (size_t) r;
        }
        *ret_n = n;
        return 0;
}
