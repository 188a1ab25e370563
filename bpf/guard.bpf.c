/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Guard: what would take enforcement away from the service is denied to root too: its pins, its
 * maps, its programs, its own process. PID 1 and the service itself pass, and so does who is about
 * to become it, told by the place of its program: it must be able to take over what is pinned.
 * These denials are in earnest in audit mode too. Programs stand beside those of the rules. */
#include "guard.h"
#include "judge.h"

#define TASK_EXITING 4u /* PF_EXITING */
#define PTRACE_ATTACH 2u
#define PARENTS_MAX 64

#define MOUNT_REMOUNT 0x20u
#define MOUNT_BIND 0x1000u
#define MOUNT_PROPAGATION 0x1e0000u /* unbindable, private, slave, shared */

#define SIGNAL_HANGUP 1
#define SIGNAL_CHILD 17
#define SIGNAL_CONTINUE 18
#define SIGNAL_URGENT 23
#define SIGNAL_WINDOW 28

/* The first of it that fits: enough to tell programs of one directory apart. */
union program_name {
        char text[sizeof(hot.self.exe_name)];
        __u64 words[2];
};
_Static_assert(sizeof(union program_name) == sizeof(hot.self.exe_name), "two words");

static __always_inline bool is_on(void)
{
        return hot.self.pin_device != 0;
}

static __always_inline void read_name(const struct dentry *dentry, union program_name *ret_name)
{
        *ret_name = (union program_name){};
        bpf_probe_read_kernel_str(ret_name->text, sizeof(ret_name->text),
                                  BPF_CORE_READ(dentry, d_name.name));
}

int service_note(void)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        const struct task_struct *leader = BPF_CORE_READ(task, group_leader);
        const struct dentry *dentry = BPF_CORE_READ(task, mm, exe_file, f_path.dentry);
        union program_name name;

        hot.service_start_ns = BPF_CORE_READ(leader, start_boottime);
        hot.service_task = (__u64) leader;
        hot.claim_until_ns = 0;
        read_name(dentry, &name);
        __builtin_memcpy(hot.self.exe_name, name.text, sizeof(name.text));
        hot.self.exe_directory = BPF_CORE_READ(dentry, d_parent, d_inode, i_ino);
        hot.self.exe_device = BPF_CORE_READ(dentry, d_sb, s_dev);
        return 0;
}

/* Whether it runs the service's program, told by its name and directory: a file that came there
 * with an upgrade counts, a copy elsewhere does not. */
static __always_inline bool has_service_program(const struct task_struct *task)
{
        const struct dentry *dentry = BPF_CORE_READ(task, mm, exe_file, f_path.dentry);
        const __u64 *wanted = (const __u64 *) hot.self.exe_name;
        union program_name name;

        if (!dentry || !wanted[0] ||
            BPF_CORE_READ(dentry, d_parent, d_inode, i_ino) != hot.self.exe_directory ||
            BPF_CORE_READ(dentry, d_sb, s_dev) != hot.self.exe_device)
                return false;
        read_name(dentry, &name);
        return name.words[0] == wanted[0] && name.words[1] == wanted[1];
}

/* What is at that address may be another task by now, or none: then it began at another time. */
static __always_inline bool service_lives(void)
{
        const struct task_struct *task = (const struct task_struct *) hot.service_task;

        return task && BPF_CORE_READ(task, start_boottime) == hot.service_start_ns &&
               (__u32) BPF_CORE_READ(task, tgid) == hot.service_tgid &&
               !BPF_CORE_READ(task, exit_state) && !(BPF_CORE_READ(task, flags) & TASK_EXITING);
}

/* While the service lives nobody becomes it; nor does who is led by a tracer. */
int guard_trusts(void)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;

        if (tgid == 1 || is_service(tgid))
                return true;
        return !service_lives() && !BPF_CORE_READ(task, ptrace) && has_service_program(task);
}

static __always_inline int deny(__u32 word, enum hook hook, const struct dentry *dentry,
                                __u32 target, __u32 flags)
{
        struct decision decision = {};

        decision.dentry = (__u64) dentry;
        decision.inode = dentry ? (__u64) BPF_CORE_READ(dentry, d_inode) : 0;
        decision.word = word;
        decision.hook = hook;
        decision.flags = EVENT_SELF | flags;
        decision.target = target;
        return verdict_return(ask(&decision));
}

/* ---- pins ---- */

