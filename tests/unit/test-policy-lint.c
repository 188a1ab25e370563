/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lint: what is doubted, and what is not. */
#include <glib.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/plain.h"

#define N_DOCUMENTS_MAX 3

typedef struct Set {
        Document documents[N_DOCUMENTS_MAX];
        Diagnostics diagnostics[N_DOCUMENTS_MAX];
        size_t n;
} Set;

static void set_add(Set *set, const char *name, const char *text)
{
        Document *document = &set->documents[set->n];
        Diagnostics diagnostics = {};

        *document = (Document){.name = name, .text = text, .n_text = strlen(text)};
        g_assert_cmpint(policy_parse(&document->policy, text, strlen(text), &diagnostics), ==, 0);
        diagnostics_deinit(&diagnostics); /* the parser's are not of interest here */
        set->n++;
}

static void set_lint(Set *set)
{
        const Resolver resolver = plain_resolver();

        g_assert_cmpint(policy_lint(set->documents, set->n, &resolver, set->diagnostics), ==, 0);
        for (size_t i = 0; i < set->n; i++)
                diagnostics_sort(&set->diagnostics[i]);
}

static void set_end(Set *set)
{
        for (size_t i = 0; i < set->n; i++) {
                policy_unref(set->documents[i].policy);
                diagnostics_deinit(&set->diagnostics[i]);
        }
        *set = (Set){};
}

/* "4 7": the lines that are warned of. */
static char *lines_of(const Diagnostics *diagnostics)
{
        GString *lines = g_string_new("");

        for (size_t i = 0; i < diagnostics->n_items; i++)
                g_string_append_printf(lines, "%s%u", i > 0 ? " " : "", diagnostics->items[i].line);
        return g_string_free(lines, FALSE);
}

/* Asserts on the lines, and that the first warning has the words. */
static void expect(const char *text, const char *lines, const char *words)
{
        g_autofree char *found = NULL;
        Set set = {};

        set_add(&set, "doc", text);
        set_lint(&set);
        found = lines_of(&set.diagnostics[0]);
        if (strcmp(found, lines) != 0 ||
            (words && !strstr(set.diagnostics[0].items[0].message, words))) {
                g_autofree char *told = diagnostics_format(&set.diagnostics[0], "doc");

                g_error("%s\nexpected on %s (%s), told:\n%s", text, lines, words ? words : "",
                        told);
        }
        set_end(&set);
}

#define DENY "version=7\n[deny]\n"
#define RULE(text) DENY text "\n"

/* ---- lock-out ---- */

static void test_what_lets_people_in_is_missed(void)
{
        expect(RULE("file:/etc/shadow"), "3", "no password could be checked");
        expect(RULE("file:/etc/"), "3", "the service could not be started");
        expect(RULE("exec:/usr/bin/login"), "3", "nobody could log in on a console");
        expect(RULE("exec:/bin/login"), "3", "/usr/bin/login");
        expect(RULE("exec:/usr/sbin/"), "3", "over ssh");
        expect(RULE("file:/usr/lib/x86_64-linux-gnu/security/ access=read"), "3", "password");
        expect(RULE("comm:agetty"), "3", "console");
        expect(RULE("net:bind:*:22/tcp"), "3", "ssh");
        expect(RULE("net:accept:*"), "3", "ssh");
}

static void test_what_starts_and_mends_a_machine_is_missed(void)
{
        expect(RULE("file:/lib64/ld-linux-x86-64.so.2"), "3", "no program");
        expect(RULE("file:/usr/lib/"), "3", "no program");
        expect(RULE("exec:/usr/libexec/aegisd"), "3", "the service could not be started");
        expect(RULE("exec:/usr/bin/aegis-client"), "3", "aegis-client");
        expect(RULE("exec:/usr/bin/dbus-daemon"), "3", "D-Bus");
        expect(RULE("exec:/usr/lib/polkit-1/polkitd"), "3", "polkit");
        expect(RULE("exec:/usr/lib/systemd/systemd-executor"), "3", "no unit");
        expect(RULE("net:connect:127.0.0.0/8"), "3", "reach each other");
        expect(RULE("net:connect:[::1]"), "3", "reach each other");
        expect(RULE("kernel:mount"), "3", "PrivateTmp=");
        expect("version=1\n[deny_path]\n/\n", "3", "no program");
}

static void test_one_rule_has_one_warning_however_much_it_takes(void)
{
        expect(RULE("file:/"), "3", "more of the kind");
}

