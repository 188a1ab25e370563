/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the objects do and tell: documents come, change, go and are refused; listeners hear of it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "backend-twin.h"
#include "ear.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define OTHER "version=1\n[deny_path]\n/srv/two\n/srv/three\n"
#define FAULTY "version=1\n[deny_path]\nsrv/one\n[deny_ip]\n192.0.2.1\n1.2.3\n"

#define ERROR(name) "org.aegis.Enforcer.Error." name

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

/* ---- signals ---- */

#define MANAGER_LINE LAB_ROOT " PropertiesChanged " LAB_MANAGER

static void test_a_new_document_is_a_new_object(Lab *lab)
{
        Ear ear = ear_open(lab);

        ear_listen(&ear);
        lab_must_apply(lab, "web.d", DOCUMENT);
        ear_settle(lab, &ear);
        g_assert_nonnull(strstr(ear.heard->str, LAB_ROOT "/policy/web_2ed InterfacesAdded\n"));
        g_assert_nonnull(strstr(ear.heard->str, MANAGER_LINE " PostureReasons Digest Generation "
                                                             "LastChange Generations\n"));
        g_assert_null(strstr(ear.heard->str, " Mode"));
        ear_close(&ear);
}

static void test_listeners_hear_exactly_what_changed(Lab *lab)
{
        Ear ear = ear_open(lab);

        lab_must_apply(lab, "web", DOCUMENT);
        ear_listen(&ear);
        lab_must_apply(lab, "web", OTHER);
        ear_settle(lab, &ear);
        g_assert_cmpstr(ear.heard->str, ==,
                        LAB_ROOT "/policy/web PropertiesChanged " LAB_POLICY
                                 " Digest Generation ChangedUSec Rules\n" MANAGER_LINE
                                 " Digest Generation LastChange Generations\n");
        ear_close(&ear);
}

static void test_a_hook_that_is_needed_says_so(Lab *lab)
{
        Ear ear = ear_open(lab);
        const char *line, *required;

        ear_listen(&ear);
        lab_must_apply(lab, "web", DOCUMENT);
        ear_settle(lab, &ear);
        line = strstr(ear.heard->str, LAB_ROOT "/hook/file_open PropertiesChanged " LAB_HOOK);
        g_assert_nonnull(line);
        required = strstr(line, " Required");
        g_assert_nonnull(required);
        g_assert_true(required < strchr(line, '\n'));
        ear_close(&ear);
}

static void test_an_equal_document_changes_nothing_and_nobody_is_told(Lab *lab)
{
        uint64_t before = lab_must_apply(lab, "web", DOCUMENT), generation;
        Ear ear = ear_open(lab);
        sd_bus_message *reply;
        int changed;

        ear_listen(&ear);
        reply = lab_wait(lab, lab_apply(lab->root, "web", DOCUMENT, SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "bt", &changed, &generation), >=, 0);
        g_assert_cmpint(changed, ==, 0);
        g_assert_cmpint(generation, ==, before);
        ear_settle(lab, &ear);
        g_assert_cmpstr(ear.heard->str, ==, "");
        sd_bus_message_unref(reply);
        ear_close(&ear);
}

static void test_listeners_hear_of_single_rules(Lab *lab)
{
        Ear ear = ear_open(lab);

        lab_must_apply(lab, "web", DOCUMENT);
        ear_listen(&ear);
        g_free(lab_expect(lab, lab_rule(lab->root, "AddRule", "deny", "file:/a", SILENT), NULL));
        g_free(lab_expect(lab, lab_rule(lab->root, "AddRule", "deny", "file:/a", SILENT), NULL));
        g_free(lab_expect(lab, lab_rule(lab->root, "RemoveRule", "deny", "file:/a", SILENT), NULL));
        ear_settle(lab, &ear);
        g_assert_cmpstr(ear.heard->str, ==,
                        LAB_ROOT "/policy/runtime InterfacesAdded\n" MANAGER_LINE
                                 " Digest Generation LastChange Generations\n" LAB_ROOT
                                 "/policy/runtime InterfacesRemoved\n" MANAGER_LINE
                                 " Digest Generation LastChange Generations\n");
        ear_close(&ear);
}

static Pending *remove_policy(Lab *lab, const char *name)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Remove");

        g_assert_cmpint(sd_bus_message_append(m, "sta{sv}", name, LAB_ANY, 0), >=, 0);
        return lab_send(m, SILENT);
}

