/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Injection: which calls about files the service makes, as strace tells it, and one of them that
 * fails or is the last one. Files of the backend's twin, of the log, and what is no file are left
 * out: neither told nor counted. */
#pragma once

#include "lab.h"

/* The n-th call of that name about any of the injection's files. */
typedef struct Call {
        char *name, *line; /* the line as strace wrote it */
        unsigned n;
} Call;
void call_free(Call *call);

typedef struct Injection Injection;
Injection *injection_new(void);
void injection_free(Injection *injection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Injection, injection_free)

/* NULL, or why strace cannot be had here. */
const char *injection_why_not(void);

/* A run is what strace tells of a service, from its start on or while it runs. Either way a fault
 * is "openat:error=EIO:when=3": the third such call about a file of the injection; NULL: none. */

/* For Lab.tracer, for one start. */
GStrv injection_tracer(Injection *injection, const char *fault);
void injection_attach(Injection *injection, const Lab *lab, const char *fault);
void injection_detach(Injection *injection);
void injection_await_end(Injection *injection); /* of a service that has ended */

/* Of the last run. beginning: what is before the first line that holds it is left out. */

/* From now on its files are those of the injection. While there are none, all are told. */
void injection_learn(Injection *injection, const char *beginning);
/* Each a Call. */
GPtrArray *injection_calls(const Injection *injection, const char *beginning);
int injection_was_met(const Injection *injection); /* the fault */
