/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Timed exceptions: what an event says was denied is allowed, that and nothing else, and ends. */
#include <string.h>

#include "backend-twin.h"
#include "blocked.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define NO_SUCH_EVENT "org.aegis.Enforcer.Error.NoSuchEvent"
#define NOT_EXCEPTABLE "org.aegis.Enforcer.Error.NotExceptable"
#define MINUTE 60000000u

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static void expect_why(Lab *lab, Pending *pending, const char *error, const char *why)
{
        g_autofree char *message = lab_expect(lab, pending, error);

        if (!strstr(message, why))
                g_error("\"%s\" does not say \"%s\"", message, why);
}

static char *text_of(Lab *lab, const char *path, const char *property)
{
        return lab_get_string(lab, path, LAB_EXCEPTION, property);
}

static void expect_text(Lab *lab, const char *path, const char *property, const char *wanted)
{
        g_autofree char *found = text_of(lab, path, property);

        g_assert_cmpstr(found, ==, wanted);
}

static uint64_t number_of(Lab *lab, const char *path, const char *property)
{
        sd_bus_message *m = lab_message(lab->root, path, "org.freedesktop.DBus.Properties", "Get");
        sd_bus_message *reply;
        uint64_t value = 0;

        g_assert_cmpint(sd_bus_message_append(m, "ss", LAB_EXCEPTION, property), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "v", "t", &value), >, 0);
        sd_bus_message_unref(reply);
        return value;
}

static Pending *take_away(sd_bus *bus, const char *path)
{
        sd_bus_message *m = lab_message(bus, path, LAB_EXCEPTION, "Revoke");

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        return lab_send(m, SILENT);
}

/* What Explain says: "denied" or "allowed". */
static char *verdict(Lab *lab, const char *entry)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Explain"), *reply;
        const char *key, *found = NULL;
        char *copy;

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 1, "entry", "s", entry), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                sd_bus_message_read(reply, "s", &key);
                if (strcmp(key, "answers") != 0) {
                        sd_bus_message_skip(reply, "v");
                        sd_bus_message_exit_container(reply);
                        continue;
                }
                sd_bus_message_enter_container(reply, 'v', "aa{sv}");
                sd_bus_message_enter_container(reply, 'a', "a{sv}");
                sd_bus_message_enter_container(reply, 'a', "{sv}");
                while (!found && sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                        sd_bus_message_read(reply, "s", &key);
                        if (strcmp(key, "verdict") == 0)
                                sd_bus_message_read(reply, "v", "s", &found);
                        else
                                sd_bus_message_skip(reply, "v");
                        sd_bus_message_exit_container(reply);
                }
                break;
        }
        copy = g_strdup(found);
        sd_bus_message_unref(reply);
        return copy;
}

static void expect_verdict(Lab *lab, const char *entry, const char *wanted)
{
        g_autofree char *found = verdict(lab, entry);

        if (g_strcmp0(found, wanted) != 0)
                g_error("%s is %s, not %s", entry, found, wanted);
}

#define BLOCKED "file:/srv/one access=read exe=/usr/bin/program9 uid=1000 gid=100"

static void test_what_was_blocked_is_allowed_and_nothing_else(Lab *lab)
{
        g_autofree char *path = NULL;
        uint64_t now;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        expect_verdict(lab, BLOCKED, "denied");
        path = blocked_must_allow(lab, 1);
        expect_verdict(lab, BLOCKED, "allowed");
        expect_verdict(lab, "file:/srv/one access=write exe=/usr/bin/program9 uid=1000", "denied");
        expect_verdict(lab, "file:/srv/one access=read exe=/usr/bin/program8 uid=1000", "denied");
        expect_verdict(lab, "file:/srv/one access=read exe=/usr/bin/program9 uid=1001", "denied");
        expect_verdict(lab, "file:/srv/one/below access=read exe=/usr/bin/program9 uid=1000",
                       "denied");
        expect_text(lab, path, "Object", "file:/srv/one access=read");
        expect_text(lab, path, "Subject", "exe=/usr/bin/program9 uid=1000");
        g_assert_cmpuint(number_of(lab, path, "Event"), ==, 1);
        now = (uint64_t) g_get_real_time();
        g_assert_cmpuint(number_of(lab, path, "UntilUSec"), <=, now + MINUTE);
        g_assert_cmpuint(number_of(lab, path, "UntilUSec"), >, now + MINUTE / 2);
        g_assert_cmpuint(number_of(lab, path, "RemainingUSec"), <=, MINUTE);
        g_assert_cmpuint(number_of(lab, path, "RemainingUSec"), >, MINUTE / 2);
}