static void test_a_removed_document_is_gone(Lab *lab)
{
        Ear ear = ear_open(lab);
        sd_bus_message *m;

        lab_must_apply(lab, "web", DOCUMENT);
        ear_listen(&ear);
        expect(lab, remove_policy(lab, "web"), NULL);
        ear_settle(lab, &ear);
        g_assert_nonnull(strstr(ear.heard->str, LAB_ROOT "/policy/web InterfacesRemoved\n"));
        m = lab_message(lab->root, LAB_ROOT "/policy/web", LAB_POLICY, "GetDocument");
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_UNKNOWN_OBJECT);
        expect(lab, remove_policy(lab, "web"), ERROR("NoSuchPolicy"));
        ear_close(&ear);
}

static void test_the_mode_is_told_by_the_manager_and_each_hook(Lab *lab)
{
        Ear ear = ear_open(lab);

        lab_must_apply(lab, "web", DOCUMENT);
        ear_listen(&ear);
        expect(lab, lab_set_mode(lab->root, "audit", SILENT), NULL);
        ear_settle(lab, &ear);
        g_assert_nonnull(strstr(ear.heard->str, MANAGER_LINE " Mode Posture PostureReasons"));
        g_assert_nonnull(
                strstr(ear.heard->str, LAB_ROOT "/hook/file_open PropertiesChanged " LAB_HOOK " "));
        g_assert_nonnull(strstr(ear.values->str, LAB_ROOT "/hook/file_open Mode=audit\n"));
        ear_close(&ear);
}

/* ---- all hooks at once ---- */

static void assert_is(Lab *lab, const char *path, const char *property, const char *value)
{
        char *own = lab_get_string(lab, path, LAB_HOOK, property);

        g_assert_cmpstr(value, ==, own);
        free(own);
}

static void test_all_hooks_at_once_are_what_each_says(Lab *lab)
{
        const char *name, *symbol, *tier, *guarantee, *mode, *reason, *path;
        unsigned n = 0, n_required = 0;
        int attached, required;
        sd_bus_message *reply;

        lab_must_apply(lab, "web", DOCUMENT);
        reply = lab_wait(
                lab, lab_send(lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "ListHooks"), SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ssssbsbsttto)"), >, 0);
        while (sd_bus_message_read(reply, "(ssssbsbsttto)", &name, &symbol, &tier, &guarantee,
                                   &attached, &mode, &required, &reason, NULL, NULL, NULL,
                                   &path) > 0) {
                assert_is(lab, path, "Name", name);
                assert_is(lab, path, "Symbol", symbol);
                assert_is(lab, path, "Tier", tier);
                assert_is(lab, path, "Guarantee", guarantee);
                assert_is(lab, path, "Mode", mode);
                assert_is(lab, path, "Reason", reason);
                n_required += required != 0;
                n++;
        }
        g_assert_cmpuint(n, ==, N_HOOKS);
        g_assert_cmpuint(n_required, >, 0);
        g_assert_cmpuint(n_required, <, n);
        sd_bus_message_unref(reply);
}

/* ---- documents ---- */

static void test_a_faulty_document_is_refused_with_each_fault_and_its_place(Lab *lab)
{
        char *before, *after, *message;

        lab_must_apply(lab, "web", DOCUMENT);
        before = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        message = lab_expect(lab, lab_apply(lab->root, "web", FAULTY, SILENT),
                             ERROR("InvalidPolicy"));
        after = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_nonnull(strstr(message, "web:3:1: "));
        g_assert_nonnull(strstr(message, "web:6:1: "));
        g_assert_null(strstr(message, "web:5:"));
        g_assert_cmpint(message[strlen(message) - 1], !=, '\n');
        g_assert_cmpstr(before, ==, after);
        g_free(before);
        g_free(after);
        g_free(message);
}

/* A bus would throw out a service that quotes half a character. */
static void test_faults_in_lines_of_any_script_do_not_cost_the_connection(Lab *lab)
{
        GString *document = g_string_new("version=1\n[deny_path]\n");
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *message;

        for (unsigned i = 0; i < 64; i++) {
                for (unsigned j = 0; j < i; j++)
                        g_string_append_c(document, 'x');
                for (unsigned j = 0; j < 200; j++)
                        g_string_append(document, "路");
                g_string_append_c(document, '\n');
        }
        message = lab_expect(lab, lab_apply(lab->root, "web", document->str, SILENT),
                             ERROR("InvalidPolicy"));
        g_assert_true(g_utf8_validate(message, -1, NULL));
        g_assert_cmpint(lab_generation(lab), ==, 0);
        g_free(message);
        lab_disconnect(user);
        g_string_free(document, TRUE);
}

static Pending *plan(sd_bus *bus, const char *document, uint64_t expected)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Plan");

        g_assert_cmpint(sd_bus_message_append(m, "ssasta{sv}", "web", document, 0, expected, 0), >=,
                        0);
        return lab_send(m, SILENT);
}

