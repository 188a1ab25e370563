/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ABI: what the programs in the kernel and the service agree on. The only header both include.
 * A change of any layout here is a change of AEGIS_ABI, and so of the folder the pins are in; of
 * what is under "events" it is one of EVENTS_ABI, too. */
#pragma once

#include <linux/types.h>

#ifndef AEGIS_ABI /* another is given for tests of an upgrade */
#define AEGIS_ABI 11u
#endif
#ifndef EVENTS_ABI /* likewise */
#define EVENTS_ABI 2u
#endif

/* One bit a kind of access to a file. A rule without access= means all of them. ACCESS_MAP goes
 * with ACCESS_EXEC in every rule; the two part in the defaults alone: a program that is run is
 * asked for with ACCESS_EXEC, what is mapped to be executed (a library, the loader of a program,
 * and the program itself as it is opened) with ACCESS_MAP. */
#define ACCESS_READ 1u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 4u
#define ACCESS_CREATE 8u
#define ACCESS_DELETE 16u
#define ACCESS_LINK 32u
#define ACCESS_ATTR 64u
#define ACCESS_MAP 128u
#define ACCESS_ALL 255u
#define ACCESS_ANY 0xffffu /* of what has no kinds of access */

/* What a program does with a socket. */
enum net_operation {
        NET_CONNECT,
        NET_BIND,
        NET_LISTEN,
        NET_ACCEPT,
        NET_SEND,
        NET_RECV,
        N_NET_OPERATIONS,
};

/* Accesses like 1 << NET_…. A connection or a datagram is judged as it arrives, when the address is
 * known and the program is not, and as the program takes it, when it is the other way round. A
 * clause has that of the two by which it can be told; it has 1 << NET_ACCEPT or NET_RECV too. */
#define NET_ACCEPT_ARRIVING (1u << 6)
#define NET_ACCEPT_UNSEEN (1u << 7)
#define NET_RECV_ARRIVING (1u << 8)
#define NET_RECV_UNSEEN (1u << 9)

/* What a rule kernel: is about. */
enum kernel_object {
        KERNEL_PTRACE,
        KERNEL_MODULE,
        KERNEL_BPF,
        KERNEL_MOUNT,
        KERNEL_KEXEC,
        N_KERNEL_OBJECTS,
};

/* Places of decision, in the order of the Hook objects. A new one comes last: each build counts for
 * the others. */
enum hook {
        HOOK_BPF,
        HOOK_BPF_MAP,
        HOOK_BPRM_CHECK_SECURITY,
        HOOK_BPRM_CREDS_FOR_EXEC,
        HOOK_FILE_MPROTECT,
        HOOK_FILE_OPEN,
        HOOK_INODE_COPY_UP,
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
        HOOK_KERNEL_LOAD_DATA,
        HOOK_KERNEL_READ_FILE,
        HOOK_MMAP_FILE,
        HOOK_MOVE_MOUNT,
        HOOK_PTRACE_ACCESS_CHECK,
        HOOK_PTRACE_TRACEME,
        HOOK_SB_MOUNT,
        HOOK_SB_PIVOTROOT,
        HOOK_SB_UMOUNT,
        HOOK_SOCKET_ACCEPT,
        HOOK_SOCKET_BIND,
        HOOK_SOCKET_CONNECT,
        HOOK_SOCKET_LISTEN,
        HOOK_SOCKET_RECVMSG,
        HOOK_SOCKET_SENDMSG,
        HOOK_SOCKET_SOCK_RCV_SKB,
        HOOK_SYSCTL,
        HOOK_TASK_KILL,
        HOOK_TASK_PRCTL,
        N_HOOKS,
};

#define HOOK_BIT(hook) (1ull << (hook))
#define HOOKS_MAX 64 /* in any build */

/* The word a hook reads once and keeps for its whole decision. Above the mode stands what a commit
 * copies from the header of the slot (WORD_OF_HEADER), so that one load tells whether to leave. */
