/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Digest: what bytes a program is made of. IMA hashes a file in programs that may sleep; these look
 * at no slot, since nothing waits for them before a slot is filled anew. What they find is noted
 * for the hook that judges, later in the same exec. A file that has not changed is not hashed
 * again. */
#define EXEC_NOTES_DEFINED_HERE
#include "exec.h"

#define IMA_SHA256 4 /* HASH_ALGO_SHA256 */

#define SUPER_EXT4 0xef53
#define SUPER_XFS 0x58465342
#define SUPER_F2FS 0xf2f52010
#define SUPER_EROFS 0xe0f5e1e2
#define SUPER_SQUASHFS 0x73717368

/* The times of files go on in steps of up to a second (ext4 with small inodes). */
#define SETTLED_NS 2000000000ull

#define HASHED_BITS 11

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct timespec64___old {
        long long tv_sec;
        long tv_nsec;
};

typedef struct {
        int counter;
} atomic_t___exec;

typedef struct {
        long long counter;
} atomic64_t___exec;

/* Until 6.5. */
struct inode___timespec {
        struct timespec64___old i_ctime;
};

/* From 6.6 to 6.10. */
struct inode___underscore {
        struct timespec64___old __i_ctime;
};

struct inode___exec {
        long long i_ctime_sec;
        __u32 i_ctime_nsec;
        long long i_size;
        atomic64_t___exec i_version;
        atomic_t___exec i_writecount;
};

struct fsverity_hash_alg {
        unsigned int digest_size;
};

struct merkle_tree_params {
        const struct fsverity_hash_alg *hash_alg;
};

struct fsverity_info {
        struct merkle_tree_params tree_params;
        __u8 file_digest[64];
};

#pragma clang attribute pop

/* What a file was when it was hashed. */
struct version {
        __u64 inode, device_generation, seconds, nanoseconds, size, change;
};

/* A torn entry fails like any other miss: the check covers all of it. */
struct hashed {
        __u64 check;
        __u64 digest[DIGEST_SIZE / 8];
        __u64 since; /* when that version was first seen; 0: it had settled when it was hashed */
};

exec_notes noted SEC(".maps");
static struct hashed hashed[1u << HASHED_BITS];

/* ---- a version of a file ---- */

/* Where a page that is mapped to be written is seen to change each time it was clean, and where one
 * number is one file. */
static __always_inline bool tells_changes(const struct super_block *super)
{
        switch (super->s_magic) {
        case SUPER_EXT4:
        case SUPER_XFS:
        case SUPER_F2FS:
        case SUPER_EROFS:
        case SUPER_SQUASHFS:
                return true;
        }
        return false;
}

static __always_inline void read_ctime(const struct inode *inode, struct version *version)
{
        const struct inode___exec *now = (const void *) inode;
        const struct inode___underscore *middle = (const void *) inode;
        const struct inode___timespec *old = (const void *) inode;

        if (bpf_core_field_exists(struct inode___exec, i_ctime_sec)) {
                version->seconds = BPF_CORE_READ(now, i_ctime_sec);
                version->nanoseconds = BPF_CORE_READ(now, i_ctime_nsec);
        } else if (bpf_core_field_exists(struct inode___underscore, __i_ctime)) {
                version->seconds = BPF_CORE_READ(middle, __i_ctime.tv_sec);
                version->nanoseconds = BPF_CORE_READ(middle, __i_ctime.tv_nsec);
        } else {
                version->seconds = BPF_CORE_READ(old, i_ctime.tv_sec);
                version->nanoseconds = BPF_CORE_READ(old, i_ctime.tv_nsec);
        }
}

static __always_inline void read_version(const struct inode *inode, struct version *version)
{
        const struct inode___exec *more = (const void *) inode;

        version->inode = inode->i_ino;
        version->device_generation = (__u64) inode->i_sb->s_dev << 32 | inode->i_generation;
        version->size = BPF_CORE_READ(more, i_size);
        version->change = BPF_CORE_READ(more, i_version.counter);
        read_ctime(inode, version);
}

/* Nobody has it open to write. Most kernels see to that for as long as it is being run. */
static __always_inline bool is_quiet(const struct inode *inode)
{
        const struct inode___exec *more = (const void *) inode;

        return BPF_CORE_READ(more, i_writecount.counter) <= 0;
}

/* ---- what is known ---- */

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
        hash = (hash ^ word) * hot.seed[1];
        return hash ^ hash >> 32;
}

static __always_inline __u64 version_key(const struct version *version)
{
        __u64 key = hot.seed[0];

        key = mix(key, version->inode);
        key = mix(key, version->device_generation);
        key = mix(key, version->seconds);
        key = mix(key, version->nanoseconds);
        key = mix(key, version->size);
        return mix(key, version->change);
}

static __always_inline __u64 check_of(const struct hashed *entry, __u64 key)
{
        for (int i = 0; i < DIGEST_SIZE / 8; i++)
                key = mix(key, entry->digest[i]);
        return mix(key, entry->since);
}

static __always_inline struct hashed *entry_of(__u64 key)
{
        return &hashed[key & ((1u << HASHED_BITS) - 1)];
}

static __always_inline bool find_hashed(__u64 key, struct hashed *ret_entry)
{
        struct hashed *entry = entry_of(key);

        ret_entry->check = *(volatile __u64 *) &entry->check;
        for (int i = 0; i < DIGEST_SIZE / 8; i++)
                ret_entry->digest[i] = *(volatile __u64 *) &entry->digest[i];
        ret_entry->since = *(volatile __u64 *) &entry->since;
        return ret_entry->check == check_of(ret_entry, key);
}

