/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy random: see policy-random.h. */
#include "policy-random.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

#define N_RULES_MAX 24
#define DEPTH_MAX 5
#define NOW_MAX 100

/* ---- the machine ---- */

#define LINKED(device_, inode_) .exists = 1, .n_links = 2, .inode = (inode_), .device = (device_)

static const FakeMount mounts[] = {{"/m", 2}, {}};
static const FakeFile files[] = {
        {"/a/b", {LINKED(1, 12)}},
        {"/b/a", {LINKED(1, 12)}},
        {"/a/a", {LINKED(1, 13)}},
        {"/a/a/b", {LINKED(1, 12)}},
        {"/m/a", {LINKED(2, 12)}},
        {"/b/b", {LINKED(1, 12), .name = {1, (char *) "/b/b"}, .target = {1, (char *) "/a/b"}}},
        {"/ab", {.exists = 1, .is_directory = 1, .target = {2, (char *) "/b"}}},
        {},
};
static const char *const cgroups[] = {"/s", "/s/a.service", "a.service", "/s/b.service", "/u"};
static const FakeMachine machine = {.files = files, .mounts = mounts};

/* The same one later. */
static const FakeMount mounts_later[] = {{"/a", 2}, {"/m/b", 1}, {}};
static const FakeFile files_later[] = {
        {"/a/b", {LINKED(1, 13)}},
        {"/b/b", {LINKED(1, 12)}},
        {"/m/a", {LINKED(1, 12), .name = {1, (char *) "/m"}, .target = {2, (char *) "/a/a"}}},
        {"/ab", {.exists = 1, .is_directory = 1}},
        {},
};
static const FakeMachine machine_later = {.files = files_later, .mounts = mounts_later};

/* ---- numbers ---- */

static uint32_t below(uint32_t n)
{
        return (uint32_t) g_test_rand_int_range(0, (gint32) n);
}

static int one_in(uint32_t n)
{
        return below(n) == 0;
}

/* A few bits of all, seldom none. */
static uint32_t some_bits(uint32_t all)
{
        uint32_t bits = (uint32_t) g_test_rand_int() & all;

        return one_in(3) || bits == 0 ? all : bits;
}

/* ---- names ---- */

static char *long_name(unsigned n, unsigned n_head, char tail)
{
        char *name = g_strnfill(n, tail);

        memset(name, 'h', n_head);
        return name;
}

/* Mostly the first few, so that ways meet; then ones whose lengths share a bit of the mask, and
 * long ones that begin alike. */
static char *random_name(void)
{
        static const char *const short_names[] = {"a", "b", "m", "ab", "a b.c"};
        static const struct {
                unsigned n, n_head;
                char tail;
        } long_names[] = {
                {17, 0, 'a'},
                {NAME_CHUNK, NAME_CHUNK - 1, 'x'},
                {NAME_CHUNK, NAME_CHUNK - 1, 'y'},
                {NAME_CHUNK + 1, NAME_CHUNK, 'x'},
                {NAME_CHUNK + 1, NAME_CHUNK, 'y'},
                {2 * NAME_CHUNK, NAME_CHUNK, 'y'},
                {2 * NAME_CHUNK, 2 * NAME_CHUNK, 'h'},
                {255, 254, 'x'},
                {255, 254, 'y'},
        };
        uint32_t i;

        if (!one_in(4))
                return g_strdup(short_names[below(3)]);
        i = below(G_N_ELEMENTS(short_names) + G_N_ELEMENTS(long_names));
        if (i < G_N_ELEMENTS(short_names))
                return g_strdup(short_names[i]);
        i -= G_N_ELEMENTS(short_names);
        return long_name(long_names[i].n, long_names[i].n_head, long_names[i].tail);
}

static char *random_path(int has_wildcards)
{
        GString *path = g_string_new("");
        uint32_t depth = below(DEPTH_MAX);

        for (uint32_t i = 0; i < depth; i++) {
                g_autofree char *name = random_name();

                g_string_append_printf(path, "/%s", has_wildcards && one_in(3) ? "*" : name);
        }
        if (path->len == 0)
                g_string_append(path, "/");
        return g_string_free(path, FALSE);
}

