/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Judge: from lists of clauses to what happens. Alone knows audit and enforce, the processes no
 * rule binds, counters and signals. One program for all hooks: see ask.bpf.c. */
#include "judge.h"

/* All three lists, and a finding for each bit of access. */
#define CLAUSES_AT_ONCE 64
#define FINDINGS_MAX (3 * (int) (LIST_LENGTH_MAX + 1) / CLAUSES_AT_ONCE + 32 + 1)

#define SIGKILL 9
#define SIGTERM 15

/* PID 1 and the service stay able to mend what a policy broke, and a canary has to come as far as
 * the hook that is to be proven. An allowance of a policy frees of
 * its rules, not of what guards the service. In an interrupt the current task is anyone. */
static __always_inline bool is_unbound(struct decision *decision)
{
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;

        if (!decision->sk && (tgid == 1 || is_service(tgid)))
                return true;
        if (decision->word & WORD_CANARY && is_canary_process(tgid))
                return true;
        if (decision->flags & EVENT_SELF)
                return false;
        return image_flags(decision->word) & IMAGE_UNBOUND &&
               subject_in_cgroup(decision, CGROUP_UNBOUND);
}

static __always_inline void count_hit(__u32 word, __u32 rule)
{
        __u32 slot = word & WORD_SLOT;
        void *map = bpf_map_lookup_elem(&hits, &slot);
        __u64 *count = map ? bpf_map_lookup_elem(map, &rule) : NULL;

        if (count)
                __sync_fetch_and_add(count, 1);
}

static __always_inline void count_verdict(const struct decision *decision, __u32 verdict)
{
        __u32 hook = decision->hook;

        if (decision->flags & EVENT_UNPLACED)
                __sync_fetch_and_add(&account.counters.unplaced, 1);
        if (hook >= N_HOOKS)
                return;
        __sync_fetch_and_add(verdict == VERDICT_DENIED ? &account.counters.denials[hook]
                                                       : &account.counters.audits[hook],
                             1);
}

/* Whether the current process was sent a SIGTERM before. Direct mapped: who is displaced by another
 * is sent a SIGTERM once more. */
static __always_inline bool was_warned(void)
{
        const struct task_struct *leader = BPF_CORE_READ(bpf_get_current_task_btf(), group_leader);
        __u64 process = BPF_CORE_READ(leader, start_boottime) * hot.seed[0] +
                        BPF_CORE_READ(leader, tgid) * hot.seed[1];
        __u64 *entry = &warned[process >> 52 & (N_WARNED - 1)];

        if (*entry == process)
                return true;
        *entry = process;
        return false;
}

/* The kernel sends none to its own threads, nor to PID 1. Returns the number of what was sent. */
static __always_inline __u32 send_signal(const struct decision *decision, __u32 signal)
{
        __u32 number;

        if (signal == SIGNAL_DEFAULT)
                signal = hot.signal;
        if (decision->sk || (signal != SIGNAL_TERM && signal != SIGNAL_KILL))
                return 0;
        number = signal == SIGNAL_KILL && was_warned() ? SIGKILL : SIGTERM;
        return bpf_send_signal(number) ? 0 : number;
}

/* Asked only about what would be denied. It ends by itself, whoever is there to end it. What guards
 * the service stays in earnest. */
static __always_inline bool is_emergency(const struct decision *decision)
{
        __u64 until = *(volatile __u64 *) &hot.emergency_until_ns;

        return until && !(decision->flags & EVENT_SELF) && bpf_ktime_get_boot_ns() < until;
}

/* What follows what was found. Returns 1 if the subject is exempt, -EPERM for a denial, 0 for what
 * is recorded only. */
__noinline int judge_found(struct decision *decision, struct finding *finding)
{
        bool denied;

        if (!decision || !finding)
                return -EPERM;
        if (is_unbound(decision))
                return 1;
        finding->emergency = finding->verdict == VERDICT_DENIED && is_emergency(decision);
        if (finding->emergency)
                finding->verdict = VERDICT_AUDITED;
        denied = finding->verdict == VERDICT_DENIED;
        decision->rule = finding->rule;
        count_hit(decision->word, finding->rule);
        count_verdict(decision, finding->verdict);
        finding->signal = denied ? send_signal(decision, finding->signal) : 0;
        event_emit(decision, finding);
        return denied ? -EPERM : 0;
}

/* Goes on to the next list that there is. False: there was none left. */
static __always_inline bool next_list(struct decision *decision, struct finding *finding)
{
        finding->at = decision->list;
        decision->list = 0;
        if (!finding->at) {
                finding->at = decision->more;
                decision->more = 0;
        }
        if (!finding->at) {
                finding->at = decision->last;
                decision->last = 0;
        }
        return finding->at;
}

static __always_inline bool has_expired(__u32 expires)
{
        return expires && bpf_ktime_get_boot_ns() / 1000000000 >= expires;
}

enum step {
        STEP_END,
        STEP_NEXT,
        STEP_FOUND, /* a clause denies or records */
};

/* What is copied out of a rule's reach is judged for all who could have it then. */
static __always_inline bool fits(struct decision *decision, const struct clause *clause)
{
        if (!clause->subject)
                return true;
        if (decision->flags & EVENT_COPY)
                return clause->verdict != CLAUSE_ALLOW;
        return subject_fits(decision, clause->subject, clause->verdict);
}

