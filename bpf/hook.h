/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hook: how every program begins. It leaves early where nothing can match; else it asks the judge
 * for a verdict with the word it read, once. */
#pragma once

#include "guard.h"
#include "maps.h"

/* In decision->flags beside EVENT_…, which have the low eight bits. */
#define DECIDE_RECORD 0x100u  /* what is denied without a rule is recorded only */
#define DECIDE_NAMED 0x200u   /* parent and hash_length are there */
#define DECIDE_FILE 0x400u    /* the lists are those of the dentry's place */
#define DECIDE_DEFAULT 0x800u /* and in the end, what holds for all that nothing else decides */
#define DECIDE_MOVE 0x1000u   /* denied as such if rules name something below the dentry */
#define DECIDE_CANARY 0x2000u /* denied if a canary; list: whom it asks, rule: which loading */
#define DECIDE_MARKED 0x4000u /* marks are there */
#define DECIDE_OPEN 0x8000u   /* what an overlay makes of it counts: mode is there */
#define DECIDE_MOUNT 0x10000u /* only among the mounts of PID 1 */

/* What is denied as such, without a clause. (EVENT_COPY: each clause that denies fits, whomever it
 * is about.) */
#define DECIDE_AS_SUCH                                                                             \
        (EVENT_UNPLACED | EVENT_HOLDS_RULES | EVENT_UNHASHED | EVENT_SELF | EVENT_FORGED |         \
         EVENT_UNKEPT)

#define MARKS_UNKNOWN 0xffffffffu /* which program it is could not be told */

/* One decision, on its way from a hook to its verdict. Kernel addresses travel as numbers: the
 * judge may not take a kernel pointer, and none of these may be dereferenced directly. */
struct decision {
        __u64 dentry; /* 0: the object is no file */
        __u64 inode;  /* 0 for a name that has no file yet */
        __u64 sk;     /* in an interrupt the subject is a socket's owner, not the current task */
        __u64 known;  /* the place of the directory the dentry is in, as in the cache; 0: not known
                       */
        __u32 word;
        __u32 hook;
        __u32 access; /* what is wanted, ACCESS_… or 1 << NET_…; the judge takes away what it
                         decided */
        __u32 list;   /* of clauses, the most specific one; the judge uses the three up */
        __u32 more;   /* the list that is asked after it; 0: none */
        __u32 last;   /* the list that is asked in the end; 0: none */
        __u32 marks;  /* of the subject's program: see subject_find_exe() */
        __u32 flags;  /* EVENT_… and DECIDE_… */
        __u32 rule;   /* out: the rule that decided */
        __u32 digest_algorithm; /* 0: the object has an address or the like, not a digest */
        __u32 mode;             /* OPENED_… */
        __u32 reserved;
        union {
                struct {
                        union {
                                __u64 address[2];
                                struct { /* of a dentry, if DECIDE_NAMED */
                                        __u64 parent;
                                        __u64 hash_length;
                                };
                        };
                        __u16 port;
                        __u16 protocol;
                        __u32 operation;
                        __u32 target;
                        __u32 padding;
                };
                __u8 digest[DIGEST_SIZE];
        };
};

/* subject.bpf.c. Finds which exe= the current task's program belongs to. Returns 0; in doubt a
 * denial fits and an allowance does not. */
__hidden int subject_find_exe(struct decision *decision);

/* subject.bpf.c. Whether the subject fits all that is said under that number; in doubt, what
 * `verdict` makes the stricter answer. */
int subject_fits(struct decision *decision, __u32 number, __u32 verdict);

/* subject.bpf.c. Whether the subject is in a cgroup of that number, or below one. */
int subject_in_cgroup(struct decision *decision, __u32 number);

/* identity.bpf.c. Whether the current program has a verified identity. */
__hidden int subject_verified(void);