#define WORD_SLOT 1u               /* which of the two slots is in force */
#define WORD_AUDIT 2u              /* record, do not deny */
#define WORD_FILES 4u              /* hooks about files have something to ask */
#define WORD_COOKIE_SHIFT 6        /* three bits are free below it */
#define WORD_COOKIE 0x3fffffc0u    /* the cookie of the slot: cached verdicts carry it */
#define WORD_NAMES_MAX 0x3fffffffu /* above: there is more to ask than about names, that is … */
#define WORD_MORE 0x40000000u   /* … also of files whose name no rule is about: pins, defaults */
#define WORD_CANARY 0x80000000u /* … the service is proving the hooks: see struct hot */

#define WORD_OF_HEADER(flags, cookie)                                                              \
        (((flags) & (IMAGE_FILES | IMAGE_PIN_LINKS | IMAGE_PIN_ALL | IMAGE_DEFAULT) ? WORD_FILES   \
                                                                                    : 0) |         \
         ((flags) & (IMAGE_PIN_LINKS | IMAGE_PIN_ALL | IMAGE_DEFAULT) ? WORD_MORE : 0) |           \
         ((cookie) << WORD_COOKIE_SHIFT & WORD_COOKIE))

#define N_SLOTS 2

/* What a slot holds; no bit, no look-up. */
#define IMAGE_FILES 1u           /* clauses at names in file systems */
#define IMAGE_PIN_LINKS 2u       /* pins for files with more than one link */
#define IMAGE_PIN_ALL 4u         /* pins for any file (deny_inode) */
#define IMAGE_NET 8u             /* clauses at addresses and ports */
#define IMAGE_UNBOUND 16u        /* cgroups whose processes no rule binds */
#define IMAGE_CGROUPS 32u        /* subjects with a cgroup */
#define IMAGE_EXES 64u           /* subjects with a program: names in the trie have marks */
#define IMAGE_COMMS 128u         /* clauses at names of programs */
#define IMAGE_SHA256 256u        /* clauses at digests of files, by IMA */
#define IMAGE_VERITY 512u        /* clauses at digests of fs-verity */
#define IMAGE_DEFAULT 1024u      /* clauses for what no other clause decides */
#define IMAGE_RANGES 2048u       /* ranges of ports: the slot has an array of classes */
#define IMAGE_VERIFIED 4096u     /* subjects with a verified identity */
#define IMAGE_ENFORCED 16384u    /* some clause denies in audit mode too (CLAUSE_ENFORCE) */
#define IMAGE_RUNTIME_DEPS 8192u /* what a verified program maps counts for its identity too */
#define IMAGE_SUBJECTS 32768u    /* clauses that are not about everybody */

/* What programs are built for: the verifier leaves the rest out, and the kernel keeps it nowhere.
 */
#define IMAGE_BUILT_FOR (IMAGE_COMMS | IMAGE_SHA256 | IMAGE_VERITY | IMAGE_VERIFIED)

#define DIGEST_SIZE 32

/* One slot's facts. `cookie` is new for each filling of a slot; its low 24 bits count. Its size and
 * its beginning, down to the digest, are the same in every build: a service goes on with the hits
 * of an earlier one. */
#define SLOT_HEADER_SIZE 256
struct header {
        __u32 cookie;
        __u32 flags;
        __u32 n_prefixes;
        __u32 n_rules;
        __u64 generation;
        __u8 digest[DIGEST_SIZE];
        __u64 hooks;          /* that the rules need */
        __u64 hooks_accepted; /* those of them that may be missing */
        __u64 hooks_audited;  /* these record and do not deny, as if WORD_AUDIT were set for them */
        __u32 default_list;   /* IMAGE_DEFAULT: clauses by ACCESS_EXEC, ACCESS_MAP */
        __u32 kernel_lists[N_KERNEL_OBJECTS]; /* 0: no rule is about it */
} __attribute__((aligned(SLOT_HEADER_SIZE)));

/* Which program is the service, and where its pins are: what guards them. */
struct self {
        __u64 exe_directory; /* inode of the directory the service's program is in */
        __u32 exe_device;    /* of that file system */
        __u32 pin_device;    /* of the service's bpffs; 0: nothing is guarded */
        char exe_name[16];
};

enum own_kind {
        OWN_MAP,
        OWN_PROGRAM,
        OWN_LINK,
};

#define N_OWN_OBJECTS 1024u
#define OWN_MAP_PREFIX "aegis_" /* nobody else makes maps of such names */

