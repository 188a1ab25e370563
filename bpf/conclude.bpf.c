/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Conclude: from a rule that matched to what happens. Alone knows audit and enforce, the processes
 * no rule binds, counters and events. */
#include "hook.h"

#define CGROUP_LEVELS 24
#define PATH_LEVELS 48
#define NAME_ROOM 256 /* a name and its NUL */

/* A service that has just been started is told by its claim, once; from then on by when it began.
 */
static __always_inline bool is_service(__u32 tgid)
{
        __u64 start;

        if (tgid != hot.service_tgid)
                return false;
        start = BPF_CORE_READ(bpf_get_current_task_btf(), group_leader, start_boottime);
        if (bpf_ktime_get_boot_ns() < hot.claim_until_ns) {
                hot.service_start_ns = start;
                hot.claim_until_ns = 0;
        }
        return hot.service_start_ns == start;
}

/* PID 1 and the service stay able to mend what a policy broke. */
static __always_inline bool is_unbound(__u32 word)
{
        __u32 tgid = bpf_get_current_pid_tgid() >> 32, slot = word & WORD_SLOT;
        __u64 id;
        void *map;

        if (tgid == 1 || is_service(tgid))
                return true;
        if (!(word_header(word)->flags & IMAGE_CGROUPS))
                return false;
        map = bpf_map_lookup_elem(&cgroups, &slot);
        for (int level = 0; map && level < CGROUP_LEVELS; level++) {
                id = bpf_get_current_ancestor_cgroup_id(level);
                if (!id)
                        break;
                if (bpf_map_lookup_elem(map, &id))
                        return true;
        }
        return false;
}

static __always_inline void count_hit(__u32 word, __u32 rule)
{
        __u32 slot = word & WORD_SLOT;
        void *map = bpf_map_lookup_elem(&hits, &slot);
        __u64 *count = map ? bpf_map_lookup_elem(map, &rule) : NULL;

        if (count)
                __sync_fetch_and_add(count, 1);
}

static __always_inline void count_verdict(enum hook hook, bool audit)
{
        if (hook >= N_HOOKS)
                return;
        __sync_fetch_and_add(audit ? &counters.audits[hook] : &counters.denials[hook], 1);
}

static __always_inline void fill_subject(struct event *event)
{
        struct task_struct *task = bpf_get_current_task_btf();
        const struct inode *exe = BPF_CORE_READ(task, mm, exe_file, f_inode);
        __u64 ids = bpf_get_current_uid_gid();

        event->pid = bpf_get_current_pid_tgid() >> 32;
        event->ppid = BPF_CORE_READ(task, real_parent, tgid);
        event->uid = (__u32) ids;
        event->gid = ids >> 32;
        event->loginuid = (__u32) -1;
        if (bpf_core_field_exists(task->loginuid))
                event->loginuid = BPF_CORE_READ(task, loginuid.val);
        event->start_ns = BPF_CORE_READ(task, start_boottime);
        event->cgroup = bpf_get_current_cgroup_id();
        event->exe_inode = exe ? BPF_CORE_READ(exe, i_ino) : 0;
        event->exe_device = exe ? BPF_CORE_READ(exe, i_sb, s_dev) : 0;
        bpf_get_current_comm(event->comm, sizeof(event->comm));
}

static __always_inline void fill_event(struct event *event, const struct decision *decision,
                                       bool audit)
{
        event->time_ns = bpf_ktime_get_boot_ns();
        event->generation = word_header(decision->word)->generation;
        event->rule = decision->rule;
        event->hook = decision->hook;
        event->verdict = audit ? VERDICT_AUDITED : VERDICT_DENIED;
        event->flags = decision->flags;
        event->access = decision->access;
        event->device = 0;
        event->inode = 0;
        event->address[0] = decision->address[0];
        event->address[1] = decision->address[1];
        event->port = decision->port;
        event->protocol = decision->protocol;
        event->path_length = 0;
        fill_subject(event);
}