/* ---- rules ---- */

static void *keep(RandomPolicy *policy, void *memory)
{
        g_ptr_array_add(policy->memory, memory);
        return memory;
}

static void random_subject(RandomPolicy *policy, RuleOptions *options)
{
        options->subject =
                (uint32_t) g_test_rand_int() & (uint32_t) g_test_rand_int() &
                (SUBJECT_EXE | SUBJECT_UID | SUBJECT_GID | SUBJECT_CGROUP | SUBJECT_VERIFIED);
        options->uid = below(2);
        options->gid = below(3);
        options->exe = keep(policy, random_path(one_in(3)));
        options->exe_below = below(2);
        options->cgroup = one_in(4) ? NULL : cgroups[below(G_N_ELEMENTS(cgroups))];
        options->cgroup_id = 1 + below(3);
}

static const RuleOptions *random_options(RandomPolicy *policy)
{
        RuleOptions *options = keep(policy, g_new0(RuleOptions, 1));

        options->mode = one_in(4) ? (RuleMode) below(3) : RULE_MODE_SERVICE;
        options->signal = one_in(4) ? below(SIGNAL_KILL + 1) : SIGNAL_DEFAULT;
        if (one_in(4))
                options->ttl = 1 + below(NOW_MAX);
        if (policy->kinds.subjects && one_in(2))
                random_subject(policy, options);
        return options;
}

static void random_file(RandomPolicy *policy, Rule *rule)
{
        rule->kind = RULE_FILE;
        rule->file.has_wildcard = policy->kinds.wildcards && one_in(2);
        rule->file.path = keep(policy, random_path(rule->file.has_wildcard || one_in(8)));
        rule->file.below = (uint16_t) below(2);
        rule->file.access = some_bits(ACCESS_ALL);
}

static void random_net(Rule *rule)
{
        static const uint8_t prefixes[] = {0, 96, 104, 112, 127, 128};
        static const uint16_t protocols[] = {0, 0, IPPROTO_TCP, IPPROTO_UDP};

        rule->kind = RULE_NET;
        rule->net.prefix = prefixes[below(G_N_ELEMENTS(prefixes))];
        rule->net.operations = (uint8_t) some_bits((1u << N_NET_OPERATIONS) - 1);
        rule->net.protocol = protocols[below(G_N_ELEMENTS(protocols))];
        if (rule->net.prefix >= 96)
                memset(rule->net.address + 10, 0xff, 2);
        if (rule->net.prefix >= 104)
                rule->net.address[12] = 10;
        if (rule->net.prefix == 128)
                rule->net.address[15] = (uint8_t) below(2);
        if (!one_in(3)) {
                rule->net.first_port = (uint16_t) (1 + below(8));
                rule->net.last_port =
                        (uint16_t) (rule->net.first_port + (one_in(2) ? 0 : below(6)));
        }
}

static struct digest_key random_digest(void)
{
        struct digest_key key = {.algorithm = one_in(2) ? DIGEST_SHA256 : DIGEST_VERITY_SHA256};

        key.digest[DIGEST_SIZE - 1] = (uint8_t) (1 + below(2));
        return key;
}

static void random_other(Rule *rule)
{
        static const char *const comms[] = {"sh", "a name of 15 by"};

        rule->kind = (RuleKind) (RULE_INODE + below(RULE_ALLOW_CGROUP));
        switch (rule->kind) {
        case RULE_FILE:
                break;
        case RULE_INODE:
                rule->inode.device = 1 + below(2);
                rule->inode.inode = 12 + below(3);
                rule->inode.access = some_bits(ACCESS_ALL);
                break;
        case RULE_NET:
                random_net(rule);
                break;
        case RULE_KERNEL:
                rule->kernel = (enum kernel_object) below(N_KERNEL_OBJECTS);
                break;
        case RULE_COMM:
                rule->comm = comms[below(G_N_ELEMENTS(comms))];
                break;
        case RULE_DIGEST:
                rule->digest = random_digest();
                break;
        case RULE_DEFAULT:
                rule->def.access = some_bits(ACCESS_EXEC | ACCESS_MAP);
                break;
        case RULE_ALLOW_CGROUP:
                rule->cgroup.path =
                        one_in(3) ? NULL : cgroups[1 + below(G_N_ELEMENTS(cgroups) - 1)];
                rule->cgroup.id = 1 + below(3);
                break;
        }
}

