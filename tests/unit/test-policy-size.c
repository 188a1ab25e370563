/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: sets as large as they may be, and what they cost. */
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image-reader.h"
#include "policy-fixture.h"
#include "policy/compilation.h"
#include "policy/parse.h"

#define N_MANY 100000u

static const FakeMachine machine;

/* ---- many rules ---- */

/* Makes the rule of that number, with strings that lists keeps. */
typedef Rule (*MakeRule)(unsigned i, GPtrArray *strings);

static const char *keep(GPtrArray *strings, char *string)
{
        g_ptr_array_add(strings, string);
        return string;
}

static char *path_of_many(unsigned i)
{
        return g_strdup_printf("/srv/data/%03u/%u/file-%u", i % 997, i % 31, i);
}

static Rule make_file(unsigned i, GPtrArray *strings)
{
        return (Rule){
                .kind = RULE_FILE,
                .entry = keep(strings, path_of_many(i)),
                .file = {.path = keep(strings, path_of_many(i)),
                         .access = ACCESS_ALL,
                         .below = i % 2},
        };
}

static Rule make_wildcard(unsigned i, GPtrArray *strings)
{
        Rule rule = make_file(i, strings);

        if (i % 10 == 0)
                rule.file.path = keep(strings, g_strdup_printf("/home/*/%u", i % 1000));
        rule.file.has_wildcard = 1;
        return rule;
}

/* Users, units and programs, a thousand of each, and an exception for each second file. */
static Rule make_subject(unsigned i, GPtrArray *strings)
{
        Rule rule = make_file(i / 2, strings);
        RuleOptions *options = g_new0(RuleOptions, 1);

        if (i % 2 == 0)
                rule.verdict = RULE_ALLOW;
        options->subject = i % 2 ? 0 : SUBJECT_UID << i % 3 | SUBJECT_EXE;
        options->uid = options->gid = i % 1000;
        options->cgroup = keep(strings, g_strdup_printf("unit-%u.service", i % 1000));
        options->exe = keep(strings, g_strdup_printf("/usr/bin/program-%u", i % 1000));
        rule.options = options;
        keep(strings, (char *) options);
        return rule;
}

static Rule make_net(unsigned i, GPtrArray *strings)
{
        Rule rule = {.kind = RULE_NET,
                     .net = {.prefix = 128, .operations = 1u << NET_CONNECT | 1u << NET_SEND}};

        memset(rule.net.address + 10, 0xff, 2);
        rule.net.address[12] = 10;
        rule.net.address[13] = (uint8_t) (i >> 16);
        rule.net.address[14] = (uint8_t) (i >> 8);
        rule.net.address[15] = (uint8_t) i;
        return rule;
}

static Rule make_digest(unsigned i, GPtrArray *strings)
{
        Rule rule = {.kind = RULE_DIGEST, .digest.algorithm = DIGEST_SHA256};

        memcpy(rule.digest.digest, &i, sizeof(i));
        return rule;
}

static PolicyImage *compile_many(MakeRule make, GPtrArray *strings, const char *what)
{
        g_autofree Rule *rules = g_new(Rule, N_MANY);
        Resolver resolver = fake_resolver(&machine);
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;
        Document document;
        clock_t begin;
        size_t before;

        for (unsigned i = 0; i < N_MANY; i++)
                rules[i] = make(i, strings);
        document = document_of_rules("many", rules, N_MANY);
        before = mallinfo2().uordblks + mallinfo2().hblkhd;
        begin = clock(); /* of the processor: the machine may be busy */
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, &diagnostics), ==, 0);
        g_test_message("%s: %zu names, %zu clauses, %zu rulesets in %.0f ms; the image has %.1f MB",
                       what, image->n_trie, image->n_clauses, image->n_rulesets,
                       (double) (clock() - begin) * 1000 / CLOCKS_PER_SEC,
                       (double) (mallinfo2().uordblks + mallinfo2().hblkhd - before) / 1048576);
        policy_unref(document.policy);
        image_check(image);
        return image;
}

static uint32_t decided(const PolicyImage *image, const char *path)
{
        const Who who = {};
        const What what = {.access = ACCESS_READ, .file.name = {1, (char *) path}};

        return image_decide(image, &who, &what).rule;
}

static void test_100000_names_are_compiled(void)
{
        g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
        PolicyImage *image = compile_many(make_file, strings, "names");

        for (unsigned i = 0; i < N_MANY; i++) {
                g_autofree char *path = path_of_many(i);
                g_autofree char *below = g_strconcat(path, "/x", NULL);

                g_assert_cmpuint(decided(image, path), ==, i + 1);
                g_assert_cmpuint(decided(image, below), ==, i % 2 ? i + 1 : 0);
        }
        policy_image_free(image);
}

static void test_100000_rules_of_other_kinds_are_compiled(void)
{
        static const struct {
                const char *what;
                MakeRule make;
        } kinds[] = {
                {"names and *", make_wildcard},
                {"names for subjects", make_subject},
                {"addresses", make_net},
                {"digests", make_digest},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
                g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);

                policy_image_free(compile_many(kinds[i].make, strings, kinds[i].what));
        }
}

