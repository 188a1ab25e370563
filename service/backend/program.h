/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs: which programs of the object stand at which hook, and where in the kernel that is. The
 * object says it: the section of a program is "lsm/HOOK", or "lsm.s/HOOK" if it may sleep. Where a
 * hook has other arguments in other kernels there is a program for each shape. What is named
 * guard_… protects the service and is no part of the rules, nor is tier_…; what has another section
 * helps. */
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "backend/backend.h"

#define SYMBOL_MAX 64u
#define PROGRAMS_MAX 96u

/* A function of the kernel that programs can stand at. */
typedef struct KernelFunction {
        uint32_t id;          /* in the kernel's BTF; 0: it is not there */
        unsigned n_arguments; /* that it takes */
} KernelFunction;

/* What the two tiers of trampolines attach to. */
typedef struct KernelFunctions {
        KernelFunction lsm[N_HOOKS], security[N_HOOKS];
} KernelFunctions;

/* One pass over the kernel's BTF, which has a hundred thousand names and more. */
void kernel_functions_find(const struct btf *btf, KernelFunctions *ret_functions);

typedef enum ProgramRole {
        PROGRAM_RULES,
        PROGRAM_GUARD,
        PROGRAM_HELPER,
        PROGRAM_TIER, /* proves that the tier works */
} ProgramRole;

/* A program that fits this kernel. */
typedef struct Program {
        char name[SYMBOL_MAX];
        ProgramRole role;
        enum hook hook; /* N_HOOKS: a helper that stands elsewhere */
        uint32_t flags; /* to load it with */
        uint32_t target_id;
        uint32_t built_for;    /* while it is attached: see IMAGE_BUILT_FOR */
        struct bpf_link *link; /* NULL: not attached … */
        int fd;                /* … but, if not 0, in the way that knows no links: see sysctl.c */
        int ask_fd;            /* the link of the judge in it; 0: none */
        uint32_t loaded_as;    /* load_id of what that link is in */
        int timed_fd; /* the program, so that its times can be asked for; 0: none is kept */
} Program;

int program_is_attached(const Program *program);
void program_forget_times(Program *program);

/* The function a hook's programs attach to in a tier. */
void hook_symbol(enum hook hook, Tier tier, char ret_symbol[SYMBOL_MAX]);

/* Whether older kernels do through other hooks what newer ones do at this one. */
int hook_is_newer(enum hook hook);

/* Lists the programs that fit, at most PROGRAMS_MAX. reasons: of the hooks where none does. Returns
 * how many, or a negative errno. */
int programs_find(const struct bpf_object *object, Tier tier, const KernelFunctions *functions,
                  Program ret_programs[PROGRAMS_MAX], const char *ret_reasons[N_HOOKS]);

/* Whether it is built for what a policy has (IMAGE_BUILT_FOR), and others differ. */
int program_is_built(const Program *program);

/* Whether an image that needs these hooks and has these flags (IMAGE_…) needs a helper. */
int helper_is_needed(const Program *helper, uint64_t hooks, uint32_t flags);

/* Which of these hooks cannot do without it. */
uint64_t helper_hooks(const Program *helper, uint64_t hooks);
