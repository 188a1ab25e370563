/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions: what is taken for one, which rule answers it, and which rules lost. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "policy/compilation.h"
#include "policy/explain.h"
#include "policy/plain.h"

#define NOW 1000

/* One document in force. */
typedef struct Scene {
        Document document;
        PolicyImage *image;
        Compilation *compilation;
        Resolver resolver;
        Question question;
        Answer answers[ANSWERS_MAX];
        size_t n_answers;
        Loser losers[LOSERS_MAX];
        size_t n_losers;
} Scene;

static void scene_make_at(Scene *scene, const char *text, int64_t applied)
{
        CompilationRequest request = {.n_documents = 1};
        Diagnostics diagnostics = {0};

        *scene = (Scene){.resolver = plain_resolver()};
        scene->document =
                (Document){.name = "web", .text = text, .n_text = strlen(text), .applied = applied};
        g_assert_cmpint(policy_parse(&scene->document.policy, text, strlen(text), &diagnostics), ==,
                        0);
        request.documents = &scene->document;
        request.resolver = &scene->resolver;
        g_assert_cmpint(compilation_run(&scene->compilation, &request, &diagnostics, &scene->image),
                        ==, 0);
        diagnostics_deinit(&diagnostics);
}

static void scene_make(Scene *scene, const char *text)
{
        scene_make_at(scene, text, 0);
}

static void scene_clear(Scene *scene)
{
        question_deinit(&scene->question);
        policy_image_free(scene->image);
        compilation_free(scene->compilation);
        policy_unref(scene->document.policy);
}

static void ask(Scene *scene, const char *entry)
{
        Diagnostics diagnostics = {0};

        question_deinit(&scene->question);
        g_assert_cmpint(question_read(&scene->question, entry, strlen(entry), &scene->resolver, NOW,
                                      &diagnostics),
                        ==, 0);
        scene->n_answers = question_ask(&scene->question, scene->image, scene->answers);
        diagnostics_deinit(&diagnostics);
}

static const ImageRule *winner_of(const Scene *scene, const Answer *answer)
{
        static ImageRule rule;

        return answer_rule(answer, scene->image, &rule);
}

static size_t find_losers(const Scene *scene, const Compilation *compilation,
                          const ImageRule *winner, Loser losers[LOSERS_MAX])
{
        Candidates candidates = {};
        size_t n = 0;

        g_assert_cmpint(
                explain_find(&scene->question, &scene->document, 1, compilation, &candidates), ==,
                0);
        g_assert_cmpint(explain_losers(&scene->question, &scene->answers[0], winner, &candidates,
                                       &scene->resolver, losers, &n),
                        ==, 0);
        candidates_deinit(&candidates);
        return n;
}

/* What is remembered of paths tells the same as asking for each. */
static void find_the_same_losers(Scene *scene, const ImageRule *winner)
{
        Loser losers[LOSERS_MAX] = {};
        size_t n = find_losers(scene, NULL, winner, losers);

        scene->n_losers = find_losers(scene, scene->compilation, winner, scene->losers);
        g_assert_cmpuint(scene->n_losers, ==, n);
        for (size_t i = 0; i < n && i < LOSERS_MAX; i++) {
                g_assert_true(scene->losers[i].rule == losers[i].rule);
                g_assert_cmpstr(scene->losers[i].because, ==, losers[i].because);
        }
}

/* line: of the rule that decides; 0: none does. */
static void assert_decided(Scene *scene, const char *entry, uint32_t line)
{
        const ImageRule *winner;

        ask(scene, entry);
        g_assert_cmpuint(scene->n_answers, ==, 1);
        winner = winner_of(scene, &scene->answers[0]);
        g_assert_cmpuint(winner ? winner->rule->line : 0, ==, line);
        find_the_same_losers(scene, winner);
}

static void assert_lost(const Scene *scene, size_t i, uint32_t line, const char *because)
{
        g_assert_cmpuint(i, <, scene->n_losers);
        g_assert_cmpuint(scene->losers[i].rule->line, ==, line);
        g_assert_cmpstr(scene->losers[i].because, ==, because);
}

