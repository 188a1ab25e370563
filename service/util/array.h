/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Array: room for one more element of a growing array, in amortised constant time. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define ELEMENTS_OF(array) (sizeof(array) / sizeof((array)[0]))

/* items: address of the pointer to the elements; allocated: elements there is room for.
 * Returns 0 or -ENOMEM; the array stays as it was on failure. */
static inline int array_reserve(void *items, size_t *allocated, size_t n_wanted, size_t size)
{
        size_t n = *allocated ? *allocated : 8;
        void *grown;

        if (n_wanted <= *allocated)
                return 0;
        while (n < n_wanted)
                if (__builtin_mul_overflow(n, 2, &n))
                        return -ENOMEM;
        grown = reallocarray(*(void **) items, n, size);
        if (!grown)
                return -ENOMEM;
        *(void **) items = grown;
        *allocated = n;
        return 0;
}

/* Gives back what there is room for beyond n elements, if it is much. */
static inline void array_fit(void *items, size_t *allocated, size_t n, size_t size)
{
        void *shorter;

        if (n == 0 || *allocated <= n + n / 8)
                return;
        shorter = realloc(*(void **) items, n * size);
        if (!shorter)
                return;
        *(void **) items = shorter;
        *allocated = n;
}

#define ARRAY_FIT(items, allocated, n) array_fit(&(items), &(allocated), (n), sizeof((items)[0]))

#define ARRAY_RESERVE(items, allocated, n_wanted)                                                  \
        array_reserve(&(items), &(allocated), (n_wanted), sizeof((items)[0]))
