/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Dentry: what is read of one by its address alone. */
#pragma once

#include "kernel.h"

/* As it stands in the kernels that we know: one read, not three. */
struct named {
        __u64 parent;
        __u64 hash_length;
        __u64 name;
};

/* Returns 0, or a negative number when there is nothing to be read there. */
static __always_inline long read_named(struct named *ret_named, const struct dentry *dentry)
{
        if (bpf_core_field_offset(dentry->d_name.name) ==
            bpf_core_field_offset(dentry->d_parent) + 16)
                return bpf_core_read(ret_named, sizeof(*ret_named), &dentry->d_parent);
        ret_named->hash_length = BPF_CORE_READ(dentry, d_name.hash_len);
        ret_named->name = (__u64) BPF_CORE_READ(dentry, d_name.name);
        return bpf_core_read(&ret_named->parent, sizeof(ret_named->parent), &dentry->d_parent);
}