/* Asked only about what would be denied: what is allowed does not pay for it. */
static __always_inline bool is_audited(const struct decision *decision)
{
        return decision->word & WORD_AUDIT ||
               word_header(decision->word)->hooks_audited & HOOK_BIT(decision->hook & 63);
}

/* Asks one clause. A function of its own, so that the verifier looks into it once and not once a
 * clause. */
__noinline int judge_clause(struct decision *decision, struct finding *finding)
{
        struct clause *clause;
        __u32 slot, at;
        void *map;

        if (!decision || !finding || !decision->access)
                return STEP_END;
        if (!finding->at && !next_list(decision, finding))
                return STEP_END;
        slot = decision->word & WORD_SLOT;
        at = finding->at;
        map = bpf_map_lookup_elem(&clauses, &slot);
        clause = map ? bpf_map_lookup_elem(map, &at) : NULL;
        if (!clause)
                return STEP_END;
        finding->at = clause->flags & CLAUSE_LAST ? 0 : at + 1;
        finding->access = clause->access & decision->access;
        if (!finding->access || has_expired(clause->expires) || !fits(decision, clause))
                return STEP_NEXT;
        decision->access &= ~finding->access;
        if (clause->verdict == CLAUSE_ALLOW)
                return STEP_NEXT;
        finding->rule = clause->rule;
        finding->signal = clause->signal;
        finding->verdict =
                clause->verdict != CLAUSE_DENY || clause->flags & CLAUSE_RECORD ||
                                (!(clause->flags & CLAUSE_ENFORCE) && is_audited(decision))
                        ? VERDICT_AUDITED
                        : VERDICT_DENIED;
        return STEP_FOUND;
}

/* No clause says so, but there is a doubt, or something is guarded as such. */
static __always_inline void find_as_such(const struct decision *decision, struct finding *finding)
{
        /* A doubt may be about a rule that denies in audit mode too. */
        bool in_audit = image_flags(decision->word) & IMAGE_ENFORCED;

        finding->rule = decision->rule;
        finding->access = decision->access;
        finding->verdict = VERDICT_DENIED;
        finding->signal = SIGNAL_NONE;
        if (decision->flags & EVENT_SELF)
                return;
        if (decision->flags & DECIDE_RECORD || (!in_audit && is_audited(decision)))
                finding->verdict = VERDICT_AUDITED;
        finding->signal = SIGNAL_DEFAULT;
}

/* Returns STEP_NEXT or -EPERM. */
static __always_inline int follow(struct decision *decision, struct finding *finding)
{
        int r = judge_found(decision, finding);

        if (r > 0)
                decision->access = 0;
        return r < 0 ? -EPERM : STEP_NEXT;
}

/* Asks clauses until one is found, or for a while, and does what follows. Returns STEP_NEXT if
 * there may be another, STEP_END, or -EPERM. A function of its own, so that the verifier counts to
 * this and not to all clauses. */
__noinline int judge_clauses(struct decision *decision, struct finding *finding)
{
        int r = STEP_NEXT;

        if (!decision || !finding)
                return -EPERM;
        for (int i = 0; i < CLAUSES_AT_ONCE && r == STEP_NEXT; i++)
                r = judge_clause(decision, finding);
        return r == STEP_FOUND ? follow(decision, finding) : r;
}

static __always_inline int judge_as_such(struct decision *decision)
{
        struct finding finding = {};
        int r;

        find_as_such(decision, &finding);
        r = judge_found(decision, &finding);
        decision->access = 0;
        return r < 0 ? -EPERM : 0;
}

static __always_inline int judge_lists(struct decision *decision)
{
        struct finding finding = {};
        int r;

        r = judge_clause(decision, &finding); /* mostly the first one decides */
        if (r == STEP_FOUND)
                r = follow(decision, &finding);
        for (int i = 0; i < FINDINGS_MAX && r == STEP_NEXT; i++)
                r = judge_clauses(decision, &finding);
        /* It has come to its end or is denied: each finding takes a bit of the access away. */
        return r == STEP_END ? 0 : -EPERM;
}

/* Once a decision, if any subject of the policy has a program. */
static __always_inline void find_marks(struct decision *decision)
{
        if (!(image_flags(decision->word) & IMAGE_EXES) || decision->flags & DECIDE_MARKED)
                return;
        decision->flags |= DECIDE_MARKED;
        subject_find_exe(decision);
}

SEC("freplace/ask")
int judge(struct decision *decision)
{
        if (!decision)
                return -EPERM;
        if (decision->flags & DECIDE_CANARY)
                return canary_is_answered(decision->list, decision->rule) ? -CANARY_ERRNO : 0;
        if (decision->flags & DECIDE_MOUNT && !guard_sees_first_mounts())
                return 0;
        if (decision->flags & EVENT_SELF && guard_trusts())
                return 0;
        if (decision->flags & (DECIDE_FILE | DECIDE_MOVE) && !file_find_lists(decision))
                return 0;
        if (decision->flags & DECIDE_AS_SUCH)
                return judge_as_such(decision);
        find_marks(decision);
        return judge_lists(decision);
}