static __always_inline int guard_name(struct dentry *dentry, enum hook hook)
{
        __u32 word = word_read();

        if (is_guard_canary(word, hook))
                return -CANARY_ERRNO;
        if (BPF_CORE_READ(dentry, d_sb, s_dev) != hot.self.pin_device)
                return 0;
        return deny(word, hook, dentry, 0, 0);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(guard_inode_mkdir, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_MKDIR);
}

SEC("lsm/inode_rename")
int BPF_PROG(guard_inode_rename, struct inode *old_dir, struct dentry *old_dentry)
{
        return guard_name(old_dentry, HOOK_INODE_RENAME);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(guard_inode_rmdir, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_RMDIR);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_inode_unlink, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_UNLINK);
}

/* ---- mounts ---- */

/* Elsewhere, in a container say, there are copies of them, which come and go. */
int guard_sees_first_mounts(void)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        const struct mnt_namespace *own = BPF_CORE_READ(task, nsproxy, mnt_ns);

        for (int i = 0; i < PARENTS_MAX; i++) {
                if (BPF_CORE_READ(task, tgid) <= 1)
                        return BPF_CORE_READ(task, nsproxy, mnt_ns) == own;
                task = BPF_CORE_READ(task, real_parent);
        }
        return true;
}

static __always_inline bool is_in_pins(const struct dentry *dentry)
{
        return is_on() && BPF_CORE_READ(dentry, d_sb, s_dev) == hot.self.pin_device;
}

static __always_inline int guard_mount(const struct dentry *dentry, __u32 word, enum hook hook)
{
        return is_in_pins(dentry) ? deny(word, hook, dentry, 0, DECIDE_MOUNT) : 0;
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_sb_umount, struct vfsmount *mount, int flags)
{
        __u32 word = word_read();

        if (is_guard_canary(word, HOOK_SB_UMOUNT))
                return -CANARY_ERRNO;
        return guard_mount(BPF_CORE_READ(mount, mnt_root), word, HOOK_SB_UMOUNT);
}

/* Over the pins, or all of their file system made read-only. What concerns the mount alone is left
 * to whoever confines services. */
