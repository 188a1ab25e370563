/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Identity: whether a process runs what the system's administrator installed, and nothing else. The
 * program's file tells it at any time: regular, root's, nobody else's to write, under fs-verity,
 * below a folder of programs. What the file does not tell is remembered until the next exec: a
 * script that is no such file, an interpreter that was handed its code, a library that is no such
 * file where those count. */
#include "exec.h"

#define LEVELS_AT_ONCE 8
#define PROGRAM_LEVELS 32

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mount {
        struct mount *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
};

struct path___mounted {
        struct vfsmount *mnt;
        struct dentry *dentry;
};

struct file___mounted {
        struct path___mounted f_path;
};

#pragma clang attribute pop

/* A process lost its identity in the exec of that number: in this one, or in the one that has
 * begun and may still fail. 0: never. */
struct loss {
        __u64 exec, next_exec;
};

struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct loss);
} losses SEC(".maps");

/* Of processes that were there at that time it is not known whether they inherited a loss. */
__u64 doubted_ns SEC(".data.identity");

static __always_inline __u64 exec_number(const struct task_struct *task)
{
        return BPF_CORE_READ(task, self_exec_id) + 1;
}

/* ---- files ---- */

static __always_inline bool is_program_folder(const struct dentry *dentry)
{
        static const char folders[][8] = {"usr", "bin", "sbin", "lib", "lib64"};
        __u64 name = 0;

        if (!dentry || BPF_CORE_READ(dentry, d_name.len) >= sizeof(name) ||
            bpf_probe_read_kernel_str(&name, sizeof(name), BPF_CORE_READ(dentry, d_name.name)) < 0)
                return false;
        for (int i = 0; i < 5; i++)
                if (*(const __u64 *) folders[i] == name)
                        return true;
        return false;
}

/* Where the way up from a file has come to, through the mounts it is in. */
struct mounted_way {
        __u64 dentry, top, mount, root;
};

#define WAY_GOES_ON 1

static __always_inline void enter_mount(struct mounted_way *way, __u64 address)
{
        const struct mount *mount = (const struct mount *) address;

        way->mount = address;
        way->root = (__u64) BPF_CORE_READ(mount, mnt.mnt_root);
}

/* Some levels of it. Returns WAY_GOES_ON, 0 at the root of all that is mounted, or -1 if the tree
 * is not that of its mount. A function of its own, so that the verifier looks into it once and not
 * once for all levels. */
__noinline int identity_climb(struct mounted_way *way)
{
        if (!way || !is_built_for(IMAGE_VERIFIED))
                return -1;
        for (int i = 0; i < LEVELS_AT_ONCE; i++) {
                const struct dentry *dentry = (const struct dentry *) way->dentry;
                const struct mount *mount = (const struct mount *) way->mount;
                __u64 parent;

                if (way->dentry == way->root) {
                        parent = (__u64) BPF_CORE_READ(mount, mnt_parent);
                        if (parent == way->mount)
                                return 0;
                        way->dentry = (__u64) BPF_CORE_READ(mount, mnt_mountpoint);
                        enter_mount(way, parent);
                        continue;
                }
                way->top = way->dentry;
                way->dentry = (__u64) BPF_CORE_READ(dentry, d_parent);
                if (way->dentry == way->top)
                        return -1;
        }
        return WAY_GOES_ON;
}

/* Whether the path of the file, from the root of all that is mounted, begins with such a folder. */
static __always_inline bool is_below_program_folder(const struct file___mounted *file)
{
        struct mounted_way way = {.dentry = (__u64) BPF_CORE_READ(file, f_path.dentry)};
        int r = WAY_GOES_ON;

        way.top = way.dentry;
        enter_mount(&way, (__u64) BPF_CORE_READ(file, f_path.mnt) -
                                  bpf_core_field_offset(struct mount, mnt));
        for (int i = 0; i < PROGRAM_LEVELS / LEVELS_AT_ONCE && r == WAY_GOES_ON; i++)
                r = identity_climb(&way);
        return !r && is_program_folder((const struct dentry *) way.top);
}

/* At an address. 1 or 0. */
__hidden __noinline int identity_vouches(__u64 address)
{
        const struct file *file = (const struct file *) address;
        const struct inode *inode = BPF_CORE_READ(file, f_inode);
        __u32 mode = BPF_CORE_READ(inode, i_mode);

        return (mode & MODE_TYPE) == MODE_REGULAR && !(mode & MODE_GROUP_OR_OTHERS_WRITE) &&
               BPF_CORE_READ(inode, i_uid.val) == 0 &&
               BPF_CORE_READ(inode, i_flags) & INODE_VERITY &&
               BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC &&
               is_below_program_folder((const struct file___mounted *) file);
}

/* ---- programs ---- */

/* An ELF file of this machine stands for itself from its exec on. Any other file is run by a
 * program that stands in its place. */
static __always_inline bool is_own_program(const char head[20])
{
        __u16 machine = (__u8) head[18] | (__u16) (__u8) head[19] << 8;

        if (head[0] != 0x7f || head[1] != 'E' || head[2] != 'L' || head[3] != 'F')
                return false;
#if defined(__TARGET_ARCH_x86)
        return machine == 62 || machine == 3; /* EM_X86_64, EM_386 */
#elif defined(__TARGET_ARCH_arm64)
        return machine == 183; /* EM_AARCH64 */
#else
        return false;
#endif
}

/* Run by themselves, these run what they are given: on the command line, in a file of any kind, or
 * by whoever is at the other end of a pipe. ld… is the dynamic loader. */
