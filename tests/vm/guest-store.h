/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: what systemd does with descriptors that a service sends it: they are held under their
 * names until it says otherwise, and the next service has them from its start on. */
#pragma once

#include <sys/types.h>

/* As recv() on the socket of notices, and does what the notice says. The text ends in NUL. */
ssize_t store_receive(int fd, char *text, size_t n, int flags);

/* Before an exec, in a child: as sd_listen_fds_with_names(3) wants them. */
void store_hand_over(void);

void store_empty(void);
