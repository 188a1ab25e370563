/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: what the rooms of format share. All return 0 or -ENOMEM. */
#pragma once

#include <json-c/json.h>
#include <stdint.h>

#include "abi.h"

/* Takes value, which may be NULL when memory was short. */
int json_add(json_object *object, const char *key, json_object *value);
int json_add_number(json_object *object, const char *key, uint64_t number);
int json_add_word(json_object *object, const char *key, const char *word); /* of our own */
int json_add_text(json_object *object, const char *key, const char *text); /* anybody's bytes */
int json_add_device(json_object *object, uint32_t device);

/* What the event is about. path: see event_format(). */
int json_add_object_of(json_object *object, const struct event *event, const char *path);
