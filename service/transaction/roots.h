/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots: which root is believed. The administrator puts root.1, root.2, … and the signatures of
 * each (root.N.minisig, root.N.ANYTHING.minisig) into a folder. The first that is found is
 * believed, and written down in the state directory as `root`; from then on only what follows it in
 * the chain is. */
#pragma once

#include "policy/root.h"
#include "transaction/floors.h"
#include "transaction/trouble.h"

typedef struct Roots Roots;

/* folder: NULL if there is none; state: the directory, to be open as long; floors: the caller's.
 * Returns 0 or -ENOMEM. */
int roots_new(Roots **ret_roots, const char *folder, int state, Floors *floors);
Roots *roots_free(Roots *roots);

/* Looks whether there is a first one, or a next. What is wrong with it is to be had from
 * roots_trouble(). */
void roots_refresh(Roots *roots);

/* The root that is believed, or NULL. */
const Root *roots_current(const Roots *roots);

/* A sentence about what was not believed; "". */
const char *roots_trouble(const Roots *roots);

DEFINE_CLEANUP(Roots *, roots_free);
