/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floors: numbers that only rise, by name: the seq of each policy that was signed, of the root, and
 * the time. Kept in a file and by the kernel; the higher counts, so that neither a file of
 * yesterday's nor one that is lost takes anything back.
 *
 * The file `floors`, numbers little-endian: "AEGFLOOR"  u32 version  u32 n  n times: name (72
 * bytes, zeros behind it)  u64 number  digest (32 bytes)  32 bytes BLAKE2b over everything before.
 */
#pragma once

#include "backend/backend.h"
#include "transaction/trouble.h"
#include "util/cleanup.h"

/* No policy is called so: a name does not begin with a dot. */
#define FLOOR_ROOT ".root"
#define FLOOR_TIME ".time"

typedef struct Floors Floors;

/* Reads both. state: the directory, to be open as long. What is damaged or missing is told as
 * trouble. Returns 0 or a negative errno. */
int floors_new(Floors **ret_floors, int state, Backend *backend, Trouble *trouble);
Floors *floors_free(Floors *floors);

/* All zero if there is none of that name. */
Floor floors_get(const Floors *floors, const char *name);

/* Never lowers. */
void floors_find(Floors *floors, const char *name, uint64_t number, const uint8_t *digest);

/* Once all have been found: the file and the kernel know them, if they did not. */
void floors_keep(Floors *floors);

/* floors_find(), and that it is known after a power cut, and to the kernel. digest: NULL is zeros.
 * Returns 0, -ENOSPC when there are FLOORS_MAX, or another negative errno; on failure nothing
 * changed that is durable. */
int floors_raise(Floors *floors, const char *name, uint64_t number, const uint8_t *digest);

DEFINE_CLEANUP(Floors *, floors_free);

/* The bytes of the file, for whoever tests them. Returns how many floors there are, or -EBADMSG. */
int floors_decode(const void *data, size_t n, Floor ret_floors[FLOORS_MAX]);
