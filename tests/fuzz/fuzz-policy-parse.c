/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser against any bytes: it takes or refuses them, says why in words that can be shown, and
 * what it takes is within its bounds. */
#include <string.h>

#include "abi.h"
#include "fuzz.h"
#include "policy/policy.h"
#include "policy/text.h"

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
        for (unsigned i = rule->net.prefix; i < 128; i++)
                HOLDS(!(rule->net.address[i / 8] & (0x80 >> i % 8)));
}

static void check_rule(const Rule *rule)
{
        check_text(rule->entry);
        check_text(rule->section);
        switch (rule->kind) {
        case RULE_DENY_PATH:
                check_path(rule->file.path);
                HOLDS(rule->file.below == 1);
                break;
        case RULE_DENY_INODE:
                break;
        case RULE_DENY_NET:
                check_net(rule);
                break;
        case RULE_ALLOW_CGROUP:
                if (rule->cgroup.path)
                        check_path(rule->cgroup.path);
                else
                        HOLDS(rule->cgroup.id > 0);
                break;
        }
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
