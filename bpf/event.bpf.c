/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Event: what the service is told of a verdict. Denials and audits have a ring each, so that
 * neither displaces the other. Where a flood has filled that of denials, the first in a second by
 * each rule goes to the other: it is not hidden by those of other rules. */
#include "dentry.h"
#include "judge.h"

#define PATH_LEVELS 48
#define LEVELS_AT_ONCE 8
#define NAME_ROOM 256 /* a name and its NUL */

/* In an interrupt the current task has nothing to do with it: the socket's owner is all that is
 * known. */
static __always_inline void fill_owner(struct event *event, const struct sock *sk)
{
        const struct cred *cred = BPF_CORE_READ(sk, sk_socket, file, f_cred);

        event->pid = 0;
        event->ppid = 0;
        event->uid = cred ? BPF_CORE_READ(cred, euid.val) : (__u32) -1;
        event->gid = cred ? BPF_CORE_READ(cred, egid.val) : (__u32) -1;
        event->loginuid = (__u32) -1;
        event->start_ns = 0;
        event->cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
        event->exe_inode = 0;
        event->exe_device = 0;
        __builtin_memset(event->comm, 0, sizeof(event->comm));
}

static __always_inline void fill_exe(struct event *event, const struct task_struct *task)
{
        const struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

        event->exe_inode = 0;
        event->exe_device = 0;
        if (!inode) /* a thread of the kernel */
                return;
        event->exe_inode = BPF_CORE_READ(inode, i_ino);
        event->exe_device = BPF_CORE_READ(inode, i_sb, s_dev);
}

/* Pointers are read as numbers: see pointers_are_dear(). */
static __always_inline void fill_task(struct event *event)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        const struct cred *cred = BPF_CORE_READ(task, real_cred);

        event->pid = task->tgid;
        event->ppid = BPF_CORE_READ(task, real_parent, tgid);
        event->uid = BPF_CORE_READ(cred, euid.val);
        event->gid = BPF_CORE_READ(cred, egid.val);
        event->loginuid = (__u32) -1;
        if (bpf_core_field_exists(task->loginuid))
                event->loginuid = task->loginuid.val;
        event->start_ns = task->start_boottime;
        event->cgroup = bpf_get_current_cgroup_id();
        fill_exe(event, task);
        bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* An event without a path. */
struct short_event {
        __u8 bytes[EVENT_NET_SIZE];
};

/* All but the path. A function of its own, so that the verifier looks into it once and not once for
 * each kind of event. Returns 0. */
__noinline int event_fill_head(struct short_event *bytes, struct decision *decision,
                               struct finding *finding)
{
        struct event *event = (struct event *) bytes;

        if (!event || !decision || !finding)
                return 0;
        event->time_ns = bpf_ktime_get_boot_ns();
        event->generation = word_header(decision->word)->generation;
        event->rule = finding->rule;
        event->hook = decision->hook;
        event->verdict = finding->verdict;
        event->flags = decision->flags;
        event->access = finding->access;
        event->signal = finding->signal;
        event->emergency = finding->emergency;
        event->count = 1;
        event->first_seq = 0;
        event->first_ns = 0;
        event->device = 0;
        event->inode = 0;
        event->path_length = 0;
        event->digest_algorithm = decision->digest_algorithm;
        if (decision->digest_algorithm) {
                __builtin_memcpy(event->digest, decision->digest, DIGEST_SIZE);
                __builtin_memset(event->address, 0, sizeof(event->address));
                event->port = event->protocol = 0;
                event->operation = event->target = 0;
        } else {
                __builtin_memset(event->digest, 0, DIGEST_SIZE);
                __builtin_memset(event->address, 0, sizeof(event->address));
                if (!decision->dentry) /* else addresses of the kernel are there */
                        __builtin_memcpy(event->address, decision->address, sizeof(event->address));
                event->port = decision->port;
                event->protocol = decision->protocol;
                event->operation = decision->operation;
                event->target = decision->target;
        }
        if (decision->sk)
                fill_owner(event, (const struct sock *) decision->sk);
        else
                fill_task(event);
        return 0;
}

#define PATH_ENDS 1
#define PATH_GOES_ON 0

/* The names from *dentry on, which is then the last. Returns PATH_ENDS at the root of its file
 * system, PATH_GOES_ON, or -1 where the next is not to be had. A function of its own, so that the
 * verifier looks into it once and not once for all levels. */
__noinline int event_add_names(struct event *event, __u64 *dentry)
{
        struct named named = {};
        int r = PATH_GOES_ON;
        __u32 length;
        __u64 at;
        long n;

        if (!event || !dentry)
                return -1;
        length = event->path_length;
        at = *dentry;
        for (int i = 0; i < LEVELS_AT_ONCE; i++) {
                r = -1;
                if (read_named(&named, (const struct dentry *) at))
                        break;
                if (named.parent == at) {
                        r = PATH_ENDS;
                        break;
                }
                if (length > EVENT_PATH_ROOM - NAME_ROOM)
                        break;
                n = bpf_probe_read_kernel_str(event->path + length, NAME_ROOM,
                                              (const void *) named.name);
                if (n <= 0)
                        break;
                length += n;
                at = named.parent;
                r = PATH_GOES_ON;
        }
        event->path_length = length;
        *dentry = at;
        return r;
}

