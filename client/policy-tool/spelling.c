/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spelling: see spelling.h. Numbers in decimal, addresses as inet_ntop() has them, defaults left
 * out. A section that is not in the table has entries of one spelling only. */
#include "spelling.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

#define MAPPED_BITS 96 /* IPv4 fills the last 32 of the 128 */

/* A blank at the end would be lost with the line's, but for a slash behind it. */
static void put_whole(FILE *out, const char *path)
{
        size_t n = strlen(path);

        fputs(path, out);
        if (n > 0 && strchr(" \t", path[n - 1]))
                putc('/', out);
}

static void put_path(FILE *out, const Rule *rule)
{
        put_whole(out, rule->file.path);
}

static void put_inode(FILE *out, const Rule *rule)
{
        fprintf(out, "%" PRIu32 ":%" PRIu64, rule->inode.device, rule->inode.inode);
}

static int is_mapped(const Rule *rule)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

        return rule->net.prefix >= MAPPED_BITS &&
               memcmp(rule->net.address, mapped, sizeof(mapped)) == 0;
}

static void put_ip(FILE *out, const Rule *rule)
{
        char text[INET6_ADDRSTRLEN] = "";

        if (is_mapped(rule))
                inet_ntop(AF_INET, rule->net.address + 12, text, sizeof(text));
        else
                inet_ntop(AF_INET6, rule->net.address, text, sizeof(text));
        fputs(text, out);
}

static void put_cidr(FILE *out, const Rule *rule)
{
        put_ip(out, rule);
        fprintf(out, "/%u", rule->net.prefix - (is_mapped(rule) ? MAPPED_BITS : 0u));
}

static void put_ip_or_cidr(FILE *out, const Rule *rule)
{
        if (rule->net.prefix == 128)
                put_ip(out, rule);
        else
                put_cidr(out, rule);
}

static const char *protocol_name(const Rule *rule)
{
        return rule->net.protocol == IPPROTO_TCP   ? "tcp"
               : rule->net.protocol == IPPROTO_UDP ? "udp"
                                                   : NULL;
}

static void put_port(FILE *out, const Rule *rule)
{
        int outward = !!(rule->net.operations & 1u << NET_CONNECT);
        int inward = !!(rule->net.operations & 1u << NET_BIND);
        const char *protocol = protocol_name(rule);

        fprintf(out, "%u", rule->net.first_port);
        if (outward && inward) {
                if (protocol)
                        fprintf(out, ":%s", protocol);
                return;
        }
        fprintf(out, ":%s:%s", protocol ? protocol : "any", outward ? "egress" : "bind");
}

static void put_ip_port(FILE *out, const Rule *rule)
{
        const char *protocol = protocol_name(rule);

        fputs(is_mapped(rule) ? "" : "[", out);
        put_ip(out, rule);
        fprintf(out, "%s:%u", is_mapped(rule) ? "" : "]", rule->net.first_port);
        if (protocol)
                fprintf(out, ":%s", protocol);
}

static void put_comm(FILE *out, const Rule *rule)
{
        fputs(rule->comm, out);
}

static void put_digest(FILE *out, const Rule *rule)
{
        fputs("sha256:", out);
        for (size_t i = 0; i < sizeof(rule->digest.digest); i++)
                fprintf(out, "%02x", rule->digest.digest[i]);
}

/* A path that begins as the mount does would lose that in reading. */
static void put_cgroup_name(FILE *out, const char *path, uint64_t id)
{
        static const char mount[] = "/sys/fs/cgroup";
        size_t n = sizeof(mount) - 1;

        if (!path) {
                fprintf(out, "cgid:%" PRIu64, id);
                return;
        }
        if (strncmp(path, mount, n) == 0 && (path[n] == '/' || path[n] == '\0'))
                fputs(mount, out);
        put_whole(out, path);
}

static void put_cgroup(FILE *out, const Rule *rule)
{
        put_cgroup_name(out, rule->cgroup.path, rule->cgroup.id);
}

typedef struct Spelling {
        const char *section;
        RuleKind kind; /* a rule of another kind is not what this room thinks it is */
        void (*put)(FILE *out, const Rule *rule);
} Spelling;

static const Spelling spellings[] = {
        {"deny_path", RULE_FILE, put_path},
        {"protect_path", RULE_FILE, put_path},
        {"deny_inode", RULE_INODE, put_inode},
        {"deny_ip", RULE_NET, put_ip},
        {"deny_cidr", RULE_NET, put_cidr},
        {"deny_port", RULE_NET, put_port},
        {"deny_ip_port", RULE_NET, put_ip_port},
        {"deny_comm", RULE_COMM, put_comm},
        {"deny_binary_hash", RULE_DIGEST, put_digest},
        {"allow_binary_hash", RULE_DIGEST, put_digest},
        {"trusted_exec_hash", RULE_DIGEST, put_digest},
        {"allow_cgroup", RULE_ALLOW_CGROUP, put_cgroup},
        {"cgroup_deny_inode", RULE_INODE, put_inode},
        {"cgroup_deny_ip", RULE_NET, put_ip_or_cidr},
        {"cgroup_deny_port", RULE_NET, put_port},
};

static const Spelling *find_spelling(const Rule *rule)
{
        for (size_t i = 0; i < ELEMENTS_OF(spellings); i++)
                if (strcmp(spellings[i].section, rule->section) == 0)
                        return spellings[i].kind == rule->kind ? &spellings[i] : NULL;
        return NULL;
}

static void put_subject(FILE *out, const RuleOptions *options)
{
        if (!(options->subject & SUBJECT_CGROUP))
                return;
        put_cgroup_name(out, options->cgroup, options->cgroup_id);
        fputc(' ', out);
}

int spell_entry(const Rule *rule, char **ret_text)
{
        const Spelling *spelling = find_spelling(rule);
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *out;
        int failed;

        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        if (spelling) {
                put_subject(out, rule->options);
                spelling->put(out, rule);
        } else {
                fputs(rule->entry, out);
        }
        failed = ferror(out);
        if (fclose(out) != 0 || failed)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        return 0;
}
