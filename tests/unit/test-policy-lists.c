/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: which clauses stand in a list, and in which order. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"

static const RuleOptions by_root = {.subject = SUBJECT_UID, .uid = 0};
static const RuleOptions by_root_of_group = {.subject = SUBJECT_UID | SUBJECT_GID, .gid = 1};
static const RuleOptions for_a_minute = {.ttl = 60};

static Rule rule(RuleVerdict verdict, const char *path, uint32_t access, const RuleOptions *options)
{
        return (Rule){
                .kind = RULE_FILE,
                .verdict = verdict,
                .options = options,
                .file = {.path = path, .access = access, .below = 1},
        };
}

#define DENY(path) rule(RULE_DENY, path, ACCESS_ALL, NULL)
#define ALLOW(path) rule(RULE_ALLOW, path, ACCESS_ALL, NULL)
#define AUDIT(path) rule(RULE_AUDIT, path, ACCESS_ALL, NULL)

/* The rules of the list at a place, "3 1 2". */
static char *list_at(const PolicyImage *image, const char *path)
{
        uint32_t list = image_place(image, &(Place){1, (char *) path}).list;
        GString *text = g_string_new("");

        for (const struct clause *clause = &image->clauses[list]; list > 0; clause++) {
                g_string_append_printf(text, "%s%u", text->len ? " " : "", clause->rule);
                if (clause->flags & CLAUSE_LAST)
                        break;
        }
        return g_string_free(text, FALSE);
}

static void assert_list(const PolicyImage *image, const char *path, const char *expected)
{
        g_autofree char *found = list_at(image, path);

        g_assert_cmpstr(found, ==, expected);
}

static struct clause clause_at(const PolicyImage *image, const char *path)
{
        return image->clauses[image_place(image, &(Place){1, (char *) path}).list];
}

/* ---- order ---- */

static void test_more_conditions_come_first(void)
{
        PolicyImage *image = COMPILE(ALLOW("/a"), rule(RULE_AUDIT, "/a", ACCESS_ALL, &by_root),
                                     rule(RULE_DENY, "/a", ACCESS_ALL, &by_root_of_group));

        assert_list(image, "/a", "3 2 1");
        policy_image_free(image);
}

static void test_allow_comes_before_deny_before_audit(void)
{
        PolicyImage *image = COMPILE(rule(RULE_AUDIT, "/a", ACCESS_READ, NULL),
                                     rule(RULE_DENY, "/a", ACCESS_READ | ACCESS_WRITE, NULL),
                                     rule(RULE_ALLOW, "/a", ACCESS_WRITE, NULL));

        assert_list(image, "/a", "3 2");
        policy_image_free(image);
        image = COMPILE(rule(RULE_AUDIT, "/a", ACCESS_ALL, &by_root),
                        rule(RULE_DENY, "/a", ACCESS_ALL, &by_root),
                        rule(RULE_ALLOW, "/a", ACCESS_ALL, &by_root));
        assert_list(image, "/a", "3 2 1");
        policy_image_free(image);
}

static void test_what_is_written_first_comes_first(void)
{
        PolicyImage *image = COMPILE(rule(RULE_DENY, "/a", ACCESS_ALL, &by_root),
                                     rule(RULE_DENY, "/a", ACCESS_ALL, &by_root), DENY("/a"));

        assert_list(image, "/a", "1 2 3");
        policy_image_free(image);
}

static void test_what_is_inherited_comes_last(void)
{
        PolicyImage *image = COMPILE(rule(RULE_ALLOW, "/", ACCESS_ALL, &by_root),
                                     rule(RULE_DENY, "/a", ACCESS_ALL, &by_root_of_group),
                                     rule(RULE_DENY, "/a/b", ACCESS_READ, NULL));

        assert_list(image, "/", "1");
        assert_list(image, "/a", "2 1");
        assert_list(image, "/a/b", "3 2 1");
        assert_list(image, "/a/b/c", "3 2 1");
        policy_image_free(image);
}

/* ---- what is left out ---- */

static void test_what_is_never_reached_is_left_out(void)
{
        PolicyImage *image = COMPILE(DENY("/"), rule(RULE_DENY, "/a", ACCESS_READ, NULL),
                                     rule(RULE_DENY, "/a/b", ACCESS_ALL & ~ACCESS_READ, NULL),
                                     rule(RULE_ALLOW, "/a/b/c", ACCESS_ALL, &by_root));

        assert_list(image, "/a", "2 1");
        assert_list(image, "/a/b", "3 2");
        assert_list(image, "/a/b/c", "4 3 2");
        policy_image_free(image);
}

static void test_what_may_be_reached_stays(void)
{
        PolicyImage *image = COMPILE(DENY("/"), rule(RULE_ALLOW, "/a", ACCESS_ALL, &by_root),
                                     rule(RULE_ALLOW, "/b", ACCESS_ALL, &for_a_minute));

        assert_list(image, "/a", "2 1");
        assert_list(image, "/b", "3 1");
        policy_image_free(image);
}