SEC("lsm/sb_mount")
int BPF_PROG(guard_sb_mount, const char *device, const struct path *path, const char *type,
             unsigned long flags)
{
        __u32 word = word_read();

        if (is_guard_canary(word, HOOK_SB_MOUNT))
                return -CANARY_ERRNO;
        if (flags & MOUNT_PROPAGATION || (flags & MOUNT_REMOUNT && flags & MOUNT_BIND))
                return 0;
        return guard_mount(BPF_CORE_READ(path, dentry), word, HOOK_SB_MOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(guard_move_mount, const struct path *from, const struct path *to)
{
        __u32 word = word_read();
        int r;

        if (is_guard_canary(word, HOOK_MOVE_MOUNT))
                return -CANARY_ERRNO;
        r = guard_mount(BPF_CORE_READ(from, dentry), word, HOOK_MOVE_MOUNT);
        return r ? r : guard_mount(BPF_CORE_READ(to, dentry), word, HOOK_MOVE_MOUNT);
}

/* ---- maps, programs and links ---- */

/* A map has its number before its maker has its descriptor: in between it is known by its name. */
static __always_inline bool has_own_name(const struct bpf_map *map)
{
        static const char own[] = OWN_MAP_PREFIX;
        char name[sizeof(map->name)] = {};

        BPF_CORE_READ_INTO(&name, map, name);
        for (__u32 i = 0; i < sizeof(own) - 1; i++)
                if (name[i] != own[i])
                        return false;
        return true;
}

/* Asked whenever a descriptor of a map is made, by its id, by its pin or with the map itself. */
SEC("lsm/bpf_map")
int BPF_PROG(guard_bpf_map, struct bpf_map *map)
{
        struct own_object key = {.kind = OWN_MAP, .id = map->id};
        __u32 word = word_read(), present = 1;

        count_call(HOOK_BPF_MAP);
        if (is_guard_canary(word, HOOK_BPF_MAP))
                return -CANARY_ERRNO;
        if (!is_on())
                return 0;
        if (is_service(bpf_get_current_pid_tgid() >> 32)) {
                bpf_map_update_elem(&own_objects, &key, &present, BPF_ANY);
                return 0;
        }
        if (!has_own_name(map) && !bpf_map_lookup_elem(&own_objects, &key))
                return 0;
        return deny(word, HOOK_BPF_MAP, NULL, 0, 0);
}

/* A program of ours by its id could be extended by another, and so rewritten. A link by its pin has
 * no hook, and nothing can be done with it but to hold it. */
SEC("lsm/bpf")
int BPF_PROG(guard_bpf, int command, union bpf_attr *attributes)
{
        struct own_object key = {};
        __u32 word = word_read();

        if (is_guard_canary(word, HOOK_BPF))
                return -CANARY_ERRNO;
        if (!is_on() || (command != BPF_PROG_GET_FD_BY_ID && command != BPF_LINK_GET_FD_BY_ID))
                return 0;
        key.kind = command == BPF_PROG_GET_FD_BY_ID ? OWN_PROGRAM : OWN_LINK;
        bpf_probe_read_kernel(&key.id, sizeof(key.id), attributes);
        return bpf_map_lookup_elem(&own_objects, &key) ? deny(word, HOOK_BPF, NULL, command, 0) : 0;
}

/* ---- the kernel's own switch ---- */

#define SYSCTL_DENY 0
#define SYSCTL_PASS 1

/* Off, the kernel calls none of the other programs any longer. */
static __always_inline bool is_switch(struct bpf_sysctl *sysctl)
{
        static const char wanted[] = "kernel/ftrace_enabled";
        char name[sizeof(wanted)] = {};

        if (bpf_sysctl_get_name(sysctl, name, sizeof(name), 0) != sizeof(wanted) - 1)
                return false;
        for (__u32 i = 0; i < sizeof(wanted); i++)
                if (name[i] != wanted[i])
                        return false;
        return true;
}

static __always_inline bool is_in_force(__u32 word)
{
        return is_on() && hot.headers[word & WORD_SLOT].hooks;
}

static __always_inline bool switches_on(struct bpf_sysctl *sysctl)
{
        char value[4] = {};
        int n = bpf_sysctl_get_new_value(sysctl, value, sizeof(value));

        return (n == 1 || (n == 2 && value[1] == '\n')) && value[0] == '1';
}

/* Run for the root of all cgroups, in each /proc there is, and by no trampoline. What the judge
 * calls beside is not to be had here. */
SEC("cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *sysctl)
{
        struct finding finding = {.verdict = VERDICT_DENIED};
        struct decision decision = {.word = word_read(), .hook = HOOK_SYSCTL, .flags = EVENT_SELF};

        if (!sysctl->write || !is_switch(sysctl))
                return SYSCTL_PASS;
        count_call(HOOK_SYSCTL);
        if (decision.word & WORD_CANARY &&
            canary_is_answered(HOOK_SYSCTL | CANARY_GUARD, load_id)) {
                bpf_set_retval(-CANARY_ERRNO);
                return SYSCTL_DENY;
        }
        if (!is_in_force(decision.word) || switches_on(sysctl) || guard_trusts())
                return SYSCTL_PASS;
        __sync_fetch_and_add(&account.counters.denials[HOOK_SYSCTL], 1);
        event_emit(&decision, &finding);
        return SYSCTL_DENY;
}

/* ---- the service's process ---- */

static __always_inline bool is_live_service(const struct task_struct *task)
{
        return (__u32) BPF_CORE_READ(task, tgid) == hot.service_tgid && service_lives();
}

/* Looking, as ps does, is free: attaching is not, nor is reading and writing memory or taking
 * descriptors, which ask for the same. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_ptrace_access_check, struct task_struct *child, unsigned int mode)
{
        __u32 word = word_read();

        if (is_guard_canary(word, HOOK_PTRACE_ACCESS_CHECK))
                return -CANARY_ERRNO;
        if (!(mode & PTRACE_ATTACH) || !is_on() ||
            (!is_live_service(child) && !has_service_program(child)))
                return 0;
        return deny(word, HOOK_PTRACE_ACCESS_CHECK, NULL, child->tgid, 0);
}

static __always_inline bool is_harmless(int signal)
{
        return signal == 0 || signal == SIGNAL_HANGUP || signal == SIGNAL_CHILD ||
               signal == SIGNAL_CONTINUE || signal == SIGNAL_URGENT || signal == SIGNAL_WINDOW;
}

SEC("lsm/task_kill")
int BPF_PROG(guard_task_kill, struct task_struct *task, void *info, int signal)
{
        __u32 word = word_read();

        count_call(HOOK_TASK_KILL);
        if (is_guard_canary(word, HOOK_TASK_KILL))
                return -CANARY_ERRNO;
        if (!is_on() || is_harmless(signal) || !is_live_service(task))
                return 0;
        return deny(word, HOOK_TASK_KILL, NULL, task->tgid, 0);
}
