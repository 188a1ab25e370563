/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main job, whole: a policy applied over D-Bus, allowed by polkit, denied by the kernel, shown
 * by the client, kept through kill -9. Runs in a virtual machine as root, with the product
 * installed, dbus-daemon and polkitd running. The tests follow one another: each stands on what the
 * last left. */
#include <glib.h>

#include <json-c/json.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-service.h"

#define AEGISD "/usr/libexec/aegisd"
#define RULES "/etc/polkit-1/rules.d/60-test.rules"

static char *document;

/* Apply as a person would call it by hand. */
static Result busctl_apply(unsigned uid, const char *text, const char *expect)
{
        return run_as(uid, (const char *[]){"busctl", "--system", "--timeout=300", "call", NAME,
                                            "/org/aegis/Enforcer", NAME ".Manager", "Apply",
                                            "ssasta{sv}", "web", text, "0", expect, "0", NULL});
}

#define ANY "18446744073709551615"

/* ---- 1 ---- */

static void test_the_service_proves_its_tier_and_takes_its_name(void)
{
        g_auto(Result) hooks = {};

        start_service();
        assert_property("Posture", "s", "enforcing");
        assert_property("Mode", "s", "enforce");
        assert_property("Generation", "t", "0");
        hooks = client("hooks");
        g_assert_cmpint(hooks.status, ==, 0);
        g_assert_nonnull(strstr(hooks.out, "file_open"));
}

/* ---- 2 ---- */

static void test_an_unprivileged_apply_is_refused_and_changes_nothing(void)
{
        g_auto(Result) result = busctl_apply(ALICE, document, ANY);

        g_assert_cmpint(result.status, !=, 0);
        assert_property("Generation", "t", "0");
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, 0);
}

/* polkitd reads its rules again when they change; Can() tells when it has. */
static void wait_for_rule(void)
{
        for (int i = 0; i < 1000; i++) {
                g_auto(Result) result = run_as(
                        ALICE, (const char *[]){"aegis-client", "can", "apply-policy", NULL});

                if (g_str_has_prefix(result.out, "yes"))
                        return;
                g_usleep(10000);
        }
        g_assert_not_reached();
}

static void test_with_a_polkit_rule_the_same_call_succeeds(void)
{
        g_auto(Result) result = {};

        g_assert_true(g_file_set_contents(RULES,
                                          "polkit.addRule(function(action, subject) {\n"
                                          "  if (action.id == 'org.aegis.enforcer.apply-policy' && "
                                          "subject.user == 'alice' &&\n"
                                          "      action.lookup('name') != 'other')\n"
                                          "    return polkit.Result.YES;\n"
                                          "});\n",
                                          -1, NULL));
        wait_for_rule();
        result = busctl_apply(ALICE, document, ANY);
        g_assert_cmpstr(result.err, ==, "");
        g_assert_true(g_str_has_prefix(result.out, "bta(sss) true 1 "));
        assert_property("Generation", "t", "1");
        g_assert_cmpint(unlink(RULES), ==, 0);
}

static void test_root_succeeds_and_an_equal_document_changes_nothing(void)
{
        g_auto(Result) result = busctl_apply(0, document, ANY);

        g_assert_cmpstr(result.out, ==, "bta(sss) false 1 0\n");
        assert_property("Generation", "t", "1");
}

/* ---- 3 ---- */

static void test_every_hook_a_rule_needs_is_attached(void)
{
        g_auto(Result) result = client("hooks", "--json");
        json_object *hooks = json_tokener_parse(result.out), *list = NULL;
        size_t n_required = 0;

        g_assert_true(json_object_object_get_ex(hooks, "hooks", &list));
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *hook = json_object_array_get_idx(list, i);

                if (!json_object_get_boolean(json_object_object_get(hook, "required")))
                        continue;
                n_required++;
                g_assert_true(json_object_get_boolean(json_object_object_get(hook, "attached")));
                g_assert_cmpstr(json_object_get_string(json_object_object_get(hook, "guarantee")),
                                ==, "deny");
        }
        g_assert_cmpuint(n_required, >=, 15);
        json_object_put(hooks);
}

