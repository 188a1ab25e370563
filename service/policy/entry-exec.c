/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of versions 1 to 6 about programs, and the sections that are a line alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"

#define COMM_MAX 15u
#define DIGEST_DIGITS (2u * DIGEST_SIZE)

static const RuleOptions verified = {.subject = SUBJECT_VERIFIED};

/* ---- names of programs ---- */

int entry_deny_comm(const Entry *entry, Rule *rule)
{
        const char *slash = strchr(entry->text, '/');
        char hint[64];

        if (entry->n > COMM_MAX) {
                snprintf(hint, sizeof(hint), "longer names are told by their first %u bytes alone",
                         COMM_MAX);
                entry_fault(entry, COMM_MAX, hint, "the name is longer than %u bytes", COMM_MAX);
                return POLICY_E_SYNTAX;
        }
        if (slash) {
                entry_warning(entry, slash - entry->text, "put a path under [deny_path]",
                              "no program's name has a slash in it: this means nothing");
                return 0;
        }
        rule->kind = RULE_COMM;
        rule->verdict = RULE_DENY;
        rule->comm = entry->text;
        return policy_add_rule(entry->policy, rule);
}

/* ---- digests ---- */

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static size_t count_digits(const Entry *value)
{
        size_t n = 0;

        while (n < value->n && hex_value(value->text[n]) >= 0)
                n++;
        return n;
}

static void digest_explain(const Entry *value, size_t n)
{
        if (n == DIGEST_DIGITS && n < value->n)
                entry_fault(value, n, "write the digest alone, without the file's name",
                            "something follows the digest");
        else if (n == value->n && (n == 32 || n == 40 || n == 96 || n == 128))
                entry_fault(value, 0, "write what sha256sum prints",
                            "%zu digits are a digest of another kind than SHA-256", n);
        else
                entry_fault(value, n < value->n ? n : 0, "write what sha256sum prints",
                            "a digest has %u hexadecimal digits; here are %zu", DIGEST_DIGITS, n);
}

int digest_read(const Entry *value, enum digest_algorithm algorithm, struct digest_key *ret_digest)
{
        struct digest_key digest = {.algorithm = algorithm};
        size_t n = count_digits(value);

        if (n != DIGEST_DIGITS || n != value->n) {
                digest_explain(value, n);
                return POLICY_E_SYNTAX;
        }
        for (size_t i = 0; i < DIGEST_SIZE; i++)
                digest.digest[i] = (__u8) (hex_value(value->text[2 * i]) << 4 |
                                           hex_value(value->text[2 * i + 1]));
        *ret_digest = digest;
        return 0;
}

static int hash_read(const Entry *entry, Rule *rule)
{
        static const char prefix[] = "sha256:";
        size_t n = sizeof(prefix) - 1;
        Entry value;

        if (strncmp(entry->text, prefix, n) != 0) {
                entry_fault(entry, 0, "write sha256: and what sha256sum prints",
                            "the digest does not begin with sha256:");
                return POLICY_E_SYNTAX;
        }
        value = entry_part(entry, n, entry->n - n);
        rule->kind = RULE_DIGEST;
        return digest_read(&value, DIGEST_SHA256, &rule->digest);
}

int entry_deny_hash(const Entry *entry, Rule *rule)
{
        int r = hash_read(entry, rule);

        if (r != 0)
                return r;
        rule->verdict = RULE_DENY;
        return policy_add_rule(entry->policy, rule);
}

/* A list of what may run denies all else, once. */
static int deny_the_rest(Policy *policy, Rule *rule)
{
        if (policy->has_allow_list)
                return 0;
        policy->has_allow_list = 1;
        rule->kind = RULE_DEFAULT;
        rule->verdict = RULE_DENY;
        rule->def.access = ACCESS_EXEC;
        return policy_add_rule(policy, rule);
}

int entry_allow_hash(const Entry *entry, Rule *rule)
{
        int r = hash_read(entry, rule);

        if (r != 0)
                return r;
        rule->verdict = RULE_ALLOW;
        r = policy_add_rule(entry->policy, rule);
        return r < 0 ? r : deny_the_rest(entry->policy, rule);
}

/* ---- sections without entries ---- */

int entry_of_flag(const Entry *entry, Rule *rule)
{
        entry_warning(entry, 0, "remove it", "[%s] takes no entries: its own line turns it on",
                      rule->section);
        return 0;
}

static int add_kernel(const Entry *entry, Rule *rule, enum kernel_object object)
{
        rule->kind = RULE_KERNEL;
        rule->verdict = RULE_DENY;
        rule->kernel = object;
        return policy_add_rule(entry->policy, rule);
}

int flag_deny_ptrace(const Entry *entry, Rule *rule)
{
        return add_kernel(entry, rule, KERNEL_PTRACE);
}

int flag_deny_module_load(const Entry *entry, Rule *rule)
{
        return add_kernel(entry, rule, KERNEL_MODULE);
}

int flag_deny_bpf(const Entry *entry, Rule *rule)
{
        return add_kernel(entry, rule, KERNEL_BPF);
}

/* Datagrams need no connection, and a connection can be made by sending: both are asked. */
int flag_protect_connect(const Entry *entry, Rule *rule)
{
        int r;

        entry->policy->protect_connect_line = entry->line;
        rule->kind = RULE_NET;
        rule->verdict = RULE_DENY;
        rule->net.operations = 1u << NET_CONNECT | 1u << NET_SEND;
        r = policy_add_rule(entry->policy, rule);
        if (r < 0)
                return r;
        rule->verdict = RULE_ALLOW;
        rule->options = &verified;
        return policy_add_rule(entry->policy, rule);
}

int flag_protect_runtime_deps(const Entry *entry, Rule *rule)
{
        (void) rule;
        entry->policy->runtime_deps = 1;
        entry->policy->runtime_deps_line = entry->line;
        return 0;
}

int flag_require_ima_appraisal(const Entry *entry, Rule *rule)
{
        (void) rule;
        entry->policy->wants_ima_appraisal = 1;
        return 0;
}

/* What cannot be hashed is denied with and without it. */
int flag_ima_fail_closed(const Entry *entry, Rule *rule)
{
        (void) rule;
        entry->policy->ima_fail_closed_line = entry->line;
        return 0;
}
