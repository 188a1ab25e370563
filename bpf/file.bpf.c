/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files: opening, and every way to make, take away, move or change a name or what it names. */
#include "place.h"

#define IMAGE_ANY_FILE (IMAGE_FILES | IMAGE_PIN_LINKS | IMAGE_PIN_ALL)

/* Nothing to ask: no rule of the policy in force is about files, and no canary is out. */
static __always_inline bool leave_early(__u32 word)
{
        return !(word & WORD_CANARY) && !(word_header(word)->flags & IMAGE_ANY_FILE);
}

/* What is pinned speaks of the file itself, and so before what it inherits from a directory. */
static __always_inline void pinned_ruleset(const struct inode *inode, __u32 slot,
                                           __u32 *ret_ruleset)
{
        struct pin_key key = {};
        struct pin_value *value;
        void *map = bpf_map_lookup_elem(&pins, &slot);

        if (!map)
                return;
        key.inode = BPF_CORE_READ(inode, i_ino);
        key.device = BPF_CORE_READ(inode, i_sb, s_dev);
        value = bpf_map_lookup_elem(map, &key);
        if (!value || (value->checked && value->generation != BPF_CORE_READ(inode, i_generation)))
                return;
        *ret_ruleset = value->ruleset;
}

/* What is known of the object of a decision, read once by the hook. */
struct object {
        struct dentry *dentry;
        const struct inode *inode; /* an address; NULL for a name without a file */
        __u64 layer;               /* below an overlay: the address of the name that counts */
        bool is_directory;
        __u32 n_links;
};

static __always_inline int decide_file(const struct object *object, __u32 word, enum hook hook,
                                       __u32 access)
{
        __u32 slot = word & WORD_SLOT, flags = word_header(word)->flags;
        struct decision decision = {};
        struct place place = {};
        int r = 0;

        if (flags & IMAGE_FILES && object->layer) {
                r = place_walk_out(object->layer, word, &place);
        } else if (flags & IMAGE_FILES) {
                r = place_of_directory(object->is_directory ? object->dentry
                                                            : object->dentry->d_parent,
                                       word, &place);
                if (!r && !object->is_directory)
                        r = place_of_name(object->dentry, slot, &place);
        }
        if (object->inode && !r && (!place.ruleset || place.ruleset & RULESET_INHERITED) &&
            ((flags & IMAGE_PIN_ALL) || ((flags & IMAGE_PIN_LINKS) && object->n_links > 1)))
                pinned_ruleset(object->inode, slot, &place.ruleset);
        if (!place.ruleset && !r)
                return 0;
        decision.dentry = object->layer ? object->layer : (__u64) object->dentry;
        decision.inode = (__u64) object->inode;
        decision.word = word;
        decision.hook = hook;
        decision.access = access;
        if (r)
                decision.flags = EVENT_UNPLACED;
        else
                decision.ruleset = place.ruleset;
        return conclude_file(&decision);
}

/* For hooks that are given a dentry. Its inode may be NULL where the verifier of some kernels (6.2
 * to 6.15) holds that it never is, and drops the test: so it is read as a number. */
static __always_inline int decide_dentry(struct dentry *dentry, __u32 word, enum hook hook,
                                         __u32 access)
{
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
        struct object object = {.dentry = dentry, .inode = inode};

        if (inode) {
                object.is_directory = (BPF_CORE_READ(inode, i_mode) & MODE_TYPE) == MODE_DIRECTORY;
                object.n_links = BPF_CORE_READ(inode, i_nlink);
        }
        return decide_file(&object, word, hook, access);
}

static __always_inline int guard_name(struct dentry *dentry, enum hook hook, __u32 access)
{
        __u32 word = word_read();

        count_call(hook);
        if (leave_early(word))
                return 0;
        if (is_canary(word, hook))
                return -CANARY_ERRNO;
        return verdict_return(decide_dentry(dentry, word, hook, access));
}

static __always_inline __u32 access_of_open(const struct file *file)
{
        __u32 mode = file->f_mode, access = 0;

        if (mode & OPENED_READ)
                access |= ACCESS_READ;
        if (mode & OPENED_WRITE)
                access |= ACCESS_WRITE;
        if (file->f_flags & OPENED_FOR_EXEC)
                access |= ACCESS_EXEC;
        return access ? access : ACCESS_READ; /* mode 3, for ioctl alone */
}

/* Older kernels (6.1 does) let an overlay open a file of a layer as one that has the overlay's name
 * and the layer's inode. The name in the layer is an alias of that inode. */
static __always_inline __u64 layer_name(const struct file *file)
{
        const struct hlist_node *alias;

        if ((__u64) file->f_inode->i_sb == (__u64) file->f_path.dentry->d_sb ||
            !bpf_core_field_exists(struct dentry, d_u.d_alias))
                return 0;
        alias = BPF_CORE_READ(file, f_inode, i_dentry.first);
        return alias ? (__u64) alias - bpf_core_field_offset(struct dentry, d_u.d_alias) : 0;
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file)
{
        __u32 word = word_read();
        struct object object = {};

        count_call(HOOK_FILE_OPEN);
        if (leave_early(word))
                return 0;
        if (is_canary(word, HOOK_FILE_OPEN))
                return -CANARY_ERRNO;
        object.dentry = file->f_path.dentry;
        object.inode = file->f_inode;
        object.is_directory = (file->f_inode->i_mode & MODE_TYPE) == MODE_DIRECTORY;
        object.n_links = file->f_inode->i_nlink;
        object.layer = layer_name(file);
        return verdict_return(decide_file(&object, word, HOOK_FILE_OPEN, access_of_open(file)));
}

