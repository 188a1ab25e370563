/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places: what the machine said of the paths that rules name, as a digest that does not depend on
 * how lists and nodes came to be numbered. Rules are told by their numbers. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/cleanup.h"
#include "util/fiber.h"

static void add_exe(crypto_generichash_state *state, const Pool *exes, uint32_t number)
{
        crypto_generichash_update(state, (const uint8_t *) exes->items + exes->runs[number].first,
                                  pool_run_length(exes, number));
}

static void add_name(crypto_generichash_state *state, const Compiler *compiler, const Name *name)
{
        const uint32_t head[] = {name->device, name->below, name->is_exe,
                                 name->is_exe ? 0 : name->number};

        fiber_pace();
        crypto_generichash_update(state, (const uint8_t *) head, sizeof(head));
        crypto_generichash_update(state, (const uint8_t *) name->key, strlen(name->key) + 1);
        if (name->is_exe)
                add_exe(state, &compiler->exes, name->number);
}

static void add_pin(crypto_generichash_state *state, const Pin *pin)
{
        const uint64_t all[] = {pin->key.inode, pin->key.device, pin->rule, pin->generation,
                                pin->checked};

        fiber_pace();
        crypto_generichash_update(state, (const uint8_t *) all, sizeof(all));
}

static int compare_pins(const void *a, const void *b)
{
        const Pin *x = a, *y = b;
        int r = memcmp(&x->key, &y->key, sizeof(x->key));

        return r != 0 ? r : (x->rule > y->rule) - (x->rule < y->rule);
}

/* They stand in the order in which they were found. */
static int add_pins(crypto_generichash_state *state, const Pins *pins)
{
        _cleanup_(freep) Pin *sorted = copy_items(pins->items, pins->n, sizeof(*sorted));

        if (pins->n == 0)
                return 0;
        if (!sorted)
                return -ENOMEM;
        qsort(sorted, pins->n, sizeof(*sorted), compare_pins);
        for (size_t i = 0; i < pins->n; i++)
                add_pin(state, &sorted[i]);
        return 0;
}

int places_find(Compiler *compiler)
{
        crypto_generichash_state state;
        const Names *names = &compiler->names;
        const Pins *pins = &compiler->pins;
        const uint64_t sizes[] = {names->n, pins->n};
        int r;

        crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
        crypto_generichash_update(&state, (const uint8_t *) sizes, sizeof(sizes));
        for (size_t i = 0; i < names->n; i++)
                add_name(&state, compiler, &names->items[i]);
        r = add_pins(&state, pins);
        crypto_generichash_final(&state, compiler->image->places, DIGEST_SIZE);
        return r;
}
