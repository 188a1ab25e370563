/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files: opening, and every way to make, take away, move or change a name or what it names. */
#include "place.h"

/* Nothing to ask: no rule of the policy in force is about files, and no canary is out. */
static __always_inline bool leave_early(__u32 word)
{
        return !(word & (WORD_FILES | WORD_CANARY));
}

/* The inode is an address alone. */
static __always_inline bool is_pinned(const struct inode *inode, __u32 word)
{
        __u32 flags = image_flags(word);

        return flags & IMAGE_PIN_ALL ||
               (flags & IMAGE_PIN_LINKS && BPF_CORE_READ(inode, i_nlink) > 1);
}

/* A dentry's inode may be NULL where the verifier of some kernels (6.2 to 6.15) holds that it never
 * is, and drops the test: so it is read as a number. */
static __always_inline int guard_name(const struct inode *dir, struct dentry *dentry,
                                      enum hook hook, __u32 access)
{
        struct decision decision = {.hook = hook, .access = access, .flags = DECIDE_FILE};
        __u32 word = word_read();

        count_call(hook);
        if (leave_early(word))
                return 0;
        if (is_canary(word, hook))
                return -CANARY_ERRNO;
        decision.word = word;
        decision.dentry = (__u64) dentry;
        decision.inode = (__u64) BPF_CORE_READ(dentry, d_inode);
        if (known_place_of(parent_key(dir, dentry, word), &decision.known)) {
                if (known_is_free(decision.known, dentry->d_name.len) &&
                    !(word & WORD_MORE && is_pinned((const void *) decision.inode, word)))
                        return 0;
        } else {
                decision.known = 0;
        }
        return verdict_return(ask(&decision));
}

static __always_inline __u32 access_of_open(const struct file *file, __u32 mode)
{
        __u32 access = 0;

        if (file->f_flags & OPENED_FOR_EXEC)
                return ACCESS_MAP;
        if (mode & OPENED_READ)
                access |= ACCESS_READ;
        if (mode & OPENED_WRITE)
                access |= ACCESS_WRITE;
        return access ? access : ACCESS_READ; /* mode 3, for ioctl alone */
}

/* Whether anything beside its name may speak of a file. */
static __always_inline bool has_more(const struct file *file, __u32 word)
{
        return (image_flags(word) & IMAGE_DEFAULT && file->f_flags & OPENED_FOR_EXEC) ||
               is_pinned(BPF_CORE_READ(file, f_inode), word);
}

/* A function of its own, so that the way that most opens go saves no registers for it. */
static __noinline int ask_open(struct file *file, struct dentry *dentry, __u32 word, __u64 known)
{
        struct decision decision = {.word = word,
                                    .hook = HOOK_FILE_OPEN,
                                    .known = known,
                                    .flags = DECIDE_FILE | DECIDE_OPEN};

        decision.dentry = (__u64) dentry;
        decision.inode =
                (__u64) (pointers_are_dear() ? BPF_CORE_READ(file, f_inode) : file->f_inode);
        decision.mode = file->f_mode;
        decision.access = access_of_open(file, decision.mode);
        if (decision.access & ACCESS_MAP)
                decision.flags |= DECIDE_DEFAULT;
        return verdict_return(ask(&decision));
}

/* Likewise. */
static __noinline int decide_open(struct file *file, __u32 word)
{
        struct dentry *dentry = file->f_path.dentry;
        __u64 known;

        if (leave_early(word))
                return 0;
        if (is_canary(word, HOOK_FILE_OPEN))
                return -CANARY_ERRNO;
        if (!known_place(dentry->d_parent, word, &known))
                known = 0;
        else if (known_is_free(known, dentry->d_name.len) && !has_more(file, word))
                return 0;
        return ask_open(file, dentry, word, known);
}

/* The way nearly all opens go: a directory whose place is learnt, and no name in it that a rule
 * could be about. */
SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file)
{
        struct dentry *dentry;
        __u64 known;
        __u32 word;

        count_call(HOOK_FILE_OPEN);
        word = word_read();
        if (word <= WORD_NAMES_MAX) {
                dentry = file->f_path.dentry;
                if (known_place(dentry->d_parent, word, &known)) {
                        if (known_is_free(known, dentry->d_name.len))
                                return 0;
                        barrier_var(file); /* else what is free saves a register for the dentry */
                        return ask_open(file, file->f_path.dentry, word, known);
                }
        }
        return decide_open(file, word);
}

