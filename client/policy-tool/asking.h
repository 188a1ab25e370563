/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking: what `test` asks, read from the command line. */
#pragma once

#include "policy/question.h"
#include "tool.h"

/* resolver: must live as long as the question. Returns TOOL_FINE, or TOOL_TROUBLE having said what
 * is wrong. question_deinit() is right in both cases. */
ToolStatus asking_read(Question *question, const ToolOptions *options, const Resolver *resolver);
