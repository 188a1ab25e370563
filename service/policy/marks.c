/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks: which programs of exe= are in which set, as the kernel looks them up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "util/fiber.h"

static int compare_marks(const void *a, const void *b)
{
        return memcmp(&((const MarkEntry *) a)->key, &((const MarkEntry *) b)->key,
                      sizeof(struct mark_key));
}

/* Run 0 is the empty set. Sets that no name has any longer may stay. */
int marks_build(Compiler *compiler)
{
        const Pool *sets = &compiler->exe_sets;
        const uint32_t *exes = sets->items;
        PolicyImage *image = compiler->image;

        if (sets->n_runs == 1 || compiler->n_exes_used == 0)
                return 0;
        image->marks = calloc(sets->n, sizeof(*image->marks));
        if (!image->marks)
                return -ENOMEM;
        for (uint32_t set = 1; set < sets->n_runs; set++) {
                fiber_pace();
                for (uint32_t i = 0; i < pool_run_length(sets, set); i++)
                        image->marks[image->n_marks++] = (MarkEntry){
                                .key = {.set = set, .exe = exes[sets->runs[set].first + i]},
                                .value = 1,
                        };
        }
        qsort(image->marks, image->n_marks, sizeof(image->marks[0]), compare_marks);
        return 0;
}