/* Proves that programs at hooks are run and heeded on this machine at all. */
SEC("lsm/file_open")
int BPF_PROG(tier_file_open, struct file *file)
{
        return is_canary_of(word_read(), HOOK_FILE_OPEN, CANARY_TIER) ? -CANARY_ERRNO : 0;
}

/* The copy could not be told from reading. A function of its own, for its stack. */
static __noinline int judge_unkept(struct dentry *dentry, __u32 word)
{
        struct decision decision = {.word = word,
                                    .hook = HOOK_INODE_COPY_UP,
                                    .access = ACCESS_READ,
                                    .flags = EVENT_UNKEPT};

        decision.dentry = (__u64) dentry;
        decision.inode = (__u64) BPF_CORE_READ(dentry, d_inode);
        return ask(&decision);
}

/* The open of the lower file that follows is the copy's: see is_copied(). */
SEC("lsm/inode_copy_up")
int BPF_PROG(inode_copy_up, struct dentry *dentry)
{
        struct task_note *note;
        __u32 word = word_read();

        count_call(HOOK_INODE_COPY_UP);
        if (leave_early(word))
                return 0;
        if (is_canary(word, HOOK_INODE_COPY_UP))
                return -CANARY_ERRNO;
        note = bpf_task_storage_get(&notes, bpf_get_current_task_btf(), NULL,
                                    BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (!note)
                return verdict_return(judge_unkept(dentry, word));
        note->copying = 1;
        copies_made = 1;
        return 0;
}

SEC("lsm/inode_create")
int BPF_PROG(inode_create, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dir, dentry, HOOK_INODE_CREATE, ACCESS_CREATE);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(inode_mkdir, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dir, dentry, HOOK_INODE_MKDIR, ACCESS_CREATE);
}

SEC("lsm/inode_mknod")
int BPF_PROG(inode_mknod, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dir, dentry, HOOK_INODE_MKNOD, ACCESS_CREATE);
}

SEC("lsm/inode_symlink")
int BPF_PROG(inode_symlink, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dir, dentry, HOOK_INODE_SYMLINK, ACCESS_CREATE);
}

/* What is asked for to take a name away. Of a file with several names, the others would leave the
 * reach of what is said about this one: so all accesses. */
static __always_inline __u32 access_of_loss(struct dentry *dentry)
{
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

        if (!inode || (BPF_CORE_READ(inode, i_mode) & MODE_TYPE) == MODE_DIRECTORY ||
            BPF_CORE_READ(inode, i_nlink) < 2)
                return ACCESS_DELETE;
        return ACCESS_ALL;
}

SEC("lsm/inode_unlink")
int BPF_PROG(inode_unlink, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dir, dentry, HOOK_INODE_UNLINK, access_of_loss(dentry));
}

/* What was learnt ends with the move of a directory, and with its removal where inodes have no
 * generation: the next directory may look like this one there. Nothing is learnt until it is done.
 * The note is the dentry's address: an overlay's rename has another inside, of its layer. */
static __always_inline void move_begin(const struct dentry *dentry)
{
        struct task_note *note = bpf_task_storage_get(&notes, bpf_get_current_task_btf(), NULL,
                                                      BPF_LOCAL_STORAGE_GET_F_CREATE);

        if (note && note->moving)
                return; /* an exchange asks twice */
        if (note)
                note->moving = (__u64) dentry;
        __sync_fetch_and_add(&renames.begun, RENAMES_STEP);
}

