/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Canary: one harmless act for each hook, which a program that really runs denies with
 * CANARY_ERRNO. Attaching alone proves nothing: without `bpf` in the kernel's LSM list it succeeds
 * and does nothing. */
#pragma once

#include "abi.h"

typedef struct Canary {
        int directory_fd;
        __u32 *tgid; /* in struct hot: who is to be denied; some acts are those of a child */
} Canary;

typedef enum CanaryResult {
        CANARY_DENIED,  /* as a canary is */
        CANARY_PASSED,  /* the hook was reached, and nothing denied */
        CANARY_UNTRIED, /* something else kept us from coming as far as the hook */
} CanaryResult;

/* path: the service's own directory, on any file system, made if it is not there. Returns 0 or a
 * negative errno. */
int canary_init(Canary *canary, const char *path);
void canary_deinit(Canary *canary);

/* Makes what the acts act upon, if it is not there. Returns 0 or a negative errno. */
int canary_set_up(const Canary *canary);

/* Tries the act. That it was denied is to be believed if the program has also counted it as seen:
 * not every system call hands on what the hook answered. */
CanaryResult canary_try(const Canary *canary, enum hook hook);
