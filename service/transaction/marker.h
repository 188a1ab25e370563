/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marker: a file, in a directory of its own, that says that there was a record on this machine
 * once. While it is there a state that is missing is a loss, and not a first start. */
#pragma once

/* Returns 1 if it is there or that cannot be told, 0 if not. */
int marker_is_set(const char *directory);

/* Makes it, and the directory if that is not there, durably. Returns 0 or a negative errno. */
int marker_set(const char *directory);
