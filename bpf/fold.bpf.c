/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fold: the same event again, of the same thread, program, rule and object, within a second of one
 * that was told, is counted beside that one. How many there were is told in a record of their own:
 * when another event needs the place, when the same happens after that second, or when the service
 * sweeps; so the first is always told at once, and none is lost. Nobody waits for a place: who
 * finds it taken tells its event by itself. */
#include "dentry.h"
#include "judge.h"

static __always_inline bool take(struct fold *fold)
{
        return __sync_lock_test_and_set(&fold->taken, 1) == 0;
}

/* ---- telling ---- */

static __always_inline struct event *reserve(__u32 verdict)
{
        if (verdict == VERDICT_AUDITED)
                return bpf_ringbuf_reserve(&audits, sizeof(struct event), 0);
        return bpf_ringbuf_reserve(&denials, sizeof(struct event), 0);
}

/* Returns 0, or -1 while there is no room: then all stays as it is. */
static __always_inline int tell(struct fold *fold)
{
        struct event *event;

        if (!fold->count)
                return 0;
        event = reserve(fold->event.verdict);
        if (!event)
                return -1;
        if (bpf_probe_read_kernel(event, sizeof(*event), &fold->event)) {
                bpf_ringbuf_discard(event, 0);
                return -1;
        }
        event->first_seq = event->seq;
        event->first_ns = event->time_ns;
        event->seq = __sync_fetch_and_add(&account.counters.seq, 1) + 1;
        event->time_ns = fold->last_ns;
        event->count = fold->count;
        bpf_ringbuf_submit(event, 0);
        fold->count = 0;
        return 0;
}

/* ---- what is the same ---- */

/* By its address alone a dentry may be another one's after a moment. */
static __always_inline void read_name(struct named *ret_name, const struct decision *decision)
{
        const struct dentry *dentry = (const struct dentry *) decision->dentry;

        if (decision->flags & DECIDE_NAMED) {
                ret_name->parent = decision->parent;
                ret_name->hash_length = decision->hash_length;
        } else if (!dentry || read_named(ret_name, dentry)) {
                ret_name->parent = ret_name->hash_length = 0;
        }
}

static __always_inline const __u64 *object_words(const struct decision *decision)
{
        return (const __u64 *) decision->digest;
}

static __always_inline bool is_same_object(const struct fold *fold, const struct decision *decision,
                                           const struct named *name)
{
        const __u64 *words = object_words(decision);

        return fold->dentry == decision->dentry && fold->inode == decision->inode &&
               fold->parent == name->parent && fold->hash_length == name->hash_length &&
               fold->object[0] == words[0] && fold->object[1] == words[1] &&
               fold->object[2] == words[2] && fold->object[3] == words[3] &&
               fold->digest_algorithm == decision->digest_algorithm;
}

static __always_inline bool is_same_finding(const struct fold *fold,
                                            const struct decision *decision,
                                            const struct finding *finding)
{
        const struct event *event = &fold->event;

        return event->rule == finding->rule && event->hook == decision->hook &&
               event->verdict == finding->verdict && event->access == finding->access &&
               event->signal == finding->signal && event->emergency == finding->emergency &&
               event->generation == word_header(decision->word)->generation &&
               fold->flags == decision->flags;
}

/* The socket at that address may be another one's by now; the current task is anyone. */
static __always_inline bool is_same_owner(const struct event *event, const struct sock *sk)
{
        const struct cred *cred = BPF_CORE_READ(sk, sk_socket, file, f_cred);

        return event->uid == (cred ? BPF_CORE_READ(cred, euid.val) : (__u32) -1) &&
               event->cgroup == BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
}

/* Whose it is: the socket's address; or of a task, which exec of its own it is in, a small number.
 */
static __always_inline __u64 owner_of(const struct decision *decision)
{
        const struct task_struct *task;

        if (decision->sk)
                return decision->sk;
        task = bpf_get_current_task_btf();
        return task->self_exec_id;
}

static __always_inline bool is_same_task(const struct event *event)
{
        struct task_struct *task = bpf_get_current_task_btf();

        return event->start_ns == task->start_boottime && event->pid == (__u32) task->tgid &&
               event->cgroup == bpf_get_current_cgroup_id() &&
               event->uid == (pointers_are_dear() ? BPF_CORE_READ(task, real_cred, euid.val)
                                                  : task->real_cred->euid.val);
}

static __always_inline bool is_same_subject(const struct fold *fold,
                                            const struct decision *decision)
{
        if (fold->sk != owner_of(decision))
                return false;
        return decision->sk ? is_same_owner(&fold->event, (const struct sock *) decision->sk)
                            : is_same_task(&fold->event);
}

static __always_inline void note(struct fold *fold, const struct decision *decision,
                                 const struct named *name)
{
        const __u64 *words = object_words(decision);

        fold->sk = owner_of(decision);
        fold->dentry = decision->dentry;
        fold->inode = decision->inode;
        fold->parent = name->parent;
        fold->hash_length = name->hash_length;
        for (int i = 0; i < 4; i++)
                fold->object[i] = words[i];
        fold->flags = decision->flags;
        fold->digest_algorithm = decision->digest_algorithm;
}

/* Where it falls: nobody chooses that, without the seed. */
static __always_inline __u32 place_of(const struct decision *decision,
                                      const struct finding *finding)
{
        const __u64 *words = object_words(decision);
        __u64 subject = decision->sk ? decision->sk : bpf_get_current_task();
        __u64 object = decision->dentry ^ (words[0] + 3 * words[1] + 5 * words[2]);
        __u64 mixed = (subject + ((__u64) finding->rule << 32)) * hot.seed[0] +
                      (object + decision->hook) * hot.seed[1];

        return mixed >> (64 - FOLD_BITS) & (N_FOLDS - 1);
}

int fold_begin(struct decision *decision, struct finding *finding)
{
        struct named name;
        struct fold *fold;
        __u32 place;
        __u64 now;

        if (!decision || !finding)
                return FOLD_NONE;
        place = place_of(decision, finding);
        fold = bpf_map_lookup_elem(&folds, &place);
        if (!fold || !take(fold))
                return FOLD_NONE;
        read_name(&name, decision);
        now = bpf_ktime_get_boot_ns();
        if (fold->event.seq && now - fold->event.time_ns < FOLD_NS &&
            fold_is_repeatable(decision) && is_same_finding(fold, decision, finding) &&
            is_same_subject(fold, decision) && is_same_object(fold, decision, &name)) {
                fold->count++;
                fold->last_ns = now;
                fold_give_back(fold);
                return FOLDED;
        }
        if (tell(fold)) {
                fold_give_back(fold);
                return FOLD_NONE;
        }
        note(fold, decision, &name);
        return place;
}

/* ---- sweeping ---- */

/* Returns 1 if there is still something to be told. */
__noinline int fold_sweep(__u32 place)
{
        struct fold *fold = bpf_map_lookup_elem(&folds, &place);
        int r = 0;

        if (!fold || !*(volatile __u64 *) &fold->count)
                return 0;
        if (!take(fold))
                return 1;
        if (fold->count && (bpf_ktime_get_boot_ns() - fold->event.time_ns < FOLD_NS || tell(fold)))
                r = 1;
        fold_give_back(fold);
        return r;
}

/* Run by the service while something may wait. Returns 1 if something still does. Without a branch
 * in the loop the verifier goes through it once. */
SEC("syscall")
int sweep_folds(void *context)
{
        int waits = 0;

        for (__u32 i = 0; i < N_FOLDS; i++)
                waits |= fold_sweep(i);
        return waits;
}
