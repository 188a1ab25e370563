/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fiber: long work in slices. A function runs on a stack of its own; in its long loops it calls
 * fiber_pace(), which lets go of the processor when the slice is used up, until somebody resumes
 * the fiber. No threads: while a fiber runs nothing else does. */
#pragma once

#include <stdint.h>

typedef struct Fiber Fiber;

typedef void (*FiberFunc)(void *userdata);

/* Returns 0 or a negative errno. */
int fiber_new(Fiber **ret_fiber, FiberFunc function, void *userdata);

#define FIBER_TO_THE_END UINT64_MAX

/* Runs it for about that long. Returns 1 when the function has returned, 0 if it is to go on. Not
 * to be called from inside a fiber. */
int fiber_resume(Fiber *fiber, uint64_t slice_usec);

/* One that has begun must have ended: nothing on its stack is released otherwise. */
Fiber *fiber_free(Fiber *fiber);

/* Cheap enough for any loop; outside of fibers it does nothing. What the caller holds must stay
 * true while others run. */
void fiber_pace(void);

/* Lets go of the processor now, whatever is left of the slice; where nothing is cut it does
 * nothing. */
void fiber_yield(void);

/* In a child that was forked in a fiber: it goes on alone, and is cut no more. */
void fiber_leave(void);
