/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel: just the fields that our programs read. CO-RE finds them in the running kernel, so
 * offsets here mean nothing, and this list is all that can break when a kernel changes. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
        struct hlist_node *next;
};

struct hlist_head {
        struct hlist_node *first;
};

struct qstr {
        __u64 hash_len; /* the next two, which the verifier knows by themselves only */
        __u32 hash;
        __u32 len;
        const unsigned char *name;
};

typedef struct {
        __u32 val;
} kuid_t;

typedef struct {
        __u32 val;
} kgid_t;

struct super_block {
        __u32 s_dev;
        unsigned long s_magic;
        struct dentry *s_root;
};

struct inode {
        __u16 i_mode;
        struct super_block *i_sb;
        unsigned long i_ino;
        kuid_t i_uid;
        unsigned int i_flags;
        unsigned int i_nlink;
        __u32 i_generation;
        struct hlist_head i_dentry;
};

struct dentry {
        unsigned int d_flags;
        struct dentry *d_parent;
        struct qstr d_name;
        struct inode *d_inode;
        struct super_block *d_sb;
        union {
                struct hlist_node d_alias;
        } d_u;
};

struct iattr {
        unsigned int ia_valid;
};

struct renamedata {
        struct dentry *old_dentry, *new_dentry;
};

struct path {
        struct dentry *dentry;
};

struct file {
        struct path f_path;
        struct inode *f_inode;
        const struct cred *f_cred;
        unsigned int f_flags;
        unsigned int f_mode;
};

struct in6_addr {
        __u8 bytes[16];
};

struct sock_common {
        __u32 skc_daddr, skc_rcv_saddr;
        __u16 skc_dport; /* in network order */
        __u16 skc_num;
        unsigned short skc_family;
        unsigned char skc_state;
        struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct kernfs_node {
        __u64 id;
};

struct cgroup_subsys_state {
        struct cgroup *cgroup;
        struct cgroup_subsys_state *parent;
};

struct cgroup_root {
        int hierarchy_id;
};

struct cgroup {
        struct cgroup_subsys_state self;
        struct kernfs_node *kn;
        struct cgroup_root *root;
};

struct sock_cgroup_data {
        struct cgroup *cgroup;
};

struct sock {
        struct sock_common __sk_common;
        __u16 sk_type;
        __u16 sk_protocol;
        struct socket *sk_socket;
        struct sock_cgroup_data sk_cgrp_data;
};

struct socket {
        struct sock *sk;
        struct file *file;
};

struct msghdr {
        void *msg_name;
        int msg_namelen;
        void *msg_control;
        unsigned long msg_controllen;
        unsigned int msg_flags;
};

struct sk_buff {
        __u16 protocol;
        __u16 transport_header;
        __u16 network_header;
        unsigned char *head;
};

struct group_info {
        int ngroups;
        kgid_t gid[];
};

struct cred {
        kuid_t euid;
        kgid_t egid;
        struct group_info *group_info;
};

struct mm_struct {
        struct file *exe_file;
};

struct nsproxy {
        struct mnt_namespace *mnt_ns;
};

struct task_struct {
        int tgid;
        unsigned int flags;
        int exit_state;
        unsigned int ptrace;
        struct task_struct *real_parent;
        struct task_struct *group_leader;
        __u64 start_boottime;
        __u64 self_exec_id; /* one more for each exec, the same after a fork */
        kuid_t loginuid;
        const struct cred *real_cred; /* its own */
        const struct cred *cred;      /* what it acts with now: an overlay lends others */
        struct mm_struct *mm;
        struct nsproxy *nsproxy;
};

struct vfsmount {
        struct dentry *mnt_root;
};

struct bpf_map {
        __u32 id;
        char name[16];
};

/* Their numbers are the running kernel's. */
enum kernel_read_file_id {
        READING_MODULE,
        READING_KEXEC_IMAGE,
        READING_KEXEC_INITRAMFS,
        READING_MODULE_COMPRESSED,
};

enum kernel_load_data_id {
        LOADING_MODULE,
        LOADING_KEXEC_IMAGE,
        LOADING_KEXEC_INITRAMFS,
};

#pragma clang attribute pop

/* Kernels that have it look through all their types each time the verifier sees a pointer being
 * loaded through one that it trusts: as a number it is read by a helper, and loaded sooner. */
struct task_struct__safe_rcu {
};

static __always_inline bool pointers_are_dear(void)
{
        return bpf_core_type_exists(struct task_struct__safe_rcu);
}

/* Handed through our hooks, never looked into. */
struct sockaddr;
struct mnt_namespace;

#define MODE_TYPE 0170000
#define MODE_DIRECTORY 0040000
#define MODE_REGULAR 0100000
#define MODE_GROUP_OR_OTHERS_WRITE 0000022
#define INODE_VERITY 0x10000u  /* S_VERITY, in i_flags */
#define INODE_CASEFOLD 0x8000u /* S_CASEFOLD, in i_flags */
#define DENTRY_COMPARES 2u     /* DCACHE_OP_COMPARE, in d_flags */

#define BCACHEFS_MAGIC 0xca451a4e
#define BTRFS_MAGIC 0x9123683e
#define EXT4_MAGIC 0xef53
#define F2FS_MAGIC 0xf2f52010
#define OVERLAY_MAGIC 0x794c7630
#define PROC_MAGIC 0x9fa0
#define TMPFS_MAGIC 0x01021994
#define RENAME_EXCHANGE 2u
#define OPENED_READ 1u               /* FMODE_READ */
#define OPENED_WRITE 2u              /* FMODE_WRITE */
#define OPENED_NOACCOUNT 0x20000000u /* FMODE_NOACCOUNT: by a file system, in its own name */
#define OPENED_FOR_EXEC 0x20         /* __FMODE_EXEC, in f_flags */
#define ATTRIBUTE_IDENTITY 7u        /* ATTR_MODE, _UID, _GID */
#define ATTRIBUTE_SIZE 8u            /* ATTR_SIZE */

#define FAMILY_UNSPEC 0
#define FAMILY_INET 2
#define FAMILY_INET6 10
#define FAMILY_PACKET 17
#define FAMILY_SMC 43
#define TYPE_RAW 3 /* SOCK_RAW */
#define STATE_LISTEN 10
#define PROTOCOL_TCP 6
#define PROTOCOL_SCTP 132
#define PROTOCOL_SMC 256
#define PROTOCOL_MPTCP 262
#define SEND_FASTOPEN 0x20000000u /* MSG_FASTOPEN */

#define EPERM 1