static void test_an_expectation_that_is_not_met_is_refused(Lab *lab)
{
        uint64_t generation = lab_must_apply(lab, "web", DOCUMENT);

        expect(lab, lab_apply_expect(lab->root, "web", OTHER, generation + 1),
               ERROR("GenerationMismatch"));
        g_assert_cmpint(lab_generation(lab), ==, generation);
        expect(lab, plan(lab->root, OTHER, generation + 1), ERROR("GenerationMismatch"));
        expect(lab, lab_apply_expect(lab->root, "web", OTHER, generation), NULL);
}

static void test_a_plan_says_what_would_change_and_changes_nothing(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t before = lab_must_apply(lab, "web", DOCUMENT);
        sd_bus_message *reply = lab_wait(lab, plan(user, OTHER, before));
        const char *kind, *section, *entry;
        int changed, n_added = 0, n_removed = 0;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "b", &changed), >=, 0);
        g_assert_cmpint(changed, ==, 1);
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(sss)"), >, 0);
        while (sd_bus_message_read(reply, "(sss)", &kind, &section, &entry) > 0) {
                g_assert_cmpstr(section, ==, "deny_path");
                n_added += strcmp(kind, "added") == 0;
                n_removed += strcmp(kind, "removed") == 0 && strcmp(entry, "/srv/one") == 0;
        }
        g_assert_cmpint(n_added, ==, 2);
        g_assert_cmpint(n_removed, ==, 1);
        g_assert_cmpint(lab_generation(lab), ==, before);
        sd_bus_message_unref(reply);
        lab_disconnect(user);
}

static void test_the_document_is_given_back_as_it_came(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *reply;
        const char *text;

        lab_must_apply(lab, "web", DOCUMENT);
        reply = lab_wait(
                lab, lab_send(lab_message(user, LAB_ROOT "/policy/web", LAB_POLICY, "GetDocument"),
                              SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >=, 0);
        g_assert_cmpstr(text, ==, DOCUMENT);
        sd_bus_message_unref(reply);
        lab_disconnect(user);
}

static void test_a_policy_whose_hook_is_missing_is_refused(Lab *lab)
{
        TwinControl control = {.tier = TIER_LSM, .deny_hooks = 0};
        char *posture;

        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        expect(lab, lab_apply(lab->root, "web", DOCUMENT, SILENT), ERROR("GuaranteeMissing"));
        g_assert_cmpint(lab_generation(lab), ==, 0);
        posture = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Posture");
        g_assert_cmpstr(posture, ==, "enforcing");
        g_free(posture);
}

static void test_a_refusal_by_the_kernel_leaves_the_old_policy(Lab *lab)
{
        uint64_t before = lab_must_apply(lab, "web", DOCUMENT);
        TwinControl control;

        g_assert_cmpint(twin_control_read(LAB_PINS, &control), ==, 0);
        control.fail_prepare = EINVAL;
        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        expect(lab, lab_apply(lab->root, "web", OTHER, SILENT), ERROR("KernelRejected"));
        g_assert_cmpint(lab_generation(lab), ==, before);
}

static void test_a_document_that_is_too_large_is_refused(Lab *lab)
{
        char *document = g_malloc(POLICY_SIZE_MAX + 2u);

        memset(document, '#', POLICY_SIZE_MAX + 1u);
        document[POLICY_SIZE_MAX + 1u] = '\0';
        expect(lab, lab_apply(lab->root, "web", document, SILENT), ERROR("PolicyTooLarge"));
        g_free(document);
}

static void test_names_that_are_none_are_refused(Lab *lab)
{
        expect(lab, lab_apply(lab->root, "", DOCUMENT, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, lab_apply(lab->root, "../web", DOCUMENT, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, lab_set_mode(lab->root, "off", SILENT), SD_BUS_ERROR_INVALID_ARGS);
}

/* ---- the service's life ---- */

static void test_after_kill_9_the_next_adopts_what_is_in_force(Lab *lab)
{
        uint64_t before = lab_must_apply(lab, "web", DOCUMENT);
        char *digest = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest"), *again;
        TwinState then, now;

        g_assert_cmpint(twin_state_read(LAB_PINS, &then), ==, 0);
        lab_kill(lab);
        lab_start_again(lab);
        again = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_cmpint(twin_state_read(LAB_PINS, &now), ==, 0);
        g_assert_cmpstr(again, ==, digest);
        g_assert_cmpint(lab_generation(lab), ==, before);
        g_assert_cmpint(now.n_prepares, ==, then.n_prepares);
        g_assert_cmpint(now.n_commits, ==, then.n_commits);
        g_free(digest);
        g_free(again);
}

static void test_each_start_is_another_epoch(Lab *lab)
{
        char *before = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Epoch"), *after;

        lab_stop(lab);
        lab_start_again(lab);
        after = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Epoch");
        g_assert_cmpint(strlen(before), ==, 32);
        g_assert_cmpstr(before, !=, after);
        g_free(before);
        g_free(after);
}

/* ---- events ---- */

static Pending *open_events(sd_bus *bus, const char *key, const char *value)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT "/events", LAB_EVENTS, "Open");

        if (key)
                g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 1, key, "s", value), >=, 0);
        else
                g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        return lab_send(m, SILENT);
}

