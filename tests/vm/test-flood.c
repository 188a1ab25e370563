/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A flood of denials, a service that does not read or is killed in the midst of it, and one denial
 * that matters: each is delivered, suppressed or counted as lost, and the one is found. Runs in a
 * virtual machine as root, with the product installed, dbus-daemon and polkitd running. */
#include <glib.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-counts.h"
#include "guest-service.h"

#define EVENTS NAME ".Events"
#define CGROUP "/sys/fs/cgroup/aegisd" /* of the service: see guest-service.c */
#define N_QUICK 20000u
#define N_SLOW 1000000u

/* The service guards itself from signals: its cgroup is the way to have it stand still. */
static void freeze_service(const char *state)
{
        FILE *file = fopen(CGROUP "/cgroup.freeze", "we");

        g_assert_nonnull(file);
        g_assert_cmpint(fputs(state, file), >=, 0);
        g_assert_cmpint(fclose(file), ==, 0);
}

/* ---- the flood ---- */

static unsigned n_flood(void)
{
        return g_test_slow() ? N_SLOW : N_QUICK;
}

static int act_same(const void *path)
{
        for (unsigned i = 0; i < n_flood(); i++)
                if (open(path, O_RDONLY) >= 0 || errno != EPERM)
                        return (errno = EBADE, -1);
        return 0;
}

/* None is like the one before, so that none is folded. */
static int open_differently(const char *path, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (open(path, i % 2 ? O_RDONLY : O_WRONLY) >= 0 || errno != EPERM)
                        return (errno = EBADE, -1);
        return 0;
}

static int act_different(const void *path)
{
        return open_differently(path, n_flood());
}

static int act_a_thousand(const void *path)
{
        return open_differently(path, 1000);
}

static void assert_in_events(const char *path)
{
        g_autofree char *option = g_strdup_printf("--path=%s", path);
        g_auto(Result) result = client("events", option);

        if (!strstr(result.out, path))
                g_error("no event of %s", path);
}

static void test_the_same_again_hides_nothing_and_none_is_lost(void)
{
        uint64_t lost = total("Lost"), hits = hits_of("/srv/flooded");

        freeze_service("1");
        g_assert_cmpint(child_errno(act_same, "/srv/flooded"), ==, 0);
        g_assert_cmpint(try_open(0, "/srv/marked"), ==, EPERM);
        freeze_service("0");
        assert_all_accounted();
        g_assert_cmpuint(total("Lost"), ==, lost);
        g_assert_cmpuint(hits_of("/srv/flooded") - hits, ==, n_flood());
        assert_in_events("/srv/marked");
}

/* They take no more of a ring than they are long. */
static void test_while_nobody_reads_a_thousand_events_of_short_paths_wait(void)
{
        uint64_t lost = total("Lost"), emitted = total("Emitted");

        freeze_service("1");
        g_assert_cmpint(child_errno(act_a_thousand, "/srv/flooded"), ==, 0);
        freeze_service("0");
        assert_all_accounted();
        g_assert_cmpuint(total("Lost"), ==, lost);
        g_assert_cmpuint(total("Emitted") - emitted, >=, 1000);
}

static void test_of_a_flood_that_nobody_reads_each_is_counted_and_the_one_is_found(void)
{
        uint64_t lost = total("Lost"), hits = hits_of("/srv/flooded");

        freeze_service("1");
        g_assert_cmpint(child_errno(act_different, "/srv/flooded"), ==, 0);
        g_assert_cmpint(try_open(0, "/srv/hidden"), ==, EPERM);
        freeze_service("0");
        assert_all_accounted();
        g_assert_cmpuint(total("Lost") - lost, >, n_flood() / 2);
        g_assert_cmpuint(hits_of("/srv/flooded") - hits, ==, n_flood());
        g_assert_cmpuint(hits_of("/srv/hidden"), ==, 1);
        assert_in_events("/srv/hidden");
}

