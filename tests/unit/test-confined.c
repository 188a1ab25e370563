/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a confined child can and cannot do. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/confined.h"
#include "util/fiber.h"

#ifdef __SANITIZE_ADDRESS__
/* A child that touches what is gone is to be ended by the signal. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
        return "handle_segv=0";
}
#endif

#define ROOM ((size_t) 64 * 1024)
#define MEMORY ((size_t) 32 * 1024 * 1024)
#define LONG_MSEC 60000u

static int run(int (*function)(void *, void *, size_t), void *userdata, uint64_t msec, void **room)
{
        ConfinedWork work = {function, userdata, ROOM, MEMORY, msec};

        return confined_run(&work, room);
}

/* ---- what is done comes back ---- */

static int fill(void *userdata, void *room, size_t n_room)
{
        memcpy(room, userdata, strlen(userdata));
        ((char *) room)[n_room - 1] = 'z';
        return 0;
}

static void test_the_room_comes_back(void)
{
        char text[] = "what was made";
        char *room;

        g_assert_cmpint(run(fill, text, LONG_MSEC, (void **) &room), ==, 0);
        g_assert_cmpstr(room, ==, text);
        g_assert_cmpint(room[ROOM - 1], ==, 'z');
        confined_free(room, ROOM);
}

static int refuse(void *userdata, void *room, size_t n_room)
{
        (void) room;
        (void) n_room;
        return *(int *) userdata;
}

static void test_errors_come_back(void)
{
        int error = -ENOMEM;
        void *room;

        g_assert_cmpint(run(refuse, &error, LONG_MSEC, &room), ==, -ENOMEM);
        error = -E2BIG;
        g_assert_cmpint(run(refuse, &error, LONG_MSEC, &room), ==, -E2BIG);
}

static int change(void *userdata, void *room, size_t n_room)
{
        (void) room;
        (void) n_room;
        *(int *) userdata = 2;
        return 0;
}

static void test_memory_is_its_own(void)
{
        int value = 1;
        void *room;

        g_assert_cmpint(run(change, &value, LONG_MSEC, &room), ==, 0);
        g_assert_cmpint(value, ==, 1);
        confined_free(room, ROOM);
}

/* ---- what it must not ---- */

typedef struct Call {
        const char *name;
        long number, arguments[6];
} Call;

