/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs: see program.h. A hook exists when BTF has its function; a program fits by the number of
 * arguments, never by the kernel's version. */
#include "backend/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"

#define LSM_PREFIX "bpf_lsm_"
#define SECURITY_PREFIX "security_"
#define SECTION "lsm/"
#define SECTION_SLEEPABLE "lsm.s/"
#define SECTION_SYSCTL "cgroup/sysctl"
#define GUARD_PREFIX "guard_"
#define TIER_PREFIX "tier_"

static const char NO_PROGRAM[] = "there is no program for it";

/* Programs that are written for one shape of a hook. What is not listed fits any: it reads no
 * argument that kernels have in different places. */
static const struct {
        const char *program;
        unsigned n_arguments;
} shapes[] = {
        {"inode_remove_acl", 3},      {"inode_removexattr", 3}, {"inode_rename", 4},
        {"inode_rename_exchange", 5}, {"inode_set_acl", 4},     {"inode_setattr", 3},
        {"inode_setattr_2", 2},       {"inode_setxattr", 6},    {"mmap_file", 4},
        {"mmap_file_3", 3},
};

static const struct {
        const char *program;
        uint64_t hooks; /* any of them */
        uint32_t flags; /* or any of these */
} helpers[] = {
        {"rename_end", HOOK_BIT(HOOK_INODE_RENAME), 0},
        {"rmdir_end", HOOK_BIT(HOOK_INODE_RMDIR), 0},
        {"cgroup_mkdir", 0, IMAGE_UNBOUND | IMAGE_CGROUPS},
        {"cgroup_rmdir", 0, IMAGE_UNBOUND | IMAGE_CGROUPS},
        {"digest_interpreter", HOOK_BIT(HOOK_BPRM_CREDS_FOR_EXEC), 0},
        {"identity_fork", 0, IMAGE_VERIFIED},
};

/* ---- the kernel ---- */

/* The LSM's name of a hook, and that of the function around it, differ in two. */
static const char *security_name(enum hook hook)
{
        if (hook == HOOK_BPRM_CHECK_SECURITY)
                return "bprm_check";
        if (hook == HOOK_SOCKET_SOCK_RCV_SKB)
                return "sock_rcv_skb";
        return hook_to_string(hook);
}

void hook_symbol(enum hook hook, Tier tier, char ret_symbol[SYMBOL_MAX])
{
        if (hook == HOOK_SYSCTL)
                snprintf(ret_symbol, SYMBOL_MAX, SECTION_SYSCTL);
        else if (tier == TIER_FMOD_RET)
                snprintf(ret_symbol, SYMBOL_MAX, SECURITY_PREFIX "%s", security_name(hook));
        else
                snprintf(ret_symbol, SYMBOL_MAX, LSM_PREFIX "%s", hook_to_string(hook));
}

int hook_is_newer(enum hook hook)
{
        return hook == HOOK_INODE_SET_ACL || hook == HOOK_INODE_REMOVE_ACL;
}

static KernelFunction *find_slot(KernelFunctions *functions, const char *name)
{
        int is_lsm = strncmp(name, LSM_PREFIX, strlen(LSM_PREFIX)) == 0;

        if (!is_lsm && strncmp(name, SECURITY_PREFIX, strlen(SECURITY_PREFIX)) != 0)
                return NULL;
        name += strlen(is_lsm ? LSM_PREFIX : SECURITY_PREFIX);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                const char *wanted = is_lsm ? hook_to_string(hook) : security_name(hook);

                if (strcmp(name, wanted) == 0)
                        return is_lsm ? &functions->lsm[hook] : &functions->security[hook];
        }
        return NULL;
}

void kernel_functions_find(const struct btf *btf, KernelFunctions *ret_functions)
{
        uint32_t n = btf__type_cnt(btf);

        *ret_functions = (KernelFunctions){};
        for (uint32_t id = 1; id < n; id++) {
                const struct btf_type *function = btf__type_by_id(btf, id), *prototype;
                KernelFunction *slot;
                const char *name;

                if (!btf_is_func(function))
                        continue;
                name = btf__name_by_offset(btf, function->name_off);
                slot = name ? find_slot(ret_functions, name) : NULL;
                if (!slot)
                        continue;
                prototype = btf__type_by_id(btf, function->type);
                *slot = (KernelFunction){.id = id, .n_arguments = btf_vlen(prototype)};
        }
}

/* ---- the object ---- */

static unsigned wanted_arguments(const char *program)
{
        for (size_t i = 0; i < ELEMENTS_OF(shapes); i++)
                if (strcmp(shapes[i].program, program) == 0)
                        return shapes[i].n_arguments;
        return 0;
}

static size_t find_helper(const char *program)
{
        size_t i = 0;

        while (i < ELEMENTS_OF(helpers) && strcmp(helpers[i].program, program) != 0)
                i++;
        return i;
}

