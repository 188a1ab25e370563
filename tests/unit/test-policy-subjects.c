/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: whom rules are about: users, programs, cgroups. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

#define DENIED_TO(options_)                                                                        \
        {                                                                                          \
                .kind = RULE_FILE, .options = (options_), .file = {                                \
                        .path = "/a",                                                              \
                        .access = ACCESS_ALL                                                       \
                }                                                                                  \
        }

static const FakeMachine machine;

static uint32_t decided(const PolicyImage *image, const Who *who)
{
        const What what = {.access = ACCESS_READ, .file.name = {1, (char *) "/a"}};

        return image_decide(image, who, &what).rule;
}

static const struct cgroup_numbers *numbers_of(const PolicyImage *image, const char *path)
{
        for (size_t i = 0; i < image->n_cgroup_names; i++)
                if (strcmp(image->cgroup_names[i].key.path, path) == 0)
                        return &image->cgroup_names[i].value;
        return NULL;
}

/* ---- subjects ---- */

static void test_equal_subjects_are_one(void)
{
        static const RuleOptions one = {.subject = SUBJECT_UID | SUBJECT_GID, .uid = 1, .gid = 2};
        static const RuleOptions same = {
                .subject = SUBJECT_UID | SUBJECT_GID, .uid = 1, .gid = 2, .cgroup = "/unused"};
        static const RuleOptions other = {.subject = SUBJECT_UID, .uid = 1, .gid = 2};
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&one), DENIED_TO(&same),
                                        DENIED_TO(&other), DENIED_TO(NULL));

        g_assert_cmpuint(image->n_subjects, ==, 3);
        g_assert_cmpuint(image->n_cgroup_names, ==, 0);
        g_assert_cmpuint(image->subjects[0].flags, ==, 0);
        policy_image_free(image);
}

static void test_all_that_a_subject_says_must_fit(void)
{
        static const RuleOptions both = {.subject = SUBJECT_UID | SUBJECT_GID, .uid = 1, .gid = 2};
        const uint32_t groups[] = {7, 2};
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&both));

        g_assert_cmpuint(decided(image, &(Who){.uid = 1, .gid = 2}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){.uid = 1, .groups = groups, .n_groups = 2}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){.uid = 1, .groups = groups, .n_groups = 1}), ==, 0);
        g_assert_cmpuint(decided(image, &(Who){.uid = 2, .gid = 2}), ==, 0);
        policy_image_free(image);
}

static void test_a_verified_identity_is_a_condition(void)
{
        static const RuleOptions verified = {.subject = SUBJECT_VERIFIED};
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&verified));

        g_assert_cmpuint(decided(image, &(Who){.is_verified = 1}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){}), ==, 0);
        g_assert_true(image->flags & IMAGE_VERIFIED);
        policy_image_free(image);
}

/* ---- programs ---- */

static uint32_t decided_for(const PolicyImage *image, uint32_t device, const char *exe)
{
        return decided(image, &(Who){.exe = {device, (char *) exe}});
}

static void test_a_program_is_known_by_where_it_lies(void)
{
        static const FakeFile files[] = {
                {"/bin/vi", {.name = {1, (char *) "/usr/bin/vi"}, .target = {2, (char *) "/vim"}}},
                {}};
        static const FakeMachine linked = {.files = files};
        static const RuleOptions vi = {.subject = SUBJECT_EXE, .exe = "/bin/vi"};
        PolicyImage *image = COMPILE_ON(&linked, DENIED_TO(&vi));

        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/vi"), ==, 1);
        g_assert_cmpuint(decided_for(image, 2, "/vim"), ==, 1);
        g_assert_cmpuint(decided_for(image, 1, "/vim"), ==, 0);
        g_assert_cmpuint(decided_for(image, 1, "/bin/vi"), ==, 0);
        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/vi/x"), ==, 0);
        g_assert_cmpuint(decided_for(image, 1, NULL), ==, 0);
        g_assert_true(image->flags & IMAGE_EXES);
        policy_image_free(image);
}

static void test_a_directory_of_programs_is_all_below(void)
{
        static const RuleOptions bin = {.subject = SUBJECT_EXE, .exe = "/usr", .exe_below = 1};
        static const RuleOptions name = {.subject = SUBJECT_EXE, .exe = "/usr"};
        Rule by_name = DENIED_TO(&name), by_bin = DENIED_TO(&bin);
        PolicyImage *image;

        by_name.file.path = "/b";
        image = COMPILE_ON(&machine, by_bin, by_name);
        g_assert_cmpuint(image->n_subjects, ==, 3);
        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/x"), ==, 1);
        g_assert_cmpuint(decided_for(image, 1, "/usr"), ==, 1);
        g_assert_cmpuint(decided_for(image, 1, "/us"), ==, 0);
        policy_image_free(image);
}

