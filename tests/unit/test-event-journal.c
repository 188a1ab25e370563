/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events in the journal: with their fields, so many a second, never waited for, and none that is
 * missing untold. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "event-fixture.h"
#include "event/message-id.h"
#include "journal-peer.h"

#define RATE 50u
#define BURST (10u * RATE)

typedef struct Fixture {
        JournalPeer peer;
        Journal *journal;
        sd_event *loop;
        EventHub *hub;
        uint64_t seq;
} Fixture;

static const ImageRule *name_rule(void *userdata, uint64_t generation, uint32_t rule)
{
        return &rule_shadow;
}

static void set_up_with(Fixture *fixture, unsigned rate)
{
        EventHubConfig config = {.name_rule = name_rule, .journal_rate = rate};

        journal_peer_set_up(&fixture->peer);
        g_assert_cmpint(journal_new(&fixture->journal, fixture->peer.path), ==, 0);
        g_assert_cmpint(sd_event_new(&fixture->loop), >=, 0);
        config.loop = fixture->loop;
        config.journal = fixture->journal;
        g_assert_cmpint(event_hub_new(&fixture->hub, &config), ==, 0);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        set_up_with(fixture, RATE);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        event_hub_free(fixture->hub);
        sd_event_unref(fixture->loop);
        journal_free(fixture->journal);
        journal_peer_tear_down(&fixture->peer);
}

static void take(Fixture *fixture)
{
        struct event event = file_event(++fixture->seq);

        event_hub_take(fixture->hub, &event);
}

static void assert_totals(Fixture *fixture, uint64_t delivered, uint64_t suppressed, uint64_t lost)
{
        EventTotals totals;

        event_hub_totals(fixture->hub, &totals);
        g_assert_cmpuint(totals.delivered, ==, delivered);
        g_assert_cmpuint(totals.suppressed, ==, suppressed);
        g_assert_cmpuint(totals.lost, ==, lost);
        g_assert_cmpuint(delivered + suppressed + lost, ==, fixture->seq);
}

static void assert_value(GHashTable *entry, const char *key, const char *value)
{
        g_assert_cmpstr(journal_value(entry, key), ==, value);
}

static void test_an_event_is_written_with_its_fields(Fixture *fixture, gconstpointer data)
{
        g_autoptr(GHashTable) entry = NULL;
        json_object *object;
        GPtrArray *access;

        take(fixture);
        entry = journal_peer_receive(&fixture->peer);
        assert_value(entry, "MESSAGE_ID", MESSAGE_ID_EVENT);
        assert_value(entry, "MESSAGE",
                     "denied file_open /etc/shadow by cat[42] uid 1000; base: deny_path "
                     "/etc/shadow");
        assert_value(entry, "PRIORITY", "4");
        assert_value(entry, "AEGIS_SEQ", "1");
        assert_value(entry, "AEGIS_POLICY", "base");
        assert_value(entry, "AEGIS_RULE", "deny_path /etc/shadow");
        assert_value(entry, "AEGIS_HOOK", "file_open");
        assert_value(entry, "AEGIS_VERDICT", "denied");
        assert_value(entry, "AEGIS_PATH", "/etc/shadow");
        assert_value(entry, "AEGIS_PID", "42");
        assert_value(entry, "AEGIS_UID", "1000");
        assert_value(entry, "AEGIS_COMM", "cat");
        assert_value(entry, "AEGIS_EXE_INODE", "9");
        assert_value(entry, "AEGIS_EXE_DEVICE", "8:1");
        access = g_hash_table_lookup(entry, "AEGIS_ACCESS");
        g_assert_cmpuint(access->len, ==, 2);
        g_assert_cmpstr(access->pdata[1], ==, "write");
        object = json_tokener_parse(journal_value(entry, "AEGIS_EVENT"));
        g_assert_cmpuint(number_of(object, "inode"), ==, 1234);
        json_object_put(object);
        assert_totals(fixture, 1, 0, 0);
}

