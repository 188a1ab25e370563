/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gets to hear of an event, and what those learn who were too slow. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "event-fixture.h"
#include "hub-fixture.h"

static int open_filtered(Fixture *fixture, EventFilter filter)
{
        uint64_t seq;
        int fd = -1;

        g_assert_cmpint(event_hub_open(fixture->hub, 1000, &filter, &fd, &seq), ==, 0);
        g_assert_null(filter.policy);
        g_assert_null(filter.hook);
        return fd;
}

static int open_stream(Fixture *fixture)
{
        return open_filtered(fixture, anything());
}

/* Lets the hub serve what is ready. */
static void turn(Fixture *fixture)
{
        while (sd_event_run(fixture->loop, 0) > 0)
                ;
}

/* NULL if nothing waits. */
static json_object *receive(int fd)
{
        char text[8192];
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

        if (n < 0) {
                g_assert_cmpint(errno, ==, EAGAIN);
                return NULL;
        }
        text[n] = '\0';
        return json_tokener_parse(text);
}

static void assert_seq(int fd, uint64_t seq)
{
        json_object *object = receive(fd);

        g_assert_nonnull(object);
        g_assert_cmpuint(number_of(object, "seq"), ==, seq);
        json_object_put(object);
}

static void assert_lost(int fd, uint64_t n)
{
        json_object *object = receive(fd);

        g_assert_nonnull(object);
        g_assert_cmpuint(number_of(object, "lost"), ==, n);
        json_object_put(object);
}

static void assert_nothing(int fd)
{
        g_assert_null(receive(fd));
}

static void test_an_event_reaches_every_stream_and_counts_once(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int a = open_stream(fixture), b = open_stream(fixture);
        json_object *object;

        take(fixture, 1);
        object = receive(a);
        g_assert_cmpstr(text_of(object, "policy"), ==, "base");
        g_assert_cmpstr(text_of(object, "path"), ==, "/mnt/etc/shadow");
        json_object_put(object);
        assert_seq(b, 1);
        assert_nothing(a);
        assert_totals(fixture, 1, 0, 0);
}

static void test_what_nobody_wants_is_suppressed(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        _cleanup_(closep) int fd = -1;

        take(fixture, 1);
        assert_totals(fixture, 0, 1, 0);
        filter.uid = 7;
        fd = open_filtered(fixture, filter);
        take(fixture, 2);
        assert_nothing(fd);
        assert_totals(fixture, 0, 2, 0);
}

static void test_a_new_stream_learns_the_last_number(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        uint64_t seq = 0;
        int fd = -1;

        take(fixture, 41);
        g_assert_cmpint(event_hub_open(fixture->hub, 1000, &filter, &fd, &seq), ==, 0);
        g_assert_cmpuint(seq, ==, 41);
        assert_nothing(fd);
        close(fd);
}

static void test_filters_must_all_match(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        struct event event = file_event(1);
        _cleanup_(closep) int fd = -1;

        filter.policy = strdup("base");
        filter.hook = strdup("file_open");
        filter.verdict = VERDICT_DENIED;
        filter.uid = 1000;
        fd = open_filtered(fixture, filter);
        event_hub_take(fixture->hub, &event);
        event.seq = 2;
        event.rule = RULE_NONE; /* so it is of no policy */
        event_hub_take(fixture->hub, &event);
        event = file_event(3);
        event.hook = HOOK_INODE_UNLINK;
        event_hub_take(fixture->hub, &event);
        event = file_event(4);
        event.verdict = VERDICT_AUDITED;
        event_hub_take(fixture->hub, &event);
        event = file_event(5);
        event.uid = 1001;
        event_hub_take(fixture->hub, &event);
        take(fixture, 6);
        assert_seq(fd, 1);
        assert_seq(fd, 6);
        assert_nothing(fd);
        assert_totals(fixture, 2, 4, 0);
}

