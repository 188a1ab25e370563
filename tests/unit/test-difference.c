/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Difference: how many records of a table are others than those of another. */
#include <glib.h>
#include <string.h>

#include "backend/fill.h"

#define N_MAX 400

typedef struct Item {
        uint32_t key, value;
} Item;

typedef struct Table {
        Item items[N_MAX + 1];
        size_t n;
} Table;

static Filling filling_of(const Table *table, int has_keys)
{
        return (Filling){.items = table->items,
                         .n_items = table->n,
                         .item_size = sizeof(Item),
                         .key_size = has_keys ? sizeof(uint32_t) : 0,
                         .value_offset = has_keys ? sizeof(uint32_t) : 0,
                         .value_size = has_keys ? sizeof(uint32_t) : sizeof(Item)};
}

static size_t count(const Table *before, const Table *after, int has_keys)
{
        Filling from = filling_of(before, has_keys), to = filling_of(after, has_keys);

        return difference_count(&from, &to);
}

static const Item *find(const Table *table, uint32_t key)
{
        for (size_t i = 0; i < table->n; i++)
                if (table->items[i].key == key)
                        return &table->items[i];
        return NULL;
}

/* Each key of one looked up in the other. */
static size_t count_slowly(const Table *before, const Table *after)
{
        size_t n = 0;

        for (size_t i = 0; i < before->n; i++)
                n += !find(after, before->items[i].key);
        for (size_t i = 0; i < after->n; i++) {
                const Item *old = find(before, after->items[i].key);

                n += !old || old->value != after->items[i].value;
        }
        return n;
}

static size_t count_places_slowly(const Table *before, const Table *after)
{
        size_t n = 0;

        for (size_t i = 0; i < after->n; i++)
                n += i >= before->n ||
                     memcmp(&before->items[i], &after->items[i], sizeof(Item)) != 0;
        return n;
}

/* Keys are compared as bytes. */
static Table random_table(size_t n)
{
        Table table = {.n = n};

        for (size_t i = 0; i < n; i++)
                table.items[i] = (Item){GUINT32_TO_BE((uint32_t) (2 * i + 2)), (uint32_t) i};
        return table;
}

static void take_out(Table *table, size_t at)
{
        memmove(&table->items[at], &table->items[at + 1],
                (table->n - at - 1) * sizeof(table->items[0]));
        table->n--;
}

/* Between the one at that place and the one before it there is room for a key. */
static void put_in(Table *table, size_t at)
{
        uint32_t key = GUINT32_FROM_BE(table->items[at].key) - 1;

        if (find(table, GUINT32_TO_BE(key)))
                return;
        memmove(&table->items[at + 1], &table->items[at],
                (table->n - at) * sizeof(table->items[0]));
        table->items[at] = (Item){GUINT32_TO_BE(key), 7};
        table->n++;
}

static void change(Table *table)
{
        size_t at = (size_t) g_test_rand_int_range(0, (int) table->n);

        switch (g_test_rand_int_range(0, 3)) {
        case 0:
                table->items[at].value ^= 1;
                break;
        case 1:
                if (table->n > 1)
                        take_out(table, at);
                break;
        case 2:
                if (table->n < N_MAX)
                        put_in(table, at);
                break;
        }
}

static void test_what_differs_is_counted_wherever_it_stands(void)
{
        for (unsigned i = 0; i < 2000; i++) {
                Table before = random_table((size_t) g_test_rand_int_range(1, N_MAX));
                Table after = before;

                for (int n = g_test_rand_int_range(0, 4); n > 0; n--)
                        change(&after);
                g_assert_cmpuint(count(&before, &after, 1), ==, count_slowly(&before, &after));
                g_assert_cmpuint(count(&before, &after, 0), ==,
                                 count_places_slowly(&before, &after));
        }
}

static void test_of_what_is_not_in_order_nothing_is_told(void)
{
        Table before = random_table(100), after = before;

        after.items[50] = after.items[10];
        g_assert_cmpuint(count(&before, &after, 1), ==, SIZE_MAX);
        g_assert_cmpuint(count(&after, &before, 1), ==, SIZE_MAX);
}

static void test_an_empty_table_is_filled_whole(void)
{
        Table before = random_table(0), after = random_table(3);

        g_assert_cmpuint(count(&before, &after, 1), ==, SIZE_MAX);
        g_assert_cmpuint(count(&after, &before, 1), ==, SIZE_MAX);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/difference/what_differs_is_counted_wherever_it_stands",
                        test_what_differs_is_counted_wherever_it_stands);
        g_test_add_func("/difference/of_what_is_not_in_order_nothing_is_told",
                        test_of_what_is_not_in_order_nothing_is_told);
        g_test_add_func("/difference/an_empty_table_is_filled_whole",
                        test_an_empty_table_is_filled_whole);
        return g_test_run();
}
