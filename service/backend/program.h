/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs: which program stands for which hook, and where it goes in each tier. */
#pragma once

#include <bpf/btf.h>

#include "backend/backend.h"

#define PROGRAM_VARIANTS 2

typedef struct ProgramVariant {
        const char *program;  /* its name in the object; NULL ends the list */
        unsigned n_arguments; /* that the hook must have; 0: whatever it has */
} ProgramVariant;

typedef struct HookSpec {
        ProgramVariant variants[PROGRAM_VARIANTS];
        int newer; /* a kernel without it does through other hooks what newer ones do here */
} HookSpec;

extern const HookSpec hook_specs[N_HOOKS];

/* The reason of a hook that is `newer` and not there: nothing is missing. */
extern const char REASON_OLDER_KERNEL[];

#define SYMBOL_MAX 64u

/* The function a hook's program attaches to in a tier. */
void hook_symbol(enum hook hook, Tier tier, char ret_symbol[SYMBOL_MAX]);

/* The program of the object that fits this kernel's hook, or NULL: then *ret_reason says why. */
const char *hook_program(enum hook hook, Tier tier, const struct btf *btf, const char **ret_reason);
