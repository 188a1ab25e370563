/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Question: see question.h. An address is written as in a rule, and read by the parser of rules. */
#include "question.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/plain.h"
#include "policy/terms.h"
#include "policy/text.h"

static int read_id(const char *text, uint32_t *ret_id)
{
        uint64_t id;

        if (number_parse(text, strlen(text), UINT32_MAX, &id) < 0)
                return 0;
        *ret_id = (uint32_t) id;
        return 1;
}

static ToolStatus locate(const char *option, const char *path, Location *ret_location)
{
        const Resolver resolver = plain_resolver();

        if (path[0] != '/')
                return tool_usage("--%s wants a path from the root, not \"%s\".", option, path);
        if (resolver.locate(NULL, path, ret_location) < 0)
                return tool_trouble("memory is short.");
        return TOOL_FINE;
}

static ToolStatus read_asker(Question *question, const ToolOptions *options)
{
        const char *uid = options->arguments[TOOL_UID], *gid = options->arguments[TOOL_GID];
        const char *exe = options->arguments[TOOL_EXE];
        Asker *asker = &question->asker;

        if (uid && !read_id(uid, &asker->uid))
                return tool_usage("--uid wants a number, not \"%s\".", uid);
        if (gid && !read_id(gid, &asker->gid))
                return tool_usage("--gid wants a number, not \"%s\".", gid);
        asker->cgroup = options->arguments[TOOL_CGROUP];
        if (asker->cgroup && asker->cgroup[0] != '/')
                return tool_usage("--cgroup wants a path from the root of the cgroups, not \"%s\".",
                                  asker->cgroup);
        asker->is_verified = TOOL_GIVEN(options, TOOL_VERIFIED);
        if (!exe)
                return TOOL_FINE;
        asker->exe = &question->exe.name;
        return locate("exe", exe, &question->exe);
}

/* ---- files ---- */

static const char *access_word(uint32_t access)
{
        return term_text(&access_terms, access);
}

static ToolStatus read_accesses(Question *question, const char *words)
{
        while (*words != '\0') {
                size_t n = strcspn(words, ",");
                Probe probe = {.kind = PROBE_FILE};

                if (term_find(&access_terms, words, n, &probe.access) < 0)
                        return tool_usage("--access wants read, write, exec, map, create, delete, "
                                          "link or attr, with commas between, not \"%.*s\".",
                                          (int) n, words);
                if (question->n_probes >= PROBES_MAX)
                        return tool_usage("--access names more than there is.");
                probe.word = access_word(probe.access);
                question->probes[question->n_probes++] = probe;
                words += n + (words[n] == ',');
        }
        return question->n_probes > 0 ? TOOL_FINE : tool_usage("--access wants a word.");
}

static ToolStatus read_path(Question *question, const ToolOptions *options)
{
        const char *words = options->arguments[TOOL_ACCESS];
        ToolStatus status = locate("path", question->object, &question->path);

        return status == TOOL_FINE ? read_accesses(question, words ? words : "read") : status;
}

/* ---- addresses ---- */

static ToolStatus add_operations(Question *question, const Rule *rule)
{
        NetQuestion net = {.port = rule->net.first_port, .protocol = rule->net.protocol};

        if (rule->net.prefix != 128 || rule->net.first_port == 0 ||
            rule->net.first_port != rule->net.last_port)
                return tool_usage("--net wants one address and one port, as "
                                  "connect:192.0.2.1:443/tcp.");
        if (net.protocol == 0)
                net.protocol = IPPROTO_TCP;
        memcpy(net.address, rule->net.address, sizeof(net.address));
        for (unsigned i = 0; i < N_NET_OPERATIONS; i++) {
                if (!(rule->net.operations & 1u << i))
                        continue;
                net.operation = (enum net_operation) i;
                question->probes[question->n_probes++] = (Probe){
                        .kind = PROBE_NET,
                        .word = term_text(&operation_terms, 1u << i),
                        .net = net,
                };
        }
        return TOOL_FINE;
}

/* Newlines and blanks would be more than an object. */
static ToolStatus read_net(Question *question)
{
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        _cleanup_(freep) char *text = NULL;
        Diagnostics diagnostics = {0};
        ToolStatus status;
        int r;

        if (strpbrk(question->object, " \t\n"))
                return tool_usage("--net wants an object without blanks.");
        if (asprintf(&text, "version=7\n[deny]\nnet:%s\n", question->object) < 0)
                return tool_trouble("memory is short.");
        r = policy_parse(&policy, text, strlen(text), &diagnostics);
        if (r == 0 && policy_n_rules(policy) == 1)
                status = add_operations(question, policy_rule(policy, 0));
        else
                status = tool_usage("--net: %s.", diagnostics.n_items > 0
                                                          ? diagnostics.items[0].message
                                                          : "this is no object of a rule");
        diagnostics_deinit(&diagnostics);
        return status;
}

static ToolStatus read_kernel(Question *question)
{
        uint32_t object;

        if (term_find(&kernel_terms, question->object, strlen(question->object), &object) < 0)
                return tool_usage("--kernel wants ptrace, module, bpf, mount or kexec, not \"%s\".",
                                  question->object);
        question->probes[question->n_probes++] = (Probe){
                .kind = PROBE_KERNEL,
                .word = term_text(&kernel_terms, object),
                .kernel = (enum kernel_object) object,
        };
        return TOOL_FINE;
}

ToolStatus question_read(Question *question, const ToolOptions *options)
{
        static const ToolOptionId objects[] = {TOOL_PATH, TOOL_NET, TOOL_KERNEL};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS_OF(objects); i++) {
                if (!TOOL_GIVEN(options, objects[i]))
                        continue;
                question->object = options->arguments[objects[i]];
                n++;
        }
        if (n != 1)
                return tool_usage("'test' wants one of --path, --net and --kernel.");
        if (TOOL_GIVEN(options, TOOL_ACCESS) && !TOOL_GIVEN(options, TOOL_PATH))
                return tool_usage("--access goes with --path.");
        if (read_asker(question, options) != TOOL_FINE)
                return TOOL_TROUBLE;
        if (TOOL_GIVEN(options, TOOL_PATH))
                return read_path(question, options);
        return TOOL_GIVEN(options, TOOL_NET) ? read_net(question) : read_kernel(question);
}

void question_deinit(Question *question)
{
        location_deinit(&question->path);
        location_deinit(&question->exe);
        *question = (Question){0};
}

/* ---- asking ---- */

/* A program is opened, which asks for ACCESS_MAP, and then run: the first refusal ends it. */
static const struct clause *ask_file(const Question *question, const Probe *probe,
                                     const PolicyImage *image)
{
        const struct clause *found = NULL;

        for (uint32_t bit = ACCESS_ALL + 1; bit > 0; bit >>= 1) {
                const FileQuestion file = {.name = &question->path.name, .access = bit};
                const struct clause *clause;

                if (!(probe->access & bit))
                        continue;
                clause = image_ask_file(image, &question->asker, &file);
                if (clause && clause->verdict == CLAUSE_DENY)
                        return clause;
                found = found ? found : clause;
        }
        return found;
}

const struct clause *question_ask(const Question *question, const Probe *probe,
                                  const PolicyImage *image)
{
        if (image_leaves_unbound(image, &question->asker))
                return NULL;
        switch (probe->kind) {
        case PROBE_FILE:
                return ask_file(question, probe, image);
        case PROBE_NET:
                return image_ask_net(image, &question->asker, &probe->net);
        case PROBE_KERNEL:
                return image_ask_kernel(image, &question->asker, probe->kernel);
        }
        return NULL;
}
