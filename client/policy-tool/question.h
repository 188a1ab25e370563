/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Question: what `test` asks, read from the command line: who, and which kinds of access. */
#pragma once

#include "policy/ask.h"
#include "tool.h"

typedef enum ProbeKind {
        PROBE_FILE,
        PROBE_NET,
        PROBE_KERNEL,
} ProbeKind;

/* One kind of access that is asked about. */
typedef struct Probe {
        ProbeKind kind;
        const char *word; /* "read", "connect", "ptrace" */
        uint32_t access;  /* PROBE_FILE: ACCESS_… */
        NetQuestion net;
        enum kernel_object kernel;
} Probe;

#define PROBES_MAX 16u

typedef struct Question {
        const char *object; /* as it was given */
        Probe probes[PROBES_MAX];
        size_t n_probes;
        Location path, exe; /* where they lie; no exe: its path is NULL */
        Asker asker;
} Question;

/* Returns TOOL_FINE, or TOOL_TROUBLE having said what is wrong. question_deinit() is right in both
 * cases. */
ToolStatus question_read(Question *question, const ToolOptions *options);
void question_deinit(Question *question);

/* The clause that decides, or NULL. */
const struct clause *question_ask(const Question *question, const Probe *probe,
                                  const PolicyImage *image);
