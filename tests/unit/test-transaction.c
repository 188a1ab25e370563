/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transactions over the twin of the backend: what a change does, and what is left of it when it
 * fails. What a start makes of it is in test-recovery.c. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "transaction-fixture.h"
#include "transaction/set.h"

/* ---- a change ---- */

static void test_nothing_was_ever_applied_at_first(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 0);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 0);
        assert_no_trouble(fixture);
}

static void test_an_applied_document_is_in_the_kernel(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_AB);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 1);
        g_assert_cmpuint(kernel(fixture).n_rules, ==, 3);
        assert_agreement(fixture);
        g_assert_cmpuint(fixture->n_told, ==, 1);
        g_assert_cmpint(fixture->told, ==, ENFORCEMENT_DOCUMENTS);
}

static void test_documents_stand_in_the_order_of_their_names(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        apply(fixture, "zoo", DENY_BC);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 3);
        g_assert_cmpstr(enforcement_document(fixture->enforcement, 0)->document.name, ==, "db");
        g_assert_cmpstr(enforcement_document(fixture->enforcement, 1)->document.name, ==, "web");
        g_assert_cmpstr(enforcement_document(fixture->enforcement, 2)->document.name, ==, "zoo");
        g_assert_null(enforcement_document(fixture->enforcement, 3));
}

static void test_a_document_bears_the_generation_of_its_last_change(Fixture *fixture,
                                                                    gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        apply(fixture, "db", DENY_BC);
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "web")->generation, ==, 1);
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "db")->generation, ==, 3);
        g_assert_cmpuint(enforcement_find(fixture->enforcement, "db")->changed_usec, >, 0);
}

static void test_an_equal_document_changes_nothing(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        g_assert_cmpint(plan->changed, ==, 0);
        apply(fixture, "web", DENY_A);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 1);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        g_assert_cmpuint(fixture->n_told, ==, 1);
}

/* A plan compiles, and what was compiled for it is what the next compilation begins with. */
static void test_an_equal_document_changes_nothing_whatever_was_planned(Fixture *fixture,
                                                                        gconstpointer data)
{
        static const char other[] = "version=7\n[deny]\nfile:/d exe=/bin/e uid=3\n"
                                    "net:connect:10.0.0.0/8\nexec:/c\n";
        static const char *const planned[] = {DENY_BC, DENY_PORT, other};
        static const char web[] = "version=7\n[deny]\nfile:/a/ exe=/bin/x\nfile:/b gid=4\n"
                                  "file:/tmp exe=/usr/bin/y\n[allow]\nfile:/a/b/ uid=9\n";

        apply(fixture, "web", web);
        apply(fixture, "more", DENY_AB);
        for (size_t i = 0; i < G_N_ELEMENTS(planned); i++) {
                Plan *plan = NULL;
                const char *name = i % 2 ? "web" : "db";

                g_assert_cmpint(enforcement_plan(fixture->enforcement, name, planned[i],
                                                 strlen(planned[i]), &plan),
                                ==, 0);
                plan_free(plan);
                g_assert_cmpint(enforcement_plan_removal(fixture->enforcement, "more", &plan), ==,
                                0);
                plan_free(plan);
                apply(fixture, "web", web);
                g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
                g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
                g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
        }
}

static void test_a_plan_lists_what_comes_and_what_goes(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "web", DENY_AB);
        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_BC, strlen(DENY_BC), &plan), ==,
                0);
        g_assert_cmpint(plan->changed, ==, 1);
        g_assert_cmpuint(plan->n_changes, ==, 2);
        g_assert_cmpint(plan->changes[0].kind, ==, CHANGE_REMOVED);
        g_assert_cmpstr(plan->changes[0].section, ==, "deny_path");
        g_assert_cmpstr(plan->changes[0].entry, ==, "/a");
        g_assert_cmpint(plan->changes[1].kind, ==, CHANGE_ADDED);
        g_assert_cmpstr(plan->changes[1].entry, ==, "/c");
}

static void test_a_changed_comment_is_a_change_without_lines(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_plan(fixture->enforcement, "web", "# why\n" DENY_A,
                                         strlen("# why\n" DENY_A), &plan),
                        ==, 0);
        g_assert_cmpint(plan->changed, ==, 1);
        g_assert_cmpuint(plan->n_changes, ==, 0);
}

