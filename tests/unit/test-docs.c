/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The documentation against the tree: what it names is there. AEGISD, CLIENT and POLICY_TOOL are
 * the programs as built. */
#include <glib.h>

#include <string.h>

#include "client.h"

#define N_HOOKS_KNOWN 17 /* fewer: abi.h is not read as it should be */

static char *read_file(const char *name)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, name, NULL);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

static gboolean is_there(const char *folder, const char *name)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, folder, name, NULL);

        return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Every string that the first group of a pattern takes, once each. */
static GHashTable *find_all(const char *text, const char *pattern)
{
        GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        g_assert_nonnull(regex);
        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL))
                g_hash_table_add(found, g_match_info_fetch(match, 1));
        return found;
}

/* Says which of the first are missing in the second. */
static void assert_within(const char *what, GHashTable *set, GHashTable *all)
{
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, set);
        while (g_hash_table_iter_next(&iter, &key, NULL))
                if (!g_hash_table_contains(all, key))
                        g_error("%s: %s", what, (const char *) key);
}

static const char *const pages[] = {"README.md", "docs/architecture.md", "docs/guarantees.md",
                                    "docs/policy-language.md", "docs/cryptography.md"};
static const char *const manual_pages[] = {"docs/man/aegis-client.1", "docs/man/aegis-policy.1",
                                           "docs/man/aegisd.8", "docs/man/org.aegis.Enforcer.5"};

/* The text of a manual page, without fonts and with plain dashes. */
static char *read_manual(const char *name)
{
        g_autofree char *text = read_file(name);
        g_autoptr(GRegex) fonts = g_regex_new("\\\\f[BIRP]", 0, 0, NULL);
        g_autofree char *plain = g_regex_replace_literal(fonts, text, -1, 0, "", 0, NULL);
        g_auto(GStrv) parts = g_strsplit(plain, "\\-", -1);

        return g_strjoinv("-", parts);
}

/* ---- guarantees ---- */

static void collect_tests(const char *folder, GHashTable *tests)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, folder, NULL);
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        g_assert_nonnull(dir);
        while ((name = g_dir_read_name(dir))) {
                g_autofree char *file = g_build_filename(folder, name, NULL), *text = NULL;
                g_autoptr(GHashTable) found = NULL;
                GHashTableIter iter;
                gpointer key;

                if (!g_str_has_prefix(name, "test-") || !g_str_has_suffix(name, ".c"))
                        continue;
                text = read_file(file);
                found = find_all(text, "^static void (test_[a-z0-9_]+)\\(");
                g_hash_table_iter_init(&iter, found);
                while (g_hash_table_iter_next(&iter, &key, NULL))
                        g_hash_table_add(tests, g_strdup(key));
        }
}

static void test_each_test_that_is_named_is_there(void)
{
        g_autoptr(GHashTable) tests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (const char *const *folder =
                     (const char *[]){"tests/unit", "tests/bus", "tests/vm", NULL};
             *folder; folder++)
                collect_tests(*folder, tests);
        for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
                g_autofree char *text = read_file(pages[i]);
                g_autoptr(GHashTable) named = find_all(text, "\\b(test_[a-z0-9_]+)");

                assert_within(pages[i], named, tests);
                if (g_str_equal(pages[i], "docs/guarantees.md"))
                        g_assert_cmpuint(g_hash_table_size(named), >, 30);
        }
}

/* Cuts text to what stands between two strings. */
static char *cut(char *text, const char *first, const char *last)
{
        char *begin = strstr(text, first), *end;

        g_assert_nonnull(begin);
        begin += strlen(first);
        end = strstr(begin, last);
        g_assert_nonnull(end);
        *end = '\0';
        return begin;
}

static void test_each_hook_has_its_row_and_no_other_has_one(void)
{
        g_autofree char *abi = read_file("bpf/abi.h"), *text = read_file("docs/guarantees.md");
        g_autofree char *lower = NULL;
        g_autoptr(GHashTable) hooks = NULL, rows = NULL;

        lower = g_ascii_strdown(cut(abi, "\nenum hook {", "}"), -1);
        hooks = find_all(lower, "^ *hook_([a-z0-9_]+),");
        g_assert_cmpuint(g_hash_table_size(hooks), >=, N_HOOKS_KNOWN);
        rows = find_all(cut(text, "\n## Hook by hook\n", "\n## "), "^\\| `([a-z0-9_]+)` \\|");
        assert_within("guarantees.md has no row for the hook", hooks, rows);
        assert_within("guarantees.md has a row for what is no hook", rows, hooks);
}

/* ---- commands ---- */

static void assert_verb(const char *page, const char *words)
{
        g_auto(GStrv) split = g_strsplit(words, " ", -1);
        size_t n;

        if (!verb_find(split, g_strv_length(split), &n))
                g_error("%s: aegis-client has no verb %s", page, words);
}

