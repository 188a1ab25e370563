/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exec: all that is run. A program, and what runs it if it is a script, is asked for by its bytes,
 * by its name as a program, and by its name in a file system; what is mapped to be executed, by the
 * last alone. */
#include "exec.h"

#define COMM_LENGTH 15
#define PATH_CHUNK 64
#define PATH_CHUNKS 64 /* PATH_MAX in all */

#define PROTECT_READ 1u            /* PROT_READ */
#define PROTECT_EXECUTE 4u         /* PROT_EXEC */
#define MAPPED_EXECUTE 4u          /* VM_EXEC */
#define READ_IS_EXECUTE 0x0400000u /* READ_IMPLIES_EXEC, a personality */
#define MOUNT_NO_EXECUTE 4         /* MNT_NOEXEC */

#define IMAGE_ANY_EXEC                                                                             \
        (IMAGE_FILES | IMAGE_PIN_LINKS | IMAGE_PIN_ALL | IMAGE_COMMS | IMAGE_SHA256 |              \
         IMAGE_VERITY | IMAGE_DEFAULT | IMAGE_VERIFIED)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vm_area_struct {
        struct file *vm_file;
        unsigned long vm_flags;
};

struct vfsmount___flags {
        int mnt_flags;
};

struct path___flags {
        struct vfsmount___flags *mnt;
};

struct file___flags {
        struct path___flags f_path;
};

struct task_struct___personality {
        unsigned int personality;
};

#pragma clang attribute pop

const volatile bool in_lsm = false;

/* ---- by its bytes ---- */

static __always_inline __u32 list_of_digest(const struct decision *decision, __u32 algorithm)
{
        struct digest_key key = {.algorithm = algorithm};
        __u32 slot = decision->word & WORD_SLOT, *list;
        void *map = bpf_map_lookup_elem(&digests, &slot);

        __builtin_memcpy(key.digest, decision->digest, DIGEST_SIZE);
        list = map ? bpf_map_lookup_elem(map, &key) : NULL;
        return list ? *list : 0;
}

/* What is run must be told by its bytes if rules are about bytes. Returns 0. */
__hidden __noinline int exec_find_digest(struct decision *decision)
{
        __u32 flags;
        int algorithm;

        if (!decision)
                return 0;
        flags = word_header(decision->word)->flags;
        if (is_built_for(IMAGE_VERITY) && flags & IMAGE_VERITY) {
                algorithm = digest_of_verity(decision);
                if (algorithm < 0)
                        decision->flags |= EVENT_UNHASHED;
                if (algorithm > 0)
                        decision->more = list_of_digest(decision, algorithm);
                if (algorithm > 0)
                        decision->digest_algorithm = algorithm;
        }
        if (is_built_for(IMAGE_SHA256) && flags & IMAGE_SHA256) {
                algorithm = digest_of_bytes(decision);
                if (algorithm < 0)
                        decision->flags |= EVENT_UNHASHED;
                if (algorithm > 0)
                        decision->list = list_of_digest(decision, algorithm);
                if (algorithm > 0)
                        decision->digest_algorithm = algorithm;
        }
        return 0;
}

/* ---- by its name as a program ---- */

/* Where a path is read, and where its last name begins, as far as it is read. */
struct path_scan {
        __u64 at, name;
};

#define SCAN_END 1

/* A function of its own, so that the verifier looks into it once and not once a chunk. */
__noinline int exec_scan_path(struct path_scan *scan)
{
        char chunk[PATH_CHUNK];
        long n;

        if (!scan || !is_built_for(IMAGE_COMMS))
                return SCAN_END;
        n = bpf_probe_read_kernel_str(chunk, sizeof(chunk), (const void *) scan->at);
        if (n <= 0)
                return SCAN_END;
        for (int i = 0; i < PATH_CHUNK; i++) {
                if (i >= n || !chunk[i])
                        break;
                if (chunk[i] == '/')
                        scan->name = scan->at + i + 1;
        }
        scan->at += PATH_CHUNK - 1; /* the last byte is always NUL */
        return n < PATH_CHUNK ? SCAN_END : 0;
}

static __always_inline __u32 list_of_comm(__u64 name, __u32 slot)
{
        struct comm_key key = {};
        void *map = bpf_map_lookup_elem(&comms, &slot);
        __u32 *list;

        if (!map || bpf_probe_read_kernel_str(key.name, sizeof(key.name), (const void *) name) <= 0)
                return 0;
        list = bpf_map_lookup_elem(map, &key);
        return list ? *list : 0;
}

