/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory short: each allocation of a change, of a start and of an event in turn is refused. The
 * call reports it, and what was in force stays so. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "event-fixture.h"
#include "fault.h"
#include "signer.h"
#include "transaction-fixture.h"
#include "transaction/internal.h"
#include "util/log.h"

static unsigned refused; /* the allocation to refuse, counted from 1; 0 for none */

static void refuse_from_here(unsigned n)
{
        refused = n;
        fail_nth(n, FAULT_MEMORY, ENOMEM);
}

/* Returns whether there were that many allocations. */
static int refuse_no_more(void)
{
        return fail_no_more() >= refused;
}

static void test_a_change_without_memory_changes_nothing(Fixture *fixture, gconstpointer data)
{
        unsigned n, n_reported = 0;
        int reached = 1;

        apply(fixture, "web", DENY_A);
        for (n = 1; reached; n++) {
                TwinState before = kernel(fixture), after;
                int r;

                refuse_from_here(n);
                r = apply_text(fixture, "db", DENY_BC);
                reached = refuse_no_more();
                g_assert_true(r == 0 || r == -ENOMEM);
                assert_agreement(fixture);
                assert_text(fixture, "web", DENY_A);
                g_assert_false(has_file(fixture, "state.next"));
                after = kernel(fixture);
                if (r == 0) {
                        assert_text(fixture, "db", DENY_BC);
                        removes(fixture, "db");
                } else {
                        n_reported++;
                        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
                        g_assert_null(enforcement_find(fixture->enforcement, "db"));
                }
        }
        g_assert_cmpuint(n_reported, >, 20);
}

/* The next of web, signed. Returns what planning or committing returned. */
static int apply_next(Fixture *fixture, const Signed *what)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        const SignatureText text = {what->text, what->n};
        uint64_t generation = 0;
        int r = enforcement_plan_signed(fixture->enforcement, "web", &text, &what->all, &plan);

        return r ? r : enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
}

static Signed *next_of_web(unsigned seq)
{
        g_autofree char *text = g_strdup_printf("bundle=1\nname=web\nseq=%u\n"
                                                "issued=2026-01-01T00:00:00Z\n"
                                                "expires=2099-01-01T00:00:00Z\n" DENY_A,
                                                seq);

        return signed_new(text, "1");
}

/* What was in force stays, signed as it was, on disk too. */
static void test_a_signed_change_without_memory_changes_nothing(Fixture *fixture,
                                                                gconstpointer data)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", NULL};
        g_autofree char *folder = g_build_filename(fixture->root, "trust", NULL);
        g_autofree char *file = g_build_filename(folder, "root.1", NULL);
        g_autofree char *beside = g_strconcat(file, ".minisig", NULL);
        g_autofree char *root = root_text(1, "110", lines);
        g_autofree char *signature = signer_sign(0, root, strlen(root));
        unsigned seq = 1, n_reported = 0;
        int reached = 1;

        g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
        g_assert_true(g_file_set_contents(file, root, -1, NULL));
        g_assert_true(g_file_set_contents(beside, signature, -1, NULL));
        g_assert_cmpint(g_chmod(file, 0644), ==, 0);
        g_assert_cmpint(g_chmod(beside, 0644), ==, 0);
        fixture->trust.directory = folder;
        restart(fixture);
        for (unsigned n = 0; reached; n++) {
                g_autoptr(Signed) what = next_of_web(seq);
                g_autofree char *line = NULL;
                int r;

                refuse_from_here(n);
                r = apply_next(fixture, what);
                reached = refuse_no_more() || n == 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                n_reported += r < 0;
                seq += r == 0;
                assert_agreement(fixture);
                line = g_strdup_printf("#seq=%u\n", seq - 1);
                g_assert_nonnull(
                        strstr(enforcement_find(fixture->enforcement, "web")->document.text, line));
                g_assert_false(has_file(fixture, "bundles/web.next"));
                g_assert_cmpint(trust_is_signed(fixture->enforcement->trust,
                                                enforcement_find(fixture->enforcement, "web")),
                                ==, 1);
                restart(fixture);
                g_assert_cmpint(trust_is_signed(fixture->enforcement->trust,
                                                enforcement_find(fixture->enforcement, "web")),
                                ==, 1);
        }
        g_assert_cmpuint(n_reported, >, 20);
        empty_folder(folder);
        fixture->trust.directory = NULL;
}

/* Reads the rule, too: all that a call does between its message and the reply. */
static int add_without(Fixture *fixture, unsigned n, int *ret_reached)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(single_rule_freep) SingleRule *rule = NULL;
        int r;

        refuse_from_here(n);
        r = single_rule_new(&rule, "deny", "file:/b", 5000000, &diagnostics);
        if (r == 0)
                r = change(fixture, CHANGE_ADDED, rule, NULL);
        *ret_reached = refuse_no_more();
        return r;
}

static void test_a_rule_without_memory_changes_nothing(Fixture *fixture, gconstpointer data)
{
        unsigned n_reported = 0;
        int reached = 1;

        add(fixture, "deny", "file:/a ttl=1h");
        for (unsigned n = 1; reached; n++) {
                uint64_t before = generation(fixture);
                int r = add_without(fixture, n, &reached);

                g_assert_true(r == 0 || r == -ENOMEM);
                assert_agreement(fixture);
                g_assert_false(has_file(fixture, "state.next"));
                g_assert_cmpuint(generation(fixture), ==, r == 0 ? before + 1 : before);
                if (r == 0)
                        take(fixture, "deny", "file:/b");
                n_reported += r < 0;
        }
        g_assert_cmpuint(n_reported, >, 20);
}

