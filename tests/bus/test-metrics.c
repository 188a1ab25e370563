/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetMetrics: OpenMetrics text that says what the properties say. */
#include <string.h>

#include "backend-twin.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n/srv/two\n"

static char *metrics(Lab *lab, sd_bus *bus)
{
        sd_bus_message *reply, *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "GetMetrics");
        const char *text;
        char *copy;

        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >=, 0);
        copy = g_strdup(text);
        sd_bus_message_unref(reply);
        return copy;
}

static void expect_line(const char *text, const char *line)
{
        char *whole = g_strdup_printf("\n%s\n", line);

        if (!strstr(text, whole))
                g_error("no line \"%s\" in\n%s", line, text);
        g_free(whole);
}

static uint64_t sample(const char *text, const char *name)
{
        char *begin = g_strdup_printf("\n%s ", name);
        const char *found = strstr(text, begin);
        uint64_t number;

        if (!found)
                g_error("no sample %s", name);
        number = g_ascii_strtoull(found + strlen(begin), NULL, 10);
        g_free(begin);
        return number;
}

static void test_what_is_in_force_is_told(Lab *lab)
{
        char *text;

        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, "mail", "version=1\n[deny_port]\n25:tcp\n");
        text = metrics(lab, lab->root);
        expect_line(text, "aegis_generation 2");
        expect_line(text, "aegis_policies 2");
        expect_line(text, "aegis_rules{policy=\"mail\"} 1");
        expect_line(text, "aegis_rules{policy=\"web\"} 2");
        expect_line(text, "aegis_mode{mode=\"enforce\"} 1");
        expect_line(text, "aegis_mode{mode=\"audit\"} 0");
        expect_line(text, "aegis_posture{posture=\"enforcing\"} 1");
        expect_line(text, "aegis_posture{posture=\"degraded\"} 0");
        expect_line(text, "aegis_hook_required{hook=\"file_open\"} 1");
        expect_line(text, "aegis_hook_attached{hook=\"file_open\"} 1");
        expect_line(text, "aegis_hook_required{hook=\"bpf\"} 0");
        expect_line(text, "aegis_exceptions 0");
        expect_line(text, "aegis_emergency 0");
        expect_line(text, "aegis_drift 0");
        expect_line(text, "aegis_signature_required 0");
        expect_line(text, "aegis_root_seq 0");
        expect_line(text, "aegis_policies_signed 0");
        g_assert_nonnull(strstr(text, "\naegis_build_info{version=\""));
        g_free(text);
        g_free(lab_expect(lab, lab_set_mode(lab->root, "audit", SILENT), NULL));
        text = metrics(lab, lab->root);
        expect_line(text, "aegis_mode{mode=\"enforce\"} 0");
        expect_line(text, "aegis_mode{mode=\"audit\"} 1");
        expect_line(text, "aegis_posture{posture=\"audit\"} 1");
        expect_line(text, "aegis_posture{posture=\"enforcing\"} 0");
        g_free(text);
}

static void happen(Lab *lab, enum hook hook, uint32_t verdict)
{
        struct event event = {
                .generation = 1, .rule = 1, .hook = hook, .verdict = verdict, .comm = "cat"};

        g_assert_cmpint(twin_inject(LAB_PINS, &event), ==, 0);
        lab_settle(lab);
}

static void test_what_happened_is_counted(Lab *lab)
{
        TwinControl control = {.tier = TIER_LSM, .deny_hooks = UINT64_MAX, .lost = 3};
        char *text;

        lab_must_apply(lab, "web", DOCUMENT);
        happen(lab, HOOK_FILE_OPEN, VERDICT_DENIED);
        happen(lab, HOOK_FILE_OPEN, VERDICT_DENIED);
        happen(lab, HOOK_FILE_OPEN, VERDICT_AUDITED);
        happen(lab, HOOK_SOCKET_CONNECT, VERDICT_DENIED);
        g_assert_cmpint(twin_control_write(LAB_PINS, &control), ==, 0);
        text = metrics(lab, lab->root);
        expect_line(text, "aegis_hook_calls_total{hook=\"file_open\"} 3");
        expect_line(text, "aegis_hook_denials_total{hook=\"file_open\"} 2");
        expect_line(text, "aegis_hook_audits_total{hook=\"file_open\"} 1");
        expect_line(text, "aegis_hook_denials_total{hook=\"socket_connect\"} 1");
        expect_line(text, "aegis_hook_audits_total{hook=\"socket_connect\"} 0");
        g_assert_cmpuint(sample(text, "aegis_events_emitted_total"), >=, 4);
        g_assert_cmpuint(sample(text, "aegis_ring_records_total"), ==, 4);
        g_assert_cmpuint(sample(text, "aegis_ring_lost_total"), ==, 3);
        g_assert_cmpuint(sample(text, "aegis_events_emitted_total"), ==,
                         sample(text, "aegis_events_delivered_total") +
                                 sample(text, "aegis_events_suppressed_total") +
                                 sample(text, "aegis_events_lost_total"));
        g_free(text);
}

