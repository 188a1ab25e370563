/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amending: after any change of the documents the image that is amended decides what one decides
 * that is compiled from nothing, and what stays keeps its numbers. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"
#include "policy-random.h"
#include "policy/compilation.h"
#include "policy/parse.h"

#define N_POLICIES 60
#define N_CHANGES 25
#define N_QUESTIONS 30

/* ---- random changes ---- */

typedef struct Trial {
        RandomPolicy *policy;
        Compilation *compilation;
        PolicyImage *image;
        unsigned n_asked, n_decided, n_whole;
} Trial;

static PolicyImage *run(Compilation **compilation, const CompilationRequest *request)
{
        Diagnostics diagnostics[4] = {};
        PolicyImage *image = NULL;

        g_assert_cmpint(compilation_run(compilation, request, diagnostics, &image), ==, 0);
        g_assert_nonnull(*compilation);
        for (size_t i = 0; i < request->n_documents; i++)
                g_assert_cmpuint(diagnostics[i].n_items, ==, 0);
        return image;
}

static void compile_trial(Trial *trial, int ask_anew)
{
        const RandomPolicy *policy = trial->policy;
        const CompilationRequest request = {
                .documents = policy->documents,
                .n_documents = policy->reading.n_documents,
                .resolver = &policy->resolver,
                .ask_anew = ask_anew,
        };
        PolicyImage *before = trial->image;

        if (g_test_rand_bit())
                compilation_rest(trial->compilation);
        trial->image = run(&trial->compilation, &request);
        /* Numbers go on, but where a change would have cost more than all of it from nothing. */
        trial->n_whole += before && trial->image->n_rules < before->n_rules;
        policy_image_free(before);
}

/* What there is as much of however the image was made. */
static void assert_like_whole(const RandomPolicy *policy, const PolicyImage *image)
{
        PolicyImage *whole = random_policy_compile(policy);

        g_assert_cmpuint(image->flags, ==, whole->flags);
        g_assert_cmpuint(image->hooks, ==, whole->hooks);
        g_assert_cmpuint(image->hooks_accepted, ==, whole->hooks_accepted);
        g_assert_cmpuint(image->hooks_in_audit, ==, whole->hooks_in_audit);
        g_assert_cmpuint(image->n_trie, ==, whole->n_trie);
        g_assert_cmpuint(image->n_roots, ==, whole->n_roots);
        g_assert_cmpuint(image->n_pins, ==, whole->n_pins);
        g_assert_cmpuint(image->n_nets, ==, whole->n_nets);
        g_assert_cmpuint(image->n_comms, ==, whole->n_comms);
        g_assert_cmpuint(image->n_digests, ==, whole->n_digests);
        g_assert_cmpuint(image->n_cgroup_names, ==, whole->n_cgroup_names);
        g_assert_cmpuint(image->n_cgroup_ids, ==, whole->n_cgroup_ids);
        g_assert_cmpuint(image->n_prefixes, ==, whole->n_prefixes);
        g_assert_cmpmem(image->prefixes, sizeof(image->prefixes), whole->prefixes,
                        sizeof(whole->prefixes));
        g_assert_cmpmem(image->digest, DIGEST_SIZE, whole->digest, DIGEST_SIZE);
        g_assert_cmpuint(image->n_numbers + 1, ==, whole->n_rules);
        policy_image_free(whole);
}

/* Each rule is called what it is called in its document, and has a number of its own. */
static void assert_titles(const RandomPolicy *policy, const PolicyImage *image)
{
        size_t n = 0;

        for (size_t i = 0; i < policy->reading.n_documents; i++) {
                const Document *document = &policy->documents[i];

                for (size_t j = 0; j < policy_n_rules(document->policy); j++) {
                        uint32_t number = image->numbers[n++];

                        g_assert_cmpuint(number, <, image->n_rules);
                        g_assert_cmpstr(policy_image_rule(image, number).document, ==,
                                        document->name);
                        g_assert_cmpuint(policy_image_rule(image, number).rule->line, ==, j + 1);
                }
        }
        g_assert_cmpuint(n, ==, image->n_numbers);
}

