/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fiber: work that is cut into slices goes on where it was. */
#include <glib.h>

#include "util/cleanup.h"
#include "util/fiber.h"

DEFINE_CLEANUP(Fiber *, fiber_free);

typedef struct Count {
        unsigned to, n;
} Count;

static void count_up(void *userdata)
{
        Count *count = userdata;

        while (count->n < count->to) {
                count->n++;
                fiber_pace();
        }
}

static int compare_at_a_pace(const void *a, const void *b)
{
        unsigned x = *(const unsigned *) a, y = *(const unsigned *) b;

        fiber_pace();
        return (x > y) - (x < y);
}

#define N_SORTED 5000u

static void sort_numbers(void *userdata)
{
        qsort(userdata, N_SORTED, sizeof(unsigned), compare_at_a_pace);
}

static void test_work_without_a_fiber_is_not_cut(void)
{
        Count count = {.to = 100000};

        count_up(&count);
        g_assert_cmpuint(count.n, ==, count.to);
}

static void test_a_slice_of_no_length_ends_at_the_first_look_at_the_clock(void)
{
        _cleanup_(fiber_freep) Fiber *fiber = NULL;
        Count count = {.to = 1000};
        unsigned n_slices = 1, before = 0;

        g_assert_cmpint(fiber_new(&fiber, count_up, &count), ==, 0);
        while (!fiber_resume(fiber, 0)) {
                n_slices++;
                g_assert_cmpuint(count.n, >, before);
                g_assert_cmpuint(count.n - before, <=, 64);
                before = count.n;
        }
        g_assert_cmpuint(count.n, ==, count.to);
        g_assert_cmpuint(n_slices, >, 10);
}

static void test_a_slice_without_end_is_the_last(void)
{
        _cleanup_(fiber_freep) Fiber *fiber = NULL;
        Count count = {.to = 100000};

        g_assert_cmpint(fiber_new(&fiber, count_up, &count), ==, 0);
        g_assert_cmpint(fiber_resume(fiber, 0), ==, 0);
        g_assert_cmpint(fiber_resume(fiber, FIBER_TO_THE_END), ==, 1);
        g_assert_cmpuint(count.n, ==, count.to);
}

static void test_one_that_never_began_can_be_freed(void)
{
        _cleanup_(fiber_freep) Fiber *fiber = NULL;
        Count count = {.to = 1};

        g_assert_cmpint(fiber_new(&fiber, count_up, &count), ==, 0);
        g_assert_cmpuint(count.n, ==, 0);
}

static void test_two_take_turns_and_do_not_disturb_each_other(void)
{
        _cleanup_(fiber_freep) Fiber *one = NULL, *other = NULL;
        g_autofree unsigned *numbers = g_new(unsigned, N_SORTED);
        Count count = {.to = 20000};
        int one_ended = 0, other_ended = 0;

        for (unsigned i = 0; i < N_SORTED; i++)
                numbers[i] = (i * 7919u) % N_SORTED;
        g_assert_cmpint(fiber_new(&one, count_up, &count), ==, 0);
        g_assert_cmpint(fiber_new(&other, sort_numbers, numbers), ==, 0);
        while (!one_ended || !other_ended) {
                one_ended = one_ended || fiber_resume(one, 0);
                other_ended = other_ended || fiber_resume(other, 0);
        }
        g_assert_cmpuint(count.n, ==, count.to);
        for (unsigned i = 0; i < N_SORTED; i++)
                g_assert_cmpuint(numbers[i], ==, i);
}

#define ADD(name) g_test_add_func("/fiber/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(work_without_a_fiber_is_not_cut);
        ADD(a_slice_of_no_length_ends_at_the_first_look_at_the_clock);
        ADD(a_slice_without_end_is_the_last);
        ADD(one_that_never_began_can_be_freed);
        ADD(two_take_turns_and_do_not_disturb_each_other);
        return g_test_run();
}
