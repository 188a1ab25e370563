/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: components * of rules. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

#define FILE_RULE(path_, below_, has_wildcard_)                                                    \
        {                                                                                          \
                .kind = RULE_FILE, .file = {                                                       \
                        .path = (path_),                                                           \
                        .access = ACCESS_ALL,                                                      \
                        .below = (below_),                                                         \
                        .has_wildcard = (has_wildcard_),                                           \
                }                                                                                  \
        }
#define NAME(path) FILE_RULE(path, 0, 0)
#define ANY_NAME(path) FILE_RULE(path, 0, 1)
#define ANY_TREE(path) FILE_RULE(path, 1, 1)

static uint32_t decided(const PolicyImage *image, const char *path)
{
        const Who who = {};
        const What what = {.access = ACCESS_READ, .file.name = {1, (char *) path}};

        return image_decide(image, &who, &what).rule;
}

static int holds(const PolicyImage *image, const char *path)
{
        ImagePlace place = image_place(image, &(Place){1, (char *) path});

        return !(place.node & NODE_SOFT);
}

static void test_a_star_is_one_component(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/home/*/key"), ANY_TREE("/srv/*/x"));

        g_assert_cmpuint(decided(image, "/home/joe/key"), ==, 1);
        g_assert_cmpuint(decided(image, "/home/key"), ==, 0);
        g_assert_cmpuint(decided(image, "/home/a/b/key"), ==, 0);
        g_assert_cmpuint(decided(image, "/home/joe"), ==, 0);
        g_assert_cmpuint(decided(image, "/home/joe/key/x"), ==, 0);
        g_assert_cmpuint(decided(image, "/srv/1/x"), ==, 2);
        g_assert_cmpuint(decided(image, "/srv/1/x/y/z"), ==, 2);
        g_assert_cmpuint(decided(image, "/srv/1/y"), ==, 0);
        policy_image_free(image);
}

static void test_a_star_at_either_end_is_a_component_too(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/*/shadow"), ANY_NAME("/etc/*"));

        g_assert_cmpuint(decided(image, "/etc/shadow"), ==, 1);
        g_assert_cmpuint(decided(image, "/etc/passwd"), ==, 2);
        g_assert_cmpuint(decided(image, "/x/shadow"), ==, 1);
        g_assert_cmpuint(decided(image, "/x/passwd"), ==, 0);
        g_assert_cmpuint(decided(image, "/etc"), ==, 0);
        policy_image_free(image);
}

static void test_every_name_fits_a_star_however_long(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/d/*"));

        for (unsigned n = 1; n <= 255; n++) {
                g_autofree char *name = g_strnfill(n, 'n');
                g_autofree char *path = g_strconcat("/d/", name, NULL);

                g_assert_cmpuint(decided(image, path), ==, 1);
        }
        policy_image_free(image);
}

static void test_a_name_is_more_specific_than_a_star(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/home/*/key"), NAME("/home/joe/key"));

        g_assert_cmpuint(decided(image, "/home/joe/key"), ==, 2);
        g_assert_cmpuint(decided(image, "/home/eve/key"), ==, 1);
        policy_image_free(image);
}

static void test_a_name_at_the_end_counts_most(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/a/*"), ANY_NAME("/*/b"), ANY_NAME("/*/*"));

        g_assert_cmpuint(decided(image, "/a/b"), ==, 2);
        g_assert_cmpuint(decided(image, "/a/c"), ==, 1);
        g_assert_cmpuint(decided(image, "/c/b"), ==, 2);
        g_assert_cmpuint(decided(image, "/c/d"), ==, 3);
        policy_image_free(image);
}

static void test_a_deeper_star_is_more_specific_than_a_name_above(void)
{
        PolicyImage *image = COMPILE(ANY_TREE("/home/joe"), ANY_TREE("/*/*/key"));

        g_assert_cmpuint(decided(image, "/home/joe/key"), ==, 2);
        g_assert_cmpuint(decided(image, "/home/joe/x"), ==, 1);
        policy_image_free(image);
}

/* What is below a star holds below a name beside it, too. */
static void test_a_name_beside_a_star_takes_its_subtree_along(void)
{
        PolicyImage *image =
                COMPILE(ANY_NAME("/home/*/.ssh/id"), NAME("/home/joe/x"), NAME("/home/joe/.ssh/y"));

        g_assert_cmpuint(decided(image, "/home/joe/.ssh/id"), ==, 1);
        g_assert_cmpuint(decided(image, "/home/joe/x"), ==, 2);
        g_assert_cmpuint(decided(image, "/home/joe/.ssh/y"), ==, 3);
        g_assert_cmpuint(decided(image, "/home/eve/.ssh/id"), ==, 1);
        g_assert_cmpuint(decided(image, "/home/eve/.ssh/y"), ==, 0);
        g_assert_true(holds(image, "/home/eve/.ssh"));
        g_assert_true(holds(image, "/home/joe/.ssh"));
        g_assert_true(holds(image, "/home/eve"));
        policy_image_free(image);
}

