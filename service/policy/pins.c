/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins: files that are known by number, whatever name they are opened by. */
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

int pins_add(Pins *pins, const Pin *pin)
{
        int r;

        r = ARRAY_RESERVE(pins->items, pins->n_allocated, pins->n + 1);
        if (r < 0)
                return r;
        pins->items[pins->n++] = *pin;
        return 0;
}

static int compare_pins(const void *a, const void *b)
{
        const Pin *x = a, *y = b;
        int r = memcmp(&x->key, &y->key, sizeof(x->key));

        return r != 0 ? r : (x->rule > y->rule) - (x->rule < y->rule);
}

/* Two rules about one file: the one that holds for any generation of it decides whether it is
 * looked at, and the first rule is the one that is named. */
static void merge_pin(PinEntry *entry, const Pin *pin)
{
        if (!pin->checked || pin->generation != entry->value.generation)
                entry->value.checked = 0;
        if (!entry->value.checked)
                entry->value.generation = 0;
}

int pins_build(PolicyImage *image, Pins *pins, Rulesets *rulesets)
{
        PinEntry *entry = NULL;
        int r;

        if (pins->n == 0)
                return 0;
        image->pins = calloc(pins->n, sizeof(*image->pins));
        if (!image->pins)
                return -ENOMEM;
        qsort(pins->items, pins->n, sizeof(pins->items[0]), compare_pins);
        for (size_t i = 0; i < pins->n; i++) {
                const Pin *pin = &pins->items[i];

                if (entry && memcmp(&entry->key, &pin->key, sizeof(pin->key)) == 0) {
                        merge_pin(entry, pin);
                        continue;
                }
                entry = &image->pins[image->n_pins++];
                entry->key = pin->key;
                entry->value.checked = pin->checked;
                entry->value.generation = pin->checked ? pin->generation : 0;
                r = rulesets_add(rulesets, pin->rule, 0, &entry->value.ruleset);
                if (r < 0)
                        return r;
        }
        return 0;
}