static void test_a_plan_changes_nothing(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 0);
        g_assert_false(has_file(fixture, "state.next"));
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
}

static void test_a_plan_names_the_digest_that_is_committed(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        apply(fixture, "db", DENY_PORT);
        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, 1, &generation), ==, 0);
        g_assert_cmpuint(generation, ==, 2);
        g_assert_cmpmem(plan->digest, DIGEST_SIZE, enforcement_digest(fixture->enforcement),
                        DIGEST_SIZE);
}

static void test_a_removed_document_is_gone_from_the_kernel(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_AB);
        removes(fixture, "web");
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        g_assert_cmpuint(kernel(fixture).hooks, ==, 0);
        assert_agreement(fixture);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 0);
        assert_no_trouble(fixture);
}

/* ---- refusals ---- */

static void test_a_faulty_document_is_refused_with_its_faults(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", FAULTY, strlen(FAULTY), &plan), ==,
                TRANSACTION_E_INVALID_POLICY);
        g_assert_nonnull(plan);
        g_assert_cmpuint(plan->diagnostics.n_faults, >=, 1);
        g_assert_cmpuint(plan->diagnostics.items[0].line, ==, 3);
        assert_text(fixture, "web", DENY_A);
}

static void test_a_name_that_cannot_be_one_is_refused(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(apply_text(fixture, "../web", DENY_A), ==, TRANSACTION_E_INVALID_NAME);
        g_assert_cmpint(apply_text(fixture, "", DENY_A), ==, TRANSACTION_E_INVALID_NAME);
}

static void test_the_removal_of_what_is_not_there_is_refused(Fixture *fixture, gconstpointer data)
{
        Plan *plan = NULL;

        g_assert_cmpint(enforcement_plan_removal(fixture->enforcement, "web", &plan), ==,
                        TRANSACTION_E_NO_SUCH_POLICY);
        g_assert_null(plan);
}

static void test_a_stale_expectation_is_refused(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_AB, strlen(DENY_AB), &plan), ==,
                0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, 7, &generation), ==,
                        TRANSACTION_E_GENERATION);
        g_assert_cmpuint(generation, ==, 0);
        assert_text(fixture, "web", DENY_A);
}

static void test_a_plan_made_before_another_change_is_stale(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        apply(fixture, "db", DENY_PORT);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation), ==,
                        TRANSACTION_E_STALE);
        g_assert_null(enforcement_find(fixture->enforcement, "web"));
}

static void test_a_plan_made_before_a_switch_of_the_mode_is_stale(Fixture *fixture,
                                                                  gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int changed = 0;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation), ==,
                        TRANSACTION_E_STALE);
}

static void test_a_plan_whose_digest_was_altered_is_stale(Fixture *fixture, gconstpointer data)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        g_assert_cmpint(
                enforcement_plan(fixture->enforcement, "web", DENY_A, strlen(DENY_A), &plan), ==,
                0);
        plan->digest[0] ^= 1;
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation), ==,
                        TRANSACTION_E_STALE);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 0);
}

static void test_there_are_no_more_documents_than_the_limit(Fixture *fixture, gconstpointer data)
{
        for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
                char name[16];

                g_snprintf(name, sizeof(name), "d%u", i);
                apply(fixture, name, DENY_A);
        }
        g_assert_cmpint(apply_text(fixture, "one-more", DENY_A), ==, TRANSACTION_E_TOO_MANY);
        apply(fixture, "d7", DENY_AB);
        restart(fixture);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, DOCUMENTS_MAX);
}

/* Not through the store: that would be hundreds of megabytes of disk. */
static int add_large(DocumentSet **set, const char *name, const Document *large)
{
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        Document document = *large;
        DocumentSet *grown = NULL;
        int r;

        document.name = name;
        g_assert_cmpint(entry_new(&entry, &document, 1, 1), ==, 0);
        r = document_set_with(*set, entry, &grown);
        if (r != 0)
                return r;
        document_set_free(*set);
        *set = grown;
        return 0;
}

