/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network: what programs do with sockets, and what arrives at them. Addresses are 16 bytes, IPv4 as
 * ::ffff:a.b.c.d.
 *
 * What the address and the port of an operation are:
 *   connect, send   the other side's; of what is sent without an address, those of the connection
 *   bind, listen    the socket's own
 *   accept          the other side's address, and the socket's own port
 *   recv            the other side's
 * A connection that comes in is judged by its first packet, and a datagram as it arrives; the
 * subject is then the owner of the socket, and what is denied is dropped. What arrives on a
 * connection is judged as it is read. Rules about accepting from anyone are asked by accept()
 * itself, too, where the subject is the program and is told. */
#include "network.h"

#define INET_SIZE 16       /* sizeof(struct sockaddr_in) */
#define INET6_SIZE 24      /* the shortest sockaddr_in6 that the kernel takes (RFC 2133) */
#define INET6_SIZE_FULL 28 /* sizeof(struct sockaddr_in6) */

/* One of IPv4, where it lies. */
struct sockaddr_v4 {
        __u16 family;
        __u16 port;    /* in network order */
        __u32 address; /* the same */
};

/* A socket address as programs write it. */
struct name {
        __u16 family;
        __u16 port; /* in network order */
        __u32 v4;
        __u64 v6[2];
        __u32 scope;
};

static __always_inline void address_from_v4(struct decision *decision, __u32 v4)
{
        decision->address[0] = 0;
        decision->address[1] = (__u64) v4 << 32 | 0xffff0000u; /* little-endian: ::ffff:a.b.c.d */
}

static __always_inline void address_from_v6(struct decision *decision, const struct in6_addr *v6)
{
        const __u64 *words = (const __u64 *) v6;

        decision->address[0] = words[0];
        decision->address[1] = words[1];
}

/* A raw socket's ports, if it has any, are in what it sends. */
static __always_inline void set_port(struct decision *decision, __u16 port)
{
        decision->port = decision->protocol == NET_PROTOCOL_RAW ? 0 : __builtin_bswap16(port);
}

/* ---- what a socket is ---- */

static __always_inline __u16 family_of(const struct sock *sk)
{
        return sk->__sk_common.skc_family;
}

/* What comes to the same port of TCP in the end is judged as TCP. */
static __always_inline __u16 protocol_of(const struct sock *sk)
{
        __u16 family = family_of(sk), protocol = sk->sk_protocol;

        if (family == FAMILY_PACKET)
                return NET_PROTOCOL_PACKET;
        if (sk->sk_type == TYPE_RAW && (family == FAMILY_INET || family == FAMILY_INET6))
                return NET_PROTOCOL_RAW;
        if (family == FAMILY_SMC || protocol == PROTOCOL_SMC || protocol == PROTOCOL_MPTCP)
                return PROTOCOL_TCP;
        return protocol;
}

/* Sockets that reach the network, and tell no address. */
static __always_inline bool has_no_address(const struct sock *sk)
{
        return family_of(sk) == FAMILY_PACKET || family_of(sk) == FAMILY_SMC;
}

/* False if it is not connected. */
static __always_inline bool address_of_peer(struct decision *decision, const struct sock *sk)
{
        if (family_of(sk) == FAMILY_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
                address_from_v6(decision, &sk->__sk_common.skc_v6_daddr);
        else if (family_of(sk) == FAMILY_INET && sk->__sk_common.skc_daddr)
                address_from_v4(decision, sk->__sk_common.skc_daddr);
        else
                return false;
        set_port(decision, sk->__sk_common.skc_dport);
        return decision->address[0] || decision->address[1];
}

static __always_inline bool address_of_self(struct decision *decision, const struct sock *sk)
{
        if (family_of(sk) == FAMILY_INET6 &&
            bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr))
                address_from_v6(decision, &sk->__sk_common.skc_v6_rcv_saddr);
        else if (family_of(sk) == FAMILY_INET)
                address_from_v4(decision, sk->__sk_common.skc_rcv_saddr);
        else
                return false;
        decision->port = sk->__sk_common.skc_num;
        return true;
}

/* ---- what a program names ---- */

/* Memory behind a short name may not be there. */
static __always_inline bool read_name(struct name *ret_name, const void *from, int length)
{
        if (length >= INET6_SIZE_FULL && !bpf_probe_read_kernel(ret_name, INET6_SIZE_FULL, from))
                return true;
        if (length >= INET6_SIZE)
                return !bpf_probe_read_kernel(ret_name, INET6_SIZE, from);
        if (length >= INET_SIZE)
                return !bpf_probe_read_kernel(ret_name, INET_SIZE, from);
        return length >= (int) sizeof(ret_name->family) &&
               !bpf_probe_read_kernel(&ret_name->family, sizeof(ret_name->family), from);
}

