/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random values: of a given type, or of any, with g_test_rand_int(), so that --seed brings the same
 * ones again. */
#pragma once

#include <glib.h>

/* A new string, "(…)": a few arguments of any type that a message can have. */
char *random_type(void);

GVariant *random_value(const char *type);
