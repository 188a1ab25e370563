/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser against any bytes: it takes or refuses them, says why in words that can be shown, what
 * it takes is within its bounds, and the text of each rule gives that rule again. */
#include <string.h>

#include "abi.h"
#include "fuzz.h"
#include "policy/policy.h"
#include "policy/rule-text.h"
#include "policy/text.h"
#include "rule-equal.h"

static void check_text(const char *text)
{
        size_t offset;

        HOLDS(text_check(text, strlen(text), &offset) == TEXT_FINE);
}

static void check_diagnostics(const Diagnostics *diagnostics, size_t n_lines)
{
        char *formatted = diagnostics_format(diagnostics, "document");

        HOLDS(formatted);
        free(formatted);
        HOLDS(diagnostics->n_items <= DIAGNOSTICS_MAX);
        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const Diagnostic *item = &diagnostics->items[i];

                HOLDS(item->line >= 1 && item->line <= n_lines && item->column >= 1);
                HOLDS(item->message[0] != '\0');
                check_text(item->message);
                check_text(item->hint);
        }
}

static void check_path(const char *path)
{
        HOLDS(path[0] == '/');
        HOLDS(!strstr(path, "//"));
        HOLDS(path[1] == '\0' || path[strlen(path) - 1] != '/');
        HOLDS(!strstr(path, "/../") && !strstr(path, "/./"));
}

static void check_net(const Rule *rule)
{
        HOLDS(rule->net.prefix <= 128);
        HOLDS(rule->net.operations > 0 && rule->net.operations < 1u << N_NET_OPERATIONS);
        HOLDS(rule->net.first_port <= rule->net.last_port);
        HOLDS(rule->net.protocol <= NET_PROTOCOL_PACKET);
        for (unsigned i = rule->net.prefix; i < 128; i++)
                HOLDS(!(rule->net.address[i / 8] & (0x80 >> i % 8)));
}

static void check_cgroup(const char *path, uint64_t id)
{
        if (!path)
                HOLDS(id > 0);
        else if (path[0] == '/')
                check_path(path);
        else
                HOLDS(strchr(path, '.') && !strchr(path, '/'));
}

static void check_access(uint32_t access)
{
        HOLDS(access > 0 && access <= ACCESS_ALL);
        HOLDS(!(access & ACCESS_EXEC) || access & ACCESS_MAP);
}

static void check_object(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                check_path(rule->file.path);
                check_access(rule->file.access);
                break;
        case RULE_INODE:
                check_access(rule->inode.access);
                break;
        case RULE_NET:
                check_net(rule);
                break;
        case RULE_KERNEL:
                HOLDS(rule->kernel < N_KERNEL_OBJECTS);
                break;
        case RULE_COMM:
                HOLDS(strlen(rule->comm) >= 1 && strlen(rule->comm) <= 15);
                break;
        case RULE_DIGEST:
                HOLDS(rule->digest.algorithm == DIGEST_SHA256 ||
                      rule->digest.algorithm == DIGEST_VERITY_SHA256);
                break;
        case RULE_DEFAULT:
                HOLDS(rule->def.access > 0 &&
                      (rule->def.access & ~(ACCESS_EXEC | ACCESS_MAP)) == 0);
                break;
        case RULE_ALLOW_CGROUP:
                HOLDS(rule->verdict == RULE_ALLOW);
                check_cgroup(rule->cgroup.path, rule->cgroup.id);
                break;
        }
}

static void check_options(const RuleOptions *options)
{
        HOLDS(!(options->subject & SUBJECT_EXE) == !options->exe);
        if (options->exe)
                check_path(options->exe);
        if (options->subject & SUBJECT_CGROUP)
                check_cgroup(options->cgroup, options->cgroup_id);
        if (options->id)
                HOLDS(policy_name_is_valid(options->id));
        if (options->why)
                check_text(options->why);
}

static void check_round_trip(const Rule *rule)
{
        char *document = rule_document(rule);
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r;

        HOLDS(document);
        r = policy_parse(&policy, document, strlen(document), &diagnostics);
        /* Between quotes a line is longer, and may be too long. */
        if (strlen(document) < POLICY_LINE_MAX) {
                HOLDS(r == 0 && policy_n_rules(policy) == 1);
                HOLDS(rule_equal(rule, policy_rule(policy, 0)));
        }
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
        free(document);
}

static void check_rule(const Rule *rule)
{
        check_text(rule->entry);
        check_text(rule->section);
        HOLDS(rule->line >= 1 && rule->column >= 1);
        check_object(rule);
        check_options(rule->options);
        check_round_trip(rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        size_t n_lines = 1;
        int r;

        for (size_t i = 0; i < size; i++)
                n_lines += data[i] == '\n';
        r = policy_parse(&policy, (const char *) data, size, &diagnostics);
        HOLDS(r == 0 || r == POLICY_E_SYNTAX || r == POLICY_E_TOO_LARGE);
        HOLDS((r == 0) == (policy != NULL));
        HOLDS((r == POLICY_E_SYNTAX) == (diagnostics.n_faults > 0));
        check_diagnostics(&diagnostics, n_lines);
        for (size_t i = 0; policy && i < policy_n_rules(policy); i++)
                check_rule(policy_rule(policy, i));
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
        return 0;
}
