/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: options of version 7, and the text of rules. */
#include <glib.h>
#include <string.h>

#include "policy-check.h"
#include "policy/rule-text.h"
#include "rule-equal.h"

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const RuleOptions *options_of(const char *options, Policy **ret_policy)
{
        g_autofree char *entry = g_strdup_printf("file:/a %s", options);

        return one_rule("deny", entry, ret_policy)->options;
}

/* ---- access ---- */

static void assert_access(const char *words, unsigned access)
{
        g_autofree char *entry = g_strdup_printf("file:/a access=%s", words);
        Policy *policy;
        const Rule *rule = one_rule("allow", entry, &policy);

        g_assert_cmpuint(rule->file.access, ==, access);
        policy_unref(policy);
}

static void test_access_is_a_list_of_kinds(void)
{
        assert_access("read", ACCESS_READ);
        assert_access("exec", ACCESS_EXEC | ACCESS_MAP);
        assert_access("map", ACCESS_MAP);
        assert_access("read,write,read", ACCESS_READ | ACCESS_WRITE);
        assert_access("read,write,exec,create,delete,link,attr", ACCESS_ALL);
        assert_access("\"read,attr\"", ACCESS_READ | ACCESS_ATTR);
}

static void test_kinds_of_access_that_are_none_are_faults(void)
{
        assert_entry_told("deny", "file:/a access=", "3:16");
        assert_entry_told("deny", "file:/a access=rw", "3:16");
        assert_entry_told("deny", "file:/a access=read,,x", "3:21 3:22");
        assert_entry_told("deny", "file:/a access=read,", "3:21");
        assert_entry_told("deny", "file:/a access=all", "3:16");
        assert_hint("deny", "file:/a access=all", "leave access= out");
        assert_hint("deny", "file:/a read", "access=");
}

/* ---- subjects ---- */

static void test_a_program_is_a_path_or_a_directory(void)
{
        Policy *policy;
        const RuleOptions *options = options_of("exe=/usr/bin/curl", &policy);

        g_assert_cmpuint(options->subject, ==, SUBJECT_EXE);
        g_assert_cmpstr(options->exe, ==, "/usr/bin/curl");
        g_assert_cmpuint(options->exe_below, ==, 0);
        policy_unref(policy);
        options = options_of("exe=\"/opt/a b/*/\"", &policy);
        g_assert_cmpstr(options->exe, ==, "/opt/a b/*");
        g_assert_cmpuint(options->exe_below, ==, 1);
        policy_unref(policy);
        assert_entry_told("deny", "file:/a exe=curl", "3:13");
        assert_entry_told("deny", "file:/a exe=", "3:13");
        assert_entry_told("deny", "file:/a exe=/a/../b", "3:16");
        assert_entry_told("deny", "file:/a exe=\"/a/\\*\"", "3:14");
}

static void test_users_and_groups_are_numbers(void)
{
        Policy *policy;
        const RuleOptions *options = options_of("uid=0 gid=4294967294", &policy);

        g_assert_cmpuint(options->subject, ==, SUBJECT_UID | SUBJECT_GID);
        g_assert_cmpuint(options->uid, ==, 0);
        g_assert_cmpuint(options->gid, ==, 4294967294);
        policy_unref(policy);
        assert_entry_told("deny", "file:/a uid=4294967295", "3:13");
        assert_entry_told("deny", "file:/a gid=-1", "3:13");
        assert_hint("deny", "file:/a uid=root", "id -u");
        assert_hint("deny", "file:/a gid=adm", "getent group");
        assert_hint("deny", "file:/a uid=1,2", "a line for each");
        assert_hint("deny", "file:/a uid=1000-2000", "a line for each");
}

static void assert_cgroup(const char *value, const char *path, uint64_t id)
{
        g_autofree char *text = g_strdup_printf("cgroup=%s", value);
        Policy *policy;
        const RuleOptions *options = options_of(text, &policy);

        g_assert_cmpuint(options->subject, ==, SUBJECT_CGROUP);
        g_assert_cmpstr(options->cgroup, ==, path);
        g_assert_cmpuint(options->cgroup_id, ==, id);
        policy_unref(policy);
}

