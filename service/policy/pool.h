/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pool: runs of elements in one array, equal runs once. The hash has a key of its own, so that an
 * author cannot write rules that all fall into one place. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct PoolRun {
        uint32_t first; /* in items; it ends where the next begins */
        uint32_t hash;
} PoolRun;

/* Run 0 is one element of zero bytes. */
typedef struct Pool {
        void *items;
        int is_shared;               /* they are another's, and copied before more come */
        size_t size, n, n_allocated; /* of one element; elements */
        PoolRun *runs;
        size_t n_runs, n_runs_allocated;
        uint32_t *slots; /* 1 + a run's number; 0: free */
        size_t n_slots;  /* a power of two */
        uint8_t key[16];
} Pool;

/* size: of an element. Returns 0 or -ENOMEM; pool_deinit() is right in both cases. */
int pool_init(Pool *pool, size_t size);
void pool_deinit(Pool *pool);

static inline uint32_t pool_run_length(const Pool *pool, uint32_t run)
{
        size_t end = run + 1u < pool->n_runs ? pool->runs[run + 1u].first : pool->n;

        return (uint32_t) end - pool->runs[run].first;
}

/* Goes on with the equal items of another, who keeps them until more are added, and gives back all
 * room to spare. */
void pool_share(Pool *pool, void *items);

/* Gives back what only pool_add() needs: the next takes a little longer for it. */
void pool_rest(Pool *pool);

/* Returns 0, -ENOMEM, or -E2BIG for more than 2^32 elements. items must not lie in the pool. */
int pool_add(Pool *pool, const void *items, size_t n, uint32_t *ret_run);