static void assert_refused(Scene *scene, const char *entry, const char *part)
{
        Diagnostics diagnostics = {0};

        question_deinit(&scene->question);
        g_assert_cmpint(question_read(&scene->question, entry, strlen(entry), &scene->resolver, NOW,
                                      &diagnostics),
                        ==, POLICY_E_SYNTAX);
        g_assert_cmpuint(diagnostics.n_items, >, 0);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 1);
        if (!strstr(diagnostics.items[0].message, part))
                g_error("\"%s\" is not in \"%s\"", part, diagnostics.items[0].message);
        diagnostics_deinit(&diagnostics);
}

static void test_a_rule_that_is_more_specific_decides_and_the_other_is_told(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/\n[allow]\nfile:/srv/public/\n");
        assert_decided(&scene, "file:/srv/secret access=read", 3);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        assert_decided(&scene, "file:/srv/public/a access=write", 5);
        g_assert_cmpuint(scene.n_losers, ==, 1);
        assert_lost(&scene, 0, 3, "a rule that comes before it decides");
        assert_decided(&scene, "file:/home/a access=read", 0);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        scene_clear(&scene);
}

static void test_a_rule_about_somebody_else_is_told_as_that(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/ uid=33\nfile:/srv/ exe=/usr/bin/curl\n"
                           "file:/srv/ cgroup=/a/b\nfile:/srv/ identity=verified gid=7\n");
        assert_decided(&scene, "file:/srv/x access=read uid=34", 0);
        g_assert_cmpuint(scene.n_losers, ==, 4);
        for (unsigned i = 0; i < 4; i++)
                assert_lost(&scene, i, 3 + i, "it is about another subject");
        assert_decided(&scene, "file:/srv/x access=read uid=33", 3);
        assert_decided(&scene, "file:/srv/x access=read exe=/usr/bin/curl", 4);
        assert_decided(&scene, "file:/srv/x access=read cgroup=/a/b/c", 5);
        assert_decided(&scene, "file:/srv/x access=read identity=verified gid=7", 6);
        g_assert_cmpuint(scene.n_losers, ==, 3);
        scene_clear(&scene);
}

