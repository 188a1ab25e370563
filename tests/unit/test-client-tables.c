/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What aegis-client's tables say, its manual page, its completions and its help say too; and what
 * the interface XML declares, org.aegis.Enforcer(5) explains. SOURCE_ROOT is the project's folder.
 */
#include <glib.h>
#include <string.h>

#include "client.h"

static char *read_source(const char *path)
{
        g_autofree char *full = g_build_filename(SOURCE_ROOT, path, NULL);
        g_autoptr(GError) error = NULL;
        char *text = NULL;

        g_file_get_contents(full, &text, NULL, &error);
        g_assert_no_error(error);
        return text;
}

/* A manual page as its reader sees it, without roff's escapes and macros' marks. */
static char *read_page(const char *path)
{
        g_autofree char *raw = read_source(path);
        g_autoptr(GString) page = g_string_new(raw);

        g_string_replace(page, "\\-", "-", 0);
        g_string_replace(page, "\\fR", "", 0);
        g_string_replace(page, "\\fP", "", 0);
        g_string_replace(page, "\\~", " ", 0);
        return g_string_free(g_steal_pointer(&page), FALSE);
}

static gboolean matches(const char *text, const char *before, const char *word, const char *after)
{
        g_autofree char *quoted = g_regex_escape_string(word, -1);
        g_autofree char *pattern = g_strconcat(before, quoted, after, NULL);

        return g_regex_match_simple(pattern, text, G_REGEX_MULTILINE, 0);
}

static void test_each_verb_is_in_the_manual_page(void)
{
        g_autofree char *page = read_page("docs/man/aegis-client.1");

        for (size_t i = 0; i < n_verbs; i++)
                if (!matches(page, "^\\.TP\\n\\.[BRI]+ .*\"?\\b", verb_table[i].name, "\\b"))
                        g_error("aegis-client.1 has no entry for '%s'", verb_table[i].name);
}

static void test_each_option_is_in_the_manual_page(void)
{
        g_autofree char *page = read_page("docs/man/aegis-client.1");

        for (size_t i = 0; i < N_OPTIONS; i++) {
                g_autofree char *name = g_strconcat("--", option_table[i].name, NULL);

                if (!matches(page, "^\\.TP\\n\\.[BRI]+ .*", name, "\\b"))
                        g_error("aegis-client.1 has no entry for '%s'", name);
        }
}

static void test_each_exit_status_is_in_the_manual_page(void)
{
        g_autofree char *page = read_page("docs/man/aegis-client.1");
        const char *section = strstr(page, ".SH EXIT STATUS");

        g_assert_nonnull(section);
        for (size_t i = 0; i < n_exit_statuses; i++) {
                g_autofree char *entry =
                        g_strdup_printf("\n.TP\n.B %d\n", (int) exit_statuses[i].status);

                if (!strstr(section, entry))
                        g_error("aegis-client.1 does not explain exit status %d (%s)",
                                (int) exit_statuses[i].status, exit_statuses[i].text);
        }
}

static void check_completion(const char *path, const char *dashes)
{
        g_autofree char *text = read_source(path);

        for (size_t i = 0; i < n_verbs; i++) {
                g_auto(GStrv) words = g_strsplit(verb_table[i].name, " ", 2);

                for (size_t j = 0; words[j]; j++)
                        if (!matches(text, "[ '(\"]", words[j], "[ ':)]"))
                                g_error("%s does not know '%s'", path, verb_table[i].name);
        }
        for (size_t i = 0; i < N_OPTIONS; i++)
                if (!matches(text, dashes, option_table[i].name, "[ '=\\[}\"]"))
                        g_error("%s does not know '--%s'", path, option_table[i].name);
}

static void test_bash_knows_each_verb_and_option(void)
{
        check_completion("client/completion/aegis-client", "[ '\"]--");
}

static void test_zsh_knows_each_verb_and_option(void)
{
        check_completion("client/completion/_aegis-client", "[,'{)]--");
}

static void test_the_help_names_each_verb_and_option(void)
{
        g_autofree char *help = help_format();

        g_assert_nonnull(help);
        for (size_t i = 0; i < n_verbs; i++)
                if (verb_table[i].help && !matches(help, "^  ", verb_table[i].name, " "))
                        g_error("--help does not tell of '%s'", verb_table[i].name);
        for (size_t i = 0; i < N_OPTIONS; i++)
                if (!matches(help, "--", option_table[i].name, "\\b"))
                        g_error("--help does not tell of '--%s'", option_table[i].name);
}

static void test_the_help_fits_a_window_of_forty_lines(void)
{
        g_autofree char *help = help_format();
        g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

        g_assert_cmpuint(g_strv_length(lines), <=, 40);
        for (size_t i = 0; lines[i]; i++)
                g_assert_cmpuint(strlen(lines[i]), <=, 80);
}

static void test_each_option_belongs_to_a_verb(void)
{
        uint32_t known = OPTIONS_COMMON;

        for (size_t i = 0; i < n_verbs; i++)
                known |= verb_table[i].options;
        g_assert_cmphex(known, ==, OPTION_BIT(N_OPTIONS) - 1);
}

