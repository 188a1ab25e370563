/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rules over the twin of the backend: what one more or one less makes of the document
 * `runtime`. */
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "transaction-fixture.h"

/* ---- coming and going ---- */

static void test_the_first_rule_makes_the_document(Fixture *fixture, gconstpointer data)
{
        add(fixture, "deny", "file:/srv/x access=read");
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/srv/x access=read\n");
        g_assert_cmpuint(kernel(fixture).n_rules, ==, 2);
        assert_agreement(fixture);
        g_assert_cmpuint(fixture->n_told, ==, 1);
        g_assert_cmpint(fixture->told, ==, ENFORCEMENT_DOCUMENTS);
}

static void test_further_rules_stand_in_their_section(Fixture *fixture, gconstpointer data)
{
        add(fixture, "deny", "file:/a");
        add(fixture, "allow", "file:/b");
        add(fixture, "deny", "file:/c");
        add(fixture, "default", "exec=deny  uid=33");
        add(fixture, "audit", "net:connect");
        add(fixture, "allow", "file:/d");
        assert_text(fixture, "runtime",
                    "version=7\n[deny]\nfile:/a\nfile:/c\n[allow]\nfile:/b\nfile:/d\n"
                    "[default]\nexec=deny uid=33\n[audit]\nnet:connect\n");
        assert_agreement(fixture);
}

static void test_an_equal_rule_in_other_words_changes_nothing(Fixture *fixture, gconstpointer data)
{
        add(fixture, "deny", "file:/a uid=33 access=read,write");
        add(fixture, "deny", "  file:\"/a\"\taccess=write,read   uid=33 # again");
        g_assert_cmpuint(generation(fixture), ==, 1);
        g_assert_cmpuint(fixture->n_told, ==, 1);
        g_assert_cmpuint(kernel(fixture).n_commits, ==, 1);
        add(fixture, "deny", "file:/a uid=34 access=read,write");
        g_assert_cmpuint(generation(fixture), ==, 2);
        add(fixture, "allow", "file:/a uid=34 access=read,write");
        g_assert_cmpuint(generation(fixture), ==, 3);
}

static void test_a_removed_rule_is_gone_and_the_others_stay(Fixture *fixture, gconstpointer data)
{
        add(fixture, "deny", "file:/a");
        add(fixture, "deny", "file:/b");
        add(fixture, "allow", "file:/c");
        take(fixture, "deny", "file:\"/a\"");
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/b\n[allow]\nfile:/c\n");
        assert_agreement(fixture);
        restart(fixture);
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/b\n[allow]\nfile:/c\n");
}

static void test_the_document_goes_with_its_last_rule(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "web", DENY_A);
        add(fixture, "deny", "file:/b");
        take(fixture, "deny", "file:/b");
        g_assert_null(enforcement_find(fixture->enforcement, "runtime"));
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(generation(fixture), ==, 3);
        assert_agreement(fixture);
}

static void test_what_is_not_there_cannot_be_removed(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(try_remove(fixture, "deny", "file:/a"), ==, TRANSACTION_E_NO_SUCH_RULE);
        apply(fixture, "web", "version=7\n[deny]\nfile:/a\n");
        g_assert_cmpint(try_remove(fixture, "deny", "file:/a"), ==, TRANSACTION_E_NO_SUCH_RULE);
        add(fixture, "deny", "file:/b");
        g_assert_cmpint(try_remove(fixture, "allow", "file:/b"), ==, TRANSACTION_E_NO_SUCH_RULE);
        g_assert_cmpint(try_remove(fixture, "deny", "file:/b/"), ==, TRANSACTION_E_NO_SUCH_RULE);
        g_assert_cmpint(try_remove(fixture, "deny", "file:/b id=x"), ==,
                        TRANSACTION_E_NO_SUCH_RULE);
        g_assert_cmpuint(generation(fixture), ==, 2);
}

