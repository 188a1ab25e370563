/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scene: where a program is run in a folder of its own, and what it said. */
#pragma once

#include <glib.h>

/* A folder of its own, and what the last run left. */
typedef struct Scene {
        char *folder;
        char *out, *err;
} Scene;

/* For g_test_add(). */
void scene_set_up(Scene *scene, const void *unused);
void scene_tear_down(Scene *scene, const void *unused);
