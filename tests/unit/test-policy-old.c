/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: sections of versions 1 to 6 that are about programs, identities and cgroups, and what
 * sections of one document mean to each other. */
#include <glib.h>
#include <string.h>

#include "policy-check.h"

#define HASH_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define HASH_2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define HASH_3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"

/* ---- programs ---- */

static void test_a_program_is_denied_by_its_name(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny_comm", "a b * 15 bytes.", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_COMM);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpstr(rule->comm, ==, "a b * 15 bytes.");
        policy_unref(policy);
}

static void test_names_of_programs_that_cannot_be_are_told(void)
{
        assert_entry_told("deny_comm", "sixteen bytes ..", "3:16");
        assert_hint("deny_comm", "sixteen bytes ..", "first 15 bytes");
        assert_entry_told("deny_comm", "/bin/x", "3:1w");
        assert_hint("deny_comm", "/bin/x", "[deny_path]");
}

static void test_a_program_is_denied_by_its_digest(void)
{
        Policy *policy;
        const Rule *rule = one_rule("deny_binary_hash",
                                    "sha256:00112233445566778899aabbccddeeff"
                                    "00112233445566778899AABBCCDDEEFF",
                                    &policy);

        g_assert_cmpint(rule->kind, ==, RULE_DIGEST);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpuint(rule->digest.algorithm, ==, DIGEST_SHA256);
        for (unsigned i = 0; i < DIGEST_SIZE; i++)
                g_assert_cmpuint(rule->digest.digest[i], ==, i % 16 * 0x11);
        policy_unref(policy);
}

static void test_digests_that_are_none_are_faults(void)
{
        assert_entry_told("deny_binary_hash", "sha256:12", "3:8");
        assert_entry_told("deny_binary_hash", HASH_1 "1", "3:8");
        assert_entry_told("deny_binary_hash", HASH_1 "  /bin/x", "3:72");
        assert_entry_told("deny_binary_hash", "sha256:", "3:8");
        assert_entry_told("deny_binary_hash", "sha256:11g", "3:10");
        assert_entry_told("deny_binary_hash", "sha512:11", "3:1");
        assert_entry_told("deny_binary_hash", &HASH_1[7], "3:1");
        assert_hint("deny_binary_hash", &HASH_1[7], "sha256: and what sha256sum prints");
        assert_hint("deny_binary_hash", HASH_1 "  /bin/x", "without the file's name");
        assert_hint("deny_binary_hash", "sha256:da39a3ee5e6b4b0d3255bfef95601890afd80709",
                    "sha256sum");
}

static void test_a_list_of_digests_denies_all_else_once(void)
{
        static const char *const sections[] = {"allow_binary_hash", "trusted_exec_hash"};

        for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
                g_autofree char *text =
                        g_strdup_printf("version=5\n[%s]\n" HASH_1 "\n" HASH_2 "\n", sections[i]);
                Policy *policy;
                const Rule *rule = first_rule(text, 3, &policy);

                g_assert_cmpint(rule->kind, ==, RULE_DIGEST);
                g_assert_cmpint(rule->verdict, ==, RULE_ALLOW);
                rule = policy_rule(policy, 1);
                g_assert_cmpint(rule->kind, ==, RULE_DEFAULT);
                g_assert_cmpint(rule->verdict, ==, RULE_DENY);
                g_assert_cmpuint(rule->def.access, ==, ACCESS_EXEC);
                g_assert_cmpuint(rule->line, ==, 3);
                g_assert_cmpstr(rule->entry, ==, HASH_1);
                g_assert_cmpint(policy_rule(policy, 2)->kind, ==, RULE_DIGEST);
                policy_unref(policy);
        }
}

static void test_of_two_lists_both_must_have_a_digest(void)
{
        static const char text[] = "version=5\n[allow_binary_hash]\n" HASH_1 "\n" HASH_2
                                   "\n[trusted_exec_hash]\n" HASH_2 "\n" HASH_3 "\n";
        Policy *policy;
        const Rule *rule = first_rule(text, 3, &policy);
        unsigned n_allowed = 0;

        for (size_t i = 0; i < 3; i++, rule++)
                if (rule->kind == RULE_DIGEST) {
                        g_assert_cmpuint(rule->digest.digest[0], ==, 0x22);
                        n_allowed++;
                }
        g_assert_cmpuint(n_allowed, ==, 2);
        policy_unref(policy);
        assert_told(text, "3:1w 7:1w");
}

