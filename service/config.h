/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config: every limit, path and time-out an administrator may set. Read once at start, from
 * aegisd.conf, then its drop-ins (aegisd.conf.d/NAME.conf beside it, in the order of their names),
 * then the command line; what comes later wins. */
#pragma once

#include <stdint.h>

#include "util/cleanup.h"
#include "util/log.h"

/* Positive result of config_new(): help or version was asked for and has been printed. */
#define CONFIG_DONE 1

typedef struct Config {
        char *state_directory;
        char *runtime_directory;
        char *pin_directory;
        char *trust_directory; /* of the roots that say whose signatures count */
        char *marker_directory;
        char *policy_directory;
        char *baseline_policy;
        int log_level; /* LOG_ERR … LOG_DEBUG */
        uint64_t polkit_timeout_usec;
        int protects_self;
        int requires_signature; /* documents that are not signed are refused */
        uint32_t signal;        /* SIGNAL_… of abi.h */
        unsigned journal_rate;  /* events that are written into the journal in a second */
        LogFormat log_format;
        int takes_times; /* of hooks, for the metrics */
        char *hand_over; /* the user the service will run as: prepare that, and end; NULL: serve */
} Config;

/* Returns 0, CONFIG_DONE, -EINVAL for a fault (logged with its place), or another negative errno.
 */
int config_new(Config **ret_config, int argc, char **argv);
Config *config_free(Config *config);

DEFINE_CLEANUP(Config *, config_free);
