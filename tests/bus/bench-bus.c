/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the bus costs: figures beside the goals, of one run on one machine, over the twin of the
 * backend. Nothing is asserted of time. --long: a million calls in the last part.
 *
 * The ping that reads are compared with is org.freedesktop.DBus.Peer.Ping of the service, which the
 * bus library answers by itself. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab-bus.h"
#include "stand-in.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define PEER "org.freedesktop.DBus.Peer"
#define MANAGED "org.freedesktop.DBus.ObjectManager"
#define CALLS 2000u
#define TURN 50u
#define CLIENTS 256u
#define PROCESSES 8u

typedef struct Read {
        const char *name, *interface, *member;
        const char *arguments[3]; /* strings */
} Read;

static const Read reads[] = {
        {"Ping", PEER, "Ping", {NULL}},
        {"Get of a property", PROPERTIES, "Get", {LAB_MANAGER, "Generation", NULL}},
        {"GetAll of the Manager", PROPERTIES, "GetAll", {LAB_MANAGER, NULL}},
        {"Can", LAB_MANAGER, "Can", {"plan", NULL}},
        {"GetCapabilities", LAB_MANAGER, "GetCapabilities", {NULL}},
        {"GetMetrics", LAB_MANAGER, "GetMetrics", {NULL}},
        {"GetManagedObjects", MANAGED, "GetManagedObjects", {NULL}},
};

static double now(void)
{
        return (double) g_get_monotonic_time() / 1e6;
}

static sd_bus_message *message(sd_bus *bus, const Read *read)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, read->interface, read->member);

        for (const char *const *argument = read->arguments; *argument; argument++)
                g_assert_cmpint(sd_bus_message_append(m, "s", *argument), >=, 0);
        return m;
}

/* A connection without a loop. */
static sd_bus *connect_as(uid_t uid)
{
        sd_bus *bus = NULL;

        g_assert_cmpint(seteuid(uid), ==, 0);
        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, LAB_ADDRESS), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, 1), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        g_assert_cmpint(seteuid(0), ==, 0);
        return bus;
}

static void call(sd_bus *bus, const Read *read)
{
        sd_bus_message *m = message(bus, read);

        g_assert_cmpint(sd_bus_call(bus, m, 0, NULL, NULL), >=, 0);
        sd_bus_message_unref(m);
}

typedef struct Seconds {
        double ping, read;
} Seconds;

/* By turns, so that both find the machine as busy. */
static Seconds compare(const Read *read, unsigned n)
{
        sd_bus *bus = connect_as(0);
        Seconds seconds = {0, 0};

        for (unsigned i = 0; i < n; i += TURN) {
                double start = now(), between;

                for (unsigned j = 0; j < TURN; j++)
                        call(bus, &reads[0]);
                between = now();
                for (unsigned j = 0; j < TURN; j++)
                        call(bus, read);
                seconds.ping += between - start;
                seconds.read += now() - between;
        }
        sd_bus_flush_close_unref(bus);
        return seconds;
}

static void bench_read(const Read *what, unsigned n_processes, const char *goal)
{
        Seconds all = {0, 0};
        int results[2];

        g_assert_cmpint(pipe(results), ==, 0);
        for (unsigned i = 0; i < n_processes; i++) {
                pid_t pid = fork();

                g_assert_cmpint(pid, >=, 0);
                if (pid == 0) {
                        Seconds mine = compare(what, CALLS / n_processes);

                        _exit(write(results[1], &mine, sizeof(mine)) != sizeof(mine));
                }
        }
        for (unsigned i = 0; i < n_processes; i++) {
                Seconds one;

                g_assert_cmpint(read(results[0], &one, sizeof(one)), ==, sizeof(one));
                g_assert_cmpint(wait(NULL), >, 0);
                all.ping += one.ping / n_processes;
                all.read += one.read / n_processes;
        }
        close(results[0]);
        close(results[1]);
        g_print("  %-24s %6.0f a second, ping %6.0f: %3.0f %%%s\n", what->name, CALLS / all.read,
                CALLS / all.ping, 100 * all.ping / all.read, goal);
}

static void bench_reads(Lab *lab)
{
        static const unsigned n_clients[] = {1, 8};

        for (size_t n = 0; n < G_N_ELEMENTS(n_clients); n++) {
                g_print("reads beside a bare ping, %u at once\n", n_clients[n]);
                for (size_t i = 1; i < G_N_ELEMENTS(reads); i++)
                        bench_read(&reads[i], n_clients[n], i == 1 ? "  (goal 50 %)" : "");
        }
}

/* ---- times ---- */

static int by_size(const void *a, const void *b)
{
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static void say_times(const char *what, double *seconds, unsigned n, const char *goal)
{
        qsort(seconds, n, sizeof(*seconds), by_size);
        g_print("%-42s median %7.2f ms  p99 %7.2f ms  (goal %s)\n", what, 1e3 * seconds[n / 2],
                1e3 * seconds[n * 99 / 100], goal);
}

static char *document(unsigned n_stay, unsigned n_change, unsigned round)
{
        GString *text = g_string_new("version=7\n[deny]\n");

        for (unsigned i = 0; i < n_stay; i++)
                g_string_append_printf(text, "file:/srv/stays/%u\n", i);
        for (unsigned i = 0; i < n_change; i++)
                g_string_append_printf(text, "file:/srv/round%u/%u\n", round, i);
        return g_string_free(text, FALSE);
}

static void bench_apply(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        double seconds[100];

        for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++) {
                sd_bus *user = lab_connect(lab, LAB_USER + i % LAB_USERS);
                char *text = document(1000, 10, i);
                Pending *pending = lab_apply(user, "web", text, SILENT);

                stand_in_wait(polkit);
                seconds[i] = now();
                stand_in_answer(polkit, STAND_IN_YES);
                g_free(lab_expect(lab, pending, NULL));
                seconds[i] = now() - seconds[i];
                g_free(text);
                lab_disconnect(user);
        }
        say_times("Apply, 10 of 1,010 rules, from polkit's yes", seconds, G_N_ELEMENTS(seconds),
                  "5 ms");
        stand_in_free(polkit);
}

