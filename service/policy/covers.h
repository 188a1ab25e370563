/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Covers: which rules are about a place, as their paths led when they were compiled. covers: room
 * for each rule of the documents, in the order in which they are written. */
#pragma once

#include "policy/compilation.h"

/* Sets bit for each rule of which a path leads there, or above where it is about what is below.
 * Returns 0 or -ENOMEM. */
int compilation_cover(const Compilation *compilation, const Place *place, uint8_t bit,
                      uint8_t *covers);

/* Sets bit for each rule that had expired before this machine was started: of these it is not known
 * where they lead. */
void compilation_cover_expired(const Compilation *compilation, uint8_t bit, uint8_t *covers);

size_t compilation_n_rules(const Compilation *compilation); /* of all documents */