static void test_a_digest_that_is_denied_is_not_allowed(void)
{
        static const char text[] = "version=3\n[allow_binary_hash]\n" HASH_1 "\n" HASH_2
                                   "\n[deny_binary_hash]\n" HASH_1 "\n";
        Policy *policy;

        first_rule(text, 3, &policy);
        for (size_t i = 0; i < 3; i++)
                if (policy_rule(policy, i)->verdict == RULE_ALLOW)
                        g_assert_cmpuint(policy_rule(policy, i)->digest.digest[0], ==, 0x22);
        policy_unref(policy);
        assert_told(text, "3:1w");
}

static void test_a_name_that_an_allowed_digest_may_bear_is_a_warning(void)
{
        assert_told("version=3\n[allow_binary_hash]\n" HASH_1 "\n[deny_comm]\nx\ny\n", "5:1w");
        assert_told("version=3\n[deny_binary_hash]\n" HASH_1 "\n[deny_comm]\nx\ny\n", "");
}

static void test_directories_to_scan_are_read_and_mean_nothing(void)
{
        Policy *policy;

        first_rule("version=3\n[scan_paths]\n/opt/bin\n/usr/local//bin/\n", 0, &policy);
        policy_unref(policy);
        assert_entry_told("scan_paths", "opt", "3:1w");
        assert_entry_told("scan_paths", "/a/..", "3:4");
}

/* ---- flags ---- */

static void assert_kernel(const char *section, enum kernel_object object)
{
        g_autofree char *text = g_strdup_printf("version=1\n[%s]\n[%s]\n", section, section);
        Policy *policy;
        const Rule *rule = first_rule(text, 1, &policy);

        g_assert_cmpint(rule->kind, ==, RULE_KERNEL);
        g_assert_cmpint(rule->verdict, ==, RULE_DENY);
        g_assert_cmpint(rule->kernel, ==, object);
        g_assert_cmpuint(rule->line, ==, 2);
        g_assert_cmpuint(rule->column, ==, 2);
        g_assert_cmpstr(rule->section, ==, section);
        g_assert_cmpstr(rule->entry, ==, "");
        policy_unref(policy);
}

static void test_a_flag_is_one_rule_however_often_it_stands(void)
{
        assert_kernel("deny_ptrace", KERNEL_PTRACE);
        assert_kernel("deny_module_load", KERNEL_MODULE);
        assert_kernel("deny_bpf", KERNEL_BPF);
}

static void test_protect_connect_lets_verified_programs_out_alone(void)
{
        Policy *policy;
        const Rule *rules = first_rule("version=4\n[protect_connect]\n", 2, &policy);

        for (unsigned i = 0; i < 2; i++) {
                g_assert_cmpint(rules[i].kind, ==, RULE_NET);
                g_assert_cmpuint(rules[i].net.operations, ==, 1u << NET_CONNECT | 1u << NET_SEND);
                g_assert_cmpuint(rules[i].net.prefix, ==, 0);
                g_assert_cmpuint(rules[i].net.last_port, ==, 0);
                g_assert_cmpuint(rules[i].net.protocol, ==, 0);
        }
        g_assert_cmpint(rules[0].verdict, ==, RULE_DENY);
        g_assert_cmpuint(rules[0].options->subject, ==, 0);
        g_assert_cmpint(rules[1].verdict, ==, RULE_ALLOW);
        g_assert_cmpuint(rules[1].options->subject, ==, SUBJECT_VERIFIED);
        policy_unref(policy);
}

static void test_what_no_rule_says_is_told_by_the_policy(void)
{
        Policy *policy;

        first_rule("version=5\n[protect_connect]\n[protect_runtime_deps]\n", 2, &policy);
        g_assert_true(policy_runtime_deps(policy));
        g_assert_false(policy_wants_ima_appraisal(policy));
        policy_unref(policy);
        first_rule("version=5\n[require_ima_appraisal]\n", 0, &policy);
        g_assert_false(policy_runtime_deps(policy));
        g_assert_true(policy_wants_ima_appraisal(policy));
        policy_unref(policy);
}

