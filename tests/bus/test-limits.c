/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps one user from using up what is there for all: tokens, and the record of refusals. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "bus/bucket.h"
#include "bus/refusal.h"

#define HOUR (3600 * 1000000ull)

static unsigned take_all(Buckets *buckets, uid_t uid, uint64_t now)
{
        unsigned n = 0;

        while (buckets_take(buckets, uid, BUCKET_METHOD, now) == 0)
                n++;
        return n;
}

static void test_a_full_bucket_is_two_hundred_methods(void)
{
        Buckets buckets = {0};

        g_assert_cmpuint(take_all(&buckets, 1000, HOUR), ==, 200);
        g_assert_cmpint(buckets_take(&buckets, 1000, BUCKET_READ, HOUR), ==, -EDQUOT);
        g_assert_cmpuint(take_all(&buckets, 1001, HOUR), ==, 200); /* nobody else is held up */
}

static void test_a_second_brings_a_hundred_more(void)
{
        Buckets buckets = {0};

        take_all(&buckets, 1000, HOUR);
        g_assert_cmpuint(take_all(&buckets, 1000, HOUR + 1000000), ==, 100);
        g_assert_cmpuint(take_all(&buckets, 1000, HOUR + HOUR), ==, 200);
}

/* Whoever has more uids than there are buckets gets what is in the fullest, and nothing new. */
static void test_many_uids_do_not_get_many_buckets(void)
{
        Buckets buckets = {0};
        unsigned n = 0;

        for (uid_t uid = 100000; uid < 200000; uid++)
                n += take_all(&buckets, uid, HOUR);
        g_assert_cmpuint(n, ==, 200 * BUCKET_USERS);
}

static void add(Refusals *refusals, uid_t uid, const char *method, const char *name)
{
        Refusal refusal = {
                .uid = uid, .method = method, .action = ACTION_APPLY_POLICY, .usec = uid};

        g_strlcpy(refusal.name, name, sizeof(refusal.name));
        g_assert_cmpint(refusals_add(refusals, &refusal), ==, 0);
}

static void test_equal_refusals_are_one_line_with_a_count(void)
{
        Refusals refusals = {0};

        add(&refusals, 1000, "Apply", "first");
        add(&refusals, 1001, "Apply", "other");
        for (unsigned i = 0; i < 1000; i++)
                add(&refusals, 1000, "Apply", "last");
        add(&refusals, 1000, "Remove", "last");
        g_assert_cmpuint(refusals.n, ==, 3);
        g_assert_cmpstr(refusals_get(&refusals, 0).authorization, ==,
                        "refused: org.aegis.enforcer.apply-policy");
        g_assert_cmpstr(refusals_get(&refusals, 1).authorization, ==,
                        "refused 1001 times: org.aegis.enforcer.apply-policy");
        g_assert_cmpstr(refusals_get(&refusals, 1).name, ==, "last");
        refusals_deinit(&refusals);
}

static void test_there_is_an_end_to_what_is_remembered(void)
{
        Refusals refusals = {0};

        for (uid_t uid = 0; uid < 1000; uid++)
                add(&refusals, uid, "Apply", "");
        g_assert_cmpuint(refusals.n, ==, REFUSALS_MAX);
        g_assert_cmpuint(refusals_get(&refusals, 0).uid, ==, 1000 - REFUSALS_MAX);
        g_assert_cmpstr(refusals_get(&refusals, REFUSALS_MAX - 1).authorization, ==,
                        "refused: org.aegis.enforcer.apply-policy");
        refusals_deinit(&refusals);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/limits/a_full_bucket_is_two_hundred_methods",
                        test_a_full_bucket_is_two_hundred_methods);
        g_test_add_func("/limits/a_second_brings_a_hundred_more",
                        test_a_second_brings_a_hundred_more);
        g_test_add_func("/limits/many_uids_do_not_get_many_buckets",
                        test_many_uids_do_not_get_many_buckets);
        g_test_add_func("/limits/equal_refusals_are_one_line_with_a_count",
                        test_equal_refusals_are_one_line_with_a_count);
        g_test_add_func("/limits/there_is_an_end_to_what_is_remembered",
                        test_there_is_an_end_to_what_is_remembered);
        return g_test_run();
}