static void test_an_exception_outlives_the_service_and_is_revoked(Lab *lab)
{
        g_autofree char *path = NULL;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        path = blocked_must_allow(lab, 1);
        lab_stop(lab);
        lab_start_again(lab);
        expect_text(lab, path, "Object", "file:/srv/one access=read");
        expect_verdict(lab, BLOCKED, "allowed");
        expect(lab, take_away(lab->root, path), NULL);
        expect_verdict(lab, BLOCKED, "denied");
        expect(lab, take_away(lab->root, path), SD_BUS_ERROR_UNKNOWN_OBJECT);
}

typedef struct Ear {
        int added, removed;
        char *path;
} Ear;

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ear *ear = userdata;
        const char *path;

        sd_bus_message_read(m, "o", &path);
        ear->added += strstr(path, "/exception/") != NULL;
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ear *ear = userdata;
        const char *path;

        sd_bus_message_read(m, "o", &path);
        ear->removed += strstr(path, "/exception/") != NULL;
        return 0;
}

static void test_an_exception_ends_by_itself_and_listeners_hear_it(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        Ear ear = {};

        sd_bus_match_signal(user, NULL, NULL, LAB_ROOT, "org.freedesktop.DBus.ObjectManager",
                            "InterfacesAdded", on_added, &ear);
        sd_bus_match_signal(user, NULL, NULL, LAB_ROOT, "org.freedesktop.DBus.ObjectManager",
                            "InterfacesRemoved", on_removed, &ear);
        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        expect(lab, blocked_allow(lab->root, 1, 2000000, SILENT), NULL);
        lab_until(lab, &ear.added);
        g_assert_cmpint(ear.removed, ==, 0);
        expect_verdict(lab, BLOCKED, "allowed");
        lab_until(lab, &ear.removed);
        expect_verdict(lab, BLOCKED, "denied");
        lab_disconnect(user);
}

