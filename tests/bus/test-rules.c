/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rules over the bus: what is answered, what is refused, and what is listed. */
#include <string.h>

#include "backend-twin.h"
#include "lab.h"

#define ERROR "org.aegis.Enforcer.Error."
#define RUNTIME LAB_ROOT "/policy/runtime"
#define OLD "version=4\n[deny_path]\n/srv/one\n[protect_path]\n/srv/two\n[deny_comm]\nxmrig\n"

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static void expect_message(Lab *lab, Pending *pending, const char *error, const char *begin)
{
        char *message = lab_expect(lab, pending, error);

        if (!g_str_has_prefix(message, begin))
                g_error("\"%s\" does not begin with \"%s\"", message, begin);
        g_free(message);
}

/* As root, asserting success. Returns whether something changed. */
static int changes(Lab *lab, const char *member, const char *section, const char *entry)
{
        sd_bus_message *reply = lab_wait(lab, lab_rule(lab->root, member, section, entry, SILENT));
        uint64_t generation;
        int changed;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "bt", &changed, &generation), >=, 0);
        g_assert_cmpuint(generation, ==, lab_generation(lab));
        sd_bus_message_unref(reply);
        return changed;
}

static char *document(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, RUNTIME, LAB_POLICY, "GetDocument"), *reply;
        const char *text;
        char *copy;

        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >=, 0);
        copy = g_strdup(text);
        sd_bus_message_unref(reply);
        return copy;
}

static void assert_document(Lab *lab, const char *expected)
{
        char *text = document(lab);

        g_assert_cmpstr(text, ==, expected);
        g_free(text);
}

/* ---- AddRule, RemoveRule ---- */

static void test_rules_come_and_go_one_by_one(Lab *lab)
{
        sd_bus_message *m;

        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/one"));
        g_assert_true(changes(lab, "AddRule", "deny_path", "/srv/two"));
        g_assert_true(changes(lab, "AddRule", "allow", "file:/srv/three"));
        assert_document(lab, "version=7\n[deny]\nfile:/srv/one\nfile:/srv/two/\n"
                             "[allow]\nfile:/srv/three\n");
        g_assert_true(changes(lab, "RemoveRule", "deny_path", "/srv/two"));
        g_assert_true(changes(lab, "RemoveRule", "deny", "file:/srv/one"));
        g_assert_true(changes(lab, "RemoveRule", "allow", "file:/srv/three"));
        g_assert_cmpuint(lab_generation(lab), ==, 6);
        m = lab_message(lab->root, RUNTIME, LAB_POLICY, "GetDocument");
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_UNKNOWN_OBJECT);
}

