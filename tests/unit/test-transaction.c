/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transactions over the twin of the backend: what a change does, and what is left of it when it
 * fails, when the service is killed, or when a file is damaged. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend-twin.h"
#include "transaction/set.h"
#include "transaction/transaction.h"
#include "util/log.h"

#define DENY_A "version=1\n[deny_path]\n/a\n"
#define DENY_AB "version=1\n[deny_path]\n/a\n/b\n"
#define DENY_BC "version=1\n[deny_path]\n/b\n/c\n"
#define DENY_PORT "version=1\n[deny_port]\n2222\n"
#define FAULTY "version=1\n[deny_path]\nnot-absolute\n"

/* A service's worth of objects on folders of its own. */
typedef struct Fixture {
        char *root, *state, *pins;
        Backend *backend;
        Enforcement *enforcement;
        unsigned n_told;
        EnforcementChange told;
} Fixture;

static void on_change(void *userdata, EnforcementChange change)
{
        Fixture *fixture = userdata;

        fixture->n_told++;
        fixture->told = change;
}

static int try_start(Fixture *fixture)
{
        BackendConfig backend = {.pin_directory = fixture->pins};
        EnforcementConfig config = {
                .state_directory = fixture->state, .on_change = on_change, .userdata = fixture};

        g_assert_cmpint(backend_new(&fixture->backend, &backend), ==, 0);
        config.backend = fixture->backend;
        return enforcement_new(&fixture->enforcement, &config);
}

static void start(Fixture *fixture)
{
        g_assert_cmpint(try_start(fixture), ==, 0);
}

static void stop(Fixture *fixture)
{
        fixture->enforcement = enforcement_free(fixture->enforcement);
        fixture->backend = backend_free(fixture->backend);
}

static void restart(Fixture *fixture)
{
        stop(fixture);
        start(fixture);
}

/* As after a power cut: what the kernel had is gone. */
static void reboot(Fixture *fixture)
{
        const TwinState nothing = {};

        stop(fixture);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        start(fixture);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->root = g_dir_make_tmp("aegis-XXXXXX", NULL);
        g_assert_nonnull(fixture->root);
        fixture->state = g_build_filename(fixture->root, "state", NULL);
        fixture->pins = g_build_filename(fixture->root, "pins", NULL);
        start(fixture);
}

static void empty_folder(const char *path)
{
        GDir *dir = g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                char *file = g_build_filename(path, name, NULL);

                g_unlink(file);
                g_free(file);
        }
        if (dir)
                g_dir_close(dir);
        g_rmdir(path);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        stop(fixture);
        empty_folder(fixture->state);
        empty_folder(fixture->pins);
        g_rmdir(fixture->root);
        g_free(fixture->state);
        g_free(fixture->pins);
        g_free(fixture->root);
}

static int apply_text(Fixture *fixture, const char *name, const char *text)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int r;

        r = enforcement_plan(fixture->enforcement, name, text, strlen(text), &plan);
        if (r != 0)
                return r;
        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
}

static void apply(Fixture *fixture, const char *name, const char *text)
{
        g_assert_cmpint(apply_text(fixture, name, text), ==, 0);
}

static void removes(Fixture *fixture, const char *name)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        g_assert_cmpint(enforcement_plan_removal(fixture->enforcement, name, &plan), ==, 0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation), ==,
                        0);
}

static TwinState kernel(Fixture *fixture)
{
        TwinState state;

        g_assert_cmpint(twin_state_read(fixture->pins, &state), ==, 0);
        return state;
}

static void control(Fixture *fixture, const TwinControl *wanted)
{
        g_assert_cmpint(twin_control_write(fixture->pins, wanted), ==, 0);
}

static TwinControl all_well(void)
{
        return (TwinControl){.tier = TIER_LSM, .deny_hooks = UINT64_MAX};
}

