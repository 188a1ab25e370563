/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subject: who wants it. By its credentials, its cgroup and the program it runs; in an interrupt,
 * by those of the socket's owner, as far as a socket tells. */
#include "place.h"

#define CGROUP_LEVELS 64
#define CGROUPS_AT_ONCE 8
#define GROUP_STEPS 17 /* 2^16: no process has more groups */

static __always_inline bool cgroup_has(void *map, __u64 id, __u32 number)
{
        struct cgroup_key key = {.id = id, .number = number};

        return bpf_map_lookup_elem(map, &key);
}

/* Where a search through a cgroup and those above it has come to. */
struct cgroup_search {
        __u64 cgroup; /* of a socket: the address of the next */
        __u32 level;  /* of the current task: that of the next, from the root on */
        __u32 number;
};

#define CGROUP_FOUND 1
#define CGROUP_END (-1)

/* Returns the id of the next cgroup of a socket's, upward; 0: there is none. */
static __always_inline __u64 climb_cgroup(struct cgroup_search *search)
{
        const struct cgroup *cgroup = (const struct cgroup *) search->cgroup;
        const char *css = (const char *) BPF_CORE_READ(cgroup, self.parent);

        search->cgroup = css ? (__u64) (css - bpf_core_field_offset(struct cgroup, self)) : 0;
        return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

/* Some cgroups of them, likewise: 0: it goes on. A function of its own, so that the verifier looks
 * into it once and not once for all levels. */
__noinline int subject_search_cgroups(struct decision *decision, struct cgroup_search *search)
{
        __u32 slot;
        __u64 id;
        void *map;

        if (!decision || !search)
                return CGROUP_END;
        slot = decision->word & WORD_SLOT;
        map = bpf_map_lookup_elem(&cgroups, &slot);
        if (!map)
                return CGROUP_END;
        for (int i = 0; i < CGROUPS_AT_ONCE; i++) {
                id = decision->sk ? climb_cgroup(search)
                                  : bpf_get_current_ancestor_cgroup_id(search->level++);
                if (!id)
                        return CGROUP_END;
                if (cgroup_has(map, id, search->number))
                        return CGROUP_FOUND;
        }
        return 0;
}

int subject_in_cgroup(struct decision *decision, __u32 number)
{
        struct cgroup_search search = {.number = number};
        const struct sock *sk;
        int r = 0;

        if (!decision)
                return false;
        sk = (const struct sock *) decision->sk;
        if (sk)
                search.cgroup = (__u64) BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
        for (int i = 0; i < CGROUP_LEVELS / CGROUPS_AT_ONCE && !r; i++)
                r = subject_search_cgroups(decision, &search);
        return r == CGROUP_FOUND;
}

/* The kernel keeps them sorted. A function of its own, so that the verifier looks into it once and
 * not once a way to it. */
__noinline int subject_has_group(__u64 address, __u32 gid)
{
        const struct cred *cred = (const struct cred *) address;
        const struct group_info *groups = BPF_CORE_READ(cred, group_info);
        __u32 low = 0, high = BPF_CORE_READ(groups, ngroups), middle, group;

        if (BPF_CORE_READ(cred, egid.val) == gid)
                return true;
        for (int i = 0; i < GROUP_STEPS; i++) {
                if (low >= high)
                        break;
                middle = forgotten((low + high) / 2);
                if (bpf_core_read(&group, sizeof(group), &groups->gid[middle]))
                        break;
                if (group == gid)
                        return true;
                if (group < gid)
                        low = forgotten(middle + 1);
                else
                        high = forgotten(middle);
        }
        return false;
}

static __always_inline bool has_mark(__u32 slot, __u32 set, __u32 exe)
{
        struct mark_key key = {.set = set, .exe = exe};
        void *map = bpf_map_lookup_elem(&marks, &slot);

        return map && bpf_map_lookup_elem(map, &key);
}

/* The credentials of its own: an overlay lends a task those of whoever mounted it. A socket that no
 * descriptor stands for has none. */
static __always_inline const struct cred *subject_cred(const struct decision *decision)
{
        const struct sock *sk = (const struct sock *) decision->sk;

        return sk ? BPF_CORE_READ(sk, sk_socket, file, f_cred)
                  : BPF_CORE_READ(bpf_get_current_task_btf(), real_cred);
}

static __always_inline bool fits_cred(const struct decision *decision,
                                      const struct subject *subject, bool in_doubt)
{
        const struct cred *cred;

        if (!(subject->flags & (SUBJECT_UID | SUBJECT_GID)))
                return true;
        cred = subject_cred(decision);
        if (!cred)
                return in_doubt;
        if (subject->flags & SUBJECT_UID && BPF_CORE_READ(cred, euid.val) != subject->uid)
                return false;
        return !(subject->flags & SUBJECT_GID) || subject_has_group((__u64) cred, subject->gid);
}

/* Likewise. */
__noinline int subject_is_verified(void)
{
        return subject_verified();
}

int subject_fits(struct decision *decision, __u32 number, __u32 verdict)
{
        bool in_doubt = verdict != CLAUSE_ALLOW;
        struct subject *subject;
        __u32 slot, flags;
        void *map;

        if (!decision)
                return in_doubt;
        slot = decision->word & WORD_SLOT;
        map = bpf_map_lookup_elem(&subjects, &slot);
        subject = map ? bpf_map_lookup_elem(map, &number) : NULL;
        if (!subject)
                return in_doubt;
        flags = subject->flags;
        if (!fits_cred(decision, subject, in_doubt))
                return false;
        if (flags & SUBJECT_EXE && decision->marks == MARKS_UNKNOWN)
                return in_doubt;
        if (flags & SUBJECT_EXE && !has_mark(slot, decision->marks, subject->exe))
                return false;
        if (flags & SUBJECT_CGROUP && !subject_in_cgroup(decision, subject->cgroup))
                return false;
        if (!(flags & SUBJECT_VERIFIED))
                return true;
        return !decision->sk && subject_is_verified();
}

static __always_inline __u32 marks_of(const struct place *place, __u32 slot)
{
        bool below;
        __u32 id = place_ruleset(place, &below);
        void *map = id ? bpf_map_lookup_elem(&rulesets, &slot) : NULL;
        struct ruleset *ruleset = map ? bpf_map_lookup_elem(map, &id) : NULL;

        if (!ruleset)
                return 0;
        return below ? ruleset->below_marks : ruleset->own_marks;
}

int subject_find_exe(struct decision *decision)
{
        struct place_step step = {};

        if (!decision || decision->sk)
                return 0;
        step.dentry =
                (__u64) BPF_CORE_READ(bpf_get_current_task_btf(), mm, exe_file, f_path.dentry);
        if (!step.dentry) /* a thread of the kernel */
                return 0;
        decision->marks = MARKS_UNKNOWN;
        if (place_of_address(&step, decision->word) == 0)
                decision->marks = marks_of(&step.place, decision->word & WORD_SLOT);
        return 0;
}