static void test_a_cgroup_is_a_path_a_unit_or_a_number(void)
{
        g_autofree char *fits = g_strnfill(CGROUP_PATH_SIZE - 2, 'x');
        g_autofree char *longer = g_strdup_printf("file:/a cgroup=/%sx", fits);
        g_autofree char *path = g_strdup_printf("/%s", fits);

        assert_cgroup("/a/b/", "/a/b", 0);
        assert_cgroup("/sys/fs/cgroup/a", "/a", 0);
        assert_cgroup("nginx.service", "nginx.service", 0);
        assert_cgroup("system-a\\x2db.slice", "system-a\\x2db.slice", 0);
        assert_cgroup("session-3.scope", "session-3.scope", 0);
        assert_cgroup("cgid:7", NULL, 7);
        assert_cgroup("\"/a b/*\"", "/a b/*", 0);
        assert_cgroup(path, path, 0);
        assert_entry_told("deny", longer, "3:16");
        assert_entry_told("deny", "file:/a cgroup=.service", "3:16");
        assert_entry_told("deny", "file:/a cgroup=a/b.service", "3:16");
        assert_entry_told("deny", "file:/a cgroup=7", "3:16");
        assert_entry_told("deny", "file:/a cgroup=/", "3:16w");
        assert_hint("deny", "file:/a cgroup=nginx", "nginx.service");
}

static void test_an_identity_is_verified(void)
{
        Policy *policy;
        const RuleOptions *options = options_of("identity=verified", &policy);

        g_assert_cmpuint(options->subject, ==, SUBJECT_VERIFIED);
        policy_unref(policy);
        assert_entry_told("deny", "file:/a identity=unverified", "3:18");
}

/* Whether what comes in can be told by them depends on other rules: see nets.c. */
static void test_rules_about_the_network_have_any_subject(void)
{
        assert_entry_told("deny", "net:recv:*:53/udp uid=3 cgroup=/x", "");
        assert_entry_told("deny", "net:* exe=/a gid=3 identity=verified", "");
}

/* ---- the rest ---- */

static void test_a_rule_has_a_mode_of_its_own(void)
{
        Policy *policy;

        g_assert_cmpint(options_of("uid=1", &policy)->mode, ==, RULE_MODE_SERVICE);
        policy_unref(policy);
        g_assert_cmpint(options_of("mode=audit", &policy)->mode, ==, RULE_MODE_AUDIT);
        policy_unref(policy);
        g_assert_cmpint(options_of("mode=enforce", &policy)->mode, ==, RULE_MODE_ENFORCE);
        policy_unref(policy);
        assert_entry_told("deny", "file:/a mode=off", "3:14");
        assert_entry_told("allow", "file:/a mode=enforce", "3:9");
        assert_entry_told("audit", "file:/a mode=audit", "3:9");
        assert_entry_told("default", "exec=allow mode=audit", "3:12");
        assert_entry_told("default", "exec=deny mode=audit", "");
}

static void assert_ttl(const char *value, uint64_t seconds)
{
        g_autofree char *text = g_strdup_printf("ttl=%s", value);
        Policy *policy;

        g_assert_cmpuint(options_of(text, &policy)->ttl, ==, seconds);
        policy_unref(policy);
}

static void test_a_rule_lives_for_a_time(void)
{
        assert_ttl("30s", 30);
        assert_ttl("30m", 1800);
        assert_ttl("2h", 7200);
        assert_ttl("1d", 86400);
        assert_ttl("3650d", 315360000);
        assert_entry_told("deny", "file:/a ttl=3651d", "3:13");
        assert_entry_told("deny", "file:/a ttl=99999999999999999999d", "3:13");
        assert_entry_told("deny", "file:/a ttl=0s", "3:13");
        assert_entry_told("deny", "file:/a ttl=m", "3:13");
        assert_entry_told("deny", "file:/a ttl=1h30m", "3:13");
        assert_entry_told("deny", "file:/a ttl=", "3:13");
        assert_hint("deny", "file:/a ttl=30", "30s");
}

