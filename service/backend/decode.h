/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decode: what the kernel's ring says. */
#pragma once

#include <stddef.h>

#include "abi.h"

/* Every length an event carries is bounded here, once: behind this point it can be believed. data:
 * a record of the ring, of any alignment. Returns 0, or -EBADMSG for one that is no event. */
int event_decode(const void *data, size_t size, struct event *ret_event);