/* By what the file is called, and by what it was asked for. Returns 0. */
__hidden __noinline int exec_find_comms(struct decision *decision, __u64 path)
{
        const struct dentry *dentry;
        struct path_scan scan = {.at = path, .name = path};
        __u32 slot;

        if (!decision)
                return 0;
        slot = decision->word & WORD_SLOT;
        dentry = (const struct dentry *) decision->dentry;
        decision->list = list_of_comm((__u64) BPF_CORE_READ(dentry, d_name.name), slot);
        for (int i = 0; i < PATH_CHUNKS; i++)
                if (exec_scan_path(&scan))
                        break;
        decision->more = list_of_comm(scan.name, slot);
        return 0;
}

/* ---- by its name in a file system ---- */

/* Whether anything beside its name may speak of a file. */
static __always_inline bool has_more(const struct file *file, __u32 word)
{
        __u32 flags = word_header(word)->flags;

        return flags & (IMAGE_PIN_ALL | IMAGE_DEFAULT) ||
               (flags & IMAGE_PIN_LINKS && BPF_CORE_READ(file, f_inode, i_nlink) > 1);
}

/* By its pin, by its name, and in the end what holds for all that nothing else decides. known: the
 * place of the directory, if that is learnt; else 0. */
static __always_inline int decide_place(struct decision *decision, __u64 known)
{
        decision->known = known;
        decision->flags |= DECIDE_FILE | DECIDE_DEFAULT;
        return ask(decision);
}

/* What the cache has of the directory that a file is in: 0: nothing. Maps are made all the time. */
static __always_inline __u64 known_of(const struct file *file, enum hook hook, __u32 word,
                                      __u32 *ret_length)
{
        const struct dentry *dentry;
        __u64 key, known;

        if (hook != HOOK_MMAP_FILE && pointers_are_dear()) {
                dentry = BPF_CORE_READ(file, f_path.dentry);
                *ret_length = BPF_CORE_READ(dentry, d_name.len);
                key = key_by_address(BPF_CORE_READ(dentry, d_parent), word, renames_begun());
        } else {
                dentry = file->f_path.dentry;
                *ret_length = dentry->d_name.len;
                key = directory_key(dentry->d_parent, word);
        }
        return known_place_of(key, &known) ? known : 0;
}

/* Whether it is known, at little cost, that no rule is about a file. */
static __always_inline bool place_is_free(const struct file *file, enum hook hook, __u32 word,
                                          __u64 *ret_known)
{
        __u32 length;

        *ret_known = known_of(file, hook, word, &length);
        return *ret_known && known_is_free(*ret_known, length) &&
               (!(word & WORD_MORE) || !has_more(file, word));
}

/* ---- programs ---- */

static __always_inline void ask_of(struct decision *decision, const struct file *file,
                                   enum hook hook, __u32 access)
{
        decision->dentry = (__u64) BPF_CORE_READ(file, f_path.dentry);
        decision->inode = (__u64) BPF_CORE_READ(file, f_inode);
        decision->hook = hook;
        decision->access = access;
}

static __always_inline int decide_digest(struct decision *decision)
{
        int r;

        exec_find_digest(decision);
        r = ask(decision);
        if (!r && decision->flags & EVENT_UNHASHED) {
                decision->flags &= ~EVENT_UNHASHED; /* it was recorded only: others may deny */
                decision->access = ACCESS_EXEC;
        }
        return r;
}

/* A program that knows more of what this policy asks stands beside this one. */
static __always_inline bool is_outdated(__u32 flags)
{
        return flags & IMAGE_BUILT_FOR & ~built_for;
}

/* From the most specific on. What one has decided the next is not asked about. */
static __always_inline int decide_exec(struct linux_binprm *bprm, struct decision *decision)
{
        __u32 flags = image_flags(decision->word);
        struct file *file = bprm->file;
        __u64 known;

        if (is_outdated(flags))
                return 0;

        ask_of(decision, file, HOOK_BPRM_CHECK_SECURITY, ACCESS_EXEC);
        if (is_built_for(IMAGE_SHA256 | IMAGE_VERITY) && flags & (IMAGE_SHA256 | IMAGE_VERITY) &&
            decide_digest(decision))
                return -EPERM;
        if (is_built_for(IMAGE_COMMS) && flags & IMAGE_COMMS && decision->access) {
                exec_find_comms(decision, (__u64) BPF_CORE_READ(bprm, interp));
                if (ask(decision))
                        return -EPERM;
        }
        if (!decision->access || !(decision->word & WORD_FILES) ||
            place_is_free(file, HOOK_BPRM_CHECK_SECURITY, decision->word, &known))
                return 0;
        return decide_place(decision, known);
}

