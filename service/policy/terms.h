/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terms: the words of version 7 that stand for a number, for reading and for writing them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Term {
        const char *text;
        uint32_t value;
} Term;

typedef struct Terms {
        const Term *items;
        size_t n_items;
} Terms;

extern const Terms access_terms;    /* ACCESS_…; several for exec */
extern const Terms mode_terms;      /* RuleMode */
extern const Terms signal_terms;    /* SIGNAL_… */
extern const Terms verdict_terms;   /* RuleVerdict */
extern const Terms operation_terms; /* 1 << NET_… */
extern const Terms protocol_terms;  /* IPPROTO_… or NET_PROTOCOL_… */
extern const Terms kernel_terms;    /* enum kernel_object */

/* Returns 0 or -ENOENT. text need not end in NUL. */
int term_find(const Terms *terms, const char *text, size_t n, uint32_t *ret_value);

/* Returns NULL if there is no word for it. */
const char *term_text(const Terms *terms, uint32_t value);
