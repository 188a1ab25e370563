/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Canary: one harmless act for each hook, which a program that really runs denies with
 * CANARY_ERRNO. Attaching alone proves nothing: without `bpf` in the kernel's LSM list it succeeds
 * and does nothing. */
#pragma once

#include "abi.h"

typedef struct Canary {
        int directory_fd;
} Canary;

/* path: the service's own directory, on any file system, made if it is not there. Returns 0 or a
 * negative errno. */
int canary_init(Canary *canary, const char *path);
void canary_deinit(Canary *canary);

/* Makes what the acts act upon, if it is not there. Returns 0 or a negative errno. */
int canary_set_up(const Canary *canary);

/* Tries the act. Returns 1 if it was denied as a canary is, 0 if not. */
int canary_try(const Canary *canary, enum hook hook);