/* Reads all that waits. Returns how many events, and adds how many are said to be missing. */
static uint64_t drain(Fixture *fixture, uint64_t *n_missed)
{
        uint64_t n = 0;

        for (GHashTable *entry; (entry = journal_peer_receive(&fixture->peer));
             g_hash_table_unref(entry)) {
                if (g_str_equal(journal_value(entry, "MESSAGE_ID"), MESSAGE_ID_MISSED))
                        *n_missed +=
                                g_ascii_strtoull(journal_value(entry, "AEGIS_MISSED"), NULL, 10);
                else
                        n++;
        }
        return n;
}

static void take_and_drain(Fixture *fixture, uint64_t n, uint64_t *n_written, uint64_t *n_missed)
{
        for (uint64_t i = 0; i < n; i++) {
                take(fixture);
                *n_written += drain(fixture, n_missed);
        }
}

static void test_what_is_beyond_the_rate_is_counted_and_told(Fixture *fixture, gconstpointer data)
{
        uint64_t n_written = 0, n_missed = 0, n = 20 * BURST;

        take_and_drain(fixture, n, &n_written, &n_missed);
        g_assert_cmpuint(n_written, >=, BURST);
        g_assert_cmpuint(n_written, <, n);
        assert_totals(fixture, n_written, n - n_written, 0);
        while (n_written + n_missed < n) /* within a second, with the summary */
                g_assert_cmpint(
                        (sd_event_run(fixture->loop, UINT64_MAX), drain(fixture, &n_missed)), ==,
                        0);
        g_assert_cmpuint(n_written + n_missed, ==, n);
}

static void test_a_journal_that_does_not_read_is_not_waited_for(Fixture *fixture,
                                                                gconstpointer data)
{
        uint64_t n_written = 0, n_missed = 0, n_stalled = BURST - 1;

        for (uint64_t i = 0; i < n_stalled; i++)
                take(fixture);
        n_written = drain(fixture, &n_missed);
        g_assert_cmpuint(n_written, >, 0);
        g_assert_cmpuint(n_written, <, n_stalled);
        assert_totals(fixture, n_written, 0, n_stalled - n_written);
        take(fixture);
        n_written += drain(fixture, &n_missed);
        g_assert_cmpuint(n_written + n_missed, ==, BURST);
}

static void test_where_there_is_no_journal_nothing_is_missing(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(unlink(fixture->peer.path), ==, 0);
        take(fixture);
        assert_totals(fixture, 0, 1, 0);
}

static void test_what_the_journal_leaves_out_a_stream_still_gets(Fixture *fixture,
                                                                 gconstpointer data)
{
        EventFilter filter = {.uid = UINT32_MAX, .since_seq = UINT64_MAX};
        uint64_t n_written = 0, n_missed = 0, seq;
        char text[8192];
        int fd = -1;

        g_assert_cmpint(event_hub_open(fixture->hub, 0, &filter, &fd, &seq), ==, 0);
        for (unsigned i = 0; i < 2 * BURST; i++) {
                take_and_drain(fixture, 1, &n_written, &n_missed);
                g_assert_cmpint(read(fd, text, sizeof(text)), >, 0);
        }
        g_assert_cmpuint(n_written, <, 2 * BURST);
        assert_totals(fixture, 2 * BURST, 0, 0);
        close(fd);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function)                                                                             \
        g_test_add("/event/journal/" #function, Fixture, NULL, set_up, function, tear_down)
        TEST(test_an_event_is_written_with_its_fields);
        TEST(test_what_is_beyond_the_rate_is_counted_and_told);
        TEST(test_a_journal_that_does_not_read_is_not_waited_for);
        TEST(test_where_there_is_no_journal_nothing_is_missing);
        TEST(test_what_the_journal_leaves_out_a_stream_still_gets);
        return g_test_run();
}