SEC("lsm/inode_create")
int BPF_PROG(inode_create, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_CREATE, ACCESS_CREATE);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(inode_mkdir, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_MKDIR, ACCESS_CREATE);
}

SEC("lsm/inode_mknod")
int BPF_PROG(inode_mknod, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_MKNOD, ACCESS_CREATE);
}

SEC("lsm/inode_symlink")
int BPF_PROG(inode_symlink, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_SYMLINK, ACCESS_CREATE);
}

SEC("lsm/inode_unlink")
int BPF_PROG(inode_unlink, struct inode *dir, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_UNLINK, ACCESS_DELETE);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(inode_rmdir, struct inode *dir, struct dentry *dentry)
{
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
        int r = guard_name(dentry, HOOK_INODE_RMDIR, ACCESS_DELETE);

        /* Where inodes have no generation the next directory may look like this one: forget it. */
        if (!r && !BPF_CORE_READ(inode, i_generation)) {
                __sync_fetch_and_add(&renames.begun, 1);
                __sync_fetch_and_add(&renames.ended, 1);
        }
        return r;
}

SEC("lsm/inode_link")
int BPF_PROG(inode_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry)
{
        int r = guard_name(old_dentry, HOOK_INODE_LINK, ACCESS_LINK);

        return r ? r : guard_name(new_dentry, HOOK_INODE_LINK, ACCESS_CREATE);
}

/* A directory that rules name something below may not move: it would carry that out of its name. */
static __always_inline int decide_move(struct dentry *dentry, __u32 word)
{
        struct decision decision = {};
        struct place place = {};
        int r;

        if (!(word_header(word)->flags & IMAGE_FILES))
                return 0;
        r = place_of_directory(dentry, word, &place);
        if (!r && place.node == NODE_OFF)
                return 0;
        decision.dentry = (__u64) dentry;
        decision.inode = (__u64) BPF_CORE_READ(dentry, d_inode);
        decision.word = word;
        decision.hook = HOOK_INODE_RENAME;
        decision.access = ACCESS_DELETE;
        decision.flags = r ? EVENT_UNPLACED : EVENT_HOLDS_RULES;
        return conclude_file(&decision);
}

/* What was learnt ends with a rename of a directory; nothing is learnt until it is done. The mark
 * is the dentry's address: an overlay's rename has another inside, of its layer. */
static __always_inline void rename_begin(const struct dentry *dentry)
{
        __u64 *mark = bpf_task_storage_get(&renaming, bpf_get_current_task_btf(), NULL,
                                           BPF_LOCAL_STORAGE_GET_F_CREATE);

        if (mark && *mark)
                return; /* an exchange asks twice */
        if (mark)
                *mark = (__u64) dentry;
        __sync_fetch_and_add(&renames.begun, 1);
}

static __always_inline int guard_rename(struct dentry *old_dentry, struct dentry *new_dentry)
{
        __u32 word = word_read();
        const struct inode *inode;
        int r;

        r = guard_name(old_dentry, HOOK_INODE_RENAME, ACCESS_DELETE);
        if (r)
                return r;
        r = guard_name(new_dentry, HOOK_INODE_RENAME, ACCESS_CREATE);
        if (r)
                return r;
        inode = BPF_CORE_READ(old_dentry, d_inode);
        if (!inode || (BPF_CORE_READ(inode, i_mode) & MODE_TYPE) != MODE_DIRECTORY)
                return 0;
        r = verdict_return(decide_move(old_dentry, word));
        if (!r)
                rename_begin(old_dentry);
        return r;
}

SEC("lsm/inode_rename")
int BPF_PROG(inode_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
             struct dentry *new_dentry)
{
        return guard_rename(old_dentry, new_dentry);
}

/* The LSM hook is called twice for an exchange; security_inode_rename() is told by a flag. */
SEC("lsm/inode_rename")
int BPF_PROG(inode_rename_exchange, struct inode *old_dir, struct dentry *old_dentry,
             struct inode *new_dir, struct dentry *new_dentry, unsigned int flags)
{
        int r = flags & RENAME_EXCHANGE ? guard_rename(new_dentry, old_dentry) : 0;

        return r ? r : guard_rename(old_dentry, new_dentry);
}

SEC("fexit/vfs_rename")
int BPF_PROG(rename_end, struct renamedata *data)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 *mark = bpf_task_storage_get(&renaming, task, NULL, 0);

        if (!mark || !*mark)
                return 0;
        if (*mark != (__u64) BPF_CORE_READ(data, old_dentry) &&
            *mark != (__u64) BPF_CORE_READ(data, new_dentry))
                return 0;
        *mark = 0;
        __sync_fetch_and_add(&renames.ended, 1);
        return 0;
}

/* Some hooks gained an argument in front. The service loads the one that fits the kernel's BTF. */
SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr, void *idmap, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_SETATTR, ACCESS_ATTR);
}

SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr_2, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_SETATTR, ACCESS_ATTR);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_SETXATTR, ACCESS_ATTR);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_REMOVEXATTR, ACCESS_ATTR);
}

/* From 6.2 on; before, an ACL is an extended attribute like others. */
SEC("lsm/inode_set_acl")
int BPF_PROG(inode_set_acl, void *idmap, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_SET_ACL, ACCESS_ATTR);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(inode_remove_acl, void *idmap, struct dentry *dentry)
{
        return guard_name(dentry, HOOK_INODE_REMOVE_ACL, ACCESS_ATTR);
}
