/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What documents ask of the machine, and what they mean on it as time goes by: hooks and appraisal
 * that are missing, paths that lead elsewhere, rules that end. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#include "transaction-fixture.h"
#include "transaction/set.h"

/* ---- what documents ask for ---- */

static void test_a_cgroup_that_is_not_there_is_told_to_who_names_it(Fixture *fixture,
                                                                    gconstpointer data)
{
        static const char text[] = "version=1\n[allow_cgroup]\n/missing/x.service\n";
        _cleanup_(plan_freep) Plan *plan = NULL;

        g_assert_cmpint(enforcement_plan(fixture->enforcement, "web", text, strlen(text), &plan),
                        ==, 0);
        g_assert_cmpuint(plan->diagnostics.n_items, ==, 1);
        g_assert_cmpuint(plan->diagnostics.n_faults, ==, 0);
        g_assert_cmpuint(plan->diagnostics.items[0].line, ==, 3);
        apply(fixture, "web", text);
        g_assert_cmpuint(kernel(fixture).n_cgroups, ==, 1);
        assert_no_trouble(fixture);
}

static void test_a_hook_that_may_be_missing_does_not_refuse_the_policy(Fixture *fixture,
                                                                       gconstpointer data)
{
        TwinControl wanted = all_well();

        wanted.deny_hooks = ~HOOK_BIT(HOOK_SOCKET_CONNECT);
        control(fixture, &wanted);
        g_assert_cmpint(apply_text(fixture, "db", "version=7\n[deny]\nnet:connect:*:22/tcp\n"), ==,
                        TRANSACTION_E_GUARANTEE);
        apply(fixture, "db",
              "version=7\non-missing-guarantee=accept\n[deny]\nnet:connect:*:22/tcp\n");
        assert_agreement(fixture);
}

/* One document for each class of rule, in the sections of old and in version 7. */
static const char *const classes[] = {
        "version=1\n[deny_path]\n/a\n",
        "version=1\n[deny_inode]\n8388609:42\n",
        "version=1\n[deny_ip]\n192.0.2.1\n",
        "version=1\n[deny_cidr]\n2001:db8::/32\n",
        "version=1\n[deny_port]\n22:udp:bind\n",
        "version=1\n[deny_ip_port]\n192.0.2.1:22\n",
        "version=1\n[deny_comm]\nminer\n",
        "version=1\n[deny_ptrace]\n",
        "version=1\n[deny_module_load]\n",
        "version=1\n[deny_bpf]\n",
        "version=3\n[deny_binary_hash]\nsha256:"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        "version=3\n[allow_binary_hash]\nsha256:"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        "version=4\n[protect_path]\n/a\n",
        "version=4\n[protect_connect]\n",
        "version=6\n[cgroup_deny_inode]\n/a 8388609:42\n",
        "version=6\n[cgroup_deny_ip]\n/a 192.0.2.1\n",
        "version=6\n[cgroup_deny_port]\n/a 22\n",
        "version=7\n[deny]\nfile:/a access=link\n",
        "version=7\n[deny]\nfile:/a exe=/usr/bin/b\n",
        "version=7\n[audit]\nfile:/a uid=1\n",
        "version=7\n[deny]\nexec:/a\n",
        "version=7\n[deny]\nexec:fsverity:"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        "version=7\n[deny]\nnet:listen:*:22/tcp\n",
        "version=7\n[deny]\nnet:accept:192.0.2.1\n",
        "version=7\n[deny]\nnet:send:192.0.2.1\n",
        "version=7\n[deny]\nnet:recv:192.0.2.1\n",
        "version=7\n[deny]\nkernel:mount\n",
        "version=7\n[deny]\nkernel:kexec\n",
        "version=7\n[default]\nexec=deny uid=1\n",
};