static void test_what_locks_nobody_out_is_not_told(void)
{
        expect(RULE("file:/srv/secrets/"), "", NULL);
        expect(RULE("file:/etc/shadow mode=audit"), "", NULL);
        expect("version=7\n[audit]\nfile:/etc/shadow\n", "", NULL);
        expect(RULE("file:/etc/shadow uid=33"), "", NULL);
        expect(RULE("file:/etc/shadow exe=/usr/bin/curl"), "", NULL);
        expect(RULE("file:/etc/shadow cgroup=/system.slice/nginx.service"), "", NULL);
        expect(RULE("file:/etc/shadow access=delete,link"), "", NULL);
        expect(RULE("net:connect:127.0.0.1:8443/tcp"), "", NULL);
        expect(RULE("net:connect:*:22/tcp"), "", NULL);
        expect(RULE("kernel:module"), "", NULL);
        expect(RULE("exec:/usr/bin/gcc"), "", NULL);
}

static void test_an_allowance_that_lets_all_through_quiets_the_warning(void)
{
        expect(RULE("file:/etc/shadow") "[allow]\n"
                                        "file:/etc/shadow exe=/usr/bin/login\n"
                                        "file:/etc/shadow exe=/usr/sbin/sshd\n",
               "", NULL);
        expect(RULE("file:/etc/shadow") "[allow]\n"
                                        "file:/etc/shadow exe=/usr/bin/login\n",
               "3", "no password could be checked");
        expect(RULE("exec:/usr/sbin/sshd") "[allow]\ncgroup:/system.slice\n", "", NULL);
}

static void test_a_list_of_what_may_run_must_have_what_is_needed(void)
{
        expect("version=7\n[default]\nexec=deny\n", "3", "started again");
        expect("version=7\n[allow]\nexec:/usr/\n[default]\nexec=deny\n", "", NULL);
        expect("version=7\n[allow]\nexec:/usr/bin/\n[default]\nexec=deny\n", "5", "started again");
        expect("version=7\n[allow]\nexec:/usr/\n[default]\nexec=deny map=deny\n", "", NULL);
        expect("version=7\n[allow]\nexec:/usr/bin/\nexec:/usr/sbin/\nexec:/usr/libexec/\n"
               "exec:/usr/lib/systemd/\nexec:/usr/lib/polkit-1/\nexec:/usr/lib/openssh/\n"
               "[default]\nmap=deny\n",
               "10", "no program");
        expect("version=7\n[default]\nexec=deny cgroup=/system.slice/build.service\n", "", NULL);
}

/* ---- what never decides ---- */

static void test_a_rule_behind_one_about_the_same_is_told(void)
{
        expect(RULE("file:/srv/a access=read") "[allow]\nfile:/srv/a\n", "3",
               "line 5 decides first, and allows it");
        expect(RULE("file:/srv/a uid=3") "[audit]\nfile:/srv/a uid=3\n", "5",
               "line 3 decides first, and denies it");
        expect(RULE("file:/srv/a\nfile:/srv/a access=read,write"), "4", "says the same of it");
        expect(RULE("file:/srv/a access=read\nfile:/srv/a access=write\n"
                    "file:/srv/a access=read,write"),
               "5", "line 3 decides first");
        expect(RULE("kernel:bpf") "[allow]\nkernel:bpf\n", "3", "line 5 decides first");
        expect(RULE("net:connect:10.0.0.1") "[audit]\nnet:connect:10.0.0.1\n", "5", "line 3");
}

static void test_a_rule_that_decides_something_is_not_told(void)
{
        expect(RULE("file:/srv/a\nfile:/srv/a/\nfile:/srv/a/b"), "", NULL);
        expect(RULE("file:/srv/a") "[allow]\nfile:/srv/a uid=3\n", "", NULL);
        expect(RULE("file:/srv/a uid=3") "[allow]\nfile:/srv/a uid=4\n", "", NULL);
        expect(RULE("file:/srv/a access=read ttl=1h\nfile:/srv/a access=write\n"
                    "file:/srv/a access=read,write"),
               "", NULL);
        expect(RULE("file:/srv/a access=read\nfile:/srv/a access=read,write"), "", NULL);
        expect(RULE("net:connect:10.0.0.1:80\nnet:connect:10.0.0.1\nnet:connect:10.0.0.0/8"), "",
               NULL);
}

static void test_documents_of_one_set_are_weighed_against_each_other(void)
{
        g_autofree char *first = NULL, *second = NULL;
        Set set = {};

        set_add(&set, "a", RULE("file:/srv/a\nfile:/srv/b"));
        set_add(&set, "b", "version=7\n[allow]\nfile:/srv/b\n[deny]\n\nfile:/srv/a\n");
        set_lint(&set);
        first = lines_of(&set.diagnostics[0]);
        second = lines_of(&set.diagnostics[1]);
        g_assert_cmpstr(first, ==, "4");
        g_assert_nonnull(strstr(set.diagnostics[0].items[0].message, "line 3 of b"));
        g_assert_cmpstr(second, ==, "6");
        g_assert_nonnull(strstr(set.diagnostics[1].items[0].message, "line 3 of a says this"));
        set_end(&set);
}