static void test_a_signal_may_follow_a_denial(void)
{
        Policy *policy;

        g_assert_cmpuint(options_of("uid=1", &policy)->signal, ==, SIGNAL_DEFAULT);
        policy_unref(policy);
        g_assert_cmpuint(options_of("signal=none", &policy)->signal, ==, SIGNAL_NONE);
        policy_unref(policy);
        g_assert_cmpuint(options_of("signal=term", &policy)->signal, ==, SIGNAL_TERM);
        policy_unref(policy);
        g_assert_cmpuint(options_of("signal=kill", &policy)->signal, ==, SIGNAL_KILL);
        policy_unref(policy);
        assert_entry_told("deny", "file:/a signal=SIGKILL", "3:16");
        assert_entry_told("allow", "file:/a signal=kill", "3:9");
        assert_entry_told("audit", "file:/a signal=none", "3:9");
        assert_entry_told("deny", "file:/a mode=audit signal=kill", "3:20");
        assert_entry_told("deny", "file:/a mode=audit signal=none", "");
}

static void test_a_rule_has_a_name_and_a_reason(void)
{
        g_autofree char *longest = g_strnfill(256, 'w');
        g_autofree char *fits = g_strdup_printf("why=%s", longest);
        g_autofree char *longer = g_strdup_printf("file:/a why=%sw", longest);
        Policy *policy;
        const RuleOptions *options =
                options_of("id=no-secrets.1 why=\"ask \\\"Ann\\\" #1 – é\"", &policy);

        g_assert_cmpuint(options->subject, ==, 0);
        g_assert_cmpstr(options->id, ==, "no-secrets.1");
        g_assert_cmpstr(options->why, ==, "ask \"Ann\" #1 – é");
        policy_unref(policy);
        g_assert_cmpstr(options_of(fits, &policy)->why, ==, longest);
        policy_unref(policy);
        assert_entry_told("deny", longer, "3:13");
        assert_entry_told("deny", "file:/a why=\"\"", "3:14");
        assert_entry_told("deny", "file:/a why=\"a\\nb\"", "3:14");
        assert_entry_told("deny", "file:/a why=\"a\\x1b[31m\"", "3:14");
        assert_entry_told("deny", "file:/a why=\"a\\xff\"", "3:14");
        assert_entry_told("deny", "file:/a id=web:3", "3:12");
        assert_entry_told("deny", "file:/a id=", "3:12");
}

static void test_unknown_and_repeated_options_are_faults(void)
{
        assert_entry_told("deny", "file:/a uid=1 uid=1", "3:15");
        assert_entry_told("deny", "file:/a color=red", "3:9");
        assert_entry_told("deny", "file:/a uid", "3:9");
        assert_entry_told("deny", "file:/a =3", "3:9");
        assert_entry_told("deny", "file:/a uid = 3", "3:9 3:13 3:15");
        assert_entry_told("deny", "file:/a x y=1 uid=z", "3:9 3:11 3:19");
        assert_hint("deny", "file:/a user=3", "uid=");
        assert_hint("deny", "file:/a unit=x.service", "cgroup=");
        assert_hint("deny", "file:/a comm=x", "exe=");
        assert_hint("deny", "file:/a reason=x", "why=");
        assert_hint("deny", "file:/a acess=read", "access=");
        assert_hint("deny", "file:/a UID=3", "uid=");
}

static void test_options_that_do_not_fit_the_object_are_faults(void)
{
        assert_entry_told("deny", "exec:/a access=read", "3:9");
        assert_entry_told("deny", "\"exec:/a\" access=read", "3:11");
        assert_entry_told("deny", "\"file:/a\" access=read", "");
        assert_entry_told("deny", "exec:sha256:" DIGITS " access=read", "3:78");
        assert_entry_told("deny", "net:connect access=read", "3:13");
        assert_entry_told("deny", "kernel:bpf access=read", "3:12");
        assert_entry_told("deny", "comm:x access=read", "3:8");
}

