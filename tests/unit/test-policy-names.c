/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: rules about names, and where they lie in file systems. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

#define FILE_RULE(path_, below_)                                                                   \
        {                                                                                          \
                .kind = RULE_FILE, .file = {                                                       \
                        .path = (path_),                                                           \
                        .access = ACCESS_ALL,                                                      \
                        .below = (below_)                                                          \
                }                                                                                  \
        }
#define NAME(path) FILE_RULE(path, 0)
#define TREE(path) FILE_RULE(path, 1)

static void assert_rule(const PolicyImage *image, uint32_t device, const char *path, uint32_t rule)
{
        const Who who = {};
        const What what = {.access = ACCESS_READ, .file.name = {device, (char *) path}};
        Verdict verdict = image_decide(image, &who, &what);

        g_assert_cmpuint(verdict.rule, ==, rule);
}

static int holds(const PolicyImage *image, const char *path)
{
        ImagePlace place = image_place(image, &(Place){1, (char *) path});

        return !(place.node & NODE_SOFT);
}

/* ---- names ---- */

static void test_a_path_is_the_name_and_all_below(void)
{
        PolicyImage *image = COMPILE(TREE("/a/b"));

        assert_rule(image, 1, "/a/b", 1);
        assert_rule(image, 1, "/a/b/c", 1);
        assert_rule(image, 1, "/a/b/c/d/e", 1);
        assert_rule(image, 1, "/a", 0);
        assert_rule(image, 1, "/a/bc", 0);
        assert_rule(image, 1, "/a/c", 0);
        assert_rule(image, 1, "/", 0);
        assert_rule(image, 2, "/a/b", 0);
        g_assert_true(holds(image, "/"));
        g_assert_true(holds(image, "/a"));
        g_assert_false(holds(image, "/a/b"));
        policy_image_free(image);
}

static void test_every_spelling_of_deny_path_means_all_below(void)
{
        static const char *const texts[] = {"version=1\n[deny_path]\n/a/b\n",
                                            "version=1\n[deny_path]\n/a/b/\n"};

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                Diagnostics diagnostics;
                PolicyImage *image = compile_text(texts[i], &(FakeMachine){}, &diagnostics);

                assert_rule(image, 1, "/a/b", 1);
                assert_rule(image, 1, "/a/b/c", 1);
                policy_image_free(image);
        }
}

static void test_a_rule_of_a_name_alone_is_that_very_name(void)
{
        PolicyImage *image = COMPILE(NAME("/a/b"));

        assert_rule(image, 1, "/a/b", 1);
        assert_rule(image, 1, "/a/b/c", 0);
        assert_rule(image, 1, "/a", 0);
        assert_rule(image, 1, "/a/bc", 0);
        policy_image_free(image);
}

static void test_the_nearest_rule_decides(void)
{
        PolicyImage *image = COMPILE(TREE("/a"), TREE("/a/b/c/d/e"), TREE("/a/b"));

        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, "/a/x", 1);
        assert_rule(image, 1, "/a/b", 3);
        assert_rule(image, 1, "/a/b/x", 3);
        assert_rule(image, 1, "/a/b/c", 3);
        assert_rule(image, 1, "/a/b/c/d/x", 3);
        assert_rule(image, 1, "/a/b/c/d/e", 2);
        assert_rule(image, 1, "/a/b/c/d/e/x", 2);
        policy_image_free(image);
}

static void test_a_name_alone_interrupts_no_directory(void)
{
        PolicyImage *image = COMPILE(TREE("/a"), NAME("/a/b/c"), TREE("/a/b/d"), NAME("/a/b"));

        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, "/a/x", 1);
        assert_rule(image, 1, "/a/b", 4);
        assert_rule(image, 1, "/a/b/x", 1);
        assert_rule(image, 1, "/a/b/c", 2);
        assert_rule(image, 1, "/a/b/c/x", 1);
        assert_rule(image, 1, "/a/b/d", 3);
        assert_rule(image, 1, "/a/b/d/x", 3);
        policy_image_free(image);
}

static void test_a_rule_about_the_name_stands_before_one_about_all_below(void)
{
        PolicyImage *image = COMPILE(TREE("/b"), TREE("/a"), NAME("/a"), TREE("/a"));

        assert_rule(image, 1, "/a", 3);
        assert_rule(image, 1, "/a/x", 2);
        policy_image_free(image);
}

static void test_the_root_of_a_file_system_can_be_named(void)
{
        PolicyImage *image = COMPILE(TREE("/"), TREE("/a"));

        assert_rule(image, 1, "/", 1);
        assert_rule(image, 1, "/x/y", 1);
        assert_rule(image, 1, "/a", 2);
        assert_rule(image, 1, "/a/b", 2);
        policy_image_free(image);
        image = COMPILE(NAME("/"), NAME("/a"));
        assert_rule(image, 1, "/", 1);
        assert_rule(image, 1, "/x/y", 0);
        policy_image_free(image);
}

