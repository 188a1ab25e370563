/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Write: a file is replaced as a whole, or stays as it was. */
#pragma once

#include "tool.h"

/* Writes text to a new file beside path and renames it to path; mode and owner stay those of the
 * old file, and a symbolic link is followed. Returns TOOL_FINE, or TOOL_TROUBLE having said why
 * not.
 */
ToolStatus write_document(const char *path, const char *text);

/* Writes a file that was not there; what is there is not touched. Returns as write_document(). */
ToolStatus write_new(const char *path, const char *text, unsigned mode);
