/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a line of the log looks like, in text, in JSON and in the journal. */
#include <glib.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "journal-peer.h"
#include "util/log.h"

static const LogField each_type[] = {
        LOG_TEXT("AEGIS_TEXT", "two words"),
        LOG_TEXT("AEGIS_NONE", NULL),
        LOG_TEXT("AEGIS_WORD", "web"),
        LOG_NUMBER("AEGIS_NUMBER", UINT64_MAX),
        LOG_SIGNED("AEGIS_SIGNED", INT64_MIN),
        LOG_FLAG("AEGIS_YES", 2),
        LOG_FLAG("AEGIS_NO", 0),
};

/* What is written to standard error while it logs. */
static char *log_of(int level, const char *message, const LogField *fields, size_t n)
{
        FILE *file = tmpfile();
        int saved = dup(STDERR_FILENO);
        char text[8192];
        size_t n_text;

        g_assert_nonnull(file);
        g_assert_cmpint(dup2(fileno(file), STDERR_FILENO), >=, 0);
        log_fields(level, message, fields, n);
        fflush(stderr);
        g_assert_cmpint(dup2(saved, STDERR_FILENO), >=, 0);
        close(saved);
        rewind(file);
        n_text = fread(text, 1, sizeof(text) - 1, file);
        text[n_text] = '\0';
        fclose(file);
        return g_strdup(text);
}

static void test_each_type_of_field_in_text(void)
{
        g_autofree char *line = NULL;

        log_set_target(LOG_TARGET_CONSOLE);
        log_set_format(LOG_FORMAT_TEXT);
        line = log_of(LOG_INFO, "Hello", each_type, G_N_ELEMENTS(each_type));
        g_assert_cmpstr(line, ==,
                        "Hello aegis_text=\"two words\" aegis_none=\"\" aegis_word=web "
                        "aegis_number=18446744073709551615 aegis_signed=-9223372036854775808 "
                        "aegis_yes=true aegis_no=false\n");
}

static void test_each_type_of_field_in_json(void)
{
        g_autofree char *line = NULL;
        json_object *object;

        log_set_target(LOG_TARGET_CONSOLE);
        log_set_format(LOG_FORMAT_JSON);
        line = log_of(LOG_WARNING, "Hello", each_type, G_N_ELEMENTS(each_type));
        log_set_format(LOG_FORMAT_TEXT);
        g_assert_cmpstr(line, ==,
                        "{\"level\":\"warning\",\"message\":\"Hello\",\"aegis_text\":\"two words\","
                        "\"aegis_none\":\"\",\"aegis_word\":\"web\","
                        "\"aegis_number\":18446744073709551615,"
                        "\"aegis_signed\":-9223372036854775808,\"aegis_yes\":true,"
                        "\"aegis_no\":false}\n");
        object = json_tokener_parse(line);
        g_assert_nonnull(object);
        json_object_put(object);
}

static void test_no_text_ends_its_line_or_its_value(void)
{
        static const char hostile[] = "a\"b\\c\nd\te\x1b[1m=f g\x7f";
        const LogField field = LOG_TEXT("AEGIS_TEXT", hostile);
        json_object *object, *value = NULL;
        char *line;

        log_set_target(LOG_TARGET_JOURNAL);
        line = log_of(LOG_ERR, "x", &field, 1);
        g_assert_cmpstr(line, ==,
                        "<3>x aegis_text=\"a\\\"b\\\\c\\u000ad\\u0009e\\u001b[1m=f g\\u007f\"\n");
        g_free(line);
        log_set_format(LOG_FORMAT_JSON);
        log_set_target(LOG_TARGET_CONSOLE);
        line = log_of(LOG_ERR, hostile, &field, 1);
        log_set_format(LOG_FORMAT_TEXT);
        object = json_tokener_parse(line);
        g_assert_true(json_object_object_get_ex(object, "aegis_text", &value));
        g_assert_cmpstr(json_object_get_string(value), ==, hostile);
        g_assert_true(json_object_object_get_ex(object, "message", &value));
        g_assert_cmpstr(json_object_get_string(value), ==, hostile);
        g_assert_cmpint(strcspn(line, "\n"), ==, strlen(line) - 1);
        json_object_put(object);
        g_free(line);
}

static void test_what_is_above_the_level_is_not_written(void)
{
        g_autofree char *line = log_of(LOG_DEBUG, "x", NULL, 0);

        g_assert_cmpstr(line, ==, "");
}

static void test_the_journal_gets_each_type_of_field(void)
{
        g_autoptr(GHashTable) entry = NULL;
        g_autofree char *line = NULL;
        JournalPeer peer;
        Journal *journal = NULL;

        journal_peer_set_up(&peer);
        g_assert_cmpint(journal_new(&journal, peer.path), ==, 0);
        log_set_target(LOG_TARGET_JOURNAL);
        log_set_journal(journal);
        line = log_of(LOG_NOTICE, "two\nlines", each_type, G_N_ELEMENTS(each_type));
        g_assert_cmpstr(line, ==, "");
        entry = journal_peer_receive(&peer);
        g_assert_cmpstr(journal_value(entry, "MESSAGE"), ==, "two\nlines");
        g_assert_cmpstr(journal_value(entry, "PRIORITY"), ==, "5");
        g_assert_cmpstr(journal_value(entry, "SYSLOG_IDENTIFIER"), ==, "aegisd");
        g_assert_cmpstr(journal_value(entry, "AEGIS_TEXT"), ==, "two words");
        g_assert_cmpstr(journal_value(entry, "AEGIS_NONE"), ==, "");
        g_assert_cmpstr(journal_value(entry, "AEGIS_NUMBER"), ==, "18446744073709551615");
        g_assert_cmpstr(journal_value(entry, "AEGIS_SIGNED"), ==, "-9223372036854775808");
        g_assert_cmpstr(journal_value(entry, "AEGIS_YES"), ==, "true");
        g_assert_cmpstr(journal_value(entry, "AEGIS_NO"), ==, "false");
        log_set_journal(NULL);
        journal_free(journal);
        journal_peer_tear_down(&peer);
}

static void test_without_a_journal_the_line_goes_to_standard_error(void)
{
        const LogField field = LOG_NUMBER("AEGIS_UID", 7);
        g_autofree char *line = NULL;
        Journal *journal = NULL;

        g_assert_cmpint(journal_new(&journal, "/nowhere/socket"), ==, 0);
        log_set_target(LOG_TARGET_JOURNAL);
        log_set_journal(journal);
        line = log_of(LOG_NOTICE, "x", &field, 1);
        g_assert_cmpstr(line, ==, "<5>x aegis_uid=7\n");
        log_set_journal(NULL);
        journal_free(journal);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function) g_test_add_func("/log/" #function, function)
        TEST(test_each_type_of_field_in_text);
        TEST(test_each_type_of_field_in_json);
        TEST(test_no_text_ends_its_line_or_its_value);
        TEST(test_what_is_above_the_level_is_not_written);
        TEST(test_the_journal_gets_each_type_of_field);
        TEST(test_without_a_journal_the_line_goes_to_standard_error);
        return g_test_run();
}