static void test_names_of_any_length_are_found(void)
{
        for (unsigned n = 1; n <= 255; n++) {
                g_autofree char *name = g_strnfill(n, 'n');
                g_autofree char *path = g_strdup_printf("/%s/x", name);
                PolicyImage *image = COMPILE(NAME(path));

                assert_rule(image, 1, path, 1);
                path[n] = 'm';
                assert_rule(image, 1, path, 0);
                g_assert_cmpuint(image->n_trie, ==, (n + NAME_CHUNK - 1) / NAME_CHUNK + 1);
                policy_image_free(image);
        }
}

static void test_long_names_of_one_length_share_their_chunks(void)
{
        g_autofree char *head = g_strnfill(2 * NAME_CHUNK, 'h');
        g_autofree char *one = g_strdup_printf("/%sone", head);
        g_autofree char *two = g_strdup_printf("/%stwo", head);
        g_autofree char *four = g_strdup_printf("/%sfour", head);
        g_autofree char *deep = g_strdup_printf("/%sabc/x", head);
        g_autofree char *none = g_strdup_printf("/%sten", head);
        PolicyImage *image = COMPILE(NAME(one), NAME(two), NAME(four), NAME(deep));

        assert_rule(image, 1, one, 1);
        assert_rule(image, 1, two, 2);
        assert_rule(image, 1, four, 3);
        assert_rule(image, 1, deep, 4);
        assert_rule(image, 1, none, 0);
        /* 2 shared and 3 last ones of 115 bytes, 3 of 116, and x */
        g_assert_cmpuint(image->n_trie, ==, 2 + 3 + 3 + 1);
        policy_image_free(image);
}

static void test_a_place_below_2000_directories_is_found(void)
{
        g_autoptr(GString) path = g_string_new("");
        PolicyImage *image;

        while (path->len < 4094)
                g_string_append(path, "/d");
        image = COMPILE(TREE(path->str), TREE("/d/d"));
        assert_rule(image, 1, path->str, 1);
        g_string_append(path, "/d");
        assert_rule(image, 1, path->str, 1);
        assert_rule(image, 1, "/d/d/d", 2);
        policy_image_free(image);
}

/* Deeper than any path that the kernel takes, as mounts below mounts can lie. */
static void test_a_place_of_a_megabyte_is_found(void)
{
        g_autoptr(GString) path = g_string_new("");
        FakeFile files[] = {{"/long", {}}, {}};
        const FakeMachine machine = {.files = files};
        PolicyImage *image;

        for (int i = 0; i < 4096; i++)
                g_string_append_printf(path, "/%0255d", i);
        files[0].location.name = (Place){1, path->str};
        image = COMPILE_ON(&machine, TREE("/a"), TREE("/long"), TREE("/b"), TREE("/c"));
        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, path->str, 2);
        assert_rule(image, 1, "/b", 3);
        assert_rule(image, 1, "/c", 4);
        policy_image_free(image);
}

static void test_equal_rulesets_are_shared(void)
{
        PolicyImage *image = COMPILE(TREE("/a"), TREE("/b/c/d/e/f"));

        /* none; /a; f */
        g_assert_cmpuint(image->n_rulesets, ==, 3);
        policy_image_free(image);

        image = COMPILE(TREE("/a"), TREE("/a/b/c/d/e"));
        /* none; /a and what inherits from it; e */
        g_assert_cmpuint(image->n_rulesets, ==, 3);
        policy_image_free(image);

        image = COMPILE(TREE("/a"), NAME("/a/b/c/d"), NAME("/a/b/c/e"));
        /* none; /a and what inherits from it; d and e, each with what it inherits */
        g_assert_cmpuint(image->n_rulesets, ==, 4);
        policy_image_free(image);
}

/* ---- what holds a directory ---- */

static const RuleOptions in_audit = {.mode = RULE_MODE_AUDIT};
static const RuleOptions of_curl = {.subject = SUBJECT_EXE, .exe = "/usr/bin/curl"};

static unsigned n_hard_nodes(const PolicyImage *image)
{
        unsigned n = 0;

        for (size_t i = 0; i < image->n_trie; i++)
                n += !(image->trie[i].value.node & NODE_SOFT);
        for (size_t i = 0; i < image->n_roots; i++)
                n += !(image->roots[i].value.node & NODE_SOFT);
        return n;
}

