/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-policy as a program: what it prints, writes and returns. SOURCE_ROOT is the project's
 * folder, POLICY_PROGRAM the program. */
#include <glib.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scene.h"
#include "tool.h"

static char *path_of(const Scene *scene, const char *name)
{
        return g_build_filename(scene->folder, name, NULL);
}

static void put(const Scene *scene, const char *name, const char *text)
{
        g_autofree char *path = path_of(scene, name);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *get(const Scene *scene, const char *name)
{
        g_autofree char *path = path_of(scene, name);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

static void run(Scene *scene, const char *line, int expected)
{
        g_autofree char *command = g_strconcat("exec '", POLICY_PROGRAM, "' ", line, NULL);
        char *arguments[] = {(char *) "/bin/sh", (char *) "-c", command, NULL};
        int status;

        g_clear_pointer(&scene->out, g_free);
        g_clear_pointer(&scene->err, g_free);
        g_assert_true(g_spawn_sync(scene->folder, arguments, NULL, 0, NULL, NULL, &scene->out,
                                   &scene->err, &status, NULL));
        if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
                g_error("aegis-policy %s: status %x\n%s\n%s", line, (unsigned) status, scene->out,
                        scene->err);
}

static json_object *parse_json(const char *text)
{
        json_object *object = json_tokener_parse(text);

        g_assert_nonnull(object);
        return object;
}

/* ---- lint ---- */

static void test_a_document_without_faults_is_passed_in_silence(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=1\n[deny_path]\n/srv/x\n");
        run(scene, "lint web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, "");
        g_assert_cmpstr(scene->err, ==, "");
}

static void test_each_fault_is_shown_with_its_line_and_a_caret(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=1\n[deny_path]\n  srv/x\n[deny_port]\n80:sctp\n");
        run(scene, "lint web.policy", TOOL_FOUND);
        g_assert_nonnull(strstr(scene->out, "web.policy:3:3: "));
        g_assert_nonnull(strstr(scene->out, "\n      srv/x\n      ^\n"));
        g_assert_nonnull(strstr(scene->out, "web.policy:5:4: "));
        g_assert_nonnull(strstr(scene->out, "\n    80:sctp\n       ^\n"));
        g_assert_true(g_str_has_suffix(scene->out, "2 faults, 0 warnings\n"));
}

static void test_warnings_count_only_if_that_is_asked_for(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=1\n[deny_path]\n/etc/shadow\n");
        run(scene, "lint web.policy", TOOL_FINE);
        g_assert_nonnull(strstr(scene->out, "web.policy:3:1: warning: this can lock out"));
        run(scene, "lint --strict web.policy", TOOL_FOUND);
}

static void test_lint_in_json_has_each_remark(Scene *scene, const void *unused)
{
        json_object *report, *files, *file, *remarks, *value;

        put(scene, "a.policy", "version=1\n[deny_path]\nsrv/x\n");
        put(scene, "b.policy", "version=1\n[deny_path]\n/etc/shadow\n");
        run(scene, "lint --json a.policy b.policy", TOOL_FOUND);
        report = parse_json(scene->out);
        g_assert_true(json_object_object_get_ex(report, "files", &files));
        g_assert_cmpuint(json_object_array_length(files), ==, 2);
        file = json_object_array_get_idx(files, 0);
        g_assert_true(json_object_object_get_ex(file, "valid", &value));
        g_assert_false(json_object_get_boolean(value));
        g_assert_true(json_object_object_get_ex(file, "remarks", &remarks));
        g_assert_cmpuint(json_object_array_length(remarks), ==, 1);
        json_object_object_get_ex(json_object_array_get_idx(remarks, 0), "severity", &value);
        g_assert_cmpstr(json_object_get_string(value), ==, "fault");
        json_object_object_get_ex(report, "warnings", &value);
        g_assert_cmpint(json_object_get_int(value), ==, 1);
        json_object_put(report);
}

static void test_several_documents_are_one_set(Scene *scene, const void *unused)
{
        put(scene, "a.policy", "version=7\n[deny]\nfile:/srv/a\n");
        put(scene, "b.policy", "version=7\n[allow]\nfile:/srv/a\n");
        run(scene, "lint a.policy b.policy", TOOL_FINE);
        g_assert_nonnull(strstr(scene->out, "a.policy:3:1: warning: this never decides anything: "
                                            "line 3 of b"));
}

static void test_two_documents_of_one_name_are_a_fault(Scene *scene, const void *unused)
{
        put(scene, "a.policy", "version=7\nname=web\n[deny]\nfile:/srv/a\n");
        put(scene, "web.conf", "version=7\n[deny]\nfile:/srv/b\n");
        run(scene, "lint a.policy web.conf", TOOL_FOUND);
        g_assert_nonnull(strstr(scene->out, "web.conf: a.policy has the name web, too"));
}

static void test_a_file_whose_name_no_policy_can_have_is_told(Scene *scene, const void *unused)
{
        put(scene, "a b", "version=1\n");
        run(scene, "lint 'a b'", TOOL_FINE);
        g_assert_nonnull(strstr(scene->out, "warning: the file's name"));
}

static void test_standard_input_is_a_file_too(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=1\n[deny_path]\nx\n");
        run(scene, "lint - <web.policy", TOOL_FOUND);
        g_assert_true(g_str_has_prefix(scene->out, "-:3:1: "));
        run(scene, "lint - - <web.policy", TOOL_TROUBLE);
}

static void test_what_a_terminal_would_obey_is_escaped(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=1\n[deny_path]\nx\033[2J\n");
        run(scene, "lint web.policy", TOOL_FOUND);
        g_assert_null(strchr(scene->out, '\033'));
        run(scene, "lint --json web.policy", TOOL_FOUND);
        g_assert_null(strchr(scene->out, '\033'));
}

/* ---- fmt ---- */

#define UNTIDY                                                                                     \
        "# top\n\n\n  name=web\nversion = 7   # newest\n[deny]\n\n\nfile:/etc/x   uid=33   "       \
        "access=write,read # why\nfile:/srv/long/name/ uid=0033\n\n\n# next\n[allow]\n"            \
        "file:\"/srv/plain\"\n"
#define TIDY                                                                                       \
        "# top\n\nversion=7  # newest\nname=web\n\n[deny]\nfile:/etc/x           "                 \
        "access=read,write uid=33  # why\nfile:/srv/long/name/  uid=33\n\n# next\n[allow]\n"       \
        "file:/srv/plain\n"

static void test_the_canonical_form_is_printed(Scene *scene, const void *unused)
{
        g_autofree char *left = NULL;

        put(scene, "web.policy", UNTIDY);
        run(scene, "fmt web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, TIDY);
        left = get(scene, "web.policy");
        g_assert_cmpstr(left, ==, UNTIDY);
}

/* Without the slash the line would end before it. */
static void test_a_blank_at_the_end_of_a_name_stays(Scene *scene, const void *unused)
{
        const char text[] = "version=6\n\n[deny_path]\n/etc/a /\n\n[allow_cgroup]\n/a /\n";

        put(scene, "web.policy", text);
        run(scene, "fmt web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, text);
}

static void test_a_file_is_written_anew_and_keeps_its_mode(Scene *scene, const void *unused)
{
        g_autofree char *path = path_of(scene, "web.policy"), *written = NULL;
        struct stat status;

        put(scene, "web.policy", UNTIDY);
        g_assert_cmpint(g_chmod(path, 0640), ==, 0);
        run(scene, "fmt -w web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, "");
        written = get(scene, "web.policy");
        g_assert_cmpstr(written, ==, TIDY);
        g_assert_cmpint(stat(path, &status), ==, 0);
        g_assert_cmpint(status.st_mode & 07777, ==, 0640);
}

static void test_a_link_stays_one_when_its_file_is_written(Scene *scene, const void *unused)
{
        g_autofree char *link = path_of(scene, "link.policy"), *written = NULL;

        put(scene, "web.policy", UNTIDY);
        g_assert_cmpint(symlink("web.policy", link), ==, 0);
        run(scene, "fmt --write link.policy", TOOL_FINE);
        g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
        written = get(scene, "web.policy");
        g_assert_cmpstr(written, ==, TIDY);
}

static void test_check_names_those_that_would_change(Scene *scene, const void *unused)
{
        put(scene, "a.policy", TIDY);
        put(scene, "b.policy", UNTIDY);
        run(scene, "fmt --check a.policy", TOOL_FINE);
        run(scene, "fmt --check a.policy b.policy", TOOL_FOUND);
        g_assert_cmpstr(scene->out, ==, "b.policy\n");
}

static void test_a_document_with_faults_is_left_as_it_is(Scene *scene, const void *unused)
{
        g_autofree char *left = NULL;

        put(scene, "web.policy", "version=1\n[deny_path]\nx\n");
        run(scene, "fmt -w web.policy", TOOL_FOUND);
        g_assert_nonnull(strstr(scene->err, "web.policy:3:1: "));
        left = get(scene, "web.policy");
        g_assert_cmpstr(left, ==, "version=1\n[deny_path]\nx\n");
}

static void test_an_older_version_is_spelled_and_stays_what_it_is(Scene *scene, const void *unused)
{
        put(scene, "web.policy",
            "version=6\n[deny_path]\n/srv//x/\n[deny_ip]\n2001:DB8::0\n[deny_port]\n"
            "53:any:connect\n80:any:both\n[cgroup_deny_port]\ncgid:9   22:tcp\n");
        run(scene, "fmt web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==,
                        "version=6\n\n[deny_path]\n/srv/x\n\n[deny_ip]\n2001:db8::\n\n"
                        "[deny_port]\n53:any:egress\n80\n\n[cgroup_deny_port]\ncgid:9 22:tcp\n");
}

/* ---- diff ---- */

static void test_order_and_spelling_and_version_make_no_difference(Scene *scene, const void *unused)
{
        put(scene, "a",
            "version=6\n[deny_path]\n/srv/x\n/srv/y\n[cgroup_deny_ip]\n/a 10.0.0.1\n"
            "/b 10.0.0.2\n");
        put(scene, "b",
            "version=7\n# new\n[deny]\nnet:send,connect:10.0.0.2 cgroup=/b\nfile:/srv/y/\n"
            "file:/srv/x/\nnet:connect,send:10.0.0.1  cgroup=/a\n");
        run(scene, "diff a b", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, "");
}

static void test_each_option_is_a_part_of_the_rule(Scene *scene, const void *unused)
{
        static const char *const options[] = {"uid=3",
                                              "gid=3",
                                              "exe=/usr/bin/x",
                                              "exe=/usr/bin/x/",
                                              "cgroup=/a",
                                              "access=read",
                                              "mode=audit",
                                              "mode=enforce",
                                              "ttl=1h",
                                              "signal=kill",
                                              "why=\"not now\"",
                                              "id=x",
                                              "identity=verified"};

        put(scene, "a", "version=7\n[deny]\nfile:/srv/x\n");
        for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
                g_autofree char *text =
                        g_strdup_printf("version=7\n[deny]\nfile:/srv/x %s\n", options[i]);

                put(scene, "b", text);
                run(scene, "diff a b", TOOL_FOUND);
                g_assert_true(g_str_has_prefix(scene->out,
                                               "~ [deny] file:/srv/x -> [deny] file:/srv/x "));
        }
        put(scene, "a", "version=7\n[deny]\nfile:/srv/x exe=/usr/bin/x\n");
        put(scene, "b", "version=7\n[deny]\nfile:/srv/x exe=/usr/bin/x/\n");
        run(scene, "diff a b", TOOL_FOUND);
        g_assert_true(g_str_has_prefix(scene->out, "~ "));
}

static void test_what_differs_is_printed(Scene *scene, const void *unused)
{
        put(scene, "a", "version=7\n[deny]\nfile:/srv/x\nfile:/srv/y\nfile:/srv/z access=read\n");
        put(scene, "b",
            "version=7\non-missing-guarantee=accept\n[deny]\nfile:/srv/x\n"
            "file:/srv/z access=write\nfile:/srv/new uid=3\n");
        run(scene, "diff a b", TOOL_FOUND);
        g_assert_cmpstr(scene->out, ==,
                        "+ on-missing-guarantee=accept\n"
                        "+ [deny] file:/srv/new uid=3\n"
                        "- [deny] file:/srv/y\n"
                        "~ [deny] file:/srv/z access=read -> [deny] file:/srv/z access=write\n"
                        "They do not decide alike.\n");
}

static void test_a_rule_that_never_decides_can_go_unnoticed(Scene *scene, const void *unused)
{
        put(scene, "a", "version=7\n[deny]\nfile:/srv/x\n[audit]\nfile:/srv/x access=read\n");
        put(scene, "b", "version=7\n[deny]\nfile:/srv/x\n");
        run(scene, "diff a b", TOOL_FOUND);
        g_assert_cmpstr(scene->out, ==, "- [audit] file:/srv/x access=read\nThey decide alike.\n");
}

static void test_an_order_that_decides_is_a_difference(Scene *scene, const void *unused)
{
        put(scene, "a", "version=7\n[deny]\nfile:/srv/x mode=audit\nfile:/srv/x mode=enforce\n");
        put(scene, "b", "version=7\n[deny]\nfile:/srv/x mode=enforce\nfile:/srv/x mode=audit\n");
        run(scene, "diff a b", TOOL_FOUND);
        g_assert_nonnull(strstr(scene->out, "another order"));
}

static void test_diff_in_json_has_both_sides(Scene *scene, const void *unused)
{
        json_object *report, *changes, *change, *side, *value;

        put(scene, "a", "version=7\n[deny]\nfile:/srv/z access=read\n");
        put(scene, "b", "version=7\n[deny]\nfile:/srv/z access=write\n");
        run(scene, "diff --json a b", TOOL_FOUND);
        report = parse_json(scene->out);
        json_object_object_get_ex(report, "changes", &changes);
        change = json_object_array_get_idx(changes, 0);
        json_object_object_get_ex(change, "kind", &value);
        g_assert_cmpstr(json_object_get_string(value), ==, "changed");
        json_object_object_get_ex(change, "new", &side);
        json_object_object_get_ex(side, "rule", &value);
        g_assert_cmpstr(json_object_get_string(value), ==, "file:/srv/z access=write");
        json_object_object_get_ex(report, "decide_alike", &value);
        g_assert_false(json_object_get_boolean(value));
        json_object_put(report);
}

static void test_documents_with_faults_cannot_be_compared(Scene *scene, const void *unused)
{
        put(scene, "a", "version=1\n[deny_path]\nx\n");
        run(scene, "diff a a", TOOL_TROUBLE);
        g_assert_nonnull(strstr(scene->err, "a:3:1: "));
}

/* ---- convert ---- */

static void test_a_document_is_converted_with_its_comments(Scene *scene, const void *unused)
{
        put(scene, "web.policy",
            "# top\nversion=4\n\n# hashes\n[deny_path]\n/etc/x\n# keys\n/srv/k\n\n"
            "[protect_path]\n/srv/p\n[protect_runtime_deps]\n\n[allow_cgroup]\n# back up\n/b\n");
        run(scene, "convert web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==,
                        "# top\nversion=7\nruntime-deps=verified\n\n[deny]\n# hashes\n"
                        "file:/etc/x/\n# keys\nfile:/srv/k/\n\nfile:/srv/p/\n\n"
                        "[allow]\nfile:/srv/p/  identity=verified\n\n# back up\ncgroup:/b\n");
}

static void test_what_is_converted_is_written_whole(Scene *scene, const void *unused)
{
        g_autofree char *written = NULL;

        put(scene, "web.policy", "version=1\n[deny_path]\n/etc/x\n");
        run(scene, "convert -o new.policy web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, "");
        written = get(scene, "new.policy");
        g_assert_cmpstr(written, ==, "version=7\n\n[deny]\nfile:/etc/x/\n");
        run(scene, "convert -o /nowhere/new.policy web.policy", TOOL_TROUBLE);
}

static void test_what_gives_no_rule_is_told_in_a_comment(Scene *scene, const void *unused)
{
        put(scene, "web.policy", "version=3\n[scan_paths]\n/usr/bin\n");
        run(scene, "convert web.policy", TOOL_FINE);
        g_assert_nonnull(strstr(scene->out, "# left out, since it changes nothing: [scan_paths] "
                                            "/usr/bin\n"));
}

/* ---- test ---- */

#define WEB                                                                                        \
        "version=7\nname=web\n[deny]\nfile:/srv/ why=\"ask Ann\" id=secrets\n"                     \
        "exec:/usr/bin/gcc cgroup=/system.slice/a.service\nnet:connect:10.0.0.0/8:443/tcp "        \
        "uid=33\nkernel:ptrace mode=audit\n[allow]\nfile:/srv/ exe=/usr/bin/vault\n"               \
        "cgroup:/backup\n"

static void test_the_rule_that_decides_is_named(Scene *scene, const void *unused)
{
        put(scene, "web.policy", WEB);
        run(scene, "test --path=/srv/a/b --access=read,delete web.policy", TOOL_FOUND);
        g_assert_true(g_str_has_prefix(scene->out, "denied: read /srv/a/b\n  web.policy:4: [deny] "
                                                   "file:/srv/"));
        g_assert_nonnull(strstr(scene->out, "\n  id: secrets\n  why: ask Ann\n"));
        g_assert_nonnull(strstr(scene->out, "denied: delete /srv/a/b\n"));
        run(scene, "test --path=/srv/a --exe=/bin/vault web.policy", TOOL_FINE);
        g_assert_true(g_str_has_prefix(scene->out, "allowed: read /srv/a\n  web.policy:9:"));
        run(scene, "test --path=/home/x web.policy", TOOL_FINE);
        g_assert_cmpstr(scene->out, ==, "allowed: read /home/x\n  no rule is about it\n");
}

static void test_who_asks_makes_a_difference(Scene *scene, const void *unused)
{
        put(scene, "web.policy", WEB);
        run(scene, "test --path=/usr/bin/gcc --access=exec web.policy", TOOL_FINE);
        run(scene,
            "test --path=/usr/bin/gcc --access=exec --cgroup=/system.slice/a.service/x web.policy",
            TOOL_FOUND);
        run(scene, "test --net=connect:10.1.2.3:443/tcp web.policy", TOOL_FINE);
        run(scene, "test --net=connect:10.1.2.3:443/tcp --uid=33 web.policy", TOOL_FOUND);
        run(scene, "test --net=connect:10.1.2.3:444/tcp --uid=33 web.policy", TOOL_FINE);
        run(scene, "test --path=/srv/a --cgroup=/backup/daily web.policy", TOOL_FINE);
        g_assert_nonnull(strstr(scene->out, "no rule binds"));
}

static void test_what_is_only_recorded_is_no_denial(Scene *scene, const void *unused)
{
        put(scene, "web.policy", WEB);
        run(scene, "test --kernel=ptrace web.policy", TOOL_FINE);
        g_assert_true(g_str_has_prefix(scene->out, "recorded: ptrace\n"));
        run(scene, "test --kernel=bpf web.policy", TOOL_FINE);
}

static void test_an_answer_in_json_names_the_rule(Scene *scene, const void *unused)
{
        json_object *report, *answers, *answer, *rule, *value;

        put(scene, "web.policy", WEB);
        run(scene, "test --json --path=/srv/a web.policy", TOOL_FOUND);
        report = parse_json(scene->out);
        json_object_object_get_ex(report, "answers", &answers);
        answer = json_object_array_get_idx(answers, 0);
        json_object_object_get_ex(answer, "verdict", &value);
        g_assert_cmpstr(json_object_get_string(value), ==, "denied");
        json_object_object_get_ex(answer, "rule", &rule);
        json_object_object_get_ex(rule, "id", &value);
        g_assert_cmpstr(json_object_get_string(value), ==, "secrets");
        json_object_put(report);
}

/* ---- the command line ---- */

static void test_a_wrong_command_line_has_its_own_status(Scene *scene, const void *unused)
{
        g_auto(GStrv) lines = g_strsplit(
                "|bogus|--bogus|lint|lint --check a|fmt --strict a|fmt --write --check a|"
                "fmt -w -|diff a|diff a a a|convert a a|test a|test --path=x a|"
                "test --path=/x --kernel=bpf a|test --path=/x --access=chew a|"
                "test --path=/x --access= a|test --kernel=bpf --access=read a|"
                "test --path=/x --uid=me a|test --path=/x --cgroup=a a|"
                "test --net=connect a|test --net='connect:10.0.0.1:1 x' a|"
                "test --net=connect:10.0.0.0/8:443 a|test --kernel=all a|lint nowhere|"
                "lint .",
                "|", -1);

        put(scene, "a", "version=1\n");
        for (size_t i = 0; lines[i]; i++) {
                run(scene, lines[i], TOOL_TROUBLE);
                g_assert_cmpstr(scene->err, !=, "");
        }
}

static void test_help_and_version_are_printed(Scene *scene, const void *unused)
{
        run(scene, "--help", TOOL_FINE);
        for (size_t i = 0; i < n_tool_commands; i++)
                g_assert_nonnull(strstr(scene->out, tool_commands[i].name));
        run(scene, "--version", TOOL_FINE);
        g_assert_true(g_str_has_prefix(scene->out, "aegis-policy "));
}

static void test_a_full_disk_is_no_success(Scene *scene, const void *unused)
{
        run(scene, "--help >/dev/full", TOOL_TROUBLE);
}

/* ---- what the tables say, the papers say too ---- */

static char *read_source(const char *name)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, name, NULL);
        g_autoptr(GString) text = NULL;
        char *raw = NULL;

        g_assert_true(g_file_get_contents(path, &raw, NULL, NULL));
        text = g_string_new(raw);
        g_free(raw);
        g_string_replace(text, "\\-", "-", 0);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_named(const char *file, const char *before, const char *word, const char *after)
{
        g_autofree char *text = read_source(file), *quoted = g_regex_escape_string(word, -1);
        g_autofree char *pattern = g_strconcat(before, quoted, after, NULL);

        if (!g_regex_match_simple(pattern, text, G_REGEX_MULTILINE, 0))
                g_error("%s does not know '%s'", file, word);
}

static void test_each_command_and_option_is_in_the_manual_page_and_the_completions(
        Scene *scene, const void *unused)
{
        for (size_t i = 0; i < n_tool_commands; i++) {
                const char *name = tool_commands[i].name;

                assert_named("docs/man/aegis-policy.1", "^\\.TP\\n\\.B[RI] ", name, " ");
                assert_named("client/completion/aegis-policy", "[ \"]", name, "[ )]");
                assert_named("client/completion/_aegis-policy", "'", name, ":");
                assert_named("client/completion/aegis-policy.fish", "-a ", name, " ");
        }
        for (size_t i = 0; i < N_TOOL_OPTIONS; i++) {
                const char *name = tool_options[i].name;

                assert_named("docs/man/aegis-policy.1", "^\\.TP\\n\\.B.*--", name, "\\b");
                assert_named("client/completion/aegis-policy", "--", name, "[ '\"]");
                assert_named("client/completion/_aegis-policy", "--", name, "[=\\[}']");
                assert_named("client/completion/aegis-policy.fish", "-l ", name, " ");
        }
}

static void test_the_help_fits_a_screen_and_names_each_option(Scene *scene, const void *unused)
{
        g_autofree char *help = tool_help();
        g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

        g_assert_cmpuint(g_strv_length(lines), <=, 30);
        for (size_t i = 0; lines[i]; i++)
                g_assert_cmpuint(strlen(lines[i]), <=, 80);
        for (size_t i = 0; i < N_TOOL_OPTIONS; i++) {
                g_autofree char *option = g_strconcat("--", tool_options[i].name, NULL);

                g_assert_nonnull(strstr(help, option));
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
        g_test_add("/policy-tool/" #name, Scene, NULL, scene_set_up, test_##name, scene_tear_down)
        ADD(a_document_without_faults_is_passed_in_silence);
        ADD(each_fault_is_shown_with_its_line_and_a_caret);
        ADD(warnings_count_only_if_that_is_asked_for);
        ADD(lint_in_json_has_each_remark);
        ADD(several_documents_are_one_set);
        ADD(two_documents_of_one_name_are_a_fault);
        ADD(a_file_whose_name_no_policy_can_have_is_told);
        ADD(standard_input_is_a_file_too);
        ADD(what_a_terminal_would_obey_is_escaped);
        ADD(the_canonical_form_is_printed);
        ADD(a_blank_at_the_end_of_a_name_stays);
        ADD(a_file_is_written_anew_and_keeps_its_mode);
        ADD(a_link_stays_one_when_its_file_is_written);
        ADD(check_names_those_that_would_change);
        ADD(a_document_with_faults_is_left_as_it_is);
        ADD(an_older_version_is_spelled_and_stays_what_it_is);
        ADD(order_and_spelling_and_version_make_no_difference);
        ADD(each_option_is_a_part_of_the_rule);
        ADD(what_differs_is_printed);
        ADD(a_rule_that_never_decides_can_go_unnoticed);
        ADD(an_order_that_decides_is_a_difference);
        ADD(diff_in_json_has_both_sides);
        ADD(documents_with_faults_cannot_be_compared);
        ADD(a_document_is_converted_with_its_comments);
        ADD(what_is_converted_is_written_whole);
        ADD(what_gives_no_rule_is_told_in_a_comment);
        ADD(the_rule_that_decides_is_named);
        ADD(who_asks_makes_a_difference);
        ADD(what_is_only_recorded_is_no_denial);
        ADD(an_answer_in_json_names_the_rule);
        ADD(a_wrong_command_line_has_its_own_status);
        ADD(help_and_version_are_printed);
        ADD(a_full_disk_is_no_success);
        ADD(each_command_and_option_is_in_the_manual_page_and_the_completions);
        ADD(the_help_fits_a_screen_and_names_each_option);
        return g_test_run();
}