static void ask(Trial *trial)
{
        const RandomPolicy *policy = trial->policy;
        const PolicyImage *image = trial->image;
        RandomQuestion *question = random_question_new(policy);
        Verdict expected = reference_decide(&policy->reading, &question->who, &question->what);
        Verdict found = image_decide(image, &question->who, &question->what);
        int is_same;

        if (expected.rule > 0)
                expected.rule = image->numbers[expected.rule - 1];
        is_same = memcmp(&expected, &found, sizeof(expected)) == 0;
        if (is_same && question->what.kind == WHAT_FILE) {
                ImagePlace place = image_place(image, &question->what.file.name);

                is_same = reference_holds(&policy->reading, &question->what.file.name) ==
                          !(place.node & NODE_SOFT);
        }
        if (!is_same) {
                random_policy_print(policy);
                random_question_print(question);
                g_test_message("rule %u expected, rule %u found", expected.rule, found.rule);
                g_assert_not_reached();
        }
        trial->n_asked++;
        trial->n_decided += found.rule > 0;
        random_question_free(question);
}

static void check_trial(Trial *trial)
{
        image_check(trial->image);
        assert_like_whole(trial->policy, trial->image);
        assert_titles(trial->policy, trial->image);
        for (int i = 0; i < N_QUESTIONS; i++)
                ask(trial);
}

static void try_changes(const RandomKinds *kinds)
{
        Trial trial = {};

        for (int i = 0; i < N_POLICIES; i++) {
                trial.policy = random_policy_new(kinds);
                compile_trial(&trial, 0);
                for (int j = 0; j < N_CHANGES; j++) {
                        int moves = g_test_rand_int_range(0, 6) == 0;

                        if (moves)
                                random_policy_move_paths(trial.policy);
                        if (!moves || g_test_rand_bit())
                                random_policy_change(trial.policy);
                        compile_trial(&trial, moves);
                        check_trial(&trial);
                }
                random_policy_free(trial.policy);
                trial.policy = NULL;
                /* The image needs neither the documents nor what compiled them. */
                trial.compilation = compilation_free(trial.compilation);
                image_check(trial.image);
                trial.image = policy_image_free(trial.image);
        }
        g_test_message("%u of %u decided by a rule", trial.n_decided, trial.n_asked);
        g_assert_cmpuint(trial.n_asked, >, 40000);
        g_assert_cmpuint(trial.n_decided, >, trial.n_asked / 10);
        g_assert_cmpuint(trial.n_whole, <, N_POLICIES * N_CHANGES / 20);
}

static void test_random_changes_of_all_kinds_decide_as_written(void)
{
        try_changes(&(const RandomKinds){.wildcards = 1, .subjects = 1, .others = 1});
}

static void test_random_changes_of_names_decide_as_written(void)
{
        try_changes(&(const RandomKinds){.wildcards = 1});
}

static void test_random_changes_without_patterns_decide_as_written(void)
{
        try_changes(&(const RandomKinds){.subjects = 1});
}

/* ---- what stays ---- */

#define N_MANY 10000u

static const FakeMachine machine;

/* Documents in the words of the language, and what compiles them. */
typedef struct Bench {
        Document documents[2]; /* "base" and "more" */
        Resolver resolver;
        Compilation *compilation;
        PolicyImage *image;
} Bench;

static Document parse_as(const char *name, const char *text)
{
        Document document = {.name = name, .text = text, .n_text = strlen(text)};
        Diagnostics diagnostics = {};

        g_assert_cmpint(policy_parse(&document.policy, text, document.n_text, &diagnostics), ==, 0);
        diagnostics_deinit(&diagnostics);
        return document;
}

static CompilationRequest request_of(Bench *bench, const char *more)
{
        policy_unref(bench->documents[1].policy);
        bench->documents[1] = parse_as("more", more);
        return (CompilationRequest){
                .documents = bench->documents,
                .n_documents = 2,
                .resolver = &bench->resolver,
        };
}

/* Compiles with that text as "more". */
static const PolicyImage *compile_more(Bench *bench, const char *more)
{
        CompilationRequest request = request_of(bench, more);
        PolicyImage *before = bench->image;

        bench->image = run(&bench->compilation, &request);
        image_check(bench->image);
        policy_image_free(before);
        return bench->image;
}

static Bench bench_new(const char *base, const char *more)
{
        Bench bench = {.resolver = fake_resolver(&machine)};

        bench.documents[0] = parse_as("base", base);
        compile_more(&bench, more);
        return bench;
}

static void bench_clear(Bench *bench)
{
        for (size_t i = 0; i < G_N_ELEMENTS(bench->documents); i++)
                policy_unref(bench->documents[i].policy);
        compilation_free(bench->compilation);
        policy_image_free(bench->image);
}

