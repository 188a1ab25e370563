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
        __u32 len;
        const unsigned char *name;
};

struct super_block {
        __u32 s_dev;
        unsigned long s_magic;
        struct dentry *s_root;
};

struct inode {
        __u16 i_mode;
        struct super_block *i_sb;
        unsigned long i_ino;
        unsigned int i_nlink;
        __u32 i_generation;
        struct hlist_head i_dentry;
};

struct dentry {
        struct dentry *d_parent;
        struct qstr d_name;
        struct inode *d_inode;
        struct super_block *d_sb;
        union {
                struct hlist_node d_alias;
        } d_u;
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
        unsigned int f_flags;
        unsigned int f_mode;
};

struct in6_addr {
        __u8 bytes[16];
};

struct sock_common {
        unsigned short skc_family;
        __u32 skc_rcv_saddr;
        struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
        struct sock_common __sk_common;
        __u16 sk_protocol;
};

struct socket {
        struct sock *sk;
};

struct msghdr {
        void *msg_name;
        int msg_namelen;
};

typedef struct {
        __u32 val;
} kuid_t;

struct mm_struct {
        struct file *exe_file;
};

struct task_struct {
        int tgid;
        struct task_struct *real_parent;
        struct task_struct *group_leader;
        __u64 start_boottime;
        kuid_t loginuid;
        struct mm_struct *mm;
};

#pragma clang attribute pop

/* Handed through our hooks, never looked into. */
struct iattr;
struct sockaddr;

#define MODE_TYPE 0170000
#define MODE_DIRECTORY 0040000
#define RENAME_EXCHANGE 2u
#define OPENED_READ 1u       /* FMODE_READ */
#define OPENED_WRITE 2u      /* FMODE_WRITE */
#define OPENED_FOR_EXEC 0x20 /* __FMODE_EXEC, in f_flags */

#define FAMILY_UNSPEC 0
#define FAMILY_INET 2
#define FAMILY_INET6 10
#define FAMILY_SMC 43
#define PROTOCOL_TCP 6
#define PROTOCOL_SMC 256
#define PROTOCOL_MPTCP 262

#define EPERM 1
