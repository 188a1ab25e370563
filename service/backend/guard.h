/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guard: the service's protection of itself, as far as it is not the kernel's own. The programs of
 * bpf/guard.bpf.c deny everyone else what they are told here is the service's; they are attached
 * while a policy is in force. */
#pragma once

#include "backend/private.h"

/* Whether the process that the kernel knows as the service still is one: it lives, runs the program
 * that this process runs, and is another. Opens no file, since a rule may deny that. */
int guard_other_lives(const struct hot *hot);

/* Says where the pins are, which is what turns the programs on, or turns them off. */
void guard_begin(Backend *backend);
int guard_is_on(const Backend *backend);

/* Tells the kernel which maps, programs and links are ours now. Maps that are made from then on
 * are noted as they are made. */
void guard_register(Backend *backend);

/* Why the service does not protect itself, or not in every way; "" if it does. */
const char *guard_reason(const Backend *backend);