static __always_inline bool is_interpreter(__u64 name)
{
        static const struct {
                char name[8];
                __u32 length; /* that must be equal */
        } interpreters[] = {
                {"sh", 3},     {"ash", 4},     {"dash", 5},   {"bash", 4},  {"rbash", 6},
                {"zsh", 3},    {"ksh", 3},     {"mksh", 5},   {"fish", 5},  {"csh", 4},
                {"tcsh", 5},   {"busybox", 7}, {"python", 6}, {"perl", 4},  {"ruby", 4},
                {"node", 4},   {"lua", 3},     {"php", 3},    {"tclsh", 5}, {"wish", 4},
                {"expect", 7}, {"guile", 5},   {"ld-", 3},    {"ld.so", 6},
        };

        for (unsigned i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
                __u64 mask = interpreters[i].length == 8 ? ~0ull
                                                         : (1ull << interpreters[i].length * 8) - 1;

                if ((name & mask) == (*(const __u64 *) interpreters[i].name & mask))
                        return true;
        }
        return false;
}

static __always_inline bool is_run_by_itself(const struct linux_binprm *bprm)
{
        return BPF_CORE_READ(bprm, interp) == BPF_CORE_READ(bprm, filename);
}

/* Whether the program's file, when it runs, tells all that is to be known; else whether the file is
 * one to vouch for. */
static __always_inline bool is_vouched_for(const struct linux_binprm *bprm, bool by_itself)
{
        const struct dentry *dentry = BPF_CORE_READ(bprm, file, f_path.dentry);
        __u64 name = 0;
        char head[20];

        if (bpf_core_read(head, sizeof(head), &bprm->buf) || !is_own_program(head))
                return identity_vouches((__u64) BPF_CORE_READ(bprm, file));
        if (!by_itself)
                return true;
        bpf_probe_read_kernel_str(&name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
        return !is_interpreter(name);
}

static __always_inline struct loss *loss_of(struct task_struct *task, __u64 flags)
{
        return bpf_task_storage_get(&losses, task, NULL, flags);
}

int identity_begin(const __u64 *address)
{
        struct task_struct *task = bpf_get_current_task_btf();
        const struct linux_binprm *bprm;
        bool by_itself, is_lost;
        struct loss *loss;
        __u64 number;

        if (!address)
                return -1;
        number = exec_number(task);
        bprm = (const struct linux_binprm *) *address;
        by_itself = is_run_by_itself(bprm);
        is_lost = !is_vouched_for(bprm, by_itself);
        loss = loss_of(task, is_lost ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
        if (!loss)
                return is_lost ? -1 : 0;
        if (by_itself) {
                if (loss->next_exec == number)
                        loss->exec = number;
                loss->next_exec = 0;
        }
        if (is_lost)
                loss->next_exec = number + 1;
        return 0;
}

/* ---- processes ---- */

static __always_inline bool has_lost(struct task_struct *leader)
{
        const struct loss *loss = loss_of(leader, 0);
        __u64 number = exec_number(leader);

        return (loss && (loss->exec == number || loss->next_exec == number)) ||
               BPF_CORE_READ(leader, start_boottime) <= *(volatile __u64 *) &doubted_ns;
}

int subject_verified(void)
{
        struct task_struct *task = bpf_get_current_task_btf();
        const struct file *file = BPF_CORE_READ(task, mm, exe_file);

        return file && !has_lost(task->group_leader) && identity_vouches((__u64) file);
}

int identity_map(const __u64 *address)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct loss *loss;

        if (!address)
                return -1;
        if (identity_vouches(*address) || !subject_verified())
                return 0;
        loss = loss_of(task->group_leader, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (!loss)
                return -1;
        loss->exec = exec_number(task->group_leader);
        return 0;
}

/* ---- a forged one ---- */

#define ENOSYS 38
#define OPTION_MEMORY 35  /* PR_SET_MM */
#define MEMORY_PROGRAM 13 /* PR_SET_MM_EXE_FILE */
#define MEMORY_ALL 14     /* PR_SET_MM_MAP, the program among it */

/* The answer for nothing to say. */
static __always_inline int prctl_pass(void)
{
        return in_lsm ? -ENOSYS : 0;
}

/* A process may name another file as the program it runs, of users who have namespaces of their own
 * any. Where rules are about programs it may not. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long what)
{
        struct decision decision = {.word = word_read(), .hook = HOOK_TASK_PRCTL};

        if (option != OPTION_MEMORY || (what != MEMORY_PROGRAM && what != MEMORY_ALL))
                return prctl_pass();
        count_call(HOOK_TASK_PRCTL);
        if (is_canary(decision.word, HOOK_TASK_PRCTL))
                return -CANARY_ERRNO;
        if (!(word_header(decision.word)->flags & (IMAGE_EXES | IMAGE_VERIFIED)))
                return prctl_pass();
        decision.flags = EVENT_FORGED;
        decision.access = 1;
        if (ask(&decision) < 0) {
                asm volatile("");
                return -EPERM;
        }
        return prctl_pass();
}

/* ---- children ---- */

/* A new process runs what its parent does. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(identity_fork, struct task_struct *parent, struct task_struct *child)
{
        struct loss *loss;

        if (child->group_leader != child || !has_lost(parent->group_leader))
                return 0;
        loss = loss_of(child, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (loss)
                loss->exec = exec_number(child);
        else
                doubted_ns = bpf_ktime_get_boot_ns();
        return 0;
}
