/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stand-in: what is put in force at start where no record can be believed and the kernel has
 * nothing: the youngest generation that is whole, with the signed documents as they were stored
 * last; else these alone; else the baseline that the package installs. */
#pragma once

#include "transaction/transaction.h"

/* The name of the document of the baseline. */
#define BASELINE_NAME "baseline"

/* Whether there was a record once, as what is on disk says. */
int enforcement_was_recorded(const Enforcement *enforcement);

/* was: "damaged" or "missing". Tells what it does as trouble. Returns 0 or a negative errno. */
int enforcement_stand_in(Enforcement *enforcement, const char *was);

/* While the baseline alone is in force that is told, at each start. */
void enforcement_tell_baseline(Enforcement *enforcement);
