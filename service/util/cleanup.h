/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup: release a variable's resource when it goes out of scope, or hand it on with TAKE_*. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Defines `functionp` for _cleanup_(): calls function(*p) unless *p is NULL. */
#define DEFINE_CLEANUP(type, function)                                                             \
        static inline void function##p(type *p)                                                    \
        {                                                                                          \
                if (*p)                                                                            \
                        function(*p);                                                              \
        }                                                                                          \
        struct function##_cleanup_defined /* swallows the semicolon */

#define TAKE_PTR(pointer)                                                                          \
        ({                                                                                         \
                typeof(pointer) _taken = (pointer);                                                \
                (pointer) = NULL;                                                                  \
                _taken;                                                                            \
        })

#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int _taken = (fd);                                                                 \
                (fd) = -1;                                                                         \
                _taken;                                                                            \
        })

/* For malloc()ed memory of any type: p is the address of the pointer. */
static inline void freep(void *p)
{
        free(*(void **) p);
}

static inline void closep(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose);