static void test_ruled_files_are_denied_to_users_and_to_root(void)
{
        for (unsigned uid = 0; uid <= ALICE; uid += ALICE) {
                g_assert_cmpint(try_open(uid, "/srv/secret"), ==, EPERM);
                g_assert_cmpint(try_open(uid, "/srv/vault/deep/file"), ==, EPERM);
                g_assert_cmpint(try_open(uid, "/srv/by-inode"), ==, EPERM);
                g_assert_cmpint(try_open(uid, "/srv/neighbour"), ==, 0);
        }
        g_assert_cmpint(try_create(0, "/srv/future"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/srv/neighbour", "/srv/secret"), ==, EPERM);
        g_assert_cmpint(try_unlink(0, "/srv/secret"), ==, EPERM);
}

static void test_ruled_addresses_and_ports_are_denied_in_both_families(void)
{
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::ffff:127.0.0.66", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.7.8.9", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'c', "2001:db8::7", 80), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", 4242), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, TCP, 'b', "::1", 4242), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 4242), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.1", 4343), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 4344), ==, EPERM);
}

static void test_neighbouring_addresses_and_ports_are_not(void)
{
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.67", 80), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.8.8.9", 80), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", 4241), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'c', "127.0.0.1", 4343), ==, ECONNREFUSED);
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 4345), ==, 0);
}

static void test_a_process_in_an_allowed_cgroup_is_free(void)
{
        g_assert_cmpint(try_open_in_cgroup("/sys/fs/cgroup/trusted/inner", "/srv/secret"), ==, 0);
        g_assert_cmpint(try_open_in_cgroup("/sys/fs/cgroup/other", "/srv/secret"), ==, EPERM);
}

static void test_audit_mode_records_and_allows(void)
{
        g_auto(Result) to_audit = client("mode", "audit"), to_enforce = {}, events = {};

        g_assert_cmpint(to_audit.status, ==, 0);
        assert_property("Posture", "s", "audit");
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, 0);
        g_assert_cmpint(try_socket(AF_INET, UDP, 's', "127.0.0.66", 80), ==, 0);
        events = client("events", "--json", "--verdict", "audited");
        g_assert_nonnull(strstr(events.out, "\"path\":\"/srv/secret\""));
        g_assert_nonnull(strstr(events.out, "\"address\":\"127.0.0.66\""));
        to_enforce = client("mode", "enforce");
        g_assert_cmpint(to_enforce.status, ==, 0);
        assert_property("Posture", "s", "enforcing");
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
}

static void test_a_faulty_document_is_refused_with_each_fault_and_the_old_stays(void)
{
        g_autofree char *before = property("Digest", "s"), *after = NULL;
        g_auto(Result) result = busctl_apply(
                0, "version=1\n[deny_path]\nrelative\n[deny_port]\n80\n  99999\n", ANY);

        g_assert_cmpint(result.status, !=, 0);
        g_assert_nonnull(strstr(result.err, "3:1"));
        g_assert_nonnull(strstr(result.err, "6:3"));
        after = property("Digest", "s");
        g_assert_cmpstr(before, ==, after);
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
}

static void test_a_stale_expect_is_a_generation_mismatch(void)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;

        g_assert_cmpint(sd_bus_call_method(guest_bus(), NAME, "/org/aegis/Enforcer",
                                           NAME ".Manager", "Apply", &error, NULL, "ssasta{sv}",
                                           "web", "version=1\n[deny_port]\n1\n", 0, (uint64_t) 1,
                                           0),
                        <, 0);
        g_assert_cmpstr(error.name, ==, NAME ".Error.GenerationMismatch");
        sd_bus_error_free(&error);
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
}

/* ---- 4 ---- */

static void assert_json(const Result *result, const char *key)
{
        json_object *object = json_tokener_parse(result->out);

        g_assert_cmpint(result->status, ==, 0);
        g_assert_nonnull(object);
        g_assert_true(json_object_object_get_ex(object, key, NULL));
        json_object_put(object);
}

static void test_the_client_shows_it_to_people_and_to_programs(void)
{
        g_auto(Result) status = client("status"), status_json = client("status", "--json");
        g_auto(Result) hooks_json = client("hooks", "--json");
        g_auto(Result) show = client("policy", "show", "web");
        g_auto(Result) show_json = client("policy", "show", "web", "--json");
        g_auto(Result) mode_json = client("mode", "--json");

        g_assert_nonnull(strstr(status.out, "enforcing"));
        assert_json(&status_json, "posture");
        assert_json(&hooks_json, "hooks");
        g_assert_cmpstr(show.out, ==, document);
        assert_json(&show_json, "document");
        assert_json(&mode_json, "mode");
}