static void test_a_directory_is_held_by_denials_in_earnest_alone(void)
{
        Rule allow = TREE("/allow/x"), audit = NAME("/audit/x"), record = NAME("/record/x");
        Rule by_exe = NAME("/deny/a/b/c");
        PolicyImage *image;

        allow.verdict = RULE_ALLOW;
        audit.verdict = RULE_AUDIT;
        record.options = &in_audit;
        by_exe.options = &of_curl;
        image = COMPILE(allow, audit, record, by_exe);
        g_assert_false(holds(image, "/allow"));
        g_assert_false(holds(image, "/audit"));
        g_assert_false(holds(image, "/record"));
        g_assert_false(holds(image, "/usr"));
        g_assert_false(holds(image, "/usr/bin"));
        g_assert_true(holds(image, "/"));
        g_assert_true(holds(image, "/deny"));
        g_assert_true(holds(image, "/deny/a/b"));
        g_assert_false(holds(image, "/deny/a/b/c"));
        g_assert_cmpuint(n_hard_nodes(image), ==, 4);
        policy_image_free(image);
}

/* ---- where names lie ---- */

static void test_names_below_different_mounts_stay_apart(void)
{
        static const FakeMount mounts[] = {{"/m/n", 3}, {"/m", 2}, {}};
        static const FakeMachine machine = {.mounts = mounts};
        PolicyImage *image =
                COMPILE_ON(&machine, TREE("/m/a"), TREE("/a/b"), TREE("/m/n"), TREE("/m/c"));

        g_assert_cmpuint(image->n_roots, ==, 3);
        assert_rule(image, 2, "/a", 1);
        assert_rule(image, 1, "/a", 0);
        assert_rule(image, 1, "/a/b", 2);
        assert_rule(image, 3, "/", 3);
        assert_rule(image, 3, "/x/y", 3);
        assert_rule(image, 2, "/c", 4);
        assert_rule(image, 2, "/n", 0);
        policy_image_free(image);
}

static void test_a_link_is_guarded_where_it_leads_too(void)
{
        static const FakeFile files[] = {
                {"/l", {.name = {1, (char *) "/x/l"}, .target = {2, (char *) "/t"}}}, {}};
        static const FakeMachine machine = {.files = files};
        PolicyImage *image = COMPILE_ON(&machine, TREE("/l"));

        assert_rule(image, 1, "/x/l", 1);
        assert_rule(image, 2, "/t", 1);
        assert_rule(image, 2, "/t/x", 1);
        assert_rule(image, 1, "/l", 0);
        policy_image_free(image);
}

static void test_a_path_that_cannot_be_followed_refuses_the_set(void)
{
        FakeMachine machine = {.locate_error = -ELOOP};
        Diagnostics diagnostics;
        Rule rules[] = {{.kind = RULE_KERNEL}, TREE("/a")};

        g_assert_null(compile_rules_to(-ELOOP, rules, 2, &machine, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 2);
        diagnostics_deinit(&diagnostics);
}

static void test_a_resolver_that_answers_nonsense_refuses_the_set(void)
{
        static const char *const bad[] = {"", "relative", "//", "/a//b", "/a/"};

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                FakeFile files[] = {{"/a", {.name = {1, (char *) bad[i]}}}, {}};
                FakeMachine machine = {.files = files};
                Diagnostics diagnostics;
                Rule rules[] = {TREE("/a")};

                g_assert_null(compile_rules_to(-EINVAL, rules, 1, &machine, &diagnostics));
                g_assert_cmpuint(diagnostics.n_faults, ==, 1);
                diagnostics_deinit(&diagnostics);
        }
}

#define ADD(test) g_test_add_func("/policy/names/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_path_is_the_name_and_all_below);
        ADD(test_every_spelling_of_deny_path_means_all_below);
        ADD(test_a_rule_of_a_name_alone_is_that_very_name);
        ADD(test_the_nearest_rule_decides);
        ADD(test_a_name_alone_interrupts_no_directory);
        ADD(test_a_rule_about_the_name_stands_before_one_about_all_below);
        ADD(test_the_root_of_a_file_system_can_be_named);
        ADD(test_names_of_any_length_are_found);
        ADD(test_long_names_of_one_length_share_their_chunks);
        ADD(test_a_place_below_2000_directories_is_found);
        ADD(test_a_place_of_a_megabyte_is_found);
        ADD(test_equal_rulesets_are_shared);
        ADD(test_a_directory_is_held_by_denials_in_earnest_alone);
        ADD(test_names_below_different_mounts_stay_apart);
        ADD(test_a_link_is_guarded_where_it_leads_too);
        ADD(test_a_path_that_cannot_be_followed_refuses_the_set);
        ADD(test_a_resolver_that_answers_nonsense_refuses_the_set);
        return g_test_run();
}