static __always_inline void learn_hashed(__u64 key, struct hashed *from)
{
        struct hashed *entry = entry_of(key);

        from->check = check_of(from, key);
        *(volatile __u64 *) &entry->since = from->since;
        for (int i = 0; i < DIGEST_SIZE / 8; i++)
                *(volatile __u64 *) &entry->digest[i] = from->digest[i];
        *(volatile __u64 *) &entry->check = from->check;
}

/* ---- hashing ---- */

/* A version that is seen for longer than a step of the clock is settled: a change from now on
 * shows. So what is hashed once it has settled is believed from then on. */
static __always_inline void hash_file(struct file *file, struct exec_note *note)
{
        struct inode *inode = file->f_inode;
        struct version before = {}, after = {};
        struct hashed entry = {};
        __u64 began = bpf_ktime_get_boot_ns(), key;
        bool is_known;

        read_version(inode, &before);
        key = version_key(&before);
        is_known = find_hashed(key, &entry);
        if (!is_quiet(inode))
                return;
        if (is_known && !entry.since) {
                __builtin_memcpy(note->digest, entry.digest, DIGEST_SIZE);
                note->inode = (__u64) inode;
                return;
        }
        if (bpf_ima_file_hash(file, note->digest, DIGEST_SIZE) != IMA_SHA256 || !is_quiet(inode))
                return;
        note->inode = (__u64) inode;
        read_version(inode, &after);
        if (!tells_changes(inode->i_sb) || version_key(&after) != key)
                return;
        if (!is_known)
                entry.since = bpf_ktime_get_boot_ns();
        else if (began >= entry.since + SETTLED_NS)
                entry.since = 0;
        __builtin_memcpy(entry.digest, note->digest, DIGEST_SIZE);
        learn_hashed(key, &entry);
}

static __always_inline int note_digest(struct linux_binprm *bprm)
{
        struct exec_note *note = bpf_task_storage_get(&noted, bpf_get_current_task_btf(), NULL,
                                                      BPF_LOCAL_STORAGE_GET_F_CREATE);

        if (!note)
                return 0;
        note->inode = 0;
        hash_file(bprm->file, note);
        return 0;
}

SEC("lsm.s/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm)
{
        __u32 word = word_read();

        count_call(HOOK_BPRM_CREDS_FOR_EXEC);
        if (is_canary(word, HOOK_BPRM_CREDS_FOR_EXEC))
                return -CANARY_ERRNO;
        if (!(word_header(word)->flags & IMAGE_SHA256))
                return 0;
        return note_digest(bprm);
}

/* For what runs the file that was named: it was not open yet at the hook above. Attached after what
 * judges at this hook, and so it comes before. */
SEC("lsm.s/bprm_check_security")
int BPF_PROG(digest_interpreter, struct linux_binprm *bprm)
{
        if (is_named_itself(bprm) || !(word_header(word_read())->flags & IMAGE_SHA256))
                return 0;
        return note_digest(bprm);
}

/* ---- for the hook that judges ---- */

int digest_of_bytes(struct decision *decision)
{
        __u64 bit = HOOK_BIT(HOOK_BPRM_CREDS_FOR_EXEC);
        const struct header *header;
        struct exec_note *note;

        if (!decision)
                return -1;
        note = bpf_task_storage_get(&noted, bpf_get_current_task_btf(), NULL, 0);
        if (note && note->inode == decision->inode) {
                __builtin_memcpy(decision->digest, note->digest, DIGEST_SIZE);
                note->inode = 0;
                return DIGEST_SHA256;
        }
        /* Never proven, and the policy was taken all the same: its rules about bytes do not hold
         * on this machine. */
        header = word_header(decision->word);
        if (!(account.counters.seen & bit) &&
            (decision->word & WORD_AUDIT || (header->hooks_accepted | header->hooks_audited) & bit))
                return 0;
        return -1;
}

static __always_inline const struct fsverity_info *verity_info(const struct inode *inode)
{
        const struct super_block___verity *super;
        const struct fsverity_info *info;
        long offset;

        if (bpf_core_field_exists(struct inode___verity, i_verity_info))
                return BPF_CORE_READ((const struct inode___verity *) inode, i_verity_info);
        if (!bpf_core_field_exists(struct fsverity_operations, inode_info_offs))
                return NULL;
        super = (const void *) BPF_CORE_READ(inode, i_sb);
        offset = BPF_CORE_READ(super, s_vop, inode_info_offs);
        if (!offset || bpf_probe_read_kernel(&info, sizeof(info), (const char *) inode + offset))
                return NULL;
        return info;
}

/* Another digest than SHA-256 is none that a rule could name. */
static __always_inline int read_verity(const struct inode *inode, __u8 digest[DIGEST_SIZE])
{
        const struct fsverity_info *info = verity_info(inode);

        if (!info)
                return -1;
        if (BPF_CORE_READ(info, tree_params.hash_alg, digest_size) != DIGEST_SIZE)
                return 0;
        return bpf_core_read(digest, DIGEST_SIZE, &info->file_digest) ? -1 : DIGEST_VERITY_SHA256;
}

int digest_of_verity(struct decision *decision)
{
        const struct inode *inode;

        if (!decision)
                return -1;
        inode = (const struct inode *) decision->inode;
        if (!(BPF_CORE_READ(inode, i_flags) & INODE_VERITY))
                return 0;
        return read_verity(inode, decision->digest);
}