/* The kernel has what the enforcement says it has. */
static void assert_agreement(Fixture *fixture)
{
        TwinState state = kernel(fixture);

        g_assert_cmpuint(state.generation, ==, enforcement_generation(fixture->enforcement));
        g_assert_cmpuint(state.mode, ==, enforcement_mode(fixture->enforcement));
        g_assert_cmpmem(state.digest, DIGEST_SIZE, enforcement_digest(fixture->enforcement),
                        DIGEST_SIZE);
}

static void assert_trouble(Fixture *fixture, const char *part)
{
        const char *const *trouble = enforcement_trouble(fixture->enforcement);

        for (; *trouble; trouble++)
                if (strstr(*trouble, part))
                        return;
        g_test_message("no trouble with \"%s\"", part);
        g_test_fail();
}

static void assert_no_trouble(Fixture *fixture)
{
        g_assert_null(enforcement_trouble(fixture->enforcement)[0]);
}

static void assert_text(Fixture *fixture, const char *name, const char *text)
{
        const Loaded *loaded = enforcement_find(fixture->enforcement, name);

        g_assert_nonnull(loaded);
        g_assert_cmpstr(loaded->document.text, ==, text);
}

static char *state_file(Fixture *fixture, const char *name)
{
        return g_build_filename(fixture->state, name, NULL);
}

static int has_file(Fixture *fixture, const char *name)
{
        _cleanup_(freep) char *file = state_file(fixture, name);

        return g_file_test(file, G_FILE_TEST_EXISTS);
}

static void flip_byte(Fixture *fixture, const char *name, size_t offset)
{
        _cleanup_(freep) char *file = state_file(fixture, name), *data = NULL;
        size_t n = 0;

        g_assert_true(g_file_get_contents(file, &data, &n, NULL));
        g_assert_cmpuint(offset, <, n);
        data[offset] ^= 1;
        g_assert_true(g_file_set_contents(file, data, (gssize) n, NULL));
}

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

static void assert_untouched(Fixture *fixture, const TwinState *before)
{
        TwinState now = kernel(fixture);

        g_assert_cmpuint(now.generation, ==, before->generation);
        g_assert_cmpuint(now.n_commits, ==, before->n_commits);
        g_assert_cmpuint(now.n_mode_changes, ==, before->n_mode_changes);
        g_assert_false(has_file(fixture, "state.next"));
        assert_agreement(fixture);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 1);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_ENFORCE);
        assert_no_trouble(fixture);
}

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

static void test_a_mode_that_the_kernel_refuses_stays(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        TwinState before;
        int changed = 7;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        wanted.fail_mode = EIO;
        control(fixture, &wanted);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                TRANSACTION_E_KERNEL);
        g_assert_cmpint(changed, ==, 7);
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

/* ---- the mode ---- */

static void test_a_mode_is_switched_in_one_store(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpint(changed, ==, 1);
        g_assert_cmpuint(generation, ==, 2);
        g_assert_cmpuint(kernel(fixture).n_prepares, ==, 1);
        g_assert_cmpuint(kernel(fixture).n_mode_changes, ==, 1);
        g_assert_cmpint(fixture->told, ==, ENFORCEMENT_MODE);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
}

static void test_the_same_mode_changes_nothing(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 1;

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_ENFORCE, &changed, &generation), ==,
                0);
        g_assert_cmpint(changed, ==, 0);
        g_assert_cmpuint(generation, ==, 1);
        g_assert_cmpuint(fixture->n_told, ==, 1);
}

static void test_a_mode_set_before_any_document_holds_for_the_first(Fixture *fixture,
                                                                    gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        assert_agreement(fixture);
        restart(fixture);
        apply(fixture, "web", DENY_A);
        g_assert_cmpuint(kernel(fixture).mode, ==, MODE_AUDIT);
        assert_agreement(fixture);
}