static void test_recent_events_are_replayed_from_a_number_on(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        _cleanup_(closep) int fd = -1;

        for (uint64_t seq = 1; seq <= 5; seq++)
                take(fixture, seq);
        filter.since_seq = 4;
        fd = open_filtered(fixture, filter);
        assert_seq(fd, 4);
        assert_seq(fd, 5);
        assert_nothing(fd);
        take(fixture, 2); /* numbers began anew: what is new is told all the same */
        assert_seq(fd, 2);
        assert_totals(fixture, 1, 5, 0);
}

static void test_a_kept_event_keeps_the_name_of_its_rule(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        _cleanup_(closep) int fd = -1;
        json_object *object;

        for (uint64_t seq = 1; seq <= 3; seq++)
                take(fixture, seq);
        g_assert_cmpuint(fixture->n_named, ==, 1);
        fixture->is_forgetful = 1;
        filter.since_seq = 3;
        fd = open_filtered(fixture, filter);
        object = receive(fd);
        g_assert_cmpstr(text_of(object, "policy"), ==, "base");
        g_assert_cmpstr(text_of(object, "rule"), ==, "deny_path /etc/shadow");
        g_assert_cmpstr(text_of(object, "path"), ==, "/mnt/etc/shadow");
        json_object_put(object);
}

static void test_what_is_no_longer_kept_is_told_as_lost(Fixture *fixture, gconstpointer data)
{
        EventFilter filter = anything();
        _cleanup_(closep) int fd = -1;

        for (uint64_t seq = 1; seq <= EVENT_RECENT_MAX + 10; seq++)
                take(fixture, seq);
        filter.since_seq = 6;
        fd = open_filtered(fixture, filter);
        assert_lost(fd, 5);
        assert_seq(fd, 11);
}

/* A reader of this kind sees each number or is told that it is missing. */
static void drain(Fixture *fixture, int fd, uint64_t *n_seen, uint64_t *n_lost)
{
        uint64_t last = 0;

        for (json_object *object; (object = receive(fd)); json_object_put(object)) {
                if (text_of(object, "lost")) {
                        *n_lost += number_of(object, "lost");
                } else {
                        g_assert_cmpuint(number_of(object, "seq"), >, last);
                        last = number_of(object, "seq");
                        ++*n_seen;
                }
                turn(fixture);
        }
}

static void test_a_burst_waits_for_a_reader_who_comes_late(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int fd = open_stream(fixture);
        uint64_t n_seen = 0, n_lost = 0;

        for (uint64_t seq = 1; seq <= EVENT_RECENT_MAX; seq++)
                take(fixture, seq);
        drain(fixture, fd, &n_seen, &n_lost);
        g_assert_cmpuint(n_seen, ==, EVENT_RECENT_MAX);
        g_assert_cmpuint(n_lost, ==, 0);
        assert_totals(fixture, EVENT_RECENT_MAX, 0, 0);
}

static void test_a_reader_who_is_too_slow_is_told_how_much_it_lost(Fixture *fixture,
                                                                   gconstpointer data)
{
        _cleanup_(closep) int fd = open_stream(fixture);
        uint64_t n_seen = 0, n_lost = 0, n = 5 * EVENT_RECENT_MAX;
        EventTotals totals;

        for (uint64_t seq = 1; seq <= n; seq++)
                take(fixture, seq);
        event_hub_totals(fixture->hub, &totals);
        g_assert_cmpuint(totals.delivered + totals.suppressed + totals.lost, ==, n);
        drain(fixture, fd, &n_seen, &n_lost);
        g_assert_cmpuint(n_lost, >=, n - 2 * EVENT_RECENT_MAX);
        g_assert_cmpuint(n_seen + n_lost, ==, n);
        assert_totals(fixture, n_seen, 0, n_lost);
}

static void test_a_slow_reader_costs_a_quick_one_nothing(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int slow = open_stream(fixture), quick = open_stream(fixture);

        for (uint64_t seq = 1; seq <= 3 * EVENT_RECENT_MAX; seq++) {
                take(fixture, seq);
                assert_seq(quick, seq);
        }
        assert_totals(fixture, 3 * EVENT_RECENT_MAX, 0, 0);
        assert_seq(slow, 1);
}

