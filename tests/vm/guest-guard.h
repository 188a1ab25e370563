/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What root may try against the service, one act a function, for child_errno() of guest-acts.h. */
#pragma once

#include <linux/bpf.h>
#include <sys/types.h>

#include "guest-backend.h"

#define PINS "/run/aegis-test/bpf"
#define FOLDER PINS "/abi" G_STRINGIFY(ABI_NUMBER)
#define ABI_NUMBER 11 /* AEGIS_ABI, whose suffix is in the way */
_Static_assert(ABI_NUMBER == AEGIS_ABI, "the pins are in the folder of this number");
#define HOT FOLDER "/data_hot"

extern pid_t service; /* whom acts are against */

int use_bpf(int command, union bpf_attr *attributes);
int open_pin(const char *path);

int act_open_pin(const void *path);
int act_unlink(const void *path);
int act_rename(const void *path);
int act_mkdir(const void *path);
int act_rmdir(const void *path);
int act_umount(const void *path);
int act_mount_over(const void *path);
int act_remount(const void *path);
int act_bind_read_only(const void *path);
int act_move_mount(const void *path);
int act_signal(const void *signal);
int act_attach(const void *argument);
int act_write_memory(const void *argument);
int act_take_descriptor(const void *argument);
int act_open_proc(const void *name);
int act_claim(const void *argument);
int act_trace_me_and_open_pin(const void *path);

/* Tries to get each object of one kind by its id. EPERM if one could not be had, though all that
 * could not are ours. */
typedef struct Kind {
        int next, get;
} Kind;
int act_get_all(const void *argument);

/* A copy of this program, elsewhere, does one thing: main() begins with it. */
int act_copy_opens_pin(const void *path);
