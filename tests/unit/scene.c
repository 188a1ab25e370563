/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scene: see scene.h. */
#include "scene.h"

#include <glib/gstdio.h>

void scene_set_up(Scene *scene, const void *unused)
{
        scene->folder = g_dir_make_tmp("aegis-policy-XXXXXX", NULL);
        g_assert_nonnull(scene->folder);
}

void scene_tear_down(Scene *scene, const void *unused)
{
        g_autoptr(GDir) dir = g_dir_open(scene->folder, 0, NULL);
        const char *name;

        while ((name = g_dir_read_name(dir))) {
                g_autofree char *path = g_build_filename(scene->folder, name, NULL);

                g_unlink(path);
        }
        g_rmdir(scene->folder);
        g_free(scene->folder);
        g_free(scene->out);
        g_free(scene->err);
}
