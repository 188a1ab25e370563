/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An emergency in the kernel: what is denied is recorded meanwhile, and denied again once its time
 * is over, also when nobody is there to end it. */
#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <time.h>

#include "guest-acts.h"
#include "guest-backend.h"

#define SECRET "/srv/emergency/secret"
#define PORT 7788
#define ALICE 1000u
#define SECOND 1000000000ull

#define PINS "/run/aegis-test/bpf"

static int act_make_folder(const void *path)
{
        return mkdir(path, 0700);
}

static uint64_t boot_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t) now.tv_sec * SECOND + (uint64_t) now.tv_nsec;
}

static void put_in_force(void)
{
        make_file(SECRET);
        apply("[deny_path]\n" SECRET "\n[deny_port]\n7788:tcp:bind\n");
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", PORT), ==, EPERM);
}

static void test_what_is_denied_is_recorded_in_an_emergency(void)
{
        const struct event *event;

        put_in_force();
        take_events();
        backend_set_emergency(backend, boot_ns() + 600 * SECOND);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
        take_events();
        event = last_event();
        g_assert_cmpint(event->verdict, ==, VERDICT_AUDITED);
        g_assert_cmpint(event->emergency, ==, 1);
        g_assert_cmpint(event->hook, ==, HOOK_FILE_OPEN);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", PORT), ==, 0);
        backend_set_emergency(backend, 0);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", PORT), ==, EPERM);
}

/* The pins of what is enforced are guarded all the same. */
static void test_the_service_is_guarded_in_an_emergency(void)
{
        put_in_force();
        backend_set_emergency(backend, boot_ns() + 600 * SECOND);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
        g_assert_cmpint(child_errno(act_make_folder, PINS "/abi99"), ==, EPERM);
        backend_set_emergency(backend, 0);
}

static void test_an_emergency_ends_though_the_service_is_gone(void)
{
        uint64_t end;

        put_in_force();
        end = boot_ns() + 5 * SECOND;
        backend_set_emergency(backend, end);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
        backend = backend_free(backend);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, 0);
        while (boot_ns() <= end)
                g_usleep(100 * 1000);
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
        g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", PORT), ==, EPERM);
        backend = start_backend();
        g_assert_cmpint(try_open(ALICE, SECRET), ==, EPERM);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        g_test_add_func("/emergency/recorded", test_what_is_denied_is_recorded_in_an_emergency);
        g_test_add_func("/emergency/guard", test_the_service_is_guarded_in_an_emergency);
        g_test_add_func("/emergency/end", test_an_emergency_ends_though_the_service_is_gone);
        return g_test_run();
}
