/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fault: calls of the C library that fail when a test wants it. The linker redirects those of the
 * libraries and of the test (see `fault_link` in meson.build). What the twin of the backend does
 * with its files is left alone. */
#pragma once

typedef enum FaultKind {
        FAULT_MEMORY = 1 << 0,
        FAULT_FILE = 1 << 1, /* descriptors and streams, too */
} FaultKind;

/* By name: the next call of that name fails once, with an errno; with 0 it returns 0 and does
 * nothing; NULL: none fails. What read() is where its room is known counts as "read", open() in a
 * folder as "openat". */
void fail(const char *call, int error);
void fail_after(unsigned n, const char *call, int error); /* so many succeed first */
void fail_twice(const char *call, int error);
void assert_met(void); /* it has failed */

/* By number: of the calls of some kinds from here on, counted from 1, one fails; 0: none. */
void fail_nth(unsigned n, unsigned kinds, int error);
unsigned fail_no_more(void); /* returns how many there were */
const char *fail_met(void);  /* the one that failed */
