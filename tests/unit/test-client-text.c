/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rooms of aegis-client that touch strings of others: escaping, documents, remarks. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "document.h"
#include "remark.h"
#include "output.h"
#include "text.h"

static void check_escape(const char *text, const char *expected)
{
        g_autofree char *escaped = text_escape(text, strlen(text));

        g_assert_cmpstr(escaped, ==, expected);
}

static void test_plain_text_stays_as_it_is(void)
{
        check_escape("/srv/sécrets \\ €𝄞", "/srv/sécrets \\ €𝄞");
        check_escape("", "");
}

static void test_what_a_terminal_obeys_is_escaped(void)
{
        check_escape("a\033[31mb", "a\\x1b[31mb");
        check_escape("a\nb\r\x7f", "a\\x0ab\\x0d\\x7f");
        check_escape("\xc2\x9b"
                     "1m",
                     "\\u{9b}1m");
        check_escape("\xe2\x80\xae"
                     "gpj",
                     "\\u{202e}gpj");
}

static void test_bytes_that_are_not_utf8_are_escaped_one_by_one(void)
{
        check_escape("\xff", "\\xff");
        check_escape("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
        check_escape("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
        check_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
        check_escape("\xe2\x82", "\\xe2\\x82"); /* cut */
}

static void test_a_nul_inside_is_escaped(void)
{
        g_autofree char *escaped = text_escape("a\0b", 3);

        g_assert_cmpstr(escaped, ==, "a\\x00b");
}

static void test_width_counts_characters(void)
{
        g_assert_cmpuint(text_width("aé€"), ==, 3);
}

static void check_name(const char *path, const char *expected)
{
        g_autofree char *name = source_document_name(path);

        g_assert_cmpstr(name, ==, expected);
}

static void test_the_name_is_the_files_without_its_ending(void)
{
        check_name("/etc/aegis/web.policy", "web");
        check_name("web.conf", "web");
        check_name("a/web.v2", "web.v2");
        check_name("./web", "web");
        check_name(".policy", ".policy");
}

static SourceDocument document_of(const char *text, size_t n)
{
        return (SourceDocument){
                .label = g_strdup("web.policy"), .text = g_strndup(text, n), .n_text = n};
}

static void check_document(const char *text, size_t n, int expected, uint32_t line, uint32_t column)
{
        SourceDocument document = {.text = (char *) text, .n_text = n};
        uint32_t found_line = 0, found_column = 0;

        g_assert_cmpint(source_document_check(&document, &found_line, &found_column), ==, expected);
        g_assert_cmpuint(found_line, ==, line);
        g_assert_cmpuint(found_column, ==, column);
}

static void test_what_d_bus_does_not_carry_is_found_with_its_place(void)
{
        check_document("version=1\n", 10, 0, 0, 0);
        check_document("", 0, 0, 0, 0);
        check_document("version=1\n# \xff", 13, 1, 2, 3);
        check_document("a\0b", 3, 1, 1, 2);
        check_document("version=1\n# \xc3\xa4\n", 15, 0, 0, 0);
        check_document("version=1\n# long and plain\n\xc3", 28, 1, 3, 1);
        check_document("version=1\n# long and plain\n", 28, 1, 3, 1); /* its NUL is in it */
        check_document("\xef\xbf\xbe", 3, 1, 1, 1);                   /* a noncharacter */
}

static char *point(const SourceDocument *document, const Remark *remark)
{
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        source_document_point(document, remark, file);
        fclose(file);
        return text;
}

static void check_point(const char *text, const Remark *remark, const char *expected)
{
        SourceDocument document = document_of(text, strlen(text));
        g_autofree char *shown = point(&document, remark);

        g_assert_cmpstr(shown, ==, expected);
        source_document_deinit(&document);
}

static void test_a_caret_stands_under_the_column(void)
{
        check_point("version=1\n[deny_path]\nsrv/x\n",
                    &(Remark){.line = 3, .column = 1, .message = "not absolute", .hint = "add /"},
                    "web.policy:3:1: not absolute; add /\n    srv/x\n    ^\n");
        check_point("a\n\té=\033\n",
                    &(Remark){.line = 2, .column = 5, .message = "bad", .hint = ""},
                    "web.policy:2:5: bad\n     é=\\x1b\n       ^\n");
}

static void test_a_remark_without_a_line_shows_none(void)
{
        check_point("a\n", &(Remark){.message = "empty", .hint = "", .warning = 1},
                    "web.policy: warning: empty\n");
        check_point("a\n", &(Remark){.line = 9, .column = 9, .message = "m", .hint = ""},
                    "web.policy:9:9: m\n");
}

static void test_a_column_beyond_the_line_points_to_its_end(void)
{
        check_point("ab\n", &(Remark){.line = 1, .column = 4000000000, .message = "m", .hint = ""},
                    "web.policy:1:4000000000: m\n    ab\n      ^\n");
}

static void test_a_nul_in_a_long_line_is_shown_and_not_read_past(void)
{
        char text[5000];
        SourceDocument document;
        g_autofree char *shown = NULL;

        memset(text, 0, sizeof(text));
        document = document_of(text, 0);
        g_free(document.text);
        document.text = g_memdup2(text, sizeof(text));
        document.n_text = sizeof(text);
        shown = point(&document, &(Remark){.line = 1, .column = 2500, .message = "m", .hint = ""});
        g_assert_nonnull(strstr(shown, "\\x00"));
        source_document_deinit(&document);
}

static void test_a_document_beyond_the_limit_is_not_read(void)
{
        SourceDocument document = {0};

        g_assert_cmpint(source_document_read("/dev/zero", &document), ==, -EFBIG);
        g_assert_cmpint(source_document_read("/nonexistent", &document), ==, -ENOENT);
        g_assert_cmpint(source_document_read("/", &document), ==, -EISDIR);
        g_assert_null(document.text);
}

static void check_remark(json_object *remarks, size_t i, const char *expected)
{
        g_assert_cmpstr(json_object_to_json_string_ext(json_object_array_get_idx(remarks, i),
                                                       JSON_C_TO_STRING_PLAIN),
                        ==, expected);
}

static void test_faults_are_read_from_the_errors_message(void)
{
        _cleanup_(json_object_putp) json_object *remarks = NULL;

        g_assert_cmpint(remarks_read("web:3:7: no such thing; write it\n"
                                     "web:4:1: warning: twice\n"
                                     "12:1: nameless\n"
                                     "web: no version\n"
                                     "web:99999999999999999999:1: far\n"
                                     "\n"
                                     "web: and 3 more\n",
                                     "web", &remarks),
                        ==, 0);
        g_assert_cmpuint(json_object_array_length(remarks), ==, 6);
        check_remark(remarks, 0,
                     "{\"line\":3,\"column\":7,\"severity\":\"fault\",\"message\":\"no such thing; "
                     "write it\",\"hint\":\"\"}");
        check_remark(remarks, 1,
                     "{\"line\":4,\"column\":1,\"severity\":\"warning\",\"message\":\"twice\","
                     "\"hint\":\"\"}");
        check_remark(remarks, 2,
                     "{\"line\":12,\"column\":1,\"severity\":\"fault\",\"message\":\"nameless\","
                     "\"hint\":\"\"}");
        check_remark(remarks, 3,
                     "{\"line\":0,\"column\":0,\"severity\":\"fault\",\"message\":\"no version\","
                     "\"hint\":\"\"}");
        g_assert_cmpuint(json_number(json_object_array_get_idx(remarks, 4), "line"), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define TEST(function) g_test_add_func("/client/text/" #function, function)
        TEST(test_plain_text_stays_as_it_is);
        TEST(test_what_a_terminal_obeys_is_escaped);
        TEST(test_bytes_that_are_not_utf8_are_escaped_one_by_one);
        TEST(test_a_nul_inside_is_escaped);
        TEST(test_width_counts_characters);
        TEST(test_the_name_is_the_files_without_its_ending);
        TEST(test_what_d_bus_does_not_carry_is_found_with_its_place);
        TEST(test_a_caret_stands_under_the_column);
        TEST(test_a_remark_without_a_line_shows_none);
        TEST(test_a_column_beyond_the_line_points_to_its_end);
        TEST(test_a_nul_in_a_long_line_is_shown_and_not_read_past);
        TEST(test_a_document_beyond_the_limit_is_not_read);
        TEST(test_faults_are_read_from_the_errors_message);
        return g_test_run();
}
