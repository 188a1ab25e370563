/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places: what the machine said of the paths that rules name, as a sum that does not depend on how
 * lists and nodes came to be numbered, nor on the order in which it was asked. What is new is added
 * and what is gone taken away. The addends are made with a key that nobody knows: who chooses where
 * paths lead cannot choose them so that the sum stays. Rules are told by their numbers. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/fiber.h"

#define HASH_SIZE crypto_shorthash_siphashx24_BYTES

_Static_assert(sizeof(PlacesSum) == HASH_SIZE, "a sum has the size of its addends");
_Static_assert(2 * sizeof(PlacesSum) == sizeof(((PolicyImage *) 0)->places), "of names, of pins");

static void hash(const void *data, size_t n, uint8_t ret_hash[HASH_SIZE])
{
        static uint8_t key[crypto_shorthash_siphashx24_KEYBYTES];
        static int has_key;

        if (!has_key)
                randombytes_buf(key, sizeof(key));
        has_key = 1;
        crypto_shorthash_siphashx24(ret_hash, data, n, key);
}

static PlacesSum hash_of_name(const Compiler *compiler, const Name *name)
{
        const Pool *exes = &compiler->exes;
        struct {
                uint32_t device, below, is_exe, rule;
                uint8_t key[HASH_SIZE], exe[HASH_SIZE];
        } all = {name->device, name->below, name->is_exe, name->is_exe ? 0 : name->number, {}, {}};
        PlacesSum sum;

        hash(name->key, strlen(name->key), all.key);
        if (name->is_exe)
                hash((const uint8_t *) exes->items + exes->runs[name->number].first,
                     pool_run_length(exes, name->number), all.exe);
        hash(&all, sizeof(all), (uint8_t *) &sum);
        return sum;
}

static PlacesSum hash_of_pin(const Pin *pin)
{
        const uint64_t all[] = {pin->key.inode, pin->key.device, pin->rule, pin->generation,
                                pin->checked};
        PlacesSum sum;

        hash(all, sizeof(all), (uint8_t *) &sum);
        return sum;
}

static void add(PlacesSum *sum, PlacesSum addend)
{
        sum->halves[0] += addend.halves[0];
        sum->halves[1] += addend.halves[1];
}

static void subtract(PlacesSum *sum, PlacesSum addend)
{
        sum->halves[0] -= addend.halves[0];
        sum->halves[1] -= addend.halves[1];
}

void places_find(Compiler *compiler)
{
        const Names *names = &compiler->names;
        PlacesSum sums[2] = {};

        for (size_t i = 0; i < names->changed.n; i++) {
                const Name *name = &names->items[names->changed.items[i]];

                if (name->is_new == name->is_gone)
                        continue;
                if (name->is_new)
                        add(&compiler->places, hash_of_name(compiler, name));
                else
                        subtract(&compiler->places, hash_of_name(compiler, name));
                fiber_pace();
        }
        sums[0] = compiler->places;
        for (size_t i = 0; i < compiler->pins.n; i++) {
                add(&sums[1], hash_of_pin(&compiler->pins.items[i]));
                fiber_pace();
        }
        memcpy(compiler->image->places, sums, sizeof(sums));
}
