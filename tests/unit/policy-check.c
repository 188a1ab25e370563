/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy check: see policy-check.h. */
#include "policy-check.h"

#include <glib.h>
#include <string.h>

Policy *parse(const char *text, size_t n, int expected, Diagnostics *diagnostics)
{
        Policy *policy = NULL;
        int r;

        *diagnostics = (Diagnostics){};
        r = policy_parse(&policy, text, n, diagnostics);
        g_assert_cmpint(r, ==, expected);
        if (expected == 0)
                g_assert_nonnull(policy);
        else
                g_assert_null(policy);
        return policy;
}

void assert_places(const Diagnostics *diagnostics, const char *expected)
{
        g_autoptr(GString) places = g_string_new("");

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const Diagnostic *item = &diagnostics->items[i];

                g_assert_cmpstr(item->message, !=, "");
                g_string_append_printf(places, "%s%u:%u%s", i > 0 ? " " : "", item->line,
                                       item->column, item->severity == SEVERITY_WARNING ? "w" : "");
        }
        g_assert_cmpstr(places->str, ==, expected);
}

static int is_refused(const char *expected)
{
        g_auto(GStrv) places = g_strsplit(expected, " ", -1);

        for (char **place = places; *place; place++)
                if (!g_str_has_suffix(*place, "w"))
                        return 1;
        return 0;
}

void assert_told_n(const char *text, size_t n, const char *expected)
{
        int refused = is_refused(expected);
        Diagnostics diagnostics;
        Policy *policy;

        policy = parse(text, n, refused ? POLICY_E_SYNTAX : 0, &diagnostics);
        assert_places(&diagnostics, expected);
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

void assert_told(const char *text, const char *expected)
{
        assert_told_n(text, strlen(text), expected);
}

/* Sections of version 7 have names without a _. */
static char *make_document(const char *section, const char *entry)
{
        int is_old = strchr(section, '_') != NULL;

        return g_strdup_printf("version=%d\n[%s]\n%s\n", is_old ? 6 : 7, section, entry);
}

void assert_entry_told(const char *section, const char *entry, const char *expected)
{
        g_autofree char *text = make_document(section, entry);

        assert_told(text, expected);
}

void assert_hint(const char *section, const char *entry, const char *hint)
{
        g_autofree char *text = make_document(section, entry);
        Diagnostics diagnostics = {};
        Policy *policy = NULL;

        policy_parse(&policy, text, strlen(text), &diagnostics);
        g_assert_cmpuint(diagnostics.n_items, ==, 1);
        if (!strstr(diagnostics.items[0].hint, hint))
                g_error("the hint for %s is: %s", entry, diagnostics.items[0].hint);
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

const Rule *first_rule(const char *text, size_t n_rules, Policy **ret_policy)
{
        Diagnostics diagnostics;

        *ret_policy = parse(text, strlen(text), 0, &diagnostics);
        diagnostics_deinit(&diagnostics);
        g_assert_cmpuint(policy_n_rules(*ret_policy), ==, n_rules);
        return policy_rule(*ret_policy, 0);
}

const Rule *one_rule(const char *section, const char *entry, Policy **ret_policy)
{
        g_autofree char *text = make_document(section, entry);

        return first_rule(text, 1, ret_policy);
}
