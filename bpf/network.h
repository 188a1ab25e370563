/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network: what is wanted of an address is judged by the clauses at every key that it fits. */
#pragma once

#include "hook.h"

/* The address of the other side cannot be told: clauses about any address alone are asked. */
#define NET_UNKNOWN 1u

/* network-match.bpf.c. Asks about decision->access at the decision's address, port (0: not known)
 * and protocol, the most specific key first; how: NET_UNKNOWN or 0. Returns as ask() does. */
int net_judge(struct decision *decision, __u32 how);
