/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks: what must be attached, so that every rule holds. A hook that no rule needs costs nothing;
 * a rule that only allows needs none by itself, unless what it allows must be found out. */
#include "policy/compile.h"

/* A name is made, changed and lost in many ways. */
#define NAME_HOOKS                                                                                 \
        (HOOK_BIT(HOOK_FILE_OPEN) | HOOK_BIT(HOOK_INODE_COPY_UP) | HOOK_BIT(HOOK_INODE_CREATE) |   \
         HOOK_BIT(HOOK_INODE_LINK) | HOOK_BIT(HOOK_INODE_MKDIR) | HOOK_BIT(HOOK_INODE_MKNOD) |     \
         HOOK_BIT(HOOK_INODE_REMOVE_ACL) | HOOK_BIT(HOOK_INODE_REMOVEXATTR) |                      \
         HOOK_BIT(HOOK_INODE_RENAME) | HOOK_BIT(HOOK_INODE_RMDIR) | HOOK_BIT(HOOK_INODE_SET_ACL) | \
         HOOK_BIT(HOOK_INODE_SETATTR) | HOOK_BIT(HOOK_INODE_SETXATTR) |                            \
         HOOK_BIT(HOOK_INODE_SYMLINK) | HOOK_BIT(HOOK_INODE_UNLINK))

#define MAP_HOOKS (HOOK_BIT(HOOK_MMAP_FILE) | HOOK_BIT(HOOK_FILE_MPROTECT))
#define EXEC_HOOKS HOOK_BIT(HOOK_BPRM_CHECK_SECURITY)
#define SHA256_HOOKS (EXEC_HOOKS | HOOK_BIT(HOOK_BPRM_CREDS_FOR_EXEC))
#define EXE_HOOKS                                                                                  \
        HOOK_BIT(HOOK_TASK_PRCTL) /* where a process may name another program as its own */
#define IDENTITY_HOOKS (EXE_HOOKS | EXEC_HOOKS) /* where it gets, and may lose, an identity */
#define LOAD_HOOKS (HOOK_BIT(HOOK_KERNEL_READ_FILE) | HOOK_BIT(HOOK_KERNEL_LOAD_DATA))

static const uint64_t kernel_hooks[N_KERNEL_OBJECTS] = {
        [KERNEL_PTRACE] = HOOK_BIT(HOOK_PTRACE_ACCESS_CHECK) | HOOK_BIT(HOOK_PTRACE_TRACEME),
        [KERNEL_MODULE] = LOAD_HOOKS,
        [KERNEL_BPF] = HOOK_BIT(HOOK_BPF),
        [KERNEL_MOUNT] = HOOK_BIT(HOOK_SB_MOUNT) | HOOK_BIT(HOOK_MOVE_MOUNT) |
                         HOOK_BIT(HOOK_SB_UMOUNT) | HOOK_BIT(HOOK_SB_PIVOTROOT),
        [KERNEL_KEXEC] = LOAD_HOOKS,
};

static uint64_t hooks_of_access(uint32_t access)
{
        return (access & ACCESS_MAP ? MAP_HOOKS : 0) | (access & ACCESS_EXEC ? EXEC_HOOKS : 0);
}

static uint64_t hooks_of_object(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                return NAME_HOOKS | hooks_of_access(rule->file.access);
        case RULE_INODE:
                return NAME_HOOKS | hooks_of_access(rule->inode.access);
        case RULE_NET:
                return nets_hooks(rule);
        case RULE_KERNEL:
                return kernel_hooks[rule->kernel];
        case RULE_COMM:
                return EXEC_HOOKS;
        case RULE_DIGEST:
                return rule->digest.algorithm == DIGEST_SHA256 ? SHA256_HOOKS : EXEC_HOOKS;
        case RULE_DEFAULT:
                /* A file is opened to be run or mapped before it is. */
                return hooks_of_access(rule->def.access) |
                       (rule->def.access & ACCESS_MAP ? HOOK_BIT(HOOK_FILE_OPEN) : 0);
        case RULE_ALLOW_CGROUP:
                return 0;
        }
        return 0;
}

static uint32_t flags_of_subject(uint32_t subject)
{
        return (subject ? IMAGE_SUBJECTS : 0) | (subject & SUBJECT_CGROUP ? IMAGE_CGROUPS : 0) |
               (subject & SUBJECT_VERIFIED ? IMAGE_VERIFIED : 0);
}

/* What tells whom a rule is about. */
static uint64_t hooks_of_subject(const Rule *rule, const Policy *policy)
{
        uint32_t subject = rule->options->subject;

        if (!(subject & SUBJECT_VERIFIED))
                return subject & SUBJECT_EXE ? EXE_HOOKS : 0;
        return IDENTITY_HOOKS | (policy_runtime_deps(policy) ? MAP_HOOKS : 0);
}

/* Adds what the rule needs. */
static void add_rule(Demands *demands, const Rule *rule, const Policy *policy)
{
        int finds_out = rule->kind == RULE_DIGEST || rule->verdict != RULE_ALLOW;
        uint64_t hooks = hooks_of_subject(rule, policy) | (finds_out ? hooks_of_object(rule) : 0);

        demands->flags |= flags_of_subject(rule->options->subject);
        if (rule->options->subject & SUBJECT_VERIFIED && policy_runtime_deps(policy))
                demands->flags |= IMAGE_RUNTIME_DEPS;
        demands->hooks |= hooks;
        if (rule->verdict == RULE_DENY && rule->options->mode == RULE_MODE_ENFORCE) {
                demands->in_audit |= hooks;
                demands->flags |= IMAGE_ENFORCED;
        }
        if (!policy_accepts_missing(policy))
                demands->insisted |= hooks;
}

/* Most rules about files need what the one before needs. */
static int needs_the_same(const Rule *rule, const Rule *before)
{
        return rule->kind == RULE_FILE && before->kind == RULE_FILE &&
               rule->file.access == before->file.access && rule->options == before->options &&
               rule->verdict == before->verdict;
}

void demands_find(const Compiler *compiler, const Policy *policy, size_t first, size_t n,
                  Demands *ret_demands)
{
        const Rule *before = NULL;
        Demands demands = {};

        for (size_t i = 0; i < n; i++) {
                const NumberedRule *numbered =
                        &compiler->rules[compiler->in_order.items[first + i]];

                if (numbered->has_expired)
                        continue;
                demands.n_of_kind[numbered->rule->kind]++;
                if (before && needs_the_same(numbered->rule, before))
                        continue;
                before = numbered->rule;
                add_rule(&demands, numbered->rule, policy);
        }
        *ret_demands = demands;
}

static void find_flags(Compiler *compiler, const Demands *demands)
{
        PolicyImage *image = compiler->image;

        image->flags |= compiler->n_exes_used > 0 ? IMAGE_EXES : 0;
        image->flags |= demands->n_of_kind[RULE_FILE] > 0 ? IMAGE_FILES : 0;
        image->flags |= demands->n_of_kind[RULE_ALLOW_CGROUP] > 0 ? IMAGE_UNBOUND : 0;
        image->flags |= image->n_nets > 0 ? IMAGE_NET : 0;
        image->flags |= image->port_classes ? IMAGE_RANGES : 0;
}

void hooks_find(Compiler *compiler, const Demands *demands)
{
        PolicyImage *image = compiler->image;

        find_flags(compiler, demands);
        image->flags |= demands->flags;
        image->hooks |= demands->hooks;
        image->hooks_in_audit |= demands->in_audit;
        image->hooks_accepted = image->hooks & ~demands->insisted;
}