static void test_what_can_have_no_exception_is_refused(Lab *lab)
{
        struct event event = blocked_event();
        uint64_t generation;

        generation = lab_must_apply(lab, "web", DOCUMENT);
        event.verdict = VERDICT_AUDITED;
        blocked_inject(event); /* 1 */
        event.verdict = VERDICT_DENIED;
        event.flags = EVENT_SELF;
        event.rule = RULE_NONE;
        blocked_inject(event); /* 2 */
        event.flags = EVENT_HOLDS_RULES;
        blocked_inject(event); /* 3 */
        event = blocked_event();
        event.exe_inode = 0;
        blocked_inject(event); /* 4 */
        expect_why(lab, blocked_allow(lab->root, 99, MINUTE, SILENT), NO_SUCH_EVENT, "remembered");
        expect_why(lab, blocked_allow(lab->root, 1, MINUTE, SILENT), NO_SUCH_EVENT, "no denial");
        expect_why(lab, blocked_allow(lab->root, 2, MINUTE, SILENT), NOT_EXCEPTABLE, "guards");
        expect_why(lab, blocked_allow(lab->root, 3, MINUTE, SILENT), NOT_EXCEPTABLE, "no rule");
        expect_why(lab, blocked_allow(lab->root, 4, MINUTE, SILENT), NOT_EXCEPTABLE, "program");
        expect(lab, blocked_allow(lab->root, 4, 0, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, blocked_allow(lab->root, 4, 8 * 24 * 3600000000ull, SILENT),
               SD_BUS_ERROR_INVALID_ARGS);
        g_assert_cmpuint(lab_generation(lab), ==, generation);
}

static const char long_names[] = "a-very-long-program\0srv";

/* A rule about a name stands before one about a path, and an exception says no part of a name. */
static void test_a_rule_that_no_exception_comes_before_is_named(Lab *lab)
{
        struct event event = blocked_event();
        uint64_t generation =
                lab_must_apply(lab, "web", "version=7\n[deny]\ncomm:a-very-long-pro\n");

        event.hook = HOOK_BPRM_CHECK_SECURITY;
        event.access = ACCESS_EXEC;
        memcpy(event.path, long_names, sizeof(long_names));
        event.path_length = sizeof(long_names);
        blocked_inject(event);
        expect_why(lab, blocked_allow(lab->root, 1, MINUTE, SILENT), NOT_EXCEPTABLE,
                   "web:3: [deny] comm:a-very-long-pro");
        g_assert_cmpuint(lab_generation(lab), ==, generation);
}

/* The first way is too weak here: more is said of who it is for. */
static void test_an_exception_says_as_much_as_it_must(Lab *lab)
{
        g_autofree char *path = NULL;

        lab_must_apply(lab, "web",
                       "version=7\n[deny]\nfile:/srv/one exe=/usr/bin/ uid=1000 gid=100\n");
        blocked_inject(blocked_event());
        path = blocked_must_allow(lab, 1);
        expect_text(lab, path, "Subject", "exe=/usr/bin/program9 uid=1000 gid=100");
        expect_verdict(lab, BLOCKED, "allowed");
}

static void test_the_same_again_lasts_until_the_later_end(Lab *lab)
{
        g_autofree char *path = NULL, *again = NULL;
        uint64_t until, generation;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        path = blocked_must_allow(lab, 1);
        until = number_of(lab, path, "UntilUSec");
        generation = lab_generation(lab);
        expect(lab, blocked_allow(lab->root, 1, MINUTE / 2, SILENT), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, generation);
        g_assert_cmpuint(number_of(lab, path, "UntilUSec"), ==, until);
        expect(lab, blocked_allow(lab->root, 1, 10ull * MINUTE, SILENT), NULL);
        g_assert_cmpuint(lab_generation(lab), ==, generation + 1);
        g_assert_cmpuint(number_of(lab, path, "UntilUSec"), >, until);
        again = blocked_must_allow(lab, 1);
        g_assert_cmpstr(again, ==, path);
        expect_verdict(lab, BLOCKED, "allowed");
}

static void test_a_socket_and_the_kernel_have_exceptions_too(Lab *lab)
{
        static const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
        struct event event = blocked_event();
        g_autofree char *net = NULL, *kernel = NULL;

        lab_must_apply(lab, "web", "version=7\n[deny]\nnet:connect\nkernel:ptrace\n");
        event.path_length = 0;
        event.hook = HOOK_SOCKET_CONNECT;
        event.operation = NET_CONNECT;
        event.protocol = 6;
        event.port = 443;
        memcpy(event.address, address, sizeof(address));
        blocked_inject(event);
        event.hook = HOOK_PTRACE_ACCESS_CHECK;
        event.operation = KERNEL_PTRACE;
        blocked_inject(event);
        net = blocked_must_allow(lab, 1);
        kernel = blocked_must_allow(lab, 2);
        expect_text(lab, net, "Object", "net:connect:192.0.2.1:443/tcp");
        expect_text(lab, kernel, "Object", "kernel:ptrace");
        expect_verdict(lab, "net:connect:192.0.2.1:443/tcp exe=/usr/bin/program9 uid=1000",
                       "allowed");
        expect_verdict(lab, "net:connect:192.0.2.1:80/tcp exe=/usr/bin/program9 uid=1000",
                       "denied");
        expect_verdict(lab, "kernel:ptrace exe=/usr/bin/program9 uid=1000", "allowed");
        expect_verdict(lab, "kernel:module exe=/usr/bin/program9 uid=1000", "allowed");
        expect_verdict(lab, "kernel:ptrace exe=/usr/bin/program8 uid=1000", "denied");
}

/* Going back brings no exception back. */
static void test_a_rollback_leaves_exceptions_as_they_are(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Rollback");
        g_autofree char *path = NULL;
        uint64_t with;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        path = blocked_must_allow(lab, 1);
        with = lab_generation(lab);
        expect(lab, take_away(lab->root, path), NULL);
        lab_must_apply(lab, "mail", "version=1\n[deny_path]\n/srv/two\n");
        g_assert_cmpint(sd_bus_message_append(m, "tta{sv}", with, LAB_ANY, 0), >=, 0);
        expect(lab, lab_send(m, SILENT), NULL);
        expect_verdict(lab, "file:/srv/two access=read", "allowed");
        expect_verdict(lab, BLOCKED, "denied");
}

static void test_the_document_of_exceptions_is_nobodys_to_name(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Remove");

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        g_free(blocked_must_allow(lab, 1));
        expect_why(lab, lab_apply(lab->root, "exceptions", DOCUMENT, SILENT),
                   SD_BUS_ERROR_INVALID_ARGS, "exceptions");
        g_assert_cmpint(sd_bus_message_append(m, "sta{sv}", "exceptions", LAB_ANY, 0), >=, 0);
        expect_why(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS, "exceptions");
        expect_verdict(lab, BLOCKED, "allowed");
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(what_was_blocked_is_allowed_and_nothing_else),
                TEST(an_exception_outlives_the_service_and_is_revoked),
                TEST(an_exception_ends_by_itself_and_listeners_hear_it),
                TEST(what_can_have_no_exception_is_refused),
                TEST(a_rule_that_no_exception_comes_before_is_named),
                TEST(an_exception_says_as_much_as_it_must),
                TEST(the_same_again_lasts_until_the_later_end),
                TEST(a_socket_and_the_kernel_have_exceptions_too),
                TEST(a_rollback_leaves_exceptions_as_they_are),
                TEST(the_document_of_exceptions_is_nobodys_to_name),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