/* A socket of any family may be handed an internet address: SMC and RDS are. Without a family the
 * socket's own is meant, but for connect(), which dissolves the connection then, and for datagrams
 * over IPv6, which go where the socket is connected. */
static __always_inline __u16 family_meant(const struct decision *decision, const struct sock *sk,
                                          const struct name *name)
{
        if (name->family != FAMILY_UNSPEC || decision->operation == NET_CONNECT)
                return name->family;
        if (family_of(sk) == FAMILY_INET || decision->protocol == NET_PROTOCOL_RAW)
                return family_of(sk);
        return FAMILY_UNSPEC;
}

#define MAPPED_ANY 0xffff0000u /* the second half of ::ffff:0.0.0.0 */
#define LOOPBACK 0x0100007fu   /* 127.0.0.1 in network order */

/* Whether an IPv6 socket is bound to an IPv4 address. */
static __always_inline bool is_bound_to_mapped(const struct sock *sk)
{
        const __u64 *own;

        if (family_of(sk) != FAMILY_INET6 ||
            !bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr))
                return false;
        own = (const __u64 *) &sk->__sk_common.skc_v6_rcv_saddr;
        return own[0] == 0 && (__u32) own[1] == MAPPED_ANY;
}

/* ---- what goes with a message: the address that it is to come from ---- */

#define CONTROL_MAX 4096 /* as many as net.core.optmem_max may let through */
#define LEVEL_IP 0
#define LEVEL_IPV6 41
#define TYPE_IP_PKTINFO 8
#define TYPE_IPV6_PKTINFO 50
#define IP_SOURCE 4       /* in struct in_pktinfo */
#define IPV6_SOURCE_V4 12 /* in struct in6_pktinfo: the last part of a mapped address */

struct control_head {
        __u64 length;
        __u32 level;
        __u32 type;
};

struct control {
        __u64 at, end;
        __u32 source;
        bool has_source;
};

/* The last one counts. Returns 1 at the end. */
static long control_step(__u32 index, struct control *control)
{
        struct control_head head;
        const char *data = (const char *) control->at + sizeof(head);

        if (control->at + sizeof(head) > control->end ||
            bpf_probe_read_kernel(&head, sizeof(head), (const void *) control->at) ||
            head.length < sizeof(head) || head.length > control->end - control->at)
                return 1;
        if (head.level == LEVEL_IP && head.type == TYPE_IP_PKTINFO)
                data += IP_SOURCE;
        else if (head.level == LEVEL_IPV6 && head.type == TYPE_IPV6_PKTINFO)
                data += IPV6_SOURCE_V4;
        else
                data = NULL;
        if (data && !bpf_probe_read_kernel(&control->source, sizeof(control->source), data))
                control->has_source = true;
        control->at += (head.length + 7) & ~7ull;
        return 0;
}

static __always_inline bool source_of(const struct msghdr *message, __u32 *ret_source)
{
        struct control control = {.at = (__u64) message->msg_control};

        control.end = control.at + message->msg_controllen;
        bpf_loop(CONTROL_MAX, control_step, &control, 0);
        *ret_source = control.source;
        return control.has_source;
}

/* The unspecified address leads to this machine itself: where the message comes from, else where
 * the socket is bound, else the loopback. */
static __always_inline void resolve_unspecified(struct decision *decision, const struct sock *sk,
                                                const struct msghdr *message)
{
        __u32 own;

        if (decision->address[0])
                return;
        if (decision->address[1] == 0) {
                if (is_bound_to_mapped(sk))
                        address_from_v4(decision, LOOPBACK);
                else
                        decision->address[1] = 1ull << 56; /* ::1 */
        } else if (decision->address[1] == MAPPED_ANY) {
                if (!message || !message->msg_controllen || !source_of(message, &own))
                        own = sk->__sk_common.skc_rcv_saddr;
                address_from_v4(decision, own ? own : LOOPBACK);
        }
}

/* What a hook was given. */
struct given {
        const void *name;
        int length;
        const struct msghdr *message; /* that the name is in, or NULL */
};

