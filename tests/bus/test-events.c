/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was decided, asked for and told over the bus. */
#include <string.h>
#include <time.h>

#include "backend-twin.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define EVENTS LAB_ROOT "/events"

static uint64_t clock_usec(clockid_t id)
{
        struct timespec now;

        clock_gettime(id, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void inject(uint32_t uid, const char *names, size_t n)
{
        struct event event = {.generation = 1,
                              .rule = 1,
                              .hook = HOOK_FILE_OPEN,
                              .verdict = VERDICT_DENIED,
                              .time_ns = clock_usec(CLOCK_BOOTTIME) * 1000,
                              .uid = uid,
                              .pid = 42,
                              .comm = "cat",
                              .exe_inode = 9,
                              .access = ACCESS_READ | ACCESS_WRITE,
                              .path_length = (uint32_t) n};

        memcpy(event.path, names, n);
        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
}
#define INJECT(uid, names) inject(uid, names, sizeof(names))

/* ---- Query ---- */

typedef struct Window {
        uint64_t since, until;
        uint32_t limit;
} Window;
static const Window all = {0, UINT64_MAX, 0};

static Pending *query(sd_bus *bus, Window window, const char *key, const char *type,
                      const void *value)
{
        sd_bus_message *m = lab_message(bus, EVENTS, LAB_EVENTS, "Query");
        int r = sd_bus_message_append(m, "tt", window.since, window.until);

        g_assert_cmpint(r, >=, 0);
        if (!key)
                r = sd_bus_message_append(m, "a{sv}", 0);
        else if (strcmp(type, "s") == 0)
                r = sd_bus_message_append(m, "a{sv}", 1, key, "s", value);
        else
                r = sd_bus_message_append(m, "a{sv}", 1, key, type, *(const uint32_t *) value);
        g_assert_cmpint(r, >=, 0);
        g_assert_cmpint(sd_bus_message_append(m, "u", window.limit), >=, 0);
        return lab_send(m, SILENT);
}

/* The texts at that key, or its numbers, with blanks between. */
static char *column(Lab *lab, Pending *pending, const char *key)
{
        sd_bus_message *reply = lab_wait(lab, pending);
        GString *found = g_string_new(NULL);

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "a{sv}"), >, 0);
        while (sd_bus_message_enter_container(reply, 'a', "{sv}") > 0) {
                const char *name, *type, *text;
                uint64_t number;

                while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                        g_assert_cmpint(sd_bus_message_read(reply, "s", &name), >, 0);
                        sd_bus_message_peek_type(reply, NULL, &type);
                        if (strcmp(name, key) != 0) {
                                sd_bus_message_skip(reply, "v");
                        } else if (strcmp(type, "s") == 0) {
                                sd_bus_message_read(reply, "v", "s", &text);
                                g_string_append_printf(found, "%s ", text);
                        } else if (strcmp(type, "t") == 0) {
                                sd_bus_message_read(reply, "v", "t", &number);
                                g_string_append_printf(found, "%" G_GUINT64_FORMAT " ", number);
                        } else {
                                sd_bus_message_skip(reply, "v");
                                g_string_append_printf(found, "%s ", type);
                        }
                        sd_bus_message_exit_container(reply);
                }
                sd_bus_message_exit_container(reply);
        }
        sd_bus_message_unref(reply);
        return g_string_free(found, FALSE);
}

static void expect_column(Lab *lab, Pending *pending, const char *key, const char *wanted)
{
        g_autofree char *found = column(lab, pending, key);

        g_assert_cmpstr(found, ==, wanted);
}

/* Some events have a field that others have not. */
static void test_an_event_with_each_field_is_told(Lab *lab)
{
        struct event event = {.generation = 1,
                              .rule = 1,
                              .hook = HOOK_FILE_OPEN,
                              .verdict = VERDICT_AUDITED,
                              .emergency = 1,
                              .flags = EVENT_PATH_CUT,
                              .signal = 15,
                              .digest_algorithm = 4,
                              .comm = "cat",
                              .access = ACCESS_READ,
                              .path_length = 4};

        memcpy(event.path, "one", 4);
        lab_must_apply(lab, "web", DOCUMENT);
        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "seq", "1 ");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "emergency", "b ");
}

