/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: versions, the header and the sections. */
#include <glib.h>
#include <string.h>

#include "policy-check.h"

/* ---- the header ---- */

static void test_each_version_from_1_to_7_is_read(void)
{
        for (unsigned version = 1; version <= POLICY_VERSION_MAX; version++) {
                g_autofree char *text = g_strdup_printf("version=%u", version);
                Diagnostics diagnostics;
                Policy *policy = parse(text, strlen(text), 0, &diagnostics);

                g_assert_cmpuint(policy_version(policy), ==, version);
                g_assert_cmpuint(diagnostics.n_items, ==, 0);
                policy_unref(policy);
        }
}

static void test_a_version_that_is_not_read_is_a_fault(void)
{
        assert_told("version=8\n", "1:9");
        assert_told("version=0\n", "1:9");
        assert_told("version=-1\n", "1:9");
        assert_told("version=7.0\n", "1:9");
        assert_told("version=\n", "1:9");
        assert_told("version= x\n", "1:10");
        assert_told("version=99999999999999999999999\n", "1:9");
}

static void test_a_missing_version_is_a_fault(void)
{
        assert_told("", "1:1");
        assert_told("# nothing\n", "1:1");
        assert_told("[deny_path]\n/a\n", "1:1");
}

static void test_a_second_version_is_a_fault(void)
{
        assert_told("version=1\nversion=1\n", "2:9");
}

static void test_the_header_of_version_7_has_further_keys(void)
{
        static const char text[] = "name = web-1\nversion=7 # the newest\n"
                                   "on-missing-guarantee=accept\t# or: refuse\n"
                                   "ima-appraisal=required\n[deny]\nkernel:bpf\n";
        Diagnostics diagnostics;
        Policy *policy = parse(text, strlen(text), 0, &diagnostics);

        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        g_assert_cmpstr(policy_header_name(policy), ==, "web-1");
        g_assert_true(policy_accepts_missing(policy));
        g_assert_true(policy_wants_ima_appraisal(policy));
        g_assert_false(policy_runtime_deps(policy));
        policy_unref(policy);
}

static void test_without_them_nothing_is_named_or_accepted(void)
{
        Diagnostics diagnostics;
        Policy *policy = parse("version=7\non-missing-guarantee=refuse\n", 37, 0, &diagnostics);

        g_assert_null(policy_header_name(policy));
        g_assert_false(policy_accepts_missing(policy));
        g_assert_false(policy_wants_ima_appraisal(policy));
        g_assert_false(policy_runtime_deps(policy));
        policy_unref(policy);
}

static void test_runtime_deps_are_about_a_verified_identity(void)
{
        static const char text[] =
                "version=7\nruntime-deps=verified\n[allow]\nfile:/a identity=verified\n";
        Diagnostics diagnostics;
        Policy *policy = parse(text, strlen(text), 0, &diagnostics);

        g_assert_true(policy_runtime_deps(policy));
        policy_unref(policy);
        assert_told("version=7\nruntime-deps=verified\n[deny]\nkernel:bpf\n", "2:1");
        assert_told("version=7\nruntime-deps=\n", "2:14");
}

static void test_faulty_keys_of_the_header_are_told(void)
{
        assert_told("version=7\nname=-x\n", "2:6");
        assert_told("version=7\nname=\n", "2:6");
        assert_told("version=7\nname=a\nname=a\n", "3:6");
        assert_told("version=7\non-missing-guarantee=yes\n", "2:22");
        assert_told("version=7\non-missing-guarantee=\n", "2:22");
        assert_told("version=7\nima-appraisal=no\n", "2:15");
        assert_told("version=7\nseq=3\nmode=audit\n", "2:1 3:1");
        assert_told("version=6\nname=x\non-missing-guarantee=accept\n", "2:1 3:1");
        assert_told("version=7\nfile:/etc/shadow mode=audit\n", "2:1");
}

