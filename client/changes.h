/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes: the entries that come into force or go, as the service lists them. */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* Reads an a(sss). Returns 0 or a negative errno. */
int changes_read(sd_bus_message *reply, json_object **ret_changes);

/* A line each, with a sign before it. */
void changes_print(json_object *changes);

/* As diff(1) -u has them, under the names of the two sides; nothing if there are none. */
void changes_print_diff(json_object *changes, const char *before, const char *after);