/* Returns how many there are. */
static unsigned check_verbs(const char *page, const char *text)
{
        g_autoptr(GHashTable) found = find_all(
                text, "(?:^|[`# $|&(])aegis-client(?: -[-a-z=]+)* ([a-z]+(?: [a-z]+)?)\\b");
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, found);
        while (g_hash_table_iter_next(&iter, &key, NULL))
                assert_verb(page, key);
        return g_hash_table_size(found);
}

/* Where a command is meant: in code, be it a block or a few words. */
static char *code_of(const char *text)
{
        g_autoptr(GRegex) regex = g_regex_new("^    .*$|`[^`\n]+`", G_REGEX_MULTILINE, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;
        GString *code = g_string_new(NULL);

        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
                g_autofree char *piece = g_match_info_fetch(match, 0);

                g_string_append_printf(code, "%s\n", piece);
        }
        return g_string_free(code, FALSE);
}

static void test_each_verb_that_is_named_is_in_the_table(void)
{
        unsigned n = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
                g_autofree char *text = read_file(pages[i]), *code = code_of(text);

                n += check_verbs(pages[i], code);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(manual_pages); i++) {
                g_autofree char *text = read_manual(manual_pages[i]);
                g_autoptr(GRegex) prose =
                        g_regex_new("^\\.?[^$.\n][^$\n]*$", G_REGEX_MULTILINE, 0, NULL);
                g_autofree char *code = g_regex_replace_literal(prose, text, -1, 0, "", 0, NULL);

                n += check_verbs(manual_pages[i], code);
        }
        g_assert_cmpuint(n, >, 15);
}

static char *help_of(const char *program)
{
        const char *argv[] = {program, "--help", NULL};
        char *out = NULL;
        int status;

        g_assert_true(
                g_spawn_sync(NULL, (char **) argv, NULL, 0, NULL, NULL, &out, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
        return out;
}

static void check_options(const char *program, const char *manual)
{
        g_autofree char *help = help_of(program), *text = read_manual(manual);
        g_autoptr(GHashTable) helped = find_all(help, "(--[a-z][-a-z]+)"), told = NULL;
        told = find_all(cut(text, "\n.SH OPTIONS", "\n.SH "), "^\\.BI?R? .*(--[a-z][-a-z]+)");
        g_assert_cmpuint(g_hash_table_size(helped), >, 5);
        assert_within(manual, helped, told);
        assert_within("--help does not tell", told, helped);
}

static void test_the_manual_pages_have_the_options_that_help_has(void)
{
        check_options(AEGISD, "docs/man/aegisd.8");
        check_options(CLIENT, "docs/man/aegis-client.1");
        check_options(POLICY_TOOL, "docs/man/aegis-policy.1");
}

/* ---- files ---- */

static void test_each_link_leads_somewhere(void)
{
        unsigned n = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
                g_autofree char *text = read_file(pages[i]);
                g_autofree char *folder = g_path_get_dirname(pages[i]);
                g_autoptr(GHashTable) links =
                        find_all(text, "\\]\\((?![a-z]+:)([^)#]+)(?:#[^)]*)?\\)");
                GHashTableIter iter;
                gpointer key;

                g_hash_table_iter_init(&iter, links);
                for (; g_hash_table_iter_next(&iter, &key, NULL); n++)
                        if (!is_there(folder, key))
                                g_error("%s: there is no %s", pages[i], (const char *) key);
        }
        g_assert_cmpuint(n, >, 5);
}

/* A file is named from the root, or from service/, or by its own name alone in tests/vm. */
static void test_each_source_that_is_named_is_there(void)
{
        for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
                g_autofree char *text = read_file(pages[i]);
                g_autoptr(GHashTable) files = find_all(
                        text, "`((?:[a-z]+/)*[-a-z]+(?:\\.bpf)?\\.(?:c|h|md)|(?:bpf|client|docs|"
                              "service|tests|tools|polkit-actions|dbus-interfaces)/[-a-z./]*)`");
                GHashTableIter iter;
                gpointer key;

                g_hash_table_iter_init(&iter, files);
                while (g_hash_table_iter_next(&iter, &key, NULL))
                        if (!is_there(".", key) && !is_there("service", key) &&
                            !is_there("client", key) && !is_there("tests/vm", key) &&
                            !is_there("service/backend", key))
                                g_error("%s: there is no %s", pages[i], (const char *) key);
        }
}

#define ADD(name) g_test_add_func("/docs/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(each_test_that_is_named_is_there);
        ADD(each_hook_has_its_row_and_no_other_has_one);
        ADD(each_verb_that_is_named_is_in_the_table);
        ADD(the_manual_pages_have_the_options_that_help_has);
        ADD(each_link_leads_somewhere);
        ADD(each_source_that_is_named_is_there);
        return g_test_run();
}
