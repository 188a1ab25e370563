/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: files that are known by number. */
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

#define LINKED(inode_) .exists = 1, .n_links = 2, .inode = (inode_), .device = 1

/* Two names of one file, and one of another. */
static const FakeFile files[] = {
        {"/a", {LINKED(12)}},
        {"/b", {LINKED(12)}},
        {"/c", {LINKED(13), .inode_generation = 99, .generation_known = 1}},
        {"/one", {.exists = 1, .n_links = 1, .inode = 14, .device = 1}},
        {"/dir", {.exists = 1, .n_links = 5, .is_directory = 1, .inode = 15, .device = 1}},
        {"/none", {.n_links = 2, .inode = 16, .device = 1}},
        {},
};
static const FakeMachine machine = {.files = files};

static const RuleOptions by_root = {.subject = SUBJECT_UID, .uid = 0};
static const RuleOptions by_joe = {.subject = SUBJECT_UID, .uid = 1000};
static const RuleOptions in_audit = {.mode = RULE_MODE_AUDIT};
static const RuleOptions for_a_minute = {.ttl = 60};

static Rule rule(RuleVerdict verdict, const char *path, uint32_t access, const RuleOptions *options)
{
        return (Rule){
                .kind = RULE_FILE,
                .verdict = verdict,
                .options = options,
                .file = {.path = path, .access = access},
        };
}

#define DENY(path) rule(RULE_DENY, path, ACCESS_ALL, NULL)
#define INODE(inode_)                                                                              \
        {                                                                                          \
                .kind = RULE_INODE, .inode = {                                                     \
                        .device = 1,                                                               \
                        .inode = (inode_),                                                         \
                        .access = ACCESS_ALL                                                       \
                }                                                                                  \
        }

/* What is decided of a file by its number, which is opened by a name that no rule is about. */
static Verdict by_number(const PolicyImage *image, uint32_t uid, uint64_t inode, uint32_t access)
{
        const Who who = {.uid = uid};
        const What what = {
                .access = access,
                .file = {.name = {1, (char *) "/elsewhere"}, .inode = inode, .has_links = 1},
        };

        return image_decide(image, &who, &what);
}

static void assert_by_number(const PolicyImage *image, uint32_t uid, uint32_t access, uint32_t rule)
{
        g_assert_cmpuint(by_number(image, uid, 12, access).rule, ==, rule);
}

static void test_a_file_of_several_links_is_pinned(void)
{
        PolicyImage *image = COMPILE_ON(&machine, DENY("/a"), DENY("/c"), DENY("/one"),
                                        DENY("/dir"), DENY("/none"));
        const PinEntry *pin = image_find_pin(image, 1, 13);

        g_assert_cmpuint(image->n_pins, ==, 2);
        g_assert_cmpuint(pin->value.checked, ==, 1);
        g_assert_cmpuint(pin->value.generation, ==, 99);
        g_assert_cmpuint(image->rulesets[pin->value.ruleset].below, ==, 0);
        g_assert_cmpuint(by_number(image, 0, 13, ACCESS_READ).rule, ==, 2);
        g_assert_cmpuint(image_find_pin(image, 1, 12)->value.checked, ==, 0);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES | IMAGE_PIN_LINKS);
        policy_image_free(image);
}

static void test_an_inode_rule_pins_any_file(void)
{
        PolicyImage *image = COMPILE_ON(&machine, INODE(14), INODE(77));

        g_assert_cmpuint(image->n_pins, ==, 2);
        g_assert_cmpuint(image_find_pin(image, 1, 77)->value.checked, ==, 0);
        g_assert_cmpuint(by_number(image, 0, 77, ACCESS_WRITE).rule, ==, 2);
        g_assert_cmpuint(image->flags, ==, IMAGE_PIN_ALL);
        policy_image_free(image);
}

static void test_two_rules_for_one_inode_pin_it_for_good(void)
{
        PolicyImage *image = COMPILE_ON(&machine, DENY("/c"), INODE(13));

        g_assert_cmpuint(image->n_pins, ==, 1);
        g_assert_cmpuint(image->pins[0].value.checked, ==, 0);
        g_assert_cmpuint(image->pins[0].value.generation, ==, 0);
        g_assert_cmpuint(by_number(image, 0, 13, ACCESS_READ).rule, ==, 1);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES | IMAGE_PIN_ALL | IMAGE_PIN_LINKS);
        policy_image_free(image);
}

