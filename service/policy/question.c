/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Question: see question.h. */
#include "policy/question.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apart.h"
#include "policy/terms.h"
#include "util/array.h"

static const char before[] = "version=7\n[deny]\n";
#define LINE_OF_ENTRY 3u

#define ACCESS_TO_NAME (ACCESS_CREATE | ACCESS_DELETE | ACCESS_LINK)

static int refuse(Diagnostics *diagnostics, const char *hint, const char *message)
{
        diagnostics_add(diagnostics, SEVERITY_FAULT, LINE_OF_ENTRY, 1, hint, "%s", message);
        return POLICY_E_SYNTAX;
}

/* ---- reading ---- */

static int parse(Question *question, const char *entry, size_t n, Diagnostics *diagnostics)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        if (memchr(entry, '\n', n))
                return refuse(diagnostics, "", "a question is one line");
        if (asprintf(&text, "%s%.*s\n", before, (int) n, entry) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        r = policy_parse_apart(&question->policy, text, strlen(text), diagnostics);
        if (r != 0)
                return r == POLICY_E_TOO_LARGE ? refuse(diagnostics, "", "it is too long") : r;
        if (policy_n_rules(question->policy) != 1)
                return refuse(diagnostics,
                              "write file:, exec:, net:, kernel: or comm: and what it "
                              "is about",
                              "this asks about nothing");
        question->rule = policy_rule(question->policy, 0);
        return 0;
}

static int check_options(const RuleOptions *options, Diagnostics *diagnostics)
{
        if (options->mode != RULE_MODE_SERVICE || options->ttl > 0 || options->id || options->why ||
            options->signal != SIGNAL_DEFAULT)
                return refuse(diagnostics,
                              "leave mode=, ttl=, id=, why= and signal= out of a question",
                              "a question says what is done and by whom, and no more");
        if (options->cgroup && options->cgroup[0] != '/')
                return refuse(diagnostics, "write its path, as systemd-cgls shows it",
                              "a process is in a cgroup, not in any of that name");
        if (options->exe_below || (options->exe && strstr(options->exe, "/*")))
                return refuse(diagnostics, "write the path of one program",
                              "a process runs one program");
        return 0;
}

static int has_ports(uint16_t protocol)
{
        return protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
               protocol == IPPROTO_UDPLITE || protocol == IPPROTO_SCTP;
}

static int check_object(const Rule *rule, Diagnostics *diagnostics)
{
        switch (rule->kind) {
        case RULE_FILE:
                if (rule->file.has_wildcard)
                        return refuse(diagnostics, "write the path of one file",
                                      "a question is about one file");
                return 0;
        case RULE_NET:
                if (rule->net.prefix != 128 || rule->net.first_port != rule->net.last_port ||
                    (rule->net.first_port == 0 && has_ports(rule->net.protocol)))
                        return refuse(diagnostics, "write it as net:connect:192.0.2.1:443/tcp",
                                      "a question is about one address and one port");
                return 0;
        case RULE_INODE:
        case RULE_KERNEL:
        case RULE_COMM:
        case RULE_DIGEST:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                return 0;
        }
        return 0;
}

static const Place *followed(const Location *location)
{
        return location->target.path ? &location->target : &location->name;
}

static int locate(const Resolver *resolver, const char *path, Location *ret_location)
{
        return path ? resolver->locate(resolver->userdata, path, ret_location) : 0;
}

static int find_asker(Question *question, const Resolver *resolver, int64_t now)
{
        const RuleOptions *options = question->rule->options;
        int r = locate(resolver, options->exe, &question->exe);

        question->cgroup_id = options->cgroup_id;
        question->asker = (Asker){
                .uid = options->subject & SUBJECT_UID ? options->uid : 0,
                .gid = options->subject & SUBJECT_GID ? options->gid : 0,
                .exe = question->exe.name.path ? followed(&question->exe) : NULL,
                .cgroup = options->cgroup,
                .cgroup_ids = &question->cgroup_id,
                .n_cgroup_ids = options->cgroup_id ? 1 : 0,
                .is_verified = (options->subject & SUBJECT_VERIFIED) != 0,
                .now = now,
        };
        return r;
}

int question_read(Question *question, const char *entry, size_t n, const Resolver *resolver,
                  int64_t now, Diagnostics *diagnostics)
{
        int r = parse(question, entry, n, diagnostics);

        if (r == 0)
                r = check_object(question->rule, diagnostics);
        if (r == 0)
                r = check_options(question->rule->options, diagnostics);
        for (size_t i = 0; i < diagnostics->n_items; i++)
                if (diagnostics->items[i].line == LINE_OF_ENTRY)
                        diagnostics->items[i].line = 1;
        if (r != 0)
                return r;
        if (question->rule->kind == RULE_FILE)
                r = locate(resolver, question->rule->file.path, &question->path);
        return r < 0 ? r : find_asker(question, resolver, now);
}