static void test_each_line_that_decided_is_told_with_how_often(Lab *lab)
{
        char *text;

        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, "mail", "version=1\n[deny_port]\n25:tcp\n");
        happen(lab, HOOK_FILE_OPEN, VERDICT_DENIED);
        happen(lab, HOOK_FILE_OPEN, VERDICT_AUDITED);
        text = metrics(lab, lab->root);
        expect_line(text, "aegis_policy_hits_total{policy=\"web\"} 2");
        expect_line(text, "aegis_policy_hits_total{policy=\"mail\"} 0");
        expect_line(text, "aegis_rule_hits_total{policy=\"web\",line=\"3\"} 2");
        expect_line(text, "aegis_rule_hits_left_out_total 0");
        g_assert_null(strstr(text, "line=\"4\""));
        g_assert_null(strstr(text, "hits_total{policy=\"mail\",line"));
        g_assert_null(strstr(text, "/srv")); /* the text of rules is not everybody's */
        g_free(text);
}

/* Rules from..to of what is in force decided once more each. */
static void have_hits(size_t from, size_t to)
{
        TwinState state;

        g_assert_cmpint(twin_state_read(LAB_PINS, &state), ==, 0);
        for (size_t i = from; i <= to; i++)
                state.hits[i]++;
        g_assert_cmpint(twin_state_write(LAB_PINS, &state), ==, 0);
}

static unsigned count(const char *text, const char *part)
{
        unsigned n = 0;

        for (; (text = strstr(text, part)); text++)
                n++;
        return n;
}

static void test_so_many_lines_are_told_and_the_rest_is_one_number(Lab *lab)
{
        GString *document = g_string_new("version=1\n[deny_path]\n");
        char *text;

        for (unsigned i = 3; i <= 1202; i++)
                g_string_append_printf(document, "/srv/%u\n", i);
        lab_must_apply(lab, "web", document->str);
        have_hits(101, 1200);
        text = metrics(lab, lab->root);
        g_assert_cmpuint(count(text, "\naegis_rule_hits_total{"), ==, 1000);
        expect_line(text, "aegis_rule_hits_total{policy=\"web\",line=\"103\"} 1");
        expect_line(text, "aegis_rule_hits_total{policy=\"web\",line=\"1102\"} 1");
        expect_line(text, "aegis_rule_hits_left_out_total 100");
        expect_line(text, "aegis_policy_hits_total{policy=\"web\"} 1100");
        g_free(text);
        have_hits(1, 1); /* one more before them: the last goes to the rest, and nothing falls */
        text = metrics(lab, lab->root);
        g_assert_cmpuint(count(text, "\naegis_rule_hits_total{"), ==, 1000);
        expect_line(text, "aegis_rule_hits_total{policy=\"web\",line=\"3\"} 1");
        expect_line(text, "aegis_rule_hits_left_out_total 101");
        g_free(text);
        g_string_free(document, TRUE);
}

static void test_hits_of_something_else_are_not_told(Lab *lab)
{
        TwinState state;
        char *text;

        lab_must_apply(lab, "web", DOCUMENT);
        happen(lab, HOOK_FILE_OPEN, VERDICT_DENIED);
        g_assert_cmpint(twin_state_read(LAB_PINS, &state), ==, 0);
        state.digest[0] ^= 1;
        g_assert_cmpint(twin_state_write(LAB_PINS, &state), ==, 0);
        text = metrics(lab, lab->root);
        g_assert_null(strstr(text, "hits_total"));
        g_free(text);
}