static void test_audit_takes_a_policy_that_enforce_refuses(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();
        uint64_t generation = 0;
        int changed = 0;

        wanted.deny_hooks = 0;
        control(fixture, &wanted);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_ENFORCE, &changed, &generation), ==,
                TRANSACTION_E_GUARANTEE);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
}

/* ---- the start ---- */

static void test_a_restart_adopts_without_touching_the_kernel(Fixture *fixture, gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        before = kernel(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_text(fixture, "web", DENY_A);
        g_assert_nonnull(enforcement_image(fixture->enforcement));
        assert_no_trouble(fixture);
}

static void test_after_a_power_cut_the_record_is_in_force_again(Fixture *fixture,
                                                                gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_PORT);
        reboot(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static void test_a_kernel_that_has_something_else_gets_a_later_generation(Fixture *fixture,
                                                                          gconstpointer data)
{
        TwinState other;

        apply(fixture, "web", DENY_A);
        stop(fixture);
        other = kernel(fixture);
        other.generation = 9;
        other.digest[0] ^= 1;
        g_assert_cmpint(twin_state_write(fixture->pins, &other), ==, 0);
        start(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 10);
        assert_text(fixture, "web", DENY_A);
        assert_agreement(fixture);
        restart(fixture);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 10);
}

static void test_two_services_cannot_have_the_same_store(Fixture *fixture, gconstpointer data)
{
        EnforcementConfig config = {.state_directory = fixture->state, .backend = fixture->backend};
        Enforcement *second = NULL;

        g_assert_cmpint(enforcement_new(&second, &config), ==, -EBUSY);
        g_assert_null(second);
}

static void test_the_store_is_closed_to_others(Fixture *fixture, gconstpointer data)
{
        GStatBuf st;

        g_assert_cmpint(g_chmod(fixture->state, 0755), ==, 0);
        restart(fixture);
        apply(fixture, "web", DENY_A);
        g_assert_cmpint(g_stat(fixture->state, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
}

static void test_what_the_start_cannot_enforce_is_told_and_tried_again(Fixture *fixture,
                                                                       gconstpointer data)
{
        TwinControl wanted = all_well();

        apply(fixture, "web", DENY_A);
        wanted.deny_hooks = 0;
        control(fixture, &wanted);
        reboot(fixture);
        assert_trouble(fixture, "cannot deny");
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(kernel(fixture).generation, ==, 0);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 1);
        wanted.deny_hooks = UINT64_MAX;
        control(fixture, &wanted);
        for (int i = 0; i < 100 && enforcement_check(fixture->enforcement) != 0; i++)
                ;
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static void test_what_something_else_took_away_is_put_back(Fixture *fixture, gconstpointer data)
{
        const TwinState nothing = {};

        apply(fixture, "web", DENY_A);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpuint(kernel(fixture).n_rules, ==, 2);
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

/* ---- damage ---- */

static void test_no_flipped_byte_goes_unnoticed(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *good = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        log_set_max_level(LOG_ERR);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *aside = state_file(fixture, "state.damaged");

                flip_byte(fixture, "state", i);
                reboot(fixture);
                assert_text(fixture, "web", DENY_A);
                assert_trouble(fixture, "damaged");
                assert_agreement(fixture);
                g_assert_cmpint(g_rename(aside, file), ==, 0);
                g_assert_true(g_file_set_contents(file, good, (gssize) n, NULL));
        }
        log_set_max_level(LOG_INFO);
}

static void test_a_shortened_record_is_damaged(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state"), *good = NULL;
        size_t n = 0;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_true(g_file_get_contents(file, &good, &n, NULL));
        log_set_max_level(LOG_ERR);
        for (size_t length = 0; length < n; length++) {
                g_assert_true(g_file_set_contents(file, good, (gssize) length, NULL));
                reboot(fixture);
                assert_text(fixture, "web", DENY_A);
                assert_trouble(fixture, "damaged");
        }
        log_set_max_level(LOG_INFO);
}

static void test_the_record_before_outlives_a_damaged_one(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_true(has_file(fixture, "state.damaged"));
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_no_trouble(fixture);
}

static void test_a_missing_record_is_not_a_first_start(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *file = state_file(fixture, "state");

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        g_assert_cmpint(g_unlink(file), ==, 0);
        reboot(fixture);
        assert_text(fixture, "web", DENY_A);
        assert_trouble(fixture, "missing");
        assert_agreement(fixture);
}

static void lose_records(Fixture *fixture)
{
        empty_folder(fixture->state);
}

static void test_without_any_record_the_kernel_keeps_what_it_has(Fixture *fixture,
                                                                 gconstpointer data)
{
        TwinState before, after;
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        lose_records(fixture);
        restart(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        assert_trouble(fixture, "goes on enforcing");
        assert_agreement(fixture);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        g_assert_cmpint(
                enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation), ==,
                0);
        g_assert_cmpuint(kernel(fixture).n_rules, ==, before.n_rules);
        assert_agreement(fixture);
}

static void test_what_is_applied_without_a_record_ends_the_trouble(Fixture *fixture,
                                                                   gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        lose_records(fixture);
        restart(fixture);
        apply(fixture, "web", DENY_AB);
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_no_trouble(fixture);
        reboot(fixture);
        assert_text(fixture, "web", DENY_AB);
}

static void test_two_damaged_records_and_an_empty_kernel_are_told(Fixture *fixture,
                                                                  gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        reboot(fixture);
        assert_trouble(fixture, "nothing is enforced");
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 0);
}

/* ---- killed ---- */

static void deed_apply(Fixture *fixture)
{
        apply_text(fixture, "db", DENY_PORT);
}

static void deed_mode(Fixture *fixture)
{
        uint64_t generation;
        int changed;

        enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation);
}

/* A child is the service, does the deed and dies at that point. */
static void die_at(Fixture *fixture, TwinCrash point, void (*act)(Fixture *))
{
        TwinControl wanted = all_well();
        int status = 0;
        pid_t pid;

        stop(fixture);
        wanted.crash = point;
        control(fixture, &wanted);
        pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
                start(fixture);
                act(fixture);
                _exit(0);
        }
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFSIGNALED(status));
        g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
        wanted.crash = TWIN_CRASH_NEVER;
        control(fixture, &wanted);
}