static void test_documents_together_have_a_limit_of_size(Fixture *fixture, gconstpointer data)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(document_set_freep) DocumentSet *set = NULL;
        _cleanup_(freep) char *text = g_malloc0(POLICY_SIZE_MAX);
        Document large = {.text = text, .n_text = POLICY_SIZE_MAX},
                 small = {.text = "", .n_text = 0};

        g_assert_cmpint(policy_parse(&large.policy, "version=1", 9, &diagnostics), ==, 0);
        small.policy = large.policy;
        g_assert_cmpint(document_set_new(&set), ==, 0);
        for (char name[] = "a"; name[0] < 'h'; name[0]++)
                g_assert_cmpint(add_large(&set, name, &large), ==, 0);
        g_assert_cmpint(add_large(&set, "h", &large), ==, TRANSACTION_E_TOO_LARGE);
        g_assert_cmpint(add_large(&set, "h", &small), ==, 0);
        g_assert_cmpuint(document_set_size(set), ==, 8);
        policy_unref(large.policy);
}

/* ---- failures leave the old set whole ---- */

static void test_a_kernel_that_refuses_keeps_the_old_set(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        wanted.fail_prepare = ENOSPC;
        control(fixture, &wanted);
        g_assert_cmpint(apply_text(fixture, "db", DENY_PORT), ==, TRANSACTION_E_KERNEL);
        assert_untouched(fixture, &before);
}

static void test_a_hook_that_cannot_deny_refuses_the_policy(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        wanted.deny_hooks = ~HOOK_BIT(HOOK_SOCKET_CONNECT);
        control(fixture, &wanted);
        g_assert_cmpint(apply_text(fixture, "db", DENY_PORT), ==, TRANSACTION_E_GUARANTEE);
        assert_untouched(fixture, &before);
}

static void test_a_disk_that_refuses_keeps_the_old_set(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *obstacle = state_file(fixture, ".state.next.new");
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        /* A directory stands where the record is to be written. */
        g_assert_cmpint(g_mkdir(obstacle, 0700), ==, 0);
        g_assert_cmpint(apply_text(fixture, "db", DENY_PORT), <, 0);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, before.n_prepares);
        g_assert_cmpint(g_rmdir(obstacle), ==, 0);
        assert_untouched(fixture, &before);
}

static void test_a_record_that_gets_no_name_is_told_and_tried_again(Fixture *fixture,
                                                                    gconstpointer data)
{
        _cleanup_(freep) char *obstacle = state_file(fixture, ".state.previous.new");

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(g_mkdir(obstacle, 0700), ==, 0);
        apply(fixture, "web", DENY_AB);
        assert_agreement(fixture);
        assert_trouble(fixture, "power cut");
        g_assert_cmpint(apply_text(fixture, "db", DENY_PORT), <, 0);
        assert_text(fixture, "web", DENY_AB);
        g_assert_cmpint(g_rmdir(obstacle), ==, 0);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        assert_no_trouble(fixture);
        g_assert_false(has_file(fixture, "state.next"));
        reboot(fixture);
        assert_text(fixture, "web", DENY_AB);
}

/* ---- rules of events ---- */

static void test_rules_of_the_last_two_images_have_names(Fixture *fixture, gconstpointer data)
{
        Enforcement *enforcement = fixture->enforcement;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_BC);
        g_assert_cmpstr(enforcement_name_rule(enforcement, 1, 1)->rule->entry, ==, "/a");
        g_assert_null(enforcement_name_rule(enforcement, 2, 1));
        g_assert_cmpstr(enforcement_name_rule(enforcement, 2, 2)->rule->entry, ==, "/b");
        g_assert_cmpstr(enforcement_name_rule(enforcement, 2, 3)->rule->entry, ==, "/c");
        g_assert_null(enforcement_name_rule(enforcement, 2, 4));
        g_assert_null(enforcement_name_rule(enforcement, 2, RULE_NONE));
        apply(fixture, "web", DENY_A);
        g_assert_null(enforcement_name_rule(enforcement, 1, 1));
}

