/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: what one says as JSON, and who gets to hear it. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "event/event.h"

static const ImageRule rule_shadow = {.document = (char *) "base",
                                      .line = 7,
                                      .section = (char *) "deny_path",
                                      .entry = (char *) "/etc/shadow"};

/* ---- making events ---- */

static void put_names(struct event *event, const char *names, size_t n)
{
        memcpy(event->path, names, n);
        event->path_length = (uint32_t) n;
}

static struct event file_event(uint64_t seq)
{
        struct event event = {
                .seq = seq,
                .time_ns = 5000000,
                .generation = 3,
                .rule = 1,
                .hook = HOOK_FILE_OPEN,
                .verdict = VERDICT_DENIED,
                .pid = 42,
                .ppid = 1,
                .uid = 1000,
                .gid = 100,
                .loginuid = 1000,
                .start_ns = 77000,
                .cgroup = UINT64_MAX - 1,
                .exe_inode = 9,
                .exe_device = 8u << 20 | 1u,
                .comm = "cat",
                .access = ACCESS_READ | ACCESS_WRITE,
                .device = 259u << 20 | 2u,
                .inode = 1234,
        };

        put_names(&event, "shadow\0etc", sizeof("shadow\0etc"));
        return event;
}

static struct event socket_event(const char *address, uint16_t protocol)
{
        struct event event = file_event(1);
        uint8_t bytes[16];

        g_assert_cmpint(inet_pton(AF_INET6, address, bytes), ==, 1);
        memcpy(event.address, bytes, sizeof(bytes));
        event.hook = HOOK_SOCKET_CONNECT;
        event.port = 443;
        event.protocol = protocol;
        event.path_length = 0;
        return event;
}

/* ---- format ---- */

static json_object *format(const struct event *event, const ImageRule *rule, const char *path)
{
        _cleanup_(freep) char *text = event_format(event, rule, path);
        json_object *object;

        g_assert_nonnull(text);
        g_assert_null(strchr(text, '\n'));
        g_assert_true(g_utf8_validate(text, -1, NULL));
        object = json_tokener_parse(text);
        g_assert_nonnull(object);
        return object;
}

static const char *text_of(json_object *object, const char *key)
{
        json_object *value = NULL;

        return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
                                                              : NULL;
}

static uint64_t number_of(json_object *object, const char *key)
{
        json_object *value = NULL;

        g_assert_true(json_object_object_get_ex(object, key, &value));
        g_assert_true(json_object_is_type(value, json_type_int));
        return json_object_get_uint64(value);
}

static void test_a_file_event_says_all_of_it(void)
{
        struct event event = file_event(17);
        json_object *object = format(&event, &rule_shadow, "/etc/shadow"), *access, *exe;

        g_assert_cmpuint(number_of(object, "seq"), ==, 17);
        g_assert_cmpuint(number_of(object, "time_usec"), ==, 5000);
        g_assert_cmpstr(text_of(object, "hook"), ==, "file_open");
        g_assert_cmpstr(text_of(object, "verdict"), ==, "denied");
        g_assert_cmpuint(number_of(object, "generation"), ==, 3);
        g_assert_cmpstr(text_of(object, "policy"), ==, "base");
        g_assert_cmpuint(number_of(object, "line"), ==, 7);
        g_assert_cmpstr(text_of(object, "rule"), ==, "deny_path /etc/shadow");
        g_assert_cmpuint(number_of(object, "pid"), ==, 42);
        g_assert_cmpuint(number_of(object, "ppid"), ==, 1);
        g_assert_cmpuint(number_of(object, "uid"), ==, 1000);
        g_assert_cmpuint(number_of(object, "gid"), ==, 100);
        g_assert_cmpuint(number_of(object, "loginuid"), ==, 1000);
        g_assert_cmpstr(text_of(object, "comm"), ==, "cat");
        g_assert_cmpuint(number_of(object, "start_usec"), ==, 77);
        g_assert_cmpuint(number_of(object, "cgroup_id"), ==, UINT64_MAX - 1);
        g_assert_cmpstr(text_of(object, "path"), ==, "/etc/shadow");
        g_assert_cmpstr(text_of(object, "device"), ==, "259:2");
        g_assert_cmpuint(number_of(object, "inode"), ==, 1234);
        g_assert_true(json_object_object_get_ex(object, "access", &access));
        g_assert_cmpstr(json_object_to_json_string_ext(access, JSON_C_TO_STRING_PLAIN), ==,
                        "[\"read\",\"write\"]");
        g_assert_true(json_object_object_get_ex(object, "exe", &exe));
        g_assert_cmpstr(text_of(exe, "device"), ==, "8:1");
        g_assert_cmpuint(number_of(exe, "inode"), ==, 9);
        g_assert_null(text_of(object, "reason"));
        g_assert_null(text_of(object, "address"));
        json_object_put(object);
}

