/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rules that live for a time: each ends when it was to end, whatever is added and removed
 * besides. */
#include <glib.h>
#include <string.h>

#include "transaction-fixture.h"
#include "transaction/store.h"

#define MINUTE 60000000u /* µs */

static const Rule *only_rule(Fixture *fixture)
{
        const Policy *policy = enforcement_find(fixture->enforcement, "runtime")->document.policy;

        g_assert_cmpuint(policy_n_rules(policy), ==, 1);
        return policy_rule(policy, 0);
}

static void test_a_ttl_is_rounded_up(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(try_add(fixture, "deny", "file:/a", 1), ==, 0);
        g_assert_cmpuint(only_rule(fixture)->options->ttl, ==, 1);
        take(fixture, "deny", "file:/a");
        g_assert_cmpint(try_add(fixture, "deny", "file:/a", 2 * MINUTE), ==, 0);
        g_assert_cmpstr(only_rule(fixture)->entry, ==, "file:/a ttl=2m");
        take(fixture, "deny", "file:/a");
        g_assert_cmpint(try_add(fixture, "deny", "file:/a # for now", 2 * MINUTE + 1), ==, 0);
        g_assert_cmpstr(only_rule(fixture)->entry, ==, "file:/a ttl=121s");
}

static void test_a_ttl_that_no_rule_can_have_is_refused(void)
{
        static const struct {
                const char *section, *entry;
                uint64_t ttl_usec;
                const char *message;
        } rows[] = {
                {"deny", "file:/a ttl=1h", 1, "the entry has a ttl of its own"},
                {"deny", "file:/a", UINT64_MAX, "a rule lives from 1s to 3650d"},
                {"deny", "file:/a", 3650 * 1440ull * MINUTE + 1, "a rule lives from 1s to 3650d"},
                {"allow", "cgroup:/a", MINUTE,
                 "cgroup: takes no options: no rule binds who is in it"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
                SingleRule *rule = NULL;

                g_assert_cmpint(single_rule_new(&rule, rows[i].section, rows[i].entry,
                                                rows[i].ttl_usec, &diagnostics),
                                ==, TRANSACTION_E_INVALID_POLICY);
                g_assert_cmpuint(diagnostics.n_faults, ==, 1);
                g_assert_cmpstr(diagnostics.items[0].message, ==, rows[i].message);
        }
}

/* The same documents, as if runtime had been applied so many seconds earlier. */
static void grow_old(Fixture *fixture, const char *text, int64_t seconds)
{
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_(store_record_deinit) StoreRecord record = {.generation = 1};
        _cleanup_(document_set_freep) DocumentSet *empty = NULL;
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        Document document = {.name = RUNTIME_NAME, .text = text, .n_text = strlen(text)};

        stop(fixture);
        g_assert_cmpint(policy_parse(&policy, text, strlen(text), &diagnostics), ==, 0);
        document.policy = policy;
        g_assert_cmpint(entry_new(&entry, &document, 1,
                                  (uint64_t) (g_get_real_time() - seconds * G_USEC_PER_SEC)),
                        ==, 0);
        g_assert_cmpint(document_set_new(&empty), ==, 0);
        g_assert_cmpint(document_set_with(empty, entry, &record.documents), ==, 0);
        g_assert_cmpint(store_open(&store, fixture->state), ==, 0);
        g_assert_cmpint(store_write_next(store, &record), ==, 0);
        g_assert_cmpint(store_publish_next(store), ==, 0);
        store = store_close(store);
        start(fixture);
        assert_text(fixture, "runtime", text);
}

/* The second since boot at which the rule with that number ends. */
static int64_t end_of(Fixture *fixture, size_t i)
{
        const Document *document = &enforcement_find(fixture->enforcement, "runtime")->document;

        return document->applied + (int64_t) policy_rule(document->policy, i)->options->ttl;
}

#define TIMED "version=7\n[allow]\nfile:/b ttl=30m # until lunch\n[deny]\nfile:/a\n"

static void test_a_rule_ends_when_it_was_to_end_whatever_comes_after(Fixture *fixture,
                                                                     gconstpointer data)
{
        int64_t end;

        grow_old(fixture, TIMED, 600);
        end = end_of(fixture, 0);
        for (unsigned i = 0; i < 5; i++) {
                g_autofree char *entry = g_strdup_printf("file:/c/%u", i);

                add(fixture, "deny", entry);
                g_assert_cmpint(end_of(fixture, 0), ==, end);
        }
        take(fixture, "deny", "file:/a");
        g_assert_cmpint(end_of(fixture, 0), ==, end);
        g_assert_null(strstr(enforcement_find(fixture->enforcement, "runtime")->document.text,
                             "ttl=30m"));
        restart(fixture); /* by the clock on the wall, which has another fraction of a second */
        g_assert_cmpint(end_of(fixture, 0), >=, end - 1);
        g_assert_cmpint(end_of(fixture, 0), <=, end + 1);
}

static void test_what_has_passed_goes_with_the_next_change(Fixture *fixture, gconstpointer data)
{
        grow_old(fixture, TIMED, 1900);
        add(fixture, "deny", "file:/c");
        assert_text(fixture, "runtime", "version=7\n[allow]\n[deny]\nfile:/a\nfile:/c\n");
}

static void test_what_has_passed_keeps_no_document(Fixture *fixture, gconstpointer data)
{
        grow_old(fixture, TIMED, 1900);
        take(fixture, "deny", "file:/a");
        g_assert_null(enforcement_find(fixture->enforcement, "runtime"));
}

static void test_what_has_passed_is_added_anew(Fixture *fixture, gconstpointer data)
{
        grow_old(fixture, TIMED, 1900);
        g_assert_cmpint(try_add(fixture, "allow", "file:/b", 30 * MINUTE), ==, 0);
        assert_text(fixture, "runtime", "version=7\n[allow]\nfile:/b ttl=30m\n[deny]\nfile:/a\n");
}

static void test_what_has_passed_can_be_removed(Fixture *fixture, gconstpointer data)
{
        grow_old(fixture, TIMED, 1900);
        take(fixture, "allow", "file:/b");
        assert_text(fixture, "runtime", "version=7\n[allow]\n[deny]\nfile:/a\n");
}

static void test_the_later_end_holds(Fixture *fixture, gconstpointer data)
{
        uint64_t before;

        grow_old(fixture, TIMED, 600);
        before = generation(fixture);
        g_assert_cmpint(try_add(fixture, "allow", "file:/b", 15 * MINUTE), ==, 0);
        g_assert_cmpint(try_add(fixture, "deny", "file:/a", 15 * MINUTE), ==, 0);
        g_assert_cmpuint(generation(fixture), ==, before);
        g_assert_cmpint(try_add(fixture, "allow", "file:/b", 30 * MINUTE), ==, 0);
        assert_text(fixture, "runtime", "version=7\n[allow]\nfile:/b ttl=30m\n[deny]\nfile:/a\n");
        g_assert_cmpuint(generation(fixture), ==, before + 1);
        add(fixture, "allow", "file:/b");
        assert_text(fixture, "runtime", "version=7\n[allow]\nfile:/b\n[deny]\nfile:/a\n");
        take(fixture, "allow", "file:/b ttl=5s");
        assert_text(fixture, "runtime", "version=7\n[allow]\n[deny]\nfile:/a\n");
}

static void bound_after(Fixture *fixture, int64_t seconds, Plan **ret_plan)
{
        _cleanup_(single_rule_freep) SingleRule *rule = rule_of("deny", "file:/c", 0);

        grow_old(fixture, TIMED, seconds);
        g_assert_cmpint(enforcement_plan_rule(fixture->enforcement, rule, CHANGE_ADDED, ret_plan),
                        ==, 0);
}

static void test_what_is_agreed_to_stays_the_same_while_time_passes(Fixture *fixture,
                                                                    gconstpointer data)
{
        _cleanup_(plan_freep) Plan *early = NULL, *late = NULL;

        bound_after(fixture, 600, &early);
        bound_after(fixture, 700, &late);
        g_assert_cmpmem(early->bound, DIGEST_SIZE, late->bound, DIGEST_SIZE);
        g_assert_cmpint(memcmp(early->digest, late->digest, DIGEST_SIZE), !=, 0);
}

#define ADD(function)                                                                              \
        g_test_add("/rule-time/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_ttl_is_rounded_up);
        g_test_add_func("/rule-time/ttl", test_a_ttl_that_no_rule_can_have_is_refused);
        ADD(test_a_rule_ends_when_it_was_to_end_whatever_comes_after);
        ADD(test_what_has_passed_goes_with_the_next_change);
        ADD(test_what_has_passed_keeps_no_document);
        ADD(test_what_has_passed_is_added_anew);
        ADD(test_what_has_passed_can_be_removed);
        ADD(test_the_later_end_holds);
        ADD(test_what_is_agreed_to_stays_the_same_while_time_passes);
        return g_test_run();
}