void question_deinit(Question *question)
{
        location_deinit(&question->path);
        location_deinit(&question->exe);
        policy_unref(question->policy);
        *question = (Question){0};
}

/* ---- asking ---- */

const Place *question_place(const Question *question, uint32_t bits)
{
        return bits & ACCESS_TO_NAME ? &question->path.name : followed(&question->path);
}

static FileQuestion file_question(const Question *question, uint32_t bits)
{
        static char root[] = "/";
        static const Place nowhere = {.path = root};
        const Rule *rule = question->rule;
        FileQuestion file = {.name = &nowhere, .access = bits};

        switch (rule->kind) {
        case RULE_FILE:
                file.name = question_place(question, bits);
                if (question->path.exists && file.name->device == question->path.device)
                        file.inode = question->path.inode;
                file.has_links = question->path.n_links > 1;
                break;
        case RULE_COMM:
                file.comm = rule->comm;
                break;
        case RULE_DIGEST:
                file.digest = &rule->digest;
                break;
        case RULE_INODE:
        case RULE_NET:
        case RULE_KERNEL:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                break;
        }
        return file;
}

/* A program is opened, which asks for ACCESS_MAP, and then run: the first refusal ends it. */
static const struct clause *ask_file(const Question *question, const PolicyImage *image,
                                     uint32_t bits)
{
        const struct clause *found = NULL;

        for (uint32_t bit = ACCESS_MAP; bit > 0; bit >>= 1) {
                const FileQuestion file = file_question(question, bit);
                const struct clause *clause;

                if (!(bits & bit))
                        continue;
                clause = image_ask_file(image, &question->asker, &file);
                if (clause && clause->verdict == CLAUSE_DENY)
                        return clause;
                found = found ? found : clause;
        }
        return found;
}

static const struct clause *ask_net(const Question *question, const PolicyImage *image,
                                    uint32_t bits)
{
        const Rule *rule = question->rule;
        NetQuestion net = {
                .port = rule->net.first_port,
                .protocol = rule->net.protocol ? rule->net.protocol : IPPROTO_TCP,
                .operation = (enum net_operation) __builtin_ctz(bits),
        };

        memcpy(net.address, rule->net.address, sizeof(net.address));
        return image_ask_net(image, &question->asker, &net);
}

static const struct clause *ask(const Question *question, const PolicyImage *image, uint32_t bits)
{
        switch (question->rule->kind) {
        case RULE_NET:
                return ask_net(question, image, bits);
        case RULE_KERNEL:
                return image_ask_kernel(image, &question->asker, question->rule->kernel);
        case RULE_FILE:
        case RULE_COMM:
        case RULE_DIGEST:
                return ask_file(question, image, bits);
        case RULE_INODE:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                break;
        }
        return NULL;
}

/* Words whose bits are part of a wider word that was asked for are left out: map of exec. */
static int is_asked(const Terms *terms, uint32_t asked, size_t i)
{
        uint32_t bits = terms->items[i].value;

        if ((bits & asked) != bits)
                return 0;
        for (size_t j = 0; j < terms->n_items; j++)
                if (j != i && (terms->items[j].value & bits) == bits &&
                    (terms->items[j].value & asked) == terms->items[j].value)
                        return 0;
        return 1;
}

static Answer answer(const Question *question, const PolicyImage *image, const char *word,
                     uint32_t bits)
{
        Answer answer = {.access = word, .bits = bits};

        answer.is_unbound = image_leaves_unbound(image, &question->asker);
        if (!answer.is_unbound)
                answer.clause = ask(question, image, bits);
        return answer;
}

size_t question_ask(const Question *question, const PolicyImage *image,
                    Answer ret_answers[ANSWERS_MAX])
{
        const Rule *rule = question->rule;
        const Terms *terms = rule->kind == RULE_NET ? &operation_terms : &access_terms;
        uint32_t asked = rule->kind == RULE_NET ? rule->net.operations : rule->file.access;
        size_t n = 0;

        if (rule->kind != RULE_NET && rule->kind != RULE_FILE) {
                const char *word = rule->kind == RULE_KERNEL
                                           ? term_text(&kernel_terms, (uint32_t) rule->kernel)
                                           : "exec";

                ret_answers[0] = answer(question, image, word, ACCESS_EXEC);
                return 1;
        }
        for (size_t i = 0; i < terms->n_items && n < ANSWERS_MAX; i++)
                if (is_asked(terms, asked, i))
                        ret_answers[n++] = answer(question, image, terms->items[i].text,
                                                  terms->items[i].value);
        return n;
}

const ImageRule *answer_rule(const Answer *answer, const PolicyImage *image, ImageRule *ret_rule)
{
        if (!answer->clause)
                return NULL;
        *ret_rule = policy_image_rule(image, answer->clause->rule);
        return ret_rule;
}
