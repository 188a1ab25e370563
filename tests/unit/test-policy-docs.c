/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The documentation: its documents are read, and what it says is told is told. Its path is the
 * argument. */
#include <glib.h>
#include <string.h>

#include "policy/policy.h"

static char *documentation;

/* Returns the fenced block of a kind that begins at or after *at, and moves *at behind it. */
static char *next_block(const char *kind, const char **at)
{
        g_autofree char *fence = g_strdup_printf("\n```%s\n", kind);
        const char *begin = strstr(*at, fence), *end;

        if (!begin)
                return NULL;
        begin += strlen(fence);
        end = strstr(begin, "```\n");
        g_assert_nonnull(end);
        *at = end;
        return g_strndup(begin, (gsize) (end - begin));
}

static int parse(const char *text, char **ret_told)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r;

        r = policy_parse(&policy, text, strlen(text), &diagnostics);
        *ret_told = diagnostics_format(&diagnostics, "web");
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
        return r;
}

static void test_each_document_is_taken_without_a_remark(void)
{
        const char *at = documentation;
        unsigned n = 0;
        char *text;

        for (; (text = next_block("policy", &at)); n++) {
                g_autofree char *told = NULL;

                g_assert_cmpint(parse(text, &told), ==, 0);
                g_assert_cmpstr(told, ==, "");
                g_free(text);
        }
        g_assert_cmpuint(n, ==, 9);
}

static void test_each_remark_is_told_as_it_is_shown(void)
{
        const char *at = documentation;
        unsigned n = 0;
        char *text;

        for (; (text = next_block("policy-faulty", &at)); n++) {
                g_autofree char *expected = next_block("told", &at), *told = NULL;

                parse(text, &told);
                g_assert_cmpstr(told, ==, expected);
                g_free(text);
        }
        g_assert_cmpuint(n, ==, 2);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        if (argc != 2 || !g_file_get_contents(argv[1], &documentation, NULL, NULL))
                g_error("the path of policy-language.md is wanted");
        g_test_add_func("/policy/docs/test_each_document_is_taken_without_a_remark",
                        test_each_document_is_taken_without_a_remark);
        g_test_add_func("/policy/docs/test_each_remark_is_told_as_it_is_shown",
                        test_each_remark_is_told_as_it_is_shown);
        r = g_test_run();
        g_free(documentation);
        return r;
}