/* ---- the form ---- */

typedef struct Family {
        char *name, *type;
        GHashTable *seen; /* families that have ended */
} Family;

/* A unit is the end of the name, and has a line of its own. */
static void check_name(const char *name)
{
        static const char *const units[] = {"_seconds", "_bytes", "_ratio", "_usec", "_ms"};

        g_assert_true(g_regex_match_simple("^aegis_[a-z][a-z_]*$", name, 0, 0));
        g_assert_false(g_str_has_suffix(name, "_total"));
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                g_assert_false(g_str_has_suffix(name, units[i]));
}

static void check_help(const Family *family, const char *line)
{
        char *begin = g_strdup_printf("# HELP %s ", family->name);

        g_assert_true(g_str_has_prefix(line, begin));
        g_assert_cmpuint(strlen(line), >, strlen(begin));
        g_free(begin);
}

static void begin_family(Family *family, const char *line)
{
        char **words = g_strsplit(line, " ", -1);

        g_assert_cmpuint(g_strv_length(words), ==, 4);
        check_name(words[2]);
        if (family->name)
                g_hash_table_add(family->seen, family->name);
        g_assert_false(g_hash_table_contains(family->seen, words[2]));
        family->name = g_strdup(words[2]);
        g_free(family->type);
        family->type = g_strdup(words[3]);
        g_assert_true(g_str_equal(family->type, "counter") || g_str_equal(family->type, "gauge"));
        g_strfreev(words);
}

#define LABEL "[a-z_]+=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\""

static void check_sample(const Family *family, const char *line)
{
        char *pattern =
                g_strdup_printf("^%s%s(\\{" LABEL "(," LABEL ")?\\})? [0-9]+$", family->name,
                                g_str_equal(family->type, "counter") ? "_total" : "");

        if (!g_regex_match_simple(pattern, line, 0, 0))
                g_error("\"%s\" is no sample of the %s %s", line, family->type, family->name);
        g_free(pattern);
}

/* As the specification of OpenMetrics 1.0.0 has it: families in one piece, the mark at the end. */
static void test_the_text_is_open_metrics(Lab *lab)
{
        Family family = {.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
        char *text, **lines;
        unsigned n = 0;

        lab_must_apply(lab, "web", DOCUMENT);
        happen(lab, HOOK_FILE_OPEN, VERDICT_DENIED);
        text = metrics(lab, lab->root);
        g_assert_true(g_str_has_suffix(text, "\n# EOF\n"));
        lines = g_strsplit(text, "\n", -1);
        for (n = 0; !g_str_equal(lines[n], "# EOF"); n++) {
                if (g_str_has_prefix(lines[n], "# TYPE "))
                        begin_family(&family, lines[n]);
                else if (g_str_has_prefix(lines[n], "# HELP "))
                        check_help(&family, lines[n]);
                else
                        check_sample(&family, lines[n]);
                /* No sample is told twice: by then it is the end of a line before. */
                for (unsigned i = 0; i < n; i++)
                        g_assert_cmpstr(lines[i], !=, lines[n]);
        }
        g_assert_cmpuint(n, >, 5 * N_HOOKS);
        g_assert_cmpstr(lines[n + 1], ==, "");
        g_assert_null(lines[n + 2]);
        g_hash_table_destroy(family.seen);
        g_free(family.name);
        g_free(family.type);
        g_strfreev(lines);
        g_free(text);
}

static void test_everybody_may_read_them(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *text;

        lab_stop_polkit(lab);
        text = metrics(lab, user);
        expect_line(text, "aegis_generation 0");
        expect_line(text, "aegis_policies 0");
        g_free(text);
        lab_start_polkit(lab);
        lab_disconnect(user);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(what_is_in_force_is_told),
                TEST(what_happened_is_counted),
                TEST(each_line_that_decided_is_told_with_how_often),
                TEST(so_many_lines_are_told_and_the_rest_is_one_number),
                TEST(hits_of_something_else_are_not_told),
                TEST(the_text_is_open_metrics),
                TEST(everybody_may_read_them),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