static char *text_of_many(void)
{
        GString *text = g_string_new("version=7\n[deny]\n");

        for (unsigned i = 0; i < N_MANY; i++)
                g_string_append_printf(text, "file:/srv/data/%03u/%u/file-%u%s\n", i % 997, i % 31,
                                       i, i % 2 ? "/" : "");
        return g_string_free(text, FALSE);
}

#define NONE "version=7\n[deny]\n"

/* Records of two arrays, sorted by a key that each begins with, that are in one alone or differ. */
static size_t count_differences(const void *a, size_t n_a, const void *b, size_t n_b, size_t size,
                                size_t key_size)
{
        const char *x = a, *y = b, *x_end = x + n_a * size, *y_end = y + n_b * size;
        size_t n = 0;

        while (x < x_end || y < y_end) {
                int order = x == x_end ? 1 : y == y_end ? -1 : memcmp(x, y, key_size);

                n += order != 0 || memcmp(x, y, size) != 0;
                x += order <= 0 ? size : 0;
                y += order >= 0 ? size : 0;
        }
        return n;
}

static size_t n_names_changed(const PolicyImage *a, const PolicyImage *b)
{
        return count_differences(a->trie, a->n_trie, b->trie, b->n_trie, sizeof(a->trie[0]),
                                 sizeof(a->trie[0].key)) +
               count_differences(a->roots, a->n_roots, b->roots, b->n_roots, sizeof(a->roots[0]),
                                 sizeof(a->roots[0].device));
}

/* Numbers that were given before stand for what they stood for. */
static void assert_extends(const PolicyImage *after, const PolicyImage *before)
{
        g_assert_cmpuint(after->n_clauses, >=, before->n_clauses);
        g_assert_cmpmem(after->clauses, before->n_clauses * sizeof(struct clause), before->clauses,
                        before->n_clauses * sizeof(struct clause));
        g_assert_cmpuint(after->n_rulesets, >=, before->n_rulesets);
        g_assert_cmpmem(after->rulesets, before->n_rulesets * sizeof(struct ruleset),
                        before->rulesets, before->n_rulesets * sizeof(struct ruleset));
        g_assert_cmpuint(after->n_subjects, >=, before->n_subjects);
        g_assert_cmpmem(after->subjects, before->n_subjects * sizeof(struct subject),
                        before->subjects, before->n_subjects * sizeof(struct subject));
}

/* Names of one length that begin alike share their first chunks: what stays of these while
 * siblings change is not looked at. */
static void test_a_chunk_goes_with_the_last_name_that_has_it(void)
{
#define LONG "file:/srv/a-name-of-two-chunks-of-the-trie-"
        static const struct {
                const char *more;
                size_t n_entries; /* beside those of the base */
        } rows[] = {
                {NONE LONG "1\n", 2},
                {NONE LONG "1\n" LONG "2\n", 3},
                {NONE LONG "2\n" LONG "3\n", 3},
                {NONE LONG "3\n", 2},
                {NONE LONG "3\n" LONG "33\n", 4},
                {NONE LONG "4\n", 2},
                {NONE, 0},
                {NONE LONG "4\n", 2},
        };
        Bench bench = bench_new(NONE "file:/srv/short\nfile:/srv/other/\n", NONE);
        size_t n = bench.image->n_trie;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                g_assert_cmpuint(compile_more(&bench, rows[i].more)->n_trie, ==,
                                 n + rows[i].n_entries);
        bench_clear(&bench);
}

static void test_one_rule_among_10000_changes_few_records(void)
{
        static const struct {
                const char *rule;
                size_t n_names; /* that change at most */
        } rows[] = {
                {"file:/srv/data/007/3/new", 3},
                {"file:/srv/data/007/new/", 3},
                {"file:/srv/data/007/3/a-name-of-two-chunks-of-the-trie", 4},
                {"file:/new/a/b/c exe=/usr/bin/curl uid=3", 9},
                {"file:/srv/data/*/a-name-not-to-come uid=3", 997 * 2 + 8},
                {"net:connect:10.0.0.0/8:443/tcp", 0},
                {"comm:miner", 0},
        };
        g_autofree char *base = text_of_many();
        Bench bench = bench_new(base, NONE);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *more = g_strconcat(NONE, rows[i].rule, "\n", NULL);
                PolicyImage *before = policy_image_ref(bench.image), *with;

                with = policy_image_ref((PolicyImage *) compile_more(&bench, more));
                g_assert_cmpuint(n_names_changed(before, with), <=, rows[i].n_names);
                assert_extends(with, before);
                g_assert_cmpuint(with->n_rules, ==, before->n_rules + 1);
                compile_more(&bench, NONE);
                g_assert_cmpuint(n_names_changed(before, bench.image), ==, 0);
                assert_extends(bench.image, with);
                policy_image_free(with);
                policy_image_free(before);
        }
        bench_clear(&bench);
}

