/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Value: arguments of a call as GVariants, which can be written as text. */
#pragma once

#include <gio/gio.h>
#include <systemd/sd-bus.h>

/* "(…)": the types of a method's arguments. */
char *value_type(GDBusArgInfo *const *args);

/* Asserts that the text is of the type. */
GVariant *value_parse(const char *type, const char *text);

/* Each child of the tuple as an argument. Returns 0 or a negative errno. */
int value_append(sd_bus_message *m, GVariant *tuple);
