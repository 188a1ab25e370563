/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new root, to be signed. */
#pragma once

#include "policy/root.h"
#include "tool.h"

/* words: "root,policy=KEY.pub", in the order of the roles, and "revoked=KEY.pub". Prints the root,
 * or writes it where --output says. Returns TOOL_FINE, or TOOL_TROUBLE having said why not. */
ToolStatus root_new(const ToolOptions *options, char **words, size_t n);

/* Reads and parses. Says what is wrong. */
ToolStatus root_read(const char *file, Root *ret_root);
