/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terms: see terms.h. */
#include "policy/terms.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "abi.h"
#include "policy/policy.h"
#include "util/array.h"

#define TERMS(items)                                                                               \
        {                                                                                          \
                (items), ELEMENTS_OF(items)                                                        \
        }

/* No file is executed that is not mapped: exec is both. */
static const Term accesses[] = {
        {"read", ACCESS_READ}, {"write", ACCESS_WRITE},   {"exec", ACCESS_EXEC | ACCESS_MAP},
        {"map", ACCESS_MAP},   {"create", ACCESS_CREATE}, {"delete", ACCESS_DELETE},
        {"link", ACCESS_LINK}, {"attr", ACCESS_ATTR},
};
static const Term modes[] = {{"audit", RULE_MODE_AUDIT}, {"enforce", RULE_MODE_ENFORCE}};
static const Term signals[] = {{"none", SIGNAL_NONE}, {"term", SIGNAL_TERM}, {"kill", SIGNAL_KILL}};
static const Term verdicts[] = {{"deny", RULE_DENY}, {"allow", RULE_ALLOW}, {"audit", RULE_AUDIT}};
static const Term operations[] = {
        {"connect", 1u << NET_CONNECT}, {"bind", 1u << NET_BIND}, {"listen", 1u << NET_LISTEN},
        {"accept", 1u << NET_ACCEPT},   {"send", 1u << NET_SEND}, {"recv", 1u << NET_RECV},
};
static const Term protocols[] = {
        {"tcp", IPPROTO_TCP},         {"udp", IPPROTO_UDP},
        {"udplite", IPPROTO_UDPLITE}, {"sctp", IPPROTO_SCTP},
        {"icmp", IPPROTO_ICMP},       {"icmpv6", IPPROTO_ICMPV6},
        {"raw", NET_PROTOCOL_RAW},    {"packet", NET_PROTOCOL_PACKET},
};
static const Term kernel_objects[] = {
        {"ptrace", KERNEL_PTRACE}, {"module", KERNEL_MODULE}, {"bpf", KERNEL_BPF},
        {"mount", KERNEL_MOUNT},   {"kexec", KERNEL_KEXEC},
};
_Static_assert(ELEMENTS_OF(operations) == N_NET_OPERATIONS, "each operation has a word");
_Static_assert(ELEMENTS_OF(kernel_objects) == N_KERNEL_OBJECTS, "each object has a word");

const Terms access_terms = TERMS(accesses);
const Terms mode_terms = TERMS(modes);
const Terms signal_terms = TERMS(signals);
const Terms verdict_terms = TERMS(verdicts);
const Terms operation_terms = TERMS(operations);
const Terms protocol_terms = TERMS(protocols);
const Terms kernel_terms = TERMS(kernel_objects);

int term_find(const Terms *terms, const char *text, size_t n, uint32_t *ret_value)
{
        for (size_t i = 0; i < terms->n_items; i++) {
                const Term *term = &terms->items[i];

                if (strlen(term->text) != n || memcmp(term->text, text, n) != 0)
                        continue;
                *ret_value = term->value;
                return 0;
        }
        return -ENOENT;
}

const char *term_text(const Terms *terms, uint32_t value)
{
        for (size_t i = 0; i < terms->n_items; i++)
                if (terms->items[i].value == value)
                        return terms->items[i].text;
        return NULL;
}
