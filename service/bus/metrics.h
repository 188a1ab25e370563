/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics: how a family of samples is written, and the rooms that write them. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bus/objects.h"

typedef enum MetricType {
        METRIC_COUNTER,
        METRIC_GAUGE,
} MetricType;

/* What stands before the samples of one metric. */
void metrics_head(FILE *out, MetricType type, const char *name, const char *help);

/* One without labels, with its head. */
void metrics_gauge(FILE *out, const char *name, const char *help, uint64_t number);
void metrics_counter(FILE *out, const char *name, const char *help, uint64_t number);

#define METRICS_RULES_MAX 1000u

/* How often policies decided, and their lines: of METRICS_RULES_MAX at most each for itself.
 * Nothing where the kernel has something else in force. Returns 0 or a negative errno. */
int metrics_write_hits(FILE *out, const BusServer *server);

/* Whose word documents are, and which have it. */
void metrics_write_trust(FILE *out, const Enforcement *enforcement);