static void test_a_plan_says_what_is_committed(Fixture *fixture, gconstpointer data)
{
        _cleanup_(single_rule_freep) SingleRule *rule = rule_of("deny", "file:/b", 0);
        _cleanup_(plan_freep) Plan *plan = NULL;

        add(fixture, "deny", "file:/a");
        g_assert_cmpint(change(fixture, CHANGE_ADDED, rule, &plan), ==, 0);
        g_assert_cmpstr(plan->name, ==, "runtime");
        g_assert_cmpuint(plan->n_changes, ==, 1);
        g_assert_cmpint(plan->changes[0].kind, ==, CHANGE_ADDED);
        g_assert_cmpstr(plan->changes[0].section, ==, "deny");
        g_assert_cmpstr(plan->changes[0].entry, ==, "file:/b");
        g_assert_cmpmem(plan->digest, DIGEST_SIZE, enforcement_digest(fixture->enforcement),
                        DIGEST_SIZE);
        g_assert_cmpmem(plan->bound, DIGEST_SIZE, plan->digest, DIGEST_SIZE);
}

static void test_a_rule_that_was_planned_before_another_change_is_stale(Fixture *fixture,
                                                                        gconstpointer data)
{
        _cleanup_(single_rule_freep) SingleRule *rule = rule_of("deny", "file:/b", 0);
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t now = 0;

        g_assert_cmpint(enforcement_plan_rule(fixture->enforcement, rule, CHANGE_ADDED, &plan), ==,
                        0);
        add(fixture, "deny", "file:/a");
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &now), ==,
                        TRANSACTION_E_STALE);
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/a\n");
}

static void test_a_rule_that_cannot_be_enforced_is_refused(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        add(fixture, "deny", "file:/a");
        wanted.deny_hooks = ~HOOK_BIT(HOOK_SOCKET_CONNECT);
        control(fixture, &wanted);
        g_assert_cmpint(try_add(fixture, "deny", "net:connect", 0), ==, TRANSACTION_E_GUARANTEE);
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/a\n");
        g_assert_false(has_file(fixture, "state.next"));
        assert_agreement(fixture);
}

/* ---- how often something is read ---- */

static unsigned n_forks;

static void count_fork(void)
{
        n_forks++;
}

static unsigned forks_of(Fixture *fixture, int (*function)(Fixture *), int expected)
{
        n_forks = 0;
        g_assert_cmpint(function(fixture), ==, expected);
        return n_forks;
}

static int add_a(Fixture *fixture)
{
        return try_add(fixture, "deny", "file:/a", 0);
}

static int add_b(Fixture *fixture)
{
        return try_add(fixture, "deny", "  file:\"/b\"", 0);
}

static int add_c(Fixture *fixture)
{
        return try_add(fixture, "allow", "file:/c", 0);
}

static int take_a(Fixture *fixture)
{
        return try_remove(fixture, "deny", "file:/a");
}

/* Each time that is a child. */
static void test_a_rule_is_read_together_with_its_document(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(pthread_atfork(NULL, count_fork, NULL), ==, 0);
        g_assert_cmpuint(forks_of(fixture, add_a, 0), ==, 1);
        g_assert_cmpuint(forks_of(fixture, take_a, 0), ==, 0);
        add(fixture, "deny", "net:connect");
        g_assert_cmpuint(forks_of(fixture, add_a, 0), ==, 1);
        g_assert_cmpuint(forks_of(fixture, add_c, 0), ==, 1);
        /* As it is written here it is not written there. */
        g_assert_cmpuint(forks_of(fixture, add_b, 0), ==, 3);
        g_assert_cmpuint(forks_of(fixture, take_a, 0), ==, 1);
        assert_text(fixture, "runtime",
                    "version=7\n[deny]\nnet:connect\nfile:/b\n[allow]\nfile:/c\n");
        assert_agreement(fixture);
}

/* ---- what is no rule ---- */

typedef struct Fault {
        const char *section, *entry, *message;
} Fault;

static void check_fault(const Fault *fault)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(single_rule_freep) SingleRule *rule = NULL;
        _cleanup_(freep) char *said = NULL;

        g_assert_cmpint(single_rule_new(&rule, fault->section, fault->entry, 0, &diagnostics), ==,
                        TRANSACTION_E_INVALID_POLICY);
        g_assert_null(rule);
        said = diagnostics_format(&diagnostics, "entry");
        if (!g_str_has_prefix(said, fault->message))
                g_error("[%s] %s: %s instead of %s", fault->section, fault->entry, said,
                        fault->message);
}

