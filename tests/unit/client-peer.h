/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ClientPeer: a bus of its own and a peer on it that answers in the service's place, rightly or
 * wrongly; and aegis-client run against it, as a program. */
#pragma once

#include <systemd/sd-bus.h>

/* Sends the reply to one call, or an error by returning a negative errno with error set. */
typedef int (*PeerFunc)(sd_bus_message *call, sd_bus_error *error);

/* Ends with a NULL member. */
typedef struct PeerAnswer {
        const char *member;
        PeerFunc answer;
} PeerAnswer;

typedef struct Peer Peer;

/* Starts the bus; nobody has the service's name. Aborts the test if that fails. */
Peer *peer_new(void);
void peer_free(Peer *peer);

/* Takes the service's name and answers from now on, in a thread. At most once a peer. */
void peer_serve(Peer *peer, const PeerAnswer *answers);

/* A file in the folder where the client runs. */
void peer_file(Peer *peer, const char *name, const char *text, size_t n);

typedef struct PeerOutcome {
        int status; /* of the exit */
        char *out, *err;
} PeerOutcome;
void peer_outcome_clear(PeerOutcome *outcome);

/* Runs aegis-client with arguments separated by blanks. input may be NULL. */
void peer_run(Peer *peer, const char *arguments, const char *input, PeerOutcome *ret_outcome);

/* The same on a terminal of that many columns; out has all that was shown there. */
void peer_run_on_terminal(Peer *peer, const char *arguments, unsigned short n_columns,
                          PeerOutcome *ret_outcome);

/* ---- a test's frame ---- */

/* The peer's folder has web.policy; its third line is a fault. */
#define SCENE_DOCUMENT "version=1\n[deny_path]\nsrv/x\n"

typedef struct Scene {
        Peer *peer;
        PeerOutcome outcome; /* of the last run */
} Scene;

void scene_set_up(Scene *scene, const void *unused);
void scene_tear_down(Scene *scene, const void *unused);

/* Runs the client and asserts its exit status. */
void scene_run(Scene *scene, const char *arguments, int status);

void expect_in(const char *text, const char *part);
