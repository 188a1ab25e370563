/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client rule, before a peer that answers as the service would, and as it must not. */
#include <glib.h>
#include <string.h>

#include "client-peer.h"
#include "client.h"

#define CHECK(expression) g_assert_cmpint((expression), >=, 0)

static uint64_t generation = 7;
static unsigned n_rules = 3;

/* ---- answers ---- */

static int answer_generation(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "a{sv}", 1, "Generation", "t", generation);
}

/* Another one each time. */
static int answer_changing(sd_bus_message *call, sd_bus_error *error)
{
        generation++;
        return answer_generation(call, error);
}

static int answer_list(sd_bus_message *call, sd_bus_error *error)
{
        sd_bus_message *reply = NULL;
        uint32_t offset, limit;
        const char *policy;

        CHECK(sd_bus_message_read(call, "suu", &policy, &offset, &limit));
        if (g_str_equal(policy, "nope"))
                return sd_bus_error_set(error, ERROR_PREFIX "NoSuchPolicy", "there is none");
        CHECK(sd_bus_message_new_method_return(call, &reply));
        CHECK(sd_bus_message_open_container(reply, 'a', "(ssst)"));
        for (uint32_t i = offset; i < n_rules && i - offset < limit; i++)
                CHECK(sd_bus_message_append(reply, "(ssst)", "deny", "file:/a\033[1m", "web:3",
                                            (uint64_t) i));
        CHECK(sd_bus_message_close_container(reply));
        CHECK(sd_bus_send(NULL, reply, NULL));
        sd_bus_message_unref(reply);
        return 0;
}

static int answer_rule(sd_bus_message *call, sd_bus_error *error)
{
        const char *section, *entry, *key;
        GString *told = g_string_new(NULL);
        uint64_t value;
        int truth;

        CHECK(sd_bus_message_read(call, "ss", &section, &entry));
        g_string_append_printf(told, "%s|%s", section, entry);
        CHECK(sd_bus_message_enter_container(call, 'a', "{sv}"));
        while (sd_bus_message_enter_container(call, 'e', "sv") > 0) {
                CHECK(sd_bus_message_read(call, "s", &key));
                if (g_str_equal(key, "check")) {
                        CHECK(sd_bus_message_read(call, "v", "b", &truth));
                        value = (uint64_t) truth;
                } else {
                        CHECK(sd_bus_message_read(call, "v", "t", &value));
                }
                g_string_append_printf(told, "|%s=%" G_GUINT64_FORMAT, key, value);
                CHECK(sd_bus_message_exit_container(call));
        }
        sd_bus_error_set(error, ERROR_PREFIX "NoSuchRule", told->str); /* so that it is shown */
        g_string_free(told, TRUE);
        return -1;
}

static int answer_faulty(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_error_set(error, ERROR_PREFIX "InvalidPolicy",
                                "entry:1:14: \"off\" is no mode; write mode=audit\n");
}

static int answer_changed(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "bt", 1, UINT64_C(8));
}

static int answer_equal(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "bt", 0, UINT64_C(7));
}

static const PeerAnswer telling[] = {
        {"AddRule", answer_rule}, {"RemoveRule", answer_rule}, {NULL, NULL}};
static const PeerAnswer faulty[] = {{"AddRule", answer_faulty}, {NULL, NULL}};
static const PeerAnswer changed[] = {
        {"AddRule", answer_changed}, {"RemoveRule", answer_changed}, {NULL, NULL}};
static const PeerAnswer equal[] = {{"AddRule", answer_equal}, {NULL, NULL}};
static const PeerAnswer listing[] = {
        {"GetAll", answer_generation}, {"ListRules", answer_list}, {NULL, NULL}};
static const PeerAnswer moving[] = {
        {"GetAll", answer_changing}, {"ListRules", answer_list}, {NULL, NULL}};

/* ---- add, remove ---- */

static void test_words_are_an_entry_and_options_go_along(Scene *scene, const void *unused)
{
        static const struct {
                const char *arguments, *told;
        } rows[] = {
                {"rule add deny file:/a", ": deny|file:/a; "},
                {"rule add deny file:/a access=read uid=7", ": deny|file:/a access=read uid=7; "},
                {"rule add --ttl 30m deny file:/a", "|ttl-usec=1800000000; "},
                {"rule add deny file:/a --ttl=2s --expect=7 --check",
                 ": deny|file:/a|ttl-usec=2000000|expect=7|check=1; "},
                {"rule remove allow file:/a --expect 3", ": allow|file:/a|expect=3; "},
        };

        peer_serve(scene->peer, telling);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                scene_run(scene, rows[i].arguments, STATUS_NO_SUCH_POLICY);
                expect_in(scene->outcome.err, rows[i].told);
                expect_in(scene->outcome.err, "; 'aegis-client rule list runtime' lists those");
        }
}

static void test_a_time_is_a_number_and_a_unit(Scene *scene, const void *unused)
{
        static const char *const times[] = {"30",
                                            "m",
                                            "30min",
                                            "-1s",
                                            "1.5h",
                                            "30 m",
                                            "30M",
                                            "",
                                            "99999999999999999999s",
                                            "9999999999999999d"};

        for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
                g_autofree char *line = g_strconcat("rule add deny file:/a --ttl=", times[i], NULL);

                scene_run(scene, line, STATUS_USAGE);
        }
        expect_in(scene->outcome.err, "--ttl wants a number and a unit");
        scene_run(scene, "rule remove deny file:/a --ttl=1s", STATUS_USAGE);
        scene_run(scene, "rule add deny", STATUS_USAGE);
        expect_in(scene->outcome.err, "'rule add' takes arguments: SECTION ENTRY.");
}

