/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client for programs: what each verb prints with --json is one object of the shape that
 * aegis-client(1) documents: it has the keys below, and none that the page does not name. */
#include <json-c/json.h>
#include <string.h>

#include "blocked.h"
#include "client-lab.h"
#include "client.h"

#define MAIL "/run/lab/mail.policy"

typedef enum Shape {
        SHAPE_DOCUMENTED,
        SHAPE_SERVICES, /* names below the first level are the service's own */
} Shape;

/* One line for each verb, in the order in which they are run. */
typedef struct Row {
        const char *verb;
        const char *arguments;
        Shape shape;
        const char *keys; /* each must be there */
} Row;

static const Row rows[] = {
        {"apply", MAIL, SHAPE_DOCUMENTED, "name changed generation changes diagnostics"},
        {"plan", WEB, SHAPE_DOCUMENTED, "name changed changes diagnostics"},
        {"diff", WEB, SHAPE_DOCUMENTED, "changed policies"},
        {"apply", WEB " --confirm-timeout=30s", SHAPE_DOCUMENTED,
         "name changed generation changes diagnostics"},
        {"confirm", "", SHAPE_DOCUMENTED, "generation"},
        {"emergency start", "--for=1h --reason=test", SHAPE_DOCUMENTED, "emergency"},
        {"emergency stop", "", SHAPE_DOCUMENTED, "emergency"},
        {"apply", WEB, SHAPE_DOCUMENTED, "name changed generation changes diagnostics"},
        {"apply", WEB " --check", SHAPE_DOCUMENTED, "name changed changes diagnostics"},
        {"status", "", SHAPE_DOCUMENTED,
         "version api_version features epoch mode posture posture_reasons generation digest "
         "last_change policies hooks events"},
        {"hooks", "", SHAPE_DOCUMENTED, "hooks"},
        {"policies", "", SHAPE_DOCUMENTED, "policies"},
        {"policy list", "", SHAPE_DOCUMENTED, "policies"},
        {"policy show", "web", SHAPE_DOCUMENTED,
         "object name language_version digest generation changed_usec rules signed signers seq "
         "root_seq issued_usec expires_usec document"},
        {"reload", "", SHAPE_DOCUMENTED, "changed generation policies refused"},
        {"rule add", "deny file:/srv/six --check", SHAPE_DOCUMENTED,
         "section entry changed generation"},
        {"rule add", "deny file:/srv/six", SHAPE_DOCUMENTED, "section entry changed generation"},
        {"rule list", "", SHAPE_DOCUMENTED, "rules"},
        {"rule remove", "deny file:/srv/six", SHAPE_DOCUMENTED, "section entry changed generation"},
        {"remove", "mail --check", SHAPE_DOCUMENTED, "name changed changes"},
        {"remove", "mail", SHAPE_DOCUMENTED, "name changed generation"},
        {"rollback", "", SHAPE_DOCUMENTED, "to changed generation"},
        {"mode", "", SHAPE_DOCUMENTED, "mode generation"},
        {"mode", "audit --check", SHAPE_DOCUMENTED, "mode changed generation"},
        {"mode", "audit", SHAPE_DOCUMENTED, "mode changed generation"},
        {"mode", "enforce --hook=file_open", SHAPE_DOCUMENTED, "hook mode changed generation"},
        {"mode", "--hook=file_open", SHAPE_DOCUMENTED, "hook mode"},
        {"explain", "/srv/one", SHAPE_SERVICES, "mode generation answers"},
        {"simulate", WEB, SHAPE_SERVICES, "otherwise unknown events"},
        {"allow", "1 --for=60s", SHAPE_DOCUMENTED,
         "object name event uid allows to rule until_usec"},
        {"exceptions", "", SHAPE_DOCUMENTED, "exceptions"},
        {"exceptions revoke", "e1u0t5", SHAPE_DOCUMENTED, "name until_usec"},
        {"history", "", SHAPE_DOCUMENTED, "changes"},
        {"metrics", "", SHAPE_DOCUMENTED, "metrics"},
        {"capabilities", "", SHAPE_SERVICES, "kernel tier missing remedy"},
        {"release", "", SHAPE_DOCUMENTED, "released"},
        {"doctor", "", SHAPE_DOCUMENTED, "healthy findings"},
        {"release", "", SHAPE_DOCUMENTED, "released"},
        {"can", "plan", SHAPE_DOCUMENTED, "action answer"},
        {"can", "nothing", SHAPE_DOCUMENTED, "error"},
};

