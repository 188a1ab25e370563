/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: documents, their bytes and limits, and that each fault is told with its place. */
#include <glib.h>
#include <string.h>

#include "policy-check.h"

/* ---- documents ---- */

static void test_a_document_of_a_version_alone_has_no_rules(void)
{
        Diagnostics diagnostics;
        Policy *policy = parse("version=1", 9, 0, &diagnostics);

        g_assert_cmpuint(policy_version(policy), ==, 1);
        g_assert_cmpuint(policy_n_rules(policy), ==, 0);
        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        policy_unref(policy);
}

static void test_comments_blanks_and_blank_lines_count_for_nothing(void)
{
        assert_told("# a\n\n \t\n  # b\n\t version \t=  1 \n[ deny_path ]\n  # c\n  /a  \n", "");
}

static void test_the_rules_keep_order_line_column_section_and_entry(void)
{
        static const char text[] = "version=1\n[deny_path]\n  /b/ \n/a\n[deny_port]\n80";
        Diagnostics diagnostics;
        Policy *policy = parse(text, strlen(text), 0, &diagnostics);
        const Rule *rule;

        g_assert_cmpuint(policy_n_rules(policy), ==, 3);
        rule = policy_rule(policy, 0);
        g_assert_cmpuint(rule->line, ==, 3);
        g_assert_cmpuint(rule->column, ==, 3);
        g_assert_cmpstr(rule->section, ==, "deny_path");
        g_assert_cmpstr(rule->entry, ==, "/b/");
        g_assert_cmpstr(policy_rule(policy, 1)->entry, ==, "/a");
        g_assert_cmpstr(policy_rule(policy, 2)->section, ==, "deny_port");
        g_assert_cmpuint(policy_rule(policy, 2)->line, ==, 6);
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

static void test_a_reference_keeps_a_policy(void)
{
        Diagnostics diagnostics;
        Policy *policy = parse("version=1", 9, 0, &diagnostics);

        g_assert_true(policy_ref(policy) == policy);
        policy_unref(policy);
        g_assert_cmpuint(policy_version(policy), ==, 1);
        g_assert_null(policy_unref(policy));
        g_assert_null(policy_unref(NULL));
}

static void test_all_faults_are_told_in_the_order_of_lines(void)
{
        assert_told("[deny_path]\n/a\nb\n/a\n[deny_port]\n0\n1:x:y\n", "1:1 3:1 4:1w 6:1 7:3 7:5");
}

static void test_the_same_meaning_twice_is_a_warning(void)
{
        assert_told("version=1\n[deny_path]\n/a\n/a/\n/a\n/ab\n", "4:1w 5:1w");
        assert_told("version=1\n[deny_ip]\n1.2.3.4\n::ffff:1.2.3.4\n[deny_cidr]\n1.2.3.4/32\n",
                    "4:1w 6:1w");
        assert_told("version=1\n[deny_ip]\n2001:DB8::1\n2001:db8:0:0::1\n", "4:1w");
        assert_told("version=1\n[deny_port]\n80\n80:any:both\n80:tcp\n", "4:1w");
        assert_told("version=1\n[deny_port]\n80:tcp:egress\n80:tcp:connect\n", "4:1w");
        assert_told("version=1\n[deny_inode]\n1:2\n01:2\n1:3\n", "4:1w");
        assert_told("version=1\n[allow_cgroup]\n/a\n/sys/fs/cgroup/a\ncgid:7\ncgid:07\n",
                    "4:1w 6:1w");
}

static void test_an_equal_rule_names_the_first_line(void)
{
        static const char text[] = "version=1\n[deny_path]\n/a\n/b\n/a\n";
        Diagnostics diagnostics;
        Policy *policy = parse(text, strlen(text), 0, &diagnostics);

        g_assert_nonnull(strstr(diagnostics.items[0].message, "line 3"));
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

/* ---- bytes and limits ---- */

static void test_nul_bytes_are_faults(void)
{
        assert_told_n("version=1\n[deny_path]\n/a\0b\n", 27, "3:3");
        assert_told_n("\0", 1, "1:1 1:1");
        assert_told_n("version=1\n# \0\n", 14, "2:3");
}

static void test_control_characters_are_faults(void)
{
        assert_entry_told("deny_path", "/a\x01", "3:3");
        assert_entry_told("deny_path", "/a\x1b[31m", "3:3");
        assert_entry_told("deny_path", "/a\x7f", "3:3");
        assert_entry_told("deny_path", "/a\xc2\x9b", "3:3");
        assert_entry_told("deny_path", "/a\tb", "");
        assert_entry_told("deny_path", "/a\xc2\xa0", "");
}

static void test_only_well_formed_utf_8_is_read(void)
{
        static const char *const bad[] = {
                "\x80",      "\xc0\xaf",         "\xc1\xbf",         "\xc3",
                "\xc3(",     "\xe0\x80\x80",     "\xe2\x82",         "\xed\xa0\x80",
                "\xe2(\xa1", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                "\xff",      "\xf0\x9f\x92",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                g_autofree char *entry = g_strdup_printf("/é%s", bad[i]);

                assert_entry_told("deny_path", entry, "3:4");
        }
        assert_entry_told("deny_path", "/é€😀\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "");
}

static void test_a_character_cut_off_by_the_end_is_a_fault(void)
{
        static const char text[] = "version=1\n[deny_path]\n/\xf0\x9f\x98\x80";

        for (size_t n = strlen(text) - 3; n < strlen(text); n++) {
                g_autofree char *copy = g_memdup2(text, n);

                assert_told_n(copy, n, "3:2");
        }
}

static void test_a_byte_order_mark_is_one_fault(void)
{
        assert_told("\xef\xbb\xbfversion=1\n", "1:1");
}

static void test_carriage_returns_are_told_once_and_hide_no_other_fault(void)
{
        assert_told("version=1\r\n[deny_path]\r\nx\r\n/a\r\n", "1:10 3:1");
        assert_entry_told("deny_path", "/a\rb", "3:3");
}

static void test_a_line_has_at_most_8192_bytes(void)
{
        g_autofree char *fits = g_strnfill(POLICY_LINE_MAX, '#');
        g_autofree char *longer = g_strnfill(POLICY_LINE_MAX + 1, '#');
        g_autofree char *good = g_strconcat("version=1\n", fits, NULL);
        g_autofree char *bad = g_strconcat("version=1\n", longer, "\nx\n", NULL);

        assert_told(good, "");
        assert_told(bad, "2:8193 3:1");
}

static void test_a_document_has_at_most_a_million_lines(void)
{
        g_autoptr(GString) text = g_string_new("version=1\n");

        for (unsigned i = 1; i < POLICY_LINES_MAX; i++)
                g_string_append_c(text, '\n');
        assert_told(text->str, "");
        g_string_append(text, "x\ny\n");
        assert_told(text->str, "1000001:1");
}

static void test_a_document_has_at_most_8_mib(void)
{
        g_autofree char *text = g_malloc(POLICY_SIZE_MAX + 1);
        Diagnostics diagnostics;

        memset(text, '\n', POLICY_SIZE_MAX + 1);
        parse(text, POLICY_SIZE_MAX + 1, POLICY_E_TOO_LARGE, &diagnostics);
        g_assert_cmpuint(diagnostics.n_items, ==, 0);
}

static void test_too_many_faults_are_counted_and_displace_warnings(void)
{
        g_autoptr(GString) text = g_string_new("version=1\n[deny_path]\n");
        Diagnostics diagnostics;

        for (int i = 0; i < 1000; i++)
                g_string_append(text, "/same\n");
        for (int i = 0; i < 150; i++)
                g_string_append(text, "x\n");
        parse(text->str, text->len, POLICY_E_SYNTAX, &diagnostics);
        g_assert_cmpuint(diagnostics.n_faults, ==, 150);
        g_assert_cmpuint(diagnostics.n_items, ==, DIAGNOSTICS_MAX);
        g_assert_cmpuint(diagnostics.n_items + diagnostics.n_dropped, ==, 999 + 150);
        diagnostics_deinit(&diagnostics);
}

static void test_a_fault_after_200_warnings_is_told(void)
{
        Diagnostics diagnostics = {};

        for (unsigned i = 0; i < DIAGNOSTICS_MAX; i++)
                diagnostics_add(&diagnostics, SEVERITY_WARNING, i + 1, 1, NULL, "w");
        diagnostics_add(&diagnostics, SEVERITY_WARNING, 999, 1, NULL, "w");
        diagnostics_add(&diagnostics, SEVERITY_FAULT, 1000, 1, NULL, "f");
        g_assert_cmpuint(diagnostics.n_items, ==, DIAGNOSTICS_MAX);
        g_assert_cmpuint(diagnostics.n_dropped, ==, 2);
        g_assert_cmpuint(diagnostics.items[DIAGNOSTICS_MAX - 1].line, ==, 1000);
        for (unsigned i = 0; i < 2 * DIAGNOSTICS_MAX; i++)
                diagnostics_add(&diagnostics, SEVERITY_FAULT, 1001 + i, 1, NULL, "f");
        g_assert_cmpuint(diagnostics.n_faults, ==, 2 * DIAGNOSTICS_MAX + 1);
        for (unsigned i = 0; i < DIAGNOSTICS_MAX; i++)
                g_assert_cmpint(diagnostics.items[i].severity, ==, SEVERITY_FAULT);
        diagnostics_deinit(&diagnostics);
}

static void test_diagnostics_are_written_a_line_each(void)
{
        Diagnostics diagnostics = {.n_dropped = 3};
        g_autofree char *text = NULL;

        diagnostics_add(&diagnostics, SEVERITY_FAULT, 2, 5, "write that", "not %s", "this");
        diagnostics_add(&diagnostics, SEVERITY_WARNING, 0, 0, NULL, "all of it");
        text = diagnostics_format(&diagnostics, "web");
        g_assert_cmpstr(
                text, ==,
                "web:2:5: not this; write that\nweb: warning: all of it\nweb: and 3 more\n");
        diagnostics_deinit(&diagnostics);
}

static void test_long_text_is_cut_between_characters_in_a_message(void)
{
        g_autoptr(GString) entry = g_string_new("");
        Diagnostics diagnostics;

        for (int shift = 0; shift < 4; shift++) {
                g_string_printf(entry, "version=1\n[deny_ip]\n%.*s", shift, "xxxx");
                for (int i = 0; i < 100; i++)
                        g_string_append(entry, "€");
                parse(entry->str, entry->len, POLICY_E_SYNTAX, &diagnostics);
                g_assert_true(g_utf8_validate(diagnostics.items[0].message, -1, NULL));
                g_assert_cmpuint(strlen(diagnostics.items[0].message), <, 200);
                diagnostics_deinit(&diagnostics);
        }
}

/* ---- names, and anything at all ---- */

static void test_a_policy_name_is_short_and_plain(void)
{
        g_autofree char *fits = g_strnfill(POLICY_NAME_MAX, 'n');
        g_autofree char *longer = g_strnfill(POLICY_NAME_MAX + 1, 'n');

        g_assert_true(policy_name_is_valid("web-server_1.2"));
        g_assert_true(policy_name_is_valid("_"));
        g_assert_true(policy_name_is_valid(fits));
        g_assert_false(policy_name_is_valid(longer));
        g_assert_false(policy_name_is_valid(""));
        g_assert_false(policy_name_is_valid(".hidden"));
        g_assert_false(policy_name_is_valid("-option"));
        g_assert_false(policy_name_is_valid("a/b"));
        g_assert_false(policy_name_is_valid("a b"));
        g_assert_false(policy_name_is_valid("é"));
}

static const char whole_old_document[] =
        "version=6\n# comment\n[deny_path]\n/etc/shadow\n/srv/x/\n[deny_inode]\n8388611:12\n"
        "[deny_ip]\n192.0.2.1\n2001:db8::1\n[deny_cidr]\n10.0.0.0/8\nfd00::/8\n"
        "[deny_port]\n22:tcp:bind\n[deny_ip_port]\n[2001:db8::5]:8443:udp\n[deny_bpf]\n"
        "[allow_cgroup]\n/system.slice\ncgid:42\n[cgroup_deny_port]\n/x 80\n[protect_connect]\n"
        "[trusted_exec_hash]\n"
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
        "[protect_path]\n/opt/x\n[ima_fail_closed]\n[scan_paths]\n/opt\n";

static const char whole_document[] =
        "version=7\nname=web\non-missing-guarantee=accept # really\n[deny] # these\n"
        "file:/srv/*/x/ access=read,write exe=/usr/bin/ uid=33\n"
        "exec:\"/a \\x01\\\"\\*\" cgroup=x@1.service why=\"a b\" ttl=30m\n"
        "net:connect,recv:[2001:db8::]/32:443-445/tcp uid=4 id=n\n"
        "exec:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
        "kernel:kexec mode=enforce signal=kill\ncomm:xmrig\ninode:8388611:12\n"
        "[allow]\ncgroup:cgid:7\nfile:/y/ identity=verified # who\n[default]\nexec=deny uid=3\n";

/* Whatever the bytes are, the result is one of the two, and every place lies in the document. */
static void assert_bounded(const char *text, size_t n)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        uint32_t n_lines = 1;
        int r;

        for (size_t i = 0; i < n; i++)
                n_lines += text[i] == '\n';
        r = policy_parse(&policy, text, n, &diagnostics);
        g_assert_true(r == 0 || r == POLICY_E_SYNTAX);
        g_assert_true((r == 0) == (policy != NULL));
        g_assert_true((r == 0) == (diagnostics.n_faults == 0));
        for (size_t i = 0; i < diagnostics.n_items; i++) {
                g_assert_cmpuint(diagnostics.items[i].line, <=, n_lines);
                g_assert_true(g_utf8_validate(diagnostics.items[i].message, -1, NULL));
                g_assert_true(g_utf8_validate(diagnostics.items[i].hint, -1, NULL));
        }
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

static void assert_each_flip_is_bounded(const char *document)
{
        size_t n = strlen(document);

        for (size_t i = 0; i < n * 8; i++) {
                g_autofree char *text = g_memdup2(document, n);

                text[i / 8] = (char) (text[i / 8] ^ (1 << i % 8));
                assert_bounded(text, n);
        }
}

static void test_a_document_with_any_one_bit_flipped_is_read_or_refused(void)
{
        assert_told(whole_old_document, "");
        assert_told(whole_document, "");
        assert_each_flip_is_bounded(whole_old_document);
        assert_each_flip_is_bounded(whole_document);
}

static void test_a_document_cut_anywhere_is_read_or_refused(void)
{
        static const char *const documents[] = {whole_old_document, whole_document};

        for (size_t i = 0; i < G_N_ELEMENTS(documents); i++)
                for (size_t n = 0; n <= strlen(documents[i]); n++) {
                        g_autofree char *text = n > 0 ? g_memdup2(documents[i], n) : g_strdup("");

                        assert_bounded(text, n);
                }
}

#define ADD(test) g_test_add_func("/policy/parse/" #test, test)

static void add_document_tests(void)
{
        ADD(test_a_document_of_a_version_alone_has_no_rules);
        ADD(test_comments_blanks_and_blank_lines_count_for_nothing);
        ADD(test_the_rules_keep_order_line_column_section_and_entry);
        ADD(test_a_reference_keeps_a_policy);
        ADD(test_all_faults_are_told_in_the_order_of_lines);
        ADD(test_the_same_meaning_twice_is_a_warning);
        ADD(test_an_equal_rule_names_the_first_line);
        ADD(test_a_policy_name_is_short_and_plain);
        ADD(test_a_document_with_any_one_bit_flipped_is_read_or_refused);
        ADD(test_a_document_cut_anywhere_is_read_or_refused);
}

static void add_limit_tests(void)
{
        ADD(test_nul_bytes_are_faults);
        ADD(test_control_characters_are_faults);
        ADD(test_only_well_formed_utf_8_is_read);
        ADD(test_a_character_cut_off_by_the_end_is_a_fault);
        ADD(test_a_byte_order_mark_is_one_fault);
        ADD(test_carriage_returns_are_told_once_and_hide_no_other_fault);
        ADD(test_a_line_has_at_most_8192_bytes);
        ADD(test_a_document_has_at_most_a_million_lines);
        ADD(test_a_document_has_at_most_8_mib);
        ADD(test_too_many_faults_are_counted_and_displace_warnings);
        ADD(test_a_fault_after_200_warnings_is_told);
        ADD(test_diagnostics_are_written_a_line_each);
        ADD(test_long_text_is_cut_between_characters_in_a_message);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_document_tests();
        add_limit_tests();
        return g_test_run();
}