/* Ends with the enforcement up if there was memory for it. */
static int start_without(Fixture *fixture, unsigned n, int *ret_reached)
{
        BackendConfig backend = {.pin_directory = fixture->pins};
        EnforcementConfig config = {.state_directory = fixture->state};
        int r;

        g_assert_cmpint(backend_new(&fixture->backend, &backend), ==, 0);
        config.backend = fixture->backend;
        refuse_from_here(n);
        r = enforcement_new(&fixture->enforcement, &config);
        *ret_reached = refuse_no_more();
        return r;
}

static void test_a_start_without_memory_leaves_the_kernel_as_it_is(Fixture *fixture,
                                                                   gconstpointer data)
{
        TwinState before, after;
        unsigned n;
        int reached = 1;

        apply(fixture, "web", DENY_A);
        apply(fixture, "db", DENY_BC);
        before = kernel(fixture);
        for (n = 1; reached; n++) {
                int r;

                stop(fixture);
                r = start_without(fixture, n, &reached);
                g_assert_true(r == 0 || r == -ENOMEM);
                g_assert_cmpint(r == 0, ==, !reached);
                after = kernel(fixture);
                g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        }
        g_assert_cmpuint(n, >, 20);
        assert_text(fixture, "db", DENY_BC);
        assert_no_trouble(fixture);
}

static void test_a_start_without_memory_and_an_empty_kernel_is_reported(Fixture *fixture,
                                                                        gconstpointer data)
{
        const TwinState nothing = {};
        int reached = 1;

        apply(fixture, "web", DENY_A);
        for (unsigned n = 1; reached; n++) {
                stop(fixture);
                g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
                g_assert_cmpint(start_without(fixture, n, &reached), ==, reached ? -ENOMEM : 0);
                g_assert_true(has_file(fixture, "state"));
        }
        assert_text(fixture, "web", DENY_A);
        assert_agreement(fixture);
        assert_no_trouble(fixture);
}

static const ImageRule *name_rule(void *userdata, uint64_t generation, uint32_t rule)
{
        return &rule_shadow;
}

static void test_an_event_without_memory_is_told_as_lost(void)
{
        EventHubConfig config = {.name_rule = name_rule};
        EventFilter filter = {.uid = UINT32_MAX, .since_seq = UINT64_MAX};
        EventHub *hub = NULL;
        EventTotals totals;
        unsigned n_lost = 0, n = 0;
        int reached = 1, fd = -1;
        uint64_t seq;
        char text[8192];

        g_assert_cmpint(sd_event_new(&config.loop), >=, 0);
        g_assert_cmpint(event_hub_new(&hub, &config), ==, 0);
        filter.policy = strdup("base");
        g_assert_cmpint(event_hub_open(hub, 0, &filter, &fd, &seq), ==, 0);
        while (reached) {
                struct event event = file_event(++n);

                refuse_from_here(n);
                event_hub_take(hub, &event);
                reached = refuse_no_more();
        }
        event_hub_totals(hub, &totals);
        for (ssize_t r; (r = recv(fd, text, sizeof(text), 0)) > 0;)
                n_lost += g_str_has_prefix(text, "{\"lost\":");
        g_assert_cmpuint(totals.delivered + totals.lost, ==, n);
        g_assert_cmpuint(totals.suppressed, ==, 0);
        g_assert_cmpuint(totals.lost, >, 0);
        g_assert_cmpuint(n_lost, >, 0);
        close(fd);
        event_hub_free(hub);
        sd_event_unref(config.loop);
}

static void test_a_stream_without_memory_is_not_opened(void)
{
        EventHubConfig config = {};
        EventHub *hub = NULL;
        int reached = 1, fd = -1;
        uint64_t seq;

        g_assert_cmpint(sd_event_new(&config.loop), >=, 0);
        g_assert_cmpint(event_hub_new(&hub, &config), ==, 0);
        for (unsigned n = 1; reached; n++) {
                EventFilter filter = {.uid = UINT32_MAX, .policy = strdup("base")};
                int r;

                refuse_from_here(n);
                r = event_hub_open(hub, 0, &filter, &fd, &seq);
                reached = refuse_no_more();
                g_assert_cmpint(r, ==, reached ? -ENOMEM : 0);
                g_assert_cmpint(filter.policy != NULL, ==, reached);
                event_filter_deinit(&filter);
        }
        close(fd);
        event_hub_free(hub);
        sd_event_unref(config.loop);
}

#define ADD(function)                                                                              \
        g_test_add("/service-memory/" #function, Fixture, NULL, set_up, function, tear_down)
#define ADD_PLAIN(function) g_test_add_func("/service-memory/" #function, function)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        log_set_max_level(LOG_EMERG);
        ADD(test_a_change_without_memory_changes_nothing);
        ADD(test_a_signed_change_without_memory_changes_nothing);
        ADD(test_a_rule_without_memory_changes_nothing);
        ADD(test_a_start_without_memory_leaves_the_kernel_as_it_is);
        ADD(test_a_start_without_memory_and_an_empty_kernel_is_reported);
        ADD_PLAIN(test_an_event_without_memory_is_told_as_lost);
        ADD_PLAIN(test_a_stream_without_memory_is_not_opened);
        return g_test_run();
}