static void test_what_is_remembered_is_told_with_all_fields(Lab *lab)
{
        g_autofree char *when = NULL;
        uint64_t before = clock_usec(CLOCK_REALTIME), usec;

        lab_must_apply(lab, "web", DOCUMENT);
        INJECT(LAB_USER, "one\0srv");
        INJECT(0, "two\0srv");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "seq", "1 2 ");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "hook", "file_open file_open ");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "access", "as as ");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "exe", "a{sv} a{sv} ");
        expect_column(lab, query(lab->root, all, NULL, NULL, NULL), "policy", "web web ");
        when = column(lab, query(lab->root, (Window){0, UINT64_MAX, 1}, NULL, NULL, NULL),
                      "realtime_usec");
        usec = g_ascii_strtoull(when, NULL, 10);
        g_assert_cmpuint(usec + 1000, >=, before); /* two clocks are read one after the other */
        g_assert_cmpuint(usec, <=, clock_usec(CLOCK_REALTIME) + 1000);
}

static void test_a_query_has_the_filter_of_streams_and_bounds(Lab *lab)
{
        const uint32_t root = 0, pid = 42, other = 43;
        uint64_t now;

        lab_must_apply(lab, "web", DOCUMENT);
        INJECT(LAB_USER, "one\0srv");
        INJECT(0, "two\0other");
        INJECT(LAB_USER, "three\0srv");
        expect_column(lab, query(lab->root, all, "path", "s", "/srv"), "seq", "1 3 ");
        expect_column(lab, query(lab->root, all, "path", "s", "/srv/"), "seq", "1 3 ");
        expect_column(lab, query(lab->root, all, "uid", "u", &root), "seq", "2 ");
        expect_column(lab, query(lab->root, all, "pid", "u", &pid), "seq", "1 2 3 ");
        expect_column(lab, query(lab->root, all, "pid", "u", &other), "seq", "");
        expect_column(lab, query(lab->root, all, "comm", "s", "cat"), "seq", "1 2 3 ");
        expect_column(lab, query(lab->root, all, "rule", "s", "web:3"), "seq", "1 2 3 ");
        expect_column(lab, query(lab->root, all, "rule", "s", "web:4"), "seq", "");
        expect_column(lab, query(lab->root, (Window){0, UINT64_MAX, 2}, NULL, NULL, NULL), "seq",
                      "2 3 ");
        now = clock_usec(CLOCK_REALTIME);
        expect_column(lab,
                      query(lab->root, (Window){now + 1000000, UINT64_MAX, 0}, NULL, NULL, NULL),
                      "seq", "");
        expect_column(lab, query(lab->root, (Window){0, now - 3600000000, 0}, NULL, NULL, NULL),
                      "seq", "");
}

static void test_what_a_query_does_not_know_is_refused_by_its_name(Lab *lab)
{
        g_autofree char *unknown = lab_expect(lab, query(lab->root, all, "colour", "s", "red"),
                                              SD_BUS_ERROR_INVALID_ARGS);
        g_autofree char *type = lab_expect(lab, query(lab->root, all, "uid", "s", "root"),
                                           SD_BUS_ERROR_INVALID_ARGS);
        g_autofree char *path = lab_expect(lab, query(lab->root, all, "path", "s", "srv"),
                                           SD_BUS_ERROR_INVALID_ARGS);
        g_autofree char *comm =
                lab_expect(lab, query(lab->root, all, "comm", "s", "sixteen-bytes-xx"),
                           SD_BUS_ERROR_INVALID_ARGS);
        g_autofree char *limit =
                lab_expect(lab, query(lab->root, (Window){0, UINT64_MAX, 1025}, NULL, NULL, NULL),
                           SD_BUS_ERROR_INVALID_ARGS);

        g_assert_nonnull(strstr(unknown, "colour"));
        g_assert_nonnull(strstr(type, "uid"));
        g_assert_nonnull(strstr(path, "srv"));
        g_assert_nonnull(strstr(comm, "sixteen-bytes-xx"));
        g_assert_nonnull(strstr(limit, "1024"));
}

/* ---- Subscribe, Summary ---- */

typedef struct Ear {
        sd_bus *bus;
        unsigned n_events;
        uint64_t seq, lost; /* of the last */
        int n_summaries;
        uint64_t first, last, denied, n_kernel_lost; /* of all summaries */
        sd_bus_slot *event, *summary;
} Ear;