static void test_wildcards_and_names_alone_are_told(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/home/*/.ssh/\nfile:/home/bob\n[allow]\n"
                           "file:/home/bob/.ssh/config\n");
        assert_decided(&scene, "file:/home/bob/.ssh/config access=read", 6);
        g_assert_cmpuint(scene.n_losers, ==, 1);
        assert_lost(&scene, 0, 3, "a rule that comes before it decides");
        assert_decided(&scene, "file:/home/eve/.ssh/key access=read", 3);
        assert_decided(&scene, "file:/home/eve/.bashrc access=read", 0);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        assert_decided(&scene, "file:/home2/.ssh/key access=read", 0);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        scene_clear(&scene);
}

static void test_addresses_are_asked_about(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nnet:connect:10.0.0.0/8\nnet:connect:10.1.0.0/17:1-99"
                           "\n[allow]\nnet:connect:10.1.2.3:50/udp\n");
        assert_decided(&scene, "net:connect:10.9.9.9:443/tcp", 3);
        assert_decided(&scene, "net:connect:10.1.2.3:50/tcp", 4);
        g_assert_cmpuint(scene.n_losers, ==, 1);
        assert_decided(&scene, "net:connect:10.1.2.3:50/udp", 6);
        g_assert_cmpuint(scene.n_losers, ==, 2);
        assert_decided(&scene, "net:connect:10.1.128.3:50/udp", 3);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        assert_decided(&scene, "net:bind:10.1.2.3:50/udp", 0);
        g_assert_cmpuint(scene.n_losers, ==, 0);
        scene_clear(&scene);
}

static void test_programs_and_the_kernel_are_asked_about(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nexec:/usr/bin/\ncomm:gcc\nkernel:module\n"
                           "[default]\nexec=deny uid=5\n");
        assert_decided(&scene, "exec:/usr/bin/ls", 3);
        assert_decided(&scene, "exec:/usr/bin/gcc", 3);
        g_assert_cmpuint(scene.n_losers, ==, 2);
        assert_lost(&scene, 0, 4, "a rule that comes before it decides");
        assert_lost(&scene, 1, 7, "it is about another subject");
        assert_decided(&scene, "comm:gcc", 4);
        assert_decided(&scene, "exec:/opt/x uid=5", 7);
        assert_decided(&scene, "kernel:module", 5);
        assert_decided(&scene, "kernel:ptrace", 0);
        scene_clear(&scene);
}

static void test_a_rule_that_has_expired_is_told_as_that(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/a ttl=10m\nfile:/srv/b ttl=1h\n");
        assert_decided(&scene, "file:/srv/a access=read", 0);
        assert_lost(&scene, 0, 3, "it has expired");
        assert_decided(&scene, "file:/srv/b access=read", 4);
        scene_clear(&scene);
}

static void test_a_rule_that_had_expired_before_the_start_is_told_as_that(void)
{
        Scene scene;

        scene_make_at(&scene, "version=7\n[deny]\nfile:/srv/a ttl=10m\nfile:/srv/ ttl=10m\n", -600);
        assert_decided(&scene, "file:/srv/a access=read", 0);
        g_assert_cmpuint(scene.n_losers, ==, 2);
        assert_lost(&scene, 0, 3, "it has expired");
        assert_lost(&scene, 1, 4, "it has expired");
        scene_clear(&scene);
}

static void test_rules_above_beside_and_below_are_told_apart(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/ uid=1\nfile:/a uid=1\nfile:/a/ uid=1\n"
                           "file:/a/b uid=1\nfile:/a/b/ uid=1\nfile:/a/bc uid=1\n"
                           "file:/a/b/c uid=1\nfile:/b/ uid=1\nfile:/bin/sh uid=1\n"
                           "file:/x/ exe=/a/b\nfile:/a/b uid=2\n");
        for (unsigned i = 0; i < 2; i++) {
                static const char *const questions[] = {
                        "file:/ access=read",          "file:/a access=read",
                        "file:/a/b access=read",       "file:/a/b/c access=create",
                        "file:/a/b/c/d/e access=read", "file:/usr/bin/sh access=read",
                        "file:/aa/b access=read",
                };

                for (size_t j = 0; j < G_N_ELEMENTS(questions); j++)
                        assert_decided(&scene, questions[j], 0);
                assert_decided(&scene, "file:/a/b access=read", 0);
                g_assert_cmpuint(scene.n_losers, ==, 5);
                assert_lost(&scene, 1, 5, "it is about another subject");
                assert_lost(&scene, 2, 6, "it is about another subject");
                scene_clear(&scene);
                /* the same where all names are looked at, one by one */
                scene_make(&scene, "version=7\n[deny]\nfile:/ uid=1\nfile:/a uid=1\n"
                                   "file:/a/ uid=1\nfile:/a/b uid=1\nfile:/a/b/ uid=1\n"
                                   "file:/a/bc uid=1\nfile:/a/b/c uid=1\nfile:/b/ uid=1\n"
                                   "file:/bin/sh uid=1\nfile:/x/*/y uid=1\nfile:/a/b uid=2\n");
        }
        scene_clear(&scene);
}

static int refuse_to_locate(void *userdata, const char *path, Location *ret_location)
{
        g_test_fail_printf("where %s leads has been found out before", path);
        return -EIO;
}

static void test_where_paths_lead_is_not_asked_again(void)
{
        Loser losers[LOSERS_MAX] = {};
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/ uid=1\nfile:/srv/a uid=2\n");
        assert_decided(&scene, "file:/srv/a access=read", 0);
        scene.resolver.locate = refuse_to_locate;
        g_assert_cmpuint(find_losers(&scene, scene.compilation, NULL, losers), ==, 2);
        scene_clear(&scene);
}

