/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for events that are remembered. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "event-fixture.h"
#include "hub-fixture.h"

typedef struct Seen {
        uint64_t seqs[EVENT_RECENT_MAX];
        size_t n;
} Seen;

static int see(void *userdata, const EventView *view)
{
        Seen *seen = userdata;

        seen->seqs[seen->n++] = view->event->seq;
        g_assert_nonnull(strstr(view->text, "\"seq\":"));
        g_assert_cmpstr(view->rule->document, ==, "base");
        return 0;
}

/* Their numbers, as digits. */
static char *query(Fixture *fixture, EventFilter filter, uint64_t since_ns, uint64_t until_ns,
                   size_t limit)
{
        const EventQuery query = {&filter, since_ns, until_ns, limit};
        GString *numbers = g_string_new(NULL);
        Seen seen = {};

        g_assert_cmpint(event_hub_query(fixture->hub, &query, see, &seen), ==, 0);
        for (size_t i = 0; i < seen.n; i++)
                g_string_append_printf(numbers, "%d", (int) seen.seqs[i]);
        return g_string_free(numbers, FALSE);
}

static void expect_query(Fixture *fixture, EventFilter filter, size_t limit, const char *numbers)
{
        g_autofree char *found = query(fixture, filter, 0, UINT64_MAX, limit);

        g_assert_cmpstr(found, ==, numbers);
}

/* 1 to 9; even ones are of pid 43, comm dd, another file and audited; 3 is of uid 0. */
static void take_some(Fixture *fixture)
{
        for (uint64_t seq = 1; seq <= 9; seq++) {
                struct event event = file_event(seq);

                event.time_ns = seq * 1000;
                event.uid = seq == 3 ? 0 : 1000;
                if (seq % 2 == 0) {
                        event.pid = 43;
                        strcpy(event.comm, "dd");
                        put_names(&event, "shadow-\0etc", sizeof("shadow-\0etc"));
                        event.verdict = VERDICT_AUDITED;
                        event.hook = HOOK_INODE_UNLINK;
                }
                event_hub_take(fixture->hub, &event);
        }
}

static void test_a_query_finds_what_its_filter_says(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();

        take_some(fixture);
        expect_query(fixture, filter, 100, "123456789");
        filter.uid = 0;
        expect_query(fixture, filter, 100, "3");
        filter = anything();
        filter.verdict = VERDICT_AUDITED;
        expect_query(fixture, filter, 100, "2468");
        filter = anything();
        filter.pid = 43;
        expect_query(fixture, filter, 100, "2468");
        filter = anything();
        filter.since_seq = 8;
        expect_query(fixture, filter, 100, "89");
        filter = anything();
        filter.comm = (char *) "cat";
        expect_query(fixture, filter, 100, "13579");
        filter.hook = (char *) "inode_unlink";
        expect_query(fixture, filter, 100, "");
}

static void test_a_query_finds_rules_and_paths_as_they_are_told(Fixture *fixture,
                                                                gconstpointer data)
{
        EventFilter filter = anything();

        take_some(fixture);
        filter.rule = (char *) "base:7";
        expect_query(fixture, filter, 100, "123456789");
        filter.rule = (char *) "base:8";
        expect_query(fixture, filter, 100, "");
        filter = anything();
        filter.policy = (char *) "web";
        expect_query(fixture, filter, 100, "");
        filter = anything();
        filter.path = (char *) "/mnt/etc/shadow"; /* where the service sees it */
        expect_query(fixture, filter, 100, "13579");
        filter.path = (char *) "/mnt";
        expect_query(fixture, filter, 100, "13579");
        filter.path = (char *) "/etc";
        expect_query(fixture, filter, 100, "2468");
        filter.path = (char *) "/et";
        expect_query(fixture, filter, 100, "");
        filter.path = (char *) "/";
        expect_query(fixture, filter, 100, "123456789");
}

static void test_a_query_has_bounds(Fixture *fixture, gconstpointer data)
{
        g_autofree char *early = NULL, *late = NULL, *some = NULL;

        take_some(fixture);
        expect_query(fixture, anything(), 3, "789"); /* the last ones, the oldest of them first */
        expect_query(fixture, anything(), 0, "");
        early = query(fixture, anything(), 0, 2000, 100);
        late = query(fixture, anything(), 9001, UINT64_MAX, 100);
        some = query(fixture, anything(), 4000, 6999, 100);
        g_assert_cmpstr(early, ==, "12");
        g_assert_cmpstr(late, ==, "");
        g_assert_cmpstr(some, ==, "456");
        assert_totals(fixture, 0, 9, 0); /* who asks later has read no stream */
}

static void test_an_event_is_found_by_its_number_while_it_is_remembered(Fixture *fixture,
                                                                        gconstpointer data)
{
        char id[IMAGE_RULE_ID_SIZE];
        EventView view;

        for (uint64_t seq = 1; seq <= EVENT_RECENT_MAX + 1; seq++)
                take(fixture, seq);
        g_assert_cmpint(event_hub_find(fixture->hub, 1, &view), ==, -ENOENT);
        g_assert_cmpint(event_hub_find(fixture->hub, EVENT_RECENT_MAX + 2, &view), ==, -ENOENT);
        g_assert_cmpint(event_hub_find(fixture->hub, 2, &view), ==, 0);
        g_assert_cmpuint(view.event->seq, ==, 2);
        g_assert_cmpuint(view.event->inode, ==, 1234);
        g_assert_cmpstr(image_rule_id(view.rule, id), ==, "base:7");
}

#define ADD(function)                                                                              \
        g_test_add("/event-query/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_query_finds_what_its_filter_says);
        ADD(test_a_query_finds_rules_and_paths_as_they_are_told);
        ADD(test_a_query_has_bounds);
        ADD(test_an_event_is_found_by_its_number_while_it_is_remembered);
        return g_test_run();
}