/* A stream that nobody reads. */
static int open_stream(void)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        uint64_t seq;
        int fd;

        g_assert_cmpint(sd_bus_call_method(guest_bus(), NAME, "/org/aegis/Enforcer/events", EVENTS,
                                           "Open", &error, &reply, "a{sv}", 0),
                        >=, 0);
        g_assert_cmpint(sd_bus_message_read(reply, "ht", &fd, &seq), >=, 0);
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        g_assert_cmpint(fd, >=, 0);
        sd_bus_message_unref(reply);
        return fd;
}

static void test_of_a_flood_with_a_stopped_reader_each_is_delivered_suppressed_or_lost(void)
{
        uint64_t suppressed = total("Suppressed"), delivered = total("Delivered");
        int fd = open_stream();

        g_assert_cmpint(child_errno(act_different, "/srv/flooded"), ==, 0);
        g_assert_cmpint(try_open(0, "/srv/late"), ==, EPERM);
        assert_all_accounted();
        assert_in_events("/srv/late");
        g_assert_cmpuint(total("Suppressed"), ==, suppressed);
        g_assert_cmpuint(total("Delivered"), >, delivered);
        close(fd);
}

static pid_t start_flooding(void)
{
        pid_t pid = fork();

        g_assert_cmpint(pid, >=, 0);
        if (pid > 0)
                return pid;
        /* So that there is time for the service, too, on a slow machine. */
        for (unsigned i = 0;; i++) {
                open("/srv/flooded", i / 64 % 2 ? O_RDONLY : O_WRONLY);
                open("/srv/marked", O_RDONLY);
                g_usleep(1000);
        }
}

static void test_totals_outlive_the_service_that_is_killed(void)
{
        unsigned n = g_test_slow() ? 50 : 3;
        pid_t pid = start_flooding();
        uint64_t before = total("Emitted");

        for (unsigned i = 0; i < n; i++) {
                while (total("Emitted") == before)
                        ;
                kill_service();
                start_service();
                g_assert_cmpuint(total("Emitted"), >=, before);
                before = total("Emitted");
        }
        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
        assert_all_accounted();
}

static void test_the_time_that_hooks_take_is_told_where_that_is_wanted(void)
{
        g_auto(Result) result = client("metrics");
        const char *sample =
                strstr(result.out, "\naegis_hook_run_seconds_total{hook=\"file_open\"} ");

        g_assert_nonnull(sample);
        g_assert_cmpfloat(g_ascii_strtod(strchr(sample, ' '), NULL), >, 0);
        g_assert_nonnull(strstr(result.out, "\n# UNIT aegis_hook_run_seconds seconds\n"));
}

static void set_up(void)
{
        static const char *const files[] = {"/srv/flooded", "/srv/marked", "/srv/hidden",
                                            "/srv/late"};
        GString *text = g_string_new("version=1\n[deny_path]\n");

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                make_file(files[i]);
                g_string_append_printf(text, "%s\n", files[i]);
        }
        /* A new service proves its hooks before it answers. */
        sd_bus_set_method_call_timeout(guest_bus(), 300 * G_USEC_PER_SEC);
        g_mkdir_with_parents("/etc/aegis/aegisd.conf.d", 0755);
        g_assert_true(g_file_set_contents("/etc/aegis/aegisd.conf.d/50-test.conf",
                                          "[Enforcer]\nHookTimes=yes\n", -1, NULL));
        start_service();
        apply_by_root("web", text->str);
        g_string_free(text, TRUE);
}

#define ADD(name) g_test_add_func("/flood/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        set_up();
        ADD(the_same_again_hides_nothing_and_none_is_lost);
        ADD(while_nobody_reads_a_thousand_events_of_short_paths_wait);
        ADD(of_a_flood_that_nobody_reads_each_is_counted_and_the_one_is_found);
        ADD(of_a_flood_with_a_stopped_reader_each_is_delivered_suppressed_or_lost);
        ADD(the_time_that_hooks_take_is_told_where_that_is_wanted);
        ADD(totals_outlive_the_service_that_is_killed);
        return g_test_run();
}