static void test_what_the_kernel_lost_is_told(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int fd = open_stream(fixture);

        event_hub_note_lost(fixture->hub, 100); /* from before this service */
        assert_nothing(fd);
        event_hub_note_lost(fixture->hub, 103);
        event_hub_note_lost(fixture->hub, 103);
        assert_lost(fd, 3);
        assert_nothing(fd);
        take(fixture, 9);
        assert_seq(fd, 9);
        assert_totals(fixture, 1, 0, 3);
}

/* With a hub of its own, over memory that outlives it. */
static void begin_again(Fixture *fixture, struct tallies *tallies)
{
        EventHubConfig config = {.loop = fixture->loop, .tallies = tallies};
        EventHub *hub = NULL;

        g_assert_cmpint(event_hub_new(&hub, &config), ==, 0);
        event_hub_free(fixture->hub);
        fixture->hub = hub;
}

static void test_totals_outlive_the_hub_and_count_no_event_twice(Fixture *fixture,
                                                                 gconstpointer data)
{
        struct tallies tallies = {};
        int fd;

        begin_again(fixture, &tallies);
        event_hub_note_lost(fixture->hub, 4);
        take(fixture, 1);
        fd = open_stream(fixture);
        take(fixture, 2);
        assert_seq(fd, 2);
        assert_totals(fixture, 1, 1, 4);
        begin_again(fixture, &tallies); /* killed before the ring knew that 2 was taken */
        event_hub_note_lost(fixture->hub, 5);
        assert_totals(fixture, 1, 1, 5);
        take(fixture, 2);
        assert_totals(fixture, 1, 1, 5);
        take(fixture, 3);
        assert_totals(fixture, 1, 2, 5);
        close(fd);
}

static void test_what_was_counted_before_the_tallies_began_is_among_the_totals(Fixture *fixture,
                                                                               gconstpointer data)
{
        EventHubConfig config = {.loop = fixture->loop, .delivered = 5, .suppressed = 7};

        event_hub_free(fixture->hub);
        g_assert_cmpint(event_hub_new(&fixture->hub, &config), ==, 0);
        take(fixture, 1);
        assert_totals(fixture, 5, 8, 0);
}

static void test_what_waits_for_a_reader_is_lost_with_the_hub(Fixture *fixture, gconstpointer data)
{
        struct tallies tallies = {};
        uint64_t delivered;
        int fd;

        begin_again(fixture, &tallies);
        fd = open_stream(fixture);
        for (uint64_t seq = 1; seq <= EVENT_RECENT_MAX; seq++)
                take(fixture, seq);
        begin_again(fixture, &tallies);
        delivered = tallies.of[tallies.which].delivered;
        g_assert_cmpuint(delivered, >, 0);
        g_assert_cmpuint(delivered, <, EVENT_RECENT_MAX);
        assert_totals(fixture, delivered, 0, EVENT_RECENT_MAX - delivered);
        close(fd);
}

static void test_a_record_of_many_counts_as_many(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int fd = open_stream(fixture);
        struct event event = file_event(2);
        json_object *object;

        take(fixture, 1);
        event.count = 41;
        event.first_seq = 1;
        event.first_ns = 4000;
        event_hub_take(fixture->hub, &event);
        assert_seq(fd, 1);
        object = receive(fd);
        g_assert_cmpuint(number_of(object, "count"), ==, 41);
        g_assert_cmpuint(number_of(object, "first_seq"), ==, 1);
        g_assert_cmpuint(number_of(object, "first_usec"), ==, 4);
        json_object_put(object);
        assert_totals(fixture, 42, 0, 0);
}

static void test_a_reader_that_vanishes_is_dropped(Fixture *fixture, gconstpointer data)
{
        for (unsigned i = 0; i < 3 * EVENT_STREAMS_PER_UID; i++) {
                close(open_stream(fixture));
                turn(fixture);
        }
        take(fixture, 1);
        assert_totals(fixture, 0, 1, 0);
}

