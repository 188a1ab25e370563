/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fiber: see fiber.h. */
#include "util/fiber.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "util/cleanup.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

/* Room for libbpf and for a document list; pages that are not used cost nothing. */
#define STACK_SIZE ((size_t) 1024 * 1024)
#define PACES_PER_LOOK 32u /* a look at the clock costs as much as the rounds of most loops */

struct Fiber {
        FiberFunc function;
        void *userdata;
        ucontext_t context, caller;
        char *stack; /* the page below is a guard */
        size_t n_guard;
        uint64_t until_usec;
        unsigned n_paces;
        int begun, ended;
        /* What the address sanitizer wants to know of stacks; unused without it. */
        const void *caller_stack;
        size_t n_caller_stack;
        void *fake_stack, *caller_fake_stack;
};

static Fiber *running;

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

/* ---- the address sanitizer follows stacks only if it is told ---- */

static void say_leaving_caller(Fiber *fiber)
{
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_start_switch_fiber(&fiber->caller_fake_stack, fiber->stack + fiber->n_guard,
                                       STACK_SIZE);
#endif
}

static void say_back_in_caller(Fiber *fiber)
{
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_finish_switch_fiber(fiber->caller_fake_stack, NULL, NULL);
#endif
}

static void say_in_fiber(Fiber *fiber)
{
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->caller_stack,
                                        &fiber->n_caller_stack);
#endif
}

static void say_leaving_fiber(Fiber *fiber)
{
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_start_switch_fiber(fiber->ended ? NULL : &fiber->fake_stack,
                                       fiber->caller_stack, fiber->n_caller_stack);
#endif
}

/* ---- life ---- */

int fiber_new(Fiber **ret_fiber, FiberFunc function, void *userdata)
{
        _cleanup_(freep) Fiber *fiber = calloc(1, sizeof(*fiber));

        if (!fiber)
                return -ENOMEM;
        fiber->function = function;
        fiber->userdata = userdata;
        fiber->n_guard = (size_t) sysconf(_SC_PAGESIZE);
        fiber->stack = mmap(NULL, fiber->n_guard + STACK_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (fiber->stack == MAP_FAILED)
                return -errno;
        if (mprotect(fiber->stack, fiber->n_guard, PROT_NONE) < 0) {
                munmap(fiber->stack, fiber->n_guard + STACK_SIZE);
                return -errno;
        }
        *ret_fiber = TAKE_PTR(fiber);
        return 0;
}

Fiber *fiber_free(Fiber *fiber)
{
        if (!fiber)
                return NULL;
        munmap(fiber->stack, fiber->n_guard + STACK_SIZE);
        free(fiber);
        return NULL;
}

/* ---- to and fro ---- */

static void enter(void)
{
        Fiber *fiber = running;

        say_in_fiber(fiber);
        fiber->function(fiber->userdata);
        fiber->ended = 1;
        say_leaving_fiber(fiber);
        swapcontext(&fiber->context, &fiber->caller);
}

int fiber_resume(Fiber *fiber, uint64_t slice_usec)
{
        uint64_t now = now_usec();

        fiber->until_usec = slice_usec < UINT64_MAX - now ? now + slice_usec : UINT64_MAX;
        if (!fiber->begun) {
                getcontext(&fiber->context);
                fiber->context.uc_stack.ss_sp = fiber->stack + fiber->n_guard;
                fiber->context.uc_stack.ss_size = STACK_SIZE;
                makecontext(&fiber->context, enter, 0);
                fiber->begun = 1;
        }
        running = fiber;
        say_leaving_caller(fiber);
        swapcontext(&fiber->caller, &fiber->context);
        say_back_in_caller(fiber);
        running = NULL;
        return fiber->ended;
}

void fiber_yield(void)
{
        Fiber *fiber = running;

        if (!fiber || fiber->until_usec == UINT64_MAX)
                return;
        say_leaving_fiber(fiber);
        swapcontext(&fiber->context, &fiber->caller);
        say_in_fiber(fiber);
}

void fiber_leave(void)
{
        running = NULL;
}

void fiber_pace(void)
{
        Fiber *fiber = running;

        if (!fiber || ++fiber->n_paces < PACES_PER_LOOK)
                return;
        fiber->n_paces = 0;
        if (now_usec() >= fiber->until_usec)
                fiber_yield();
}
