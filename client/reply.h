/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reply: what the service answers, read with the types that are expected and no others, as JSON. */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* A property, the key it has in our JSON, and its D-Bus type. */
typedef struct Field {
        const char *property, *key, *type;
} Field;

#define REPLY_DEPTH_MAX 8u

/* Reads one complete value of any type, at most REPLY_DEPTH_MAX containers deep. Descriptors become
 * null. Returns 0, -EBADMSG or another negative errno. */
int reply_read_value(sd_bus_message *reply, json_object **ret_value);

/* Reads an a{sv}. Properties without a field are passed over, fields without a property are left
 * out; a property of another type is -EBADMSG. Fields end with a NULL property. Returns 0 or a
 * negative errno. */
int reply_read_properties(sd_bus_message *reply, const Field *fields, json_object **ret_object);

/* Reads GetManagedObjects' answer: an array, sorted by "name", of the objects that have the
 * interface; each has its path as "object". The message can be read again. Returns 0 or a negative
 * errno. */
int reply_read_objects(sd_bus_message *reply, const char *interface, const Field *fields,
                       json_object **ret_array);

/* Reads an array of structures of strings and numbers, each an object with these keys in order.
 * contents: "sss". Returns 0 or a negative errno. */
int reply_read_rows(sd_bus_message *reply, const char *contents, const char *const *keys,
                    json_object **ret_array);
