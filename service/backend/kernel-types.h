/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel types: those types of the kernel that our programs name, by themselves. Whoever fits
 * programs to a kernel looks for each of their types among all that there are, and a kernel has
 * some 80,000: that was half of what a start took. */
#pragma once

#include <bpf/btf.h>

/* The types of the kernel's BTF whose names the programs' has, with the members whose names it has,
 * at their places, and what these consist of. What pointers point at is left out: fitting asks for
 * places and sizes alone. *ret_types is for btf__free(). 0 or a negative errno. */
int kernel_types_pick(const struct btf *kernel, const struct btf *programs, struct btf **ret_types);

/* A file that is nowhere but in memory, and its path for this process, which is valid until the
 * descriptor is closed. A descriptor, or a negative errno. */
#define KERNEL_TYPES_PATH_MAX 32u
int kernel_types_open(char ret_path[KERNEL_TYPES_PATH_MAX]);

/* Writes what kernel_types_pick() picks. 0 or a negative errno. */
int kernel_types_write(int fd, const struct btf *kernel, const struct btf *programs);
