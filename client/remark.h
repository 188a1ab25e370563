/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remark: faults and warnings about a document, out of an error's message or a plan's answer, as an
 * array of {"line","column","severity","message","hint"}; severity is "fault" or "warning". */
#pragma once

#include <json-c/json.h>
#include <stdio.h>

#include "document.h"

/* Reads lines of "name:line:column: message; hint"; a line of another form is a remark about the
 * whole document. Returns 0 or -ENOMEM. */
int remarks_read(const char *message, const char *name, json_object **ret_remarks);

/* Makes remarks of the rows of a plan (line, column, message, hint). A plan has warnings only:
 * faults would have been an error. Returns 0 or -ENOMEM. */
int remarks_grade(json_object *rows);

/* Prints each with its line of the document. */
void remarks_print(json_object *remarks, const SourceDocument *document, FILE *file);