static int on_event(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ear *ear = userdata;
        const char *key;

        ear->n_events++;
        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{sv}"), >, 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                sd_bus_message_read(m, "s", &key);
                if (strcmp(key, "seq") == 0)
                        sd_bus_message_read(m, "v", "t", &ear->seq);
                else if (strcmp(key, "lost") == 0)
                        sd_bus_message_read(m, "v", "t", &ear->lost);
                else
                        sd_bus_message_skip(m, "v");
                sd_bus_message_exit_container(m);
        }
        return 0;
}

static int on_summary(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ear *ear = userdata;
        const char *key;
        uint64_t first, last, n, lost;

        ear->n_summaries++;
        g_assert_cmpint(sd_bus_message_read(m, "tt", &first, &last), >, 0);
        ear->first = ear->first ? ear->first : first;
        ear->last = last;
        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{st}"), >, 0);
        while (sd_bus_message_read(m, "{st}", &key, &n) > 0) {
                g_assert_cmpstr(key, ==, "file_open/denied");
                ear->denied += n;
        }
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        g_assert_cmpint(sd_bus_message_read(m, "t", &lost), >, 0);
        ear->n_kernel_lost += lost;
        return 0;
}

static void listen_on(Ear *ear, sd_bus *bus)
{
        *ear = (Ear){.bus = bus};
        g_assert_cmpint(sd_bus_match_signal(bus, &ear->event, NULL, EVENTS, LAB_EVENTS, "Event",
                                            on_event, ear),
                        >=, 0);
        g_assert_cmpint(sd_bus_match_signal(bus, &ear->summary, NULL, EVENTS, LAB_EVENTS, "Summary",
                                            on_summary, ear),
                        >=, 0);
}

static void stop_listening(Ear *ear)
{
        sd_bus_slot_unref(ear->event);
        sd_bus_slot_unref(ear->summary);
}

static Pending *call(sd_bus *bus, const char *member)
{
        return lab_send(lab_message(bus, EVENTS, LAB_EVENTS, member), SILENT);
}

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static uint64_t events_property(Lab *lab, const char *name)
{
        sd_bus_message *m =
                lab_message(lab->root, EVENTS, "org.freedesktop.DBus.Properties", "Get");
        sd_bus_message *reply;
        uint64_t value = 0;

        g_assert_cmpint(sd_bus_message_append(m, "ss", LAB_EVENTS, name), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "v", "t", &value), >, 0);
        sd_bus_message_unref(reply);
        return value;
}

/* Turns the loop until the ear has heard what was delivered; a loaded machine may take a while. */
static void until_all_is_heard(Lab *lab, const Ear *ear)
{
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + 10000000;

        while (ear->n_events < events_property(lab, "Delivered") &&
               clock_usec(CLOCK_MONOTONIC) < end)
                sd_event_run(lab->loop, 10000);
}

static void test_who_subscribes_is_sent_events_and_nobody_else(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER), *other = lab_connect(lab, LAB_USER + 1);
        Ear hers, his;

        listen_on(&hers, user);
        listen_on(&his, other);
        expect(lab, call(user, "Subscribe"), NULL);
        expect(lab, call(user, "Subscribe"), NULL); /* once more is the same */
        INJECT(LAB_USER, "one\0srv");
        INJECT(LAB_USER, "two\0srv");
        expect(lab, call(user, "Unsubscribe"), NULL);
        lab_settle(lab);
        INJECT(LAB_USER, "three\0srv");
        until_all_is_heard(lab, &hers);
        g_assert_cmpint(hers.n_events, ==, 2);
        g_assert_cmpuint(hers.seq, ==, 2);
        g_assert_cmpuint(hers.lost, ==, 0);
        g_assert_cmpint(his.n_events, ==, 0);
        g_assert_cmpuint(events_property(lab, "Delivered"), ==, 2);
        g_assert_cmpuint(events_property(lab, "Suppressed"), ==, 1);
        stop_listening(&hers);
        stop_listening(&his);
        lab_disconnect(user);
        lab_disconnect(other);
}

