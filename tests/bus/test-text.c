/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: what is sent is UTF-8, what is shown cannot steer the eye. */
#include <glib.h>
#include <string.h>

#include "bus/text.h"

static void check_valid(const char *text, size_t n_max, const char *expected)
{
        char *valid = text_valid(text, n_max);

        g_assert_cmpstr(valid, ==, expected);
        g_assert_true(g_utf8_validate(valid, -1, NULL));
        g_free(valid);
}

static void check_prompt(const char *text, const char *expected)
{
        char *prompt = text_prompt(text);

        g_assert_cmpstr(prompt, ==, expected);
        g_free(prompt);
}

static void test_what_is_valid_stays_as_it_is(void)
{
        check_valid("", 16, "");
        check_valid("/srv/päth/路/😀\n", 64, "/srv/päth/路/😀\n");
}

static void test_bytes_that_are_no_character_become_question_marks(void)
{
        check_valid("a\xff"
                    "b\xc3",
                    16, "a?b?");
        check_valid("\xc0\xaf", 16, "??");           /* overlong */
        check_valid("\xe0\x80\xaf", 16, "???");      /* overlong */
        check_valid("\xed\xa0\x80", 16, "???");      /* surrogate */
        check_valid("\xf4\x90\x80\x80", 16, "????"); /* beyond Unicode */
        check_valid("\xef\xbf\xbf.", 16, "???.");    /* noncharacter */
        check_valid("\xe8\xb7", 16, "??");           /* cut */
}

static void test_a_text_is_cut_between_characters(void)
{
        check_valid("路路路", 7, "路路");
        check_valid("路路路", 6, "路路");
        check_valid("abc", 2, "ab");
        check_valid("abc", 0, "");
}

static void test_what_cannot_be_seen_is_not_shown(void)
{
        check_prompt("web\n\tsite\x7f", "website");
        check_prompt("a\u202eb\u2066c\u200fd\ufeff\u2028", "abcd");
        check_prompt("\xc2\x85x\u00ad", "x");
        check_prompt("päth 路", "päth 路");
}

static void test_a_prompt_has_128_bytes_at_most(void)
{
        char long_text[1024], *prompt;

        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = '\0';
        prompt = text_prompt(long_text);
        g_assert_cmpint(strlen(prompt), ==, TEXT_PROMPT_MAX);
        g_free(prompt);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/text/what_is_valid_stays_as_it_is", test_what_is_valid_stays_as_it_is);
        g_test_add_func("/text/bytes_that_are_no_character_become_question_marks",
                        test_bytes_that_are_no_character_become_question_marks);
        g_test_add_func("/text/a_text_is_cut_between_characters",
                        test_a_text_is_cut_between_characters);
        g_test_add_func("/text/what_cannot_be_seen_is_not_shown",
                        test_what_cannot_be_seen_is_not_shown);
        g_test_add_func("/text/a_prompt_has_128_bytes_at_most",
                        test_a_prompt_has_128_bytes_at_most);
        return g_test_run();
}
