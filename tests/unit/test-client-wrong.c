/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client where something is wrong: with the answers, the service, the bus, the command line.
 */
#include <glib.h>
#include <string.h>
#include <sys/wait.h>

#include "client-peer.h"
#include "client.h"

#define CHECK(expression) g_assert_cmpint((expression), >=, 0)

static int answer_wrong_type(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "a{sv}", 1, "Generation", "s", "7");
}

static int answer_nonsense(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "(sa{uv})", "?", 1, 4, "i", -1);
}

static int answer_deep(sd_bus_message *call, sd_bus_error *error)
{
        return sd_bus_reply_method_return(call, "a{sv}", 1, "deep", "v", "v", "v", "v", "v", "v",
                                          "v", "v", "v", "v", "u", 1);
}

static void test_a_property_of_another_type_is_an_error(Scene *scene, const void *unused)
{
        static const PeerAnswer wrong[] = {{"GetAll", answer_wrong_type}, {NULL, NULL}};

        peer_serve(scene->peer, wrong);
        scene_run(scene, "status", STATUS_FAILED);
        expect_in(scene->outcome.err, "has not the form of this API");
}

static void test_an_answer_of_another_form_is_an_error_in_each_verb(Scene *scene,
                                                                    const void *unused)
{
        static const PeerAnswer nonsense[] = {{"GetAll", answer_nonsense},
                                              {"ListHooks", answer_nonsense},
                                              {"Get", answer_nonsense},
                                              {"Apply", answer_nonsense},
                                              {"Plan", answer_nonsense},
                                              {"Remove", answer_nonsense},
                                              {"SetMode", answer_nonsense},
                                              {"Open", answer_nonsense},
                                              {"GetCapabilities", answer_nonsense},
                                              {"Can", answer_nonsense},
                                              {NULL, NULL}};
        static const char *const lines[] = {"status",
                                            "hooks",
                                            "policies",
                                            "policy show web",
                                            "apply web.policy",
                                            "plan web.policy",
                                            "remove web",
                                            "mode audit",
                                            "mode",
                                            "events",
                                            "capabilities",
                                            "can plan"};

        peer_serve(scene->peer, nonsense);
        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                scene_run(scene, lines[i], STATUS_FAILED);
}

static void test_an_answer_nested_too_deep_is_an_error(Scene *scene, const void *unused)
{
        static const PeerAnswer deep[] = {{"GetCapabilities", answer_deep}, {NULL, NULL}};

        peer_serve(scene->peer, deep);
        scene_run(scene, "capabilities", STATUS_FAILED);
}

static void test_a_service_that_is_not_there_has_its_own_status(Scene *scene, const void *unused)
{
        scene_run(scene, "status", STATUS_NO_SERVICE);
        expect_in(scene->outcome.err, "start the service with 'systemctl start aegisd'");
        scene_run(scene, "status --json", STATUS_NO_SERVICE);
        expect_in(scene->outcome.out,
                  "{\"error\":{\"name\":\"org.freedesktop.DBus.Error.ServiceUnknown\",");
}

static void test_a_bus_that_ends_is_no_service_either(Scene *scene, const void *unused)
{
        char *arguments[] = {(char *) CLIENT_PROGRAM, (char *) "status", NULL};
        char *environment[] = {(char *) "DBUS_SYSTEM_BUS_ADDRESS=unixexec:path=/bin/true", NULL};
        g_autofree char *said = NULL;
        int status;

        g_assert_true(g_spawn_sync(NULL, arguments, environment, 0, NULL, NULL, NULL, &said,
                                   &status, NULL));
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, STATUS_NO_SERVICE);
        /* Whether it is gone before the first word or after, the advice is about the bus. */
        expect_in(said, strstr(said, "Cannot reach the system bus")
                                ? "see that dbus runs there"
                                : "see that the system bus can");
}