static void test_losers_beyond_the_bound_are_counted(void)
{
        g_autoptr(GString) text = g_string_new("version=7\n[deny]\n");
        Scene scene;

        for (unsigned i = 0; i < LOSERS_MAX + 6; i++)
                g_string_append_printf(text, "file:/srv/ uid=%u\n", 100 + i);
        scene_make(&scene, text->str);
        assert_decided(&scene, "file:/srv/x access=read", 0);
        g_assert_cmpuint(scene.n_losers, ==, LOSERS_MAX + 6);
        g_assert_cmpuint(scene.losers[LOSERS_MAX - 1].rule->line, ==, LOSERS_MAX + 2);
        scene_clear(&scene);
}

static void test_each_kind_of_access_is_answered(void)
{
        Scene scene;
        g_autoptr(GString) words = g_string_new(NULL);

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/a access=write,exec\n");
        ask(&scene, "file:/srv/a");
        for (size_t i = 0; i < scene.n_answers; i++)
                g_string_append_printf(words, "%s%s ", scene.answers[i].access,
                                       scene.answers[i].clause ? "!" : "");
        g_assert_cmpstr(words->str, ==, "read write! exec! create delete link attr ");
        ask(&scene, "net:connect,send:10.0.0.1:1/udp");
        g_assert_cmpuint(scene.n_answers, ==, 2);
        scene_clear(&scene);
}

static void test_a_freed_cgroup_is_bound_by_nothing(void)
{
        Scene scene;

        scene_make(&scene, "version=1\n[deny_path]\n/srv/a\n[allow_cgroup]\n/free\n");
        ask(&scene, "file:/srv/a access=read cgroup=/free/x");
        g_assert_true(scene.answers[0].is_unbound);
        g_assert_null(scene.answers[0].clause);
        ask(&scene, "file:/srv/a access=read cgroup=/freed");
        g_assert_false(scene.answers[0].is_unbound);
        g_assert_nonnull(scene.answers[0].clause);
        scene_clear(&scene);
}

static void test_what_is_no_question_is_refused_with_its_place(void)
{
        Scene scene;

        scene_make(&scene, "version=7\n[deny]\nfile:/srv/a\n");
        assert_refused(&scene, "", "nothing");
        assert_refused(&scene, "# file:/a", "nothing");
        assert_refused(&scene, "/etc/shadow", "");
        assert_refused(&scene, "file:/a access=fly", "");
        assert_refused(&scene, "file:/a\nfile:/b", "one line");
        assert_refused(&scene, "file:/a/*/b", "one file");
        assert_refused(&scene, "file:/a ttl=1h", "no more");
        assert_refused(&scene, "file:/a why=x", "no more");
        assert_refused(&scene, "file:/a cgroup=x.service", "cgroup");
        assert_refused(&scene, "file:/a exe=/usr/bin/", "one program");
        assert_refused(&scene, "net:connect:10.0.0.0/8", "one address");
        assert_refused(&scene, "net:connect:10.0.0.1:1-9", "one port");
        assert_refused(&scene, "net:connect:10.0.0.1", "one port");
        scene_clear(&scene);
}

#define ADD(test) g_test_add_func("/explain/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_rule_that_is_more_specific_decides_and_the_other_is_told);
        ADD(test_a_rule_about_somebody_else_is_told_as_that);
        ADD(test_wildcards_and_names_alone_are_told);
        ADD(test_addresses_are_asked_about);
        ADD(test_programs_and_the_kernel_are_asked_about);
        ADD(test_a_rule_that_has_expired_is_told_as_that);
        ADD(test_a_rule_that_had_expired_before_the_start_is_told_as_that);
        ADD(test_rules_above_beside_and_below_are_told_apart);
        ADD(test_where_paths_lead_is_not_asked_again);
        ADD(test_losers_beyond_the_bound_are_counted);
        ADD(test_each_kind_of_access_is_answered);
        ADD(test_a_freed_cgroup_is_bound_by_nothing);
        ADD(test_what_is_no_question_is_refused_with_its_place);
        return g_test_run();
}
