/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is enforced outlives the service: killed at any moment, replaced by another build, attacked
 * by root, while somebody tries to read the denied file without a pause. Runs in a virtual machine
 * as root, with the product installed and the bus running. The tests follow one another. `-m slow`
 * kills a thousand times. */
#include <glib.h>

#include <fcntl.h>
#include <glob.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"
#include "guest-acts.h"
#include "guest-counts.h"
#include "guest-store.h"

#define AEGISD "/usr/libexec/aegisd"
#define FIRST_BUILD "/run/aegisd-first"
#define OTHER_BUILD "/usr/libexec/aegis-tests/aegisd-next" /* its maps are of another layout */
#define STRANGE_BUILD "/usr/libexec/aegis-tests/aegisd-stranger" /* those of events too */
#define PINS "/run/aegis/bpf"
#define SETTINGS "/etc/aegis/aegisd.conf.d"
#define UNGUARDED SETTINGS "/50-unguarded.conf"
#define SECRET "/srv/secret"
#define NEIGHBOUR "/srv/neighbour"
#define ALICE 1000u
#define N_KILLS 6
#define N_KILLS_SLOW 1000
#define N_UPGRADES 1
#define N_UPGRADES_SLOW 20
#define N_WAITING 100u

/* A cgroup of its own: the service guards itself from signals, and this is the way to kill it. */
#define CGROUP "/sys/fs/cgroup/aegisd"

static GPid service;
static int notify_fd;
static int has_store;     /* as under systemd */
static gint64 start_usec; /* from the start of a service to its READY=1 */

static void write_to_cgroup(const char *name, int number)
{
        g_autofree char *path = g_strdup_printf(CGROUP "/%s", name);
        FILE *file = fopen(path, "we");

        g_assert_nonnull(file);
        g_assert_cmpint(fprintf(file, "%d", number), >, 0);
        g_assert_cmpint(fclose(file), ==, 0);
}

static void kill_service(void)
{
        write_to_cgroup("cgroup.kill", 1);
        g_assert_cmpint(waitpid(service, NULL, 0), ==, service);
}

