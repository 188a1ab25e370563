/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The review of what the project's cryptography relies on: whether it is of our days, and speaks of
 * all that is called. IS_RELEASE: of a build that others are given. */
#include <glib.h>
#include <string.h>

#define REVIEW "docs/cryptography.md"
#define DAYS_MAX 90

static char *read_file(const char *folder, const char *name)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, folder, name, NULL);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

/* Days between the line "Reviewed: 2026-11-29" and then; -1: there is no such line, or it is of a
 * day to come. */
static int age(const char *text, GDateTime *then)
{
        g_autoptr(GRegex) regex =
                g_regex_new("^Reviewed: (\\d{4})-(\\d\\d)-(\\d\\d)$", G_REGEX_MULTILINE, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;
        g_autoptr(GDateTime) day = NULL;
        int numbers[3];
        GTimeSpan span;

        if (!g_regex_match(regex, text, 0, &match))
                return -1;
        for (int i = 0; i < 3; i++) {
                g_autofree char *number = g_match_info_fetch(match, i + 1);

                numbers[i] = (int) g_ascii_strtoll(number, NULL, 10);
        }
        day = g_date_time_new_utc(numbers[0], numbers[1], numbers[2], 0, 0, 0);
        span = day ? g_date_time_difference(then, day) : -1;
        return span < 0 ? -1 : (int) (span / G_TIME_SPAN_DAY);
}

static void test_the_age_of_a_review_is_told(void)
{
        g_autoptr(GDateTime) then = g_date_time_new_utc(2026, 3, 1, 12, 0, 0);

        g_assert_cmpint(age("# x\nReviewed: 2026-03-01\n", then), ==, 0);
        g_assert_cmpint(age("Reviewed: 2025-12-01\n", then), ==, 90);
        g_assert_cmpint(age("Reviewed: 2025-11-30\n", then), ==, 91);
        g_assert_cmpint(age("Reviewed: 2026-03-02\n", then), ==, -1);
        g_assert_cmpint(age("Reviewed: 2026-02-30\n", then), ==, -1);
        g_assert_cmpint(age("Reviewed: lately\n", then), ==, -1);
        g_assert_cmpint(age("", then), ==, -1);
}

static void test_the_review_is_of_our_days(void)
{
        g_autofree char *text = read_file(".", REVIEW), *told = NULL;
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        int days = age(text, now);

        /* A clock that was never set is before every review. */
        if (days < 0 && g_date_time_get_year(now) < 2026)
                return;
        g_assert_cmpint(days, >=, 0);
        if (days <= DAYS_MAX)
                return;
        told = g_strdup_printf("warning: %s is %d days old; review it, at the latest for a release",
                               REVIEW, days);
        if (IS_RELEASE)
                g_error("%s", told);
        g_test_skip(told);
}

/* Those that one source calls. */
static void collect(const char *text, GHashTable *called)
{
        g_autoptr(GRegex) regex =
                g_regex_new("\\b((?:crypto|sodium|randombytes)_[a-z0-9_]+)\\(", 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL))
                g_hash_table_add(called, g_match_info_fetch(match, 1));
}

static void collect_folder(const char *folder, GHashTable *called)
{
        g_autofree char *path = g_build_filename(SOURCE_ROOT, folder, NULL);
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        g_assert_nonnull(dir);
        while ((name = g_dir_read_name(dir))) {
                g_autofree char *text = NULL;

                if (!g_str_has_suffix(name, ".c"))
                        continue;
                text = read_file(folder, name);
                if (strstr(text, "<sodium.h>"))
                        collect(text, called);
        }
}

static void test_each_function_of_libsodium_is_in_the_review(void)
{
        static const char *const folders[] = {"service/policy", "client/policy-tool", "client",
                                              "service/transaction"};
        g_autoptr(GHashTable) called = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autofree char *text = read_file(".", REVIEW);
        GHashTableIter iter;
        gpointer name;

        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
                collect_folder(folders[i], called);
        g_assert_cmpuint(g_hash_table_size(called), >, 10);
        g_hash_table_iter_init(&iter, called);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
                g_autofree char *quoted = g_strdup_printf("`%s`", (const char *) name);

                if (!strstr(text, quoted))
                        g_error(REVIEW " does not know %s", quoted);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/cryptography/" #name, test_##name)
        ADD(the_age_of_a_review_is_told);
        ADD(the_review_is_of_our_days);
        ADD(each_function_of_libsodium_is_in_the_review);
        return g_test_run();
}
