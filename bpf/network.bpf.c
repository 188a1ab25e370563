/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network: addresses as 16 bytes, looked up in a hash per used prefix length. */
#include "hook.h"

#define INET_SIZE 16  /* sizeof(struct sockaddr_in) */
#define INET6_SIZE 24 /* the shortest sockaddr_in6 that the kernel takes (RFC 2133) */

/* Where a program wants to go, or be. */
struct endpoint {
        __u64 address[2];
        __u16 port; /* host order */
        __u16 protocol;
        __u32 operation;
        __u32 slot;
};

static __always_inline void address_from_v4(__u64 address[2], __u32 v4)
{
        address[0] = 0;
        address[1] = (__u64) v4 << 32 | 0xffff0000u; /* little-endian: ::ffff:a.b.c.d */
}

static __always_inline __u32 look_up(void *map, struct net_key *key, __u32 operation)
{
        struct net_value *value = bpf_map_lookup_elem(map, key);

        return value && operation < N_NET_OPERATIONS ? value->rule[operation] : RULE_NONE;
}

/* The rule for one prefix length: exact port and protocol before any. A function of its own, so
 * that the verifier looks into it once and not once a length. */
__noinline int net_match_prefix(struct endpoint *endpoint, __u32 index)
{
        struct net_key key = {};
        const struct prefix *prefix;
        __u32 rule = RULE_NONE, shapes, slot;
        void *map;

        if (!endpoint || index >= N_PREFIXES_MAX)
                return RULE_NONE;
        slot = endpoint->slot;
        map = bpf_map_lookup_elem(&nets, &slot);
        if (!map)
                return RULE_NONE;
        prefix = &prefixes[(endpoint->slot & 1) * N_PREFIXES_MAX + index];
        shapes = prefix->shapes;
        key.address[0] = endpoint->address[0] & prefix->mask[0];
        key.address[1] = endpoint->address[1] & prefix->mask[1];
        key.prefix = prefix->length;
        key.port = endpoint->port;
        key.protocol = endpoint->protocol;
        if (shapes & SHAPE_PORT_PROTOCOL)
                rule = look_up(map, &key, endpoint->operation);
        key.protocol = 0;
        if (!rule && (shapes & SHAPE_PORT))
                rule = look_up(map, &key, endpoint->operation);
        key.port = 0;
        key.protocol = endpoint->protocol;
        if (!rule && (shapes & SHAPE_PROTOCOL))
                rule = look_up(map, &key, endpoint->operation);
        key.protocol = 0;
        if (!rule && (shapes & SHAPE_ANY))
                rule = look_up(map, &key, endpoint->operation);
        return rule;
}

/* The longest prefix first. Returns the number of the rule, RULE_NONE for none. */
static __always_inline __u32 net_match(struct endpoint *endpoint)
{
        __u32 n = hot.headers[endpoint->slot & 1].n_prefixes, rule;

        for (__u32 i = 0; i < N_PREFIXES_MAX; i++) {
                if (i >= n)
                        break;
                rule = net_match_prefix(endpoint, i);
                if (rule)
                        return rule;
        }
        return RULE_NONE;
}

/* Fills in address and port. False: no address that the kernel would take, nothing to decide. */
static __always_inline bool read_address(struct endpoint *ret_endpoint, const void *sockaddr,
                                         int length, __u16 family)
{
        __u16 port;
        __u32 v4;

        if (family == FAMILY_INET && length >= INET_SIZE) {
                if (bpf_probe_read_kernel(&v4, sizeof(v4), sockaddr + 4))
                        return false;
                address_from_v4(ret_endpoint->address, v4);
        } else if (family == FAMILY_INET6 && length >= INET6_SIZE) {
                if (bpf_probe_read_kernel(ret_endpoint->address, 16, sockaddr + 8))
                        return false;
        } else {
                return false;
        }
        if (bpf_probe_read_kernel(&port, sizeof(port), sockaddr + 2))
                return false;
        ret_endpoint->port = __builtin_bswap16(port);
        return true;
}

#define MAPPED_ANY 0xffff0000u /* the second half of ::ffff:0.0.0.0 */
#define LOOPBACK 0x0100007fu   /* 127.0.0.1 in network order */

