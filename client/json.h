/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: values put into objects without leaks, and taken out of them without surprises. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* Each puts a new value into an object. They return 0 or -ENOMEM. */
int json_add_text(json_object *object, const char *key, const char *text);
int json_add_number(json_object *object, const char *key, uint64_t number);
int json_add_truth(json_object *object, const char *key, int truth);

/* Puts a value that exists into an object, or into an array if key is NULL; takes the reference,
 * also on failure. A NULL value is null. Returns 0 or -ENOMEM. */
int json_add(json_object *container, const char *key, json_object *value);

/* Fields of an object; "" or 0 where there is none of that type. */
const char *json_text(json_object *object, const char *key);
uint64_t json_number(json_object *object, const char *key);
int json_truth(json_object *object, const char *key);
size_t json_count(json_object *object, const char *key); /* elements of an array */
json_object *json_element(json_object *object, const char *key, size_t i); /* or NULL */

void json_sort_by_name(json_object *array); /* of objects, each with a "name" */

static inline void json_object_putp(json_object **object)
{
        json_object_put(*object);
}