static void test_an_allowance_of_what_nothing_denies_is_told(void)
{
        expect("version=7\n[allow]\nfile:/srv/a\n", "3", "nothing denies what it allows");
        expect("version=7\n[allow]\nnet:connect:10.0.0.1\n", "3", "nothing denies");
        expect("version=7\n[allow]\nfile:/srv/a access=read\n[deny]\nfile:/srv/ access=write\n",
               "3", "nothing denies");
        expect("version=7\n[allow]\nfile:/srv/a/b\n[deny]\nfile:/srv/a\n", "3", "nothing denies");
}

static void test_an_exception_is_not_told(void)
{
        expect("version=7\n[allow]\nfile:/srv/a\n[deny]\nfile:/srv/\n", "", NULL);
        expect("version=7\n[allow]\nfile:/srv/a/b/\n[deny]\nfile:/srv/*/\n", "", NULL);
        expect("version=7\n[allow]\nfile:/bin/x\n[deny]\nfile:/usr/bin/ uid=3\n", "", NULL);
        expect("version=7\n[allow]\nfile:/bin/x\n[audit]\nfile:/\n", "", NULL);
        expect("version=7\n[allow]\nexec:/srv/x\n[default]\nexec=deny uid=3\n", "", NULL);
        expect("version=7\n[allow]\nnet:connect:10.0.0.1\n[deny]\nnet:connect:10.0.0.0/8\n", "",
               NULL);
}

static void test_a_rule_for_a_cgroup_that_no_rule_binds_is_told(void)
{
        expect(RULE("file:/srv/a cgroup=/system.slice/a.service") "[allow]\n"
                                                                  "cgroup:/system.slice\n",
               "3", "no rule binds");
        expect(RULE("file:/srv/a cgroup=/system.slice/a.service") "[allow]\ncgroup:a.service\n",
               "3", "no rule binds");
        expect(RULE("file:/srv/a cgroup=/system.slice/a.service") "[allow]\n"
                                                                  "cgroup:/system.slice/"
                                                                  "b.service\n",
               "", NULL);
}

/* ---- a rule alone ---- */

static void test_a_cgroup_that_no_unit_has_is_told(void)
{
        expect(RULE("file:/srv/a cgroup=/system.slice/nginx"), "3", "no unit's name");
        expect(RULE("file:/srv/a cgroup=/system.slice/nginx.servce"), "3", "nginx.servce");
        expect(RULE("file:/srv/a cgroup=/nginx.service"), "3", "at the root");
        expect("version=1\n[allow_cgroup]\n/system.slice/backup\n", "3", "no unit's name");
        expect(RULE("file:/srv/a cgroup=/system.slice/nginx.service/sub"), "", NULL);
        expect(RULE("file:/srv/a cgroup=/docker/0123456789ab"), "", NULL);
        expect(RULE("file:/srv/a cgroup=nginx.service"), "", NULL);
        expect(RULE("file:/srv/a cgroup=/user.slice"), "", NULL);
        expect(RULE("file:/srv/a cgroup=/machine.slice/libpod-1.2.scope"), "", NULL);
}

static void test_options_that_do_nothing_or_too_much_are_told(void)
{
        expect(RULE("file:/srv/a ttl=5s"), "3", "ends before");
        expect(RULE("file:/srv/a ttl=1000d"), "3", "year");
        expect(RULE("file:/srv/a ttl=30m"), "", NULL);
}

static void test_a_star_where_names_are_looked_up_all_the_time_is_told(void)
{
        expect(RULE("file:/*/x"), "3", "every name in /");
        expect(RULE("file:/usr/lib/*/x"), "3", "every name in /usr/lib");
        expect(RULE("file:/home/*/.ssh/"), "", NULL);
}

static void test_an_empty_set_has_no_doubts(void)
{
        const Resolver resolver = plain_resolver();

        g_assert_cmpint(policy_lint(NULL, 0, &resolver, NULL), ==, 0);
        expect("version=1\n", "", NULL);
}

#define ADD(name) g_test_add_func("/policy/lint/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(what_lets_people_in_is_missed);
        ADD(what_starts_and_mends_a_machine_is_missed);
        ADD(one_rule_has_one_warning_however_much_it_takes);
        ADD(what_locks_nobody_out_is_not_told);
        ADD(an_allowance_that_lets_all_through_quiets_the_warning);
        ADD(a_list_of_what_may_run_must_have_what_is_needed);
        ADD(a_rule_behind_one_about_the_same_is_told);
        ADD(a_rule_that_decides_something_is_not_told);
        ADD(documents_of_one_set_are_weighed_against_each_other);
        ADD(an_allowance_of_what_nothing_denies_is_told);
        ADD(an_exception_is_not_told);
        ADD(a_rule_for_a_cgroup_that_no_rule_binds_is_told);
        ADD(a_cgroup_that_no_unit_has_is_told);
        ADD(options_that_do_nothing_or_too_much_are_told);
        ADD(a_star_where_names_are_looked_up_all_the_time_is_told);
        ADD(an_empty_set_has_no_doubts);
        return g_test_run();
}
