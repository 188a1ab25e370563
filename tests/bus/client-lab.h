/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ClientLab: aegis-client in the lab, as root and as its users. */
#pragma once

#include "lab.h"

#define WEB "/run/lab/web.policy"
#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define LONGER DOCUMENT "/srv/two\n[deny_port]\n25:tcp\n"
#define FAULTY "version=1\n[deny_path]\nsrv/one\n[no_such]\n"

typedef struct Outcome {
        int status; /* of the exit */
        char *out, *err;
} Outcome;
void outcome_clear(Outcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* A file that everybody can read. */
void put(const char *path, const char *text);

/* The program and arguments that are separated by blanks. */
GStrv client_words(const char *arguments);

/* A child's: takes a uid, and ends with its parent. */
void become(void *uid);

/* Run the client; run_as() and run(), which is root, assert its exit status. */
void run_freely_as(uid_t uid, const char *arguments, Outcome *ret_outcome);
void run_as(uid_t uid, const char *arguments, int status, Outcome *ret_outcome);
void run(const char *arguments, int status, Outcome *ret_outcome);

void expect_in(const char *text, const char *part);

/* Until the service has taken so many events: "3". */
void client_wait_emitted(const char *n);
