/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alike: whether two documents decide every access alike. Both are compiled, as the service would
 * for one and the same machine, and what the kernel would be given is compared. */
#pragma once

#include <stddef.h>

/* A document's text. */
typedef struct Sheet {
        const char *text;
        size_t n_text;
} Sheet;

#define ALIKE_E_FAULTS 1 /* one of them does not compile, or has faults */

/* Order and comments do not count, nor how rules are named. Returns 0, a negative errno, or
 * ALIKE_E_FAULTS; *ret_alike is 1 or 0. */
int documents_decide_alike(const Sheet *a, const Sheet *b, int *ret_alike);