static void test_a_reader_that_vanishes_in_a_burst_harms_nobody(Fixture *fixture,
                                                                gconstpointer data)
{
        int gone = open_stream(fixture);
        _cleanup_(closep) int stays = open_stream(fixture);

        close(gone);
        take(fixture, 1);
        take(fixture, 2);
        turn(fixture);
        assert_seq(stays, 1);
        assert_seq(stays, 2);
        assert_totals(fixture, 2, 0, 0);
}

static void test_a_reader_can_send_us_nothing(Fixture *fixture, gconstpointer data)
{
        _cleanup_(closep) int fd = open_stream(fixture);

        g_assert_cmpint(send(fd, "x", 1, MSG_NOSIGNAL), <, 0);
        take(fixture, 1);
        assert_seq(fd, 1);
}

static void test_streams_are_limited_for_each_user_and_in_all(Fixture *fixture, gconstpointer data)
{
        int fds[EVENT_STREAMS_MAX], refused = -1;
        EventFilter filter = anything();
        uint64_t seq;

        for (unsigned i = 0; i < EVENT_STREAMS_MAX; i++) {
                filter = anything();
                g_assert_cmpint(event_hub_open(fixture->hub, i / EVENT_STREAMS_PER_UID, &filter,
                                               &fds[i], &seq),
                                ==, 0);
                if (i == EVENT_STREAMS_PER_UID - 1)
                        g_assert_cmpint(event_hub_open(fixture->hub, 0, &filter, &refused, &seq),
                                        ==, -EMFILE);
        }
        g_assert_cmpint(event_hub_open(fixture->hub, 99, &filter, &refused, &seq), ==, -EMFILE);
        g_assert_cmpint(refused, ==, -1);
        close(fds[0]);
        turn(fixture);
        g_assert_cmpint(event_hub_open(fixture->hub, 99, &filter, &fds[0], &seq), ==, 0);
        for (unsigned i = 0; i < EVENT_STREAMS_MAX; i++)
                close(fds[i]);
}

static void test_a_stream_that_cannot_be_opened_keeps_the_filter(Fixture *fixture,
                                                                 gconstpointer data)
{
        EventFilter filter = anything();
        struct rlimit before;
        uint64_t seq = 0;
        int fd = -1;

        filter.policy = strdup("base");
        g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE,
                                  &(struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max}),
                        ==, 0);
        g_assert_cmpint(event_hub_open(fixture->hub, 0, &filter, &fd, &seq), ==, -EMFILE);
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
        g_assert_cmpstr(filter.policy, ==, "base");
        event_filter_deinit(&filter);
        g_assert_null(filter.policy);
}

#define ADD(function) g_test_add("/event/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_an_event_reaches_every_stream_and_counts_once);
        ADD(test_what_nobody_wants_is_suppressed);
        ADD(test_a_new_stream_learns_the_last_number);
        ADD(test_filters_must_all_match);
        ADD(test_recent_events_are_replayed_from_a_number_on);
        ADD(test_a_kept_event_keeps_the_name_of_its_rule);
        ADD(test_what_is_no_longer_kept_is_told_as_lost);
        ADD(test_a_burst_waits_for_a_reader_who_comes_late);
        ADD(test_a_reader_who_is_too_slow_is_told_how_much_it_lost);
        ADD(test_a_slow_reader_costs_a_quick_one_nothing);
        ADD(test_what_the_kernel_lost_is_told);
        ADD(test_totals_outlive_the_hub_and_count_no_event_twice);
        ADD(test_what_was_counted_before_the_tallies_began_is_among_the_totals);
        ADD(test_what_waits_for_a_reader_is_lost_with_the_hub);
        ADD(test_a_record_of_many_counts_as_many);
        ADD(test_a_reader_that_vanishes_is_dropped);
        ADD(test_a_reader_that_vanishes_in_a_burst_harms_nobody);
        ADD(test_a_reader_can_send_us_nothing);
        ADD(test_streams_are_limited_for_each_user_and_in_all);
        ADD(test_a_stream_that_cannot_be_opened_keeps_the_filter);
        return g_test_run();
}
