/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Callers that are killed at a random moment, while they connect, call, or wait for an answer: what
 * they asked for is not done, even if polkit's yes comes late, and nothing of them is left. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stand-in.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define TIMES 1000u
#define FIRST 100u /* after which memory and descriptors are as they will be */
#define GROWTH_MAX_KB 512
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED 1 /* which keeps what is freed for a while */
#else
#define IS_SANITIZED 0
#endif

/* The caller: a process that is nothing but that. */
static void be_caller(uid_t uid)
{
        sd_bus_message *m = NULL;
        sd_bus *bus = NULL;
        const char *address = "unix:path=/run/dbus/system_bus_socket";

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (close_range(3, ~0u, 0) < 0 || setresuid(uid, uid, uid) < 0 || sd_bus_new(&bus) < 0 ||
            sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, 1) < 0 ||
            sd_bus_start(bus) < 0)
                _exit(1);
        m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Apply");
        if (sd_bus_message_set_allow_interactive_authorization(m, 1) < 0 ||
            sd_bus_message_append(m, "ssasta{sv}", "web", DOCUMENT, 0, LAB_ANY, 0) < 0)
                _exit(1);
        sd_bus_call(bus, m, UINT64_MAX, NULL, NULL);
        pause();
        _exit(0);
}

static pid_t start_caller(uid_t uid)
{
        pid_t pid = fork();

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0)
                be_caller(uid);
        return pid;
}

static void kill_caller(pid_t pid)
{
        int status;

        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFSIGNALED(status));
}

static void turn_until(Lab *lab, gint64 moment)
{
        gint64 now;

        while ((now = g_get_monotonic_time()) < moment)
                g_assert_cmpint(sd_event_run(lab->loop, (uint64_t) (moment - now)), >=, 0);
}

/* How long it takes from a caller's birth to the question. */
static gint64 time_to_question(Lab *lab, StandIn *polkit)
{
        gint64 start = g_get_monotonic_time();
        pid_t pid = start_caller(LAB_USER);

        stand_in_wait(polkit);
        start = g_get_monotonic_time() - start;
        kill_caller(pid);
        return start;
}

static void wait_until_taken_back(Lab *lab, StandIn *polkit)
{
        lab_settle(lab);
        while (polkit->n_cancelled < polkit->n_asked) {
                polkit->is_cancelled = 0;
                lab_until(lab, &polkit->is_cancelled);
        }
}

static void kill_some(Lab *lab, StandIn *polkit, unsigned n, gint64 usual)
{
        for (unsigned i = 0; i < n; i++) {
                pid_t pid = start_caller(LAB_USER + i % LAB_USERS);

                turn_until(lab, g_get_monotonic_time() +
                                        g_test_rand_int_range(0, (gint32) (usual * 3 / 2)));
                kill_caller(pid);
                wait_until_taken_back(lab, polkit);
                stand_in_answer(polkit, STAND_IN_YES); /* too late, to the last there was */
        }
        lab_settle(lab);
}

static void test_a_thousand_callers_killed_at_any_moment_leave_nothing(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        gint64 usual = time_to_question(lab, polkit);
        unsigned n_descriptors;
        unsigned long kb;

        wait_until_taken_back(lab, polkit);
        kill_some(lab, polkit, FIRST, usual);
        n_descriptors = lab_descriptors(lab);
        kb = lab_resident_kb(lab);
        kill_some(lab, polkit, TIMES - FIRST, usual);
        g_test_message("%u of %u had asked, memory %lu kB before, %lu kB after", polkit->n_asked,
                       TIMES, kb, lab_resident_kb(lab));
        g_assert_cmpuint(polkit->n_asked, >, TIMES / 10);
        g_assert_cmpuint(polkit->n_asked, <, TIMES);
        g_assert_cmpint(lab_generation(lab), ==, 0);
        g_assert_cmpuint(lab_descriptors(lab), ==, n_descriptors);
        if (!IS_SANITIZED)
                g_assert_cmpuint(lab_resident_kb(lab), <=, kb + GROWTH_MAX_KB);
        stand_in_free(polkit);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(a_thousand_callers_killed_at_any_moment_leave_nothing),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