/* ---- a flood ---- */

static int on_flooded(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Read *read = userdata;
        sd_bus_message *m = message(sd_bus_message_get_bus(reply), read);

        sd_bus_call_async(sd_bus_message_get_bus(reply), NULL, m, on_flooded, userdata, UINT64_MAX);
        sd_bus_message_unref(m);
        return 0;
}

/* Each connection sends the next call when the last was answered, with whatever. */
static void flood(const Read *read, unsigned n_connections, int ready)
{
        sd_event *loop = NULL;

        g_assert_cmpint(sd_event_new(&loop), >=, 0);
        for (unsigned i = 0; i < n_connections; i++) {
                sd_bus *bus = connect_as(LAB_USER + i % LAB_USERS);
                sd_bus_message *m = message(bus, read);

                g_assert_cmpint(sd_bus_attach_event(bus, loop, 0), >=, 0);
                g_assert_cmpint(
                        sd_bus_call_async(bus, NULL, m, on_flooded, (void *) read, UINT64_MAX), >=,
                        0);
        }
        g_assert_cmpint(write(ready, "", 1), ==, 1);
        sd_event_loop(loop);
}

static void bench_flood_of(Lab *lab, const Read *what)
{
        char *title = g_strdup_printf("root, 256 clients calling %s", what->name);
        double seconds[300];
        pid_t pids[PROCESSES];
        int ready[2];
        char byte;

        g_assert_cmpint(pipe(ready), ==, 0);
        for (unsigned i = 0; i < PROCESSES; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        flood(what, CLIENTS / PROCESSES, ready[1]);
                        _exit(1);
                }
        }
        for (unsigned i = 0; i < PROCESSES; i++)
                g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
        for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++) {
                seconds[i] = now();
                lab_generation(lab);
                seconds[i] = now() - seconds[i];
        }
        for (unsigned i = 0; i < PROCESSES; i++) {
                kill(pids[i], SIGKILL);
                waitpid(pids[i], NULL, 0);
        }
        close(ready[0]);
        close(ready[1]);
        say_times(title, seconds, G_N_ELEMENTS(seconds), "p99 100 ms");
        g_free(title);
}

static void bench_flood(Lab *lab)
{
        for (size_t i = 0; i < G_N_ELEMENTS(reads); i++)
                bench_flood_of(lab, &reads[i]);
}

/* ---- growth ---- */

typedef struct Size {
        unsigned n_descriptors, n_matches;
        unsigned long kb;
} Size;

/* As dbus-daemon counts them; 0 where it does not tell. */
static unsigned n_matches(Lab *lab)
{
        sd_bus_message *reply = NULL;
        uint32_t n = 0;
        const char *key;

        if (sd_bus_call_method(lab->root, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus.Debug.Stats", "GetConnectionStats", NULL,
                               &reply, "s", LAB_NAME) < 0)
                return 0;
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{sv}"), >, 0);
        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                g_assert_cmpint(sd_bus_message_read(reply, "s", &key), >, 0);
                if (strcmp(key, "MatchRules") == 0)
                        g_assert_cmpint(sd_bus_message_read(reply, "v", "u", &n), >, 0);
                else
                        g_assert_cmpint(sd_bus_message_skip(reply, "v"), >=, 0);
                g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
        }
        sd_bus_message_unref(reply);
        return n;
}

static Size size_of_service(Lab *lab)
{
        lab_settle(lab);
        return (Size){lab_descriptors(lab), n_matches(lab), lab_resident_kb(lab)};
}

static void make_calls(Lab *lab, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                sd_bus *user = NULL;

                if (i % 100 == 0) { /* one who comes, is refused, and goes */
                        user = lab_connect(lab, LAB_USER + (i / 100) % LAB_USERS);
                        sd_bus_message_unref(
                                lab_wait(lab, lab_apply(user, LAB_REFUSED, "version=1\n", SILENT)));
                        lab_disconnect(user);
                } else {
                        sd_bus_message *m = message(lab->root, &reads[i % G_N_ELEMENTS(reads)]);

                        g_free(lab_expect(lab, lab_send(m, SILENT), NULL));
                }
        }
}

static void bench_growth(Lab *lab, unsigned n)
{
        Size before, after;

        make_calls(lab, 2000);
        before = size_of_service(lab);
        make_calls(lab, n);
        after = size_of_service(lab);
        g_print("after %u calls: descriptors %u, %u before; matches %u, %u before; memory %lu kB, "
                "%lu "
                "kB before (goal: no more)\n",
                n, after.n_descriptors, before.n_descriptors, after.n_matches, before.n_matches,
                after.kb, before.kb);
}

int main(int argc, char **argv)
{
        unsigned n_calls = argc > 1 && strcmp(argv[1], "--long") == 0 ? 1000000 : 20000;
        const char *why_not;
        Lab *lab = lab_new(LAB_DBUS_DAEMON, &why_not);

        if (!lab) {
                g_print("not measured: %s\n", why_not);
                return 77;
        }
        lab_start(lab);
        bench_reads(lab);
        bench_apply(lab);
        bench_flood(lab);
        bench_growth(lab, n_calls);
        lab_stop(lab);
        lab_free(lab);
        return 0;
}