static void test_a_plan_says_what_apply_would_do_and_does_nothing(void)
{
        g_autofree char *wider = g_strconcat(document, "[deny_path]\n/srv/neighbour\n", NULL);
        g_autofree char *before = property("Generation", "t"), *after = NULL;
        g_auto(Result) plan = {}, plan_json = {};

        g_assert_true(g_file_set_contents("/run/web.policy", wider, -1, NULL));
        plan = client("plan", "/run/web.policy");
        plan_json = client("plan", "--json", "/run/web.policy");
        g_assert_nonnull(strstr(plan.out, "+ [deny_path] /srv/neighbour"));
        assert_json(&plan_json, "changes");
        after = property("Generation", "t");
        g_assert_cmpstr(before, ==, after);
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, 0);
}

static void test_events_can_be_followed(void)
{
        const char *argv[] = {"aegis-client", "events", "--follow", "--json", NULL};
        g_autofree char *line = NULL;
        GIOChannel *channel;
        GPid follower;
        int out;

        g_assert_true(g_spawn_async_with_pipes(NULL, (char **) argv, NULL,
                                               G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                               NULL, NULL, &follower, NULL, &out, NULL, NULL));
        channel = g_io_channel_unix_new(out);
        do { /* until the stream is open an event goes by */
                struct pollfd ready = {.fd = out, .events = POLLIN};

                g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
                if (poll(&ready, 1, 100) > 0)
                        break;
        } while (1);
        g_assert_cmpint(g_io_channel_read_line(channel, &line, NULL, NULL, NULL), ==,
                        G_IO_STATUS_NORMAL);
        g_assert_nonnull(strstr(line, "\"verdict\":\"denied\""));
        g_assert_nonnull(strstr(line, "\"policy\":\"web\""));
        g_assert_nonnull(strstr(line, "\"path\":\"/srv/secret\""));
        kill(follower, SIGTERM);
        waitpid(follower, NULL, 0);
        g_io_channel_unref(channel);
        close(out);
}

static void test_a_second_policy_adds_its_rules_and_is_removed_alone(void)
{
        apply_by_root("second", "version=1\n[deny_ip]\n::1\n");
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 4345), ==, EPERM);
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
        client_removes("second");
        g_assert_cmpint(try_socket(AF_INET6, UDP, 's', "::1", 4345), ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
}

