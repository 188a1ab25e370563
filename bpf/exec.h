/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exec: what the rooms share that know programs as they are run. Kernel addresses are numbers here
 * too: see hook.h. */
#pragma once

#include "place.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct linux_binprm {
        struct file *file;
        const char *filename;
        const char *interp;
        char buf[20]; /* the file's first bytes: as many as are looked at */
};

/* Until 6.17. */
struct inode___verity {
        struct fsverity_info *i_verity_info;
};

/* From 6.18 on, until a hash table took its place. */
struct fsverity_operations {
        long inode_info_offs;
};

struct super_block___verity {
        const struct fsverity_operations *s_vop;
};

#pragma clang attribute pop

/* The first call of an exec is about the file that was named; each further one is about what runs
 * the one before (a script's interpreter). */
static __always_inline bool is_named_itself(const struct linux_binprm *bprm)
{
        return (__u64) bprm->interp == (__u64) bprm->filename;
}

/* exec.bpf.c. Whether the programs run under BPF LSM, which may call more, and has hooks with
 * answers of their own. */
extern const volatile bool in_lsm;

/* digest.bpf.c. What the current task's exec has found out of a file, from before the hook that
 * judges it. */
struct exec_note {
        __u64 inode; /* an address: which file it is about; 0: none */
        __u8 digest[DIGEST_SIZE];
};

typedef struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct exec_note);
} exec_notes;

#ifndef EXEC_NOTES_DEFINED_HERE
extern exec_notes noted SEC(".maps");
#endif

/* digest.bpf.c. Puts into decision->digest what IMA, or fs-verity, say of the file's bytes. Returns
 * an enum digest_algorithm; 0: there is none of that kind; negative: there is, and it cannot be
 * told. */
__hidden int digest_of_bytes(struct decision *decision);
__hidden int digest_of_verity(struct decision *decision);

/* identity.bpf.c. Called as a program is about to run, with the address of its linux_binprm.
 * Returns 0, or negative if what must be remembered of it cannot be. */
__hidden int identity_begin(const __u64 *address);

/* identity.bpf.c. The current process maps the file at that address to execute it. Returns 0, or
 * negative if what must be remembered of it cannot be. */
__hidden int identity_map(const __u64 *address);