/* ---- what is kept ---- */

static size_t n_allocated(void)
{
        return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static PolicyImage *look_anew(Compilation **compilation, const Document *document)
{
        Resolver resolver = fake_resolver(&machine);
        const CompilationRequest request = {
                .documents = document,
                .n_documents = 1,
                .resolver = &resolver,
                .ask_anew = 1,
        };
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;

        g_assert_cmpint(compilation_run(compilation, &request, &diagnostics, &image), ==, 0);
        return image;
}

static void assert_decides(const PolicyImage *image, unsigned n_rules)
{
        for (unsigned i = 0; i <= n_rules; i++) {
                g_autofree char *path = path_of_many(i);

                g_assert_cmpuint(decided(image, path), ==, i < n_rules ? i + 1 : 0);
        }
}

/* The service does so for as long as it runs. */
static void test_looking_paths_up_again_and_again_keeps_no_more_than_once(void)
{
        enum { N_RULES = 10000, N_LOOKS = 100 };
        g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
        g_autofree Rule *rules = g_new(Rule, N_RULES);
        Compilation *compilation = NULL;
        PolicyImage *image;
        Document document, fewer;
        size_t before, once;

        for (unsigned i = 0; i < N_RULES; i++)
                rules[i] = make_file(i, strings);
        document = document_of_rules("many", rules, N_RULES);
        before = n_allocated();
        policy_image_free(look_anew(&compilation, &document));
        once = n_allocated() - before;
        for (unsigned i = 0; i < N_LOOKS; i++)
                policy_image_free(look_anew(&compilation, &document));
        g_test_message("once: %zu kB, then: %zu kB", once / 1024, (n_allocated() - before) / 1024);
        /* keys of names that are gone may wait for each other, up to a block and as many again */
        g_assert_cmpuint(n_allocated() - before, <, once + once / 4 + 512 * 1024);
        fewer = document_of_rules("many", rules, N_RULES - 10);
        image = look_anew(&compilation, &fewer);
        assert_decides(image, N_RULES - 10);
        policy_image_free(image);
        compilation_free(compilation);
        policy_unref(document.policy);
        policy_unref(fewer.policy);
}

/* ---- more than there may be ---- */

/* n names, each below 2000 directories of its own. */
static int compile_deep(unsigned n, Diagnostics *diagnostics)
{
        g_autoptr(GString) tail = g_string_new("");
        g_autofree Rule *rules = g_new0(Rule, n);
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        Resolver resolver = fake_resolver(&machine);
        PolicyImage *image = NULL;
        Document document;
        int r;

        for (int i = 0; i < 1999; i++)
                g_string_append(tail, "/d");
        for (unsigned i = 0; i < n; i++) {
                g_ptr_array_add(paths, g_strdup_printf("/%u%s", 1000 + i, tail->str));
                rules[i] = (Rule){.kind = RULE_FILE,
                                  .file = {.path = paths->pdata[i], .access = ACCESS_ALL}};
        }
        *diagnostics = (Diagnostics){};
        document = document_of_rules("deep", rules, n);
        r = policy_image_compile(&image, &document, 1, &resolver, diagnostics);
        policy_image_free(image);
        policy_unref(document.policy);
        return r;
}

static void test_more_names_than_an_image_may_hold_are_refused_with_a_line(void)
{
        enum { N_FITTING = TRIE_ENTRIES_MAX / 2000 };
        Diagnostics diagnostics;

        g_assert_cmpint(compile_deep(N_FITTING, &diagnostics), ==, 0);
        g_assert_cmpint(compile_deep(N_FITTING + 1, &diagnostics), ==, -E2BIG);
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, N_FITTING + 1);
        diagnostics_deinit(&diagnostics);
}

static void test_more_rules_than_an_image_may_hold_are_refused(void)
{
        g_autofree Rule *rules = g_new0(Rule, RULES_MAX);
        Diagnostics diagnostics;
        PolicyImage *image;

        for (unsigned i = 0; i < RULES_MAX; i++)
                rules[i] = (Rule){.kind = RULE_KERNEL, .kernel = KERNEL_BPF};
        image = compile_rules(rules, RULES_MAX - 1, &machine);
        g_assert_cmpuint(image->n_clauses, ==, 2);
        policy_image_free(image);
        g_assert_null(compile_rules_to(-E2BIG, rules, RULES_MAX, &machine, &diagnostics));
        diagnostics_deinit(&diagnostics);
}

#define ADD(test) g_test_add_func("/policy/size/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_100000_names_are_compiled);
        ADD(test_100000_rules_of_other_kinds_are_compiled);
        ADD(test_looking_paths_up_again_and_again_keeps_no_more_than_once);
        ADD(test_more_names_than_an_image_may_hold_are_refused_with_a_line);
        ADD(test_more_rules_than_an_image_may_hold_are_refused);
        return g_test_run();
}