static void test_flags_without_what_they_are_about_are_faults(void)
{
        assert_told("version=6\n[protect_runtime_deps]\n", "2:1");
        assert_told("version=6\n[protect_runtime_deps]\n[protect_path]\n", "2:1");
        assert_told("version=6\n[protect_runtime_deps]\n[protect_path]\n/a\n", "");
        assert_told("version=6\n[ima_fail_closed]\n", "2:1");
        assert_told("version=6\n[ima_fail_closed]\n[allow_binary_hash]\n" HASH_1 "\n", "2:1");
        assert_told("version=6\n[ima_fail_closed]\n[trusted_exec_hash]\n" HASH_1 "\n", "");
}

/* ---- protected paths ---- */

static void test_a_protected_path_lets_verified_programs_in_alone(void)
{
        Policy *policy;
        const Rule *rules = first_rule("version=4\n[protect_path]\n/a/\n", 2, &policy);

        for (unsigned i = 0; i < 2; i++) {
                g_assert_cmpint(rules[i].kind, ==, RULE_FILE);
                g_assert_cmpstr(rules[i].file.path, ==, "/a");
                g_assert_cmpuint(rules[i].file.below, ==, 1);
                g_assert_cmpuint(rules[i].file.access, ==, ACCESS_ALL);
                g_assert_cmpuint(rules[i].line, ==, 3);
                g_assert_cmpstr(rules[i].entry, ==, "/a/");
        }
        g_assert_cmpint(rules[0].verdict, ==, RULE_DENY);
        g_assert_cmpuint(rules[0].options->subject, ==, 0);
        g_assert_cmpint(rules[1].verdict, ==, RULE_ALLOW);
        g_assert_cmpuint(rules[1].options->subject, ==, SUBJECT_VERIFIED);
        policy_unref(policy);
}

static void assert_passes(const char *text, const char *const *paths)
{
        Diagnostics diagnostics;
        Policy *policy = parse(text, strlen(text), 0, &diagnostics);
        size_t n = 0;

        for (size_t i = 0; i < policy_n_rules(policy); i++) {
                const Rule *rule = policy_rule(policy, i);

                if (rule->verdict == RULE_ALLOW)
                        g_assert_cmpstr(rule->file.path, ==, paths[n++]);
        }
        g_assert_null(paths[n]);
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

static void test_what_is_denied_to_all_is_denied_to_verified_programs(void)
{
        static const char text[] = "version=4\n[protect_path]\n/a\n/a/b/c\n/a/b\n/a/b-c\n/a/bc\n"
                                   "/d/e\n/f\n/g\n[deny_path]\n/a/b\n/a/b-x\n/a/b0\n/d\n/f/g\n/g\n";
        static const char *const passes[] = {"/a", "/a/b-c", "/a/bc", "/f", NULL};
        static const char *const none[] = {NULL};

        assert_passes(text, passes);
        assert_told(text, "4:1w 5:1w 8:1w 10:1w");
        assert_passes("version=4\n[protect_path]\n/a\n/\n[deny_path]\n/\n", none);
}

static void test_where_digests_say_what_may_run_a_path_does_not(void)
{
        static const char text[] =
                "version=5\n[protect_path]\n/a\n[trusted_exec_hash]\n" HASH_1 "\n";
        Policy *policy;
        const Rule *rules = first_rule(text, 4, &policy);

        g_assert_cmpuint(rules[0].file.access, ==, ACCESS_ALL & ~ACCESS_EXEC);
        g_assert_cmpuint(rules[1].file.access, ==, ACCESS_ALL & ~ACCESS_EXEC);
        policy_unref(policy);
}

/* ---- rules for one cgroup ---- */

static void test_a_rule_for_a_cgroup_has_it_as_its_subject(void)
{
        Policy *policy;
        const Rule *rule =
                one_rule("cgroup_deny_inode", "/sys/fs/cgroup/a/x.service \t 1:2", &policy);

        g_assert_cmpint(rule->kind, ==, RULE_INODE);
        g_assert_cmpuint(rule->inode.inode, ==, 2);
        g_assert_cmpuint(rule->options->subject, ==, SUBJECT_CGROUP);
        g_assert_cmpstr(rule->options->cgroup, ==, "/a/x.service");
        g_assert_cmpstr(rule->entry, ==, "/sys/fs/cgroup/a/x.service \t 1:2");
        policy_unref(policy);
        rule = one_rule("cgroup_deny_port", "cgid:7\t22:tcp:bind", &policy);
        g_assert_cmpuint(rule->net.first_port, ==, 22);
        g_assert_cmpuint(rule->net.operations, ==, 1u << NET_BIND | 1u << NET_LISTEN);
        g_assert_null(rule->options->cgroup);
        g_assert_cmpuint(rule->options->cgroup_id, ==, 7);
        policy_unref(policy);
}

static void test_an_address_for_a_cgroup_may_be_ipv6_or_a_range(void)
{
        static const struct {
                const char *entry;
                unsigned prefix;
        } cases[] = {{"/x 192.0.2.1", 128},
                     {"/x 2001:db8::1", 128},
                     {"/x 10.0.0.0/8", 104},
                     {"/x 2001:db8::/32", 32}};

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                Policy *policy;
                const Rule *rule = one_rule("cgroup_deny_ip", cases[i].entry, &policy);

                g_assert_cmpuint(rule->net.prefix, ==, cases[i].prefix);
                g_assert_cmpstr(rule->options->cgroup, ==, "/x");
                policy_unref(policy);
        }
}