static unsigned n_located;

static int locate_counted(void *userdata, const char *path, Location *ret_location)
{
        Resolver resolver = fake_resolver(userdata);

        n_located++;
        return resolver.locate(userdata, path, ret_location);
}

static void test_only_paths_of_new_rules_are_looked_up(void)
{
        static const struct {
                const char *more;
                unsigned n_located;
        } rows[] = {
                {"file:/c exe=/bin/x\n", 1},
                {"file:/c exe=/bin/x\nfile:/d exe=/bin/y\n", 2},
                {"file:/d exe=/bin/y\n", 0},
                {"net:connect:*:22/tcp exe=/bin/y\nfile:/d exe=/bin/y\n", 0},
                {"", 0},
                {"comm:z exe=/bin/y\n", 1},
        };
        Bench bench = bench_new(NONE "file:/a exe=/bin/x\nfile:/b\n", NONE);

        bench.resolver.locate = locate_counted;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *more = g_strconcat(NONE, rows[i].more, NULL);

                n_located = 0;
                compile_more(&bench, more);
                g_assert_cmpuint(n_located, ==, rows[i].n_located);
        }
        bench_clear(&bench);
}

static void test_a_line_that_moves_keeps_its_number(void)
{
        Bench bench = bench_new(NONE, NONE "file:/a\nfile:/b\nfile:/c\nfile:/d\n");
        const PolicyImage *image =
                compile_more(&bench, NONE "comm:x\nfile:/a\nfile:/c\nfile:/e\nfile:/d\n");
        static const struct {
                uint32_t number;
                const char *entry, *id;
        } rows[] = {
                {5, "comm:x", "more:3"},  {1, "file:/a", "more:4"}, {3, "file:/c", "more:5"},
                {6, "file:/e", "more:6"}, {4, "file:/d", "more:7"},
        };
        char room[IMAGE_RULE_ID_SIZE];

        g_assert_cmpuint(image->n_numbers, ==, G_N_ELEMENTS(rows));
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const ImageRule rule = policy_image_rule(image, rows[i].number);

                g_assert_cmpuint(image->numbers[i], ==, rows[i].number);
                g_assert_cmpstr(rule.rule->entry, ==, rows[i].entry);
                g_assert_cmpstr(image_rule_id(&rule, room), ==, rows[i].id);
        }
        g_assert_cmpstr(policy_image_rule(image, 2).document, ==, "");
        bench_clear(&bench);
}

static void test_what_is_written_first_decides_whatever_its_number(void)
{
        const Who who = {.uid = 3, .groups = (const uint32_t[]){4}, .n_groups = 1};
        const What what = {.access = ACCESS_READ, .file.name = {1, (char *) "/a"}};
        Bench bench = bench_new(NONE, NONE "file:/a uid=3\n");

        compile_more(&bench, NONE "file:/a gid=4\nfile:/a uid=3\n");
        g_assert_cmpuint(image_decide(bench.image, &who, &what).rule, ==, 2);
        bench_clear(&bench);
}

static void test_equal_documents_give_the_same_image(void)
{
        Bench bench = bench_new(NONE "file:/x\n", NONE "file:/a\nfile:/b/*/c exe=/bin/\n");
        CompilationRequest request = {bench.documents, 2, &bench.resolver, 0, NULL};

        for (int i = 0; i < 2; i++) {
                PolicyImage *again;

                request.ask_anew = i;
                again = run(&bench.compilation, &request);
                g_assert_true(again == bench.image);
                policy_image_free(again);
        }
        bench_clear(&bench);
}

static void test_what_is_compiled_anew_keeps_numbers_that_it_must_have(void)
{
        Bench bench = bench_new(NONE "file:/x\n", NONE "file:/a\nfile:/b\n");
        const PolicyImage *image = compile_more(&bench, NONE "file:/c\nfile:/b\n");
        const Numbering numbering = {image->numbers, image->n_numbers, image->n_rules};
        CompilationRequest request = {bench.documents, 2, &bench.resolver, 0, &numbering};

        for (int i = 0; i < 3; i++) {
                Compilation *compilation = NULL;
                PolicyImage *other = NULL;

                request.ask_anew = i == 2;
                if (i > 0) {
                        CompilationRequest of_others = {bench.documents, 2, &bench.resolver, 0,
                                                        NULL};

                        policy_image_free(run(&compilation, &of_others));
                }
                other = run(&compilation, &request);
                image_check(other);
                g_assert_cmpuint(other->n_rules, ==, image->n_rules);
                g_assert_cmpmem(other->numbers, other->n_numbers * sizeof(uint32_t), image->numbers,
                                image->n_numbers * sizeof(uint32_t));
                policy_image_free(other);
                compilation_free(compilation);
        }
        bench_clear(&bench);
}