/* What cannot be remembered of it would let it pass for what it is not. */
static __always_inline int judge_unkept(struct decision *decision)
{
        decision->flags |= EVENT_UNKEPT;
        return ask(decision);
}

static __always_inline int begin_identity(struct linux_binprm *bprm, struct decision *decision)
{
        __u64 address = (__u64) bprm;

        if (!is_built_for(IMAGE_VERIFIED) ||
            !(word_header(decision->word)->flags & IMAGE_VERIFIED) || !identity_begin(&address))
                return 0;
        decision->access = ACCESS_EXEC;
        return judge_unkept(decision);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm)
{
        struct decision decision = {.word = word_read()};

        count_call(HOOK_BPRM_CHECK_SECURITY);
        if (is_canary(decision.word, HOOK_BPRM_CHECK_SECURITY))
                return -CANARY_ERRNO;
        if (!(word_header(decision.word)->flags & IMAGE_ANY_EXEC))
                return 0;
        if (verdict_return(decide_exec(bprm, &decision)))
                return -EPERM;
        return verdict_return(begin_identity(bprm, &decision));
}

/* ---- maps ---- */

static __always_inline int keep_identity(struct file *file, __u32 word, enum hook hook)
{
        struct decision decision = {.word = word};
        __u64 address = (__u64) file;

        if (!is_built_for(IMAGE_VERIFIED) || !(image_flags(word) & IMAGE_RUNTIME_DEPS) ||
            !identity_map(&address))
                return 0;
        ask_of(&decision, file, hook, ACCESS_MAP);
        return judge_unkept(&decision);
}

static __always_inline int decide_map(struct file *file, __u32 word, enum hook hook)
{
        struct decision decision = {.word = word};
        __u64 known;

        if (keep_identity(file, word, hook))
                return -EPERM;
        if (!(word & WORD_FILES) || place_is_free(file, hook, word, &known))
                return 0;
        ask_of(&decision, file, hook, ACCESS_MAP);
        return decide_place(&decision, known);
}

/* The file of anonymous memory is NULL, where some kernels' verifiers hold that it never is and
 * drop the test. Half of its address is a number to them; a helper is asked where that half is
 * zero. */
static __always_inline bool is_nothing(const struct file *file)
{
        __u32 half;

        asm volatile("%0 = %1" : "=w"(half) : "w"((__u32) (__u64) file));
        return !half && !BPF_CORE_READ(file, f_inode);
}

static __always_inline int guard_map(struct file *file, unsigned long protection, enum hook hook)
{
        __u32 word = word_read();

        if (!(protection & PROTECT_EXECUTE) && !(word & WORD_CANARY))
                return 0;
        count_call(hook);
        if (is_canary(word, hook))
                return -CANARY_ERRNO;
        if (!(protection & PROTECT_EXECUTE) || !file || is_nothing(file))
                return 0;
        return verdict_return(decide_map(file, word, hook));
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long wanted, unsigned long protection)
{
        return guard_map(file, protection, HOOK_MMAP_FILE);
}

/* What security_mmap_file() makes of it after us. */
static __always_inline unsigned long final_protection(const struct file *file,
                                                      unsigned long protection)
{
        const struct task_struct___personality *task = (const void *) bpf_get_current_task_btf();
        const struct file___flags *mounted = (const void *) file;

        if ((protection & (PROTECT_READ | PROTECT_EXECUTE)) != PROTECT_READ ||
            !(BPF_CORE_READ(task, personality) & READ_IS_EXECUTE) ||
            BPF_CORE_READ(mounted, f_path.mnt, mnt_flags) & MOUNT_NO_EXECUTE)
                return protection;
        return protection | PROTECT_EXECUTE;
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file_3, struct file *file, unsigned long protection)
{
        return guard_map(file, final_protection(file, protection), HOOK_MMAP_FILE);
}

/* What is mapped to be executed already has been asked about. */
SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *area, unsigned long wanted,
             unsigned long protection)
{
        if (BPF_CORE_READ(area, vm_flags) & MAPPED_EXECUTE)
                protection &= ~(unsigned long) PROTECT_EXECUTE;
        return guard_map(pointers_are_dear() ? BPF_CORE_READ(area, vm_file) : area->vm_file,
                         protection, HOOK_FILE_MPROTECT);
}