static __always_inline void move_end(__u64 dentry, __u64 other)
{
        struct task_note *note = bpf_task_storage_get(&notes, bpf_get_current_task_btf(), NULL, 0);

        if (!note || !note->moving || (note->moving != dentry && note->moving != other))
                return;
        note->moving = 0;
        __sync_fetch_and_add(&renames.ended, RENAMES_STEP);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(inode_rmdir, struct inode *dir, struct dentry *dentry)
{
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
        int r = guard_name(dir, dentry, HOOK_INODE_RMDIR, ACCESS_DELETE);

        if (!r && !leave_early(word_read()) && !BPF_CORE_READ(inode, i_generation))
                move_begin(dentry);
        return r;
}

SEC("fexit/vfs_rmdir")
int BPF_PROG(rmdir_end, void *idmap, struct inode *dir, struct dentry *dentry)
{
        move_end((__u64) dentry, (__u64) dentry);
        return 0;
}

/* A name that is given away, be it moved or linked, leaves the reach of what is said about it: so
 * all accesses are asked for. */
SEC("lsm/inode_link")
int BPF_PROG(inode_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry)
{
        int r = guard_name(NULL, old_dentry, HOOK_INODE_LINK, ACCESS_ALL);

        return r ? r : guard_name(dir, new_dentry, HOOK_INODE_LINK, ACCESS_CREATE);
}

static __always_inline int decide_move(struct dentry *dentry, __u32 word)
{
        struct decision decision = {.word = word,
                                    .hook = HOOK_INODE_RENAME,
                                    .access = ACCESS_DELETE,
                                    .flags = DECIDE_MOVE};

        if (!(image_flags(word) & IMAGE_FILES))
                return 0;
        decision.dentry = (__u64) dentry;
        decision.inode = (__u64) BPF_CORE_READ(dentry, d_inode);
        return verdict_return(ask(&decision));
}

static __always_inline bool is_directory(struct dentry *dentry)
{
        return (BPF_CORE_READ(dentry, d_inode, i_mode) & MODE_TYPE) == MODE_DIRECTORY;
}

static __always_inline int guard_rename(const struct inode *old_dir, struct dentry *old_dentry,
                                        const struct inode *new_dir, struct dentry *new_dentry)
{
        __u32 word = word_read();
        int r;

        r = guard_name(old_dir, old_dentry, HOOK_INODE_RENAME, ACCESS_ALL);
        if (r)
                return r;
        r = guard_name(new_dir, new_dentry, HOOK_INODE_RENAME,
                       BPF_CORE_READ(new_dentry, d_inode)
                               ? ACCESS_CREATE | access_of_loss(new_dentry)
                               : ACCESS_CREATE);
        if (r || leave_early(word) || !is_directory(old_dentry))
                return r;
        r = decide_move(old_dentry, word);
        if (!r)
                move_begin(old_dentry);
        return r;
}

SEC("lsm/inode_rename")
int BPF_PROG(inode_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
             struct dentry *new_dentry)
{
        return guard_rename(old_dir, old_dentry, new_dir, new_dentry);
}

/* The LSM hook is called twice for an exchange; security_inode_rename() is told by a flag. */
SEC("lsm/inode_rename")
int BPF_PROG(inode_rename_exchange, struct inode *old_dir, struct dentry *old_dentry,
             struct inode *new_dir, struct dentry *new_dentry, unsigned int flags)
{
        int r = flags & RENAME_EXCHANGE ? guard_rename(new_dir, new_dentry, old_dir, old_dentry)
                                        : 0;

        return r ? r : guard_rename(old_dir, old_dentry, new_dir, new_dentry);
}

SEC("fexit/vfs_rename")
int BPF_PROG(rename_end, struct renamedata *data)
{
        move_end((__u64) BPF_CORE_READ(data, old_dentry), (__u64) BPF_CORE_READ(data, new_dentry));
        return 0;
}

static __always_inline __u32 access_of_change(const struct iattr *attributes)
{
        __u32 valid = attributes->ia_valid;

        if (!(valid & ATTRIBUTE_SIZE))
                return ACCESS_ATTR;
        return valid & ATTRIBUTE_IDENTITY ? ACCESS_WRITE | ACCESS_ATTR : ACCESS_WRITE;
}

/* Some hooks gained an argument in front. The service loads the one that fits the kernel's BTF. */
SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr, void *idmap, struct dentry *dentry, struct iattr *attributes)
{
        return guard_name(NULL, dentry, HOOK_INODE_SETATTR, access_of_change(attributes));
}

SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr_2, struct dentry *dentry, struct iattr *attributes)
{
        return guard_name(NULL, dentry, HOOK_INODE_SETATTR, access_of_change(attributes));
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry)
{
        return guard_name(NULL, dentry, HOOK_INODE_SETXATTR, ACCESS_ATTR);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry)
{
        return guard_name(NULL, dentry, HOOK_INODE_REMOVEXATTR, ACCESS_ATTR);
}

/* From 6.2 on; before, an ACL is an extended attribute like others. */
SEC("lsm/inode_set_acl")
int BPF_PROG(inode_set_acl, void *idmap, struct dentry *dentry)
{
        return guard_name(NULL, dentry, HOOK_INODE_SET_ACL, ACCESS_ATTR);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(inode_remove_acl, void *idmap, struct dentry *dentry)
{
        return guard_name(NULL, dentry, HOOK_INODE_REMOVE_ACL, ACCESS_ATTR);
}