/* The verb prints one object for each event. */
static const char *const not_one_object[] = {"events", NULL};

/* ---- the page ---- */

static char *read_json_section(void)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, "docs/man/aegis-client.1", NULL);
        g_autofree char *text = NULL;
        char *begin, *end;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        begin = strstr(text, "\n.SH JSON\n");
        g_assert_nonnull(begin);
        end = strstr(begin + 1, "\n.SH ");
        g_assert_nonnull(end);
        return g_strndup(begin, (gsize) (end - begin));
}

static void add_words(const char *item, GHashTable *words)
{
        g_autoptr(GRegex) regex = g_regex_new("(?<![a-z_(])[a-z_]+|(?<=\\(dq)[a-z_]+", 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        for (g_regex_match(regex, item, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL))
                g_hash_table_add(words, g_match_info_fetch(match, 0));
}

/* Every word of what the section says under that verb, and of the item it refers to. */
static GHashTable *documented(const char *section, const char *verb)
{
        static const struct {
                const char *verb, *refers_to;
        } references[] = {{"policy show", "policies"},
                          {"policy list", "policies"},
                          {"diff", "plan"},
                          {"remove", "plan"},
                          {"rollback", "plan"}};
        GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_auto(GStrv) items = g_strsplit(section, "\n.TP\n", -1);
        g_autofree char *pattern = g_strdup_printf("^\\.[A-Z]+ .*\\b%s\\b", verb);

        for (char **item = items + 1; *item; item++) {
                g_autofree char *heading = g_strndup(*item, strcspn(*item, "\n"));

                if (g_regex_match_simple(pattern, heading, 0, 0))
                        add_words(*item, words);
        }
        /* What goes wrong is said at the end, for all. */
        add_words(strstr(section, "\n.PP\n"), words);
        for (size_t i = 0; i < G_N_ELEMENTS(references); i++) {
                GHashTable *more;
                GHashTableIter iter;
                gpointer word;

                if (strcmp(references[i].verb, verb) != 0)
                        continue;
                more = documented(section, references[i].refers_to);
                g_hash_table_iter_init(&iter, more);
                while (g_hash_table_iter_next(&iter, &word, NULL))
                        g_hash_table_add(words, g_strdup(word));
                g_hash_table_destroy(more);
        }
        return words;
}

/* ---- the output ---- */

static void check_keys(const Row *row, json_object *value, GHashTable *words)
{
        if (json_object_is_type(value, json_type_array))
                for (size_t i = 0; i < json_object_array_length(value); i++)
                        check_keys(row, json_object_array_get_idx(value, i), words);
        if (!json_object_is_type(value, json_type_object))
                return;
        json_object_object_foreach(value, key, below)
        {
                if (!g_hash_table_contains(words, key))
                        g_error("aegis-client.1 does not name \"%s\", which '%s' prints", key,
                                row->verb);
                check_keys(row, below, words);
        }
}

static void check_row(const Row *row, const char *section)
{
        g_autofree char *command = g_strdup_printf("%s%s%s --json", row->verb,
                                                   *row->arguments ? " " : "", row->arguments);
        g_auto(GStrv) keys = g_strsplit(row->keys, " ", -1);
        GHashTable *words = documented(section, row->verb);
        g_auto(Outcome) outcome = {0};
        json_object *object;

        run_freely_as(0, command, &outcome);
        object = json_tokener_parse(outcome.out);
        if (!json_object_is_type(object, json_type_object))
                g_error("'%s' does not print an object: %s%s", command, outcome.out, outcome.err);
        g_assert_cmpint(outcome.out[strcspn(outcome.out, "\n") + 1], ==, '\0'); /* one line */
        for (char **key = keys; *key; key++)
                if (!json_object_object_get_ex(object, *key, NULL))
                        g_error("'%s' does not print \"%s\": %s", command, *key, outcome.out);
        if (row->shape == SHAPE_DOCUMENTED)
                check_keys(row, object, words);
        json_object_put(object);
        g_hash_table_destroy(words);
}

static int has_row(const char *verb)
{
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                if (strcmp(rows[i].verb, verb) == 0)
                        return 1;
        return g_strv_contains(not_one_object, verb);
}

static void test_what_each_verb_prints_is_as_documented(Lab *lab)
{
        g_autofree char *section = read_json_section();

        struct event event = blocked_event();

        event.time_ns = 5000; /* it is in the name of the exception */
        blocked_inject(event);
        put(WEB, "version=1\n[deny_path]\n/srv/one\n/srv/one\n");
        put(MAIL, "version=1\n[deny_port]\n25:tcp\n");
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                check_row(&rows[i], section);
}

static void test_each_verb_has_a_row(Lab *lab)
{
        for (size_t i = 0; i < n_verbs; i++)
                if (!has_row(verb_table[i].name))
                        g_error("'%s' has no row in this test", verb_table[i].name);
}

static json_object *ask(const char *line)
{
        g_auto(Outcome) outcome = {0};
        json_object *object;

        run(line, STATUS_DONE, &outcome);
        object = json_tokener_parse(outcome.out);
        g_assert_nonnull(object);
        return object;
}

static json_object *get(json_object *object, const char *key)
{
        json_object *value = NULL;

        g_assert_true(json_object_object_get_ex(object, key, &value));
        return value;
}

static int count_true(json_object *hooks, const char *key)
{
        int n = 0;

        for (size_t i = 0; i < json_object_array_length(hooks); i++)
                n += json_object_get_boolean(get(json_object_array_get_idx(hooks, i), key));
        return n;
}

/* It asks for no objects. */
static void test_the_status_counts_what_the_objects_say(Lab *lab)
{
        json_object *status, *hooks, *counts;

        put(WEB, "version=7\n[deny]\nfile:/srv/one\n");
        put(MAIL, "version=1\n[deny_port]\n25:tcp\n");
        json_object_put(ask("apply --json " WEB));
        json_object_put(ask("apply --json " MAIL));
        status = ask("status --json");
        hooks = ask("hooks --json");
        counts = get(status, "hooks");
        g_assert_cmpstr(json_object_to_json_string_ext(get(status, "policies"), 0), ==,
                        "[\"mail\",\"web\"]");
        g_assert_cmpint(json_object_get_int(get(counts, "all")), ==, N_HOOKS);
        g_assert_cmpint(json_object_get_int(get(counts, "attached")), ==,
                        count_true(get(hooks, "hooks"), "attached"));
        g_assert_cmpint(json_object_get_int(get(counts, "required")), ==,
                        count_true(get(hooks, "hooks"), "required"));
        g_assert_cmpint(json_object_get_int(get(counts, "required")), >, 0);
        g_assert_cmpint(json_object_get_int(get(counts, "missing")), ==, 0);
        json_object_put(hooks);
        json_object_put(status);
}

static const LabTest tests[] = {
#define TEST(function)                                                                             \
        {                                                                                          \
#function, function                                                                \
        }
        TEST(test_what_each_verb_prints_is_as_documented),
        TEST(test_each_verb_has_a_row),
        TEST(test_the_status_counts_what_the_objects_say),
};

int main(int argc, char **argv)
{
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
