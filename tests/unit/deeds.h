/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deeds: what the tests of failing system calls try, over the twin of the backend. */
#pragma once

#include <stddef.h>

#include "transaction-fixture.h"

typedef enum Power {
        POWER_STAYS, /* the kernel has what it had */
        POWER_WAS_CUT,
} Power;

/* Slow ones are played with `-m slow` alone where each fault is a process of its own. */
typedef enum Pace {
        PACE_QUICK,
        PACE_SLOW,
} Pace;

typedef struct Scene {
        const char *name;
        void (*before)(Fixture *fixture);
        Power power;
        int (*deed)(Fixture *fixture); /* NULL: it is the start that is tried */
        Pace pace;
} Scene;

extern const Scene scenes[];
extern const size_t n_scenes;

/* What is in force, in short: the digest of the documents, the mode, and whether an emergency is
 * declared. */
typedef struct InForce {
        uint8_t digest[DIGEST_SIZE];
        Mode mode;
        int is_emergency;
        int is_signed; /* where that is asked for; not compared */
} InForce;
InForce what_is_in_force(const Fixture *fixture);
int is_same(const InForce *a, const InForce *b);

/* Something else, or what is new without its signatures, is neither. */
int is_old_or_new(const InForce *now, const InForce *before, const InForce *after, int must_be_new);

char *make_stage(void); /* a folder for all of this; a new string */

/* As set_places() and clear_places(); whose signatures count is said at root, if it is. */
void set_scene(Fixture *fixture, const char *root);
void clear_scene(Fixture *fixture);

void cut_power(Fixture *fixture); /* while it is stopped */
void copy_tree(const char *from, const char *to);
void remove_tree(const char *path);

/* Starts what lies at root, which must be whole, and looks. */
InForce look(const char *root, Power power);

/* Makes the folders of a scene below root, which is there, as they are before the deed. */
InForce prepare(const Scene *scene, const char *root);
