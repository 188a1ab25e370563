/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ABI: what the programs in the kernel and the service agree on. The only header both include.
 * A change of any layout here is a change of AEGIS_ABI, and so of the folder the pins are in. */
#pragma once

#include <linux/types.h>

#define AEGIS_ABI 1u

/* One bit a kind of access to a file. A rule without access= means all of them. */
#define ACCESS_READ 1u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 4u
#define ACCESS_CREATE 8u
#define ACCESS_DELETE 16u
#define ACCESS_LINK 32u
#define ACCESS_ATTR 64u
#define ACCESS_ALL 127u

/* What a program does with a socket. */
enum net_operation {
        NET_CONNECT,
        NET_BIND,
        NET_SEND,
        N_NET_OPERATIONS,
};

/* Places of decision, in the order of the Hook objects. */
enum hook {
        HOOK_FILE_OPEN,
        HOOK_INODE_CREATE,
        HOOK_INODE_LINK,
        HOOK_INODE_MKDIR,
        HOOK_INODE_MKNOD,
        HOOK_INODE_REMOVE_ACL,
        HOOK_INODE_REMOVEXATTR,
        HOOK_INODE_RENAME,
        HOOK_INODE_RMDIR,
        HOOK_INODE_SET_ACL,
        HOOK_INODE_SETATTR,
        HOOK_INODE_SETXATTR,
        HOOK_INODE_SYMLINK,
        HOOK_INODE_UNLINK,
        HOOK_SOCKET_BIND,
        HOOK_SOCKET_CONNECT,
        HOOK_SOCKET_SENDMSG,
        N_HOOKS,
};

#define HOOK_BIT(hook) (1ull << (hook))

/* The word a hook reads once and keeps for its whole decision. */
#define WORD_SLOT 1u   /* which of the two slots is in force */
#define WORD_AUDIT 2u  /* record, do not deny */
#define WORD_CANARY 4u /* the service is proving the hooks: see struct hot */

#define N_SLOTS 2

/* What a slot holds; no bit, no look-up. */
#define IMAGE_FILES 1u     /* rules about names in file systems */
#define IMAGE_PIN_LINKS 2u /* pins for files with more than one link */
#define IMAGE_PIN_ALL 4u   /* pins for any file (deny_inode) */
#define IMAGE_NET 8u       /* rules about addresses and ports */
#define IMAGE_CGROUPS 16u  /* cgroups whose processes no rule binds */

#define DIGEST_SIZE 32

/* One slot's facts. `cookie` is new for each filling of a slot: cached verdicts carry it. */
struct header {
        __u32 cookie;
        __u32 flags;
        __u32 n_prefixes;
        __u32 n_rules;
        __u64 generation;
        __u64 hooks;
        __u8 digest[DIGEST_SIZE];
};

/* Read by every hook, written by a commit only. */
struct hot {
        __u32 word;
        __u32 service_tgid; /* never denied: it must be able to mend a policy */
        __u32 canary_tgid;  /* while WORD_CANARY: this process is denied, with CANARY_ERRNO … */
        __u32 canary_load;  /* … by the programs of this loading, not by those adopted */
        __u64 seed[2];
        __u64 service_start_ns; /* told by the canary: a pid alone may be somebody else's by now */
        __u32 abi;
        __u32 zero;
        __u64 claim_until_ns; /* till then service_tgid alone is believed: the service is starting
                               */
        __u32 reserved[2];
        struct header headers[N_SLOTS];
};

#define CANARY_ERRNO 129 /* EKEYREJECTED: no other part of these paths answers so */

/* ---- files ---- */

#define NAME_CHUNK 56
#define NAME_CHUNKS 5 /* 5 * 56 >= 255 */

/* Node numbers have 24 bits, so that a directory's state fits a cached word. */
#define NODE_OFF                                                                                   \
        0xffffffu /* no rule names anything here or below: only what is inherited counts           \
                   */
#define N_NODES_MAX 0xfffffeu
#define N_RULESETS_MAX 0x7fffffu
#define RULESET_INHERITED 0x800000u /* in the kernel only: the name itself is not in the trie */

/* One step of the trie: the name of a child of a node, in chunks of NAME_CHUNK, zero filled. */
struct trie_key {
        __u32 node;
        __u16 length; /* of the whole name */
        __u16 chunk;
        char name[NAME_CHUNK];
};