static void test_an_audited_event_says_so(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.verdict = VERDICT_AUDITED;
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "verdict"), ==, "audited");
        json_object_put(object);
}

static void test_every_access_has_a_word(void)
{
        struct event event = file_event(1);
        json_object *object, *access;

        event.access = ACCESS_ALL;
        object = format(&event, &rule_shadow, NULL);
        g_assert_true(json_object_object_get_ex(object, "access", &access));
        g_assert_cmpstr(json_object_to_json_string_ext(access, JSON_C_TO_STRING_PLAIN), ==,
                        "[\"read\",\"write\",\"exec\",\"create\",\"delete\",\"link\",\"attr\"]");
        json_object_put(object);
}

static void test_without_a_visible_path_the_one_in_the_file_system_is_told(void)
{
        struct event event = file_event(1);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "path"), ==, "/etc/shadow");
        json_object_put(object);
}

static void test_an_event_without_a_rule_says_why(void)
{
        struct event event = file_event(1);
        json_object *object;

        event.rule = RULE_NONE;
        event.flags = EVENT_UNPLACED;
        object = format(&event, NULL, NULL);
        g_assert_null(text_of(object, "policy"));
        g_assert_null(text_of(object, "line"));
        g_assert_null(text_of(object, "rule"));
        g_assert_cmpstr(text_of(object, "reason"), ==,
                        "the name could not be followed to its root");
        json_object_put(object);
        event.flags = EVENT_HOLDS_RULES;
        object = format(&event, NULL, NULL);
        g_assert_cmpstr(text_of(object, "reason"), ==, "rules name something below this directory");
        json_object_put(object);
}

static void test_an_ipv4_address_is_told_as_one(void)
{
        struct event event = socket_event("::ffff:203.0.113.9", IPPROTO_TCP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "hook"), ==, "socket_connect");
        g_assert_cmpstr(text_of(object, "address"), ==, "203.0.113.9");
        g_assert_cmpuint(number_of(object, "port"), ==, 443);
        g_assert_cmpstr(text_of(object, "protocol"), ==, "tcp");
        g_assert_null(text_of(object, "path"));
        json_object_put(object);
}

static void test_an_ipv6_address_is_told_as_one(void)
{
        struct event event = socket_event("2001:db8::1", IPPROTO_UDP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpstr(text_of(object, "address"), ==, "2001:db8::1");
        g_assert_cmpstr(text_of(object, "protocol"), ==, "udp");
        json_object_put(object);
}

static void test_another_protocol_is_a_number(void)
{
        struct event event = socket_event("::1", IPPROTO_SCTP);
        json_object *object = format(&event, &rule_shadow, NULL);

        g_assert_cmpuint(number_of(object, "protocol"), ==, IPPROTO_SCTP);
        json_object_put(object);
}

static void test_a_name_of_a_process_is_made_utf8(void)
{
        struct event event = file_event(1);
        json_object *object;

        memcpy(event.comm, "\xff\x1b[31m\xc3\xa4", 8);
        memset(event.comm + 8, 'x', sizeof(event.comm) - 8); /* and no NUL at its end */
        object = format(&event, &rule_shadow, NULL);
        g_assert_cmpstr(text_of(object, "comm"), ==, "\\xff\\x1b[31m\xc3\xa4xxxxxxxx");
        json_object_put(object);
}

/* ---- paths ---- */

static void assert_path(const char *names, size_t n, uint8_t flags, const char *path)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *made = NULL;

        put_names(&event, names, n);
        event.flags = flags;
        made = event_path(&event);
        g_assert_cmpstr(made, ==, path);
}

static void test_names_become_a_path_from_the_root(void)
{
        assert_path("c\0b\0a", 6, 0, "/a/b/c");
        assert_path("c", 2, 0, "/c");
}

static void test_no_name_is_the_root(void)
{
        assert_path("", 0, 0, "/");
        assert_path("\0\0", 2, 0, "/");
}

static void test_a_cut_path_says_so(void)
{
        assert_path("c\0b", 4, EVENT_PATH_CUT, "\xe2\x80\xa6/b/c");
}

static void test_bytes_of_a_name_that_are_no_text_are_escaped(void)
{
        assert_path("\xff\n\t\0b\xc3\xa4", 7, 0, "/b\xc3\xa4/\\xff\\x0a\\x09");
}

static void test_a_path_that_ends_without_nul_is_bounded(void)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *path = NULL;

        memset(event.path, 'x', sizeof(event.path));
        event.path_length = UINT32_MAX;
        path = event_path(&event);
        g_assert_cmpuint(strlen(path), ==, sizeof(event.path) + 1);
}