static void test_killed_before_the_switch_nothing_has_changed(Fixture *fixture, gconstpointer data)
{
        TwinState before;

        apply(fixture, "web", DENY_A);
        before = kernel(fixture);
        die_at(fixture, TWIN_CRASH_IN_PREPARE, deed_apply);
        g_assert_true(has_file(fixture, "state.next"));
        start(fixture);
        assert_untouched(fixture, &before);
}

static void test_killed_after_the_switch_the_change_is_kept(Fixture *fixture, gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_AFTER_COMMIT, deed_apply);
        before = kernel(fixture);
        start(fixture);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        g_assert_cmpuint(enforcement_generation(fixture->enforcement), ==, 2);
        assert_text(fixture, "db", DENY_PORT);
        assert_no_trouble(fixture);
        g_assert_false(has_file(fixture, "state.next"));
        reboot(fixture);
        assert_text(fixture, "db", DENY_PORT);
}

static void test_killed_after_a_mode_switch_the_mode_is_kept(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_AFTER_COMMIT, deed_mode);
        start(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
        assert_agreement(fixture);
        reboot(fixture);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_AUDIT);
}

static void test_a_pending_record_of_before_a_power_cut_is_forgotten(Fixture *fixture,
                                                                     gconstpointer data)
{
        const TwinState nothing = {};

        apply(fixture, "web", DENY_A);
        die_at(fixture, TWIN_CRASH_IN_PREPARE, deed_apply);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        start(fixture);
        g_assert_null(enforcement_find(fixture->enforcement, "db"));
        g_assert_false(has_file(fixture, "state.next"));
        assert_agreement(fixture);
}