/* ask.bpf.c. The way to the judge. It goes through the three lists, and knows audit and enforce,
 * exempt processes, modes of rules, counters, events and signals. Returns -EPERM if something that
 * is wanted is denied, -CANARY_ERRNO to a canary, else 0; what is left in decision->access no
 * clause was about, and a hook may ask less specific lists about it. */
int ask(struct decision *decision);

/* file-lists.bpf.c. Sets the lists that are asked about a file (DECIDE_FILE), or what is to be said
 * of a move (DECIDE_MOVE). Returns 1 if there is anything to be asked, else 0. */
__hidden int file_find_lists(struct decision *decision);

/* The same number, of which the verifier has forgotten what it knew: it looks into a loop once a
 * step then, not once for each way through the steps before. */
static __always_inline __u32 forgotten(__u32 number)
{
        return number + *(volatile __u32 *) &hot.zero;
}

/* Where not, what would follow is not in the programs that are loaded. What is hidden is verified
 * where it is called, and gone where nothing calls it; other functions are always there. */
static __always_inline bool is_built_for(__u32 flags)
{
        return built_for & flags;
}

static __always_inline __u32 word_read(void)
{
        return *(volatile __u32 *) &hot.word;
}

static __always_inline const struct header *word_header(__u32 word)
{
        return &hot.headers[word & WORD_SLOT];
}

static __always_inline __u32 image_flags(__u32 word)
{
        return word_header(word)->flags;
}

/* A bit of the address of a stack that its lane begins with, as its offset. */
#define LANE_SHIFT (15 - 9)
_Static_assert(sizeof(struct call_lane) == 1 << 9,
               "a lane's offset is the stack's address, shifted");

/* The lane goes by the stack, which each task has in another place: to know the processor takes a
 * call. Not atomic: of two adds to one lane at once, one may be lost. */
static __always_inline void count_call(enum hook hook)
{
        __u32 stack;
        __u64 *count;

        asm volatile("%0 = w10" : "=w"(stack));
        stack = stack >> LANE_SHIFT & (N_CALL_LANES - 1) * sizeof(struct call_lane);
        count = (void *) ((char *) &account.lanes[0].calls[hook] + stack);
        (*count)++;
}

/* Whether the service proves that program by being denied. */
static __always_inline bool canary_is_answered(__u32 whom, __u32 load)
{
        if (hot.canary_load != load || hot.canary_hook != whom ||
            !is_canary_process(bpf_get_current_pid_tgid() >> 32))
                return false;
        hot.canary_answered = 1;
        if (!(whom & CANARY_TIER))
                __sync_fetch_and_or(&account.counters.seen, HOOK_BIT(whom & 63));
        return true;
}

/* The service proves a hook by being denied in it, and with it that the judge is asked there. To be
 * asked before anything else about the access: the act is no more than what reaches the hook. No
 * rule binds the canary at other hooks. */
static __always_inline bool is_canary_of(__u32 word, enum hook hook, __u32 whom)
{
        struct decision decision;

        if (!(word & WORD_CANARY))
                return false;
        __builtin_memset(&decision, 0, sizeof(decision));
        decision.word = word;
        decision.hook = hook;
        decision.flags = DECIDE_CANARY;
        decision.list = hook | whom;
        decision.rule = load_id;
        return ask(&decision) == -CANARY_ERRNO;
}

static __always_inline bool is_canary(__u32 word, enum hook hook)
{
        return is_canary_of(word, hook, 0);
}

static __always_inline bool is_guard_canary(__u32 word, enum hook hook)
{
        return is_canary_of(word, hook, CANARY_GUARD);
}

/* LSM programs must return what the verifier sees to be within [-4095, 0]. A plain condition
 * becomes a negation in clang's hands, which the verifier cannot bound: hence the detour through a
 * branch that clang may not fold. */
static __always_inline int verdict_return(int verdict)
{
        if (verdict < 0) {
                asm volatile("");
                return -EPERM;
        }
        return 0;
}