/* ---- text ---- */

/* In the one spelling that is preferred. */
static const char *const lines[][2] = {
        {"deny", "file:/etc/shadow"},
        {"deny", "file:/"},
        {"allow", "file:/home/*/.ssh/ access=read,map,link exe=/usr/bin/* uid=0 gid=0"},
        {"deny", "file:\"/a\\\"\\\\\\n\\x01\\xff\\xe9 b – é/\\*\"/"},
        {"deny", "file:\"/\\*x/*/y\\*\""},
        {"deny", "file:/\\/a\\x2d access=attr"},
        {"audit", "exec:/usr/bin/"},
        {"deny", "exec:sha256:" DIGITS},
        {"allow", "exec:fsverity:" DIGITS},
        {"deny", "inode:8388609:18446744073709551615 access=exec"},
        {"deny", "inode:1:2"},
        {"deny", "net:*"},
        {"deny", "net:connect,bind,listen,accept,send"},
        {"deny", "net:recv:10.0.0.0/8 uid=3"},
        {"deny", "net:connect:0.0.0.0/0"},
        {"deny", "net:connect:[2001:db8::]/32:443-445/tcp"},
        {"deny", "net:bind:*:22"},
        {"deny", "net:send:*:*/packet"},
        {"deny", "net:send:*:*/47"},
        {"deny", "kernel:kexec cgroup=cgid:7"},
        {"deny", "comm:\"a \\*\""},
        {"allow", "cgroup:/a.slice/b"},
        {"allow", "cgroup:/sys/fs/cgroup/sys/fs/cgroup/x"},
        {"allow", "cgroup:cgid:18446744073709551615"},
        {"default", "exec=deny"},
        {"default", "exec=allow map=allow identity=verified"},
        {"default", "map=audit cgroup=x.service"},
        {"deny", "file:/a cgroup=\"/a b\" identity=verified mode=enforce ttl=90m signal=kill id=a "
                 "why=\"a b\""},
        {"deny", "file:/a mode=audit ttl=61s signal=none why=#1"},
        {"deny", "file:/a ttl=2h"},
};

static void test_a_rule_is_written_as_it_is_read(void)
{
        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autofree char *document =
                        g_strdup_printf("version=7\n[%s]\n%s\n", lines[i][0], lines[i][1]);
                Policy *policy;
                const Rule *rule = first_rule(document, 1, &policy);
                char *text = NULL;

                g_assert_cmpint(rule_to_text(rule, &text), ==, 0);
                g_assert_cmpstr(text, ==, lines[i][1]);
                g_assert_cmpstr(rule_section(rule), ==, lines[i][0]);
                free(text);
                policy_unref(policy);
        }
}

static void assert_text(const char *section, const char *entry, const char *expected)
{
        Policy *policy;
        const Rule *rule = one_rule(section, entry, &policy);
        char *text = NULL;

        g_assert_cmpint(rule_to_text(rule, &text), ==, 0);
        g_assert_cmpstr(text, ==, expected);
        free(text);
        policy_unref(policy);
}

static void test_other_spellings_are_written_in_the_preferred_one(void)
{
        assert_text("deny", "file:/a access=map,exec", "exec:/a");
        assert_text("deny", "file:/a access=attr,link,delete,create,exec,write,read", "file:/a");
        assert_text("deny", "\"file://a//b/\"  why=x uid=07 # y", "file:/a/b/ uid=7 why=x");
        assert_text("deny", "net:send,bind,send:[::ffff:1.2.3.4]:*/*", "net:bind,send:1.2.3.4");
        assert_text("deny", "net:connect:[2001:DB8:0::1]:80-80/6",
                    "net:connect:[2001:db8::1]:80/tcp");
        assert_text("deny", "net:connect:*:1-65535", "net:connect:*:1-65535");
        assert_text("deny", "exec:fsverity:sha256:" DIGITS, "exec:fsverity:" DIGITS);
        assert_text("deny", "file:/a ttl=3600s", "file:/a ttl=1h");
        assert_text("allow", "cgroup:/sys/fs/cgroup/a/", "cgroup:/a");
        assert_text("default", "map=deny exec=deny", "exec=deny map=deny");
}

