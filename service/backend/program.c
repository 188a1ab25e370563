/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs: see program.h. A hook exists when BTF has its function; a program fits by the number of
 * arguments, never by the kernel's version. */
#include "backend/program.h"

#include <stdio.h>

const char REASON_OLDER_KERNEL[] = "this kernel does the same through inode_setxattr and "
                                   "inode_removexattr";

/* clang-format off */
#define PROGRAMS(...) { .variants = {__VA_ARGS__}, .newer = 0 }
#define NEWER_PROGRAMS(...) { .variants = {__VA_ARGS__}, .newer = 1 }

const HookSpec hook_specs[N_HOOKS] = {
        [HOOK_FILE_OPEN] = PROGRAMS({"file_open", 0}),
        [HOOK_INODE_CREATE] = PROGRAMS({"inode_create", 0}),
        [HOOK_INODE_LINK] = PROGRAMS({"inode_link", 0}),
        [HOOK_INODE_MKDIR] = PROGRAMS({"inode_mkdir", 0}),
        [HOOK_INODE_MKNOD] = PROGRAMS({"inode_mknod", 0}),
        [HOOK_INODE_REMOVE_ACL] = NEWER_PROGRAMS({"inode_remove_acl", 3}),
        [HOOK_INODE_REMOVEXATTR] = PROGRAMS({"inode_removexattr", 3}),
        [HOOK_INODE_RENAME] = PROGRAMS({"inode_rename", 4}, {"inode_rename_exchange", 5}),
        [HOOK_INODE_RMDIR] = PROGRAMS({"inode_rmdir", 0}),
        [HOOK_INODE_SET_ACL] = NEWER_PROGRAMS({"inode_set_acl", 4}),
        [HOOK_INODE_SETATTR] = PROGRAMS({"inode_setattr", 3}, {"inode_setattr_2", 2}),
        [HOOK_INODE_SETXATTR] = PROGRAMS({"inode_setxattr", 6}),
        [HOOK_INODE_SYMLINK] = PROGRAMS({"inode_symlink", 0}),
        [HOOK_INODE_UNLINK] = PROGRAMS({"inode_unlink", 0}),
        [HOOK_SOCKET_BIND] = PROGRAMS({"socket_bind", 0}),
        [HOOK_SOCKET_CONNECT] = PROGRAMS({"socket_connect", 0}),
        [HOOK_SOCKET_SENDMSG] = PROGRAMS({"socket_sendmsg", 0}),
};
/* clang-format on */

void hook_symbol(enum hook hook, Tier tier, char ret_symbol[SYMBOL_MAX])
{
        const char *prefix = tier == TIER_FMOD_RET ? "security_" : "bpf_lsm_";

        snprintf(ret_symbol, SYMBOL_MAX, "%s%s", prefix, hook_to_string(hook));
}

/* -1: there is no such function. */
static int count_arguments(const struct btf *btf, const char *symbol)
{
        int id = btf__find_by_name_kind(btf, symbol, BTF_KIND_FUNC);
        const struct btf_type *function, *prototype;

        if (id < 0)
                return -1;
        function = btf__type_by_id(btf, (unsigned) id);
        prototype = function ? btf__type_by_id(btf, function->type) : NULL;
        return prototype ? btf_vlen(prototype) : -1;
}

const char *hook_program(enum hook hook, Tier tier, const struct btf *btf, const char **ret_reason)
{
        const ProgramVariant *variants = hook_specs[hook].variants;
        char symbol[SYMBOL_MAX];
        int n;

        hook_symbol(hook, tier, symbol);
        n = count_arguments(btf, symbol);
        if (n < 0) {
                *ret_reason = hook_specs[hook].newer ? REASON_OLDER_KERNEL
                                                     : "this kernel does not have the hook";
                return NULL;
        }
        for (size_t i = 0; i < PROGRAM_VARIANTS && variants[i].program; i++)
                if (!variants[i].n_arguments || variants[i].n_arguments == (unsigned) n)
                        return variants[i].program;
        *ret_reason = "the hook has other arguments in this kernel than any program here";
        return NULL;
}