static void test_an_equal_rule_changes_nothing(Lab *lab)
{
        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/one uid=7 access=read"));
        g_assert_false(changes(lab, "AddRule", "deny", " file:\"/srv/one\" access=read uid=7"));
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

static void test_what_is_no_rule_is_told_with_its_column(Lab *lab)
{
        expect_message(lab, lab_rule(lab->root, "AddRule", "deny", "file:/a mode=off", SILENT),
                       ERROR "InvalidPolicy", "entry:1:14: \"off\" is no mode; write mode=audit");
        expect_message(lab, lab_rule(lab->root, "AddRule", "deny", "file:/a\n[allow]", SILENT),
                       ERROR "InvalidPolicy", "entry:1:8: there is a control character");
        expect_message(lab, lab_rule(lab->root, "AddRule", "protect_path", "/a", SILENT),
                       ERROR "InvalidPolicy", "entry: version 7 has no section [protect_path]");
        expect_message(lab, lab_rule(lab->root, "RemoveRule", "deny", "/a", SILENT),
                       ERROR "InvalidPolicy", "entry:1:1: \"/a\" is no object; write file:/a");
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static void test_a_rule_that_is_not_there_is_told(Lab *lab)
{
        expect_message(lab, lab_rule(lab->root, "RemoveRule", "deny", "file:/a", SILENT),
                       ERROR "NoSuchRule", "the policy runtime has no such rule; ListRules");
        lab_must_apply(lab, "web", "version=7\n[deny]\nfile:/a\n");
        expect(lab, lab_rule(lab->root, "RemoveRule", "deny", "file:/a", SILENT),
               ERROR "NoSuchRule");
        lab_must_apply(lab, "runtime", OLD);
        expect_message(lab, lab_rule(lab->root, "RemoveRule", "deny", "file:/srv/one/", SILENT),
                       ERROR "UnsupportedFeature", "the policy runtime in force is no document of");
        expect(lab, lab_rule(lab->root, "AddRule", "deny", "file:/a", SILENT),
               ERROR "UnsupportedFeature");
        g_assert_cmpuint(lab_generation(lab), ==, 2);
}

static void test_a_rule_that_needs_a_missing_hook_is_refused(Lab *lab)
{
        TwinControl control = {.tier = TIER_LSM, .deny_hooks = ~HOOK_BIT(HOOK_SOCKET_CONNECT)};

        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/one"));
        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        expect(lab, lab_rule(lab->root, "AddRule", "deny", "net:connect", SILENT),
               ERROR "GuaranteeMissing");
        assert_document(lab, "version=7\n[deny]\nfile:/srv/one\n");
        control.deny_hooks = UINT64_MAX;
        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        g_assert_true(changes(lab, "AddRule", "deny", "net:connect"));
}

static void test_an_applied_document_takes_the_place_of_single_rules(Lab *lab)
{
        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/one"));
        lab_must_apply(lab, "runtime", "version=7\n# kept\n[deny]\nfile:/srv/two\n");
        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/three"));
        assert_document(lab, "version=7\n# kept\n[deny]\nfile:/srv/two\nfile:/srv/three\n");
}

static void test_rules_are_there_after_a_restart(Lab *lab)
{
        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/one"));
        lab_kill(lab);
        lab_start_again(lab);
        assert_document(lab, "version=7\n[deny]\nfile:/srv/one\n");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

/* ---- options ---- */

static Pending *with_option(Lab *lab, const char *member, const char *key, const char *type,
                            uint64_t value)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, member);

        g_assert_cmpint(sd_bus_message_append(m, "ssa{sv}", "deny", "file:/a", 1, key, type, value),
                        >=, 0);
        return lab_send(m, SILENT);
}

static void test_options_are_taken_and_others_refused(Lab *lab)
{
        expect_message(lab, with_option(lab, "AddRule", "force", "t", 1), SD_BUS_ERROR_INVALID_ARGS,
                       "unknown option \"force\"");
        expect_message(lab, with_option(lab, "RemoveRule", "ttl-usec", "t", 1),
                       SD_BUS_ERROR_INVALID_ARGS, "unknown option \"ttl-usec\"");
        expect_message(lab, with_option(lab, "AddRule", "ttl-usec", "t", 0),
                       SD_BUS_ERROR_INVALID_ARGS, "ttl-usec is not 0");
        expect_message(lab, with_option(lab, "AddRule", "ttl-usec", "x", 5),
                       SD_BUS_ERROR_INVALID_ARGS, "of another type: \"ttl-usec\"");
        expect_message(lab, with_option(lab, "AddRule", "ttl-usec", "t", UINT64_MAX),
                       ERROR "InvalidPolicy", "entry:1:1: a rule lives from 1s to 3650d");
        expect(lab, with_option(lab, "AddRule", "expect", "t", 7), ERROR "GenerationMismatch");
        g_assert_cmpuint(lab_generation(lab), ==, 0);
        expect(lab, with_option(lab, "AddRule", "expect", "t", 0), NULL);
        expect(lab, with_option(lab, "RemoveRule", "expect", "t", 1), NULL);
        expect(lab, with_option(lab, "AddRule", "ttl-usec", "t", 90500000), NULL);
        assert_document(lab, "version=7\n[deny]\nfile:/a ttl=91s\n");
}

static void test_an_option_that_stands_twice_is_refused(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "AddRule");

        g_assert_cmpint(sd_bus_message_append(m, "ssa{sv}", "deny", "file:/a", 2, "ttl-usec", "t",
                                              (uint64_t) 1, "ttl-usec", "t", (uint64_t) 2),
                        >=, 0);
        expect_message(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS,
                       "given twice: \"ttl-usec\"");
}

static void test_a_check_says_what_would_be_and_changes_nothing(Lab *lab)
{
        expect(lab, with_option(lab, "AddRule", "check", "b", 1), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, 0);
        expect(lab, with_option(lab, "RemoveRule", "check", "b", 1), ERROR "NoSuchRule");
        expect(lab, with_option(lab, "AddRule", "check", "b", 0), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, 1);
}

/* ---- ListRules ---- */

static char *list(Lab *lab, const char *policy, uint32_t offset, uint32_t limit)
{
        sd_bus_message *reply = lab_wait(lab, lab_list_rules(lab->root, policy, offset, limit));
        const char *section, *entry, *id;
        GString *text = g_string_new(NULL);
        uint64_t hits;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ssst)"), >=, 0);
        while (sd_bus_message_read(reply, "(ssst)", &section, &entry, &id, &hits) > 0)
                g_string_append_printf(text, "%s|%s|%s|%u\n", section, entry, id, (unsigned) hits);
        sd_bus_message_unref(reply);
        return g_string_free(text, FALSE);
}