/* Present: what has that id is the service's, and no one else gets a descriptor of it. */
struct own_object {
        __u32 kind;
        __u32 id;
};

/* Read by every hook, written by a commit only. */
/* Its beginning, down to claim_until_ns, is the same in every build: a service tells the programs
 * of an earlier one who it is. */
struct hot {
        __u32 word;
        __u32 service_tgid; /* never denied: it must be able to mend a policy */
        __u32 canary_tgid;  /* while WORD_CANARY: this process is denied, with CANARY_ERRNO … */
        __u32 canary_load;  /* … by the programs of this loading, not by those adopted */
        __u64 seed[2];      /* odd: they multiply */
        __u64 service_start_ns; /* noted in the kernel: a pid alone may be somebody else's by now */
        __u64 service_task;     /* likewise; an address, never believed without the other two */
        __u32 abi;
        __u32 zero;
        __u64 claim_until_ns; /* till then service_tgid alone is believed: the service is starting
                               */
        __u64 emergency_until_ns; /* since boot: till then denials are recorded and not made; 0 */
        __u32 signal;          /* SIGNAL_…: what follows a denial by a clause that says nothing */
        __u32 canary_hook;     /* the one hook that denies a canary: others stand on the way to it;
                                  | CANARY_GUARD: what guards the service there, not the rules;
                                  | CANARY_TIER: what proves that such programs are heeded */
        __u32 canary_answered; /* by that hook */
        __u32 reserved;
        struct self self;
        struct header headers[N_SLOTS];
        __u8 build[DIGEST_SIZE]; /* which the pinned programs are of, all of them; else 0 */
};

_Static_assert(__builtin_offsetof(struct hot, service_tgid) == 4, "in every build");
_Static_assert(__builtin_offsetof(struct hot, claim_until_ns) == 56, "in every build");
_Static_assert(__builtin_offsetof(struct hot, headers) == SLOT_HEADER_SIZE, "in every build");
_Static_assert(sizeof(struct header) == SLOT_HEADER_SIZE, "in every build");
_Static_assert(__builtin_offsetof(struct header, n_rules) == 12, "in every build");
_Static_assert(__builtin_offsetof(struct header, generation) == 16, "in every build");
_Static_assert(__builtin_offsetof(struct header, digest) == 24, "in every build");

#define CANARY_GUARD 0x100u
#define CANARY_TIER 0x200u
#define CANARY_ERRNO 129 /* EKEYREJECTED: no other part of these paths answers so */

/* ---- files ---- */

/* Most names are shorter, and each of a hundred thousand entries has the room. */
#define NAME_CHUNK 24
#define NAME_CHUNKS 11 /* 11 * 24 >= 255 */

/* Node numbers have 24 bits, so that a directory's state fits a cached word. */
#define NODE_OFF                                                                                   \
        0xffffffu /* no rule names anything here or below: only what is inherited counts           \
                   */
/* Of a node's number: no denial below it is in earnest, so moving its directory is recorded alone;
 * without it, the directory cannot be moved. */
#define NODE_SOFT 0x800000u
#define N_NODES_MAX 0x7ffffeu
#define N_RULESETS_MAX 0x7fffffu
#define RULESET_INHERITED 0x800000u /* in the kernel only: the name itself is not in the trie */

/* One step of the trie: the name of a child of a node, in chunks of NAME_CHUNK, zero filled. The
 * child for every name that has no entry of its own (a component * of a rule) has length and chunk
 * 0 and no name. A node with such a child has all 16 bits of `lengths`. */
struct trie_key {
        __u32 node;
        __u16 length; /* of the whole name */
        __u16 chunk;
        char name[NAME_CHUNK];
};

/* A word, as the cache of directories has it. */
struct trie_value {
        __u64 node : 24;    /* NODE_OFF when nothing is named below */
        __u64 lengths : 16; /* bit (length & 15) is set if a child's name has that length */
        __u64 ruleset : 24; /* 0: none; what holds for this very name and is inherited from here */
};

/* What holds at a node: for the named object itself, and for all that is below it and has no node.
 * Lists are complete: what is inherited from above stands in them behind what is said here. Marks
 * are sets of exe= that the object (as a program) belongs to: see struct mark_key. */
struct ruleset {
        __u32 own, below; /* lists; 0: none */
        __u32 own_marks, below_marks;
};

