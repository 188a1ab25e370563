/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image: the life of one. */
#include "policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compilation.h"
#include "policy/compile.h"
#include "util/array.h"

int numbers_add(Numbers *numbers, uint32_t number)
{
        int r;

        r = ARRAY_RESERVE(numbers->items, numbers->n_allocated, numbers->n + 1);
        if (r < 0)
                return r;
        numbers->items[numbers->n++] = number;
        return 0;
}

void numbers_fit(Numbers *numbers)
{
        ARRAY_FIT(numbers->items, numbers->n_allocated, numbers->n);
}

void *copy_items(const void *items, size_t n, size_t size)
{
        void *copy = n > 0 ? reallocarray(NULL, n, size) : NULL;

        if (copy)
                memcpy(copy, items, n * size);
        return copy;
}

PolicyImage *policy_image_new(void)
{
        PolicyImage *image = calloc(1, sizeof(*image));

        if (image)
                image->n_refs = 1;
        return image;
}

int policy_image_compile(PolicyImage **ret_image, const Document *documents, size_t n_documents,
                         const Resolver *resolver, Diagnostics *diagnostics)
{
        _cleanup_(compilation_freep) Compilation *compilation = NULL;
        const CompilationRequest request = {
                .documents = documents,
                .n_documents = n_documents,
                .resolver = resolver,
        };

        return compilation_run(&compilation, &request, diagnostics, ret_image);
}

PolicyImage *policy_image_ref(PolicyImage *image)
{
        if (image)
                image->n_refs++;
        return image;
}

PolicyImage *policy_image_free(PolicyImage *image)
{
        if (!image || --image->n_refs > 0)
                return NULL;
        free(image->trie);
        free(image->roots);
        free(image->pins);
        free(image->nets);
        free(image->port_classes);
        free(image->marks);
        free(image->comms);
        free(image->digests);
        free(image->cgroup_names);
        free(image->cgroup_ids);
        free(image->subjects);
        free(image->clauses);
        free(image->rulesets);
        titles_free(image);
        free(image);
        return NULL;
}