/* False: no address that the kernel would take. */
static __always_inline bool address_of_name(struct decision *decision, const struct sock *sk,
                                            const struct given *given)
{
        const void *from = given->name;
        int length = given->length;
        struct name name = {};
        __u16 family;

        if (!from || !read_name(&name, from, length))
                return false;
        family = family_meant(decision, sk, &name);
        if (family == FAMILY_INET && length >= INET_SIZE) {
                address_from_v4(decision, name.v4);
        } else if (family == FAMILY_INET6 && length >= INET6_SIZE) {
                decision->address[0] = name.v6[0];
                decision->address[1] = name.v6[1];
        } else {
                return false;
        }
        set_port(decision, name.port);
        if (decision->operation != NET_BIND)
                resolve_unspecified(decision, sk, given->message);
        return true;
}

/* Of what connect() and bind() name the verifier knows the type, so that an IPv4 address, as most
 * are, is read without a helper. */
static __always_inline bool address_of_call(struct decision *decision, const struct sock *sk,
                                            const struct sockaddr *address, int length)
{
        const struct given given = {address, length, NULL};
        const struct sockaddr_v4 *v4 = (const struct sockaddr_v4 *) address;

        if (length < INET_SIZE || v4->family != FAMILY_INET)
                return address_of_name(decision, sk, &given);
        address_from_v4(decision, v4->address);
        set_port(decision, v4->port);
        if (decision->operation != NET_BIND)
                resolve_unspecified(decision, sk, NULL);
        return true;
}

/* ---- hooks ---- */

#define GO_ON 1

/* Returns GO_ON, or what the hook is to return. */
static __always_inline int enter(__u32 word, enum hook hook)
{
        count_call(hook);
        if (!(word & WORD_CANARY) && !(word_header(word)->flags & IMAGE_NET))
                return 0;
        return is_canary(word, hook) ? -CANARY_ERRNO : GO_ON;
}

static __always_inline void begin(struct decision *decision, __u32 word, enum hook hook,
                                  const struct sock *sk)
{
        decision->word = word;
        decision->hook = hook;
        decision->protocol = protocol_of(sk);
}

static __always_inline void want(struct decision *decision, enum net_operation operation)
{
        decision->operation = operation;
        decision->access = 1u << operation;
}

static __always_inline int decide_connect(struct decision *decision, const struct sock *sk,
                                          const struct sockaddr *address, int length)
{
        want(decision, NET_CONNECT);
        return address_of_call(decision, sk, address, length) ? net_judge(decision, 0) : 0;
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int length)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_CONNECT);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_CONNECT, sk);
        return verdict_return(decide_connect(&decision, sk, address, length));
}

static __always_inline int decide_bind(struct decision *decision, const struct sock *sk,
                                       const struct sockaddr *address, int length)
{
        want(decision, NET_BIND);
        if (family_of(sk) == FAMILY_PACKET)
                return net_judge(decision, NET_UNKNOWN);
        return address_of_call(decision, sk, address, length) ? net_judge(decision, 0) : 0;
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int length)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_BIND);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_BIND, sk);
        return verdict_return(decide_bind(&decision, sk, address, length));
}

/* A socket that was not bound has no port yet: rules about any port alone are asked. */
static __always_inline int decide_listen(struct decision *decision, const struct sock *sk)
{
        want(decision, NET_LISTEN);
        if (address_of_self(decision, sk))
                return net_judge(decision, 0);
        return has_no_address(sk) ? net_judge(decision, NET_UNKNOWN) : 0;
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock, int backlog)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_LISTEN);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_LISTEN, sk);
        return verdict_return(decide_listen(&decision, sk));
}

/* Whose connection is taken is not known yet. */
static __always_inline int decide_accept(struct decision *decision, const struct sock *sk)
{
        if (!address_of_self(decision, sk) && !has_no_address(sk))
                return 0;
        decision->address[0] = 0;
        decision->address[1] = 0;
        decision->operation = NET_ACCEPT;
        decision->access = NET_ACCEPT_UNSEEN;
        return net_judge(decision, NET_UNKNOWN);
}

SEC("lsm/socket_accept")
int BPF_PROG(socket_accept, struct socket *sock, struct socket *newsock)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_ACCEPT);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_ACCEPT, sk);
        return verdict_return(decide_accept(&decision, sk));
}

/* To or from the other side of a connection, or anyone that a socket without addresses reaches. */
static __always_inline int decide_peer(struct decision *decision, const struct sock *sk)
{
        if (has_no_address(sk))
                return net_judge(decision, NET_UNKNOWN);
        return address_of_peer(decision, sk) ? net_judge(decision, 0) : 0;
}

/* Who sent what a socket without a connection gives next is not known before it is given. */
static __always_inline int decide_receive(struct decision *decision, const struct sock *sk)
{
        bool is_inet = family_of(sk) == FAMILY_INET || family_of(sk) == FAMILY_INET6;

        want(decision, NET_RECV);
        if (!is_inet || address_of_peer(decision, sk))
                return decide_peer(decision, sk);
        decision->port = 0;
        decision->access = NET_RECV_UNSEEN;
        return net_judge(decision, NET_UNKNOWN);
}

