/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service says it has counted, in a machine where it is installed. Asserts where it cannot
 * be asked. */
#pragma once

#include <stdint.h>

uint64_t total(const char *name);    /* of the events: "Emitted", "Lost" … */
uint64_t verdicts(void);             /* of all hooks, as the kernel counts them: it loses none */
uint64_t hits_of(const char *entry); /* of the rule that is written so */
uint64_t records(void);              /* the number of the last event */
void assert_all_accounted(void);     /* waits for what is still to be told */