/* Whichever of the hooks that a class needs is missing, the document is refused. */
static void assert_each_hook_is_needed(Fixture *fixture, const char *text)
{
        TwinControl wanted = all_well();
        uint64_t hooks;

        apply(fixture, "class", text);
        hooks = enforcement_image(fixture->enforcement)->hooks;
        removes(fixture, "class");
        if (!hooks)
                g_error("no hook stands for\n%s", text);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                if (!(hooks & HOOK_BIT(hook)))
                        continue;
                wanted.deny_hooks = ~HOOK_BIT(hook);
                control(fixture, &wanted);
                if (apply_text(fixture, "class", text) != TRANSACTION_E_GUARANTEE)
                        g_error("without %s this is taken:\n%s", hook_to_string(hook), text);
        }
        wanted = all_well();
        control(fixture, &wanted);
}

static void test_no_class_of_rules_is_taken_without_its_hooks(Fixture *fixture, gconstpointer data)
{
        for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
                assert_each_hook_is_needed(fixture, classes[i]);
        assert_agreement(fixture);
}

static void test_a_rule_in_earnest_needs_its_hook_in_audit_mode_too(Fixture *fixture,
                                                                    gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        int changed = 0;

        wanted.deny_hooks = ~HOOK_BIT(HOOK_SOCKET_CONNECT);
        control(fixture, &wanted);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpint(
                apply_text(fixture, "db", "version=7\n[deny]\nnet:connect:*:22/tcp mode=enforce\n"),
                ==, TRANSACTION_E_GUARANTEE);
        apply(fixture, "db", "version=7\n[deny]\nnet:connect:*:22/tcp\n");
}

static void test_what_must_be_appraised_is_refused_where_nothing_is(Fixture *fixture,
                                                                    gconstpointer data)
{
        static const char text[] = "version=7\nima-appraisal=required\n[deny]\nfile:/a\n";
        TwinControl wanted = all_well();
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        g_assert_cmpint(apply_text(fixture, "db", text), ==, TRANSACTION_E_GUARANTEE);
        assert_untouched(fixture, &before);
        wanted.appraises = 1;
        control(fixture, &wanted);
        apply(fixture, "db", text);
}

/* ---- where paths lead ---- */

#define DENY_LINK "version=1\n[deny_path]\n/link\n"

static void links_lead_elsewhere(Fixture *fixture)
{
        TwinControl wanted = all_well();

        wanted.links_lead_elsewhere = 1;
        control(fixture, &wanted);
}

static void test_an_equal_document_is_a_change_once_its_path_leads_elsewhere(Fixture *fixture,
                                                                             gconstpointer data)
{
        apply(fixture, "web", DENY_LINK);
        apply(fixture, "web", DENY_LINK);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        links_lead_elsewhere(fixture);
        apply(fixture, "web", DENY_LINK);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
        apply(fixture, "web", DENY_LINK);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
}

static void test_rules_follow_paths_that_lead_elsewhere(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_LINK);
        g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        links_lead_elsewhere(fixture);
        while (kernel(fixture).n_commits == 1) /* not more often than it may cost */
                g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 1);
        g_assert_cmpuint(fixture->n_told, ==, 1);
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, 1, 1)->rule->entry, ==,
                        "/link");
        assert_agreement(fixture);
        restart(fixture);
        assert_agreement(fixture);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
}

static void test_rules_that_cannot_follow_are_told(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_LINK);
        wanted.links_lead_elsewhere = 1;
        wanted.fail_prepare = ENOSPC;
        control(fixture, &wanted);
        while (!enforcement_trouble(fixture->enforcement)[0])
                g_assert_cmpint(enforcement_follow_paths(fixture->enforcement), ==, 0);
        assert_trouble(fixture, "follow");
        assert_agreement(fixture);
        while (enforcement_trouble(fixture->enforcement)[0])
                g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
}

/* ---- time ---- */

static int64_t since_boot(void)
{
        struct timespec now;

        g_assert_cmpint(clock_gettime(CLOCK_BOOTTIME, &now), ==, 0);
        return now.tv_sec;
}

