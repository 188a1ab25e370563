/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports: ranges of ports cut into classes, so that a port is looked up by its class and not by each
 * range that it is in. All ports of a class are in the same ranges; class 0 is in none. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct PortRange {
        uint16_t first, last;
        uint32_t at, n; /* its classes, in Ports.classes */
} PortRange;

typedef struct Ports {
        PortRange *ranges;
        size_t n_ranges, n_ranges_allocated;
        uint16_t *classes;
        size_t n_classes, n_classes_allocated;
        uint16_t *table; /* N_PORTS: the class of each port; NULL without ranges */
} Ports;

/* 0 < first < last. The same range may be added more than once. Returns 0 or -ENOMEM. */
int ports_add(Ports *ports, uint16_t first, uint16_t last);

/* To be called when all ranges are added, and once: they are sorted, each is there once, and has
 * its classes. Returns 0, -ENOMEM, or -E2BIG if the ranges cut each other into too many. */
int ports_build(Ports *ports);

/* The range, which must have been added. */
const PortRange *ports_find(const Ports *ports, uint16_t first, uint16_t last);

void ports_deinit(Ports *ports);
