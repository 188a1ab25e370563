/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler against any documents on any machine: the first byte chooses the machine, NUL bytes
 * part the documents. What it makes is in order, and decides what the rules say about the very
 * objects and subjects they name. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "image-reader.h"
#include "policy-reference.h"
#include "policy/compilation.h"

#define N_DOCUMENTS_MAX 4
#define N_RULES_ASKED 48 /* the reference looks at every rule for every question */

/* ---- a machine ---- */

static uint32_t hash(const char *text, uint8_t seed)
{
        uint32_t h = 2166136261u ^ seed; /* FNV-1a */

        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * 16777619u;
        return h;
}

/* It is the file that has names, whichever of them was asked for. */
static uint32_t n_links_of(uint32_t device, uint64_t inode, uint8_t seed)
{
        return (seed ^ device ^ (uint32_t) inode) & 3;
}

static int locate(void *userdata, const char *path, Location *ret_location)
{
        uint8_t seed = *(uint8_t *) userdata;
        uint32_t h = hash(path, seed);

        *ret_location = (Location){
                .name = {.device = h % 3, .path = strdup(path)},
                .exists = h >> 4 & 1,
                .is_directory = h >> 7 & 1,
                .inode = 1 + (h >> 8 & 3),
                .device = h >> 10 & 1,
        };
        ret_location->n_links = n_links_of(ret_location->device, ret_location->inode, seed);
        if (h >> 13 & 1)
                ret_location->target = (Place){.device = h >> 14 & 1, .path = strdup("/t/u")};
        return 0;
}

static int has_cgroup(void *userdata, const char *path)
{
        return hash(path, *(uint8_t *) userdata) & 1;
}

/* ---- documents ---- */

typedef struct Input {
        Document documents[N_DOCUMENTS_MAX];
        Diagnostics diagnostics[N_DOCUMENTS_MAX];
        size_t n, n_rules, n_faults;
        uint8_t machine;
} Input;

/* What cannot be parsed is left out. */
static void parse_documents(Input *input, const char *text, size_t n)
{
        static const char *const names[N_DOCUMENTS_MAX] = {"a", "b", "c", "d"};
        const char *end = text + n, *cut;

        for (; text <= end && input->n < N_DOCUMENTS_MAX; text = cut + 1) {
                Document *document = &input->documents[input->n];
                Diagnostics *diagnostics = &input->diagnostics[input->n];

                cut = memchr(text, '\0', (size_t) (end - text));
                if (!cut)
                        cut = end;
                *document = (Document){
                        .name = names[input->n],
                        .text = text,
                        .n_text = (size_t) (cut - text),
                        .applied = (int64_t) input->machine - 128,
                };
                if (policy_parse(&document->policy, text, document->n_text, diagnostics) == 0) {
                        input->n_rules += policy_n_rules(document->policy);
                        input->n++;
                } else {
                        diagnostics_deinit(diagnostics);
                }
        }
}

static void input_deinit(Input *input)
{
        for (size_t i = 0; i < input->n; i++) {
                policy_unref(input->documents[i].policy);
                diagnostics_deinit(&input->diagnostics[i]);
        }
}

/* ---- questions ---- */

/* A name for the path of a rule: its components * are "x". */
static char *name_for(const char *path)
{
        char *name = strdup(path);

        for (char *star = strstr(name, "/*"); star; star = strstr(star + 1, "/*"))
                if (star[2] == '/' || star[2] == '\0')
                        star[1] = 'x';
        return name;
}

static Who who_for(const RuleOptions *options, uint32_t chance)
{
        Who who = {
                .uid = options->uid + (chance & 1),
                .gid = options->gid + (chance >> 1 & 1),
                .cgroup = options->cgroup && options->cgroup[0] == '/' ? options->cgroup : "/c",
                .is_verified = chance >> 2 & 1,
                .now = chance >> 3 & 511,
                .cgroup_ids = &options->cgroup_id,
                .n_cgroup_ids = 1,
        };

        if (options->exe)
                who.exe = (Place){.device = chance % 3, .path = name_for(options->exe)};
        return who;
}