static int hook_from_section(const char *section, enum hook *ret_hook, int *ret_sleeps)
{
        int sleeps = strncmp(section, SECTION_SLEEPABLE, strlen(SECTION_SLEEPABLE)) == 0;

        if (strcmp(section, SECTION_SYSCTL) == 0) {
                *ret_hook = HOOK_SYSCTL;
                return 0;
        }
        if (!sleeps && strncmp(section, SECTION, strlen(SECTION)) != 0)
                return -ENOENT;
        section += strlen(sleeps ? SECTION_SLEEPABLE : SECTION);
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (strcmp(section, hook_to_string(hook)) == 0) {
                        *ret_hook = hook;
                        *ret_sleeps = sleeps;
                        return 0;
                }
        return -EINVAL;
}

/* NULL: it fits. */
static const char *why_not(const Program *program, Tier tier, const KernelFunction *function)
{
        unsigned n = wanted_arguments(program->name);

        if (program->hook == HOOK_SYSCTL)
                return NULL; /* older than what else is needed */
        if (!function->id)
                return hook_is_newer(program->hook)
                               ? "this kernel does the same through inode_setxattr and "
                                 "inode_removexattr"
                               : "this kernel does not have the hook";
        if (n && n != function->n_arguments)
                return "the hook has other arguments in this kernel than any program here";
        if (tier == TIER_FMOD_RET && program->flags & BPF_F_SLEEPABLE)
                return "it takes a program that may sleep, which only BPF LSM runs here";
        return NULL;
}

/* Returns 1 if the program fits, 0 if not, or a negative errno. */
static int program_init(Program *program, const struct bpf_program *from, Tier tier,
                        const KernelFunctions *functions, const char *reasons[N_HOOKS])
{
        const KernelFunction *function;
        const char *reason;
        int sleeps = 0, r;

        *program = (Program){};
        snprintf(program->name, sizeof(program->name), "%s", bpf_program__name(from));
        r = hook_from_section(bpf_program__section_name(from), &program->hook, &sleeps);
        if (r == -ENOENT) {
                program->role = PROGRAM_HELPER;
                program->hook = N_HOOKS;
                return 1;
        }
        if (r < 0)
                return r;
        if (strncmp(program->name, GUARD_PREFIX, strlen(GUARD_PREFIX)) == 0)
                program->role = PROGRAM_GUARD;
        else if (strncmp(program->name, TIER_PREFIX, strlen(TIER_PREFIX)) == 0)
                program->role = PROGRAM_TIER;
        else if (find_helper(program->name) < ELEMENTS_OF(helpers))
                program->role = PROGRAM_HELPER;
        function = tier == TIER_FMOD_RET ? &functions->security[program->hook]
                                         : &functions->lsm[program->hook];
        program->flags = sleeps ? BPF_F_SLEEPABLE : 0;
        program->target_id = function->id;
        reason = why_not(program, tier, function);
        if (program->role == PROGRAM_RULES ? !reason || *reasons[program->hook]
                                           : reasons[program->hook] == NO_PROGRAM)
                reasons[program->hook] = reason ? reason : "";
        return !reason;
}

int programs_find(const struct bpf_object *object, Tier tier, const KernelFunctions *functions,
                  Program ret_programs[PROGRAMS_MAX], const char *ret_reasons[N_HOOKS])
{
        struct bpf_program *program;
        size_t n = 0;
        int r;

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                ret_reasons[hook] = NO_PROGRAM;
        bpf_object__for_each_program(program, object)
        {
                if (n == PROGRAMS_MAX)
                        return -E2BIG;
                r = program_init(&ret_programs[n], program, tier, functions, ret_reasons);
                if (r < 0)
                        return r;
                n += (size_t) r;
        }
        return (int) n;
}

int program_is_attached(const Program *program)
{
        return program->link || program->fd;
}

int program_is_built(const Program *program)
{
        return program->role == PROGRAM_RULES &&
               (program->hook == HOOK_BPRM_CHECK_SECURITY || program->hook == HOOK_MMAP_FILE ||
                program->hook == HOOK_FILE_MPROTECT);
}

void program_forget_times(Program *program)
{
        if (program->timed_fd > 0)
                close(program->timed_fd);
        program->timed_fd = 0;
}

int helper_is_needed(const Program *helper, uint64_t hooks, uint32_t flags)
{
        size_t i = find_helper(helper->name);

        return i < ELEMENTS_OF(helpers) &&
               ((helpers[i].hooks & hooks) || (helpers[i].flags & flags));
}

/* One that flags ask for is about subjects, and so about every hook. */
uint64_t helper_hooks(const Program *helper, uint64_t hooks)
{
        size_t i = find_helper(helper->name);

        if (i == ELEMENTS_OF(helpers))
                return 0;
        return helpers[i].flags ? hooks : helpers[i].hooks & hooks;
}