/* The names from the object up to the root of its file system, as many as there is room for. */
static __always_inline void fill_path(struct event *event, __u64 dentry)
{
        int r = PATH_GOES_ON;

        for (int i = 0; i < PATH_LEVELS / LEVELS_AT_ONCE && r == PATH_GOES_ON; i++)
                r = event_add_names(event, &dentry);
        if (r != PATH_ENDS)
                event->flags |= EVENT_PATH_CUT;
}

static __always_inline void fill_file(struct event *event, const struct decision *decision)
{
        const struct dentry *dentry = (const struct dentry *) decision->dentry;
        const struct inode *inode = (const struct inode *) decision->inode;

        event->device = BPF_CORE_READ(dentry, d_sb, s_dev);
        if (inode)
                event->inode = BPF_CORE_READ(inode, i_ino);
        fill_path(event, decision->dentry);
}

static __always_inline void count_lost(const struct finding *finding)
{
        __sync_fetch_and_add(&account.counters.lost[finding->verdict == VERDICT_AUDITED], 1);
}

/* What a ring is given of an event. */
static __always_inline __u32 size_of(const struct event *event)
{
        __u32 n = event->path_length;

        return EVENT_NET_SIZE + (n < EVENT_PATH_ROOM ? n : EVENT_PATH_ROOM);
}

/* Asked only where there is no room. */
static __always_inline bool is_rare(const struct decision *decision, const struct finding *finding)
{
        __u64 *told = &rare[(finding->rule + 37 * decision->hook) % N_RARE];
        __u64 before = *(volatile __u64 *) told, now = bpf_ktime_get_boot_ns();

        return now - before > RARE_NS && __sync_bool_compare_and_swap(told, before, now);
}

static __always_inline struct event *reserve(const struct decision *decision,
                                             const struct finding *finding, const __u32 size)
{
        struct event *event;

        if (finding->verdict != VERDICT_AUDITED) {
                event = bpf_ringbuf_reserve(&denials, size, 0);
                if (event || !is_rare(decision, finding))
                        return event;
        }
        return bpf_ringbuf_reserve(&audits, size, 0);
}

/* Returns 0, or not 0 where there is no room. */
static __always_inline long put_out(struct event *event, const struct decision *decision,
                                    const struct finding *finding)
{
        __u32 size = size_of(event);

        if (finding->verdict != VERDICT_AUDITED) {
                if (!bpf_ringbuf_output(&denials, event, size, 0))
                        return 0;
                if (!is_rare(decision, finding))
                        return -1;
        }
        return bpf_ringbuf_output(&audits, event, size, 0);
}

static __always_inline void fill(struct event *event, struct decision *decision,
                                 struct finding *finding, __u64 seq)
{
        event->seq = seq;
        event_fill_head((struct short_event *) event, decision, finding);
}

/* In its place an event is made first, and takes as much of a ring as it is long. */
static __always_inline void emit_from_place(struct decision *decision, struct finding *finding,
                                            struct fold *fold, __u64 seq)
{
        fill(&fold->event, decision, finding, seq);
        if (decision->dentry)
                fill_file(&fold->event, decision);
        if (put_out(&fold->event, decision, finding)) {
                count_lost(finding);
                fold->event.seq = 0; /* nothing can repeat it */
        } else if (!fold_is_repeatable(decision)) {
                fold->event.seq = 0;
        }
        fold_give_back(fold);
}

static __always_inline void emit_file(struct decision *decision, struct finding *finding, __u64 seq)
{
        struct event *event = reserve(decision, finding, sizeof(*event));

        if (!event) {
                count_lost(finding);
                return;
        }
        fill(event, decision, finding, seq);
        fill_file(event, decision);
        bpf_ringbuf_submit(event, 0);
}

static __always_inline void emit_short(struct decision *decision, struct finding *finding,
                                       __u64 seq)
{
        struct event *event = reserve(decision, finding, EVENT_NET_SIZE);

        if (!event) {
                count_lost(finding);
                return;
        }
        fill(event, decision, finding, seq);
        bpf_ringbuf_submit(event, 0);
}

/* What finds no room is counted; its number is missing in the stream. */
int event_emit(struct decision *decision, struct finding *finding)
{
        struct fold *fold = NULL;
        __u32 place;
        __u64 seq;
        int r;

        if (!decision || !finding)
                return -1;
        r = fold_begin(decision, finding);
        if (r == FOLDED)
                return 0;
        seq = __sync_fetch_and_add(&account.counters.seq, 1) + 1;
        place = r;
        if (r >= 0)
                fold = bpf_map_lookup_elem(&folds, &place);
        if (fold)
                emit_from_place(decision, finding, fold, seq);
        else if (decision->dentry)
                emit_file(decision, finding, seq);
        else
                emit_short(decision, finding, seq);
        return 0;
}
