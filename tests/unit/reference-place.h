/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reference place: how a path of a rule and a place are compared, component by component. */
#pragma once

#include "policy/image.h"

/* A place, with what follows it: components of which those that are "*" stand for any name. */
typedef struct Pattern {
        Place place;
        const char *rest;
} Pattern;

/* How a pattern and a place stand to each other. */
typedef struct Match {
        int is_equal;
        int is_below;   /* the place is below what the pattern names */
        int is_above;   /* the pattern names something below the place */
        uint64_t depth; /* components of the pattern */
        uint64_t stars; /* bit i: component i is "*"; of two patterns the lower is the more specific
                         */
} Match;

/* Whether any component is "*". */
int reference_has_star(const char *path, uint32_t has_wildcard);

/* The patterns that the path of a rule is on this machine: at most 2. Returns how many. */
size_t reference_locate(const Resolver *resolver, const char *path, uint32_t has_wildcard,
                        Pattern patterns[2]);
void reference_pattern_deinit(Pattern *pattern);

Match reference_match(const Pattern *pattern, const Place *place);

/* Whether the rule has expired in the second now since boot. */
int reference_is_expired(const Document *document, const Rule *rule, int64_t now);