static void test_the_longest_path_of_the_worst_bytes_fits(void)
{
        struct event event = file_event(1);
        _cleanup_(freep) char *path = NULL;

        for (size_t i = 0; i < sizeof(event.path); i++)
                event.path[i] = i % 2 ? '\0' : '\xff';
        event.path_length = sizeof(event.path);
        event.flags = EVENT_PATH_CUT;
        path = event_path(&event);
        g_assert_cmpuint(strlen(path), ==, 3 + sizeof(event.path) / 2 * 5);
}

/* ---- the hub ---- */

typedef struct Fixture {
        sd_event *loop;
        EventHub *hub;
        unsigned n_named;
} Fixture;

static const ImageRule *name_rule(void *userdata, uint64_t generation, uint32_t rule)
{
        Fixture *fixture = userdata;

        fixture->n_named++;
        return generation == 3 && rule == 1 ? &rule_shadow : NULL;
}

static char *visible_path(void *userdata, uint32_t device, const char *path)
{
        return g_strcmp0(path, "/etc/shadow") == 0 ? strdup("/mnt/etc/shadow") : NULL;
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        EventHubConfig config = {
                .name_rule = name_rule, .visible_path = visible_path, .userdata = fixture};

        g_assert_cmpint(sd_event_new(&fixture->loop), >=, 0);
        config.loop = fixture->loop;
        g_assert_cmpint(event_hub_new(&fixture->hub, &config), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        event_hub_free(fixture->hub);
        sd_event_unref(fixture->loop);
}

static EventFilter anything(void)
{
        return (EventFilter){.uid = UINT32_MAX, .since_seq = UINT64_MAX};
}

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

static void take(Fixture *fixture, uint64_t seq)
{
        struct event event = file_event(seq);

        event_hub_take(fixture->hub, &event);
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

static void assert_totals(Fixture *fixture, uint64_t delivered, uint64_t suppressed, uint64_t lost)
{
        EventTotals totals;

        event_hub_totals(fixture->hub, &totals);
        g_assert_cmpuint(totals.delivered, ==, delivered);
        g_assert_cmpuint(totals.suppressed, ==, suppressed);
        g_assert_cmpuint(totals.lost, ==, lost);
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

#define ADD(function) g_test_add_func("/event/" #function, function)
#define ADD_HUB(function)                                                                          \
        g_test_add("/event/" #function, Fixture, NULL, set_up, function, tear_down)

static void add_format(void)
{
        ADD(test_a_file_event_says_all_of_it);
        ADD(test_an_audited_event_says_so);
        ADD(test_every_access_has_a_word);
        ADD(test_without_a_visible_path_the_one_in_the_file_system_is_told);
        ADD(test_an_event_without_a_rule_says_why);
        ADD(test_an_ipv4_address_is_told_as_one);
        ADD(test_an_ipv6_address_is_told_as_one);
        ADD(test_another_protocol_is_a_number);
        ADD(test_a_name_of_a_process_is_made_utf8);
        ADD(test_names_become_a_path_from_the_root);
        ADD(test_no_name_is_the_root);
        ADD(test_a_cut_path_says_so);
        ADD(test_bytes_of_a_name_that_are_no_text_are_escaped);
        ADD(test_a_path_that_ends_without_nul_is_bounded);
        ADD(test_the_longest_path_of_the_worst_bytes_fits);
}

static void add_hub(void)
{
        ADD_HUB(test_an_event_reaches_every_stream_and_counts_once);
        ADD_HUB(test_what_nobody_wants_is_suppressed);
        ADD_HUB(test_a_new_stream_learns_the_last_number);
        ADD_HUB(test_filters_must_all_match);
        ADD_HUB(test_recent_events_are_replayed_from_a_number_on);
        ADD_HUB(test_what_is_no_longer_kept_is_told_as_lost);
        ADD_HUB(test_a_burst_waits_for_a_reader_who_comes_late);
        ADD_HUB(test_a_reader_who_is_too_slow_is_told_how_much_it_lost);
        ADD_HUB(test_a_slow_reader_costs_a_quick_one_nothing);
        ADD_HUB(test_what_the_kernel_lost_is_told);
        ADD_HUB(test_a_reader_that_vanishes_is_dropped);
        ADD_HUB(test_a_reader_that_vanishes_in_a_burst_harms_nobody);
        ADD_HUB(test_a_reader_can_send_us_nothing);
        ADD_HUB(test_streams_are_limited_for_each_user_and_in_all);
        ADD_HUB(test_a_stream_that_cannot_be_opened_keeps_the_filter);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_format();
        add_hub();
        return g_test_run();
}