static void test_a_ttl_counts_from_when_the_document_was_applied(Fixture *fixture,
                                                                 gconstpointer data)
{
        int64_t before = since_boot(), applied;

        apply(fixture, "web", "version=7\n[deny]\nfile:/a ttl=30m\n");
        applied = enforcement_find(fixture->enforcement, "web")->document.applied;
        g_assert_cmpint(applied, >=, before);
        g_assert_cmpint(applied, <=, since_boot());
        apply(fixture, "db", DENY_PORT);
        apply(fixture, "web", "version=7\n[deny]\nfile:/a ttl=30m\n");
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 2);
        restart(fixture);
        g_assert_cmpint(enforcement_find(fixture->enforcement, "web")->document.applied, >=,
                        applied - 1);
        g_assert_cmpint(enforcement_find(fixture->enforcement, "web")->document.applied, <=,
                        applied + 1);
}

static void test_a_document_from_times_to_come_was_applied_now(Fixture *fixture, gconstpointer data)
{
        Document document = {.name = "web", .text = "", .n_text = 0};
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        _cleanup_(document_set_freep) DocumentSet *empty = NULL, *set = NULL;
        int64_t before = since_boot();

        g_assert_cmpint(entry_new(&entry, &document, 1, UINT64_MAX / 2), ==, 0);
        g_assert_cmpint(document_set_new(&empty), ==, 0);
        g_assert_cmpint(document_set_with(empty, entry, &set), ==, 0);
        g_assert_cmpint(document_set_get(set, 0)->document.applied, >=, before);
        g_assert_cmpint(document_set_get(set, 0)->document.applied, <=, since_boot());
}

/* ---- read once ---- */

static Plan *plan_of(Fixture *fixture, const char *text)
{
        Plan *plan = NULL;

        g_assert_cmpint(enforcement_plan(fixture->enforcement, "web", text, strlen(text), &plan),
                        ==, 0);
        return plan;
}

/* Clients plan before they apply, to show what is doubtful. */
static void test_what_was_planned_is_not_read_again_to_be_applied(Fixture *fixture,
                                                                  gconstpointer data)
{
        static const char text[] = "version=1\n[deny_path]\n/a\n";
        _cleanup_(plan_freep) Plan *first = plan_of(fixture, text),
                                   *second = plan_of(fixture, text),
                                   *other = plan_of(fixture, "version=1\n[deny_path]\n/b\n"),
                                   *third = plan_of(fixture, text), *late = NULL;

        g_assert_true(first->policy == second->policy);
        g_assert_true(other->policy != second->policy);
        g_assert_true(third->policy != second->policy);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        late = plan_of(fixture, text);
        g_assert_true(late->policy != third->policy);
}

static void test_a_remark_is_made_each_time(Fixture *fixture, gconstpointer data)
{
        static const char text[] = "version=1\n[allow_cgroup]\n/missing/x.service\n";

        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(plan_freep) Plan *plan = plan_of(fixture, text);

                g_assert_cmpuint(plan->diagnostics.n_items, ==, 1);
        }
}

#define ADD(function) g_test_add("/meaning/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_cgroup_that_is_not_there_is_told_to_who_names_it);
        ADD(test_a_hook_that_may_be_missing_does_not_refuse_the_policy);
        ADD(test_no_class_of_rules_is_taken_without_its_hooks);
        ADD(test_a_rule_in_earnest_needs_its_hook_in_audit_mode_too);
        ADD(test_what_must_be_appraised_is_refused_where_nothing_is);
        ADD(test_an_equal_document_is_a_change_once_its_path_leads_elsewhere);
        ADD(test_rules_follow_paths_that_lead_elsewhere);
        ADD(test_rules_that_cannot_follow_are_told);
        ADD(test_a_ttl_counts_from_when_the_document_was_applied);
        ADD(test_a_document_from_times_to_come_was_applied_now);
        ADD(test_what_was_planned_is_not_read_again_to_be_applied);
        ADD(test_a_remark_is_made_each_time);
        return g_test_run();
}