static void test_a_single_rule_denies_at_once_and_no_longer_once_it_is_removed(void)
{
        g_auto(Result) added = client("rule", "add", "deny", "file:/srv/neighbour", "access=read");
        g_auto(Result) listed = {}, removed = {};

        g_assert_cmpint(added.status, ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, EPERM);
        g_assert_cmpint(try_open(0, "/srv/neighbour"), ==, EPERM);
        listed = client("rule", "list", "runtime");
        g_assert_nonnull(strstr(listed.out, "file:/srv/neighbour access=read  2\n"));
        removed = client("rule", "remove", "deny", "file:/srv/neighbour access=read");
        g_assert_cmpint(removed.status, ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
}

/* The loop ends with the time of the rule, or never. */
static void test_a_single_rule_ends_with_its_time(void)
{
        g_auto(Result) added = client("rule", "add", "--ttl=20s", "deny", "file:/srv/neighbour");

        g_assert_cmpint(added.status, ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, EPERM);
        while (try_open(ALICE, "/srv/neighbour") == EPERM)
                g_usleep(G_USEC_PER_SEC / 2);
        client_removes("runtime");
}

/* Returns the exit status. */
static int read_with(unsigned uid, const char *program, const char *path)
{
        g_auto(Result) result = run_as(uid, (const char *[]){program, path, NULL});

        return result.status;
}

/* The number of the last denial of that path; the event may be on its way. */
static char *last_denial(const char *path)
{
        for (;;) {
                g_auto(Result) events =
                        client("events", "--json", "--verdict=denied", "--path", path);
                const char *last = g_strrstr(events.out, "{\"seq\":");

                if (last)
                        return g_strdup_printf(
                                "%" G_GUINT64_FORMAT,
                                g_ascii_strtoull(last + strlen("{\"seq\":"), NULL, 10));
                g_usleep(10000);
        }
}

static void allow_last(const char *path, const char *time)
{
        g_autofree char *seq = last_denial(path);
        g_auto(Result) allowed = client("allow", seq, "--for", time);

        g_assert_cmpstr(allowed.err, ==, "");
        g_assert_cmpint(allowed.status, ==, 0);
}

static void revoke_exceptions(void)
{
        g_auto(Result) listed = client("exceptions", "--json"), revoked = {};
        const char *name = strstr(listed.out, "\"name\":\"");
        g_autofree char *copy = NULL;

        g_assert_nonnull(name);
        name += strlen("\"name\":\"");
        copy = g_strndup(name, strcspn(name, "\""));
        revoked = client("exceptions", "revoke", copy);
        g_assert_cmpint(revoked.status, ==, 0);
}

static void test_an_exception_is_for_one_program_and_user_alone(void)
{
        apply_by_root("shut", "version=7\n[deny]\nfile:/srv/neighbour\n");
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/neighbour"), !=, 0);
        allow_last("/srv/neighbour", "1h");
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/neighbour"), ==, 0);
        g_assert_cmpint(read_with(ALICE, "/usr/bin/head", "/srv/neighbour"), !=, 0);
        g_assert_cmpint(read_with(0, "/usr/bin/cat", "/srv/neighbour"), !=, 0);
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/secret"), !=, 0);
        kill_service();
        start_service();
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/neighbour"), ==, 0);
        revoke_exceptions();
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/neighbour"), !=, 0);
}

/* The first loop ends with the time of the exception, or never. */
static void test_an_exception_ends_by_itself(void)
{
        allow_last("/srv/neighbour", "10s");
        while (read_with(ALICE, "/usr/bin/cat", "/srv/neighbour") == 0)
                g_usleep(G_USEC_PER_SEC / 2);
        client_removes("shut");
        g_assert_cmpint(read_with(ALICE, "/usr/bin/cat", "/srv/neighbour"), ==, 0);
}

/* The service hears of mounts, and looks where its paths lead now. */
static void wait_for_errno(const char *path, int expected)
{
        gint64 late = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;

        while (try_open(ALICE, path) != expected) {
                g_assert_cmpint(g_get_monotonic_time(), <, late);
                g_usleep(G_USEC_PER_SEC / 10);
        }
}

static void test_rules_hold_in_a_file_system_that_is_mounted_later(void)
{
        g_mkdir_with_parents("/srv/later", 0755);
        g_mkdir_with_parents("/srv/aside", 0755);
        apply_by_root("later", "version=7\n[deny]\nfile:/srv/later/secret\n");
        g_assert_cmpint(mount("tmpfs", "/srv/aside", "tmpfs", 0, "mode=755"), ==, 0);
        make_file("/srv/aside/secret");
        make_file("/srv/aside/free");
        g_assert_cmpint(mount("/srv/aside", "/srv/later", NULL, MS_BIND, NULL), ==, 0);
        wait_for_errno("/srv/later/secret", EPERM);
        g_assert_cmpint(try_open(ALICE, "/srv/aside/secret"), ==, EPERM);
        g_assert_cmpint(try_open(ALICE, "/srv/later/free"), ==, 0);
        g_assert_cmpint(umount("/srv/later"), ==, 0);
        wait_for_errno("/srv/aside/secret", 0);
        g_assert_cmpint(umount("/srv/aside"), ==, 0);
        client_removes("later");
}

/* ---- 5 ---- */

static void test_kill_9_leaves_it_denied_and_a_new_service_adopts_it_without_a_gap(void)
{
        g_autofree char *before = property("Generation", "t"), *digest = property("Digest", "s");
        g_autofree char *after = NULL, *digest_after = NULL;
        Prober prober = {};
        ProberCounts counts;

        prober_start(&prober, "/srv/secret", "/srv/neighbour");
        for (int i = 0; i < 3; i++) {
                kill_service();
                g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, EPERM);
                start_service();
        }
        counts = prober_stop(&prober);
        g_test_message("%" G_GUINT64_FORMAT " probes denied", counts.denied);
        g_assert_cmpuint(counts.denied, >, 0);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.wrongly_denied, ==, 0);
        after = property("Generation", "t");
        digest_after = property("Digest", "s");
        g_assert_cmpstr(before, ==, after);
        g_assert_cmpstr(digest, ==, digest_after);
        assert_property("Posture", "s", "enforcing");
}

static void test_no_rule_keeps_the_next_service_from_starting(void)
{
        apply_by_root("harsh", "version=1\n[deny_path]\n/proc/kallsyms\n/sys/kernel/btf/\n"
                               "/sys/kernel/security/\n/var/lib/aegis/\n/run/aegis/\n");
        g_assert_cmpint(try_open(0, "/var/lib/aegis/state"), ==, EPERM);
        kill_service();
        start_service();
        assert_property("Posture", "s", "enforcing");
        g_assert_cmpint(try_open(0, "/var/lib/aegis/state"), ==, EPERM);
        g_assert_cmpint(try_open(0, "/sys/kernel/btf/vmlinux"), ==, EPERM);
        client_removes("harsh");
        g_assert_cmpint(try_open(0, "/var/lib/aegis/state"), ==, 0);
}