/* A link and what it leads to may lie one below the other. */
static void test_a_rule_stands_once_in_a_list(void)
{
        static const FakeFile files[] = {
                {"/a", {.name = {1, (char *) "/a/b"}, .target = {1, (char *) "/a"}}}, {}};
        static const FakeMachine machine = {.files = files};
        PolicyImage *image =
                COMPILE_ON(&machine, rule(RULE_DENY, "/a", ACCESS_ALL, &by_root), DENY("/a/b/c"));

        assert_list(image, "/a/b", "1");
        assert_list(image, "/a/b/c", "2");
        policy_image_free(image);
}

/* ---- sharing ---- */

static void test_what_holds_below_is_the_end_of_what_holds(void)
{
        Rule name = rule(RULE_DENY, "/a/b", ACCESS_READ, NULL);
        const struct ruleset *ruleset;
        PolicyImage *image;

        name.file.below = 0;
        image = COMPILE(name, rule(RULE_DENY, "/a/b", ACCESS_ALL, &by_root),
                        rule(RULE_DENY, "/", ACCESS_ALL, &by_root));
        assert_list(image, "/a/b", "1 2 3");
        assert_list(image, "/a/b/c", "2 3");
        ruleset = &image->rulesets[image->n_rulesets - 1];
        for (size_t i = 0; i < image->n_rulesets; i++)
                if (image->rulesets[i].own != image->rulesets[i].below)
                        ruleset = &image->rulesets[i];
        g_assert_cmpuint(ruleset->below, ==, ruleset->own + 1);
        /* none; 3; 1 2 3 */
        g_assert_cmpuint(image->n_clauses, ==, 5);
        policy_image_free(image);
}

/* ---- what a clause says ---- */

static void test_a_clause_says_what_its_rule_says(void)
{
        static const RuleOptions options = {
                .subject = SUBJECT_UID, .uid = 7, .mode = RULE_MODE_ENFORCE, .signal = SIGNAL_KILL};
        PolicyImage *image = COMPILE(rule(RULE_DENY, "/a", ACCESS_READ | ACCESS_ATTR, &options));
        struct clause clause = clause_at(image, "/a");

        g_assert_cmpuint(clause.access, ==, ACCESS_READ | ACCESS_ATTR);
        g_assert_cmpuint(clause.rule, ==, 1);
        g_assert_cmpuint(clause.verdict, ==, CLAUSE_DENY);
        g_assert_cmpuint(clause.flags, ==, CLAUSE_LAST | CLAUSE_ENFORCE);
        g_assert_cmpuint(clause.signal, ==, SIGNAL_KILL);
        g_assert_cmpuint(clause.expires, ==, 0);
        g_assert_cmpuint(image->subjects[clause.subject].flags, ==, SUBJECT_UID);
        g_assert_cmpuint(image->subjects[clause.subject].uid, ==, 7);
        policy_image_free(image);
}

static void test_mode_audit_is_a_denial_that_is_recorded(void)
{
        static const RuleOptions options = {.mode = RULE_MODE_AUDIT};
        PolicyImage *image = COMPILE(rule(RULE_DENY, "/a", ACCESS_ALL, &options), AUDIT("/b"));

        g_assert_cmpuint(clause_at(image, "/a").verdict, ==, CLAUSE_DENY);
        g_assert_cmpuint(clause_at(image, "/a").flags, ==, CLAUSE_LAST | CLAUSE_RECORD);
        g_assert_cmpuint(clause_at(image, "/b").verdict, ==, CLAUSE_AUDIT);
        g_assert_cmpuint(clause_at(image, "/b").flags, ==, CLAUSE_LAST);
        policy_image_free(image);
}

static void test_mode_and_signal_are_about_denials_alone(void)
{
        static const RuleOptions options = {.mode = RULE_MODE_ENFORCE, .signal = SIGNAL_TERM};
        PolicyImage *image = COMPILE(rule(RULE_ALLOW, "/a", ACCESS_ALL, &options));

        g_assert_cmpuint(clause_at(image, "/a").flags, ==, CLAUSE_LAST);
        g_assert_cmpuint(clause_at(image, "/a").signal, ==, 0);
        policy_image_free(image);
}

/* ---- time ---- */

static PolicyImage *compile_at(int64_t applied, uint64_t ttl)
{
        const RuleOptions options = {.ttl = ttl};
        Rule rules[] = {rule(RULE_DENY, "/a", ACCESS_ALL, &options), AUDIT("/")};
        Document document = document_of_rules("doc", rules, G_N_ELEMENTS(rules));
        Resolver resolver = fake_resolver(&(FakeMachine){});
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;

        document.applied = applied;
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, &diagnostics), ==, 0);
        policy_unref(document.policy);
        image_check(image);
        return image;
}