static void test_a_fault_is_shown_with_its_place_in_the_entry(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, faulty);
        scene_run(scene, "rule add deny file:/a mode=off", STATUS_INVALID);
        g_assert_cmpstr(scene->outcome.err, ==,
                        "entry:1:14: \"off\" is no mode; write mode=audit\n"
                        "    file:/a mode=off\n                 ^\n"
                        "Cannot add the rule [deny] file:/a mode=off: it has a fault; correct it "
                        "and try again.\n");
        scene_run(scene, "--json rule add deny file:/a mode=off", STATUS_INVALID);
        expect_in(scene->outcome.out, "\"diagnostics\":[{\"line\":1,\"column\":14,");
}

static void test_what_was_done_is_told(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, changed);
        scene_run(scene, "rule add deny file:/a uid=7", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "[deny] file:/a uid=7 is in force: generation 8.\n");
        scene_run(scene, "rule remove deny file:/a", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==, "[deny] file:/a is removed: generation 8.\n");
        scene_run(scene, "rule add deny file:/a --check", STATUS_WOULD_CHANGE);
        g_assert_cmpstr(scene->outcome.out, ==, "+ [deny] file:/a\n");
        scene_run(scene, "rule remove deny file:/a --check", STATUS_WOULD_CHANGE);
        g_assert_cmpstr(scene->outcome.out, ==, "- [deny] file:/a\n");
        scene_run(scene, "rule add deny file:/a --json", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "{\"section\":\"deny\",\"entry\":\"file:/a\",\"changed\":true,"
                        "\"generation\":8}\n");
}

static void test_an_equal_rule_says_so(Scene *scene, const void *unused)
{
        peer_serve(scene->peer, equal);
        scene_run(scene, "rule add deny file:/a", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "[deny] file:/a was in force already: still generation 7.\n");
        scene_run(scene, "rule add deny file:/a --check", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "[deny] file:/a is in force: nothing would change.\n");
}

/* ---- list ---- */

static unsigned count_lines(const char *text)
{
        unsigned n = 0;

        for (; (text = strchr(text, '\n')); text++)
                n++;
        return n;
}

static void test_rules_are_listed_page_by_page(Scene *scene, const void *unused)
{
        static const unsigned numbers[] = {0, 3, 999, 1000, 1001, 2500};

        peer_serve(scene->peer, listing);
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                n_rules = numbers[i];
                scene_run(scene, "rule list", STATUS_DONE);
                g_assert_cmpuint(count_lines(scene->outcome.out), ==, n_rules + 1);
        }
        expect_in(scene->outcome.out, "RULE   SECTION  ENTRY           HITS\n"
                                      "web:3  deny     file:/a\\x1b[1m  0\n");
        n_rules = 1;
        scene_run(scene, "rule list web --json", STATUS_DONE);
        g_assert_cmpstr(scene->outcome.out, ==,
                        "{\"rules\":[{\"section\":\"deny\",\"entry\":\"file:/a\\u001b[1m\","
                        "\"id\":\"web:3\",\"hits\":0}]}\n");
        scene_run(scene, "rule list nope", STATUS_NO_SUCH_POLICY);
        expect_in(scene->outcome.err, "Cannot list the rules of nope: there is none; ");
}

static void test_a_list_fits_the_terminal(Scene *scene, const void *unused)
{
        g_auto(GStrv) lines = NULL;

        n_rules = 1;
        peer_serve(scene->peer, listing);
        peer_run_on_terminal(scene->peer, "rule list", 34, &scene->outcome);
        lines = g_strsplit(scene->outcome.out, "\r\n", -1);
        g_assert_cmpstr(lines[1], ==, "web:3  deny     file:...b[1m  0");
}

static void test_pages_of_different_generations_are_no_list(Scene *scene, const void *unused)
{
        n_rules = 3;
        peer_serve(scene->peer, moving);
        scene_run(scene, "rule list", STATUS_TRY_AGAIN);
        g_assert_cmpstr(scene->outcome.out, ==, "");
        expect_in(scene->outcome.err, "what is in force changes all the while; try again");
}

static void test_a_list_without_an_end_is_given_up(Scene *scene, const void *unused)
{
        n_rules = UINT32_MAX;
        peer_serve(scene->peer, listing);
        scene_run(scene, "rule list", STATUS_FAILED);
        expect_in(scene->outcome.err, "the answer has not the form of this API");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function)                                                                             \
        g_test_add("/client/rule/" #function, Scene, NULL, scene_set_up, function, scene_tear_down)
        TEST(test_words_are_an_entry_and_options_go_along);
        TEST(test_a_time_is_a_number_and_a_unit);
        TEST(test_a_fault_is_shown_with_its_place_in_the_entry);
        TEST(test_what_was_done_is_told);
        TEST(test_an_equal_rule_says_so);
        TEST(test_rules_are_listed_page_by_page);
        TEST(test_a_list_fits_the_terminal);
        TEST(test_pages_of_different_generations_are_no_list);
        TEST(test_a_list_without_an_end_is_given_up);
        return g_test_run();
}
