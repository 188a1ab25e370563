/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts: what the rooms of the canary share. An act returns what its system call did: -1 with errno,
 * or not. Even one that is let through changes nothing that matters: names are the canary's own,
 * packets stay on the loopback, what is mounted or loaded is refused in the end. While a canary is
 * out only the hook that is to be proven denies it. */
#pragma once

#include "backend/canary.h"

#define CANARY_FILE "canary"
#define CANARY_DIRECTORY "canary.d"
#define CANARY_NEW "canary.new"

typedef int CanaryAct(const Canary *canary);

/* By topic; NULL where a hook is of another topic. */
extern CanaryAct *const canary_file_acts[N_HOOKS];
extern CanaryAct *const canary_exec_acts[N_HOOKS];
extern CanaryAct *const canary_kernel_acts[N_HOOKS];
extern CanaryAct *const canary_net_acts[N_HOOKS];

/* Does the act in a child, which is the canary meanwhile. */
int canary_act_in_child(const Canary *canary, CanaryAct *act);