static void test_after_a_rest_rules_in_force_have_names_and_changes_go_on(Fixture *fixture,
                                                                          gconstpointer data)
{
        Enforcement *enforcement = fixture->enforcement;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        enforcement_rest(enforcement);
        g_assert_null(enforcement_name_rule(enforcement, 1, 1));
        g_assert_cmpstr(enforcement_name_rule(enforcement, 2, 2)->rule->entry, ==, "/b");
        assert_agreement(fixture);
        apply(fixture, "web", DENY_BC);
        g_assert_cmpstr(enforcement_name_rule(enforcement, 2, 1)->rule->entry, ==, "/a");
        g_assert_cmpstr(enforcement_name_rule(enforcement, 3, 3)->rule->entry, ==, "/c");
        assert_agreement(fixture);
}

/* What the kernel counts and tells by number goes on after a restart, and where paths are looked up
 * anew. */
static void test_rules_keep_their_numbers(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0, n_prepares;
        int changed = 0;

        apply(fixture, "web", DENY_AB);
        apply(fixture, "all", DENY_PORT);
        apply(fixture, "web", DENY_BC);
        for (int i = 0; i < 2; i++) {
                Enforcement *enforcement = fixture->enforcement;

                g_assert_null(enforcement_name_rule(enforcement, 3, 1));
                g_assert_cmpstr(enforcement_name_rule(enforcement, 3, 2)->rule->entry, ==, "/b");
                g_assert_cmpuint(enforcement_name_rule(enforcement, 3, 2)->rule->line, ==, 3);
                g_assert_cmpstr(enforcement_name_rule(enforcement, 3, 3)->rule->entry, ==, "2222");
                g_assert_cmpstr(enforcement_name_rule(enforcement, 3, 4)->rule->entry, ==, "/c");
                g_assert_cmpuint(kernel(fixture).n_rules, ==, 5);
                n_prepares = kernel(fixture).n_prepares;
                g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
                g_assert_cmpuint(kernel(fixture).n_prepares, ==, n_prepares);
                restart(fixture);
        }
        enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation);
        reboot(fixture);
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, generation, 4)->rule->entry, ==,
                        "/c");
}

static void test_a_mode_switch_keeps_the_names_of_rules(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation);
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, 1, 1)->rule->entry, ==, "/a");
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, 2, 1)->rule->entry, ==, "/a");
}

#define ADD(function)                                                                              \
        g_test_add("/transaction/" #function, Fixture, NULL, set_up, function, tear_down)

static void add_changes(void)
{
        ADD(test_nothing_was_ever_applied_at_first);
        ADD(test_an_applied_document_is_in_the_kernel);
        ADD(test_documents_stand_in_the_order_of_their_names);
        ADD(test_a_document_bears_the_generation_of_its_last_change);
        ADD(test_an_equal_document_changes_nothing);
        ADD(test_an_equal_document_changes_nothing_whatever_was_planned);
        ADD(test_a_plan_lists_what_comes_and_what_goes);
        ADD(test_a_changed_comment_is_a_change_without_lines);
        ADD(test_a_plan_changes_nothing);
        ADD(test_a_plan_names_the_digest_that_is_committed);
        ADD(test_a_removed_document_is_gone_from_the_kernel);
        ADD(test_rules_of_the_last_two_images_have_names);
        ADD(test_after_a_rest_rules_in_force_have_names_and_changes_go_on);
        ADD(test_rules_keep_their_numbers);
        ADD(test_a_mode_switch_keeps_the_names_of_rules);
}

static void add_refusals(void)
{
        ADD(test_a_faulty_document_is_refused_with_its_faults);
        ADD(test_a_name_that_cannot_be_one_is_refused);
        ADD(test_the_removal_of_what_is_not_there_is_refused);
        ADD(test_a_stale_expectation_is_refused);
        ADD(test_a_plan_made_before_another_change_is_stale);
        ADD(test_a_plan_made_before_a_switch_of_the_mode_is_stale);
        ADD(test_a_plan_whose_digest_was_altered_is_stale);
        ADD(test_there_are_no_more_documents_than_the_limit);
        ADD(test_documents_together_have_a_limit_of_size);
        ADD(test_a_kernel_that_refuses_keeps_the_old_set);
        ADD(test_a_hook_that_cannot_deny_refuses_the_policy);
        ADD(test_a_disk_that_refuses_keeps_the_old_set);
        ADD(test_a_record_that_gets_no_name_is_told_and_tried_again);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_changes();
        add_refusals();
        return g_test_run();
}