static void test_what_is_not_one_entry_is_refused_with_its_column(void)
{
        static const Fault faults[] = {
                {"deny", "file:/a\nfile:/b", "entry:1:8: there is a control character (byte 0x0a)"},
                {"deny", "file:/a\n", "entry:1:8: there is a control character (byte 0x0a)"},
                {"deny", "file:/a\r", "entry:1:8: there is a control character (byte 0x0d)"},
                {"deny", "file:/a\x1b[2J", "entry:1:8: there is a control character (byte 0x1b)"},
                {"deny", "file:/a\xff", "entry:1:8: byte 0xff is not UTF-8"},
                {"deny", "", "entry:1:1: there is no rule in it"},
                {"deny", "  ", "entry:1:1: there is no rule in it"},
                {"deny", "# file:/a", "entry:1:1: there is no rule in it"},
                {"deny", "[allow]", "entry:1:1: there is no rule in it"},
                {"deny", "[allow] file:/a", "entry:1:8: something follows the section's name"},
                {"deny", "[allow", "entry:1:7: the section's name does not end"},
                {"deny", "version=7", "entry:1:1: \"version=7\" is no object"},
                {"deny", "/etc/shadow", "entry:1:1: \"/etc/shadow\" is no object"},
                {"deny", "  file:/a mode=off", "entry:1:16: \"off\" is no mode"},
                {"deny", "file:/a file:/b", "entry:1:9: \"file:/b\" is no option"},
                {"default", "net=deny", "entry:1:1: \"net=deny\" is nothing that has a default"},
                {"allow", "file:/a mode=audit", "entry:1:9: an allowance holds in every mode"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
                check_fault(&faults[i]);
}

static void test_what_is_no_section_is_refused(void)
{
        static const Fault faults[] = {
                {"", "file:/a", "entry: there is no section \"\"; write deny, allow"},
                {"deny]\n[allow", "file:/a", "entry: there is no section \"deny"},
                {"Deny", "file:/a", "entry: there is no section \"Deny\""},
                {"denny", "file:/a", "entry: there is no section [denny]; write [deny]"},
                {"forbid", "file:/a",
                 "entry: there is no section [forbid]; version 7 has [deny], [allow]"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
                check_fault(&faults[i]);
}

static void test_an_entry_has_a_bound(void)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        g_autofree char *why = g_strnfill(POLICY_LINE_MAX, 'x');
        g_autofree char *entry = g_strconcat("file:/a why=", why, NULL);
        SingleRule *rule = NULL;

        g_assert_cmpint(single_rule_new(&rule, "deny", entry, 0, &diagnostics), ==,
                        TRANSACTION_E_INVALID_POLICY);
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].column, ==, POLICY_LINE_MAX + 1);
}

/* ---- versions 1 to 6 ---- */

static void test_sections_of_old_are_taken_where_they_are_one_rule(void)
{
        static const char *const rows[][4] = {
                {"deny_path", "/srv/my files", "deny", "file:\"/srv/my files\"/"},
                {"deny_inode", "8388609:7", "deny", "inode:8388609:7"},
                {"deny_ip", "203.0.113.9", "deny", "net:connect,send:203.0.113.9"},
                {"deny_cidr", "2001:db8::/32", "deny", "net:connect,send:[2001:db8::]/32"},
                {"deny_port", "25:tcp", "deny", "net:connect,bind,listen,send:*:25/tcp"},
                {"deny_ip_port", "203.0.113.9:25", "deny", "net:connect,send:203.0.113.9:25"},
                {"deny_comm", "xmrig", "deny", "comm:xmrig"},
                {"deny_ptrace", "", "deny", "kernel:ptrace"},
                {"allow_cgroup", "/system.slice", "allow", "cgroup:/system.slice"},
                {"cgroup_deny_port", "/a 25:tcp:egress", "deny",
                 "net:connect,send:*:25/tcp cgroup=/a"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                _cleanup_(single_rule_freep) SingleRule *rule = rule_of(rows[i][0], rows[i][1], 0);

                g_assert_cmpstr(single_rule_section(rule), ==, rows[i][2]);
                g_assert_cmpstr(single_rule_text(rule), ==, rows[i][3]);
        }
}

static void test_other_sections_of_old_are_told_in_the_words_of_version_7(void)
{
        static const Fault faults[] = {
                {"protect_path", "/srv",
                 "entry: version 7 has no section [protect_path]; write "
                 "file:/path/ under [deny], and again with"},
                {"deny_ptrace", "x", "entry: version 7 has no section [deny_ptrace]"},
                {"scan_paths", "/usr", "entry: version 7 has no section [scan_paths]"},
                {"allow_binary_hash",
                 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                 "entry: version 7 has no section [allow_binary_hash]"},
                {"require_ima_appraisal", "",
                 "entry: version 7 has no section [require_ima_appraisal]"},
                {"protect_runtime_deps", "", "entry: "},
                {"deny_path", "srv/x", "entry:1:1: "},
                {"deny_path", "", "entry: version 7 has no section [deny_path]; write file:/path/"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
                check_fault(&faults[i]);
}

/* ---- what it does ---- */

static void test_what_may_allow_more_is_told(void)
{
        static const struct {
                const char *section, *entry;
                int when_added, when_removed;
        } rows[] = {
                {"deny", "file:/a", 0, 1},
                {"deny", "file:/a mode=enforce", 0, 1},
                {"deny", "file:/a ttl=1h", 0, 1},
                {"deny", "file:/a mode=audit", 1, 1}, /* stands before a denial of the directory */
                {"audit", "file:/a", 1, 1},           /* so does this */
                {"allow", "file:/a", 1, 0},
                {"allow", "cgroup:/a", 1, 0},
                {"default", "exec=deny", 0, 1},
                {"default", "exec=allow", 1, 0},
                {"default", "exec=audit", 1, 1},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                _cleanup_(single_rule_freep) SingleRule *rule =
                        rule_of(rows[i].section, rows[i].entry, 0);

                g_assert_cmpint(single_rule_loosens(rule, CHANGE_ADDED), ==, rows[i].when_added);
                g_assert_cmpint(single_rule_loosens(rule, CHANGE_REMOVED), ==,
                                rows[i].when_removed);
        }
}

/* ---- documents of others ---- */

static void test_a_document_that_was_applied_stays_as_it_is(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "runtime",
              "# mine\nversion=7\non-missing-guarantee=accept\n\n[deny]\n"
              "  file:/a   # first\n# last\n\n[allow]\n# none yet");
        add(fixture, "deny", "file:/b");
        assert_text(fixture, "runtime",
                    "# mine\nversion=7\non-missing-guarantee=accept\n\n[deny]\n"
                    "  file:/a   # first\nfile:/b\n# last\n\n[allow]\n# none yet\n");
        take(fixture, "deny", "file:/a");
        add(fixture, "audit", "file:/c");
        assert_text(fixture, "runtime",
                    "# mine\nversion=7\non-missing-guarantee=accept\n\n[deny]\n"
                    "file:/b\n# last\n\n[allow]\n# none yet\n[audit]\nfile:/c\n");
}

static void test_all_that_are_equal_go(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "runtime", "version=7\n[deny]\nfile:/a\nfile:\"/a\"\nfile:/b\n");
        take(fixture, "deny", "file:/a");
        assert_text(fixture, "runtime", "version=7\n[deny]\nfile:/b\n");
}

static void test_a_header_that_holds_by_itself_stays(Fixture *fixture, gconstpointer data)
{
        TwinControl wanted = all_well();

        wanted.appraises = 1;
        control(fixture, &wanted);
        apply(fixture, "runtime", "version=7\nima-appraisal=required\n[deny]\nfile:/a\n");
        take(fixture, "deny", "file:/a");
        assert_text(fixture, "runtime", "version=7\nima-appraisal=required\n[deny]\n");
}

static void test_what_the_document_would_be_at_fault_without_stays(Fixture *fixture,
                                                                   gconstpointer data)
{
        static const char text[] =
                "version=7\nruntime-deps=verified\n[allow]\nfile:/a identity=verified\n";
        _cleanup_(single_rule_freep) SingleRule *rule =
                rule_of("allow", "file:/a identity=verified", 0);
        _cleanup_(plan_freep) Plan *plan = NULL;

        apply(fixture, "runtime", text);
        g_assert_cmpint(change(fixture, CHANGE_REMOVED, rule, &plan), ==,
                        TRANSACTION_E_INVALID_POLICY);
        g_assert_cmpuint(plan->diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(plan->diagnostics.items[0].line, ==, 0);
        g_assert_true(g_str_has_prefix(plan->diagnostics.items[0].message,
                                       "in policy runtime, line 2: runtime-deps="));
        assert_text(fixture, "runtime", text);
}

static void test_a_document_of_an_older_version_takes_no_rules(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "runtime", DENY_A);
        g_assert_cmpint(try_add(fixture, "deny", "file:/b", 0), ==, TRANSACTION_E_RUNTIME_VERSION);
        g_assert_cmpint(try_remove(fixture, "deny", "file:/a/"), ==, TRANSACTION_E_RUNTIME_VERSION);
        assert_text(fixture, "runtime", DENY_A);
}

static void test_a_rule_does_not_take_the_place_of_what_is_unknown(Fixture *fixture,
                                                                   gconstpointer data)
{
        TwinState before, after;

        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
        before = kernel(fixture);
        flip_byte(fixture, "state", 40);
        restart(fixture);
        g_assert_cmpint(try_add(fixture, "deny", "file:/x", 0), ==, TRANSACTION_E_UNKNOWN);
        g_assert_cmpint(try_remove(fixture, "deny", "file:/x"), ==, TRANSACTION_E_UNKNOWN);
        after = kernel(fixture);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
        apply(fixture, "web", DENY_AB);
        add(fixture, "deny", "file:/x");
        assert_agreement(fixture);
}

static void test_a_document_has_a_bound(Fixture *fixture, gconstpointer data)
{
        static const char head[] = "version=7\n[deny]\nfile:/a\n";
        GString *text = g_string_new(head);

        while (text->len < POLICY_SIZE_MAX - 100)
                g_string_append(text, "# -----------------------------------------------------\n");
        while (text->len < POLICY_SIZE_MAX - 1)
                g_string_append_c(text, '#');
        g_string_append_c(text, '\n');
        apply(fixture, "runtime", text->str);
        g_assert_cmpint(try_add(fixture, "deny", "file:/b", 0), ==, TRANSACTION_E_TOO_LARGE);
        assert_text(fixture, "runtime", text->str);
        g_string_free(text, TRUE);
}

#define ADD(function) g_test_add("/rule/" #function, Fixture, NULL, set_up, function, tear_down)
#define ADD_PLAIN(function) g_test_add_func("/rule/" #function, function)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_a_rule_is_read_together_with_its_document);
        ADD(test_the_first_rule_makes_the_document);
        ADD(test_further_rules_stand_in_their_section);
        ADD(test_an_equal_rule_in_other_words_changes_nothing);
        ADD(test_a_removed_rule_is_gone_and_the_others_stay);
        ADD(test_the_document_goes_with_its_last_rule);
        ADD(test_what_is_not_there_cannot_be_removed);
        ADD(test_a_plan_says_what_is_committed);
        ADD(test_a_rule_that_was_planned_before_another_change_is_stale);
        ADD(test_a_rule_that_cannot_be_enforced_is_refused);
        ADD_PLAIN(test_what_is_not_one_entry_is_refused_with_its_column);
        ADD_PLAIN(test_what_is_no_section_is_refused);
        ADD_PLAIN(test_an_entry_has_a_bound);
        ADD_PLAIN(test_sections_of_old_are_taken_where_they_are_one_rule);
        ADD_PLAIN(test_other_sections_of_old_are_told_in_the_words_of_version_7);
        ADD_PLAIN(test_what_may_allow_more_is_told);
        ADD(test_a_document_that_was_applied_stays_as_it_is);
        ADD(test_all_that_are_equal_go);
        ADD(test_a_header_that_holds_by_itself_stays);
        ADD(test_what_the_document_would_be_at_fault_without_stays);
        ADD(test_a_document_of_an_older_version_takes_no_rules);
        ADD(test_a_rule_does_not_take_the_place_of_what_is_unknown);
        ADD(test_a_document_has_a_bound);
        return g_test_run();
}
