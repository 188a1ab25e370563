/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which bytes a line may have: each byte at each place gives what it gives alone, however many are
 * looked at at once. */
#include <glib.h>
#include <string.h>

#include "policy/text.h"

#define N 19

static TextFault expected(unsigned byte)
{
        if (byte == 0)
                return TEXT_NUL;
        if (byte >= 0x80)
                return TEXT_NOT_UTF8;
        return (byte < 0x20 && byte != '\t') || byte == 0x7f ? TEXT_CONTROL : TEXT_FINE;
}

static void test_each_byte_at_each_place(void)
{
        for (unsigned byte = 0; byte < 256; byte++)
                for (size_t place = 0; place < N; place++) {
                        char text[N];
                        size_t at;

                        memset(text, place % 2 ? '~' : ' ', sizeof(text));
                        text[place] = (char) byte;
                        g_assert_cmpint(text_check(text, N, &at), ==, expected(byte));
                        g_assert_cmpuint(at, ==, expected(byte) == TEXT_FINE ? N : place);
                }
}

static void test_characters_across_each_place(void)
{
        static const struct {
                const char *text;
                TextFault fault;
        } rows[] = {
                {"\xc3\xa4", TEXT_FINE},
                {"\xe2\x82\xac", TEXT_FINE},
                {"\xf0\x9f\x90\xa7", TEXT_FINE},
                {"\xc2\x85", TEXT_CONTROL},
                {"\xc0\xaf", TEXT_NOT_UTF8},
                {"\xed\xa0\x80", TEXT_NOT_UTF8},
                {"\xf4\x90\x80\x80", TEXT_NOT_UTF8},
                {"\xe2\x82", TEXT_NOT_UTF8},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                for (size_t place = 0; place + strlen(rows[i].text) <= N; place++) {
                        char text[N];
                        size_t at;

                        memset(text, 'a', sizeof(text));
                        memcpy(text + place, rows[i].text, strlen(rows[i].text));
                        g_assert_cmpint(text_check(text, N, &at), ==, rows[i].fault);
                        g_assert_cmpuint(at, ==, rows[i].fault == TEXT_FINE ? N : place);
                }
}

static void test_no_byte_beyond_is_looked_at(void)
{
        char text[N];
        size_t at;

        memset(text, 'a', sizeof(text));
        for (size_t n = 0; n < N; n++) {
                text[n] = '\n';
                g_assert_cmpint(text_check(text, n, &at), ==, TEXT_FINE);
                g_assert_cmpuint(at, ==, n);
                text[n] = 'a';
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/text/each-byte-at-each-place", test_each_byte_at_each_place);
        g_test_add_func("/text/characters-across-each-place", test_characters_across_each_place);
        g_test_add_func("/text/no-byte-beyond", test_no_byte_beyond_is_looked_at);
        return g_test_run();
}
