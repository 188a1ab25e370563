/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask: polkit's question on the terminal, by its own agent, while a call is under way. */
#pragma once

#include <sys/types.h>

/* Starts pkttyagent for this process and waits until it is ready. *ret_pid is 0 where no question
 * could be asked or answered: for root, without a terminal, or without pkttyagent. Returns 0 or a
 * negative errno. */
int ask_start(pid_t *ret_pid);

/* Ends the agent; *pid becomes 0. Nothing to do if it is 0. */
void ask_stop(pid_t *pid);
