/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cgroups: a new cgroup gets the numbers that the policy has for its name, in both slots, before
 * any process can be in it. So a rule holds for a unit that is restarted, and for one that is not
 * there yet. */
#include "hook.h"

#define SLICE 0x2e736c696365ull /* ".slice", first letter highest */
#define SLICE_MASK 0xffffffffffffull

/* How programs find a cgroup's numbers: by its path, or by its last component. */
struct naming {
        __u64 id;
        __u64 path;       /* of the kernel's string */
        __u64 last_eight; /* bytes of it, the latest lowest, while it is read */
        __u32 at;
        __u32 begin; /* of the last component, if all before it are slices; else 0 */
        __u32 gone;
};

static __always_inline void give_number(void *map, const struct naming *naming, __u32 number)
{
        struct cgroup_key key = {.id = naming->id, .number = number};
        __u32 present = 1;

        if (!number)
                return;
        if (naming->gone)
                bpf_map_delete_elem(map, &key);
        else
                bpf_map_update_elem(map, &key, &present, BPF_ANY);
}

static __always_inline void give_numbers(const struct naming *naming,
                                         const struct cgroup_name *name, __u32 slot)
{
        void *names = bpf_map_lookup_elem(&cgroup_names, &slot);
        void *map = bpf_map_lookup_elem(&cgroups, &slot);
        struct cgroup_numbers *numbers = names ? bpf_map_lookup_elem(names, name) : NULL;

        if (!numbers || !map)
                return;
        give_number(map, naming, numbers->unbound);
        give_number(map, naming, numbers->subject);
}

/* A function of its own, so that there is one name on the stack at a time. */
__noinline int cgroup_named(struct naming *naming, __u32 from)
{
        struct cgroup_name name = {};

        if (!naming)
                return -1;
        /* a longer one has no entry; cut short it must not be taken for another */
        if (bpf_probe_read_kernel_str(name.path, sizeof(name.path),
                                      (const void *) (naming->path + from)) >= CGROUP_PATH_SIZE)
                return -1;
        for (__u32 slot = 0; slot < N_SLOTS; slot++)
                give_numbers(naming, &name, slot);
        return 0;
}

/* Reads one byte of the path. Returns 1 in the end. A function of its own, so that the verifier
 * looks into it once and not once a byte. */
__noinline int unit_read(struct naming *naming)
{
        char c = 0;

        if (!naming || bpf_probe_read_kernel(&c, 1, (const void *) (naming->path + naming->at)) ||
            !c)
                return 1;
        if (c == '/' && naming->at && (naming->last_eight & SLICE_MASK) != SLICE) {
                naming->begin = 0; /* not a unit of the system's manager */
                return 1;
        }
        naming->at++;
        if (c == '/')
                naming->begin = naming->at;
        naming->last_eight = naming->last_eight << 8 | (__u8) c;
        return 0;
}

static __always_inline void note_cgroup(const struct cgroup *cgroup, const char *path, bool gone)
{
        struct naming naming = {.path = (__u64) path, .gone = gone};
        int r = 0;

        if (BPF_CORE_READ(cgroup, root, hierarchy_id) != 0) /* not of cgroup v2 */
                return;
        naming.id = BPF_CORE_READ(cgroup, kn, id);
        cgroup_named(&naming, 0);
        for (int i = 0; i < CGROUP_PATH_SIZE && r == 0; i++)
                r = unit_read(&naming);
        if (r && naming.begin)
                cgroup_named(&naming, naming.begin);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
        note_cgroup(cgroup, path, false);
        return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
        note_cgroup(cgroup, path, true);
        return 0;
}