static void test_a_header_line_is_a_known_key_with_a_value(void)
{
        assert_told("version=1\nname=x\n", "2:1");
        assert_told("version=1\n  what\n", "2:3");
        assert_told("version=1\n/etc/shadow\n", "2:1");
        assert_told("=1\nversion=1\n", "1:1");
}

/* ---- sections ---- */

static void test_unknown_sections_are_faults_and_their_entries_are_passed_over(void)
{
        assert_told("version=1\n[deny_everything]\nx\ny\n[deny_port]\n0\n", "2:2 6:1");
        assert_told("version=1\n[Deny_path]\n", "2:2");
        assert_told("version=1\n[]\n", "2:2");
        assert_told("version=7\n[audits]\nx\n", "2:2");
}

static void test_a_section_that_was_probably_meant_is_named(void)
{
        static const char *const pairs[][2] = {
                {"Deny_path", "[deny_path]"},
                {"deny-path", "[deny_path]"},
                {"deny_paths", "[deny_path]"},
                {"deny_pth", "[deny_path]"},
                {"dney_path", "[deny_path]"},
                {"trusted_exec_hsah", "[trusted_exec_hash]"},
                {"allow_path", "versions 1 to 6 have deny_path"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
                g_autofree char *text = g_strdup_printf("version=1\n[%s]\n", pairs[i][0]);
                Diagnostics diagnostics;

                parse(text, strlen(text), POLICY_E_SYNTAX, &diagnostics);
                g_assert_cmpuint(diagnostics.n_items, ==, 1);
                g_assert_nonnull(strstr(diagnostics.items[0].hint, pairs[i][1]));
                diagnostics_deinit(&diagnostics);
        }
}

/* Each section needs its version as soon as it says something, and no sooner. */
static void assert_since(const char *section, const char *entry, unsigned since)
{
        for (unsigned version = 1; version <= 6; version++) {
                g_autofree char *full = g_strdup_printf("version=%u\n[%s]\n%s\n%s\n", version,
                                                        section, entry, entry);
                g_autofree char *empty = g_strdup_printf("version=%u\n[%s]\n", version, section);

                assert_told(full, version < since ? "2:2 4:1w" : "4:1w");
                assert_told(empty, "");
        }
}

static void test_a_section_of_a_later_version_is_a_fault_once_it_has_entries(void)
{
        static const char hash[] =
                "sha256:1111111111111111111111111111111111111111111111111111111111111111";

        assert_since("deny_path", "/a", 1);
        assert_since("deny_ip", "192.0.2.1", 1);
        assert_since("deny_comm", "xmrig", 1);
        assert_since("deny_binary_hash", hash, 3);
        assert_since("allow_binary_hash", hash, 3);
        assert_since("protect_path", "/a", 4);
        assert_since("trusted_exec_hash", hash, 5);
        assert_since("cgroup_deny_inode", "/a 1:2", 6);
        assert_since("cgroup_deny_ip", "/a 192.0.2.1", 6);
        assert_since("cgroup_deny_port", "/a 80", 6);
}

static void test_a_section_without_entries_needs_its_version_at_once(void)
{
        assert_told("version=3\n[protect_connect]\n", "2:2");
        assert_told("version=4\n[protect_connect]\n", "");
        assert_told("version=3\n[protect_connect]\n[protect_runtime_deps]\n", "2:2 3:2");
        assert_told("version=4\n[protect_connect]\n[protect_runtime_deps]\n", "");
        assert_told("version=4\n[require_ima_appraisal]\n", "2:2");
        assert_told("version=5\n[require_ima_appraisal]\n", "");
        assert_told("version=1\n[deny_ptrace]\n[deny_module_load]\n[deny_bpf]\n", "");
        assert_told("version=1\n[scan_paths]\n/opt\n", "");
}

static void test_version_7_has_sections_of_its_own(void)
{
        assert_told("version=7\n[deny]\nkernel:bpf\n[allow]\n[audit]\n[default]\n", "");
        assert_told("version=7\n[deny_path]\n/a\n[deny_ptrace]\n", "2:2 4:2");
        assert_told("version=6\n[deny]\nkernel:bpf\n[allow]\n", "2:2 4:2");
        assert_told("version=7\n[deny] # what\nkernel:bpf # is\n", "");
        assert_told("version=7\n[deny]# what\n", "2:7");
}

static void test_each_old_section_has_something_in_its_place_in_version_7(void)
{
        static const char *const pairs[][2] = {
                {"deny_path", "file:/path/ under [deny]"},
                {"allow_cgroup", "cgroup:/path under [allow]"},
                {"deny_bpf", "kernel:bpf"},
                {"scan_paths", "leave it out"},
                {"trusted_exec_hash", "exec=deny under [default]"},
                {"protect_runtime_deps", "runtime-deps=verified"},
                {"cgroup_deny_ip", "cgroup="},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
                g_autofree char *text = g_strdup_printf("version=7\n[%s]\n", pairs[i][0]);
                Diagnostics diagnostics;

                parse(text, strlen(text), POLICY_E_SYNTAX, &diagnostics);
                g_assert_nonnull(strstr(diagnostics.items[0].hint, pairs[i][1]));
                diagnostics_deinit(&diagnostics);
        }
}

static void test_a_section_stands_alone_on_its_line(void)
{
        assert_told("version=1\n[deny_path\n/a\n", "2:11");
        assert_told("version=1\n[deny_path] /a\n", "2:12");
        assert_told("version=1\n[deny_path] # now paths\n", "2:12");
}

static void test_a_section_that_goes_on_is_a_warning(void)
{
        assert_told("version=1\n[deny_path]\n/a\n[deny_ip]\n[deny_path]\n/b\n", "5:2w");
}

static void test_an_address_in_brackets_is_no_section(void)
{
        assert_told("version=1\n[deny_ip_port]\n[::1]:80\n[deny_port]\n80\n", "");
        assert_told("version=1\n[deny_ip]\n[::1]\n1.2.3\n", "3:1 4:1");
        assert_told("version=1\n[deny_ip_port]\n[1.2.3.4]:80\n0\n", "3:1 4:1");
}

static void test_a_line_below_a_section_that_takes_none_is_a_warning(void)
{
        assert_told("version=1\n[deny_ptrace]\ntrue\nenabled=false\n", "3:1w 4:1w");
        assert_told("version=1\n[deny_ptrace]\n[deny_ptrace]\n", "3:2w");
}

#define ADD(test) g_test_add_func("/policy/header/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_each_version_from_1_to_7_is_read);
        ADD(test_a_version_that_is_not_read_is_a_fault);
        ADD(test_a_missing_version_is_a_fault);
        ADD(test_a_second_version_is_a_fault);
        ADD(test_the_header_of_version_7_has_further_keys);
        ADD(test_without_them_nothing_is_named_or_accepted);
        ADD(test_runtime_deps_are_about_a_verified_identity);
        ADD(test_faulty_keys_of_the_header_are_told);
        ADD(test_a_header_line_is_a_known_key_with_a_value);
        ADD(test_unknown_sections_are_faults_and_their_entries_are_passed_over);
        ADD(test_a_section_that_was_probably_meant_is_named);
        ADD(test_a_section_of_a_later_version_is_a_fault_once_it_has_entries);
        ADD(test_a_section_without_entries_needs_its_version_at_once);
        ADD(test_version_7_has_sections_of_its_own);
        ADD(test_each_old_section_has_something_in_its_place_in_version_7);
        ADD(test_a_section_stands_alone_on_its_line);
        ADD(test_a_section_that_goes_on_is_a_warning);
        ADD(test_an_address_in_brackets_is_no_section);
        ADD(test_a_line_below_a_section_that_takes_none_is_a_warning);
        return g_test_run();
}