static int must_open_events(Lab *lab, sd_bus *bus, uint64_t *ret_seq)
{
        sd_bus_message *reply = lab_wait(lab, open_events(bus, NULL, NULL));
        int fd;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "ht", &fd, ret_seq), >=, 0);
        fd = dup(fd);
        g_assert_cmpint(fd, >=, 0);
        sd_bus_message_unref(reply);
        return fd;
}

static void inject(void)
{
        struct event event = {.generation = 1,
                              .rule = 1,
                              .hook = HOOK_FILE_OPEN,
                              .verdict = VERDICT_DENIED,
                              .uid = LAB_USER,
                              .comm = "cat"};

        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
}

static void read_event(int fd, uint64_t seq)
{
        char packet[16384], *wanted = g_strdup_printf("\"seq\":%" G_GUINT64_FORMAT, seq);
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t n;

        g_assert_cmpint(poll(&ready, 1, 5000), ==, 1);
        n = recv(fd, packet, sizeof(packet) - 1, 0);
        g_assert_cmpint(n, >, 0);
        packet[n] = '\0';
        g_assert_nonnull(strstr(packet, wanted));
        g_assert_nonnull(strstr(packet, "file_open"));
        g_free(wanted);
}

static void test_a_stream_brings_events_with_their_numbers(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        uint64_t seq = 0;
        int fd;

        lab_must_apply(lab, "web", DOCUMENT);
        fd = must_open_events(lab, user, &seq);
        inject();
        read_event(fd, seq + 1);
        inject();
        read_event(fd, seq + 2);
        close(fd);
        lab_disconnect(user);
}

static void test_a_filter_nobody_knows_is_refused(Lab *lab)
{
        char *message =
                lab_expect(lab, open_events(lab->root, "colour", "red"), SD_BUS_ERROR_INVALID_ARGS);

        g_assert_nonnull(strstr(message, "colour"));
        g_free(message);
        expect(lab, open_events(lab->root, "hook", "no_such"), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, open_events(lab->root, "verdict", "maybe"), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, open_events(lab->root, "hook", "file_open"), NULL);
        expect(lab, open_events(lab->root, "verdict", "denied"), NULL);
}

static void test_one_uid_has_so_many_streams(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        int fds[16];
        uint64_t seq;

        for (unsigned i = 0; i < 16; i++)
                fds[i] = must_open_events(lab, user, &seq);
        expect(lab, open_events(user, NULL, NULL), SD_BUS_ERROR_LIMITS_EXCEEDED);
        expect(lab, open_events(lab->root, NULL, NULL), NULL);
        for (unsigned i = 0; i < 16; i++)
                close(fds[i]);
        lab_disconnect(user);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(a_new_document_is_a_new_object),
                TEST(listeners_hear_exactly_what_changed),
                TEST(a_hook_that_is_needed_says_so),
                TEST(an_equal_document_changes_nothing_and_nobody_is_told),
                TEST(listeners_hear_of_single_rules),
                TEST(a_removed_document_is_gone),
                TEST(the_mode_is_told_by_the_manager_and_each_hook),
                TEST(all_hooks_at_once_are_what_each_says),
                TEST(a_faulty_document_is_refused_with_each_fault_and_its_place),
                TEST(faults_in_lines_of_any_script_do_not_cost_the_connection),
                TEST(an_expectation_that_is_not_met_is_refused),
                TEST(a_plan_says_what_would_change_and_changes_nothing),
                TEST(the_document_is_given_back_as_it_came),
                TEST(a_policy_whose_hook_is_missing_is_refused),
                TEST(a_refusal_by_the_kernel_leaves_the_old_policy),
                TEST(a_document_that_is_too_large_is_refused),
                TEST(names_that_are_none_are_refused),
                TEST(after_kill_9_the_next_adopts_what_is_in_force),
                TEST(each_start_is_another_epoch),
                TEST(a_stream_brings_events_with_their_numbers),
                TEST(a_filter_nobody_knows_is_refused),
                TEST(one_uid_has_so_many_streams),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