static void test_a_subscription_ends_with_its_connection(Lab *lab)
{
        sd_bus *users[4], *more;

        for (unsigned i = 0; i < 4; i++) {
                users[i] = lab_connect(lab, LAB_USER);
                expect(lab, call(users[i], "Subscribe"), NULL);
        }
        more = lab_connect(lab, LAB_USER);
        expect(lab, call(more, "Subscribe"), SD_BUS_ERROR_LIMITS_EXCEEDED);
        expect(lab, call(lab->root, "Subscribe"), NULL); /* another's limit is another */
        expect(lab, call(lab->root, "Unsubscribe"), NULL);
        for (unsigned i = 0; i < 4; i++)
                lab_disconnect(users[i]);
        lab_settle(lab);
        INJECT(LAB_USER, "one\0srv");
        g_assert_cmpuint(events_property(lab, "Suppressed"), ==, 1); /* nobody is left */
        expect(lab, call(more, "Subscribe"), NULL);
        lab_disconnect(more);
}

static void test_a_flood_is_cut_for_a_subscriber_and_counted(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t n = 0, lost = 0;
        Ear ear;

        listen_on(&ear, user);
        expect(lab, call(user, "Subscribe"), NULL);
        for (; lost == 0 && n < 20000; n++) {
                INJECT(LAB_USER, "one\0srv");
                if (n % 100 == 99)
                        lost = events_property(lab, "Lost");
        }
        until_all_is_heard(lab, &ear);
        lost = events_property(lab, "Lost");
        g_assert_cmpuint(lost, >, 0);
        g_assert_cmpint(ear.n_events, >=, 256);
        g_assert_cmpuint(events_property(lab, "Delivered") + lost, ==, n);
        g_usleep(1100000); /* the second that was full */
        INJECT(LAB_USER, "one\0srv");
        until_all_is_heard(lab, &ear);
        g_assert_cmpuint(ear.lost, >, 0);
        g_assert_cmpuint(ear.n_events + lost, ==, n + 1);
        stop_listening(&ear);
        lab_disconnect(user);
}

static void until_summaries_have(Lab *lab, const Ear *ear, uint64_t n)
{
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + 10000000;

        while (ear->denied < n && clock_usec(CLOCK_MONOTONIC) < end)
                sd_event_run(lab->loop, 100000);
        g_assert_cmpuint(ear->denied, ==, n);
}

static void test_all_hear_how_much_happened_once_a_second(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t begin = clock_usec(CLOCK_MONOTONIC);
        Ear ear;

        listen_on(&ear, user);
        for (unsigned i = 0; i < 20; i++)
                INJECT(0, "one\0srv");
        until_summaries_have(lab, &ear, 20);
        g_assert_cmpint(ear.n_summaries, <=,
                        (int) ((clock_usec(CLOCK_MONOTONIC) - begin) / 1000000));
        g_assert_cmpuint(ear.first, ==, 1);
        g_assert_cmpuint(ear.last, ==, 20);
        g_assert_cmpint(ear.n_events, ==, 0);
        stop_listening(&ear);
        lab_disconnect(user);
}

static void test_totals_go_on_after_a_kill(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);

        INJECT(LAB_USER, "one\0srv");
        expect(lab, call(user, "Subscribe"), NULL);
        INJECT(LAB_USER, "one\0srv");
        /* the kernel would keep what is still on its way; the twin goes with the service */
        while (events_property(lab, "Emitted") < 2)
                lab_settle(lab);
        lab_kill(lab);
        lab_start_again(lab);
        g_assert_cmpuint(events_property(lab, "Emitted"), ==, 2);
        g_assert_cmpuint(events_property(lab, "Delivered"), ==, 1);
        INJECT(LAB_USER, "one\0srv");
        g_assert_cmpuint(events_property(lab, "Emitted"), ==, 3);
        g_assert_cmpuint(events_property(lab, "Suppressed"), ==, 2);
        lab_disconnect(user);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(what_is_remembered_is_told_with_all_fields),
                TEST(an_event_with_each_field_is_told),
                TEST(a_query_has_the_filter_of_streams_and_bounds),
                TEST(what_a_query_does_not_know_is_refused_by_its_name),
                TEST(who_subscribes_is_sent_events_and_nobody_else),
                TEST(a_subscription_ends_with_its_connection),
                TEST(a_flood_is_cut_for_a_subscriber_and_counted),
                TEST(all_hear_how_much_happened_once_a_second),
                TEST(totals_go_on_after_a_kill),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
