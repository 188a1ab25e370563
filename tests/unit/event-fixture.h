/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of events stand on: a made-up event, and a way to look into what is told of it. */
#pragma once

#include <json-c/json.h>

#include "event/event.h"

extern const ImageRule rule_shadow; /* base:7: deny_path /etc/shadow */

/* uid 1000 is denied to read and write /etc/shadow by rule 1 of generation 3. */
struct event file_event(uint64_t seq);
void put_names(struct event *event, const char *names, size_t n);

const char *text_of(json_object *object, const char *key); /* NULL if it is not there */
uint64_t number_of(json_object *object, const char *key);
