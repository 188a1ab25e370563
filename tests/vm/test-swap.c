/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Swap: policies are put in force one after the other while others look. What is ruled in each of
 * them is denied at every moment, what is ruled in none is never. `-m slow` has a thousand. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"

#define PINS "/run/aegis-test/bpf"

/* Returns errno of one try. */
typedef int (*TryFunc)(const char *what);

typedef struct Counts {
        uint64_t denied, leaked, allowed, wrongly_denied;
} Counts;

/* A child that tries two things again and again: one that must be denied, one that must not. */
typedef struct Watcher {
        TryFunc try;
        const char *ruled, *neighbour;
        int stop_fd, result_fd;
        pid_t pid;
} Watcher;

static int open_file(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return errno;
        close(fd);
        return 0;
}

/* Nobody listens: what is not denied is refused by the other end. */
static int connect_to(const char *address)
{
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7777)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        inet_pton(AF_INET, address, &to.sin_addr);
        r = connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0 ? errno : 0;
        close(fd);
        return r == ECONNREFUSED ? 0 : r;
}

static void watch(const Watcher *watcher)
{
        struct pollfd stop = {.fd = watcher->stop_fd, .events = POLLIN};
        Counts counts = {};

        do {
                if (watcher->try(watcher->ruled) == EPERM)
                        counts.denied++;
                else
                        counts.leaked++;
                if (watcher->try(watcher->neighbour) == 0)
                        counts.allowed++;
                else
                        counts.wrongly_denied++;
        } while (poll(&stop, 1, 0) == 0);
        _exit(write(watcher->result_fd, &counts, sizeof(counts)) != sizeof(counts));
}

static void watcher_start(Watcher *watcher)
{
        int stop[2], result[2];

        g_assert_cmpint(pipe2(stop, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(result, O_CLOEXEC), ==, 0);
        watcher->pid = fork();
        g_assert_cmpint(watcher->pid, >=, 0);
        if (watcher->pid == 0) {
                close(stop[1]);
                watcher->stop_fd = stop[0];
                watcher->result_fd = result[1];
                watch(watcher);
        }
        close(stop[0]);
        close(result[1]);
        watcher->stop_fd = stop[1];
        watcher->result_fd = result[0];
}

static void watcher_stop(Watcher *watcher, unsigned n_swaps)
{
        Counts counts = {};

        /* The end of the pipe would not do: a child that came later holds it open, too. */
        g_assert_cmpint(write(watcher->stop_fd, "", 1), ==, 1);
        close(watcher->stop_fd);
        g_assert_cmpint(read(watcher->result_fd, &counts, sizeof(counts)), ==, sizeof(counts));
        g_assert_cmpint(waitpid(watcher->pid, NULL, 0), ==, watcher->pid);
        close(watcher->result_fd);
        g_test_message("%s: denied %" G_GUINT64_FORMAT ", leaked %" G_GUINT64_FORMAT
                       "; %s: allowed %" G_GUINT64_FORMAT ", denied %" G_GUINT64_FORMAT,
                       watcher->ruled, counts.denied, counts.leaked, watcher->neighbour,
                       counts.allowed, counts.wrongly_denied);
        g_assert_cmpuint(counts.denied, >, n_swaps);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.wrongly_denied, ==, 0);
}

/* Rules beside those that are watched: another number of them each time, so that every node, list
 * and rule has another number in the kernel than before; now and then classes of rules come and go,
 * and their hooks with them, which takes an emulated processor a second. */
static char *policy_number(unsigned i)
{
        GString *text = g_string_new("[deny_path]\n");

        for (unsigned j = 0; j < i * 7 % 40; j++)
                g_string_append_printf(text, "/t/a/other%u\n/t/b%u/\n", j, j);
        g_string_append(text, "/t/a/secret\n[deny_ip]\n127.0.0.9\n");
        for (unsigned j = 0; j < i * 3 % 20; j++)
                g_string_append_printf(text, "127.0.1.%u\n", j);
        if (i % 50 == 0)
                g_string_append(text, "[deny_port]\n4444:tcp:bind\n");
        if (i % 70 == 0)
                g_string_append(text, "[deny_ptrace]\n");
        if (i % 110 == 0)
                g_string_append(text, "[deny_comm]\nnobody-runs-me\n");
        return g_string_free(text, FALSE);
}