static void test_a_program_may_be_in_many_sets(void)
{
        static const RuleOptions all = {.subject = SUBJECT_EXE, .exe = "/", .exe_below = 1};
        static const RuleOptions any = {.subject = SUBJECT_EXE, .exe = "/*/bin", .exe_below = 1};
        static const RuleOptions one = {.subject = SUBJECT_EXE, .exe = "/usr/bin/x"};
        Rule rules[] = {DENIED_TO(&all), DENIED_TO(&any), DENIED_TO(&one)};
        PolicyImage *image;

        rules[1].verdict = RULE_AUDIT;
        rules[2].verdict = RULE_ALLOW;
        image = compile_rules(rules, 3, &machine);
        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/x"), ==, 3);
        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/y"), ==, 1);
        g_assert_cmpuint(decided_for(image, 1, "/opt/bin/x"), ==, 1);
        policy_image_free(image);
        rules[0].verdict = RULE_AUDIT;
        rules[1].verdict = RULE_DENY;
        image = compile_rules(rules, 3, &machine);
        g_assert_cmpuint(decided_for(image, 1, "/usr/bin/y"), ==, 2);
        g_assert_cmpuint(decided_for(image, 1, "/usr/y"), ==, 1);
        policy_image_free(image);
}

static void test_a_program_that_is_named_often_is_located_once(void)
{
        static const RuleOptions one = {.subject = SUBJECT_EXE, .exe = "/x"};
        static const RuleOptions same = {.subject = SUBJECT_EXE, .exe = "/x", .mode = 1};
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&one), DENIED_TO(&same));

        g_assert_cmpuint(image->n_marks, ==, 1);
        g_assert_cmpuint(image->n_subjects, ==, 2);
        policy_image_free(image);
}

static void test_a_program_that_cannot_be_located_refuses_the_set(void)
{
        static const RuleOptions one = {.subject = SUBJECT_EXE, .exe = "/x"};
        const FakeMachine broken = {.locate_error = -EIO};
        Rule rules[] = {{.kind = RULE_KERNEL}, {.kind = RULE_KERNEL, .options = &one}};
        Diagnostics diagnostics;

        g_assert_null(compile_rules_to(-EIO, rules, 2, &broken, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 2);
        diagnostics_deinit(&diagnostics);
}

/* ---- cgroups ---- */

#define FREED(path_)                                                                               \
        {                                                                                          \
                .kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup.path = (path_)           \
        }
#define FREED_BY_ID(id_)                                                                           \
        {                                                                                          \
                .kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup.id = (id_)               \
        }

static const RuleOptions in_a = {.subject = SUBJECT_CGROUP, .cgroup = "/a"};
static const RuleOptions in_a_of_joe = {
        .subject = SUBJECT_CGROUP | SUBJECT_UID, .cgroup = "/a", .uid = 1000};
static const RuleOptions in_unit = {.subject = SUBJECT_CGROUP, .cgroup = "x.service"};
static const RuleOptions in_77 = {.subject = SUBJECT_CGROUP, .cgroup_id = 77};

static void test_each_cgroup_has_a_number(void)
{
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&in_a), DENIED_TO(&in_unit),
                                        DENIED_TO(&in_a_of_joe), DENIED_TO(&in_77));
        uint32_t a = numbers_of(image, "/a")->subject;
        uint32_t unit = numbers_of(image, "x.service")->subject;

        g_assert_cmpuint(image->n_cgroup_names, ==, 2);
        g_assert_cmpuint(image->n_cgroup_ids, ==, 1);
        g_assert_cmpuint(a, >, CGROUP_UNBOUND);
        g_assert_cmpuint(unit, >, CGROUP_UNBOUND);
        g_assert_cmpuint(a, !=, unit);
        g_assert_cmpuint(image->cgroup_ids[0].key.id, ==, 77);
        g_assert_cmpuint(image->cgroup_ids[0].key.number, >, CGROUP_UNBOUND);
        g_assert_cmpuint(image->cgroup_ids[0].key.number, !=, a);
        g_assert_cmpuint(image->cgroup_ids[0].key.number, !=, unit);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES | IMAGE_CGROUPS | IMAGE_SUBJECTS);
        policy_image_free(image);
}

static void test_a_subtree_a_unit_and_an_id_are_subjects(void)
{
        const uint64_t ids[] = {1, 77};
        PolicyImage *image = COMPILE_ON(&machine, DENIED_TO(&in_a));

        g_assert_cmpuint(decided(image, &(Who){.cgroup = "/a/b/c"}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){.cgroup = "/ab"}), ==, 0);
        policy_image_free(image);
        image = COMPILE_ON(&machine, DENIED_TO(&in_unit));
        g_assert_cmpuint(decided(image, &(Who){.cgroup = "/s/x.service/y"}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){.cgroup = "/s/y"}), ==, 0);
        policy_image_free(image);
        image = COMPILE_ON(&machine, DENIED_TO(&in_77));
        g_assert_cmpuint(decided(image, &(Who){.cgroup_ids = ids, .n_cgroup_ids = 2}), ==, 1);
        g_assert_cmpuint(decided(image, &(Who){.cgroup_ids = ids, .n_cgroup_ids = 1}), ==, 0);
        policy_image_free(image);
}