/* What a parser that has been taken over would ask for. All would be granted to this process. */
static const Call calls[] = {
        {"openat", SYS_openat, {AT_FDCWD, (long) "/", O_RDONLY}},
        {"read", SYS_read, {0}},
        {"write", SYS_write, {2, (long) "", 0}},
        {"socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
        {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
        {"bpf", SYS_bpf, {0}},
        {"clone", SYS_clone, {SIGCHLD}},
        {"execve", SYS_execve, {(long) "/bin/true"}},
        {"kill", SYS_kill, {0, 0}},
        {"ptrace", SYS_ptrace, {0}},
        {"mmap",
         SYS_mmap,
         {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
        {"mprotect", SYS_mprotect, {0}},
        {"memfd_create", SYS_memfd_create, {(long) "", 0}},
        {"prctl", SYS_prctl, {0}},
        {"setuid", SYS_setuid, {0}},
        {"capset", SYS_capset, {0}},
        {"io_uring_setup", SYS_io_uring_setup, {1, 0}},
        {"getpid", SYS_getpid, {0}},
};

static int ask(void *userdata, void *room, size_t n_room)
{
        const Call *call = userdata;
        const long *a = call->arguments;

        (void) n_room;
        if (syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0)
                *(int *) room = errno;
        return 0;
}

static void test_no_system_call_is_left(void)
{
        for (size_t i = 0; i < ELEMENTS_OF(calls); i++) {
                int *room;

#ifdef __SANITIZE_ADDRESS__
                if (calls[i].number == SYS_mmap)
                        continue;
#endif
                g_test_message("%s", calls[i].name);
                g_assert_cmpint(run(ask, (void *) &calls[i], LONG_MSEC, (void **) &room), ==, 0);
                g_assert_cmpint(*room, ==, EPERM);
                confined_free(room, ROOM);
        }
}

static int overwrite(void *userdata, void *room, size_t n_room)
{
        (void) room;
        (void) n_room;
        memset(userdata, 'x', 1);
        return 0;
}

static void test_no_mapping_is_shared(void)
{
        char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        void *room;

        g_assert_true(shared != MAP_FAILED);
        g_assert_cmpint(run(overwrite, shared, LONG_MSEC, &room), ==, -EFAULT);
        g_assert_cmpint(shared[0], ==, 0);
        munmap(shared, 4096);
}

static int grow(void *userdata, void *room, size_t n_room)
{
        (void) room;
        (void) n_room;
        return brk((char *) sbrk(0) + *(size_t *) userdata) < 0 ? -errno : 0;
}

static void test_memory_is_bounded(void)
{
        size_t sizes[] = {MEMORY / 2, MEMORY + 4096, (size_t) 1 << 33};
        void *room;

        g_assert_cmpint(run(grow, &sizes[0], LONG_MSEC, &room), ==, 0);
        confined_free(room, ROOM);
        for (size_t i = 1; i < ELEMENTS_OF(sizes); i++)
                g_assert_cmpint(run(grow, &sizes[i], LONG_MSEC, &room), ==, -EFAULT);
}

/* ---- what ends it ---- */

static int crash(void *userdata, void *room, size_t n_room)
{
        (void) userdata;
        (void) room;
        (void) n_room;
        __builtin_trap();
}

static int go_on(void *userdata, void *room, size_t n_room)
{
        (void) userdata;
        (void) n_room;
        while (*(volatile int *) room == 0)
                ;
        return 0;
}

static void test_a_crash_stays_there(void)
{
        void *room;

        g_assert_cmpint(run(crash, NULL, LONG_MSEC, &room), ==, -EFAULT);
}

static void test_it_does_not_go_on(void)
{
        void *room;

        g_assert_cmpint(run(go_on, NULL, 50, &room), ==, -ETIME);
        g_assert_cmpint(waitpid(-1, NULL, 0), ==, -1);
        g_assert_cmpint(errno, ==, ECHILD);
}

/* ---- what others see of it ---- */

static char *child_file(const char *name)
{
        _cleanup_(freep) char *children = NULL;
        char *path;

        path = g_strdup_printf("/proc/self/task/%d/children", getpid());
        if (g_file_get_contents(path, &children, NULL, NULL) && children[0] != '\0') {
                g_free(path);
                return g_strdup_printf("/proc/%d/%s", atoi(children), name);
        }
        g_free(path);
        return NULL;
}

typedef struct Waiter {
        int result;
} Waiter;

static void wait_for_child(void *userdata)
{
        Waiter *waiter = userdata;
        void *room;

        waiter->result = run(go_on, NULL, 2000, &room);
}

static int is_confined(const char *status)
{
        return strstr(status, "\nSeccomp:\t2\n") && strstr(status, "\nNoNewPrivs:\t1\n");
}

DEFINE_CLEANUP(Fiber *, fiber_free);

/* In a fiber, others run while the child works: they look at it. */
static void test_it_holds_nothing(void)
{
        _cleanup_(fiber_freep) Fiber *fiber = NULL;
        char *path = NULL, *status = NULL;
        unsigned n_looks = 0, n_confined = 0;
        Waiter waiter = {};

        g_assert_cmpint(fiber_new(&fiber, wait_for_child, &waiter), ==, 0);
        while (!fiber_resume(fiber, 1000)) {
                path = child_file("status");
                n_looks++;
                if (path && g_file_get_contents(path, &status, NULL, NULL) && is_confined(status)) {
                        char *descriptors = child_file("fd");
                        GDir *directory = g_dir_open(descriptors, 0, NULL);

                        g_assert_nonnull(strstr(status, "\nCapPrm:\t0000000000000000\n"));
                        g_assert_nonnull(strstr(status, "\nCapEff:\t0000000000000000\n"));
                        g_assert_nonnull(directory);
                        g_assert_null(g_dir_read_name(directory));
                        g_dir_close(directory);
                        g_free(descriptors);
                        n_confined++;
                }
                g_clear_pointer(&status, g_free);
                g_free(path);
        }
        g_assert_cmpint(waiter.result, ==, -ETIME);
        g_assert_cmpuint(n_looks, >, 10);
        g_assert_cmpuint(n_confined, >, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/confined/the-room-comes-back", test_the_room_comes_back);
        g_test_add_func("/confined/errors-come-back", test_errors_come_back);
        g_test_add_func("/confined/memory-is-its-own", test_memory_is_its_own);
        g_test_add_func("/confined/no-system-call-is-left", test_no_system_call_is_left);
        g_test_add_func("/confined/no-mapping-is-shared", test_no_mapping_is_shared);
        g_test_add_func("/confined/memory-is-bounded", test_memory_is_bounded);
        g_test_add_func("/confined/a-crash-stays-there", test_a_crash_stays_there);
        g_test_add_func("/confined/it-does-not-go-on", test_it_does_not_go_on);
        g_test_add_func("/confined/it-holds-nothing", test_it_holds_nothing);
        return g_test_run();
}
