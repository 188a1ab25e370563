/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backend twin: all of backend.h without a kernel, linked in its place. What it has in force is a
 * file in config.pin_directory, so that it outlives the process as pins do. The test drives it
 * through other files there, from the same process or from another one. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "abi.h"
#include "backend/backend.h"

#define TWIN_HITS 1280u
#define TWIN_FLOORS 16u

/* What is in force, and what happened so far. */
typedef struct TwinState {
        uint64_t generation; /* 0: nothing in force */
        uint8_t digest[DIGEST_SIZE];
        Mode mode;
        uint64_t audited;
        uint32_t flags;
        uint64_t hooks, hooks_accepted;
        uint64_t n_trie, n_roots, n_pins, n_nets, n_cgroups, n_rules;
        uint64_t n_prepares, n_commits, n_aborts, n_mode_changes; /* since the folder was made */
        uint64_t emitted;
        uint64_t emergency_until_ns;
        uint64_t denials[N_HOOKS], audits[N_HOOKS];
        uint64_t hits[TWIN_HITS];
        Floor floors[TWIN_FLOORS];
        size_t n_floors;
} TwinState;

typedef enum TwinCrash {
        TWIN_CRASH_NEVER,
        TWIN_CRASH_IN_PREPARE,   /* before anything is in force */
        TWIN_CRASH_AFTER_COMMIT, /* the switch is made, nothing else */
} TwinCrash;

/* What the test wants. Where there is no such file: TIER_LSM, every hook can deny, nothing fails.
 */
typedef struct TwinControl {
        Tier tier;                /* read by backend_new() only */
        uint64_t deny_hooks;      /* HOOK_BIT of each hook that can deny */
        int fail_prepare;         /* positive errno for the next backend_prepare(); then 0 again */
        int fail_mode;            /* positive errno for the next backend_set_mode(); then 0 again */
        TwinCrash crash;          /* SIGKILL to itself at that point */
        int links_lead_elsewhere; /* paths that begin with /link are the name /elsewhere by now */
        int links_lead_nowhere;   /* and cannot be followed */
        int appraises;            /* as in BackendFacts */
        uint64_t lost;            /* events that found no room */
} TwinControl;

/* All return 0 or a negative errno. */
int twin_state_read(const char *pin_directory, TwinState *ret_state);
int twin_state_write(const char *pin_directory, const TwinState *state); /* as if someone meddled */
int twin_control_read(const char *pin_directory, TwinControl *ret_control);
int twin_control_write(const char *pin_directory, const TwinControl *control);

/* Hands an event to the running twin and waits until it has been counted; its seq is the next one
 * if it is 0. -ENOENT or -ECONNREFUSED if none is running, -ETIMEDOUT if it does not take it. */
int twin_inject(const char *pin_directory, const struct event *event);

/* For the twin itself: where it is handed events, and how often this process wrote a file. */
struct sockaddr_un twin_events_address(const char *pin_directory);
extern unsigned twin_n_written;