/* TCP heeds a name as it opens a connection with what is sent, and never else. An association of
 * SCTP may be made by what is sent. */
static __always_inline int decide_send(struct decision *decision, const struct sock *sk,
                                       const struct msghdr *message)
{
        const struct given given = {message->msg_name, message->msg_namelen, message};
        bool is_tcp = decision->protocol == PROTOCOL_TCP;
        bool connects = is_tcp || decision->protocol == PROTOCOL_SCTP;
        int r;

        want(decision, NET_SEND);
        if ((!is_tcp || message->msg_flags & SEND_FASTOPEN) && family_of(sk) != FAMILY_PACKET &&
            address_of_name(decision, sk, &given)) {
                if (connects)
                        decision->access |= 1u << NET_CONNECT;
                r = net_judge(decision, 0);
                if (r < 0 || !connects || !sk->__sk_common.skc_dport)
                        return r;
        }
        want(decision, NET_SEND);
        return decide_peer(decision, sk);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *message)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_SENDMSG);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_SENDMSG, sk);
        return verdict_return(decide_send(&decision, sk, message));
}

SEC("lsm/socket_recvmsg")
int BPF_PROG(socket_recvmsg, struct socket *sock)
{
        const struct sock *sk = sock->sk;
        struct decision decision = {};
        __u32 word = word_read();
        int r = enter(word, HOOK_SOCKET_RECVMSG);

        if (r != GO_ON || !sk)
                return r < 0 ? -CANARY_ERRNO : 0;
        begin(&decision, word, HOOK_SOCKET_RECVMSG, sk);
        return verdict_return(decide_receive(&decision, sk));
}

/* ---- what arrives ---- */

#define V4_SOURCE 12 /* where the sender's address is in a packet's header */
#define V6_SOURCE 8
#define ETHER_IPV4 0x0008 /* ETH_P_IP and ETH_P_IPV6 in network order */
#define ETHER_IPV6 0xdd86

static __always_inline bool address_of_sender(struct decision *decision, const struct sk_buff *skb)
{
        const unsigned char *network = skb->head + skb->network_header;
        __u32 v4;

        if (skb->protocol == ETHER_IPV6)
                return !bpf_probe_read_kernel(decision->address, 16, network + V6_SOURCE);
        if (skb->protocol != ETHER_IPV4 ||
            bpf_probe_read_kernel(&v4, sizeof(v4), network + V4_SOURCE))
                return false;
        address_from_v4(decision, v4);
        return true;
}

/* All protocols that have ports begin with them. */
static __always_inline void port_of_sender(struct decision *decision, const struct sk_buff *skb)
{
        __u16 port = 0;

        bpf_probe_read_kernel(&port, sizeof(port), skb->head + skb->transport_header);
        set_port(decision, port);
}

/* TCP is judged as it is read, by recvmsg. */
static __always_inline int decide_arrival(struct decision *decision, const struct sock *sk,
                                          const struct sk_buff *skb)
{
        bool listens = sk->__sk_common.skc_state == STATE_LISTEN;
        int r;

        if (!listens && decision->protocol == PROTOCOL_TCP)
                return 0;
        if (!address_of_sender(decision, skb))
                return 0;
        decision->sk = (__u64) sk;
        if (listens) {
                decision->operation = NET_ACCEPT;
                decision->access = NET_ACCEPT_ARRIVING;
                decision->port = sk->__sk_common.skc_num;
                r = net_judge(decision, 0);
                if (r < 0 || decision->protocol == PROTOCOL_TCP)
                        return r;
        }
        decision->operation = NET_RECV;
        decision->access = NET_RECV_ARRIVING;
        port_of_sender(decision, skb);
        return net_judge(decision, 0);
}

SEC("lsm/socket_sock_rcv_skb")
int BPF_PROG(socket_sock_rcv_skb, struct sock *sk, struct sk_buff *skb)
{
        __u32 word = word_read();
        struct decision decision = {};
        int r = enter(word, HOOK_SOCKET_SOCK_RCV_SKB);

        if (r != GO_ON)
                return r;
        if (family_of(sk) != FAMILY_INET && family_of(sk) != FAMILY_INET6)
                return 0;
        begin(&decision, word, HOOK_SOCKET_SOCK_RCV_SKB, sk);
        return verdict_return(decide_arrival(&decision, sk, skb));
}