/* Who takes what comes in is not known when it comes: such rules are refused. */
static void forget_incoming(Rule *rule)
{
        if (rule->kind != RULE_NET || !(rule->options->subject & (SUBJECT_EXE | SUBJECT_VERIFIED)))
                return;
        rule->net.operations &= (uint8_t) ~(1u << NET_ACCEPT | 1u << NET_RECV);
        if (rule->net.operations == 0)
                rule->net.operations = 1u << NET_CONNECT;
}

/* The language says exempt cgroups without options. */
static void random_rule(RandomPolicy *policy, Rule *rule)
{
        *rule = (Rule){.verdict = one_in(3) ? RULE_ALLOW : one_in(4) ? RULE_AUDIT : RULE_DENY};
        if (policy->kinds.others && one_in(2))
                random_other(rule);
        else
                random_file(policy, rule);
        if (rule->kind == RULE_ALLOW_CGROUP && !one_in(4))
                random_file(policy, rule);
        if (rule->kind != RULE_ALLOW_CGROUP)
                rule->options = random_options(policy);
        if (rule->options)
                forget_incoming(rule);
}

/* ---- policies ---- */

static const char *const names[] = {"one", "three", "two"};

RandomPolicy *random_policy_new(const RandomKinds *kinds)
{
        RandomPolicy *policy = g_new0(RandomPolicy, 1);

        policy->kinds = *kinds;
        policy->memory = g_ptr_array_new_with_free_func(g_free);
        policy->resolver = fake_resolver(&machine);
        policy->reading = (Reading){.documents = policy->documents,
                                    .n_documents = 1 + below(3),
                                    .resolver = &policy->resolver};
        for (size_t i = 0; i < policy->reading.n_documents; i++) {
                Rule rules[N_RULES_MAX];
                uint32_t n = below(N_RULES_MAX);

                for (uint32_t j = 0; j < n; j++)
                        random_rule(policy, &rules[j]);
                policy->documents[i] = document_of_rules(names[i], rules, n);
                policy->documents[i].applied = (int64_t) below(NOW_MAX) - NOW_MAX / 2;
        }
        return policy;
}

/* A rule is one and the same wherever it stands. */
static uint32_t copy_rules(const Policy *policy, Rule *ret_rules)
{
        uint32_t n = (uint32_t) policy_n_rules(policy);

        for (uint32_t i = 0; i < n; i++) {
                ret_rules[i] = *policy_rule(policy, i);
                ret_rules[i].line = 0;
        }
        return n;
}

static void change_line(RandomPolicy *policy, Rule *rules, uint32_t *n)
{
        uint32_t place = below(*n + 1);
        int adds = *n == 0 || (*n < N_RULES_MAX && one_in(2));

        if (adds) {
                memmove(rules + place + 1, rules + place, (*n - place) * sizeof(*rules));
                random_rule(policy, &rules[place]);
                (*n)++;
        } else if (place < *n && one_in(2)) {
                random_rule(policy, &rules[place]);
        } else if (place < *n) {
                memmove(rules + place, rules + place + 1, (*n - place - 1) * sizeof(*rules));
                (*n)--;
        }
}

static void change_lines(RandomPolicy *policy, Document *document)
{
        int64_t applied = one_in(3) ? (int64_t) below(NOW_MAX) - NOW_MAX / 2 : document->applied;
        Policy *before = document->policy;
        Rule rules[N_RULES_MAX + 1];
        uint32_t n = copy_rules(before, rules);

        for (uint32_t i = below(4); i > 0; i--)
                change_line(policy, rules, &n);
        *document = document_of_rules(document->name, rules, n);
        document->applied = applied;
        policy_unref(before);
}

static void remove_document(RandomPolicy *policy, size_t i)
{
        policy_unref(policy->documents[i].policy);
        policy->reading.n_documents--;
        memmove(policy->documents + i, policy->documents + i + 1,
                (policy->reading.n_documents - i) * sizeof(policy->documents[0]));
}

