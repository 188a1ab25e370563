/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain: see explain.h. Every rule of every document is read, as a person would read it; the
 * tables that were made of them have forgotten who lost. */
#include "policy/explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/pattern.h"
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

static int file_fits(const Rule *rule, const Question *question, uint32_t bits,
                     const Resolver *resolver)
{
        const Pattern pattern = {.path = rule->file.path,
                                 .wild = rule->file.has_wildcard,
                                 .below = rule->file.below};

        if (question->rule->kind != RULE_FILE || !(rule->file.access & bits))
                return 0;
        return pattern_fits(&pattern, resolver, question_place(question, bits));
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
static int object_fits(const Rule *rule, const Question *question, uint32_t bits,
                       const Resolver *resolver)
{
        RuleKind asked = question->rule->kind;

        switch (rule->kind) {
        case RULE_FILE:
                return file_fits(rule, question, bits, resolver);
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
                    const Document *document, const Rule *rule, const Resolver *resolver,
                    Loser *ret_loser)
{
        int r, fits;

        if (is_entry_of(rule, document, winner))
                return 0;
        r = object_fits(rule, question, answer->bits, resolver);
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
                   const Document *documents, size_t n_documents, const Resolver *resolver,
                   Loser ret_losers[LOSERS_MAX], size_t *ret_n)
{
        size_t n = 0;

        for (size_t i = 0; i < n_documents; i++)
                for (size_t j = 0; j < policy_n_rules(documents[i].policy); j++) {
                        Loser loser;
                        int r = consider(question, answer, winner, &documents[i],
                                         policy_rule(documents[i].policy, j), resolver, &loser);

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