static void test_rules_of_older_versions_have_a_text(void)
{
        assert_text("deny_path", "/a/*/b c", "file:\"/a/\\*/b c\"/");
        assert_text("deny_inode", "1:2", "inode:1:2");
        assert_text("deny_ip", "::ffff:1.2.3.4", "net:connect,send:1.2.3.4");
        assert_text("deny_port", "80", "net:connect,bind,listen,send:*:80");
        assert_text("deny_ip_port", "[2001:db8::1]:80:udp",
                    "net:connect,send:[2001:db8::1]:80/udp");
        assert_text("deny_comm", "a *", "comm:\"a \\*\"");
        assert_text("cgroup_deny_ip", "/a 10.0.0.0/8", "net:connect,send:10.0.0.0/8 cgroup=/a");
        assert_text("allow_cgroup", "cgid:7", "cgroup:cgid:7");
}

static void assert_round_trips(const char *text, size_t n_rules)
{
        Policy *policy;

        first_rule(text, n_rules, &policy);
        for (size_t i = 0; i < n_rules; i++) {
                const Rule *rule = policy_rule(policy, i);
                char *document = rule_document(rule);
                Policy *again;

                g_assert_true(rule_equal(rule, first_rule(document, 1, &again)));
                policy_unref(again);
                free(document);
        }
        policy_unref(policy);
}

static void test_the_text_of_a_rule_gives_the_rule(void)
{
        assert_round_trips("version=6\n[protect_path]\n/a\n[trusted_exec_hash]\nsha256:" DIGITS
                           "\n[protect_connect]\n[deny_ptrace]\n[deny_bpf]\n[deny_comm]\nx y\n"
                           "[cgroup_deny_port]\n/x 80\n[deny_path]\n/b\n",
                           11);
        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autofree char *document =
                        g_strdup_printf("version=7\n[%s]\n%s\n", lines[i][0], lines[i][1]);

                assert_round_trips(document, 1);
        }
}

/* Each byte that a name can have, alone and between others. */
static void test_any_byte_of_a_name_has_a_text(void)
{
        for (unsigned byte = 1; byte < 256; byte++) {
                g_autofree char *text = g_strdup_printf(
                        "version=7\n[deny]\nfile:\"/x\\x%02x/a\\x%02x\\xc3\\xa9\\x%02x\"\n", byte,
                        byte, byte);

                assert_round_trips(text, 1);
        }
}

#define ADD(test) g_test_add_func("/policy/options/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_access_is_a_list_of_kinds);
        ADD(test_kinds_of_access_that_are_none_are_faults);
        ADD(test_a_program_is_a_path_or_a_directory);
        ADD(test_users_and_groups_are_numbers);
        ADD(test_a_cgroup_is_a_path_a_unit_or_a_number);
        ADD(test_an_identity_is_verified);
        ADD(test_rules_about_the_network_have_any_subject);
        ADD(test_a_rule_has_a_mode_of_its_own);
        ADD(test_a_rule_lives_for_a_time);
        ADD(test_a_signal_may_follow_a_denial);
        ADD(test_a_rule_has_a_name_and_a_reason);
        ADD(test_unknown_and_repeated_options_are_faults);
        ADD(test_options_that_do_not_fit_the_object_are_faults);
        ADD(test_a_rule_is_written_as_it_is_read);
        ADD(test_other_spellings_are_written_in_the_preferred_one);
        ADD(test_rules_of_older_versions_have_a_text);
        ADD(test_the_text_of_a_rule_gives_the_rule);
        ADD(test_any_byte_of_a_name_has_a_text);
        return g_test_run();
}