/* ---- clauses ---- */

/* A list is a run of clauses; its number is that of its first clause; the first clause that is
 * about the access and fits the subject decides. Clause 0 is not used: list 0 is empty. */
#define LIST_LENGTH_MAX 256u

enum clause_verdict {
        CLAUSE_DENY,
        CLAUSE_ALLOW,
        CLAUSE_AUDIT, /* record and allow */
};

#define CLAUSE_LAST 1u    /* of its list */
#define CLAUSE_ENFORCE 2u /* denies in audit mode too */
#define CLAUSE_RECORD 4u  /* a denial that is recorded only, in enforce mode too */

enum clause_signal {
        SIGNAL_DEFAULT, /* as struct hot says */
        SIGNAL_NONE,
        SIGNAL_TERM,
        SIGNAL_KILL, /* SIGTERM at the first denial, SIGKILL at the next of that process */
};

struct clause {
        __u16 access; /* ACCESS_…, or 1 << NET_…, or ACCESS_ANY */
        __u8 verdict : 4, signal : 4;
        __u8 flags;
        __u32 subject; /* 0: anyone */
        __u32 rule;
        __u32 expires; /* seconds since boot; 0: never */
};

/* All that a subject names must fit. */
#define SUBJECT_EXE 1u
#define SUBJECT_UID 2u    /* the effective one */
#define SUBJECT_GID 4u    /* the effective one or a supplementary one */
#define SUBJECT_CGROUP 8u /* it or any above it */
#define SUBJECT_VERIFIED 16u

struct subject {
        __u32 flags;
        __u32 uid;
        __u32 gid;
        __u32 cgroup; /* a number in cgroup_names and cgroups */
        __u32 exe;    /* a number in marks */
        __u32 reserved;
};

/* Present: the exe of that number is in the set. */
struct mark_key {
        __u32 set;
        __u32 exe;
};

/* ---- cgroups ---- */

#define CGROUP_PATH_SIZE 256
#define CGROUP_UNBOUND 1u /* the number of those whose processes no rule binds */

/* A path "/a/b", or "x.service" alone: a unit of the system's manager, in whatever slice. Zero
 * filled. Programs give each cgroup its numbers as it is made. */
struct cgroup_name {
        char path[CGROUP_PATH_SIZE];
};

struct cgroup_numbers {
        __u32 unbound; /* CGROUP_UNBOUND or 0 */
        __u32 subject; /* or 0 */
};

/* Present: the cgroup with that id has that number. */
struct cgroup_key {
        __u64 id;
        __u32 number;
        __u32 reserved;
};

/* ---- programs ---- */

struct comm_key {
        char name[16]; /* the first 15 bytes of a program's name, zero filled */
};

enum digest_algorithm {
        DIGEST_SHA256 = 1,        /* of the file's bytes */
        DIGEST_VERITY_SHA256 = 2, /* fs-verity's */
};

struct digest_key {
        __u32 algorithm;
        __u8 digest[DIGEST_SIZE];
};

/* ---- pins ---- */

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
        __u16 port;     /* PORT_EXACT: host order; PORT_CLASS: a class; else 0 */
        __u16 protocol; /* IPPROTO_… or NET_PROTOCOL_…; 0 any */
        __u8 prefix;    /* bits of the address that count */
        __u8 kind;      /* PORT_… */
        __u16 reserved;
};

#define PORT_ANY 0
#define PORT_EXACT 1
/* Ranges cut the ports into classes: all ports of a class are in the same ranges. The slot's array
 * tells the class of a port; a range has an entry for each class in it. Class 0 is in none. */
#define PORT_CLASS 2
#define N_PORTS 65536u

/* Of four ports that follow each other: an array spends eight bytes on each value anyway. */
#define PORTS_AT_ONCE 4u
struct port_classes {
        __u16 of[PORTS_AT_ONCE];
};

#define NET_PROTOCOL_RAW 256    /* a raw socket, of whatever protocol */
#define NET_PROTOCOL_PACKET 257 /* a packet socket: its address is not known, /0 alone fits */

/* Which shapes of key exist for one prefix length, so that no look-up is made in vain: one bit a
 * kind of port, times two if a protocol is named. The most specific is asked first: exact port,
 * class, any; and each with a protocol before any protocol. */