/* The first name that is free. */
static void add_document(RandomPolicy *policy)
{
        size_t *n = &policy->reading.n_documents, i = 0;

        while (i < *n && g_str_equal(policy->documents[i].name, names[i]))
                i++;
        memmove(policy->documents + i + 1, policy->documents + i,
                (*n - i) * sizeof(policy->documents[0]));
        policy->documents[i] = document_of_rules(names[i], NULL, 0);
        (*n)++;
        for (unsigned j = 0; j < 3; j++)
                change_lines(policy, &policy->documents[i]);
}

void random_policy_change(RandomPolicy *policy)
{
        size_t n = policy->reading.n_documents;

        if (n == 0 || (n < G_N_ELEMENTS(policy->documents) && one_in(8)))
                add_document(policy);
        else if (one_in(12))
                remove_document(policy, below((uint32_t) n));
        else
                change_lines(policy, &policy->documents[below((uint32_t) n)]);
}

void random_policy_move_paths(RandomPolicy *policy)
{
        policy->resolver =
                fake_resolver(policy->resolver.userdata == &machine ? &machine_later : &machine);
}

PolicyImage *random_policy_compile(const RandomPolicy *policy)
{
        Diagnostics diagnostics[G_N_ELEMENTS(policy->documents)] = {};
        PolicyImage *image = NULL;

        g_assert_cmpint(policy_image_compile(&image, policy->documents, policy->reading.n_documents,
                                             &policy->resolver, diagnostics),
                        ==, 0);
        for (size_t i = 0; i < policy->reading.n_documents; i++)
                g_assert_cmpuint(diagnostics[i].n_items, ==, 0);
        image_check(image);
        return image;
}

void random_policy_free(RandomPolicy *policy)
{
        for (size_t i = 0; i < policy->reading.n_documents; i++)
                policy_unref(policy->documents[i].policy);
        g_ptr_array_unref(policy->memory);
        g_free(policy);
}

/* ---- questions ---- */

static void random_who(RandomQuestion *question)
{
        static const char *const places[] = {"/s/a.service", "/s/b.service/x", "/u/a.service", "/"};
        Who *who = &question->who;

        question->exe = random_path(0);
        question->groups[0] = below(3);
        question->cgroup_ids[0] = below(5);
        *who = (Who){
                .uid = below(2),
                .gid = below(3),
                .groups = question->groups,
                .n_groups = below(2),
                .exe = {1 + below(2), question->exe},
                .cgroup = places[below(G_N_ELEMENTS(places))],
                .cgroup_ids = question->cgroup_ids,
                .n_cgroup_ids = 1,
                .is_verified = one_in(2),
                .now = 1 + below(NOW_MAX),
        };
}

static void random_file_question(RandomQuestion *question)
{
        What *what = &question->what;

        question->path = random_path(0);
        what->kind = WHAT_FILE;
        what->access = 1u << below(8);
        what->file.name = (Place){one_in(4) ? 2 : 1, question->path};
        if (!one_in(3)) {
                what->file.inode = 12 + below(3);
                what->file.has_links = what->file.inode < 14; /* as the machine has them */
        }
        if (what->access == ACCESS_EXEC) {
                what->file.comm = one_in(3) ? "sh" : one_in(2) ? "a name of 15 by" : NULL;
                if (one_in(3))
                        what->file.digest = random_digest();
        }
}

RandomQuestion *random_question_new(const RandomPolicy *policy)
{
        RandomQuestion *question = g_new0(RandomQuestion, 1);
        What *what = &question->what;

        random_who(question);
        if (!policy->kinds.others || !one_in(4)) {
                random_file_question(question);
        } else if (one_in(4)) {
                *what = (What){.kind = WHAT_KERNEL,
                               .access = 1,
                               .kernel = (enum kernel_object) below(N_KERNEL_OBJECTS)};
        } else {
                *what = (What){.kind = WHAT_NET, .access = 1u << below(N_NET_OPERATIONS)};
                memset(what->net.address + 10, 0xff, 2);
                what->net.address[12] = one_in(4) ? 11 : 10;
                what->net.address[15] = (uint8_t) below(3);
                what->net.port = (uint16_t) below(14);
                what->net.protocol = one_in(2) ? IPPROTO_TCP : one_in(2) ? IPPROTO_UDP : 132;
        }
        return question;
}