/* Where services say that they are ready, as to systemd. */
static void open_notify_socket(void)
{
        const struct timeval patience = {.tv_sec = 300};
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/life"};

        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(bind(notify_fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
        g_assert_cmpint(setsockopt(notify_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
                        ==, 0);
        g_setenv("NOTIFY_SOCKET", address.sun_path, TRUE);
}

static ssize_t read_notice(char *text, size_t n, int flags)
{
        ssize_t size = store_receive(notify_fd, text, n, flags);

        if (!has_store)
                store_empty();
        return size;
}

static void forget_notices(void)
{
        char text[4096];

        while (read_notice(text, sizeof(text), MSG_DONTWAIT) >= 0)
                ;
}

static void start_service(void)
{
        forget_notices();
        service = fork();
        g_assert_cmpint(service, >=, 0);
        if (service == 0) {
                store_hand_over();
                execl(AEGISD, AEGISD, NULL);
                _exit(127);
        }
        g_mkdir_with_parents(CGROUP, 0755);
        write_to_cgroup("cgroup.procs", service);
}

static void await_ready(void)
{
        char text[4096] = "";

        while (!strstr(text, "READY=1")) {
                ssize_t n = read_notice(text, sizeof(text), 0);

                g_assert_cmpint(n, >, 0);
        }
}

static void start_whole_service(void)
{
        gint64 before = g_get_monotonic_time();

        start_service();
        await_ready();
        start_usec = g_get_monotonic_time() - before;
}

static void run_client(const char *verb, const char *argument)
{
        const char *argv[] = {"aegis-client", verb, argument, NULL};
        g_autofree char *out = NULL, *err = NULL;
        int status;

        g_assert_true(g_spawn_sync("/", (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                                   &err, &status, NULL));
        g_assert_cmpstr(err, ==, "");
        g_assert_cmpint(status, ==, 0);
}

static int folder_exists(unsigned abi)
{
        g_autofree char *path = g_strdup_printf(PINS "/abi%u/link_file_open", abi);

        return access(path, F_OK) == 0;
}

static void assert_held(Prober *prober, uint64_t n_least)
{
        ProberCounts counts = prober_stop(prober);

        g_test_message("%" G_GUINT64_FORMAT " probes denied, %" G_GUINT64_FORMAT " passed",
                       counts.denied, counts.leaked);
        g_assert_cmpuint(counts.denied, >, n_least);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.wrongly_denied, ==, 0);
}

/* ---- killed ---- */

static void test_a_policy_is_in_force(void)
{
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
        start_whole_service();
        g_assert_true(g_file_set_contents("/run/life.policy",
                                          "version=7\n[deny]\nfile:" SECRET "\n", -1, NULL));
        run_client("apply", "/run/life.policy");
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
}

/* Also while it starts: moments are spread over a start and a little more. */
static void test_killed_at_any_moment_nothing_passes(void)
{
        int n = g_test_slow() ? N_KILLS_SLOW : N_KILLS;
        Prober prober = {};

        kill_service();
        start_whole_service(); /* as long as one takes that finds what is in force */
        prober_start(&prober, SECRET, NEIGHBOUR);
        for (int i = 0; i < n; i++) {
                kill_service();
                start_service();
                g_usleep((gulong) (start_usec * 5 / 4 * g_test_rand_int_range(0, 1000) / 1000));
        }
        kill_service();
        start_whole_service();
        assert_held(&prober, (uint64_t) n);
        g_assert_cmpint(try_open(0, SECRET), ==, EPERM);
}

/* ---- attacked ---- */

static int use_bpf(int command, union bpf_attr *attributes)
{
        return (int) syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* Everything below the pins, whatever it is called. */
static void each_pin(void (*act)(const char *path))
{
        glob_t found;

        if (glob(PINS "/abi*/*", 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++)
                        act(found.gl_pathv[i]);
        globfree(&found);
}

static void unlink_pin(const char *path)
{
        unlink(path);
}

static void move_pin(const char *path)
{
        rename(path, PINS "/elsewhere");
}

/* A link can be asked to let go, a map to forget what is in it. */
static void spoil(int fd)
{
        union bpf_attr detach = {.link_detach.link_fd = (unsigned) fd};
        uint64_t zeros[512] = {};
        uint32_t key = 0;
        union bpf_attr update = {
                .map_fd = (unsigned) fd, .key = (uintptr_t) &key, .value = (uintptr_t) zeros};

        use_bpf(BPF_LINK_DETACH, &detach);
        use_bpf(BPF_MAP_UPDATE_ELEM, &update);
        close(fd);
}

static void spoil_pin(const char *path)
{
        union bpf_attr get = {.pathname = (uintptr_t) path};
        int fd = use_bpf(BPF_OBJ_GET, &get);

        if (fd >= 0)
                spoil(fd);
}

static void spoil_all(int next, int get)
{
        union bpf_attr found = {}, wanted = {};

        while (use_bpf(next, &found) == 0) {
                int fd;

                wanted.map_id = found.start_id = found.next_id;
                fd = use_bpf(get, &wanted);
                if (fd >= 0)
                        spoil(fd);
        }
}

static void unlink_the_pins(void)
{
        each_pin(unlink_pin);
}

static void move_the_pins(void)
{
        each_pin(move_pin);
}

static void spoil_by_pin(void)
{
        each_pin(spoil_pin);
}

static void unmount(void)
{
        umount2(PINS, MNT_DETACH);
        mount("tmpfs", PINS, "tmpfs", 0, NULL);
}

static void spoil_maps_by_number(void)
{
        spoil_all(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
}

static void spoil_links_by_number(void)
{
        spoil_all(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
}

static void trace(void)
{
        if (ptrace(PTRACE_SEIZE, service, NULL, NULL) == 0)
                ptrace(PTRACE_DETACH, service, NULL, SIGKILL);
}

static void stop(void)
{
        kill(service, SIGSTOP);
        kill(service, SIGKILL);
}

static void switch_tracing_off(void)
{
        int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "0\n", 2) < 0)
                errno = 0; /* as it should be */
        close(fd);
}

static int act(const void *attack)
{
        (*(void (*const *)(void)) attack)();
        return 0;
}

static void test_nine_attacks_by_root_change_nothing(void)
{
        static void (*const attacks[])(void) = {
                unlink_the_pins,      move_the_pins,         spoil_by_pin, unmount,
                spoil_maps_by_number, spoil_links_by_number, trace,        stop,
                switch_tracing_off,
        };
        Prober prober = {};

        prober_start(&prober, SECRET, NEIGHBOUR);
        for (size_t i = 0; i < G_N_ELEMENTS(attacks); i++) {
                child_errno(act, &attacks[i]);
                g_assert_cmpint(try_open(0, SECRET), ==, EPERM);
                g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
                g_assert_cmpint(kill(service, 0), ==, 0);
        }
        assert_held(&prober, G_N_ELEMENTS(attacks));
        run_client("status", NULL);
}

/* The same, when nobody is there to mend anything. */
static void test_nor_do_they_when_the_service_is_away(void)
{
        static void (*const attacks[])(void) = {
                unlink_the_pins,      move_the_pins,         spoil_by_pin,       unmount,
                spoil_maps_by_number, spoil_links_by_number, switch_tracing_off,
        };
        Prober prober = {};

        kill_service();
        prober_start(&prober, SECRET, NEIGHBOUR);
        for (size_t i = 0; i < G_N_ELEMENTS(attacks); i++) {
                child_errno(act, &attacks[i]);
                g_assert_cmpint(try_open(0, SECRET), ==, EPERM);
        }
        start_whole_service();
        assert_held(&prober, G_N_ELEMENTS(attacks));
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
}

/* ---- replaced ---- */

/* As a package does it: the new file takes the place of the old one. */
static void install_build(const char *path)
{
        g_autofree char *bytes = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        g_assert_true(
                g_file_set_contents_full(AEGISD ".dpkg-new", bytes, (gssize) n, 0, 0755, NULL));
        g_assert_cmpint(rename(AEGISD ".dpkg-new", AEGISD), ==, 0);
}

static void upgrade(const char *build, unsigned from, unsigned to)
{
        install_build(build);
        kill_service();
        start_whole_service();
        g_assert_true(folder_exists(to));
        g_assert_false(folder_exists(from));
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
        g_assert_cmpint(try_open(ALICE, NEIGHBOUR), ==, 0);
}

static void test_a_build_with_other_maps_takes_over_without_a_gap_and_so_does_the_one_before(void)
{
        int n = g_test_slow() ? N_UPGRADES_SLOW : N_UPGRADES;
        Prober prober = {};

        prober_start(&prober, SECRET, NEIGHBOUR);
        for (int i = 0; i < n; i++) {
                upgrade(OTHER_BUILD, AEGIS_ABI, ABI_OF_NEXT);
                upgrade(FIRST_BUILD, ABI_OF_NEXT, AEGIS_ABI);
        }
        assert_held(&prober, (uint64_t) n);
}

/* No two that follow each other are the same, so that each has a record. */
static int act_waiting(const void *path)
{
        for (unsigned i = 0; i < N_WAITING; i++)
                if (open(path, i % 2 ? O_RDONLY : O_WRONLY) >= 0 || errno != EPERM)
                        return (errno = EBADE, -1);
        return 0;
}

/* What is denied while no service is there waits in the rings; the prober goes on all the time. */
static void upgrade_over_events(const char *build, unsigned abi)
{
        uint64_t n_records = records();

        install_build(build);
        kill_service();
        g_assert_cmpint(child_errno(act_waiting, SECRET), ==, 0);
        start_whole_service();
        g_assert_true(folder_exists(abi));
        g_assert_cmpuint(records(), >=, n_records + N_WAITING);
}

static void test_counters_and_what_waits_go_on_over_builds_with_other_maps(void)
{
        uint64_t hits = hits_of("file:" SECRET), lost = total("Lost");
        ProberCounts counts;
        Prober prober = {};

        assert_all_accounted();
        prober_start(&prober, SECRET, NEIGHBOUR);
        upgrade_over_events(OTHER_BUILD, ABI_OF_NEXT);
        upgrade_over_events(FIRST_BUILD, AEGIS_ABI);
        counts = prober_stop(&prober);
        assert_all_accounted();
        g_assert_cmpuint(hits_of("file:" SECRET) - hits, ==, counts.denied + 2 * N_WAITING);
        g_assert_cmpuint(total("Lost"), ==, lost);
}

static void test_what_waits_for_a_build_that_cannot_read_it_is_lost_and_counted(void)
{
        uint64_t hits = hits_of("file:" SECRET), lost = total("Lost"), told = total("Delivered");
        ProberCounts counts;
        Prober prober = {};

        prober_start(&prober, SECRET, NEIGHBOUR);
        upgrade_over_events(STRANGE_BUILD, ABI_OF_STRANGER);
        g_assert_cmpuint(total("Lost"), >=, lost + N_WAITING);
        lost = total("Lost");
        upgrade_over_events(FIRST_BUILD, AEGIS_ABI);
        g_assert_cmpuint(total("Lost"), >=, lost + N_WAITING);
        counts = prober_stop(&prober);
        assert_all_accounted();
        g_assert_cmpuint(total("Delivered"), >=, told);
        g_assert_cmpuint(hits_of("file:" SECRET) - hits, ==, counts.denied + 2 * N_WAITING);
}

static void remove_all(const char *pattern)
{
        glob_t found;

        if (glob(pattern, 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++)
                        remove(found.gl_pathv[i]);
        globfree(&found);
}

static void take_the_pins_away(void)
{
        remove_all(PINS "/*/*/*");
        remove_all(PINS "/*/*");
        remove_all(PINS "/*");
        g_assert_false(folder_exists(AEGIS_ABI));
}

static void start_unguarded(void)
{
        g_mkdir_with_parents(SETTINGS, 0755);
        g_assert_true(g_file_set_contents(UNGUARDED, "[Enforcer]\nProtectSelf=no\n", -1, NULL));
        kill_service();
        start_whole_service();
}

static void start_guarded(const char *build)
{
        unlink(UNGUARDED);
        install_build(build);
        kill_service();
        start_whole_service();
}

/* The store of descriptors alone is left of what is enforced, and the next build cannot read it. */
static void test_without_pins_another_build_leaves_no_gap_and_counts_anew(void)
{
        ProberCounts counts;
        Prober prober = {};

        has_store = 1;
        start_unguarded();
        g_assert_cmpuint(hits_of("file:" SECRET), >, 0);
        g_assert_cmpuint(total("Emitted"), >, 0);
        prober_start(&prober, SECRET, NEIGHBOUR);
        take_the_pins_away();
        start_guarded(OTHER_BUILD);
        g_assert_true(folder_exists(ABI_OF_NEXT));
        g_assert_false(folder_exists(AEGIS_ABI));
        g_assert_cmpint(try_open(ALICE, NEIGHBOUR), ==, 0);
        counts = prober_stop(&prober);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.denied, >, 0);
        g_assert_cmpuint(hits_of("file:" SECRET), <=, counts.denied);
        g_assert_cmpuint(total("Emitted"), <=, counts.denied);
        start_guarded(FIRST_BUILD);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
        has_store = 0;
        forget_notices();
        store_empty();
}

/* What was in force is let go by the one that took over. */
static void test_what_was_taken_over_can_be_removed(void)
{
        run_client("remove", "life");
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
}

static void keep_first_build(void)
{
        g_autofree char *bytes = NULL;
        gsize size;

        g_assert_true(g_file_get_contents(AEGISD, &bytes, &size, NULL));
        g_assert_true(g_file_set_contents(FIRST_BUILD, bytes, (gssize) size, NULL));
}

#define ADD(name) g_test_add_func("/life/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        make_file(SECRET);
        make_file(NEIGHBOUR);
        chmod(SECRET, 0644);
        chmod(NEIGHBOUR, 0644);
        keep_first_build();
        open_notify_socket();
        ADD(a_policy_is_in_force);
        ADD(killed_at_any_moment_nothing_passes);
        ADD(nine_attacks_by_root_change_nothing);
        ADD(nor_do_they_when_the_service_is_away);
        ADD(a_build_with_other_maps_takes_over_without_a_gap_and_so_does_the_one_before);
        ADD(counters_and_what_waits_go_on_over_builds_with_other_maps);
        ADD(what_waits_for_a_build_that_cannot_read_it_is_lost_and_counted);
        ADD(without_pins_another_build_leaves_no_gap_and_counts_anew);
        ADD(what_was_taken_over_can_be_removed);
        return g_test_run();
}