/* Returns whether there is anything to ask. */
static int what_for(const Rule *rule, uint32_t chance, uint8_t seed, What *what)
{
        switch (rule->kind) {
        case RULE_FILE:
                *what = (What){
                        .kind = WHAT_FILE,
                        .access = 1u << (chance & 7),
                        .file = {.name = {chance % 3, name_for(rule->file.path)},
                                 .inode = chance >> 3 & 3},
                };
                what->file.has_links =
                        n_links_of(what->file.name.device, what->file.inode, seed) > 1;
                return 1;
        case RULE_NET:
                *what = (What){
                        .kind = WHAT_NET,
                        .access = 1u << chance % N_NET_OPERATIONS,
                        .net = {.port = rule->net.last_port, .protocol = rule->net.protocol},
                };
                memcpy(what->net.address, rule->net.address, sizeof(what->net.address));
                return 1;
        case RULE_KERNEL:
                *what = (What){.kind = WHAT_KERNEL, .access = 1, .kernel = rule->kernel};
                return 1;
        case RULE_DIGEST:
                *what = (What){.kind = WHAT_FILE,
                               .access = ACCESS_EXEC,
                               .file = {.name.path = strdup("/x"), .digest = rule->digest}};
                return 1;
        case RULE_COMM:
                *what = (What){.kind = WHAT_FILE,
                               .access = ACCESS_EXEC,
                               .file = {.name.path = strdup("/x"), .comm = rule->comm}};
                return 1;
        case RULE_INODE:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                return 0;
        }
        return 0;
}

static void ask(const PolicyImage *image, const Reading *reading, const Rule *rule, uint32_t chance)
{
        Who who = who_for(rule->options, chance);
        What what;

        if (what_for(rule, chance >> 8, *(uint8_t *) reading->resolver->userdata, &what)) {
                Verdict expected = reference_decide(reading, &who, &what);
                Verdict found = image_decide(image, &who, &what);

                HOLDS(memcmp(&expected, &found, sizeof(expected)) == 0);
                if (what.kind == WHAT_FILE)
                        free(what.file.name.path);
        }
        free(who.exe.path);
}

static void ask_all(const PolicyImage *image, const Input *input, const Resolver *resolver)
{
        Reading reading = {input->documents, input->n, resolver};

        for (size_t i = 0; i < input->n; i++) {
                const Policy *policy = input->documents[i].policy;

                for (size_t j = 0; j < policy_n_rules(policy); j++) {
                        const Rule *rule = policy_rule(policy, j);
                        uint32_t chance = hash(rule->entry, input->machine);

                        for (unsigned k = 0; k < 3; k++)
                                ask(image, &reading, rule, chance * (2 * k + 1));
                }
        }
}

static void check_titles(const PolicyImage *image, const Input *input)
{
        uint32_t number = 0;

        for (size_t i = 0; i < input->n; i++) {
                for (size_t j = 0; j < policy_n_rules(input->documents[i].policy); j++) {
                        const Rule *rule = policy_rule(input->documents[i].policy, j);

                        number++;
                        HOLDS(strcmp(policy_image_rule(image, number).rule->entry, rule->entry) ==
                              0);
                        HOLDS(policy_image_rule(image, number).rule->line == rule->line);
                }
        }
        HOLDS(image->n_rules == number + 1);
}

/* From one document to all of them: decides what is decided of all at once. */
static void amend(const Input *input, const Resolver *resolver)
{
        CompilationRequest request = {.documents = input->documents, .resolver = resolver};
        Diagnostics diagnostics[N_DOCUMENTS_MAX] = {};
        Compilation *compilation = NULL;

        for (request.n_documents = 1; request.n_documents <= input->n; request.n_documents++) {
                PolicyImage *image = NULL;

                HOLDS(compilation_run(&compilation, &request, diagnostics, &image) == 0);
                image_check(image);
                /* Documents come in order, and so do the numbers. */
                if (request.n_documents == input->n && input->n_rules <= N_RULES_ASKED)
                        ask_all(image, input, resolver);
                policy_image_free(image);
        }
        for (size_t i = 0; i < N_DOCUMENTS_MAX; i++)
                diagnostics_deinit(&diagnostics[i]);
        compilation_free(compilation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Input input = {.machine = size > 0 ? data[0] : 0};
        const Resolver resolver = {
                .locate = locate, .has_cgroup = has_cgroup, .userdata = &input.machine};
        PolicyImage *image = NULL;
        int r;

        if (size == 0)
                return 0;
        parse_documents(&input, (const char *) data + 1, size - 1);
        r = policy_image_compile(&image, input.documents, input.n, &resolver, input.diagnostics);
        for (size_t i = 0; i < input.n; i++)
                input.n_faults += input.diagnostics[i].n_faults;
        HOLDS((r == 0) == (image != NULL));
        HOLDS((r == 0) == (input.n_faults == 0));
        if (image) {
                image_check(image);
                check_titles(image, &input);
                HOLDS(policy_image_decides_as(image, image));
                if (input.n_rules <= N_RULES_ASKED)
                        ask_all(image, &input, &resolver);
                amend(&input, &resolver);
        }
        policy_image_free(image);
        input_deinit(&input);
        return 0;
}