/* The part of the page about one interface. */
static char *interface_section(const char *page, const char *interface)
{
        g_autofree char *heading = g_strdup_printf("\n.SH INTERFACE %s\n", interface);
        const char *start = strstr(page, heading), *end;

        if (!start)
                g_error("org.aegis.Enforcer.5 has no section about %s", interface);
        start += strlen(heading);
        end = strstr(start, "\n.SH ");
        return g_strndup(start, end ? (size_t) (end - start) : strlen(start));
}

static void check_interface(const char *page, const char *file)
{
        g_autofree char *path = g_build_filename("dbus-interfaces", file, NULL);
        g_autofree char *xml = read_source(path);
        g_autofree char *interface = g_strndup(file, strlen(file) - strlen(".xml"));
        g_autofree char *section = interface_section(page, interface);
        g_autoptr(GMatchInfo) match = NULL;
        g_autoptr(GRegex) regex = g_regex_new(
                "<(method|property|signal) name=\"(\\w+)\"(?: type=\"([^\"]+)\")?", 0, 0, NULL);

        g_regex_match(regex, xml, 0, &match);
        g_assert_true(g_match_info_matches(match));
        for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
                g_autofree char *kind = g_match_info_fetch(match, 1);
                g_autofree char *name = g_match_info_fetch(match, 2);
                g_autofree char *type = g_match_info_fetch(match, 3);
                g_autofree char *quoted = g_regex_escape_string(type, -1);
                g_autofree char *after =
                        *type ? g_strdup_printf(" \" \\(%s\\)[,\"]", quoted) : g_strdup("\\(");

                if (!matches(section, "^\\.BI? \"?", name, after) &&
                    !matches(section, "^\\.BR .*\\b", name, after))
                        g_error("org.aegis.Enforcer.5 does not explain the %s %s.%s (%s)", kind,
                                interface, name, type);
        }
}

static void test_each_member_of_the_interfaces_is_in_the_manual_page(void)
{
        g_autofree char *page = read_page("docs/man/org.aegis.Enforcer.5");
        g_autofree char *folder = g_build_filename(SOURCE_ROOT, "dbus-interfaces", NULL);
        g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
        unsigned n_interfaces = 0;
        const char *file;

        g_assert_nonnull(directory);
        while ((file = g_dir_read_name(directory))) {
                if (!g_str_has_suffix(file, ".xml"))
                        continue;
                check_interface(page, file);
                n_interfaces++;
        }
        g_assert_cmpuint(n_interfaces, >=, 4);
}

static void test_each_gated_verb_names_an_action_that_polkit_knows(void)
{
        g_autofree char *actions = read_source("polkit-actions/org.aegis.Enforcer.policy.in");
        g_autofree char *page = read_page("docs/man/aegis-client.1");
        g_autoptr(GRegex) regex = g_regex_new("org\\.aegis\\.enforcer\\.([a-z-]+)", 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        g_regex_match(regex, page, 0, &match);
        g_assert_true(g_match_info_matches(match));
        for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
                g_autofree char *name = g_match_info_fetch(match, 0);
                g_autofree char *element = g_strdup_printf("<action id=\"%s\">", name);

                if (!strstr(actions, element))
                        g_error("aegis-client.1 names %s, and polkit does not know it", name);
        }
}

static void test_mandoc_finds_nothing_to_say(void)
{
        g_autofree char *mandoc = g_find_program_in_path("mandoc");
        static const char *const pages[] = {"docs/man/aegis-client.1",
                                            "docs/man/org.aegis.Enforcer.5"};

        if (!mandoc) {
                g_test_skip("mandoc is not installed");
                return;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
                g_autofree char *path = g_build_filename(SOURCE_ROOT, pages[i], NULL);
                char *arguments[] = {mandoc, (char *) "-T", (char *) "lint", path, NULL};
                g_autofree char *said = NULL;

                g_assert_true(g_spawn_sync(NULL, arguments, NULL, 0, NULL, NULL, &said, NULL, NULL,
                                           NULL));
                g_assert_cmpstr(said, ==, "");
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function) g_test_add_func("/client/tables/" #function, function)
        TEST(test_each_verb_is_in_the_manual_page);
        TEST(test_each_option_is_in_the_manual_page);
        TEST(test_each_exit_status_is_in_the_manual_page);
        TEST(test_bash_knows_each_verb_and_option);
        TEST(test_zsh_knows_each_verb_and_option);
        TEST(test_the_help_names_each_verb_and_option);
        TEST(test_the_help_fits_a_window_of_forty_lines);
        TEST(test_each_option_belongs_to_a_verb);
        TEST(test_each_member_of_the_interfaces_is_in_the_manual_page);
        TEST(test_each_gated_verb_names_an_action_that_polkit_knows);
        TEST(test_mandoc_finds_nothing_to_say);
        return g_test_run();
}