static void test_a_star_that_is_a_name_stands_for_itself(void)
{
        PolicyImage *image = COMPILE(NAME("/a/*"), NAME("/a/b"));

        g_assert_cmpuint(decided(image, "/a/*"), ==, 1);
        g_assert_cmpuint(decided(image, "/a/b"), ==, 2);
        g_assert_cmpuint(decided(image, "/a/c"), ==, 0);
        policy_image_free(image);
}

static void test_a_star_within_a_name_is_a_part_of_it(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/a*/*/*b"));

        g_assert_cmpuint(decided(image, "/a*/x/*b"), ==, 1);
        g_assert_cmpuint(decided(image, "/ab/x/*b"), ==, 0);
        g_assert_cmpuint(decided(image, "/a*/x/bb"), ==, 0);
        policy_image_free(image);
}

static void test_what_stands_before_the_first_star_is_located(void)
{
        static const FakeFile files[] = {
                {"/home", {.name = {1, (char *) "/h"}, .target = {1, (char *) "/data/home"}}},
                {"/", {.name = {1, (char *) "/"}}},
                {}};
        static const FakeMachine machine = {.files = files};
        PolicyImage *image = COMPILE_ON(&machine, ANY_NAME("/home/*/key"), ANY_NAME("/*/x"));

        g_assert_cmpuint(decided(image, "/data/home/joe/key"), ==, 1);
        g_assert_cmpuint(decided(image, "/h/joe/key"), ==, 1);
        g_assert_cmpuint(decided(image, "/home/joe/key"), ==, 0);
        g_assert_cmpuint(decided(image, "/any/x"), ==, 2);
        policy_image_free(image);
}

static void test_a_list_that_holds_at_many_places_stands_once(void)
{
        PolicyImage *image = COMPILE(ANY_NAME("/*/a/x"), ANY_NAME("/*/b/x"), NAME("/c/z"),
                                     NAME("/d/z"), NAME("/e/z"));

        /* none, and one a rule */
        g_assert_cmpuint(image->n_clauses, ==, 6);
        policy_image_free(image);
}

/* Each of n directories takes the n names below the star along. */
static int compile_square(unsigned n, Diagnostics *diagnostics)
{
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        g_autofree Rule *rules = g_new0(Rule, 2 * n);
        PolicyImage *image = NULL;
        Document document;
        Resolver resolver = fake_resolver(&(FakeMachine){});
        int r;

        for (unsigned i = 0; i < n; i++) {
                char *any = g_strdup_printf("/*/%u", i), *name = g_strdup_printf("/d%u/x", i);

                g_ptr_array_add(paths, any);
                g_ptr_array_add(paths, name);
                rules[i] = (Rule) ANY_NAME(any);
                rules[n + i] = (Rule) NAME(name);
        }
        *diagnostics = (Diagnostics){};
        document = document_of_rules("doc", rules, 2 * n);
        r = policy_image_compile(&image, &document, 1, &resolver, diagnostics);
        policy_unref(document.policy);
        policy_image_free(image);
        return r;
}

static void test_stars_that_make_too_much_are_refused_with_a_line(void)
{
        Diagnostics diagnostics;

        g_assert_cmpint(compile_square(1000, &diagnostics), ==, 0);
        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        g_assert_cmpint(compile_square(1100, &diagnostics), ==, -E2BIG);
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, >, 1);
        g_assert_nonnull(strstr(diagnostics.items[0].hint, "*"));
        diagnostics_deinit(&diagnostics);
}

#define ADD(test) g_test_add_func("/policy/wildcards/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_star_is_one_component);
        ADD(test_a_star_at_either_end_is_a_component_too);
        ADD(test_every_name_fits_a_star_however_long);
        ADD(test_a_name_is_more_specific_than_a_star);
        ADD(test_a_name_at_the_end_counts_most);
        ADD(test_a_deeper_star_is_more_specific_than_a_name_above);
        ADD(test_a_name_beside_a_star_takes_its_subtree_along);
        ADD(test_a_star_that_is_a_name_stands_for_itself);
        ADD(test_a_star_within_a_name_is_a_part_of_it);
        ADD(test_what_stands_before_the_first_star_is_located);
        ADD(test_a_list_that_holds_at_many_places_stands_once);
        ADD(test_stars_that_make_too_much_are_refused_with_a_line);
        return g_test_run();
}