static void check_list(Lab *lab, const char *policy, uint32_t offset, uint32_t limit,
                       const char *expected)
{
        char *text = list(lab, policy, offset, limit);

        g_assert_cmpstr(text, ==, expected);
        g_free(text);
}

static void hit(Lab *lab, uint32_t rule, unsigned times)
{
        struct event event = {.generation = 2,
                              .rule = rule,
                              .hook = HOOK_FILE_OPEN,
                              .verdict = VERDICT_DENIED,
                              .comm = "cat"};

        for (unsigned i = 0; i < times; i++)
                g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
        lab_settle(lab);
}

static void test_rules_are_listed_in_order_with_their_hits(Lab *lab)
{
        lab_must_apply(lab, "web", OLD);
        g_assert_true(changes(lab, "AddRule", "deny", "file:/srv/new id=mine"));
        hit(lab, 5, 2); /* runtime stands before web, whose rules keep their numbers */
        hit(lab, 2, 3); /* protect_path is two rules */
        hit(lab, 3, 4);
        check_list(lab, "runtime", 0, 0, "deny|file:/srv/new id=mine|mine|2\n");
        check_list(lab, "web", 0, 0,
                   "deny_path|/srv/one|web:3|0\nprotect_path|/srv/two|web:5|7\n"
                   "deny_comm|xmrig|web:7|0\n");
        check_list(lab, "", 1, 2, "deny_path|/srv/one|web:3|0\nprotect_path|/srv/two|web:5|7\n");
        check_list(lab, "", 4, 2, "");
        check_list(lab, "web", 2, 1, "deny_comm|xmrig|web:7|0\n");
        check_list(lab, "web", UINT32_MAX, 1, "");
}

static void test_hits_of_something_else_are_not_those_of_these_rules(Lab *lab)
{
        TwinState state;

        lab_must_apply(lab, "web", OLD);
        hit(lab, 1, 2);
        check_list(lab, "web", 0, 1, "deny_path|/srv/one|web:3|2\n");
        g_assert_cmpint(twin_state_read(LAB_PINS, &state), ==, 0);
        state.digest[0] ^= 1;
        g_assert_cmpint(twin_state_write(LAB_PINS, &state), ==, 0);
        check_list(lab, "web", 0, 1, "deny_path|/srv/one|web:3|0\n");
}

static void test_a_list_is_cut_into_pages(Lab *lab)
{
        GString *text = g_string_new("version=7\n[deny]\n");
        unsigned n = 0;

        for (unsigned i = 0; i < 2500; i++)
                g_string_append_printf(text, "file:/srv/%u\n", i);
        lab_must_apply(lab, "web", text->str);
        for (unsigned page = 0; page < 4; page++) {
                char *rules = list(lab, "web", page * 1000, page == 1 ? 1000 : 0);
                char *first = g_strdup_printf("deny|file:/srv/%u|", page * 1000);

                g_assert_true(page == 3 ? *rules == '\0' : g_str_has_prefix(rules, first));
                for (const char *end = rules; (end = strchr(end, '\n')); end++)
                        n++;
                g_free(rules);
                g_free(first);
        }
        g_assert_cmpuint(n, ==, 2500);
        expect_message(lab, lab_list_rules(lab->root, "web", 0, 1001), SD_BUS_ERROR_INVALID_ARGS,
                       "the limit is at most 1000");
        g_string_free(text, TRUE);
}

static void test_there_is_nothing_to_list_of_what_is_not_there(Lab *lab)
{
        check_list(lab, "", 0, 0, "");
        expect(lab, lab_list_rules(lab->root, "runtime", 0, 0), ERROR "NoSuchPolicy");
        expect(lab, lab_list_rules(lab->root, "../web", 0, 0), SD_BUS_ERROR_INVALID_ARGS);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(rules_come_and_go_one_by_one),
                TEST(an_equal_rule_changes_nothing),
                TEST(what_is_no_rule_is_told_with_its_column),
                TEST(a_rule_that_is_not_there_is_told),
                TEST(a_rule_that_needs_a_missing_hook_is_refused),
                TEST(an_applied_document_takes_the_place_of_single_rules),
                TEST(rules_are_there_after_a_restart),
                TEST(options_are_taken_and_others_refused),
                TEST(an_option_that_stands_twice_is_refused),
                TEST(a_check_says_what_would_be_and_changes_nothing),
                TEST(rules_are_listed_in_order_with_their_hits),
                TEST(hits_of_something_else_are_not_those_of_these_rules),
                TEST(a_list_is_cut_into_pages),
                TEST(there_is_nothing_to_list_of_what_is_not_there),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