#define SHAPE(kind, has_protocol) (1u << ((kind) *2 + ((has_protocol) ? 1 : 0)))

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

#define EVENT_UNHASHED 8u /* no rule: the digest could not be told, denied in doubt */
#define EVENT_COPY 16u    /* an overlay would have copied what a rule is about */
#define EVENT_SELF 32u    /* no rule: the service guards itself */
#define EVENT_FORGED 64u  /* no rule: a process would have passed for another program */
#define EVENT_UNKEPT                                                                               \
        128u /* no rule: memory is short for what must be kept in mind of the process */

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
        /* … or something else */
        __u32 operation; /* enum net_operation or kernel_object, as the hook has it */
        __u32 target;    /* a pid (ptrace, signals), a command (bpf) */
        __u32 signal;    /* sent to the subject; 0: none */
        __u32 digest_algorithm;
        __u8 digest[DIGEST_SIZE];
        __u32 emergency; /* 1: denied, but for an emergency */
        __u64 count;     /* of accesses that it is of, the last at time_ns */
        __u64 first_seq; /* 0; or the event that these repeat, which is not among them … */
        __u64 first_ns;  /* … and was then */
        __u32 path_length;
        char path[EVENT_PATH_ROOM]; /* names from the object up to the root, each ended by NUL */
};

/* An event about a socket ends before the path. */
#define EVENT_NET_SIZE __builtin_offsetof(struct event, path)

/* The same again within this time of the event that it repeats is counted and not told by itself.
 */
#define FOLD_NS 1000000000ull
#define FOLD_BITS 7
#define N_FOLDS (1u << FOLD_BITS)

/* The last event of its place, whatever falls into it, and what repeats it. Written by programs
 * alone, by the one that has it. */
struct fold {
        __u64 taken;   /* 1: a program has it */
        __u64 count;   /* of repetitions that are not told yet */
        __u64 last_ns; /* when the last was */
        /* what tells the subject and the object from others, beside what the event says of them */
        __u64 sk; /* or, of a task, the number of its exec */
        __u64 dentry, inode, parent, hash_length;
        __u64 object[4]; /* as in struct decision */
        __u32 flags, digest_algorithm;
        struct event event; /* seq 0: none */
};

/* What became of events since the maps were made. Written by the service alone, which writes the
 * one and then says that it holds: it may be killed at any time. */
struct tally {
        __u64 taken, delivered, suppressed;
        __u64 last_seq[2]; /* the last that was counted, of denials and of audits */
};
struct tallies {
        __u64 which;
        struct tally of[2];
        __u64 written_off; /* that were in rings which nobody reads any longer */
};

/* Tasks share them; an add may be lost. */
#define N_CALL_LANES 32u

/* They never go back while the maps live. */
struct counters {
        __u64 seq;     /* the last event's number */
        __u64 lost[2]; /* events that found no room: denials, audits */
        __u64 denials[HOOKS_MAX];
        __u64 audits[HOOKS_MAX];
        __u64 seen;     /* HOOK_BIT of each hook that has denied a canary, and not failed since */
        __u64 unplaced; /* names that could not be followed to a root */
};

struct call_lane {
        __u64 calls[HOOKS_MAX];
};

/* What is counted, in any build: it is read by those whose EVENTS_ABI is another. */
struct account {
        struct counters counters;
        struct tallies tallies;
        struct call_lane lanes[N_CALL_LANES];
};

_Static_assert(sizeof(struct account) == 17544, "in every build");
_Static_assert(sizeof(struct event) == 976 && sizeof(struct fold) == 1080, "as EVENTS_ABI has it");

/* Directory renames begun and ended, counted in steps of RENAMES_STEP: a word is added to it. While
 * they differ nothing is learnt; each begun one ends the life of what was learnt before. */
#define RENAMES_STEP (1ull << 32)
struct renames {
        __u64 begun;
        __u64 reserved[7];
        __u64 ended;
};

/* What is learnt about directories: x = key ^ data, so that a torn entry fails like any other miss.
 */
#define CACHE_BITS 14
#define N_CACHE_ENTRIES (1u << CACHE_BITS)
struct cache_entry {
        __u64 x;
        __u64 data;
};