/* Numbers that no rule has any longer do not pile up. */
static void test_after_many_changes_all_is_compiled_anew(void)
{
        Bench bench = bench_new(NONE "file:/x\n", NONE);
        size_t n_most = 0;

        for (unsigned i = 0; i < 10000; i++) {
                g_autofree char *more = g_strdup_printf(NONE "file:/%u/*/b uid=%u\n", i, i);

                compile_more(&bench, more);
                n_most = MAX(n_most, bench.image->n_rules);
                n_most = MAX(n_most, bench.image->n_clauses);
                n_most = MAX(n_most, bench.image->n_rulesets);
        }
        g_assert_cmpuint(n_most, <, 5000);
        g_assert_cmpuint(n_most, >, 1000);
        bench_clear(&bench);
}

/* ---- what goes wrong ---- */

static void test_a_change_that_cannot_be_compiled_leaves_the_image_as_it_is(void)
{
        static const FakeMachine no_paths = {.locate_error = -EIO};
        Bench bench = bench_new(NONE "file:/x\n", NONE "file:/a\n");
        PolicyImage *image = NULL;
        Diagnostics diagnostics[2] = {};
        CompilationRequest request;

        bench.resolver = fake_resolver(&no_paths);
        request = request_of(&bench, NONE "file:/a\nfile:/b\n");
        g_assert_cmpint(compilation_run(&bench.compilation, &request, diagnostics, &image), ==,
                        -EIO);
        g_assert_null(image);
        g_assert_null(bench.compilation);
        /* All is asked anew before that is told. */
        g_assert_cmpuint(diagnostics[0].n_faults, ==, 1);
        g_assert_cmpuint(diagnostics[1].n_faults, ==, 0);
        image_check(bench.image);
        for (size_t i = 0; i < G_N_ELEMENTS(diagnostics); i++)
                diagnostics_deinit(&diagnostics[i]);
        bench_clear(&bench);
}

static void test_a_cgroup_that_is_not_there_is_told_each_time(void)
{
        static const char *const cgroups[] = {"/there", NULL};
        static const FakeMachine with_cgroups = {.cgroups = cgroups};
        Bench bench = bench_new(NONE "file:/x\n", NONE);
        CompilationRequest request;

        bench.resolver = fake_resolver(&with_cgroups);
        request = request_of(&bench, NONE "file:/a cgroup=/none\nfile:/b cgroup=/there\n");
        for (int i = 0; i < 2; i++) {
                Diagnostics diagnostics[2] = {};

                policy_image_free(bench.image);
                g_assert_cmpint(
                        compilation_run(&bench.compilation, &request, diagnostics, &bench.image),
                        ==, 0);
                g_assert_cmpuint(diagnostics[0].n_items, ==, 0);
                g_assert_cmpuint(diagnostics[1].n_items, ==, 1);
                g_assert_cmpuint(diagnostics[1].items[0].line, ==, 3);
                diagnostics_deinit(&diagnostics[1]);
                request = request_of(&bench, NONE "file:/a cgroup=/none\nfile:/c\n");
        }
        bench_clear(&bench);
}

#define ADD(test) g_test_add_func("/policy/amend/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_random_changes_of_all_kinds_decide_as_written);
        ADD(test_random_changes_of_names_decide_as_written);
        ADD(test_random_changes_without_patterns_decide_as_written);
        ADD(test_one_rule_among_10000_changes_few_records);
        ADD(test_a_chunk_goes_with_the_last_name_that_has_it);
        ADD(test_only_paths_of_new_rules_are_looked_up);
        ADD(test_a_line_that_moves_keeps_its_number);
        ADD(test_what_is_written_first_decides_whatever_its_number);
        ADD(test_equal_documents_give_the_same_image);
        ADD(test_what_is_compiled_anew_keeps_numbers_that_it_must_have);
        ADD(test_after_many_changes_all_is_compiled_anew);
        ADD(test_a_change_that_cannot_be_compiled_leaves_the_image_as_it_is);
        ADD(test_a_cgroup_that_is_not_there_is_told_each_time);
        return g_test_run();
}
