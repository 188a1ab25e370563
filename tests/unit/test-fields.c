/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields: the lines "key=value" of what is signed. */
#include <glib.h>
#include <string.h>

#include "policy/fields.h"

static void test_a_value_has_a_greatest_length(void)
{
        g_autofree char *longest = g_strnfill(FIELD_MAX, 'x');
        g_autofree char *fits = g_strconcat("key=", longest, "\n", NULL);
        g_autofree char *more = g_strconcat("key=x", longest, "\n", NULL);
        const char *value;
        size_t n;

        g_assert_cmpint(field_take(&(Lines){fits, strlen(fits)}, "key", &value, &n), ==, 0);
        g_assert_cmpuint(n, ==, FIELD_MAX);
        g_assert_cmpint(field_take(&(Lines){more, strlen(more)}, "key", &value, &n), ==,
                        FIELD_E_FORMAT);
}

static void test_times_have_one_spelling_each_second(void)
{
        GRand *random = g_rand_new_with_seed(1);

        for (int i = 0; i < 10000; i++) {
                uint64_t seconds = ((uint64_t) g_rand_int(random) << 6) % 253402300800u, again = 0;
                char text[FIELD_TIME_SIZE], line[FIELD_TIME_SIZE + 8];
                Lines lines = {line, 0};

                field_time_format(seconds, text);
                lines.n = (size_t) g_snprintf(line, sizeof(line), "at=%s\n", text);
                g_assert_cmpint(field_take_time(&lines, "at", &again), ==, 0);
                g_assert_cmpuint(again, ==, seconds);
        }
        g_rand_free(random);
}

static void test_no_time_is_shown_that_has_none(void)
{
        char text[FIELD_TIME_SIZE];

        field_time_format(UINT64_MAX, text);
        g_assert_cmpstr(text, ==, "9999-12-31T23:59:59Z");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/fields/" #name, test_##name)
        ADD(a_value_has_a_greatest_length);
        ADD(times_have_one_spelling_each_second);
        ADD(no_time_is_shown_that_has_none);
        return g_test_run();
}
