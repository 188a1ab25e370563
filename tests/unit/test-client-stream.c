/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client events, before a peer whose streams are as the service's and worse. */
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client-peer.h"
#include "client.h"

#define CHECK(expression) g_assert_cmpint((expression), >=, 0)

#define EVENT(seq)                                                                                 \
        "{\"seq\":" seq ",\"time_usec\":1,\"hook\":\"file_open\",\"verdict\":\"denied\","          \
        "\"policy\":\"web\",\"line\":3,\"rule\":\"deny_path /srv/x\",\"pid\":42,\"uid\":1000,"     \
        "\"comm\":\"cat\",\"path\":\"/srv/x\",\"access\":[\"read\",\"write\"]}"

static void send_record(int fd, const char *record)
{
        g_assert_cmpint(send(fd, record, strlen(record), MSG_NOSIGNAL), ==,
                        (ssize_t) strlen(record));
}

/* The peer keeps its end, so that only the number of the last event tells the end. */
static int peer_end = -1;

static void close_peer_end(void)
{
        if (peer_end >= 0)
                close(peer_end);
        peer_end = -1;
}

static int answer_open(sd_bus_message *call, sd_bus_error *error)
{
        int ends[2], r;

        close_peer_end();
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
        peer_end = ends[0];
        send_record(peer_end, EVENT("6"));
        send_record(peer_end, "{\"lost\":3}");
        send_record(peer_end, "[\"this is no record");
        send_record(peer_end,
                    "{\"seq\":7,\"hook\":\"socket_connect\",\"verdict\":\"audited\","
                    "\"address\":\"::1\",\"port\":25,\"protocol\":\"tcp\",\"pid\":42,"
                    "\"comm\":\"a\\u001bb\\u009bc\",\"reason\":\"none\",\"x\":\"a\\nb\"}");
        r = sd_bus_reply_method_return(call, "ht", ends[1], UINT64_C(7));
        close(ends[1]);
        return r;
}

static int answer_open_and_end(sd_bus_message *call, sd_bus_error *error)
{
        int r = answer_open(call, error);

        close_peer_end();
        return r;
}

static int answer_open_with_filter(sd_bus_message *call, sd_bus_error *error)
{
        g_autoptr(GString) seen = g_string_new(NULL);

        CHECK(sd_bus_message_enter_container(call, 'a', "{sv}"));
        while (sd_bus_message_enter_container(call, 'e', "sv") > 0) {
                const char *key, *type;

                CHECK(sd_bus_message_read(call, "s", &key));
                CHECK(sd_bus_message_peek_type(call, NULL, &type));
                g_string_append_printf(seen, "%s:%s ", key, type);
                CHECK(sd_bus_message_skip(call, "v"));
                CHECK(sd_bus_message_exit_container(call));
        }
        return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, seen->str);
}

static void test_events_end_with_the_last_that_is_remembered(Scene *scene, const void *unused)
{
        static const PeerAnswer open[] = {{"Open", answer_open}, {NULL, NULL}};

        peer_serve(scene->peer, open);
        scene_run(scene, "events", STATUS_DONE);
        expect_in(scene->outcome.out, " denied file_open /srv/x read,write by cat[42] uid 1000; "
                                      "web:3: deny_path /srv/x\n");
        expect_in(scene->outcome.out, "(3 events were lost here");
        expect_in(scene->outcome.out,
                  " audited socket_connect [::1]:25/tcp by a\\x1bb\\u{9b}c[42] uid 0; none\n");
        expect_in(scene->outcome.err, "A record that cannot be read was left out");
        close_peer_end();
}

static void test_events_are_json_lines_without_control_characters(Scene *scene, const void *unused)
{
        static const PeerAnswer open[] = {{"Open", answer_open}, {NULL, NULL}};
        g_auto(GStrv) lines = NULL;

        peer_serve(scene->peer, open);
        scene_run(scene, "events --json", STATUS_DONE);
        lines = g_strsplit(scene->outcome.out, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 4);
        g_assert_cmpstr(lines[0], ==, EVENT("6"));
        g_assert_cmpstr(lines[1], ==, "{\"lost\":3}");
        expect_in(lines[2], "a\\u001bb\\u009bc");
        close_peer_end();
}

static void test_a_followed_stream_that_ends_is_no_success(Scene *scene, const void *unused)
{
        static const PeerAnswer open[] = {{"Open", answer_open_and_end}, {NULL, NULL}};

        peer_serve(scene->peer, open);
        scene_run(scene, "events", STATUS_DONE);
        scene_run(scene, "events --follow", STATUS_NO_SERVICE);
        expect_in(scene->outcome.err, "--since=8");
}

static void test_the_filter_is_what_was_asked_for(Scene *scene, const void *unused)
{
        static const PeerAnswer open[] = {{"Open", answer_open_with_filter}, {NULL, NULL}};

        peer_serve(scene->peer, open);
        scene_run(scene, "events", STATUS_FAILED);
        expect_in(scene->outcome.err, "read the events: since:t; ");
        scene_run(scene, "events --follow --policy web --hook file_open --verdict denied",
                  STATUS_FAILED);
        expect_in(scene->outcome.err, "read the events: policy:s hook:s verdict:s; ");
        scene_run(scene, "events -f --since 4", STATUS_FAILED);
        expect_in(scene->outcome.err, "read the events: since:t; ");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function)                                                                             \
        g_test_add("/client/stream/" #function, Scene, NULL, scene_set_up, function,               \
                   scene_tear_down)
        TEST(test_events_end_with_the_last_that_is_remembered);
        TEST(test_events_are_json_lines_without_control_characters);
        TEST(test_a_followed_stream_that_ends_is_no_success);
        TEST(test_the_filter_is_what_was_asked_for);
        return g_test_run();
}