/* ---- rules of events ---- */

static void test_rules_of_the_last_two_images_have_names(Fixture *fixture, gconstpointer data)
{
        const Enforcement *enforcement = fixture->enforcement;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_BC);
        g_assert_cmpstr(enforcement_name_rule(enforcement, 1, 1)->entry, ==, "/a");
        g_assert_cmpstr(enforcement_name_rule(enforcement, 2, 2)->entry, ==, "/c");
        g_assert_null(enforcement_name_rule(enforcement, 2, 3));
        g_assert_null(enforcement_name_rule(enforcement, 2, RULE_NONE));
        apply(fixture, "web", DENY_A);
        g_assert_null(enforcement_name_rule(enforcement, 1, 1));
}

static void test_a_mode_switch_keeps_the_names_of_rules(Fixture *fixture, gconstpointer data)
{
        uint64_t generation = 0;
        int changed = 0;

        apply(fixture, "web", DENY_A);
        enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &generation);
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, 1, 1)->entry, ==, "/a");
        g_assert_cmpstr(enforcement_name_rule(fixture->enforcement, 2, 1)->entry, ==, "/a");
}

static void test_an_allowance_without_its_cgroup_is_told(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", "version=1\n[allow_cgroup]\n/missing/x.service\n");
        assert_trouble(fixture, "line 3");
        apply(fixture, "web", "version=1\n[allow_cgroup]\n/there/x.service\n");
        assert_no_trouble(fixture);
        g_assert_cmpuint(kernel(fixture).n_cgroups, ==, 1);
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
        ADD(test_a_plan_lists_what_comes_and_what_goes);
        ADD(test_a_changed_comment_is_a_change_without_lines);
        ADD(test_a_plan_changes_nothing);
        ADD(test_a_plan_names_the_digest_that_is_committed);
        ADD(test_a_removed_document_is_gone_from_the_kernel);
        ADD(test_a_mode_is_switched_in_one_store);
        ADD(test_the_same_mode_changes_nothing);
        ADD(test_a_mode_set_before_any_document_holds_for_the_first);
        ADD(test_audit_takes_a_policy_that_enforce_refuses);
        ADD(test_rules_of_the_last_two_images_have_names);
        ADD(test_a_mode_switch_keeps_the_names_of_rules);
        ADD(test_an_allowance_without_its_cgroup_is_told);
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
        ADD(test_a_mode_that_the_kernel_refuses_stays);
        ADD(test_a_record_that_gets_no_name_is_told_and_tried_again);
}

static void add_starts(void)
{
        ADD(test_a_restart_adopts_without_touching_the_kernel);
        ADD(test_after_a_power_cut_the_record_is_in_force_again);
        ADD(test_a_kernel_that_has_something_else_gets_a_later_generation);
        ADD(test_two_services_cannot_have_the_same_store);
        ADD(test_the_store_is_closed_to_others);
        ADD(test_what_the_start_cannot_enforce_is_told_and_tried_again);
        ADD(test_what_something_else_took_away_is_put_back);
        ADD(test_no_flipped_byte_goes_unnoticed);
        ADD(test_a_shortened_record_is_damaged);
        ADD(test_the_record_before_outlives_a_damaged_one);
        ADD(test_a_missing_record_is_not_a_first_start);
        ADD(test_without_any_record_the_kernel_keeps_what_it_has);
        ADD(test_what_is_applied_without_a_record_ends_the_trouble);
        ADD(test_two_damaged_records_and_an_empty_kernel_are_told);
        ADD(test_killed_before_the_switch_nothing_has_changed);
        ADD(test_killed_after_the_switch_the_change_is_kept);
        ADD(test_killed_after_a_mode_switch_the_mode_is_kept);
        ADD(test_a_pending_record_of_before_a_power_cut_is_forgotten);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_changes();
        add_refusals();
        add_starts();
        return g_test_run();
}