static void swap(unsigned i)
{
        g_autofree char *text = policy_number(i);

        apply(text);
}

static void swap_while_others_look(unsigned n_swaps)
{
        Watcher opener = {.try = open_file, .ruled = "/t/a/secret", .neighbour = "/t/a/public"};
        Watcher connector = {.try = connect_to, .ruled = "127.0.0.9", .neighbour = "127.0.0.10"};

        make_file("/t/a/secret");
        make_file("/t/a/public");
        swap(0);
        watcher_start(&opener);
        watcher_start(&connector);
        for (unsigned i = 1; i <= n_swaps; i++)
                swap(i);
        watcher_stop(&opener, n_swaps);
        watcher_stop(&connector, n_swaps);
}

static void test_a_hundred_swaps_leak_nothing_and_deny_no_neighbour(void)
{
        swap_while_others_look(100);
}

static void test_a_thousand_swaps_leak_nothing_and_deny_no_neighbour(void)
{
        swap_while_others_look(1000);
}

/* Each asks for something that no policy before it did. */
static const char *const growths[] = {
        "file:/t/grown uid=7\n",
        "file:/t/grown exe=/usr/bin/nothing\n",
        "file:/t/grown cgroup=/nowhere\n",
        "comm:nobody-runs-me\n",
        "file:/t/grown identity=verified\n",
};

static void grow(size_t n)
{
        GString *text = g_string_new("version=7\n");

        /* The neighbour hangs on what the first programs know nothing of. */
        if (n > 0)
                g_string_append(text, "[allow]\nfile:/t/a/public uid=0\n");
        g_string_append(text, "[deny]\nfile:/t/a/secret\nnet:connect:127.0.0.9\n");
        if (n > 0)
                g_string_append(text, "file:/t/a/public\n");
        for (size_t i = 0; i < n; i++)
                g_string_append(text, growths[i]);
        apply(text->str);
        g_string_free(text, TRUE);
}

static int hold(const char *link)
{
        g_autofree char *path = g_strdup_printf(PINS "/abi%u/%s", AEGIS_ABI, link);
        int fd = bpf_obj_get(path);

        g_assert_cmpint(fd, >=, 0);
        return fd;
}

/* One of the first programs is held where it is, as by whoever has its link a moment longer. */
static void test_programs_that_know_more_replace_others_without_a_gap(void)
{
        Watcher opener = {.try = open_file, .ruled = "/t/a/secret", .neighbour = "/t/a/public"};
        Watcher connector = {.try = connect_to, .ruled = "127.0.0.9", .neighbour = "127.0.0.10"};
        int held;

        make_file("/t/a/secret");
        make_file("/t/a/public");
        grow(0);
        held = hold("link_file_open");
        watcher_start(&opener);
        watcher_start(&connector);
        for (size_t n = 1; n <= G_N_ELEMENTS(growths); n++)
                grow(n);
        watcher_stop(&opener, G_N_ELEMENTS(growths));
        watcher_stop(&connector, G_N_ELEMENTS(growths));
        close(held);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        /* First, while nothing was ever asked for. */
        g_test_add_func("/swap/programs_that_know_more_replace_others_without_a_gap",
                        test_programs_that_know_more_replace_others_without_a_gap);
        g_test_add_func("/swap/a_hundred_swaps_leak_nothing_and_deny_no_neighbour",
                        test_a_hundred_swaps_leak_nothing_and_deny_no_neighbour);
        if (g_test_slow())
                g_test_add_func("/swap/a_thousand_swaps_leak_nothing_and_deny_no_neighbour",
                                test_a_thousand_swaps_leak_nothing_and_deny_no_neighbour);
        return g_test_run();
}