static void test_a_rule_expires_so_long_after_it_was_applied(void)
{
        static const struct {
                int64_t applied;
                uint64_t ttl;
                uint32_t expires;
        } rows[] = {
                {100, 60, 160},
                {-50, 60, 10},
                {0, 1, 1},
                {100, UINT32_MAX, UINT32_MAX},
                {100, UINT64_MAX, UINT32_MAX},
                {INT64_MAX, INT64_MAX, UINT32_MAX},
                {INT64_MIN, UINT64_MAX, UINT32_MAX},
                {100, 0, 0},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                PolicyImage *image = compile_at(rows[i].applied, rows[i].ttl);

                g_assert_cmpuint(clause_at(image, "/a").rule, ==, 1);
                g_assert_cmpuint(clause_at(image, "/a").expires, ==, rows[i].expires);
                policy_image_free(image);
        }
}

static void test_a_rule_that_expired_before_the_machine_was_started_is_left_out(void)
{
        static const int64_t applied[] = {-60, -61, INT64_MIN};

        for (size_t i = 0; i < G_N_ELEMENTS(applied); i++) {
                PolicyImage *image = compile_at(applied[i], 60);

                assert_list(image, "/a", "2");
                g_assert_cmpuint(image->n_rules, ==, 3);
                g_assert_true(image->roots[0].value.node & NODE_SOFT);
                policy_image_free(image);
        }
}

/* ---- limits ---- */

/* n rules for n users about one name. */
static PolicyImage *compile_users(int expected, unsigned n, Diagnostics *diagnostics)
{
        g_autofree RuleOptions *options = g_new0(RuleOptions, n);
        g_autofree Rule *rules = g_new0(Rule, n + 1);

        for (unsigned i = 0; i < n; i++) {
                options[i] = (RuleOptions){.subject = SUBJECT_UID, .uid = i};
                rules[i] = rule(RULE_DENY, "/a", ACCESS_ALL, &options[i]);
        }
        rules[n] = rule(RULE_DENY, "/a/b", ACCESS_ALL, NULL);
        return compile_rules_to(expected, rules, n + 1, &(FakeMachine){}, diagnostics);
}

static void test_a_list_that_is_too_long_is_refused_with_its_line(void)
{
        Diagnostics diagnostics;

        policy_image_free(compile_users(0, LIST_LENGTH_MAX, &diagnostics));
        g_assert_null(compile_users(-E2BIG, LIST_LENGTH_MAX + 1, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, LIST_LENGTH_MAX + 1);
        diagnostics_deinit(&diagnostics);
}

static void test_many_rules_of_which_one_decides_are_no_long_list(void)
{
        g_autofree Rule *rules = g_new0(Rule, 1000);
        PolicyImage *image;

        for (unsigned i = 0; i < 1000; i++)
                rules[i] = DENY("/a");
        image = compile_rules(rules, 1000, &(FakeMachine){});
        assert_list(image, "/a", "1");
        policy_image_free(image);
}

/* A few lines at a directory, and many names below that inherit them all. */
static void test_more_clauses_than_the_kernel_should_hold_are_refused_with_a_line(void)
{
        enum { N_USERS = 200, N_NAMES = 22000 };
        g_autofree RuleOptions *options = g_new0(RuleOptions, N_USERS);
        g_autofree Rule *rules = g_new0(Rule, N_USERS + N_NAMES);
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        Diagnostics diagnostics;

        for (unsigned i = 0; i < N_USERS; i++) {
                options[i] = (RuleOptions){.subject = SUBJECT_UID, .uid = i};
                rules[i] = rule(RULE_DENY, "/a", ACCESS_ALL, &options[i]);
        }
        for (unsigned i = 0; i < N_NAMES; i++) {
                g_ptr_array_add(paths, g_strdup_printf("/a/%u", i));
                rules[N_USERS + i] = rule(RULE_ALLOW, paths->pdata[i], ACCESS_READ, NULL);
        }
        g_assert_null(
                compile_rules_to(-E2BIG, rules, N_USERS + N_NAMES, &(FakeMachine){}, &diagnostics));
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, >, N_USERS);
        diagnostics_deinit(&diagnostics);
}

#define ADD(test) g_test_add_func("/policy/lists/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_more_conditions_come_first);
        ADD(test_allow_comes_before_deny_before_audit);
        ADD(test_what_is_written_first_comes_first);
        ADD(test_what_is_inherited_comes_last);
        ADD(test_what_is_never_reached_is_left_out);
        ADD(test_what_may_be_reached_stays);
        ADD(test_a_rule_stands_once_in_a_list);
        ADD(test_what_holds_below_is_the_end_of_what_holds);
        ADD(test_a_clause_says_what_its_rule_says);
        ADD(test_mode_audit_is_a_denial_that_is_recorded);
        ADD(test_mode_and_signal_are_about_denials_alone);
        ADD(test_a_rule_expires_so_long_after_it_was_applied);
        ADD(test_a_rule_that_expired_before_the_machine_was_started_is_left_out);
        ADD(test_a_list_that_is_too_long_is_refused_with_its_line);
        ADD(test_many_rules_of_which_one_decides_are_no_long_list);
        ADD(test_more_clauses_than_the_kernel_should_hold_are_refused_with_a_line);
        return g_test_run();
}