/* The names from the object up to the root of its file system, as many as there is room for. */
static __always_inline void fill_path(struct event *event, __u64 address)
{
        const struct dentry *dentry = (const struct dentry *) address, *parent;
        __u32 length = 0;
        long n;

        for (int i = 0; i < PATH_LEVELS; i++) {
                parent = BPF_CORE_READ(dentry, d_parent);
                if (parent == dentry) {
                        event->path_length = length;
                        return;
                }
                if (length > EVENT_PATH_ROOM - NAME_ROOM)
                        break;
                n = bpf_probe_read_kernel_str(event->path + length, NAME_ROOM,
                                              BPF_CORE_READ(dentry, d_name.name));
                if (n <= 0)
                        break;
                length += n;
                dentry = parent;
        }
        event->path_length = length;
        event->flags |= EVENT_PATH_CUT;
}

/* A function of its own, so that the verifier looks into it once and not once a ring. */
__noinline int fill_object(struct event *event, struct decision *decision)
{
        const struct dentry *dentry;
        const struct inode *inode;

        if (!event || !decision)
                return -1;
        dentry = (const struct dentry *) decision->dentry;
        inode = (const struct inode *) decision->inode;
        event->device = BPF_CORE_READ(dentry, d_sb, s_dev);
        if (inode)
                event->inode = BPF_CORE_READ(inode, i_ino);
        fill_path(event, decision->dentry);
        return 0;
}

/* Reserves, fills and submits. What finds no room is counted; its number is missing in the stream.
 */
#define EMIT(ring, size, fill_more)                                                                \
        ({                                                                                         \
                __u64 seq = __sync_fetch_and_add(&counters.seq, 1) + 1;                            \
                struct event *event = bpf_ringbuf_reserve(&(ring), (size), 0);                     \
                if (event) {                                                                       \
                        event->seq = seq;                                                          \
                        fill_event(event, decision, audit);                                        \
                        fill_more;                                                                 \
                        bpf_ringbuf_submit(event, 0);                                              \
                } else {                                                                           \
                        __sync_fetch_and_add(&counters.lost[audit], 1);                            \
                }                                                                                  \
        })

int conclude_file(struct decision *decision)
{
        __u32 slot, id, allowed;
        struct ruleset *ruleset;
        void *map;
        bool audit;

        if (!decision)
                return -EPERM;
        slot = decision->word & WORD_SLOT;
        audit = decision->word & WORD_AUDIT;
        id = decision->ruleset & ~RULESET_INHERITED;
        map = bpf_map_lookup_elem(&rulesets, &slot);
        ruleset = map && id ? bpf_map_lookup_elem(map, &id) : NULL;
        if (ruleset) {
                bool inherited = decision->ruleset & RULESET_INHERITED;

                allowed = ~(inherited ? ruleset->below_access : ruleset->own_access);
                if (!(decision->access & ~allowed))
                        return 0;
                decision->rule = inherited ? ruleset->below_rule : ruleset->own_rule;
        } else if (!decision->flags) {
                return 0;
        }
        if (is_unbound(decision->word))
                return 0;
        if (decision->flags & EVENT_UNPLACED)
                __sync_fetch_and_add(&counters.unplaced, 1);
        count_hit(decision->word, decision->rule);
        count_verdict(decision->hook, audit);
        if (audit)
                EMIT(audits, sizeof(struct event), fill_object(event, decision));
        else
                EMIT(denials, sizeof(struct event), fill_object(event, decision));
        return audit ? 0 : -EPERM;
}

int conclude_net(struct decision *decision)
{
        bool audit;

        if (!decision)
                return -EPERM;
        audit = decision->word & WORD_AUDIT;
        if (is_unbound(decision->word))
                return 0;
        count_hit(decision->word, decision->rule);
        count_verdict(decision->hook, audit);
        if (audit)
                EMIT(audits, EVENT_NET_SIZE, );
        else
                EMIT(denials, EVENT_NET_SIZE, );
        return audit ? 0 : -EPERM;
}
