/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pool: see pool.h. Open addressing; at most half of the slots are taken. */
#include "policy/pool.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

#define N_SLOTS_FIRST 64u

_Static_assert(sizeof(((Pool *) NULL)->key) == crypto_shorthash_KEYBYTES, "SipHash's key");

static uint32_t hash_of(const Pool *pool, const void *items, size_t n)
{
        uint8_t bytes[crypto_shorthash_BYTES];
        uint32_t hash;

        crypto_shorthash(bytes, items, n * pool->size, pool->key);
        memcpy(&hash, bytes, sizeof(hash));
        return hash;
}

int pool_init(Pool *pool, size_t size)
{
        static const char zeros[512];
        uint32_t run;

        *pool = (Pool){.size = size};
        randombytes_buf(pool->key, sizeof(pool->key));
        return pool_add(pool, zeros, 1, &run);
}

void pool_deinit(Pool *pool)
{
        if (!pool->is_shared)
                free(pool->items);
        free(pool->runs);
        free(pool->slots);
        *pool = (Pool){};
}

void pool_share(Pool *pool, void *items)
{
        if (!pool->is_shared)
                free(pool->items);
        pool->items = items;
        pool->is_shared = 1;
        ARRAY_FIT(pool->runs, pool->n_runs_allocated, pool->n_runs);
}

void pool_rest(Pool *pool)
{
        free(pool->slots);
        pool->slots = NULL;
        pool->n_slots = 0;
}

static void *item(const Pool *pool, size_t i)
{
        return (char *) pool->items + i * pool->size;
}

static void put_slot(Pool *pool, uint32_t run)
{
        size_t i = pool->runs[run].hash & (pool->n_slots - 1);

        while (pool->slots[i])
                i = (i + 1) & (pool->n_slots - 1);
        pool->slots[i] = run + 1;
}

/* For one run more. */
static int grow_slots(Pool *pool)
{
        size_t n = N_SLOTS_FIRST;
        uint32_t *slots;

        while (n < 2 * (pool->n_runs + 1))
                n *= 2;
        slots = calloc(n, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        free(pool->slots);
        pool->slots = slots;
        pool->n_slots = n;
        for (size_t i = 0; i < pool->n_runs; i++)
                put_slot(pool, (uint32_t) i);
        return 0;
}

/* Returns 1 with the run's number, or 0. */
static int find_run(const Pool *pool, const void *items, size_t n, uint32_t hash, uint32_t *ret_run)
{
        for (size_t i = hash & (pool->n_slots - 1); pool->slots[i];
             i = (i + 1) & (pool->n_slots - 1)) {
                const PoolRun *run = &pool->runs[pool->slots[i] - 1];

                if (run->hash != hash || pool_run_length(pool, pool->slots[i] - 1) != n ||
                    memcmp(item(pool, run->first), items, n * pool->size) != 0)
                        continue;
                *ret_run = pool->slots[i] - 1;
                return 1;
        }
        return 0;
}

/* Returns 0 or -ENOMEM. */
static int make_room(Pool *pool, size_t n_wanted)
{
        size_t n_allocated = 0;
        void *own = NULL;
        int r;

        if (!pool->is_shared)
                return array_reserve(&pool->items, &pool->n_allocated, n_wanted, pool->size);
        r = array_reserve(&own, &n_allocated, n_wanted, pool->size);
        if (r < 0)
                return r;
        memcpy(own, pool->items, pool->n * pool->size);
        pool->items = own;
        pool->n_allocated = n_allocated;
        pool->is_shared = 0;
        return 0;
}

static int append_run(Pool *pool, const void *items, size_t n, uint32_t hash)
{
        int r;

        if (n >= UINT32_MAX - pool->n)
                return -E2BIG;
        r = make_room(pool, pool->n + n);
        if (r < 0)
                return r;
        r = ARRAY_RESERVE(pool->runs, pool->n_runs_allocated, pool->n_runs + 1);
        if (r < 0)
                return r;
        memcpy(item(pool, pool->n), items, n * pool->size);
        pool->runs[pool->n_runs] = (PoolRun){.first = (uint32_t) pool->n, .hash = hash};
        pool->n += n;
        put_slot(pool, (uint32_t) pool->n_runs++);
        return 0;
}

int pool_add(Pool *pool, const void *items, size_t n, uint32_t *ret_run)
{
        uint32_t hash = hash_of(pool, items, n);
        int r;

        if (2 * (pool->n_runs + 1) > pool->n_slots) {
                r = grow_slots(pool);
                if (r < 0)
                        return r;
        }
        if (find_run(pool, items, n, hash, ret_run))
                return 0;
        r = append_run(pool, items, n, hash);
        if (r < 0)
                return r;
        *ret_run = (uint32_t) pool->n_runs - 1;
        return 0;
}
