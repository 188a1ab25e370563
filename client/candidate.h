/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidate: a document on its way to the service. */
#pragma once

#include "client.h"
#include "document.h"

typedef struct Candidate {
        SourceDocument document;
        SourceDocument signatures[SIGNATURES_MAX];
        size_t n_signatures;
        char *name; /* the policy's */
        char attempt[128];
        Call call;
} Candidate;

/* What is done with it. */
typedef struct Doing {
        const char *verb;
        const char *action; /* polkit's */
} Doing;

/* Reads the file, or standard input if path is "-", and its signatures: those that --signature
 * names, or, of a document that begins as a signed one does, those beside it. Looks whether it can
 * be sent. Says itself what went wrong. candidate_deinit() is right in each case. */
ExitStatus candidate_load(const Client *client, const char *path, const Doing *doing,
                          Candidate *candidate);
void candidate_deinit(Candidate *candidate);

/* Appends the texts of the signatures, an "as". Returns 0 or a negative errno. */
int candidate_append_signatures(const Candidate *candidate, sd_bus_message *message);

/* Makes the message to that member. Returns 0 or a negative errno. */
typedef int (*CandidateFill)(const Client *client, const Candidate *candidate, const char *member,
                             sd_bus_message **ret_message);

/* Connects, sends the message and waits. Says itself what went wrong. */
ExitStatus candidate_send(Client *client, const Candidate *candidate, CandidateFill fill,
                          const char *member, sd_bus_message **ret_reply);