/* Whether an IPv6 socket is bound to an IPv4 address. */
static __always_inline bool is_bound_to_mapped(const struct sock *sk)
{
        __u64 own[2] = {};

        if (!bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr) ||
            BPF_CORE_READ_INTO(&own, sk, __sk_common.skc_v6_rcv_saddr))
                return false;
        return own[0] == 0 && (__u32) own[1] == MAPPED_ANY;
}

/* The unspecified address leads to this machine itself: where the socket is bound, else the
 * loopback. */
static __always_inline void resolve_unspecified(struct endpoint *endpoint, const struct sock *sk)
{
        __u32 own;

        if (endpoint->address[0])
                return;
        if (endpoint->address[1] == 0) {
                if (is_bound_to_mapped(sk))
                        address_from_v4(endpoint->address, LOOPBACK);
                else
                        endpoint->address[1] = 1ull << 56; /* ::1 */
        } else if (endpoint->address[1] == MAPPED_ANY) {
                own = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
                address_from_v4(endpoint->address, own ? own : LOOPBACK);
        }
}

static __always_inline int decide_endpoint(struct endpoint *endpoint, __u32 word, enum hook hook)
{
        struct decision decision = {};
        __u32 rule = net_match(endpoint);

        if (rule == RULE_NONE)
                return 0;
        decision.word = word;
        decision.hook = hook;
        decision.rule = rule;
        decision.address[0] = endpoint->address[0];
        decision.address[1] = endpoint->address[1];
        decision.port = endpoint->port;
        decision.protocol = endpoint->protocol;
        return conclude_net(&decision);
}

static __always_inline bool leave_early(__u32 word)
{
        return !(word & WORD_CANARY) && !(word_header(word)->flags & IMAGE_NET);
}

/* A question about one socket address, as the hooks get it. */
struct question {
        enum hook hook;
        enum net_operation operation;
        const struct socket *sock;
        const void *sockaddr;
        int length;
};

/* What comes to the same port of TCP in the end is judged as TCP. */
static __always_inline __u16 protocol_of(const struct sock *sk, __u16 family)
{
        __u16 protocol = sk->sk_protocol;

        if (family == FAMILY_SMC || protocol == PROTOCOL_SMC || protocol == PROTOCOL_MPTCP)
                return PROTOCOL_TCP;
        return protocol;
}

static __always_inline int decide_socket(const struct question *question, __u32 word)
{
        const struct sock *sk = question->sock->sk;
        struct endpoint endpoint = {};
        __u16 family = 0, socket_family;

        if (!sk || !question->sockaddr || question->length < (int) sizeof(family) ||
            bpf_probe_read_kernel(&family, sizeof(family), question->sockaddr))
                return 0;
        /* A socket of any family may be handed an internet address: SMC and RDS are. A connect to
         * AF_UNSPEC dissolves the connection. Elsewhere an IPv4 socket takes it for IPv4. */
        socket_family = sk->__sk_common.skc_family;
        if (family == FAMILY_UNSPEC && question->operation != NET_CONNECT &&
            socket_family == FAMILY_INET)
                family = FAMILY_INET;
        if (!read_address(&endpoint, question->sockaddr, question->length, family))
                return 0;
        if (question->operation != NET_BIND)
                resolve_unspecified(&endpoint, sk);
        endpoint.protocol = protocol_of(sk, socket_family);
        endpoint.operation = question->operation;
        endpoint.slot = word & WORD_SLOT;
        return decide_endpoint(&endpoint, word, question->hook);
}

static __always_inline int guard_socket(const struct question *question)
{
        __u32 word = word_read();

        count_call(question->hook);
        if (leave_early(word))
                return 0;
        if (is_canary(word, question->hook))
                return -CANARY_ERRNO;
        return verdict_return(decide_socket(question, word));
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int length)
{
        struct question question = {HOOK_SOCKET_CONNECT, NET_CONNECT, sock, address, length};

        return guard_socket(&question);
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int length)
{
        struct question question = {HOOK_SOCKET_BIND, NET_BIND, sock, address, length};

        return guard_socket(&question);
}

/* A connected socket was asked when it connected. */
SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *message)
{
        struct question question = {HOOK_SOCKET_SENDMSG, NET_SEND, sock, NULL, 0};

        question.sockaddr = message->msg_name;
        question.length = message->msg_namelen;
        return guard_socket(&question);
}
