/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ask: the way to the judge. Each program of a hook has this function, and the service has the
 * kernel put judge.bpf.c, one program for all of them, in its place (freplace), before it attaches
 * that hook. Where the judge has gone it is as if the hook were not attached: the programs of a
 * next service stand beside it. */
#include "hook.h"

int ask(struct decision *decision)
{
        if (!decision)
                return -EPERM;
        barrier_var(decision); /* clang is not to know what becomes of it */
        return 0;
}
