/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Path: where a path leads in a tree of which only a descriptor is held, with the symbolic links
 * that are in it. */
#pragma once

/* Opens path as a process would whose root is that directory: from there if it is absolute, and
 * absolute links too. at: where a relative one begins. flags: of open(2), with O_PATH, O_DIRECTORY
 * or both; the descriptor is closed by exec. Returns it or a negative errno. */
int path_open(int root, int at, const char *path, int flags);
