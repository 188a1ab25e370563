/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Surface: every method and property that the service serves, and that dbus-interfaces/ has. */
#pragma once

#include "lab.h"

typedef struct Member {
        char *interface, *path; /* path: "" of what is written and not served */
        const char *name;
        char *type;   /* of the arguments, or of the property */
        int is_found; /* by a test */
} Member;

typedef struct Surface {
        GHashTable *methods, *properties; /* "Interface.Member" → Member */
        GPtrArray *nodes;                 /* own the names */
} Surface;

/* What is served at the path and below it, as it is now: what stands for something is there if that
 * is; and all that is served and all that is written. */
Surface *surface_new(Lab *lab, const char *path);
Surface *surface_new_whole(Lab *lab);
void surface_free(Surface *surface);

/* "Interface.Member", without the beginning of the interface's name. A new string. */
char *surface_key(const char *interface, const char *name);

/* Whether it is a property that can be set, by root. */
int surface_is_writable(const char *interface, const char *name);