static void test_a_second_service_ends_and_takes_nothing_away(void)
{
        g_auto(Result) second =
                run_as(0, (const char *[]){AEGISD, "--runtime-directory=/run/aegis-second", NULL});

        g_assert_cmpint(second.status, ==, 1);
        assert_property("Posture", "s", "enforcing");
        apply_by_root("after", "version=1\n[deny_path]\n/var/lib/aegis/\n");
        client_removes("after"); /* the service alone can still write its record */
}

static void test_rules_about_the_kernel_keep_neither_service_nor_client_out(void)
{
        g_auto(Result) status = {};

        apply_by_root("kernel", "version=7\n[deny]\nkernel:ptrace\nkernel:module\nkernel:kexec\n"
                                "kernel:bpf\nkernel:mount\n");
        status = client("status");
        g_assert_cmpint(status.status, ==, 0);
        kill_service();
        start_service();
        assert_property("Posture", "s", "enforcing");
        apply_by_root("kernel-2", "version=7\n[deny]\nfile:/none\nnet:bind:*:99/tcp\n");
        client_removes("kernel-2");
        client_removes("kernel");
}

static void test_an_adopted_policy_can_be_changed_and_removed(void)
{
        apply_by_root("web", "version=1\n[deny_path]\n/srv/neighbour\n");
        g_assert_cmpint(try_open(ALICE, "/srv/secret"), ==, 0);
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, EPERM);
        client_removes("web");
        g_assert_cmpint(try_open(ALICE, "/srv/neighbour"), ==, 0);
}

/* ---- */

static void make_scene(void)
{
        struct stat st;

        for (const char *const *path = (const char *[]){"/srv/secret", "/srv/vault/deep/file",
                                                        "/srv/by-inode", "/srv/neighbour", NULL};
             *path; path++)
                make_file(*path);
        g_assert_cmpint(chmod("/srv", 0755), ==, 0);
        g_assert_cmpint(stat("/srv/by-inode", &st), ==, 0);
        g_mkdir_with_parents("/sys/fs/cgroup/trusted/inner", 0755);
        g_mkdir_with_parents("/sys/fs/cgroup/other", 0755);
        document =
                g_strdup_printf("version=1\n"
                                "[deny_path]\n/srv/secret\n/srv/vault/\n/srv/future\n"
                                "[deny_inode]\n%u:%lu\n"
                                "[deny_ip]\n127.0.0.66\n"
                                "[deny_cidr]\n127.7.0.0/16\n2001:db8::/32\n"
                                "[deny_port]\n4242\n"
                                "[deny_ip_port]\n127.0.0.1:4343:udp\n[::1]:4344\n"
                                "[allow_cgroup]\n/trusted\n",
                                (unsigned) (major(st.st_dev) << 20 | minor(st.st_dev)), st.st_ino);
}

#define ADD(name) g_test_add_func("/main-job/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        make_scene();
        ADD(the_service_proves_its_tier_and_takes_its_name);
        ADD(an_unprivileged_apply_is_refused_and_changes_nothing);
        ADD(with_a_polkit_rule_the_same_call_succeeds);
        ADD(root_succeeds_and_an_equal_document_changes_nothing);
        ADD(every_hook_a_rule_needs_is_attached);
        ADD(ruled_files_are_denied_to_users_and_to_root);
        ADD(ruled_addresses_and_ports_are_denied_in_both_families);
        ADD(neighbouring_addresses_and_ports_are_not);
        ADD(a_process_in_an_allowed_cgroup_is_free);
        ADD(audit_mode_records_and_allows);
        ADD(a_faulty_document_is_refused_with_each_fault_and_the_old_stays);
        ADD(a_stale_expect_is_a_generation_mismatch);
        ADD(the_client_shows_it_to_people_and_to_programs);
        ADD(a_plan_says_what_apply_would_do_and_does_nothing);
        ADD(events_can_be_followed);
        ADD(a_second_policy_adds_its_rules_and_is_removed_alone);
        ADD(a_single_rule_denies_at_once_and_no_longer_once_it_is_removed);
        ADD(a_single_rule_ends_with_its_time);
        ADD(an_exception_is_for_one_program_and_user_alone);
        ADD(an_exception_ends_by_itself);
        ADD(rules_hold_in_a_file_system_that_is_mounted_later);
        ADD(kill_9_leaves_it_denied_and_a_new_service_adopts_it_without_a_gap);
        ADD(no_rule_keeps_the_next_service_from_starting);
        ADD(a_second_service_ends_and_takes_nothing_away);
        ADD(rules_about_the_kernel_keep_neither_service_nor_client_out);
        ADD(an_adopted_policy_can_be_changed_and_removed);
        return g_test_run();
}
