/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain: a Resolver that asks no machine. Every path lies in one file system, of device
 * PLAIN_DEVICE, under its own name; /bin, /sbin and the like lead to where they lead on every
 * machine of today. Every cgroup is there. */
#pragma once

#include "policy/image.h"

#define PLAIN_DEVICE 1u

Resolver plain_resolver(void);
