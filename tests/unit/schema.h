/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Schema: as much of JSON Schema as docs/event.schema.json uses. */
#pragma once

#include <json-c/json.h>

/* Whether value is what the schema says; a keyword that is not known here is an error of the test.
 * root: where $ref looks. */
int schema_fits(json_object *root, json_object *schema, json_object *value);
