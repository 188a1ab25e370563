/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subject: who wants it. By its credentials, its cgroup and the program it runs; in an interrupt,
 * by those of the socket's owner, as far as a socket tells. */
#include "place.h"

#define CGROUP_LEVELS 64
#define GROUP_STEPS 17 /* 2^16: no process has more groups */

static __always_inline bool cgroup_has(void *map, __u64 id, __u32 number)
{
        struct cgroup_key key = {.id = id, .number = number};

        return bpf_map_lookup_elem(map, &key);
}

static __always_inline bool socket_in_cgroup(const struct sock *sk, void *map, __u32 number)
{
        const char *css;
        const struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);

        for (int level = 0; cgroup && level < CGROUP_LEVELS; level++) {
                if (cgroup_has(map, BPF_CORE_READ(cgroup, kn, id), number))
                        return true;
                css = (const char *) BPF_CORE_READ(cgroup, self.parent);
                cgroup = css ? (const void *) (css - bpf_core_field_offset(struct cgroup, self))
                             : NULL;
        }
        return false;
}

int subject_in_cgroup(struct decision *decision, __u32 number)
{
        __u32 slot;
        __u64 id;
        void *map;

        if (!decision)
                return false;
        slot = decision->word & WORD_SLOT;
        map = bpf_map_lookup_elem(&cgroups, &slot);
        if (!map)
                return false;
        if (decision->sk)
                return socket_in_cgroup((const struct sock *) decision->sk, map, number);
        for (int level = 0; level < CGROUP_LEVELS; level++) {
                id = bpf_get_current_ancestor_cgroup_id(level);
                if (!id)
                        break;
                if (cgroup_has(map, id, number))
                        return true;
        }
        return false;
}

/* The kernel keeps them sorted. */
static __always_inline bool has_group(const struct cred *cred, __u32 gid)
{
        const struct group_info *groups = BPF_CORE_READ(cred, group_info);
        __u32 low = 0, high = BPF_CORE_READ(groups, ngroups), middle, group;

        if (BPF_CORE_READ(cred, egid.val) == gid)
                return true;
        for (int i = 0; i < GROUP_STEPS; i++) {
                if (low >= high)
                        break;
                middle = (low + high) / 2;
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
        return !(subject->flags & SUBJECT_GID) || has_group(cred, subject->gid);
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
        if (flags & SUBJECT_CGROUP && !is_built_for(IMAGE_CGROUPS))
                return in_doubt;
        if (flags & SUBJECT_CGROUP && !subject_in_cgroup(decision, subject->cgroup))
                return false;
        if (!(flags & SUBJECT_VERIFIED))
                return true;
        if (!is_built_for(IMAGE_VERIFIED))
                return in_doubt;
        return !decision->sk && subject_verified();
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
        struct place_walk walk = {};

        if (!decision || decision->sk)
                return 0;
        walk.step.dentry =
                (__u64) BPF_CORE_READ(bpf_get_current_task_btf(), mm, exe_file, f_path.dentry);
        if (!walk.step.dentry) /* a thread of the kernel */
                return 0;
        decision->marks = MARKS_UNKNOWN;
        if (place_walk_out(&walk, decision->word) == 0)
                decision->marks = marks_of(&walk.step.place, decision->word & WORD_SLOT);
        return 0;
}