static void test_allowed_cgroups_are_freed_each_once(void)
{
        PolicyImage *image = COMPILE_ON(&machine, FREED("/a"), FREED_BY_ID(9), FREED("/b"),
                                        FREED("/a"), FREED_BY_ID(77), FREED_BY_ID(9));

        g_assert_cmpuint(image->n_cgroup_names, ==, 2);
        g_assert_cmpuint(numbers_of(image, "/a")->unbound, ==, CGROUP_UNBOUND);
        g_assert_cmpuint(numbers_of(image, "/a")->subject, ==, 0);
        g_assert_cmpuint(image->n_cgroup_ids, ==, 2);
        g_assert_cmpuint(image->cgroup_ids[0].key.number, ==, CGROUP_UNBOUND);
        g_assert_cmpuint(image->flags, ==, IMAGE_UNBOUND);
        g_assert_cmpuint(image->hooks, ==, 0);
        policy_image_free(image);
}

static void test_a_cgroup_may_be_free_and_a_subject(void)
{
        PolicyImage *image = COMPILE_ON(&machine, FREED("/a"), DENIED_TO(&in_a), FREED_BY_ID(77),
                                        DENIED_TO(&in_77));

        g_assert_cmpuint(numbers_of(image, "/a")->unbound, ==, CGROUP_UNBOUND);
        g_assert_cmpuint(numbers_of(image, "/a")->subject, >, CGROUP_UNBOUND);
        g_assert_cmpuint(image->n_cgroup_ids, ==, 2);
        g_assert_true(
                image_decide(image, &(Who){.cgroup = "/a/b"}, &(What){.access = 1}).is_exempt);
        policy_image_free(image);
}

static void test_a_cgroup_that_is_not_there_is_a_warning_and_holds(void)
{
        static const char *const cgroups[] = {"/there", NULL};
        static const FakeMachine bare = {.cgroups = cgroups};
        Rule rules[] = {FREED("/there"), FREED("/gone"), DENIED_TO(&in_unit), FREED("/gone")};
        Diagnostics diagnostics;
        PolicyImage *image = compile_rules_to(0, rules, 4, &bare, &diagnostics);

        g_assert_cmpuint(diagnostics.n_faults, ==, 0);
        g_assert_cmpuint(diagnostics.n_items, ==, 2);
        diagnostics_sort(&diagnostics);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 2);
        g_assert_cmpuint(diagnostics.items[1].line, ==, 3);
        g_assert_nonnull(numbers_of(image, "/gone"));
        g_assert_nonnull(numbers_of(image, "x.service"));
        diagnostics_deinit(&diagnostics);
        policy_image_free(image);
}

static void test_a_cgroup_that_cannot_be_asked_for_refuses_the_set(void)
{
        const FakeMachine broken = {.cgroup_error = -EIO};
        Rule rules[] = {{.kind = RULE_KERNEL}, FREED("/a")};
        Diagnostics diagnostics;

        g_assert_null(compile_rules_to(-EIO, rules, 2, &broken, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 2);
        diagnostics_deinit(&diagnostics);
}

static void test_a_path_of_a_cgroup_that_is_too_long_is_refused(void)
{
        g_autofree char *longest = g_strnfill(CGROUP_PATH_SIZE - 1, '/');
        g_autofree char *longer = g_strnfill(CGROUP_PATH_SIZE, '/');
        Rule rules[] = {FREED(longest)};
        Diagnostics diagnostics;

        policy_image_free(compile_rules(rules, 1, &machine));
        rules[0].cgroup.path = longer;
        g_assert_null(compile_rules_to(-E2BIG, rules, 1, &machine, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        diagnostics_deinit(&diagnostics);
}

#define ADD(test) g_test_add_func("/policy/subjects/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_equal_subjects_are_one);
        ADD(test_all_that_a_subject_says_must_fit);
        ADD(test_a_verified_identity_is_a_condition);
        ADD(test_a_program_is_known_by_where_it_lies);
        ADD(test_a_directory_of_programs_is_all_below);
        ADD(test_a_program_may_be_in_many_sets);
        ADD(test_a_program_that_is_named_often_is_located_once);
        ADD(test_a_program_that_cannot_be_located_refuses_the_set);
        ADD(test_each_cgroup_has_a_number);
        ADD(test_a_subtree_a_unit_and_an_id_are_subjects);
        ADD(test_allowed_cgroups_are_freed_each_once);
        ADD(test_a_cgroup_may_be_free_and_a_subject);
        ADD(test_a_cgroup_that_is_not_there_is_a_warning_and_holds);
        ADD(test_a_cgroup_that_cannot_be_asked_for_refuses_the_set);
        ADD(test_a_path_of_a_cgroup_that_is_too_long_is_refused);
        return g_test_run();
}