void random_question_free(RandomQuestion *question)
{
        g_free(question->path);
        g_free(question->exe);
        g_free(question);
}

/* ---- in words, for when something fails ---- */

static void print_object(GString *text, const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                g_string_append_printf(text, "file %s%s%s access %x", rule->file.path,
                                       rule->file.below ? "/" : "",
                                       rule->file.has_wildcard ? " (*)" : "", rule->file.access);
                break;
        case RULE_INODE:
                g_string_append_printf(text, "inode %u:%lu access %x", rule->inode.device,
                                       (unsigned long) rule->inode.inode, rule->inode.access);
                break;
        case RULE_NET:
                g_string_append_printf(text, "net .%u/%u ports %u-%u protocol %u operations %x",
                                       rule->net.address[15], rule->net.prefix,
                                       rule->net.first_port, rule->net.last_port,
                                       rule->net.protocol, rule->net.operations);
                break;
        case RULE_KERNEL:
                g_string_append_printf(text, "kernel %d", rule->kernel);
                break;
        case RULE_COMM:
                g_string_append_printf(text, "comm %s", rule->comm);
                break;
        case RULE_DIGEST:
                g_string_append_printf(text, "digest %u of %u",
                                       rule->digest.digest[DIGEST_SIZE - 1],
                                       rule->digest.algorithm);
                break;
        case RULE_DEFAULT:
                g_string_append_printf(text, "default access %x", rule->def.access);
                break;
        case RULE_ALLOW_CGROUP:
                g_string_append_printf(text, "cgroup %s %lu", rule->cgroup.path,
                                       (unsigned long) rule->cgroup.id);
                break;
        }
}

static void print_rule(const Document *document, unsigned number, const Rule *rule)
{
        static const char *const verdicts[] = {"deny", "allow", "audit"};
        g_autoptr(GString) text = g_string_new("");
        const RuleOptions *options = rule->options;

        print_object(text, rule);
        g_test_message("%s, rule %u: %s %s; subject %x uid %u gid %u exe %s%s cgroup %s %lu mode "
                       "%d signal %u ttl %lu (applied %ld)",
                       document->name, number, verdicts[rule->verdict], text->str, options->subject,
                       options->uid, options->gid, options->exe, options->exe_below ? "/" : "",
                       options->cgroup, (unsigned long) options->cgroup_id, options->mode,
                       options->signal, (unsigned long) options->ttl, (long) document->applied);
}

void random_policy_print(const RandomPolicy *policy)
{
        unsigned number = 0;

        for (size_t i = 0; i < policy->reading.n_documents; i++) {
                const Document *document = &policy->documents[i];

                for (size_t j = 0; j < policy_n_rules(document->policy); j++)
                        print_rule(document, ++number, policy_rule(document->policy, j));
        }
}

void random_question_print(const RandomQuestion *question)
{
        const Who *who = &question->who;
        const What *what = &question->what;

        g_test_message("uid %u gid %u group %u exe %u%s cgroup %s %lu verified %d, at %u", who->uid,
                       who->gid, who->n_groups ? who->groups[0] : who->gid, who->exe.device,
                       who->exe.path, who->cgroup, (unsigned long) who->cgroup_ids[0],
                       who->is_verified, who->now);
        if (what->kind == WHAT_FILE)
                g_test_message("access %x to %u%s, inode %lu%s, comm %s digest %u of %u",
                               what->access, what->file.name.device, what->file.name.path,
                               (unsigned long) what->file.inode,
                               what->file.has_links ? " (linked)" : "", what->file.comm,
                               what->file.digest.digest[DIGEST_SIZE - 1],
                               what->file.digest.algorithm);
        else if (what->kind == WHAT_NET)
                g_test_message("operation %x to .%u:%u protocol %u", what->access,
                               what->net.address[15], what->net.port, what->net.protocol);
        else
                g_test_message("kernel %d", what->kernel);
}
