/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundle: the header of a document that is to be signed, written in front of it. */
#pragma once

#include "document.h"
#include "tool.h"

/* Puts the header that the options ask for in front of the document, in the place of the one that
 * is there if there is one, in its file and in memory. What is not asked for is as it was: the name
 * (else that of the file) and the scope; seq is the next; it lasts for a year. Returns TOOL_FINE,
 * or TOOL_TROUBLE having said why not. */
ToolStatus bundle_write(SourceDocument *document, const ToolOptions *options);

/* "2027-11-29T21:00:00Z", or "90d" from now; NULL: a year from now. Returns TOOL_FINE, or
 * TOOL_TROUBLE having said what is wrong. */
ToolStatus time_read(const char *text, uint64_t *ret_seconds);
uint64_t time_now(void);
