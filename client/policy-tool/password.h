/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Password: asked on the terminal, or else the first line of standard input. */
#pragma once

#include "tool.h"
#include "util/cleanup.h"

#define PASSWORD_MAX 1024u

/* In locked memory; to be freed by password_free(), which wipes it. Returns TOOL_FINE, or
 * TOOL_TROUBLE having said why there is none. */
ToolStatus password_read(const char *prompt, char **ret_password);

/* Asked twice, so that a slip is seen; from standard input once. */
ToolStatus password_read_new(const char *prompt, char **ret_password);

char *password_free(char *password);
DEFINE_CLEANUP(char *, password_free);