static int answer_with_error_of(sd_bus_message *call, sd_bus_error *error)
{
        const char *name;

        CHECK(sd_bus_message_read(call, "s", &name));
        return sd_bus_error_setf(error, name, "told\n twice.\n");
}

/* The error is the action that is asked about: a peer for all of them. */
static void test_each_error_has_its_exit_status(Scene *scene, const void *unused)
{
        static const PeerAnswer failing[] = {{"Can", answer_with_error_of}, {NULL, NULL}};
        static const struct {
                const char *name;
                ExitStatus status;
        } errors[] = {
                {ERROR_PREFIX "InvalidPolicy", STATUS_INVALID},
                {ERROR_PREFIX "PolicyTooLarge", STATUS_INVALID},
                {ERROR_PREFIX "UnsupportedFeature", STATUS_INVALID},
                {ERROR_PREFIX "NoSuchPolicy", STATUS_NO_SUCH_POLICY},
                {ERROR_PREFIX "GenerationMismatch", STATUS_STALE},
                {ERROR_PREFIX "AuthorizationStale", STATUS_STALE},
                {ERROR_PREFIX "AuthorizationUnavailable", STATUS_REFUSED},
                {ERROR_PREFIX "KernelRejected", STATUS_NOT_ENFORCEABLE},
                {ERROR_PREFIX "GuaranteeMissing", STATUS_NOT_ENFORCEABLE},
                {ERROR_PREFIX "Busy", STATUS_TRY_AGAIN},
                {SD_BUS_ERROR_LIMITS_EXCEEDED, STATUS_TRY_AGAIN},
                {SD_BUS_ERROR_ACCESS_DENIED, STATUS_REFUSED},
                {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, STATUS_REFUSED},
                {SD_BUS_ERROR_INVALID_ARGS, STATUS_USAGE},
                {SD_BUS_ERROR_NO_REPLY, STATUS_TRY_AGAIN},
                {SD_BUS_ERROR_UNKNOWN_METHOD, STATUS_FAILED},
                {"com.example.Other", STATUS_FAILED},
        };

        peer_serve(scene->peer, failing);
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                g_autofree char *line = g_strconcat("can ", errors[i].name, NULL);

                scene_run(scene, line, (int) errors[i].status);
                expect_in(scene->outcome.err, "ask what is authorized: told;  twice; ");
        }
}

static void test_a_full_disk_is_no_success(Scene *scene, const void *unused)
{
        g_autofree char *line = g_strconcat(CLIENT_PROGRAM " --help >/dev/full", NULL);
        char *arguments[] = {(char *) "/bin/sh", (char *) "-c", line, NULL};
        int status;

        g_assert_true(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                                   NULL, NULL, &status, NULL));
        g_assert_false(g_spawn_check_wait_status(status, NULL));
}

static void test_a_wrong_command_line_has_its_own_status(Scene *scene, const void *unused)
{
        static const char *const lines[] = {"",
                                            "bogus",
                                            "policy",
                                            "policy show",
                                            "mode loud",
                                            "--bogus",
                                            "status x",
                                            "status --check",
                                            "apply a b",
                                            "apply --expect=-1 x",
                                            "apply -",
                                            "events --since=x",
                                            "apply --expect=99999999999999999999 x",
                                            "-H a -M b status"};

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                scene_run(scene, lines[i], STATUS_USAGE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function)                                                                             \
        g_test_add("/client/wrong/" #function, Scene, NULL, scene_set_up, function, scene_tear_down)
        TEST(test_a_property_of_another_type_is_an_error);
        TEST(test_an_answer_of_another_form_is_an_error_in_each_verb);
        TEST(test_an_answer_nested_too_deep_is_an_error);
        TEST(test_a_service_that_is_not_there_has_its_own_status);
        TEST(test_a_bus_that_ends_is_no_service_either);
        TEST(test_each_error_has_its_exit_status);
        TEST(test_a_full_disk_is_no_success);
        TEST(test_a_wrong_command_line_has_its_own_status);
        return g_test_run();
}