static void test_faults_of_rules_for_a_cgroup_are_at_their_place(void)
{
        assert_entry_told("cgroup_deny_ip", "/x", "3:3");
        assert_entry_told("cgroup_deny_ip", "x 192.0.2.1", "3:1");
        assert_entry_told("cgroup_deny_ip", "cgid:x 192.0.2.1", "3:6");
        assert_entry_told("cgroup_deny_ip", "/x  192.0.2", "3:5");
        assert_entry_told("cgroup_deny_ip", "/x 10.0.0.0/33", "3:13");
        assert_entry_told("cgroup_deny_port", "/x 0:tcp:in", "3:4 3:10");
        assert_entry_told("cgroup_deny_inode", "/a/../b 1:2", "3:4");
        assert_entry_told("cgroup_deny_inode", "/a 1:x", "3:6");
        assert_entry_told("cgroup_deny_inode", "/ 1:2", "3:1w");
}

static void test_one_rule_for_two_cgroups_is_no_repetition(void)
{
        assert_told("version=6\n[cgroup_deny_port]\n/a 80\n/b 80\ncgid:7 80\n/a  80\n", "6:1w");
}

#define ADD(test) g_test_add_func("/policy/old/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_program_is_denied_by_its_name);
        ADD(test_names_of_programs_that_cannot_be_are_told);
        ADD(test_a_program_is_denied_by_its_digest);
        ADD(test_digests_that_are_none_are_faults);
        ADD(test_a_list_of_digests_denies_all_else_once);
        ADD(test_of_two_lists_both_must_have_a_digest);
        ADD(test_a_digest_that_is_denied_is_not_allowed);
        ADD(test_a_name_that_an_allowed_digest_may_bear_is_a_warning);
        ADD(test_directories_to_scan_are_read_and_mean_nothing);
        ADD(test_a_flag_is_one_rule_however_often_it_stands);
        ADD(test_protect_connect_lets_verified_programs_out_alone);
        ADD(test_what_no_rule_says_is_told_by_the_policy);
        ADD(test_flags_without_what_they_are_about_are_faults);
        ADD(test_a_protected_path_lets_verified_programs_in_alone);
        ADD(test_what_is_denied_to_all_is_denied_to_verified_programs);
        ADD(test_where_digests_say_what_may_run_a_path_does_not);
        ADD(test_a_rule_for_a_cgroup_has_it_as_its_subject);
        ADD(test_an_address_for_a_cgroup_may_be_ipv6_or_a_range);
        ADD(test_faults_of_rules_for_a_cgroup_are_at_their_place);
        ADD(test_one_rule_for_two_cgroups_is_no_repetition);
        return g_test_run();
}