static void test_an_allowance_alone_pins_nothing(void)
{
        PolicyImage *image = COMPILE_ON(&machine, rule(RULE_ALLOW, "/a", ACCESS_ALL, NULL),
                                        rule(RULE_AUDIT, "/b", ACCESS_ALL, NULL),
                                        rule(RULE_DENY, "/c", ACCESS_ALL, &in_audit));

        g_assert_cmpuint(image->n_pins, ==, 0);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES);
        policy_image_free(image);
}

/* Somebody may have made the link /b to what is denied. */
static void test_a_name_that_is_allowed_opens_nothing_that_another_denies(void)
{
        PolicyImage *image =
                COMPILE_ON(&machine, rule(RULE_ALLOW, "/b", ACCESS_ALL, NULL), DENY("/a"));

        assert_by_number(image, 0, ACCESS_READ, 2);
        policy_image_free(image);
        image = COMPILE_ON(&machine, rule(RULE_ALLOW, "/b", ACCESS_ALL, &by_root),
                           rule(RULE_DENY, "/b", ACCESS_ALL, NULL), DENY("/a"));
        assert_by_number(image, 0, ACCESS_READ, 3);
        policy_image_free(image);
}

static void test_an_exception_from_a_denial_holds_by_every_name(void)
{
        PolicyImage *image =
                COMPILE_ON(&machine, DENY("/a"), rule(RULE_ALLOW, "/a", ACCESS_ALL, &by_root));

        assert_by_number(image, 0, ACCESS_READ, 2);
        assert_by_number(image, 1, ACCESS_READ, 1);
        policy_image_free(image);
}

static void test_what_is_allowed_to_all_is_taken_from_the_denial(void)
{
        PolicyImage *image =
                COMPILE_ON(&machine, DENY("/a"), rule(RULE_ALLOW, "/a", ACCESS_READ, NULL));

        assert_by_number(image, 0, ACCESS_READ, 0);
        assert_by_number(image, 0, ACCESS_WRITE, 1);
        policy_image_free(image);
}

static void test_an_exception_covers_no_more_than_the_denial(void)
{
        PolicyImage *image = COMPILE_ON(&machine, rule(RULE_DENY, "/a", ACCESS_WRITE, NULL),
                                        rule(RULE_ALLOW, "/a", ACCESS_ALL, &by_root),
                                        rule(RULE_AUDIT, "/a", ACCESS_ALL, &by_joe));

        assert_by_number(image, 0, ACCESS_WRITE, 2);
        assert_by_number(image, 0, ACCESS_READ, 0);
        assert_by_number(image, 1000, ACCESS_WRITE, 3);
        assert_by_number(image, 1000, ACCESS_READ, 0);
        policy_image_free(image);
}

static void test_an_exception_for_a_time_is_one(void)
{
        PolicyImage *image =
                COMPILE_ON(&machine, DENY("/a"), rule(RULE_ALLOW, "/a", ACCESS_ALL, &for_a_minute));

        assert_by_number(image, 0, ACCESS_READ, 2);
        policy_image_free(image);
}

static void test_denials_of_all_names_hold(void)
{
        PolicyImage *image = COMPILE_ON(&machine, rule(RULE_DENY, "/a", ACCESS_READ, NULL),
                                        rule(RULE_DENY, "/b", ACCESS_WRITE, NULL));

        assert_by_number(image, 0, ACCESS_READ, 1);
        assert_by_number(image, 0, ACCESS_WRITE, 2);
        assert_by_number(image, 0, ACCESS_ATTR, 0);
        policy_image_free(image);
}

static void test_a_path_with_a_star_pins_nothing(void)
{
        Rule any = DENY("/a/*");
        PolicyImage *image;

        any.file.has_wildcard = 1;
        image = COMPILE_ON(&machine, any);
        g_assert_cmpuint(image->n_pins, ==, 0);
        policy_image_free(image);
}

#define ADD(test) g_test_add_func("/policy/pins/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_file_of_several_links_is_pinned);
        ADD(test_an_inode_rule_pins_any_file);
        ADD(test_two_rules_for_one_inode_pin_it_for_good);
        ADD(test_an_allowance_alone_pins_nothing);
        ADD(test_a_name_that_is_allowed_opens_nothing_that_another_denies);
        ADD(test_an_exception_from_a_denial_holds_by_every_name);
        ADD(test_what_is_allowed_to_all_is_taken_from_the_denial);
        ADD(test_an_exception_covers_no_more_than_the_denial);
        ADD(test_an_exception_for_a_time_is_one);
        ADD(test_denials_of_all_names_hold);
        ADD(test_a_path_with_a_star_pins_nothing);
        return g_test_run();
}
