/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What aegis-policy promises of any document: fmt keeps its meaning and changes nothing twice,
 * convert says the same in version 7, lint and fmt take whatever the fuzzers found. */
#include <glib.h>
#include <string.h>

#include "convert.h"
#include "difference.h"
#include "format.h"
#include "policy/lint.h"
#include "policy/plain.h"
#include "random-document.h"

#define N_DOCUMENTS 3000

/* NULL if the document has faults: not every text that is made at random is one. */
static Policy *parse(const char *text, size_t n)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r = policy_parse(&policy, text, n, &diagnostics);

        g_assert_cmpint(r, >=, 0);
        diagnostics_deinit(&diagnostics);
        return policy;
}

static unsigned count_comments(const char *text)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        unsigned n = 0;

        for (char **line = lines; *line; line++)
                n += g_strstrip(*line)[0] == '#';
        return n;
}

static char *format(const char *text, const Policy *policy)
{
        char *formatted = NULL;
        int r = format_document(&formatted, text, strlen(text), policy);

        if (r != 0)
                g_test_message("%s", text);
        g_assert_cmpint(r, ==, 0);
        return formatted;
}

static void check_format(const char *text)
{
        _cleanup_(policy_unrefp) Policy *policy = parse(text, strlen(text)), *again = NULL;
        g_autofree char *once = NULL, *twice = NULL;

        if (!policy)
                return;
        once = format(text, policy);
        again = parse(once, strlen(once));
        g_assert_nonnull(again);
        g_assert_true(policies_are_equal(policy, again));
        twice = format(once, again);
        g_assert_cmpstr(once, ==, twice);
        g_assert_cmpuint(count_comments(text), ==, count_comments(once));
        g_assert_null(strstr(once, "\n\n\n"));
        g_assert_false(g_str_has_prefix(once, "\n"));
        g_assert_false(g_str_has_suffix(once, "\n\n"));
}

static void test_a_canonical_form_means_the_same_and_is_its_own(void)
{
        for (unsigned i = 0; i < N_DOCUMENTS; i++) {
                g_autofree char *text = random_document(1 + i % 7);

                check_format(text);
        }
}

static void check_convert(const char *text, unsigned *n_converted)
{
        _cleanup_(policy_unrefp) Policy *policy = parse(text, strlen(text)), *after = NULL;
        g_autofree char *converted = NULL, *formatted = NULL;
        Changes changes;
        int r;

        if (!policy)
                return;
        r = convert_document(&converted, text, strlen(text), policy);
        if (r != 0)
                g_test_message("%s", text);
        g_assert_cmpint(r, ==, 0);
        after = parse(converted, strlen(converted));
        g_assert_nonnull(after);
        g_assert_cmpuint(policy_version(after), ==, 7);
        g_assert_cmpint(changes_find(&changes, policy, after), ==, 0);
        g_assert_cmpuint(changes.n, ==, 0);
        changes_deinit(&changes);
        g_assert_cmpuint(count_comments(converted), >=, count_comments(text));
        formatted = format(converted, after);
        g_assert_cmpstr(formatted, ==, converted);
        *n_converted += policy_n_rules(policy) > 0;
}

static void test_a_document_of_any_older_version_is_the_same_in_version_7(void)
{
        unsigned n_converted = 0;

        for (unsigned i = 0; i < N_DOCUMENTS; i++) {
                g_autofree char *text = random_document(1 + i % 6);

                check_convert(text, &n_converted);
        }
        g_assert_cmpuint(n_converted, >, N_DOCUMENTS / 3);
}

/* ---- whatever there is ---- */

static void lint(const char *text, size_t n)
{
        _cleanup_(policy_unrefp) Policy *policy = parse(text, n);
        const Resolver resolver = plain_resolver();
        Document document = {.name = "doc", .text = text, .n_text = n, .policy = policy};
        Diagnostics diagnostics = {};

        if (policy && policy_lint(&document, 1, &resolver, &diagnostics) != 0)
                g_error("lint does not take: %s", text);
        diagnostics_deinit(&diagnostics);
}

static void test_lint_takes_any_document(void)
{
        for (unsigned i = 0; i < N_DOCUMENTS / 10; i++) {
                g_autofree char *text = random_document(1 + i % 7);

                lint(text, strlen(text));
        }
}

static void test_the_seeds_of_the_fuzzers_are_taken_and_formatted(void)
{
        g_autofree char *folder = g_build_filename(SOURCE_ROOT, "tests/fuzz/policy-parse", NULL);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        unsigned n = 0;
        const char *name;

        g_assert_nonnull(dir);
        while ((name = g_dir_read_name(dir))) {
                g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
                gsize n_text;

                g_assert_true(g_file_get_contents(path, &text, &n_text, NULL));
                lint(text, n_text);
                if (strlen(text) == n_text)
                        check_format(text);
                n++;
        }
        g_assert_cmpuint(n, >, 3);
}

#define ADD(name) g_test_add_func("/policy-tool/random/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(a_canonical_form_means_the_same_and_is_its_own);
        ADD(a_document_of_any_older_version_is_the_same_in_version_7);
        ADD(lint_takes_any_document);
        ADD(the_seeds_of_the_fuzzers_are_taken_and_formatted);
        return g_test_run();
}
