/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz: the entry point that fuzzing engines call, and what a harness holds to be true. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                                           \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
                                #condition);                                                       \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)