struct trie_value {
        __u32 node;    /* NODE_OFF when nothing is named below */
        __u32 ruleset; /* 0: none; what holds for this very name and what is inherited from here */
        __u32 lengths; /* bit (length & 15) is set if a child's name has that length; 16 bits */
};

/* What holds at a node: for the named object itself, and for all that is below it. */
struct ruleset {
        __u32 own_access;
        __u32 own_rule;
        __u32 below_access;
        __u32 below_rule;
};

struct pin_key {
        __u64 inode;
        __u32 device;
        __u32 reserved;
};

struct pin_value {
        __u32 ruleset;
        __u32 generation; /* of the inode, if `checked` */
        __u32 checked;
};

/* ---- network ---- */

/* Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. The prefix length counts 128
 * bits. */
struct net_key {
        __u64 address[2];
        __u16 port;    /* host order; 0 is any */
        __u8 prefix;   /* bits of the address that count */
        __u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP or 0 for any */
        __u32 reserved;
};

struct net_value {
        __u32 rule[N_NET_OPERATIONS]; /* 0: none */
};

/* Which shapes of key exist for one prefix length, so that no look-up is made in vain. */
#define SHAPE_ANY 1u           /* any port, any protocol */
#define SHAPE_PROTOCOL 2u      /* any port, one protocol */
#define SHAPE_PORT 4u          /* one port, any protocol */
#define SHAPE_PORT_PROTOCOL 8u /* both */

#define N_PREFIXES_MAX 129

/* In a slot the longest prefix comes first. */
struct prefix {
        __u64 mask[2];
        __u32 length;
        __u32 shapes;
};

/* ---- events ---- */

#define EVENT_PATH_ROOM 760
#define EVENT_COMM_SIZE 16

enum event_verdict {
        VERDICT_DENIED = 1,
        VERDICT_AUDITED = 2, /* audit mode: a rule matched, the access went on */
};

#define EVENT_PATH_CUT 1u /* the path has more names than there was room for */
#define EVENT_UNPLACED                                                                             \
        2u /* no rule: the name could not be followed to its root, denied in doubt                 \
            */
#define EVENT_HOLDS_RULES                                                                          \
        4u /* no rule: rules name something below this directory, it cannot move */

#define RULE_NONE 0u

struct event {
        __u64 seq;
        __u64 time_ns; /* since boot, suspended time included */
        __u64 generation;
        __u32 rule; /* number in the image of that generation */
        __u16 hook;
        __u8 verdict;
        __u8 flags;
        /* subject */
        __u32 pid;
        __u32 ppid;
        __u32 uid;
        __u32 loginuid;
        __u64 start_ns;
        __u64 cgroup;
        __u64 exe_inode;
        __u32 exe_device;
        __u32 gid;
        char comm[EVENT_COMM_SIZE];
        /* object: a file … */
        __u32 access;
        __u32 device;
        __u64 inode;
        /* … or an address */
        __u64 address[2];
        __u16 port;
        __u16 protocol;
        __u32 path_length;
        char path[EVENT_PATH_ROOM]; /* names from the object up to the root, each ended by NUL */
};

/* An event about a socket ends before the path. */
#define EVENT_NET_SIZE __builtin_offsetof(struct event, path)

#define N_CALL_LANES 32u /* processors share a lane beyond this many; the adds are atomic */

/* Counters that never go back while the maps live. */
struct counters {
        __u64 seq;     /* the last event's number */
        __u64 lost[2]; /* events that found no room: denials, audits */
        __u64 denials[N_HOOKS];
        __u64 audits[N_HOOKS];
        __u64 seen;     /* HOOK_BIT of each hook that has denied a canary */
        __u64 unplaced; /* names that could not be followed to a root */
};

struct call_lane {
        __u64 calls[N_HOOKS];
};

/* Directory renames begun and ended. While they differ nothing is learnt; each begun one ends the
 * life of what was learnt before. */
struct renames {
        __u64 begun;
        __u64 reserved[7];
        __u64 ended;
};

/* What is learnt about directories: x = key ^ data, so that a torn entry fails like any other miss.
 */
#define N_CACHE_ENTRIES 32768u
struct cache_entry {
        __u64 x;
        __u64 data;
};
